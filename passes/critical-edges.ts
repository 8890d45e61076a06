// Splits critical edges: those from a block with several successors into a block with several predecessors.
//
// Before: b1 -> b3, where b1 also goes to b2 and b3 is also entered from b0.   After: b1 -> b4 -> b3, b4 empty.
// The moves that edge arguments become need a place of their own: register allocation relies on it. An empty block
// that needs no moves costs nothing, emission jumps over it. Linear.
import { NONE, type Block, type Edge } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { Op } from "../ir/ops.js";
import { Type } from "../ir/types.js";
import { definePass } from "./pass.js";

export const criticalEdges = definePass({
  name: "critical-edges",
  summary: "give edges that leave a branch and enter a merge a block of their own",
  stage: "ssa",
  scope: "func",
  required: { why: "register allocation puts the moves of an edge at an end that belongs to it alone", canDisable: false },
  after: [
    { pass: "simplify", why: "deciding a branch makes edges that were critical ordinary" },
    { pass: "merge-blocks", why: "it would take the blocks on the edges away again" },
    { pass: "dce", why: "dce takes arguments off edges" },
  ],
  run(fn, cx) {
    cx.count("edges", splitCriticalEdges(fn));
  },
});

/** Splits all critical edges; says how many. A new block follows the block its edge left. */
export function splitCriticalEdges(fn: Func): number {
  let split = 0;
  let successors = 0;
  let offset = 0;
  let behind: number = NONE;
  const countOne = () => {
    successors++;
  };
  const splitOne = (e: Edge) => {
    const to = fn.edgeTo[e] as Block;
    if (fn.edgeNextPred[fn.firstPred[to]] === NONE) return;
    const middle = fn.newBlock();
    fn.unplaceBlock(middle);
    fn.placeBlock(middle, behind as Block);
    const second = fn.newEdge(middle, to);
    for (let i = 0; i < fn.edgeArgCount[e]; i++) fn.pushEdgeArg(second, fn.edgeArg(e, i));
    fn.clearEdgeArgs(e);
    fn.redirectEdge(e, middle);
    fn.append0(middle, Op.br, Type.none, second, 0, offset);
    split++;
  };
  for (let b = fn.firstBlock; b !== NONE; b = behind) {
    behind = fn.blockNext[b];
    const last = fn.terminator(b as Block);
    const op = fn.op[last];
    if (op !== Op.br_if && op !== Op.br_table) continue;
    successors = 0;
    fn.forEachEdgeOf(last, countOne);
    if (successors < 2) continue;
    offset = fn.offset[last];
    fn.forEachEdgeOf(last, splitOne);
  }
  return split;
}
