// The dominator tree: b0 dominates b1 when every path from the entry to b1 passes b0.
//
// Lengauer and Tarjan, "A Fast Algorithm for Finding Dominators in a Flowgraph" (1979), the simple variant with path
// compression: O(edges * log blocks) on every input. The better known iteration of Cooper, Harvey and Kennedy is quadratic
// for a long chain of early exits to one block, a shape that compilers of other languages do produce. Unreachable blocks are
// in no tree.
import { NONE, type Block, type Value } from "../entity.js";
import type { Func } from "../func.js";
import { defineAnalysis } from "./analysis.js";

export interface Dom {
  /** Immediate dominator by block; NONE for the entry and for unreachable blocks. */
  readonly idom: Int32Array;
  /** Reachable blocks in preorder of the tree: a block's subtree is `order[pre[b]] .. order[last[b]]`. */
  readonly order: Int32Array;
  /** Position in `order` by block; NONE if unreachable. */
  readonly pre: Int32Array;
  /** Position of the last block of the subtree. */
  readonly last: Int32Array;
  /** Distance from the entry in the tree. */
  readonly depth: Int32Array;
}

/** Whether `a` dominates `b`; a block dominates itself. False when either is unreachable. Constant time. */
export function dominates(dom: Dom, a: Block, b: Block): boolean {
  const pre = dom.pre[a]!;
  return pre !== NONE && dom.pre[b]! >= pre && dom.pre[b]! <= dom.last[a]!;
}

export function computeDom(fn: Func): Dom {
  const blocks = fn.blockCount;
  // All arrays up to `idomDfs` speak in depth-first numbers.
  const number = new Int32Array(blocks).fill(NONE);
  const vertex = new Int32Array(blocks);
  const parent = new Int32Array(blocks);
  const count = depthFirst(fn, number, vertex, parent);

  const semi = new Int32Array(count);
  const label = new Int32Array(count);
  const ancestor = new Int32Array(count).fill(NONE);
  const bucket = new Int32Array(count).fill(NONE);
  const nextInBucket = new Int32Array(count).fill(NONE);
  const idomDfs = new Int32Array(count);
  const path = new Int32Array(count);
  for (let i = 0; i < count; i++) semi[i] = label[i] = i;

  // The vertex of least semidominator on the forest path above v, v included; the path is compressed on the way.
  const evaluate = (v: number): number => {
    if (ancestor[v] === NONE) return v;
    let length = 0;
    for (let u = v; ancestor[ancestor[u]!]! !== NONE; u = ancestor[u]!) path[length++] = u;
    while (length > 0) {
      const u = path[--length]!;
      const up = ancestor[u]!;
      if (semi[label[up]!]! < semi[label[u]!]!) label[u] = label[up]!;
      ancestor[u] = ancestor[up]!;
    }
    return label[v]!;
  };

  for (let w = count - 1; w > 0; w--) {
    for (let e = fn.firstPred[vertex[w]!]!; e !== NONE; e = fn.edgeNextPred[e]!) {
      const v = number[fn.edgeFrom[e]!]!;
      if (v === NONE) continue;
      const u = evaluate(v);
      if (semi[u]! < semi[w]!) semi[w] = semi[u]!;
    }
    nextInBucket[w] = bucket[semi[w]!]!;
    bucket[semi[w]!] = w;
    const p = parent[w]!;
    ancestor[w] = p;
    for (let v = bucket[p]!; v !== NONE; v = nextInBucket[v]!) {
      const u = evaluate(v);
      idomDfs[v] = semi[u]! < semi[v]! ? u : p;
    }
    bucket[p] = NONE;
  }

  const idom = new Int32Array(blocks).fill(NONE);
  for (let w = 1; w < count; w++) {
    if (idomDfs[w] !== semi[w]) idomDfs[w] = idomDfs[idomDfs[w]!]!;
    idom[vertex[w]!] = vertex[idomDfs[w]!]!;
  }
  return numberTree(blocks, count, vertex, idom, idomDfs);
}

/** Preorder by subtree sizes: depth-first numbers put every block behind its immediate dominator, so two sweeps suffice. */
function numberTree(blocks: number, count: number, vertex: Int32Array, idom: Int32Array, idomDfs: Int32Array): Dom {
  const size = new Int32Array(count).fill(1);
  for (let w = count - 1; w > 0; w--) size[idomDfs[w]!]! += size[w]!;
  const order = new Int32Array(count);
  const pre = new Int32Array(blocks).fill(NONE);
  const last = new Int32Array(blocks).fill(NONE);
  const depth = new Int32Array(blocks);
  const free = new Int32Array(count);
  for (let w = 0; w < count; w++) {
    const b = vertex[w]!;
    let at = 0;
    if (w > 0) {
      at = free[idomDfs[w]!]!;
      free[idomDfs[w]!] = at + size[w]!;
      depth[b] = depth[idom[b]!]! + 1;
    }
    free[w] = at + 1;
    pre[b] = at;
    last[b] = at + size[w]! - 1;
    order[at] = b;
  }
  return { idom, order, pre, last, depth };
}

/** Numbers reachable blocks in preorder of a depth-first tree; `parent` in those numbers. Returns how many there are. */
function depthFirst(fn: Func, number: Int32Array, vertex: Int32Array, parent: Int32Array): number {
  if (fn.blockCount === 0) return 0;
  const stack = new Int32Array(fn.blockCount);
  const nextTarget = new Int32Array(fn.blockCount);
  let depth = 1;
  let count = 1;
  number[fn.entry] = 0;
  vertex[0] = fn.entry;
  stack[0] = fn.entry;
  while (depth > 0) {
    const b = stack[depth - 1]!;
    const terminator = fn.lastInst[b]! as Value;
    if (terminator !== NONE && nextTarget[b]! < fn.targetCount(terminator)) {
      const to = fn.edgeTo[fn.targetEdge(terminator, nextTarget[b]!++)]!;
      if (number[to] !== NONE) continue;
      number[to] = count;
      vertex[count] = to;
      parent[count++] = number[b]!;
      stack[depth++] = to;
    } else depth--;
  }
  return count;
}

export const domTree = defineAnalysis<Dom>({ name: "dom-tree", depends: "cfg", run: computeDom });
