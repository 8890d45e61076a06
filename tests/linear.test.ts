// Compile time is linear in a function's size, and no shape of code overflows a stack or takes more than seconds.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compileSync, instantiate, type CompileOptions } from "../pipeline/index.js";
import { brTable, manyCalls, manyLocals, nestedBlocks, nestedIfs, nestedLoops, ordinary, wideJoin } from "./generate.js";

const test = suite("linear");

function seconds(bytes: Uint8Array, options: CompileOptions): number {
  const started = process.cpuUsage();
  compileSync(bytes, { ...options, lazy: false });
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
}

/** Microseconds of processor time per Wasm instruction, the best of `rounds`. */
function cost(count: number, options: CompileOptions, rounds: number): number {
  const bytes = ordinary(count);
  let best = Infinity;
  for (let i = 0; i < rounds; i++) best = Math.min(best, seconds(bytes, options));
  return (best * 1e6) / count;
}

for (const level of ["baseline", 0, 2] as const) {
  test(`an instruction of 1,000,000 costs less than twice one of 10,000 at level ${level}`, () => {
    for (let i = 0; i < 5; i++) seconds(ordinary(10_000), { level });
    const small = cost(10_000, { level }, 5);
    const middle = cost(100_000, { level }, 2);
    const large = cost(1_000_000, { level }, 1);
    console.log(`\nnote: level ${level}: ${small.toFixed(2)}, ${middle.toFixed(2)}, ${large.toFixed(2)} us an instruction in functions of 10 k, 100 k, 1 M`);
    assert.ok(large < 2 * small, `${large.toFixed(2)} us against ${small.toFixed(2)} us`);
  });
}

/** Results are V8's. */
const shapes: [string, () => Uint8Array, number | undefined, number][] = [
  ["10,000 nested blocks", () => nestedBlocks(10_000), 30012, 12],
  ["10,000 nested loops", () => nestedLoops(10_000), 0, 12],
  ["10,000 nested ifs", () => nestedIfs(10_000), 10012, 12],
  // More than V8 takes: the result by the generator's rule.
  ["a br_table of 100,000 entries", () => brTable(100_000), 1000 + ((99_999 * 31 + (99_999 >> 8)) % 64), 99_999],
  ["50,000 locals", () => manyLocals(49_999), 9, 12],
  ["100,000 ways into one block", () => wideJoin(100_000), 48, 12],
  ["20,000 calls", () => manyCalls(20_000), undefined, 0],
];

for (const [name, make, expected, argument] of shapes) {
  test(name, () => {
    const bytes = make();
    for (const level of ["baseline", 0, 2] as const) {
      const started = process.cpuUsage();
      const compiled = compileSync(bytes, { level, lazy: false });
      const { user, system } = process.cpuUsage(started);
      const took = (user + system) / 1e6;
      const run = instantiate(compiled).exports["run"] as (x: number) => number;
      const result = run(argument);
      assert.is(result, expected ?? 1, `level ${level}`);
      assert.ok(took < 20, `level ${level}: ${took.toFixed(1)} s`);
    }
  });
}

test.run();
