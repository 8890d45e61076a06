// What compiled code and runtime must agree on: traps, the vm-context, the exec-context, native records.
//
// One vm-context per instance, its address pinned in a register while the instance's code runs; one exec-context per
// thread, which every vm-context points to: stacks, trap report, argument slots. All offsets are bytes; all fields are
// little-endian; addresses are 64-bit. Code never holds an address or a canonical type id as a number: it reads them here.
import type { FuncIndex, GlobalIndex, MemoryIndex, TableIndex, TypeIndex } from "./entity.js";
import type { Module } from "./module.js";

export const PAGE_BYTES = 65536;
/** Pages of a 32-bit memory at most. */
export const MAX_PAGES = 65536;
/**
 * A memory with guard pages never grows beyond this, and is imported only by modules whose own declaration starts beyond it. So the
 * last page of the 4 GiB space is never accessible, and code may address up to `MAX_FOLD` bytes below an i32 index: what
 * goes below the base meets the guard in front of it.
 */
export const MAX_GROWN_PAGES = 65535;
export const MAX_FOLD = 65536;

export const enum TrapKind {
  none = 0,
  unreachable = 1,
  out_of_bounds_memory = 2,
  out_of_bounds_table = 3,
  undefined_element = 4,
  uninitialized_element = 5,
  indirect_call_type_mismatch = 6,
  integer_divide_by_zero = 7,
  integer_overflow = 8,
  invalid_conversion = 9,
  stack_exhausted = 10,
}

/** Name in dumps and `.ssa`/`.mir` text; message as the reference test suite has it. Indexed by `TrapKind`. */
export const trapInfo = [
  { name: "none", message: "" },
  { name: "unreachable", message: "unreachable" },
  { name: "out_of_bounds_memory", message: "out of bounds memory access" },
  { name: "out_of_bounds_table", message: "out of bounds table access" },
  { name: "undefined_element", message: "undefined element" },
  { name: "uninitialized_element", message: "uninitialized element" },
  { name: "indirect_call_type_mismatch", message: "indirect call type mismatch" },
  { name: "integer_divide_by_zero", message: "integer divide by zero" },
  { name: "integer_overflow", message: "integer overflow" },
  { name: "invalid_conversion", message: "invalid conversion to integer" },
  { name: "stack_exhausted", message: "call stack exhausted" },
] as const;

/** Header of a vm-context. Contexts of host functions and native imports have the header alone. */
export const enum VmCtx {
  /** Address of the exec-context. */
  exec = 0,
  /** A prologue traps when the stack pointer would pass below this. Leaves `STACK_RESERVE` bytes for leaf functions and signal frames. */
  stackLimit = 8,
  /** Base address of memory 0; never moves while the memory lives. */
  memory0Base = 16,
  /** Address of the trap exit: out-of-line trap code *calls* it, so that the return address names the site. */
  trapExit = 24,
  /** Address of the builtin stub: see `Builtin`. */
  builtin = 32,
  /** C functions, called by the C convention: memmove(dst, src, n), memset(dst, byte, n). */
  memmove = 40,
  memset = 48,
  /** u32: an operand of the trapping instruction, stored by its out-of-line code: the element index of a call_indirect. */
  trapValue = 56,
  /** u32: in the context of a host function, the runtime's id of it. */
  hostFunc = 60,
  /** u32: the runtime's id of the instance. */
  instance = 64,
  /** Address of the stub that makes the code of a function at its first call: see `RuntimeStubs.lazyEntry`. */
  lazyEntry = 72,
  /** In the context of a native import: the C function's address, and of the MemoryHeader of its importer's memory 0. */
  cFunction = 80,
  memory0 = 88,
  /** Address of the stub that has a function compiled again, better: see `RuntimeStubs.tierUp`. */
  tierUp = 96,
  /** Address of the stub that makes better code of the loop that is running: see `RuntimeStubs.tierUpLoop`. */
  tierUpLoop = 104,
  headerBytes = 112,
}

/** Leaf functions with a frame of at most this many bytes need no stack check. */
export const LEAF_FRAME_BYTES = 1024;
/** Bytes below `stackLimit` that are still mapped. */
export const STACK_RESERVE = 32768;

