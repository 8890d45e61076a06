// Parallel moves: every sequence is executed and must leave each destination with what its source held.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { FIRST_FLOAT_REG, FIRST_SLOT } from "../../../ir/machine/mfunc.js";
import { Type, valueTypes } from "../../../ir/types.js";
import { ParallelMove, REMAT, Step } from "../../../backends/regalloc/parallel-move.js";
import { Random, registerFile } from "./random-mfunc.js";
import { cpuMs } from "../../cpu-time.js";

const registers = registerFile(8, 8);

/** Runs the moves on a machine of 8-byte words (registers: two, a v128 fills both); returns a mistake, if any. */
function mistake(moves: readonly [dst: number, src: number, type: Type][], resolver: ParallelMove): string | undefined {
  resolver.clear();
  moves.forEach(([dst, src, type], i) => resolver.add(dst, src, i, type));
  resolver.resolve();
  const low = new Map<number, string>();
  const high = new Map<number, string>();
  const read = (loc: number, wide: boolean): [string, string] => {
    const l = low.get(loc) ?? `old ${loc}`;
    if (!wide) return [l, "rest"];
    return [l, loc >= FIRST_SLOT ? (low.get(loc + 1) ?? `old ${loc + 1}`) : (high.get(loc) ?? `old high ${loc}`)];
  };
  const write = (loc: number, value: [string, string], wide: boolean): void => {
    low.set(loc, value[0]);
    if (wide && loc >= FIRST_SLOT) low.set(loc + 1, value[1]);
    else if (loc < FIRST_SLOT) high.set(loc, value[1]);
  };
  for (let s = 0; s < resolver.outCount; s++) {
    const dst = resolver.outDst[s];
    const src = resolver.outSrc[s];
    const wide = resolver.outType[s] === Type.v128;
    if (resolver.outStep[s] === Step.remat) write(dst, [`made ${resolver.outVreg[s]}`, "rest"], wide);
    else if (resolver.outStep[s] === Step.swap) {
      if (dst >= FIRST_FLOAT_REG || src >= FIRST_FLOAT_REG) return "swap of something else than integer registers";
      const a = read(dst, false);
      write(dst, read(src, false), false);
      write(src, a, false);
    } else {
      if (dst >= FIRST_SLOT && src >= FIRST_SLOT) return "move from slot to slot";
      const float = valueTypes[resolver.outType[s]].class === 1;
      for (const loc of [dst, src]) if (loc < FIRST_SLOT && loc >= FIRST_FLOAT_REG !== float) return `type ${resolver.outType[s]} in register ${loc}`;
      write(dst, read(src, wide), wide);
    }
  }
  for (const [i, [dst, src, type]] of moves.entries()) {
    const wide = type === Type.v128;
    const was: [string, string] = src === REMAT ? [`made ${i}`, "rest"] : [`old ${src}`, wide ? (src >= FIRST_SLOT ? `old ${src + 1}` : `old high ${src}`) : "rest"];
    const is = read(dst, wide && src !== REMAT);
    if (is[0] !== was[0] || (wide && src !== REMAT && is[1] !== was[1])) return `move ${i}: ${dst} holds ${is}, not ${was}`;
  }
  return undefined;
}

test("a chain, a swap, a rotation", () => {
  const resolver = new ParallelMove(registers);
  assert.is(mistake([[1, 0, Type.i64], [2, 1, Type.i64], [3, 2, Type.i32]], resolver), undefined);
  assert.is(resolver.outCount, 3);
  assert.is(mistake([[1, 0, Type.i64], [0, 1, Type.i64]], resolver), undefined);
  assert.is(resolver.outCount, 1, "two integer registers are exchanged");
  assert.is(mistake([[1, 0, Type.i64], [2, 1, Type.i64], [0, 2, Type.i64]], resolver), undefined);
  assert.is(resolver.outCount, 4, "a rotation takes one move more than it has elements");
  assert.is(mistake([[0, 0, Type.i64]], resolver), undefined);
  assert.is(resolver.outCount, 0, "a move to itself is none");
});

test("cycles of slots of every width", () => {
  const resolver = new ParallelMove(registers);
  const s = FIRST_SLOT;
  assert.is(mistake([[s, s + 2, Type.v128], [s + 2, s, Type.v128]], resolver), undefined);
  assert.is(mistake([[s, s + 1, Type.i32], [s + 1, s, Type.f64]], resolver), undefined);
  assert.is(mistake([[s, 0, Type.i32], [33, s, Type.f64], [s + 1, 33, Type.f32], [0, s + 1, Type.i64]], resolver), undefined);
});

test("a location written twice is refused", () => {
  const resolver = new ParallelMove(registers);
  resolver.add(1, 0, 5, Type.i64);
  resolver.add(1, 2, 6, Type.i64);
  assert.throws(() => resolver.resolve(), /location 1 is written twice \(v5, v6\)/);
  assert.is(mistake([[1, 0, Type.i64], [0, 1, Type.i64]], resolver), undefined, "and the resolver still works afterwards");
});

test("random moves: permutations, duplicated sources, slots, both classes, remats", () => {
  const resolver = new ParallelMove(registers);
  const ints = [0, 1, 2, 3, 4, 5, 6, 7];
  const floats = [32, 33, 34, 35, 36, 37];
  for (let seed = 0; seed < 20000; seed++) {
    const random = new Random(seed);
    // Slots 0-7 are single, 8-15 are pairs.
    const singles = [...Array(1 + random.below(8)).keys()].map((n) => FIRST_SLOT + n);
    const pairs = [...Array(random.below(4)).keys()].map((n) => FIRST_SLOT + 8 + 2 * n);
    const open = [...ints, ...floats, ...singles, ...pairs];
    const moves: [number, number, Type][] = [];
    const used = new Set<number>();
    for (let n = random.below(16); n > 0; n--) {
      const dst = open[random.below(open.length)];
      if (used.has(dst)) continue;
      used.add(dst);
      const isPair = dst >= FIRST_SLOT + 8;
      const isSlot = dst >= FIRST_SLOT;
      const wideRegister = dst >= FIRST_FLOAT_REG && !isSlot && pairs.length > 0 && random.chance(40);
      const float = isPair || (isSlot ? random.chance(50) : dst >= FIRST_FLOAT_REG);
      const from = isPair || wideRegister ? [...floats, ...pairs] : float ? [...floats, ...singles] : [...ints, ...singles];
      const type = isPair || wideRegister ? Type.v128 : float ? [Type.f32, Type.f64][random.below(2)] : [Type.i32, Type.i64, Type.funcref][random.below(3)];
      moves.push([dst, random.chance(8) ? REMAT : from[random.below(from.length)], type]);
    }
    const wrong = mistake(moves, resolver);
    if (wrong !== undefined) assert.unreachable(`seed ${seed}: ${wrong}; moves ${JSON.stringify(moves)}`);
  }
});

test("100,000 slots moved round take time in proportion", () => {
  const resolver = new ParallelMove(registers);
  const time = (n: number): number => {
    const start = cpuMs();
    resolver.clear();
    for (let i = 0; i < n; i++) resolver.add(FIRST_SLOT + i, FIRST_SLOT + ((i + 1) % n), i, Type.i64);
    resolver.resolve();
    assert.is(resolver.outCount, 2 * n);
    return cpuMs() - start;
  };
  time(100000);
  const small = Math.min(time(10000), time(10000), time(10000));
  const large = Math.min(time(100000), time(100000), time(100000));
  assert.ok(large < small * 40, `${small} ms for 10,000, ${large} ms for 100,000`);
});

test.run();
