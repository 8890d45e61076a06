// Analyses against their definitions on thousands of random graphs (irreducible ones and unreachable blocks among them),
// and on large hostile shapes, where they must stay nearly linear and off the JS stack.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { computeDom, dominates } from "../../../ir/analysis/dom.js";
import { isRemovable, mayTrap, readsOf, State, writesOf } from "../../../ir/analysis/effects.js";
import { computeLoops, isHeader } from "../../../ir/analysis/loops.js";
import { computeRpo } from "../../../ir/analysis/rpo.js";
import { computeUseCounts, computeUses } from "../../../ir/analysis/uses.js";
import { NONE, type Block, type FuncIndex, type TypeIndex, type Value } from "../../../ir/entity.js";
import { Func } from "../../../ir/func.js";
import { Op } from "../../../ir/ops.js";
import { parseFunc } from "../../../ir/parse.js";
import { Type } from "../../../ir/types.js";
import { printVerifierError, verifyFunc } from "../../../ir/verify.js";
import { cpuMs } from "../../cpu-time.js";

function generator(seed: number): (n: number) => number {
  let s = seed;
  return (n) => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** A function of one i32 parameter whose block i goes to `succs[i]`: none returns, one is br, two br_if, more br_table. */
function graph(succs: readonly (readonly number[])[]): Func {
  const fn = new Func(0 as FuncIndex, 0 as TypeIndex, { params: [Type.i32], results: [] }, undefined, succs.length * 2);
  for (let i = 0; i < succs.length; i++) fn.newBlock();
  const x = fn.addParam(fn.entry, Type.i32);
  succs.forEach((targets, i) => {
    const b = i as Block;
    if (targets.length === 0) fn.append0(b, Op.return_, Type.none);
    else if (targets.length === 1) fn.append0(b, Op.br, Type.none, fn.newEdge(b, targets[0]! as Block));
    else if (targets.length === 2) {
      const [then, other] = [fn.newEdge(b, targets[0]! as Block), fn.newEdge(b, targets[1]! as Block)];
      fn.append1(b, Op.br_if, Type.none, x, then, other);
    } else {
      const start = fn.newEdgeTable(targets.length);
      const edges = new Map<number, number>();
      targets.forEach((to, k) => {
        if (!edges.has(to)) edges.set(to, fn.newEdge(b, to as Block));
        fn.edgeTable[start + k] = edges.get(to)!;
      });
      fn.append1(b, Op.br_table, Type.none, x, start, targets.length);
    }
  });
  return fn;
}

function randomGraph(random: (n: number) => number): number[][] {
  const n = 1 + random(14);
  return Array.from({ length: n }, (_, i) => {
    const kind = random(10);
    const count = n === 1 || kind === 0 ? 0 : kind < 4 ? 1 : kind < 9 ? 2 : 3 + random(4);
    // Nothing enters the entry. Some graphs go mostly forward, some anywhere.
    return Array.from({ length: count }, () => (random(3) > 0 && i + 1 < n ? Math.min(n - 1, i + 1 + random(3)) : 1 + random(n - 1)));
  });
}

/** Blocks reachable from the entry when `without` is taken out. */
function reach(succs: readonly (readonly number[])[], without = -1): boolean[] {
  const seen = succs.map(() => false);
  const work = without === 0 ? [] : [0];
  while (work.length > 0) {
    const b = work.pop()!;
    if (seen[b]) continue;
    seen[b] = true;
    for (const to of succs[b]!) if (to !== without) work.push(to);
  }
  return seen;
}

test("rpo, dominators and loops on random graphs", () => {
  const random = generator(2024);
  let irreducible = 0;
  let deepest = 0;
  for (let round = 0; round < 4000; round++) {
    const succs = randomGraph(random);
    const n = succs.length;
    const fn = graph(succs);
    assert.equal(verifyFunc(fn).map(printVerifierError), []);
    const where = JSON.stringify(succs);
    const reachable = reach(succs);

    const rpo = computeRpo(fn);
    assert.equal([...rpo.order].sort((x, y) => x - y), reachable.flatMap((yes, b) => (yes ? [b] : [])), where);
    assert.is(rpo.order[0], 0);
    for (let b = 0; b < n; b++) assert.is(rpo.index[b], reachable[b] ? rpo.order.indexOf(b) : NONE, where);

    // a dominates b when b cannot be reached without a.
    const without = succs.map((_, a) => reach(succs, a));
    const dom = computeDom(fn);
    const doms = (a: number, b: number) => reachable[a]! && reachable[b]! && (a === b || !without[a]![b]);
    for (let a = 0; a < n; a++) {
      for (let b = 0; b < n; b++) assert.is(dominates(dom, a as Block, b as Block), doms(a, b), `${where}: ${a} dominates ${b}`);
      const strict = succs.flatMap((_, d) => (d !== a && doms(d, a) ? [d] : []));
      const idom = strict.find((d) => strict.every((other) => doms(other, d))) ?? NONE;
      assert.is(dom.idom[a], idom, `${where}: idom of ${a}`);
      if (reachable[a]) {
        assert.is(dom.depth[a], strict.length, where);
        assert.is(dom.order[dom.pre[a]!], a, where);
        if (idom !== NONE) assert.ok(rpo.index[idom]! < rpo.index[a]!, where);
      } else assert.is(dom.pre[a], NONE, where);
    }

    // The loop of a header h: h and all that reaches a back edge of h within what h dominates.
    const loops = computeLoops(fn, dom, rpo);
    const bodies = new Map<number, Set<number>>();
    for (let h = 0; h < n; h++) {
      const latches = succs.flatMap((to, b) => (to.includes(h) && doms(h, b) ? [b] : []));
      if (latches.length === 0) continue;
      const body = new Set([h]);
      const work = [...latches];
      while (work.length > 0) {
        const b = work.pop()!;
        if (body.has(b)) continue;
        body.add(b);
        succs.forEach((to, p) => {
          if (reachable[p] && to.includes(b)) work.push(p);
        });
      }
      bodies.set(h, body);
    }
    assert.is(loops.count, bodies.size, where);
    for (let b = 0; b < n; b++) {
      const around = [...bodies].filter(([, body]) => body.has(b)).sort((x, y) => x[1].size - y[1].size);
      assert.is(loops.blockDepth[b], around.length, `${where}: depth of ${b}`);
      assert.is(loops.loopOf[b] === NONE ? undefined : loops.header[loops.loopOf[b]!], around[0]?.[0], `${where}: loop of ${b}`);
      assert.is(isHeader(loops, b as Block), bodies.has(b), where);
      deepest = Math.max(deepest, around.length);
    }
    for (let l = 0; l < loops.count; l++) {
      const p = loops.parent[l]!;
      assert.ok(p < l, where);
      assert.is(loops.depth[l], p === NONE ? 1 : loops.depth[p]! + 1, where);
      if (p !== NONE) assert.ok(bodies.get(loops.header[p]!)!.has(loops.header[l]!), where);
    }
    if (loops.irreducible > 0) irreducible++;
  }
  assert.ok(irreducible > 100, `${irreducible} irreducible graphs`);
  assert.ok(deepest >= 4, `nests of ${deepest}`);
});

const N = 100_000;
const chain = (extra: (i: number) => readonly number[]) =>
  graph(Array.from({ length: N }, (_, i) => (i === N - 1 ? [] : [i + 1, ...extra(i).filter((t) => t > 0 && t < N)])));
/** Shapes on which quadratic algorithms show: 100,000 blocks each. */
const hostile: [string, () => Func][] = [
  ["a straight chain", () => chain(() => [])],
  ["early exits to one block", () => chain(() => [N - 1])],
  ["a nest of loops, all closed at the end", () => graph(Array.from({ length: N }, (_, i) => (i < N / 2 ? [i + 1] : i === N - 1 ? [] : [i + 1, N - 1 - i])))],
  ["back edges to one header", () => chain(() => [1])],
  ["a ladder of joins", () => chain((i) => [i + 2])],
  ["far exits in the order of a stack", () => graph(Array.from({ length: N }, (_, i) => (i < N / 2 ? [i + 1, N - 1 - i] : i === N - 1 ? [] : [i + 1])))],
  ["one br_table to all", () => graph([Array.from({ length: N - 1 }, (_, i) => i + 1), ...Array.from({ length: N - 1 }, (_, i) => (i === N - 2 ? [] : [N - 1]))])],
  ["random and mostly irreducible", () => {
    const random = generator(7);
    return graph(Array.from({ length: N }, () => [1 + random(N - 1), 1 + random(N - 1)]));
  }],
];

for (const [what, make] of hostile) {
  test(`100,000 blocks: ${what}`, () => {
    const fn = make();
    const start = cpuMs();
    const rpo = computeRpo(fn);
    const dom = computeDom(fn);
    const loops = computeLoops(fn, dom, rpo);
    const took = cpuMs() - start;
    assert.ok(took < 3000, `${took.toFixed(0)} ms`);
    assert.ok(loops.count <= N);
    for (let i = 1; i < rpo.order.length; i++) if (rpo.index[dom.idom[rpo.order[i]!]!]! >= i) assert.unreachable("idom behind its block");
    assert.equal(verifyFunc(fn), []);
  });
}

test("the nest of loops is as deep as it looks", () => {
  const loops = computeLoops(hostile[2]![1]());
  let deepest = 0;
  for (const depth of loops.depth) deepest = Math.max(deepest, depth);
  assert.is(deepest, loops.count);
  assert.ok(loops.count > N / 2 - 3);
});

const SAMPLE = `func @0: t0 (i32, i32) -> i32 {
b0(v0: i32, v1: i32):
  v2 = i32.const 3
  v3 = i32.div_u v0, v2
  v4 = i32.div_s v0, v1
  v5 = i32.const -1
  v6 = i32.div_s v0, v5
  v7 = i32.rem_s v0, v5
  v8 = i32.load v0, m0
  i32.store v0, m0, v8
  v9: i32 = global.get g0
  v10: i32 = call @0(v0, v0)
  v11 = i32.const 0
  v12 = i32.rem_u v0, v11
  v13 = table.size T0
  v14 = i32.mul v13, v13
  br b1(v14, v14)
b1(v15: i32, v16: i32):
  return v15
}
`;

test("uses: counts and lists tell the same", () => {
  const fn = parseFunc(SAMPLE);
  const counts = computeUseCounts(fn);
  const uses = computeUses(fn);
  assert.is(counts[0], 9);
  assert.is(counts[14], 2);
  assert.is(counts[16], 0);
  for (let v = 0; v < fn.valueCount; v++) {
    const list = [...uses.users.subarray(uses.start[v]!, uses.start[v + 1]!)];
    assert.is(list.length, counts[v]);
    for (const user of list) {
      if (user >= 0) assert.ok(Array.from({ length: fn.argCount[user]! }, (_, i) => fn.arg(user as Value, i)).includes(v as Value));
      else assert.is(fn.edgeTo[~user], 1);
    }
  }
});

test("effects", () => {
  const fn = parseFunc(SAMPLE);
  const traps = [3, 4, 6, 7, 8, 10, 12, 14].filter((v) => mayTrap(fn, v as Value));
  assert.equal(traps, [4, 6, 8, 10, 12]);
  const removable = Array.from({ length: 15 }, (_, v) => v).filter((v) => isRemovable(fn, v as Value));
  assert.equal(removable, [2, 3, 5, 7, 9, 11, 13, 14]);
  assert.is(readsOf(Op.i32_load), State.memory);
  assert.is(writesOf(Op.i32_load), State.none);
  assert.is(writesOf(Op.memory_copy), State.memory);
  assert.is(readsOf(Op.memory_copy), State.memory);
  assert.is(writesOf(Op.table_set), State.tables);
  assert.is(readsOf(Op.global_get), State.globals);
  assert.is(writesOf(Op.call), State.all);
});

test.run();