/** Why native code came back to JS. */
export const enum Outcome {
  finished = 0,
  trapped = 1,
  /** A host function is to be called (`Exec.callId` is its id), then the code resumed. */
  hostCall = 2,
  /** A `Builtin` is to be run (`Exec.callId`), then the code resumed. */
  builtin = 3,
}

/** The exec-context: one a thread. */
export const enum Exec {
  /** u32 TrapKind as far as native code knows: `none` means "look the site up by `trapPc`" after a trap. */
  trapKind = 0,
  /** u32 Outcome of the last entry or resumption. */
  outcome = 4,
  /** The trapping pc: the faulting instruction, or the return address of the call to the trap exit. */
  trapPc = 8,
  /** Stack pointer at the site: what it is while the function's body runs. */
  trapSp = 16,
  /** vm-context of the trapping function. */
  trapCtx = 24,
  /** The address a guard page caught. */
  faultAddress = 32,
  /** Host stack pointer of the C function that runs compiled code now: what leaves compiled code returns there. */
  hostSp = 40,
  /**
   * Where on the Wasm stack the next entry starts: its top, or the frame of the innermost host call. 16-aligned. A host call sets it to
   * its frame, a finished entry to where it started; after a trap or an exception JS sets it back.
   */
  wasmSp = 48,
  /** vm-context of the calling instance at a builtin call; of the host function at a host call. */
  callCtx = 64,
  /** u32: what a host call or a builtin call asks for. */
  callId = 72,
  /** What the next entry calls: code address, vm-context. */
  entryCode = 80,
  entryCtx = 88,
  /** Arguments and results, raw bits, `SLOT_BYTES` each (an i32 in the low 4 bytes, the rest undefined). */
  slots = 128,
}

export const SLOT_BYTES = 16;
/** As many as a function can have parameters or results. */
export const SLOT_COUNT = 1024;
export const EXEC_BYTES = Exec.slots + SLOT_BYTES * SLOT_COUNT;

/**
 * Operations the runtime does in JS. Compiled code passes the builtin's number, then at most five integer or reference
 * arguments in the integer argument registers (constants such as segment indices included), and calls `VmCtx.builtin`;
 * arguments arrive in slots 0.., a result leaves in slot 0 and comes back in the first integer result register.
 */
export const enum Builtin {
  memory_grow = 0, // (memory, delta) -> pages before, or -1
  memory_init = 1, // (data, memory, d, s, n)
  data_drop = 2, // (data)
  table_grow = 3, // (table, value, delta) -> size before, or -1
  table_fill = 4, // (table, d, value, n)
  table_copy = 5, // (dst table, src table, d, s, n)
  table_init = 6, // (elem, table, d, s, n)
  elem_drop = 7, // (elem)
  /** Of the lazy entry alone: (function) -> address of its code, 64 bits. */
  compile = 8,
  /** Of the tier-up stub alone: (function) -> nothing; later calls find better code. */
  optimize = 9,
  /** Of the stub for loops alone: (Wasm byte offset of the loop) -> address of code to go on with, 64 bits, or 0. */
  optimize_loop = 10,
  count = 11,
}

/** A function reference is the address of such a record; null is 0 (reading a record through null faults in page zero). */
export const enum FuncRef {
  code = 0,
  /** vm-context of the *defining* instance (or of the host function). */
  ctx = 8,
  /** u32 CanonicalTypeId of the *definition*; never 0. */
  typeId = 16,
  /** u32: the runtime's id of the function instance. */
  id = 20,
  bytes = 32,
}

/** Header of a table, at a fixed address; `base` points to 8-byte references (externref: the store's handles, 0 is null). */
export const enum TableHeader {
  base = 0,
  /** u32 */
  length = 8,
  bytes = 16,
}

/** Header of a memory, at a fixed address. `base` never changes. */
export const enum MemoryHeader {
  base = 0,
  /** u64 bytes */
  length = 8,
  bytes = 16,
}

