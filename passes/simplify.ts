// Local simplification: constants folded, identities, cheaper forms, decided branches.
//
// Before: v3 = i32.mul v1, 8; v4 = i32.eqz (i32.eqz v3); br_if v4 ..   After: v3 = i32.shl v1, 3; br_if v3 ..
// One visit an instruction, in reverse postorder, so that operands are simplified first; its rules run until none
// applies. Rules stand in simplify-rules/, chosen by op. What is reduced to an operand becomes a copy (copy-fold
// removes it); what nobody uses any more stays for dce. The backend knows what a target does best with multiplication
// or division by other constants, with addresses and with flags: nothing of that here. Linear.
import { rpo } from "../ir/analysis/rpo.js";
import { NONE, type Block, type Edge, type Value } from "../ir/entity.js";
import { Fold, foldOp } from "../ir/fold.js";
import type { Func } from "../ir/func.js";
import { Is, Op, opFlags, opInfo } from "../ir/ops.js";
import { Type } from "../ir/types.js";
import { definePass } from "./pass.js";
import * as compare from "./simplify-rules/compare.js";
import * as float from "./simplify-rules/float.js";
import * as int from "./simplify-rules/int.js";
import { operand, source } from "./simplify-rules/match.js";
import * as memory from "./simplify-rules/memory.js";
import { removeUnreachable } from "./unreachable-code.js";

export const simplify = definePass({
  name: "simplify",
  summary: "fold constants, apply identities, decide branches",
  stage: "ssa",
  scope: "func",
  run(fn, cx) {
    const { order } = cx.get(rpo, fn);
    let simplified = 0;
    let branches = 0;
    for (let i = 0; i < order.length; i++) {
      const b = order[i] as Block;
      for (let v = fn.firstInst[b] as Value; v !== NONE; ) {
        const next = fn.next[v] as Value;
        if (next === NONE) branches += simplifyBranch(fn, b, v);
        else simplified += simplifyInst(fn, v);
        v = next;
      }
    }
    cx.count("insts", simplified);
    cx.count("branches", branches);
    if (branches > 0) removeUnreachable(fn);
  },
});

type Rule = (fn: Func, v: Value) => boolean;

/** By op: the rule for it. */
const rules: readonly (Rule | undefined)[] = ruleTable();

function ruleTable(): (Rule | undefined)[] {
  const table: (Rule | undefined)[] = Array.from({ length: Op.count });
  const add = (rule: Rule, ...ops: Op[]) => {
    for (const op of ops) table[op] = rule;
  };
  for (const info of opInfo) {
    if (info.imm === "memarg") add(memory.access, info.op);
    if ((info.op > Op.i32_eqz && info.op <= Op.i32_ge_u) || (info.op > Op.i64_eqz && info.op <= Op.i64_ge_u)) add(compare.compareInts, info.op);
  }
  add(compare.eqz, Op.i32_eqz, Op.i64_eqz);
  add(compare.select, Op.select);
  add(int.add, Op.i32_add, Op.i64_add);
  add(int.sub, Op.i32_sub, Op.i64_sub);
  add(int.mul, Op.i32_mul, Op.i64_mul);
  add(int.divU, Op.i32_div_u, Op.i64_div_u);
  add(int.remU, Op.i32_rem_u, Op.i64_rem_u);
  add(int.divS, Op.i32_div_s, Op.i64_div_s);
  add(int.remS, Op.i32_rem_s, Op.i64_rem_s);
  add(int.and, Op.i32_and, Op.i64_and);
  add(int.or, Op.i32_or, Op.i64_or);
  add(int.xor, Op.i32_xor, Op.i64_xor);
  add(int.shift, Op.i32_shl, Op.i32_shr_s, Op.i32_shr_u, Op.i32_rotl, Op.i32_rotr, Op.i64_shl, Op.i64_shr_s, Op.i64_shr_u, Op.i64_rotl, Op.i64_rotr);
  add(int.wrap, Op.i32_wrap_i64);
  add(int.extend, Op.i32_extend8_s, Op.i32_extend16_s, Op.i64_extend8_s, Op.i64_extend16_s, Op.i64_extend32_s, Op.i64_extend_i32_s);
  add(float.neg, Op.f32_neg, Op.f64_neg);
  add(float.abs, Op.f32_abs, Op.f64_abs);
  add(float.copysign, Op.f32_copysign, Op.f64_copysign);
  add(float.div, Op.f32_div, Op.f64_div);
  add(float.reinterpret, Op.i32_reinterpret_f32, Op.i64_reinterpret_f64, Op.f32_reinterpret_i32, Op.f64_reinterpret_i64);
  return table;
}

