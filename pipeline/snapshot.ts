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
}

function shapeOf(sample: object, table: Readonly<Record<string, readonly string[]>>): Shape {
  const columns = Object.entries(table).flatMap(([count, names]) =>
    names.map((name) => ({ name, count, kind: ((sample as Fields)[name] as Column).constructor as ColumnShape["kind"] })),
  );
  return { prototype: Object.getPrototypeOf(sample) as object, columns };
}

const emptyType = { params: [], results: [] };
export const funcShape = shapeOf(new Func(0 as FuncIndex, 0 as TypeIndex, emptyType, undefined, 0), funcColumns);
export const mfuncShape = shapeOf(new MFunc(0 as FuncIndex, emptyType), mfuncColumns);

/** A sealed copy of a function. */
export class Snapshot<T extends Func | MFunc> {
  private readonly shape: Shape;
  /** Columns one behind the other, each at a multiple of four bytes. */
  private readonly bytes: Uint8Array<ArrayBuffer>;
  /** Rows of each column. */
  private readonly rows: Int32Array;
  /** Everything that is no column. */
  private readonly fields: Fields = {};
  private opened: WeakRef<T> | undefined = undefined;

  /** Linear in the rows in use. */
  constructor(fn: T) {
    this.shape = fn instanceof Func ? funcShape : mfuncShape;
    const { columns } = this.shape;
    const source = fn as unknown as Fields;
    this.rows = new Int32Array(columns.length);
    let length = 0;
    for (let i = 0; i < columns.length; i++) {
      const column = source[columns[i]!.name] as Column;
      this.rows[i] = Math.min(source[columns[i]!.count] as number, column.length);
      length += aligned(this.rows[i]! * column.BYTES_PER_ELEMENT);
    }
    this.bytes = new Uint8Array(length);
    let at = 0;
    for (let i = 0; i < columns.length; i++) {
      const rows = this.rows[i]!;
      if (rows === 0) continue;
      const column = source[columns[i]!.name] as Column;
      new columns[i]!.kind(this.bytes.buffer, at, rows).set(column.length === rows ? column : column.subarray(0, rows));
      at += aligned(rows * column.BYTES_PER_ELEMENT);
    }
    for (const name of Object.keys(source)) {
      const value = source[name];
      if (ArrayBuffer.isView(value)) continue;
      this.fields[name] = Array.isArray(value) ? value.slice() : value instanceof Map ? new Map(value) : value;
    }
  }

  /** The function: mutators throw. The same object as long as somebody holds it. */
  open(): T {
    const known = this.opened?.deref();
    if (known) return known;
    const copy = Object.assign(Object.create(this.shape.prototype) as Fields, this.fields);
    let at = 0;
    this.shape.columns.forEach(({ name, kind }, i) => {
      copy[name] = new kind(this.bytes.buffer, at, this.rows[i]!);
      at += aligned(this.rows[i]! * kind.BYTES_PER_ELEMENT);
    });
    const fn = Object.freeze(copy) as T;
    this.opened = new WeakRef(fn);
    return fn;
  }

  /** A function of its own that may be edited: the columns are copied. */
  thaw(): T {
    const copy = Object.assign(Object.create(this.shape.prototype) as Fields, this.fields);
    for (const name of Object.keys(this.fields)) {
      const value = this.fields[name];
      copy[name] = Array.isArray(value) ? value.slice() : value instanceof Map ? new Map(value) : value;
    }
    let at = 0;
    this.shape.columns.forEach(({ name, kind }, i) => {
      const rows = this.rows[i]!;
      // Columns grow by doubling: they have room for one at least, but for the marks, which are made when first needed.
      const column = new kind(rows === 0 && name === "edgeMark" ? 0 : Math.max(8, rows));
      column.set(new kind(this.bytes.buffer, at, rows));
      copy[name] = column;
      at += aligned(rows * kind.BYTES_PER_ELEMENT);
    });
    return copy as T;
  }

  /** Whether both keep the same rows. Other fields are not compared. */
  sameRows(other: Snapshot<T>): boolean {
    return sameNumbers(this.rows, other.rows) && sameNumbers(this.bytes, other.bytes);
  }
}

function aligned(bytes: number): number {
  return (bytes + 3) & ~3;
}

function sameNumbers(a: Column, b: Column): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
