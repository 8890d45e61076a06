// A function kept as it was: its columns, cut to the rows in use, packed into one buffer.
//
// A live function holds some forty growing arrays, and an array costs more than the few numbers most functions put in it. A
// history of a module holds ten thousand snapshots, so here a function is one buffer and a list of its other fields. Opened, it
// is a function again whose columns are views into the buffer. It is sealed: columns cannot be frozen, but every mutator moves a
// stamp or a count, and that throws.
import type { FuncIndex, TypeIndex } from "../ir/entity.js";
import { Func } from "../ir/func.js";
import { MFunc } from "../ir/machine/mfunc.js";

/** Which count says how many rows of a column are in use. A column that is shorter than its count is kept whole. */
export const funcColumns = {
  valueCount: ["op", "type", "imm", "imm2", "argStart", "argCount", "block", "next", "prev", "offset"],
  blockCount: ["firstInst", "lastInst", "paramStart", "paramCount", "paramCapacity", "firstPred", "lastPred", "blockNext", "blockPrev"],
  edgeCount: ["edgeFrom", "edgeTo", "edgeArgStart", "edgeArgCount", "edgeArgCapacity", "edgeNextPred", "edgePrevPred", "edgeMark"],
  poolLength: ["pool"],
  edgeTableLength: ["edgeTable"],
} as const;

export const mfuncColumns = {
  vregCount: ["vregType", "vregValue", "rematOp", "rematImm", "rematImm2"],
  instCount: ["op", "imm", "imm2", "imm3", "clobbers", "offset", "opndStart", "opndCount"],
  opndLength: ["opndReg", "opndInfo"],
  blockCount: [
    "blockStart", "blockEnd", "blockSource", "blockLoopDepth", "blockCold", "blockLoopHeader", "paramStart", "paramCount", "succStart", "succCount",
    "predStart", "predCount",
  ],
  edgeCount: ["edgeFrom", "edgeTo", "edgeArgStart"],
  listLength: ["lists"],
} as const;

export type Column = Int32Array | Uint16Array | Uint8Array;
type Fields = Record<string, unknown>;

export interface ColumnShape {
  readonly name: string;
  /** The field that says how many rows are in use. */
  readonly count: string;
  readonly kind: Int32ArrayConstructor | Uint16ArrayConstructor | Uint8ArrayConstructor;
}

/** The columns of one kind of function, in the order they are packed. */
export interface Shape {
  readonly prototype: object;
  readonly columns: readonly ColumnShape[];
  /** Everything that is no column. */
  readonly fields: readonly string[];
}

function shapeOf(sample: object, table: Readonly<Record<string, readonly string[]>>): Shape {
  const columns = Object.entries(table).flatMap(([count, names]) =>
    names.map((name) => ({ name, count, kind: ((sample as Fields)[name] as Column).constructor as ColumnShape["kind"] })),
  );
  const fields = Object.keys(sample).filter((name) => !ArrayBuffer.isView((sample as Fields)[name]));
  return { prototype: Object.getPrototypeOf(sample) as object, columns, fields };
}

const emptyType = { params: [], results: [] };
export const funcShape = shapeOf(new Func(0 as FuncIndex, 0 as TypeIndex, emptyType, undefined, 0), funcColumns);
export const mfuncShape = shapeOf(new MFunc(0 as FuncIndex, emptyType), mfuncColumns);

/** Columns of more rows are copied by the engine, shorter ones in a loop: a call costs more than their rows. */
const FEW_ROWS = 128;

/** A sealed copy of a function. */
export class Snapshot<T extends Func | MFunc> {
  private readonly shape: Shape;
  /** How many rows each column has; then the columns one behind the other, each from a whole word on. */
  private readonly words: Int32Array<ArrayBuffer>;
  /** Values of `shape.fields`. */
  private readonly values: unknown[] = [];
  private opened: WeakRef<T> | undefined = undefined;

  /** Linear in the rows in use. */
  constructor(fn: T) {
    this.shape = fn instanceof Func ? funcShape : mfuncShape;
    const { columns, fields } = this.shape;
    const source = fn as unknown as Fields;
    let length = columns.length;
    for (let i = 0; i < columns.length; i++) {
      const column = source[columns[i]!.name] as Column;
      length += wordsOf(Math.min(source[columns[i]!.count] as number, column.length), column.BYTES_PER_ELEMENT);
    }
    this.words = new Int32Array(length);
    let at = columns.length;
    for (let i = 0; i < columns.length; i++) {
      const column = source[columns[i]!.name] as Column;
      const rows = Math.min(source[columns[i]!.count] as number, column.length);
      if (rows === 0) continue;
      this.words[i] = rows;
      if (column instanceof Int32Array) copyWords(column, rows, this.words, at);
      else new columns[i]!.kind(this.words.buffer, at * 4, rows).set(rows === column.length ? column : column.subarray(0, rows));
      at += wordsOf(rows, column.BYTES_PER_ELEMENT);
    }
    for (const name of fields) this.values.push(copyOf(source[name]));
  }

  /** The function: mutators throw. The same object as long as somebody holds it. */
  open(): T {
    const known = this.opened?.deref();
    if (known) return known;
    const fn = Object.freeze(this.restore((view) => view, (value) => value));
    this.opened = new WeakRef(fn);
    return fn;
  }

  /** A function of its own that may be edited: the columns are copied. */
  thaw(): T {
    // Columns grow by doubling: they have room for one at least, but for the marks, which are made when first needed.
    return this.restore((view, name) => {
      const column = new (view.constructor as ColumnShape["kind"])(view.length === 0 && name === "edgeMark" ? 0 : Math.max(8, view.length));
      column.set(view);
      return column;
    }, copyOf);
  }

  private restore(column: (view: Column, name: string) => Column, field: (value: unknown) => unknown): T {
    const { prototype, columns, fields } = this.shape;
    const fn = Object.create(prototype) as Fields;
    fields.forEach((name, i) => (fn[name] = field(this.values[i])));
    let at = columns.length;
    columns.forEach(({ name, kind }, i) => {
      const rows = this.words[i]!;
      fn[name] = column(new kind(this.words.buffer, at * 4, rows), name);
      at += wordsOf(rows, kind.BYTES_PER_ELEMENT);
    });
    return fn as T;
  }

  /** Whether both keep the same rows. Other fields are not compared. */
  sameRows(other: Snapshot<T>): boolean {
    const { words } = this;
    if (words.length !== other.words.length) return false;
    for (let i = 0; i < words.length; i++) if (words[i] !== other.words[i]) return false;
    return true;
  }
}

function wordsOf(rows: number, bytesPerRow: number): number {
  return (rows * bytesPerRow + 3) >> 2;
}

function copyWords(column: Int32Array, rows: number, to: Int32Array, at: number): void {
  if (rows > FEW_ROWS) to.set(column.length === rows ? column : column.subarray(0, rows), at);
  else for (let row = 0; row < rows; row++) to[at + row] = column[row]!;
}

function copyOf(value: unknown): unknown {
  return Array.isArray(value) ? value.slice() : value instanceof Map ? new Map(value) : value;
}
