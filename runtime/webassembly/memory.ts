// `WebAssembly.Memory`: a memory of the runtime as the JS API shows it. One object for each, whoever asks.
//
// A shared memory is an object of the host's own class with our prototype: only such a one keeps its pages when it is
// posted to a worker. A memory of the host's that a program imports is shown as it is.
import { MAX_PAGES, PAGE_BYTES } from "../../ir/layout.js";
import { Memory as RuntimeMemory } from "../memory.js";
import { host, type HostMemory } from "./host.js";
import { guardsMemories, memoryTypeOf } from "./host-types.js";
import { checkLimits, fromAddress, refuse, toAddress, toDictionary, toLimits } from "./idl.js";
import { internalSlot } from "./slot.js";

export interface MemoryDescriptor {
  /** Pages of 64 KiB. */
  initial: number;
  maximum?: number;
  shared?: boolean;
}

const slot = internalSlot<RuntimeMemory>();

const objects = new WeakMap<RuntimeMemory, object>();

export class Memory {
  /** @throws RangeError for limits that make no sense, or without room. */
  constructor(descriptor: MemoryDescriptor) {
    const where = "WebAssembly.Memory()";
    const members = toDictionary(descriptor, where, "a memory descriptor");
    const limits = toLimits(members, where);
    const shared = Boolean(members["shared"]);
    const { address, initial, maximum } = limits;
    if (shared && maximum === undefined) refuse(where, "Property 'maximum' is required: the memory is shared");
    checkLimits(limits, MAX_PAGES, "pages", where);
    if (address === "i32" && maximum !== undefined && maximum > MAX_PAGES) throw new RangeError(`${where}: Property 'maximum': at most ${MAX_PAGES} pages, not ${maximum}`);
    if (shared) {
      if (address === "i64") refuse(where, "shared memories with 64-bit addresses are not supported yet");
      if (!host) throw new Error(`${where}: shared memories need the host's own WebAssembly`);
      return adopt(Object.setPrototypeOf(new host.Memory({ initial, maximum, shared }), new.target.prototype) as Memory);
    }
    show(this, new RuntimeMemory({ initial, maximum: maximum === undefined ? undefined : Math.min(maximum, MAX_PAGES), address }));
  }

  /** @param delta pages. @returns pages before. @throws RangeError when it cannot grow. */
  grow(delta: number | bigint): number | bigint {
    const where = "WebAssembly.Memory.grow()";
    const memory = receiver(this, where);
    const pages = toAddress(delta, memory.address, where, "Argument 0");
    const before = memory.grow(pages);
    if (before < 0) throw new RangeError(`${where}: a memory of ${memory.pages} pages cannot grow by ${pages}${memory.maximum === undefined ? "" : ` (maximum ${memory.maximum})`}`);
    return fromAddress(before, memory.address);
  }

  get buffer(): ArrayBuffer {
    return receiver(this, "WebAssembly.Memory.buffer").buffer;
  }
}

/** What an object stands for if it is a Memory, ours or the host's. */
export function runtimeMemory(value: unknown): RuntimeMemory | undefined {
  return slot.get(value) ?? (memoryTypeOf(value) ? slot.get(adopt(value as Memory)) : undefined);
}

/** The object that shows a memory: always the same one. */
export function memoryObject(memory: RuntimeMemory): object {
  return objects.get(memory) ?? show(Object.create(Memory.prototype) as Memory, memory);
}

function show<Shown extends object>(object: Shown, memory: RuntimeMemory): Shown {
  slot.set(object, memory);
  objects.set(memory, object);
  return object;
}

/** A memory of the host's becomes one of the runtime's that stands on the same pages. */
function adopt<Host extends object>(object: Host): Host {
  const { Memory: HostClass } = host!;
  const { maximum } = memoryTypeOf(object)!;
  const buffer = Object.getOwnPropertyDescriptor(HostClass.prototype, "buffer")!.get!;
  const grow = HostClass.prototype.grow as HostMemory["grow"];
  const pages: HostMemory = {
    get buffer() {
      return buffer.call(object) as ArrayBuffer;
    },
    grow: (delta) => grow.call(object, delta),
  };
  return show(object, new RuntimeMemory({ initial: pages.buffer.byteLength / PAGE_BYTES, maximum, guards: guardsMemories() }, pages));
}

function receiver(object: Memory, where: string): RuntimeMemory {
  return slot.get(object) ?? refuse(where, "Receiver is not a WebAssembly.Memory");
}
