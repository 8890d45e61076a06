// Edits of control flow that passes want often: split a block, end one, call a function.
//
// Plain functions over the mutators of `Func`; each leaves the function as the verifier wants it, given that it was.
import { NONE, type Block, type FuncIndex, type Value } from "./entity.js";
import type { Func } from "./func.js";
import type { Module } from "./module.js";
import { Op } from "./ops.js";
import { Type } from "./types.js";

/**
 * Moves `at` and what stands behind it into a new block directly behind the old one in the order, and returns it. The old block
 * has no terminator then: end it. `at` must not be a `result`, which stays with its call.
 */
export function splitBefore(fn: Func, at: Value): Block {
  const b = fn.block[at]! as Block;
  const tail = fn.newBlock();
  fn.unplaceBlock(tail);
  fn.placeBlock(tail, fn.blockNext[b]! as Block);
  fn.moveTail(at, tail);
  return tail;
}

/** Ends `from` with a jump; `args`, one for each parameter of `to`. */
export function endWithBr(fn: Func, from: Block, to: Block, args: readonly Value[] = []): Value {
  return fn.append0(from, Op.br, Type.none, newEdge(fn, from, to, args));
}

/** Ends `from` with a branch: to `then` where `condition`, an i32, is not 0, else to `otherwise`. */
export function endWithBrIf(
  fn: Func, from: Block, condition: Value, then: Block, otherwise: Block, thenArgs: readonly Value[] = [], otherwiseArgs: readonly Value[] = [],
): Value {
  const taken = newEdge(fn, from, then, thenArgs);
  return fn.append1(from, Op.br_if, Type.none, condition, taken, newEdge(fn, from, otherwise, otherwiseArgs));
}

/** Ends `from` with a return of those results. */
export function endWithReturn(fn: Func, from: Block, results: readonly Value[] = []): Value {
  const v = fn.append(from, Op.return_, Type.none, results.length);
  results.forEach((x, i) => fn.setArg(v, i, x));
  return v;
}

/** Calls a function of the module before `at`. Returns its results, one value each. */
export function insertCall(fn: Func, at: Value, module: Module, callee: FuncIndex, args: readonly Value[]): Value[] {
  const { results } = module.funcType(callee);
  const call = fn.insertBefore(at, Op.call, results[0] ?? Type.none, args, callee);
  if (results.length === 0) return [];
  return [call, ...results.slice(1).map((type, i) => fn.insertBefore(at, Op.result, type, [call], i + 1))];
}

/** The first instruction of a block. Every block has one: its terminator at least. */
export function firstOf(fn: Func, b: Block): Value {
  const v = fn.firstInst[b]!;
  if (v === NONE) throw new Error(`b${b} is empty`);
  return v as Value;
}

function newEdge(fn: Func, from: Block, to: Block, args: readonly Value[]): number {
  const e = fn.newEdge(from, to);
  for (const x of args) fn.pushEdgeArg(e, x);
  return e;
}
