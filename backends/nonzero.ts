// Whether a value is known not to be zero where it is used: by the branches that lead there.
//
//   br_if v5, b2, b3; b2: .. i32.rem_u v4, v5   and the same over a loop whose every way in tests what it passes
// Looks up a few blocks along single ways in, no analysis. Relies on conditions being the tested values themselves
// (simplify takes comparisons with zero away).
import { NONE, type Block, type Edge, type Value } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { Op } from "../ir/ops.js";

/** Blocks to look up, ways into a block to look at. */
const MAX_STEPS = 8;
const MAX_WAYS = 8;

/** Whether `v` is not zero wherever `block`, which it dominates, is executed. */
export function isNonZero(fn: Func, v: Value, block: Block): boolean {
  const parameter = fn.op[v] === Op.param;
  let b = block;
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    if (parameter && fn.block[v] === b) return b !== fn.entry && isNeverPassedZero(fn, v, b);
    const way = fn.singlePred(b);
    if (way === NONE || b === fn.entry) return false;
    if (excludesZero(fn, way as Edge, v)) return true;
    b = fn.edgeFrom[way]! as Block;
  }
  return false;
}

/** Every way into the block passes something that is not zero for its parameter `v`. */
function isNeverPassedZero(fn: Func, v: Value, b: Block): boolean {
  let ways = 0;
  for (let e = fn.firstPred[b]!; e !== NONE; e = fn.edgeNextPred[e]!) {
    if (++ways > MAX_WAYS) return false;
    const x = fn.edgeArg(e as Edge, fn.imm[v]!);
    if (x === v || excludesZero(fn, e as Edge, x) || isOtherConst(fn, x)) continue;
    let from = fn.edgeFrom[e]! as Block;
    let known = false;
    for (let steps = 0; steps < MAX_STEPS && !known; steps++) {
      const way = fn.singlePred(from);
      if (way === NONE || from === fn.entry) break;
      known = excludesZero(fn, way as Edge, x);
      from = fn.edgeFrom[way]! as Block;
    }
    if (!known) return false;
  }
  return ways > 0;
}

function isOtherConst(fn: Func, x: Value): boolean {
  return (fn.op[x] === Op.i32_const || fn.op[x] === Op.i64_const) && (fn.imm[x] !== 0 || (fn.op[x] === Op.i64_const && fn.imm2[x] !== 0));
}

/** Taken only if `x` is not zero. */
function excludesZero(fn: Func, e: Edge, x: Value): boolean {
  const last = fn.terminator(fn.edgeFrom[e]! as Block);
  if (fn.op[last] !== Op.br_if || fn.imm[last] === fn.imm2[last]) return false;
  let condition = fn.arg(last, 0);
  let holds = fn.imm[last] === e;
  while (fn.op[condition] === Op.i32_eqz || fn.op[condition] === Op.i64_eqz) {
    condition = fn.arg(condition, 0);
    holds = !holds;
    if (condition === x) return holds;
  }
  if (condition === x) return holds;
  // i64 values are compared: x != 0
  const op = fn.op[condition];
  if (op !== Op.i64_ne && op !== Op.i64_eq && op !== Op.i32_ne && op !== Op.i32_eq) return false;
  if (fn.arg(condition, 0) !== x) return false;
  const y = fn.arg(condition, 1);
  const isZero = (fn.op[y] === Op.i32_const || fn.op[y] === Op.i64_const) && fn.imm[y] === 0 && (fn.op[y] === Op.i32_const || fn.imm2[y] === 0);
  return isZero && (op === Op.i64_ne || op === Op.i32_ne) === holds;
}
