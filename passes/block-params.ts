// Removes block parameters that always receive one and the same value.
//
// Before: b1(v5) entered by b1(v2) and b1(v5).   After: b1 without the parameter, v2 in place of v5.
// Exhaustive removal of such parameters gives minimal SSA on reducible flow graphs, which all of Wasm's are
// (Braun et al., "Simple and Efficient Construction of Static Single Assignment Form", section 3). Near linear even
// for 100,000 predecessors: a parameter is looked at again only when one of the two different arguments that prove
// it necessary is itself replaced, and its scan then goes on where it stood.
import { NONE, type Block, type Value } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { definePass } from "./pass.js";

export const blockParams = definePass({
  name: "block-params",
  summary: "remove block parameters that always receive the same value",
  stage: "ssa",
  scope: "func",
  before: [{ pass: "gvn", why: "a parameter that always receives one value hides that computations are equal" }],
  after: [{ pass: "simplify", why: "deciding a branch takes edges away, so more parameters receive one value" }],
  run(fn, cx) {
    cx.count("params", removeTrivialParams(fn));
  },
});

/** Removes trivial parameters; says how many. */
export function removeTrivialParams(fn: Func): number {
  let params = 0;
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) if (b !== fn.entry) params += fn.paramCount[b];
  if (params === 0) return 0;

  const n = fn.valueCount;
  /** What stands for a value, itself unless it is a removed parameter. Followed to the end by `find`. */
  const stands = new Int32Array(n);
  for (let v = 0; v < n; v++) stands[v] = v;
  /** Per parameter: the one value seen so far, and the edge whose argument differs from it (where the scan stands). */
  const only = new Int32Array(n).fill(NONE);
  const differs = new Int32Array(n).fill(NONE);
  // Rings of parameters that wait for a value to be replaced. Node 2p waits for `only`, 2p + 1 for the argument at
  // `differs`; node 2n + v is the head of v's ring.
  const nextWaiting = new Int32Array(3 * n);
  const prevWaiting = new Int32Array(3 * n);
  for (let node = 0; node < 3 * n; node++) nextWaiting[node] = prevWaiting[node] = node;
  const replaced: number[] = [];
  let removed = 0;

  function find(v: number): number {
    while (stands[v] !== v) {
      stands[v] = stands[stands[v]];
      v = stands[v];
    }
    return v;
  }

  function wait(node: number, value: number): void {
    const before = prevWaiting[node];
    const behind = nextWaiting[node];
    nextWaiting[before] = behind;
    prevWaiting[behind] = before;
    const head = 2 * n + value;
    const last = prevWaiting[head];
    nextWaiting[last] = node;
    prevWaiting[node] = last;
    nextWaiting[node] = head;
    prevWaiting[head] = node;
  }

  /** Goes on with the scan of a parameter until two arguments differ; replaces it when all edges agree. */
  function scan(p: number): void {
    const i = fn.imm[p];
    let x = only[p] === NONE ? NONE : find(only[p]);
    if (x === p) x = NONE;
    for (let e = differs[p]; e !== NONE; e = fn.edgeNextPred[e]) {
      const y = find(fn.pool[fn.edgeArgStart[e] + i]);
      if (y === p || y === x) continue;
      if (x === NONE) {
        x = y;
        continue;
      }
      only[p] = x;
      differs[p] = e;
      wait(2 * p, x);
      wait(2 * p + 1, y);
      return;
    }
    // A parameter that only receives itself belongs to a loop nothing enters: not ours to judge.
    if (x === NONE) return;
    stands[p] = x;
    removed++;
    replaced.push(p);
  }

  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) {
    if (b === fn.entry) continue;
    for (let i = 0; i < fn.paramCount[b]; i++) {
      const p = fn.pool[fn.paramStart[b] + i];
      differs[p] = fn.firstPred[b];
      scan(p);
    }
  }
  while (replaced.length > 0) {
    const gone = replaced.pop()!;
    const head = 2 * n + gone;
    const value = find(gone);
    for (let node = nextWaiting[head]; node !== head; node = nextWaiting[head]) {
      wait(node, value);
      const p = node >> 1;
      if (stands[p] === p) scan(p);
    }
  }
  if (removed === 0) return 0;

  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) {
    if (b !== fn.entry) fn.filterParams(b as Block, (v: Value) => stands[v] === v);
  }
  for (let v = 0; v < n; v++) stands[v] = find(v);
  fn.substitute(stands);
  return removed;
}
