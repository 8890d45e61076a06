// Lets accesses near each other share one address computation.
//
// Before: v2 = i32.add v1, 8; v3 = i32.load v2; v4 = i32.add v1, 16; v5 = i32.load v4; v6 = i32.add v1, 24; v7 = i32.load v6
// After:  v6 = i32.add v1, 24; v2 = i32.add v6, -16; ...; v4 = i32.add v6, -8; ...; v7 = i32.load v6
// An i32 addition wraps, so x + 8 may be no displacement of a machine's address mode. But with q the *largest* of a group,
// `q - d` can be one for small d: where q >= d nothing wraps, and where q < d the true address lies in the last `MAX_FOLD`
// bytes of the 4 GiB space, which no memory with guards has, while the folded one lies below the base, which is guarded.
// Either way both trap or neither. (For accesses without an offset of their own only.) Within a block; the values computed
// stay the same, so nothing depends on the target making use of it.
import { computeUseCounts } from "../ir/analysis/uses.js";
import { NONE, type Value } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { MAX_FOLD } from "../ir/layout.js";
import { opInfo, Op } from "../ir/ops.js";
import { Type } from "../ir/types.js";
import { definePass } from "./pass.js";

const isAccess: Uint8Array = Uint8Array.from(opInfo, (info) => (info.imm === "memarg" ? 1 : 0));

export const addressGroups = definePass({
  name: "address-groups",
  summary: "let accesses at constant distances share one address computation",
  stage: "ssa",
  scope: "func",
  after: [
    { pass: "simplify", why: "simplify would add the constants up again" },
    { pass: "gvn", why: "equal additions must be one before they are counted" },
    { pass: "copy-fold", why: "copies hide which additions have the same base" },
  ],
  run(fn, cx) {
    cx.count("addresses", groupAddresses(fn));
  },
});

/** Returns how many additions now start from their group's largest. */
export function groupAddresses(fn: Func): number {
  const uses = computeUseCounts(fn);
  // By base: the newest addition of the current block, along `nextOf` the earlier ones; the accesses at the base itself.
  const newest = new Int32Array(fn.valueCount).fill(NONE);
  const nextOf = new Int32Array(fn.valueCount).fill(NONE);
  const position = new Int32Array(fn.valueCount);
  const grouped = new Uint8Array(fn.valueCount);
  const direct = new Int32Array(fn.valueCount).fill(NONE);
  const nextDirect = new Int32Array(fn.valueCount).fill(NONE);
  const bases: Value[] = [];
  const directs: Value[] = [];
  let rewritten = 0;
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
    bases.length = 0;
    directs.length = 0;
    let count = 0;
    for (let v = fn.firstInst[b]!; v !== NONE; v = fn.next[v]!) {
      position[v] = count++;
      if (isAccess[fn.op[v]!] === 0 || fn.imm[v] !== 0 || fn.imm2[v] !== 0) continue;
      const a = fn.arg(v as Value, 0);
      if (fn.block[a] === b && fn.op[a] !== Op.param) {
        if (direct[a] === NONE) directs.push(a);
        nextDirect[v] = direct[a]!;
        direct[a] = v;
      }
      if (fn.op[a] !== Op.i32_add || fn.block[a] !== b || grouped[a] === 1 || fn.op[fn.arg(a, 1)] !== Op.i32_const) continue;
      const base = fn.arg(a, 0);
      grouped[a] = 1;
      if (newest[base] === NONE) bases.push(base);
      nextOf[a] = newest[base]!;
      newest[base] = a;
    }
    for (const base of bases) {
      const adds: Value[] = [];
      for (let a = newest[base]!; a !== NONE; a = nextOf[a]!) adds.push(a as Value);
      const atBase: Value[] = [];
      for (let v = direct[base]!; v !== NONE; v = nextDirect[v]!) atBase.push(v as Value);
      // Used for nothing else the base is spared, if its accesses start from the largest, too.
      const sparesBase = atBase.length > 0 && adds.length + atBase.length === uses[base] && everyIsNear(fn, adds);
      if (sparesBase) rewritten += startFromLargest(fn, base, adds.sort(largestFirst(fn, position)), position, atBase);
      else if (adds.length >= 2) rewritten += rewrite(fn, base, adds, position);
      newest[base] = NONE;
    }
    for (const base of directs) direct[base] = NONE;
  }
  return rewritten;
}

/** `adds`: additions of constants to one base, in one block. */
function rewrite(fn: Func, base: Value, adds: Value[], position: Int32Array): number {
  adds.sort(largestFirst(fn, position));
  let rewritten = 0;
  for (let from = 0; from < adds.length; ) {
    const largest = constantOf(fn, adds[from]!);
    let end = from + 1;
    while (end < adds.length && largest - constantOf(fn, adds[end]!) <= MAX_FOLD) end++;
    const next = end;
    // What is a little below the base itself needs no help.
    while (end > from && constantOf(fn, adds[end - 1]!) < 0 && constantOf(fn, adds[end - 1]!) >= -MAX_FOLD) end--;
    if (end - from >= 2) rewritten += startFromLargest(fn, base, adds.slice(from, end), position);
    from = next;
  }
  return rewritten;
}

function largestFirst(fn: Func, position: Int32Array): (a: Value, b: Value) => number {
  return (a, b) => constantOf(fn, b) - constantOf(fn, a) || position[a]! - position[b]!;
}

/** All between 0 and MAX_FOLD above the base. */
function everyIsNear(fn: Func, adds: readonly Value[]): boolean {
  return adds.length > 0 && adds.every((a) => constantOf(fn, a) > 0 && constantOf(fn, a) <= MAX_FOLD);
}

/** `members`: additions, the largest first; `atBase`: accesses at the base itself, which are to start from the largest as well. */
function startFromLargest(fn: Func, base: Value, members: readonly Value[], position: Int32Array, atBase: readonly Value[] = []): number {
  const q = members[0]!;
  let first = q;
  for (const a of members) if (position[a]! < position[first]!) first = a;
  for (const v of atBase) if (position[v]! < position[first]!) first = v;
  const largest = constantOf(fn, q);
  const rest = members.slice(1);
  const distances = rest.map((a) => constantOf(fn, a) - largest);
  // The constant of the largest may stand behind the new place: it gets one of its own.
  const constant = fn.insertBefore(first, Op.i32_const, Type.i32, [], largest);
  if (first !== q) fn.moveBefore(q, first);
  fn.become(q, Op.i32_add, [base, constant]);
  rest.forEach((a, i) => {
    const distance = fn.insertBefore(a, Op.i32_const, Type.i32, [], distances[i]!);
    fn.become(a, Op.i32_add, [q, distance]);
  });
  if (atBase.length > 0) {
    const behind = fn.next[q]! as Value;
    const back = fn.insertBefore(behind, Op.i32_const, Type.i32, [], -largest);
    const again = fn.insertBefore(behind, Op.i32_add, Type.i32, [q, back]);
    for (const v of atBase) fn.setArg(v, 0, again);
  }
  return rest.length + atBase.length;
}

function constantOf(fn: Func, a: Value): number {
  return fn.imm[fn.arg(a, 1)]!;
}
