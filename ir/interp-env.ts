// What the reference interpreter asks of the world around a function: memories, tables, globals, other functions.
//
// The runtime implements `InterpEnv`, one per instance, and hands functions out as `InterpCallee`; the interpreter (interp.ts)
// runs Wasm-to-Wasm calls, also those between instances, on its own frame stack, so that depth never depends on the JS stack.
// All values live in one register file as raw 64-bit slots; references are 64-bit handle bits, 0 is null.
import type { DataIndex, ElemIndex, FuncIndex, GlobalIndex, MemoryIndex, TableIndex, TypeIndex } from "./entity.js";
import type { Func } from "./func.js";
import { trapInfo, type TrapKind } from "./layout.js";

/** Bytes of the largest register file: what lies beyond is "call stack exhausted". */
const MAX_REG_BYTES = 256 * 1024 * 1024;

/**
 * Slots of 8 bytes behind several views. Slot `s`: `i32[2 * s]` low half, `i32[2 * s + 1]` high half, `i64[s]`, `f64[s]`; an f32 is
 * `f32[2 * s]`. The high half of an i32 or f32 is undefined. To move a value, move ints: a float view may change a NaN's payload.
 * The views are replaced when the file grows: re-read them after every call.
 */
export class RegFile {
  i32!: Int32Array;
  i64!: BigInt64Array;
  f32!: Float32Array;
  f64!: Float64Array;
  /** Slots there are now. */
  slots = 0;

  constructor(slots = 4096) {
    this.resize(slots);
  }

  /** Makes room for `slots` slots, contents kept. False when that is more than the file may hold. */
  ensure(slots: number): boolean {
    if (slots <= this.slots) return true;
    if (slots * 8 > MAX_REG_BYTES) return false;
    this.resize(Math.max(slots, Math.min(this.slots * 2, MAX_REG_BYTES / 8)));
    return true;
  }

  private resize(slots: number): void {
    const buffer = new ArrayBuffer(slots * 8);
    const old = this.i32;
    this.i32 = new Int32Array(buffer);
    if (old) this.i32.set(old);
    this.i64 = new BigInt64Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.slots = slots;
  }
}

/** A memory as it is now: both views cover exactly its current bytes. A memory that has grown is a new pair of views. */
export interface InterpMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** One function decoded for the interpreter (interp-decode.ts); immutable, shared by all instances. */
export interface InterpCode {
  readonly fn: Func;
  /** Instructions of `STRIDE` words each: see `I` in interp-run.ts. */
  readonly code: Int32Array;
  /** The value an instruction came from, by instruction. */
  readonly origin: Int32Array;
  /** Targets of `br_table`s, as positions in `code`; the default last. */
  readonly tables: readonly Int32Array[];
  /** Slots of a frame. The next frame begins behind them. */
  readonly frameSlots: number;
  /** Slots behind the frame that its calls use for arguments and results. */
  readonly outSlots: number;
}

/**
 * A function instance. Arguments stand in slots `at`, `at + 1` .. (one slot each), results are left in the same place.
 *
 * `wasm`: its code and the instance it was defined in (`code` may be a getter that translates on first use).
 * `host`: a JS function; it may throw anything (the same object comes out of `run`), and may call `run` again.
 */
export type InterpCallee =
  | { readonly kind: "wasm"; readonly code: InterpCode; readonly env: InterpEnv }
  | { readonly kind: "host"; call(file: RegFile, at: number): void };

/** One instance. Every `number` that is a Wasm i32 may come signed or unsigned: apply `>>> 0`. All traps are thrown as `InterpTrap`. */
export interface InterpEnv {
  /** The current views; asked again after every call and `memoryGrow`. `memory.size`, fill and copy work on them, too. */
  memory(index: MemoryIndex): InterpMemory;
  /** Grows by `delta` pages: pages before, or -1. */
  memoryGrow(index: MemoryIndex, delta: number): number;
  /** Traps (before writing) when a range leaves the segment (a dropped one has length 0) or the memory. */
  memoryInit(data: DataIndex, memory: MemoryIndex, dst: number, src: number, length: number): void;
  dataDrop(data: DataIndex): void;

  /** Between a global and slot `at`, as raw bits. */
  globalGet(index: GlobalIndex, file: RegFile, at: number): void;
  globalSet(index: GlobalIndex, file: RegFile, at: number): void;

  /** Between a table element and slot `at`: reference bits. Traps out_of_bounds_table. */
  tableGet(index: TableIndex, element: number, file: RegFile, at: number): void;
  tableSet(index: TableIndex, element: number, file: RegFile, at: number): void;
  tableSize(index: TableIndex): number;
  /** Grows by `delta` elements, each the reference in slot `at`: size before, or -1. */
  tableGrow(index: TableIndex, delta: number, file: RegFile, at: number): number;
  /** The reference in slot `at`, `length` times from element `dst`. */
  tableFill(index: TableIndex, dst: number, length: number, file: RegFile, at: number): void;
  tableCopy(dstTable: TableIndex, srcTable: TableIndex, dst: number, src: number, length: number): void;
  tableInit(elem: ElemIndex, table: TableIndex, dst: number, src: number, length: number): void;
  elemDrop(elem: ElemIndex): void;
  /** The reference to a function of this instance's index space, into slot `at`. */
  refFunc(index: FuncIndex, file: RegFile, at: number): void;

  /** The function behind an index of this instance's function space. */
  callee(index: FuncIndex): InterpCallee;
  /**
   * The function at `element` of a table, checked against this instance's type `type`. Traps, in this order: undefined_element,
   * uninitialized_element, indirect_call_type_mismatch.
   */
  indirectCallee(type: TypeIndex, table: TableIndex, element: number): InterpCallee;
}

/** A place in an interpreted call stack. */
export interface InterpFrame {
  readonly func: FuncIndex;
  readonly name: string | undefined;
  readonly env: InterpEnv;
  /** Byte offset in that function's Wasm module, 0 if unknown. */
  readonly offset: number;
  /** Whether something else than the interpreter has called it. */
  readonly entered: boolean;
}

/** A trap. `frames`, innermost first, is filled in by the interpreter, whoever threw. */
export class InterpTrap extends Error {
  override readonly name = "InterpTrap";
  frames: readonly InterpFrame[] = [];

  /** @param detail says more than the trap's own message. */
  constructor(
    readonly kind: TrapKind,
    readonly detail?: string,
  ) {
    super(detail === undefined ? trapInfo[kind].message : `${trapInfo[kind].message}: ${detail}`);
  }

  /** Byte offset of the trapping instruction, 0 if unknown. */
  get offset(): number {
    return this.frames[0]?.offset ?? 0;
  }
}
