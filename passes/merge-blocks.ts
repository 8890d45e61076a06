// Joins a block to its only predecessor where that one goes nowhere else, and lets edges skip empty blocks.
//
// Before: b0: .. br b1(v2); b1(v5): .. (entered from b0 alone).   After: b0: .. .. with v2 in place of v5.
// Before: b0: br_if v1, b2, b3; b2: br b4(v7) (empty, no parameters).   After: b0: br_if v1, b4(v7), b3.
// Leaves fewer and longer blocks: instruction selection folds only within a block. An empty block stays where skipping
// it would make an edge critical that carries arguments (it would have to come back) or fall together with another
// edge of the same branch. Linear.
import { NONE, type Block, type Edge } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { Op } from "../ir/ops.js";
import { definePass } from "./pass.js";

export const mergeBlocks = definePass({
  name: "merge-blocks",
  summary: "join blocks in a straight line, skip empty ones",
  stage: "ssa",
  scope: "func",
  after: [
    { pass: "simplify", why: "deciding a branch leaves straight lines" },
    { pass: "block-params", why: "a block with parameters is not empty" },
  ],
  run(fn, cx) {
    cx.count("skipped", skipEmptyBlocks(fn));
    cx.count("joined", joinStraightLines(fn));
  },
});

/** Redirects the edges into empty blocks to where those go. Leaves such blocks without predecessors behind, removed. */
function skipEmptyBlocks(fn: Func): number {
  let skipped = 0;
  for (let b = fn.lastBlock; b !== NONE; ) {
    const prev = fn.blockPrev[b];
    if (isSkippable(fn, b as Block)) {
      skip(fn, b as Block);
      skipped++;
    }
    b = prev;
  }
  return skipped;
}

function isSkippable(fn: Func, b: Block): boolean {
  const last = fn.terminator(b);
  if (b === fn.entry || fn.firstInst[b] !== last || fn.op[last] !== Op.br || fn.paramCount[b] > 0) return false;
  const out = fn.imm[last];
  const to = fn.edgeTo[out];
  if (to === b) return false;
  // Only edges that are a whole block's only way out may carry arguments on without becoming critical.
  for (let e = fn.firstPred[b]; e !== NONE; e = fn.edgeNextPred[e]) {
    if (fn.op[fn.terminator(fn.edgeFrom[e] as Block)] !== Op.br && fn.edgeArgCount[out] > 0) return false;
    if (fn.op[fn.terminator(fn.edgeFrom[e] as Block)] === Op.br_table) return false;
  }
  return true;
}

function skip(fn: Func, b: Block): void {
  const last = fn.terminator(b);
  const out = fn.imm[last] as Edge;
  const to = fn.edgeTo[out] as Block;
  for (let e = fn.firstPred[b]; e !== NONE; e = fn.firstPred[b]) {
    for (let i = 0; i < fn.edgeArgCount[out]; i++) fn.pushEdgeArg(e as Edge, fn.edgeArg(out, i));
    fn.redirectEdge(e as Edge, to);
  }
  fn.removeBlock(b);
}

/** Appends every block with one predecessor, whose terminator names it alone, to that predecessor. */
function joinStraightLines(fn: Func): number {
  const to = new Int32Array(fn.valueCount).fill(NONE);
  let joined = 0;
  let renamed = false;
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) {
    // Begin at the head of a line: so every instruction moves once, in whatever order the blocks stand.
    if (isJoined(fn, b as Block)) continue;
    for (;;) {
      const last = fn.terminator(b as Block);
      if (fn.op[last] !== Op.br) break;
      const e = fn.imm[last] as Edge;
      const next = fn.edgeTo[e] as Block;
      if (!isJoined(fn, next)) break;
      for (let i = 0; i < fn.paramCount[next]; i++) {
        to[fn.param(next, i)] = fn.edgeArg(e, i);
        renamed = true;
      }
      fn.remove(last);
      fn.removeEdge(e);
      fn.appendBlock(b as Block, next);
      joined++;
    }
  }
  if (renamed) {
    // An argument may itself be a parameter that went: follow each chain once.
    for (let v = 0; v < to.length; v++) {
      let end = v;
      while (to[end] !== NONE) end = to[end];
      for (let x = v; to[x] !== NONE && x !== end; ) {
        const next = to[x];
        to[x] = end;
        x = next;
      }
    }
    fn.substitute(to);
  }
  return joined;
}

/** Whether a block continues the straight line of another. */
function isJoined(fn: Func, b: Block): boolean {
  const e = fn.singlePred(b);
  if (e === NONE || b === fn.entry) return false;
  const from = fn.edgeFrom[e] as Block;
  return from !== b && fn.op[fn.terminator(from)] === Op.br;
}
