// The tables of code that grows function by function: position, length, frame, traps, source map.
//
// FuncCodes at positions => CodeTables, columns one behind the other with positions made relative to the whole. Positions must
// ascend. Also says where the next function is to start.
import type { CodeTables, FuncCode } from "./code.js";

type Column = Int32Array<ArrayBuffer>;

/** The alignment of a function with nothing inside that needs more. */
const ENTRY_ALIGN = 4;

function withRoom(column: Column, needed: number): Column {
  if (needed <= column.length) return column;
  const bigger = new Int32Array(Math.max(needed, column.length * 2));
  bigger.set(column);
  return bigger;
}

/** Rows of numbers, the first of each a position. */
export class PositionRows {
  private column: Column;
  private length = 0;

  constructor(
    private readonly width: number,
    expected: number,
  ) {
    this.column = new Int32Array(width * expected);
  }

  /** Adds rows, their positions moved by `shift`. */
  append(rows: Int32Array, shift: number): void {
    const start = this.length;
    this.length += rows.length;
    this.column = withRoom(this.column, this.length);
    this.column.set(rows, start);
    for (let i = start; i < this.length; i += this.width) this.column[i]! += shift;
  }

  /** A view that the next `append` may leave behind. */
  get rows(): Int32Array {
    return this.column.subarray(0, this.length);
  }
}

export class CodeTablesBuilder {
  private count = 0;
  private funcs: Column = new Int32Array(64);
  private start: Column = new Int32Array(64);
  private lengths: Column = new Int32Array(64);
  private frameBytes: Column = new Int32Array(64);
  private readonly traps = new PositionRows(3, 64);
  private readonly source = new PositionRows(2, 512);
  private end = 0;
  private lastEntry = 0;

  /** Bytes up to the end of the last function. */
  get byteLength(): number {
    return this.end;
  }

  /**
   * Where the next function starts. At least a byte behind the last one: a function may end in a call, and its return address must not
   * be the next one's start. Starts alternate between 0 and 4 modulo 8: some CPUs (measured: Zen 4) tell the callees of an indirect
   * call apart by the low three bits of the branches in them, and small functions alike in shape, all starting at multiples of 8,
   * were mispredicted every time (10.4 ns a call against 2.0).
   */
  nextStart(align: number): number {
    if (align > ENTRY_ALIGN) return (this.end + align) & -align;
    const start = (this.end + ENTRY_ALIGN) & -ENTRY_ALIGN;
    return ((start ^ this.lastEntry) & 4) === 0 ? start + 4 : start;
  }

  /** Adds a function that starts at `start`, which `nextStart` gave. */
  add(code: FuncCode, start: number): void {
    const i = this.count++;
    this.funcs = withRoom(this.funcs, this.count);
    this.start = withRoom(this.start, this.count);
    this.lengths = withRoom(this.lengths, this.count);
    this.frameBytes = withRoom(this.frameBytes, this.count);
    this.funcs[i] = code.func;
    this.start[i] = start;
    this.lengths[i] = code.bytes.length;
    this.frameBytes[i] = code.frameBytes;
    this.traps.append(code.traps, start);
    this.source.append(code.source, start);
    this.lastEntry = start;
    this.end = start + code.bytes.length;
  }

  /** The tables as they are; views that the next `add` may leave behind. */
  get tables(): CodeTables {
    return {
      firstFunc: 0,
      funcs: this.funcs.subarray(0, this.count),
      start: this.start.subarray(0, this.count),
      length: this.lengths.subarray(0, this.count),
      frameBytes: this.frameBytes.subarray(0, this.count),
      traps: this.traps.rows,
      source: this.source.rows,
    };
  }
}
