// Natural loops and how they nest.
//
// A header is a block with a back edge: an edge from a block it dominates. A loop's body is what reaches a back edge without
// passing the header. Headers are taken innermost first; finished loops are absorbed whole by union-find, so the work is nearly
// linear also for deep nests. A retreating edge into a block that does not dominate its source makes a cycle that is no
// natural loop: it is counted in `irreducible` and otherwise ignored, nothing goes wrong with it.
import { NONE, type Block } from "../entity.js";
import type { Func } from "../func.js";
import { defineAnalysis } from "./analysis.js";
import { computeDom, dominates, type Dom } from "./dom.js";
import { computeRpo, type Rpo } from "./rpo.js";

export interface Loops {
  /** How many loops; a loop is its number, an outer one before those inside it. */
  readonly count: number;
  /** Header block by loop. */
  readonly header: Int32Array;
  /** Enclosing loop by loop, NONE for an outermost one. */
  readonly parent: Int32Array;
  /** Nesting by loop: 1 for an outermost one. */
  readonly depth: Int32Array;
  /** Innermost loop by block, NONE outside of loops. */
  readonly loopOf: Int32Array;
  /** Nesting by block: 0 outside of loops. */
  readonly blockDepth: Int32Array;
  /** Retreating edges that are no back edges. */
  readonly irreducible: number;
}

/** Whether `b` is the header of a loop. */
export function isHeader(loops: Loops, b: Block): boolean {
  const loop = loops.loopOf[b]!;
  return loop !== NONE && loops.header[loop] === b;
}

export function computeLoops(fn: Func, dom: Dom = computeDom(fn), rpo: Rpo = computeRpo(fn)): Loops {
  const { order, index } = rpo;
  const headers: number[] = [];
  let irreducible = 0;
  for (let i = 0; i < order.length; i++) {
    const b = order[i]!;
    let isHeader = false;
    for (let e = fn.firstPred[b]!; e !== NONE; e = fn.edgeNextPred[e]!) {
      const from = fn.edgeFrom[e]! as Block;
      if (index[from]! < i) continue;
      if (dominates(dom, b as Block, from)) isHeader = true;
      else irreducible++;
    }
    if (isHeader) headers.push(b);
  }

  const count = headers.length;
  const header = Int32Array.from(headers);
  const parent = new Int32Array(count).fill(NONE);
  const loopOf = new Int32Array(fn.blockCount).fill(NONE);
  // Union-find over loops: `outer[l]` leads to the outermost finished loop around l.
  const outer = Int32Array.from(headers, (_, l) => l);
  const outermost = (l: number): number => {
    while (outer[l] !== l) {
      outer[l] = outer[outer[l]!]!;
      l = outer[l]!;
    }
    return l;
  };

  // In reverse postorder an outer header comes before an inner one, so the last is innermost.
  const work: number[] = [];
  for (let loop = count - 1; loop >= 0; loop--) {
    const head = headers[loop]!;
    for (let e = fn.firstPred[head]!; e !== NONE; e = fn.edgeNextPred[e]!) {
      if (dominates(dom, head as Block, fn.edgeFrom[e]! as Block)) work.push(fn.edgeFrom[e]!);
    }
    loopOf[head] = loop;
    while (work.length > 0) {
      const b = work.pop()!;
      let entered = b;
      if (loopOf[b] === NONE) loopOf[b] = loop;
      else {
        const inner = outermost(loopOf[b]!);
        if (inner === loop) continue;
        parent[inner] = loop;
        outer[inner] = loop;
        entered = headers[inner]!;
      }
      for (let e = fn.firstPred[entered]!; e !== NONE; e = fn.edgeNextPred[e]!) {
        const from = fn.edgeFrom[e]!;
        if (index[from] === NONE) continue;
        const known = loopOf[from]!;
        if (known === NONE || outermost(known) !== loop) work.push(from);
      }
    }
  }

  const depth = new Int32Array(count);
  for (let loop = 0; loop < count; loop++) depth[loop] = parent[loop] === NONE ? 1 : depth[parent[loop]!]! + 1;
  const blockDepth = new Int32Array(fn.blockCount);
  for (let b = 0; b < fn.blockCount; b++) if (loopOf[b] !== NONE) blockDepth[b] = depth[loopOf[b]!]!;
  return { count, header, parent, depth, loopOf, blockDepth, irreducible };
}

export const loops = defineAnalysis<Loops>({ name: "loops", depends: "cfg", run: (fn) => computeLoops(fn) });
