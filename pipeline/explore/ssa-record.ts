// SSA functions in few bytes: each as its difference from the one before it, the first from guesses.
//
// What follows from the rest is not written: back links of lists, owners, places in the pool. The reader makes it anew, so a
// function read back prints, verifies and analyses as the one written, with the same ids; its pool is packed.
import { NONE, type Block, type FuncIndex, type TypeIndex, type Value } from "../../ir/entity.js";
import { Func } from "../../ir/func.js";
import type { Module } from "../../ir/module.js";
import { ByteReader, ByteWriter } from "./bytes.js";

type Guess = (column: Int32Array | Uint8Array, row: number) => number;
const zero: Guess = () => 0;
const self: Guess = (_, row) => row;
const next: Guess = (_, row) => row + 1;
const above: Guess = (column, row) => (row === 0 ? 0 : column[row - 1]!);

const enum Rows {
  values,
  blocks,
  edges,
  tables,
}

/** The columns that are written, and what each number is likely to be where there is none to compare with. */
const columns = [
  { name: "op", rows: Rows.values, guess: zero },
  { name: "type", rows: Rows.values, guess: zero },
  { name: "imm", rows: Rows.values, guess: zero },
  { name: "imm2", rows: Rows.values, guess: zero },
  { name: "argCount", rows: Rows.values, guess: zero },
  { name: "next", rows: Rows.values, guess: next },
  { name: "offset", rows: Rows.values, guess: above },
  { name: "firstInst", rows: Rows.blocks, guess: above },
  { name: "paramCount", rows: Rows.blocks, guess: zero },
  { name: "firstPred", rows: Rows.blocks, guess: above },
  { name: "blockNext", rows: Rows.blocks, guess: next },
  { name: "edgeFrom", rows: Rows.edges, guess: above },
  { name: "edgeTo", rows: Rows.edges, guess: above },
  { name: "edgeArgCount", rows: Rows.edges, guess: zero },
  { name: "edgeNextPred", rows: Rows.edges, guess: self },
  { name: "edgeTable", rows: Rows.tables, guess: above },
] as const satisfies readonly { name: keyof Func; rows: Rows; guess: Guess }[];

const rowsOf = (fn: Func): number[] => [fn.valueCount, fn.blockCount, fn.edgeCount, fn.edgeTableLength];

/** Lists of ids: operands of values, parameters of blocks, arguments of edges. New operands are likely to be near. */
const lists = [
  { count: "argCount", start: "argStart", rows: Rows.values },
  { count: "paramCount", start: "paramStart", rows: Rows.blocks },
  { count: "edgeArgCount", start: "edgeArgStart", rows: Rows.edges },
] as const;

/** @param before the function as it was written last, if it was. */
export function writeFunc(out: ByteWriter, fn: Func, before: Func | undefined): void {
  const rows = rowsOf(fn);
  const old = before ? rowsOf(before) : [0, 0, 0, 0];
  for (const n of rows) out.count(n);
  out.count(fn.sigIndex);
  for (const b of [fn.entry, fn.firstBlock, fn.lastBlock]) out.signed(b);
  for (const { name, rows: kind, guess } of columns) {
    const column = fn[name];
    const previous = before?.[name];
    out.differences(rows[kind]!, (row) => column[row]!, (row) => (row < old[kind]! ? previous![row]! : guess(column, row)));
  }
  for (const { count, start, rows: kind } of lists) {
    for (let row = 0; row < rows[kind]!; row++) {
      const n = fn[count][row]!;
      if (n === 0) continue;
      const at = fn[start][row]!;
      const known = before !== undefined && row < old[kind]! ? before[count][row]! : 0;
      for (let i = 0; i < n; i++) out.signed(fn.pool[at + i]! - (i < known ? before!.pool[before![start][row]! + i]! : row));
    }
  }
}

/** @param module the declarations its type is looked up in. */
export function readFunc(input: ByteReader, index: FuncIndex, module: Module, before: Func | undefined): Func {
  const rows = [input.count(), input.count(), input.count(), input.count()];
  const old = before ? rowsOf(before) : [0, 0, 0, 0];
  const sigIndex = input.count() as TypeIndex;
  const fn = new Func(index, sigIndex, module.types[sigIndex]!, module.funcs[index]?.name, Math.max(rows[0]!, 1));
  [fn.valueCount, fn.blockCount, fn.edgeCount, fn.edgeTableLength] = rows as [number, number, number, number];
  fn.entry = input.signed() as Block;
  fn.firstBlock = input.signed();
  fn.lastBlock = input.signed();
  for (const name of ["lastInst", "paramStart", "paramCapacity", "lastPred", "blockPrev"] as const) fn[name] = new Int32Array(rows[Rows.blocks]!).fill(NONE);
  for (const name of ["edgeArgStart", "edgeArgCapacity", "edgePrevPred"] as const) fn[name] = new Int32Array(rows[Rows.edges]!).fill(NONE);
  for (const { name, rows: kind, guess } of columns) {
    const kindOf = fn[name].constructor as Int32ArrayConstructor | Uint8ArrayConstructor;
    const column = new kindOf(rows[kind]!);
    const previous = before?.[name];
    input.differences(rows[kind]!, (row, x) => (column[row] = x), (row) => (row < old[kind]! ? previous![row]! : guess(column, row)));
    (fn as unknown as Record<string, unknown>)[name] = column;
  }
  const pool: number[] = [];
  for (const { count, start, rows: kind } of lists) {
    for (let row = 0; row < rows[kind]!; row++) {
      const n = fn[count][row]!;
      fn[start][row] = n === 0 ? 0 : pool.length;
      const known = before !== undefined && row < old[kind]! ? before[count][row]! : 0;
      for (let i = 0; i < n; i++) pool.push(input.signed() + (i < known ? before!.pool[before![start][row]! + i]! : row));
    }
  }
  fn.pool = Int32Array.from(pool);
  fn.poolLength = pool.length;
  fn.paramCapacity.set(fn.paramCount);
  fn.edgeArgCapacity.set(fn.edgeArgCount);
  relink(fn);
  return fn;
}

/** Owners and back links, from the forward ones. */
function relink(fn: Func): void {
  fn.block.fill(NONE);
  fn.prev.fill(NONE);
  let last = NONE;
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
    fn.blockPrev[b] = last;
    last = b;
    for (let i = 0; i < fn.paramCount[b]!; i++) fn.block[fn.param(b as Block, i)] = b;
    let before = NONE;
    for (let v = fn.firstInst[b]!; v !== NONE; v = fn.next[v]!) {
      fn.block[v] = b;
      fn.prev[v] = before;
      before = v;
    }
    fn.lastInst[b] = before as Value;
    let edge = NONE;
    for (let e = fn.firstPred[b]!; e !== NONE; e = fn.edgeNextPred[e]!) {
      fn.edgePrevPred[e] = edge;
      edge = e;
    }
    fn.lastPred[b] = edge;
  }
}
