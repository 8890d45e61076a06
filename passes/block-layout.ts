// Puts the blocks in the order their code will have.
//
// Before: any order. After: reverse postorder in which every loop is contiguous and blocks that surely lead to a trap
// come last. A block still comes after all that dominate it, and after every predecessor but over back edges: register
// allocation and lowering rely on both. Where a branch leaves a choice, the order before decides (it follows the source).
import { loops } from "../ir/analysis/loops.js";
import type { Loops } from "../ir/analysis/loops.js";
import { NONE, type Block, type Value } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { Op } from "../ir/ops.js";
import { definePass } from "./pass.js";

export const blockLayout = definePass({
  name: "block-layout",
  summary: "order blocks for code: loops contiguous, traps last",
  stage: "ssa",
  scope: "func",
  required: { why: "lowering numbers blocks in this order and expects definitions before uses", canDisable: false },
  after: [
    { pass: "critical-edges", why: "the blocks it makes need a place, too" },
    { pass: "merge-blocks", why: "it takes blocks away" },
  ],
  run(fn, cx) {
    if (fn.firstBlock === fn.lastBlock) return;
    const order = layoutOrder(fn, cx.get(loops, fn));
    let moved = 0;
    for (let b = fn.firstBlock, i = 0; b !== NONE; b = fn.blockNext[b], i++) if (order[i] !== b) moved++;
    if (moved === 0) return;
    for (let i = 0; i < order.length; i++) {
      fn.unplaceBlock(order[i] as Block);
      fn.placeBlock(order[i] as Block, NONE as Block);
    }
    cx.count("moved", moved);
  },
});

/** All blocks (which must be reachable) in their new order. Linear. */
export function layoutOrder(fn: Func, loops: Loops): Int32Array {
  const rpo = sourceLikeRpo(fn);
  const cold = coldBlocks(fn, rpo);

  // Items of a loop's body, in reverse postorder: a block, or an inner loop (numbered from blockCount) at its header's place.
  const loopItem = fn.blockCount;
  const first = new Int32Array(loops.count + 1).fill(NONE);
  const last = new Int32Array(loops.count + 1).fill(NONE);
  const next = new Int32Array(fn.blockCount + loops.count).fill(NONE);
  const top = loops.count;
  const append = (loop: number, item: number) => {
    if (first[loop] === NONE) first[loop] = item;
    else next[last[loop]] = item;
    last[loop] = item;
  };
  for (let i = 0; i < rpo.length; i++) {
    const b = rpo[i];
    if (cold[b]) continue;
    const loop = loops.loopOf[b];
    if (loop !== NONE && loops.header[loop] === b) append(loops.parent[loop] === NONE ? top : loops.parent[loop], loopItem + loop);
    append(loop === NONE ? top : loop, b);
  }

  const order = new Int32Array(rpo.length);
  let count = 0;
  const stack = new Int32Array(loops.count + 1);
  let depth = 0;
  let item = first[top];
  for (;;) {
    if (item === NONE) {
      if (depth === 0) break;
      item = next[stack[--depth]];
    } else if (item >= loopItem) {
      stack[depth++] = item;
      item = first[item - loopItem];
    } else {
      order[count++] = item;
      item = next[item];
    }
  }
  for (let i = 0; i < rpo.length; i++) if (cold[rpo[i]]) order[count++] = rpo[i];
  return order;
}

/** Reverse postorder in which, of a branch's targets, the one that stands first in the present order comes first. */
function sourceLikeRpo(fn: Func): Int32Array {
  const place = new Int32Array(fn.blockCount);
  let blocks = 0;
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) place[b] = blocks++;
  const order = new Int32Array(blocks);
  let free = blocks;
  const seen = new Uint8Array(fn.blockCount);
  const nextTarget = new Int32Array(fn.blockCount);
  const stack = new Int32Array(blocks);
  let depth = 0;
  seen[fn.entry] = 1;
  stack[depth++] = fn.entry;
  while (depth > 0) {
    const b = stack[depth - 1];
    const last = fn.lastInst[b] as Value;
    const targets = fn.targetCount(last);
    if (nextTarget[b] === targets) {
      order[--free] = b;
      depth--;
      continue;
    }
    // The target visited last comes first. Of a table, the entries backward: sorting them would not be linear.
    let i = targets - 1 - nextTarget[b]++;
    if (targets === 2 && fn.op[last] === Op.br_if) {
      const thenFirst = place[fn.edgeTo[fn.imm[last]]] < place[fn.edgeTo[fn.imm2[last]]];
      if (!thenFirst) i = 1 - i;
    }
    const to = fn.edgeTo[fn.targetEdge(last, i)];
    if (seen[to]) continue;
    seen[to] = 1;
    stack[depth++] = to;
  }
  return free === 0 ? order : order.slice(free);
}

/** Blocks from which every path ends in a trap: by block, 1 or 0. Closed under successors. */
function coldBlocks(fn: Func, rpo: Int32Array): Uint8Array {
  const cold = new Uint8Array(fn.blockCount);
  for (let i = rpo.length - 1; i > 0; i--) {
    const b = rpo[i];
    const last = fn.lastInst[b] as Value;
    if (fn.op[last] === Op.unreachable) {
      cold[b] = 1;
      continue;
    }
    const targets = fn.targetCount(last);
    let all = targets > 0;
    for (let t = 0; t < targets && all; t++) all = cold[fn.edgeTo[fn.targetEdge(last, t)]] === 1;
    if (all) cold[b] = 1;
  }
  return cold;
}