/** More changes than any sensible chain of rules makes on one instruction. */
const MAX_STEPS = 8;

/** Applies rules to `v`; says how often. */
function simplifyInst(fn: Func, v: Value): number {
  for (let i = 0; i < fn.argCount[v]; i++) {
    const x = fn.arg(v, i);
    if (fn.op[x] === Op.copy) fn.setArg(v, i, operand(fn, v, i));
  }
  let steps = 0;
  while (steps < MAX_STEPS && (foldConstants(fn, v) || rules[fn.op[v]]?.(fn, v))) steps++;
  return steps;
}

/** An operation on constants becomes their result, unless it traps. */
function foldConstants(fn: Func, v: Value): boolean {
  const op = fn.op[v] as Op;
  const args = fn.argCount[v];
  if (args === 0 || args > 2 || op < Op.i32_eqz) return false;
  const x = fn.arg(v, 0);
  if (!(opFlags[fn.op[x]] & Is.const)) return false;
  const y = args === 2 ? fn.arg(v, 1) : x;
  if (!(opFlags[fn.op[y]] & Is.const)) return false;
  const folded = new Int32Array(2);
  if (foldOp(op, fn.imm[x], fn.imm2[x], fn.imm[y], fn.imm2[y], folded) !== Fold.ok) return false;
  fn.becomeConst(v, folded[0], folded[1]);
  return true;
}

/** Decides branches on constants and takes negations out of conditions; says how many changed. */
function simplifyBranch(fn: Func, b: Block, v: Value): number {
  for (let i = 0; i < fn.argCount[v]; i++) {
    const x = fn.arg(v, i);
    if (fn.op[x] === Op.copy) fn.setArg(v, i, operand(fn, v, i));
  }
  if (fn.op[v] === Op.br_if) {
    const condition = fn.arg(v, 0);
    const then = fn.imm[v] as Edge;
    const otherwise = fn.imm2[v] as Edge;
    if (fn.op[condition] === Op.i32_const) return goOnly(fn, b, v, fn.imm[condition] !== 0 ? then : otherwise);
    if (fn.edgeTo[then] === fn.edgeTo[otherwise] && sameArgs(fn, then, otherwise)) return goOnly(fn, b, v, then);
    const behind = compare.conditionOf(fn, condition);
    if (behind.value === condition) return 0;
    fn.setArg(v, 0, behind.value);
    if (behind.negated) {
      fn.imm[v] = otherwise;
      fn.imm2[v] = then;
      fn.cfgVersion++;
    }
    return 0;
  }
  if (fn.op[v] === Op.br_table) {
    const index = fn.arg(v, 0);
    const start = fn.imm[v];
    const last = fn.imm2[v] - 1;
    if (fn.op[index] === Op.i32_const) return goOnly(fn, b, v, fn.edgeTable[start + Math.min(fn.imm[index] >>> 0, last)] as Edge);
    for (let i = 0; i < last; i++) if (fn.edgeTable[start + i] !== fn.edgeTable[start + last]) return 0;
    return goOnly(fn, b, v, fn.edgeTable[start + last] as Edge);
  }
  return 0;
}

function sameArgs(fn: Func, e: Edge, f: Edge): boolean {
  for (let i = 0; i < fn.edgeArgCount[e]; i++) if (source(fn, fn.edgeArg(e, i)) !== source(fn, fn.edgeArg(f, i))) return false;
  return true;
}

/** The terminator keeps one of its edges. */
function goOnly(fn: Func, b: Block, v: Value, keep: Edge): number {
  fn.forEachEdgeOf(v, (e) => {
    if (e !== keep) fn.removeEdge(e);
  });
  const offset = fn.offset[v];
  fn.remove(v);
  fn.append0(b, Op.br, Type.none, keep, 0, offset);
  return 1;
}
