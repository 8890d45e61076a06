// `WebAssembly.Memory`: a memory of the runtime as the JS API shows it. One object for each, whoever asks.
//
// A shared memory is an object of the host's own class with our prototype: only such a one keeps its pages when it is
// posted to a worker. A memory of the host's that a program imports is shown as it is.
import { MAX_PAGES, PAGE_BYTES } from "../../ir/layout.js";
import { Memory as RuntimeMemory } from "../memory.js";
import { host, hostMemory } from "./host.js";
import { guardsMemories, memoryTypeOf } from "./host-types.js";
import { checkLimits, fromAddress, refuse, toAddress, toDictionary, toLimits } from "./idl.js";
import { mirrorMemory } from "./mirror.js";
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
      const object = new host.Memory({ initial, maximum, shared });
      adopt(object);
      return Object.setPrototypeOf(object, new.target.prototype) as Memory;
    }
    show(new RuntimeMemory({ initial, maximum: maximum === undefined ? undefined : Math.min(maximum, MAX_PAGES), address }), this);
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
  return slot.get(value) ?? adopt(value);
}

/** The object that shows a memory: always the same one. */
export function memoryObject(memory: RuntimeMemory): object {
  return objects.get(memory) ?? show(memory, Object.create(Memory.prototype) as Memory);
}

function show<Shown extends object>(memory: RuntimeMemory, object: Shown): Shown {
  slot.set(object, memory);
  objects.set(memory, object);
  return object;
}

/** A memory of the host's becomes one of the runtime's that stands on the same pages. */
function adopt(value: unknown): RuntimeMemory | undefined {
  const type = memoryTypeOf(value);
  if (!type) return undefined;
  const pages = hostMemory(value as object);
  const memory = new RuntimeMemory({ initial: pages.buffer.byteLength / PAGE_BYTES, maximum: type.maximum, guards: guardsMemories() }, pages);
  show(memory, value as object);
  mirrorMemory(memory);
  return memory;
}

function receiver(object: Memory, where: string): RuntimeMemory {
  return slot.get(object) ?? refuse(where, "Receiver is not a WebAssembly.Memory");
}
