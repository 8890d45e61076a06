// `WebAssembly.Memory`: a memory of the runtime as the JS API shows it. One object for each, whoever asks.
import { MAX_PAGES } from "../../ir/layout.js";
import { Memory as RuntimeMemory } from "../memory.js";
import { refuse, toDictionary, toEnum, toU32 } from "./idl.js";
import { internalSlot } from "./slot.js";

export interface MemoryDescriptor {
  /** Pages of 64 KiB. */
  initial: number;
  maximum?: number;
  shared?: boolean;
}

/** What a Memory stands for. */
export const runtimeMemory = internalSlot<RuntimeMemory>();

const objects = new WeakMap<RuntimeMemory, Memory>();

export class Memory {
  /** @throws RangeError for limits that make no sense, or without room. */
  constructor(descriptor: MemoryDescriptor) {
    adopt(this, fromDescriptor(descriptor));
  }

  /** @param delta pages. @returns pages before. @throws RangeError when it cannot grow. */
  grow(delta: number): number {
    const where = "WebAssembly.Memory.grow()";
    const memory = receiver(this, where);
    const pages = toU32(delta, where, "Argument 0");
    const before = memory.grow(pages);
    if (before < 0) throw new RangeError(`${where}: a memory of ${memory.pages} pages cannot grow by ${pages}${memory.maximum === undefined ? "" : ` (maximum ${memory.maximum})`}`);
    return before;
  }

  get buffer(): ArrayBuffer {
    return receiver(this, "WebAssembly.Memory.buffer").buffer;
  }
}

/** The object that shows a memory: always the same one. */
export function memoryObject(memory: RuntimeMemory): Memory {
  return objects.get(memory) ?? adopt(Object.create(Memory.prototype) as Memory, memory);
}

function adopt(object: Memory, memory: RuntimeMemory): Memory {
  runtimeMemory.set(object, memory);
  objects.set(memory, object);
  return object;
}

function receiver(object: Memory, where: string): RuntimeMemory {
  return runtimeMemory.get(object) ?? refuse(where, "Receiver is not a WebAssembly.Memory");
}

/** In the order of the specification: members by their names. */
function fromDescriptor(descriptor: unknown): RuntimeMemory {
  const where = "WebAssembly.Memory()";
  const members = toDictionary(descriptor, where, "a memory descriptor");
  const { address } = members;
  if (address !== undefined && toEnum(address, ["i32", "i64"], where, "Property 'address'") === "i64") refuse(where, "64-bit memories are not supported yet");
  const initialValue = members["initial"];
  if (initialValue === undefined) refuse(where, "Property 'initial' is required");
  const initial = toU32(initialValue, where, "Property 'initial'");
  const maximumValue = members["maximum"];
  const maximum = maximumValue === undefined ? undefined : toU32(maximumValue, where, "Property 'maximum'");
  if (members["shared"]) refuse(where, "shared memories are not supported yet");
  if (maximum !== undefined && maximum < initial) throw new RangeError(`${where}: Property 'maximum': ${maximum} is below 'initial', which is ${initial}`);
  if (initial > MAX_PAGES) throw new RangeError(`${where}: Property 'initial': a memory has at most ${MAX_PAGES} pages, not ${initial}`);
  return new RuntimeMemory({ initial, maximum: maximum === undefined ? undefined : Math.min(maximum, MAX_PAGES) });
}
