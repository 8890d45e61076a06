// Removes blocks that no path from the entry reaches.
//
// Before: any function. After: every block in the order is reachable. Runs first, and again after simplify has
// decided branches; everything that walks the order of blocks relies on it.
import { NONE, type Block, type Edge } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { definePass } from "./pass.js";

export const unreachableCode = definePass({
  name: "unreachable-code",
  summary: "remove blocks that nothing reaches",
  stage: "ssa",
  scope: "func",
  before: [
    { pass: "block-params", why: "an edge from a dead block would keep a parameter alive" },
    { pass: "merge-blocks", why: "an edge from a dead block hides that a block has one predecessor" },
    { pass: "simplify", why: "it visits reachable blocks only" },
    { pass: "gvn", why: "an edge from a dead block hides that a block is dominated" },
    { pass: "critical-edges", why: "an edge from a dead block makes others look critical" },
    { pass: "block-layout", why: "it gives reachable blocks a place" },
  ],
  required: { why: "lowering and the analyses visit reachable blocks only", canDisable: false },
  run(fn, cx) {
    cx.count("blocks", removeUnreachable(fn));
  },
});

/** Removes the blocks that the entry does not reach; says how many. Linear. */
export function removeUnreachable(fn: Func): number {
  const reached = new Uint8Array(fn.blockCount);
  const stack = new Int32Array(fn.blockCount);
  let top = 0;
  let found = 1;
  reached[fn.entry] = 1;
  stack[top++] = fn.entry;
  const visit = (e: Edge) => {
    const to = fn.edgeTo[e];
    if (reached[to]) return;
    reached[to] = 1;
    found++;
    stack[top++] = to;
  };
  while (top > 0) fn.forEachEdgeOf(fn.terminator(stack[--top] as Block), visit);

  let placed = 0;
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) placed++;
  if (placed === found) return 0;

  const dead: Block[] = [];
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) if (!reached[b]) dead.push(b as Block);
  // Dead blocks may form cycles: all their edges go before the first block does.
  const removeEdge = (e: Edge) => fn.removeEdge(e);
  for (const b of dead) {
    const last = fn.terminator(b);
    fn.forEachEdgeOf(last, removeEdge);
    fn.remove(last);
  }
  for (const b of dead) fn.removeBlock(b);
  return dead.length;
}