/** An imported function as the importer's context holds it. */
export const enum ImportedFunc {
  code = 0,
  ctx = 8,
  /** Address of the FuncRef record, what `ref.func` of an import gives. */
  ref = 16,
  bytes = 24,
}

/**
 * Offsets of the variable part of one module's vm-context. Depends on declarations alone, so compiler and runtime
 * compute it apart and agree. Linear in the declarations.
 */
export class VmLayout {
  /** u32 each, indexed by TypeIndex: canonical ids, filled at instantiation from the store. */
  readonly typeIds: number;
  readonly imports: number;
  /** 16 bytes each: the value of an own global, the address of an imported global's cell. */
  readonly globals: number;
  /** Addresses of TableHeaders, 8 bytes each. */
  readonly tables: number;
  /** Addresses of MemoryHeaders, 8 bytes each. */
  readonly memories: number;
  /** Addresses of FuncRef records, 8 bytes each, of `refFuncs` in that order. */
  readonly refs: number;
  readonly refFuncs: readonly FuncIndex[];
  /** Code addresses of the defined functions, 8 bytes each, when functions are compiled lazily: calls go through them. -1 without. */
  readonly funcs: number;
  /**
   * Counters of the defined functions, i32 each, when functions start at level 0: a function takes one off at its entry and at every
   * turn of a loop, and calls the tier-up stub when it is below 0. -1 without.
   */
  readonly counters: number;
  readonly bytes: number;
  private readonly firstFunc: number;
  private readonly refSlot: ReadonlyMap<FuncIndex, number>;
  private readonly importSlot: ReadonlyMap<FuncIndex, number>;

  /** @param lazy functions have slots; @param counted and counters. */
  constructor(module: Module, lazy = false, counted = false) {
    let at: number = VmCtx.headerBytes;
    const section = (count: number, bytes: number) => {
      const start = at;
      at = (at + count * bytes + 15) & ~15;
      return start;
    };
    this.refFuncs = module.referencedFuncs();
    this.refSlot = new Map(this.refFuncs.map((index, slot) => [index, slot]));
    this.globals = section(module.globals.length, 16);
    this.tables = section(module.tables.length, 8);
    this.memories = section(module.memories.length, 8);
    const imported = module.importedFuncs();
    this.importSlot = new Map(imported.map((index, slot) => [index, slot]));
    this.imports = section(imported.length, ImportedFunc.bytes);
    this.typeIds = section(module.types.length, 4);
    this.refs = section(this.refFuncs.length, 8);
    this.firstFunc = module.importedFuncCount;
    this.funcs = lazy ? section(module.funcs.length - this.firstFunc, 8) : -1;
    this.counters = counted ? section(module.funcs.length - this.firstFunc, 4) : -1;
    this.bytes = at;
  }

  typeId(index: TypeIndex): number {
    return this.typeIds + index * 4;
  }
  /** Where the record of an imported function stands. Throws for one that is not imported. */
  importedFunc(index: FuncIndex): number {
    const slot = this.importSlot.get(index);
    if (slot === undefined) throw new Error(`@${index} is not imported`);
    return this.imports + slot * ImportedFunc.bytes;
  }
  /** Whether functions are compiled lazily. */
  get lazy(): boolean {
    return this.funcs >= 0;
  }
  /** Where the code address of a defined function stands, of a layout that is lazy. */
  func(index: FuncIndex): number {
    return this.funcs + (index - this.firstFunc) * 8;
  }
  /** Where the counter of a defined function stands, -1 where functions are not counted. */
  counter(index: FuncIndex): number {
    return this.counters < 0 ? -1 : this.counters + (index - this.firstFunc) * 4;
  }
  global(index: GlobalIndex): number {
    return this.globals + index * 16;
  }
  table(index: TableIndex): number {
    return this.tables + index * 8;
  }
  memory(index: MemoryIndex): number {
    return this.memories + index * 8;
  }
  /** Where the reference to a function that `ref.func` may name stands. Throws for a function the module does not refer to. */
  ref(index: FuncIndex): number {
    const slot = this.refSlot.get(index);
    if (slot === undefined) throw new Error(`@${index} is not among the module's referenced functions`);
    return this.refs + slot * 8;
  }
}
