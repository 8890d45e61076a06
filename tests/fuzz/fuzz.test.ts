// The fuzzer's own parts: the same seed gives the same module, differences are seen, the reducer keeps what fails; and a few modules.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { decodeModule } from "../../pipeline/frontend/decode.js";
import { Type } from "../../ir/types.js";
import { latheEngine } from "../lathe.js";
import { callPlan, differences, record, type Record } from "../oracle.js";
import { v8Engine } from "../v8.js";
import { ordinary } from "../generate.js";
import { Generator } from "./generate.js";
import { mutationJob } from "./mutate.js";
import { Random } from "./random.js";
import { reduce, withStubs } from "./reduce.js";

const test = suite("fuzz");
const generator = new Generator();
test.after(() => generator.dispose());

const make = (seed: number) => generator.generate(new Random(seed).bytes(1200), false);

test("the same seed gives the same module, another one another", async () => {
  const [a, b, c] = [await make(5), await make(5), await make(6)];
  assert.equal(a, b);
  assert.not.equal(a, c);
});

test("modules keep to 2.0 without SIMD, and behave as in V8", async () => {
  for (let seed = 0; seed < 8; seed++) {
    const bytes = (await make(seed))!;
    const module = decodeModule(bytes);
    assert.not.ok(module.features.has("simd"));
    const plan = callPlan(module, seed, 1);
    const expected = record(v8Engine, bytes, module, plan, seed);
    for (const mode of ["native", "O0", "baseline", "interp"] as const) assert.equal(differences(record(latheEngine(mode), bytes, module, plan, seed), expected), []);
  }
});

test("differences of every kind are seen", () => {
  const value = (bits: bigint) => ({ kind: "ok", value: [{ type: Type.i32, bits }] }) as const;
  const trap = (kind: string) => ({ kind: "trap", trap: kind, message: kind }) as const;
  const base: Record = { mode: "a", instantiation: { kind: "ok", value: [] }, calls: [{ call: { name: "f", args: [] }, outcome: value(1n) }], log: ["x(1)"], state: ["global g = 1"] };
  const other = (change: Partial<Record>) => differences(base, { ...base, mode: "b", ...change }).length;
  assert.is(other({}), 0);
  assert.is(other({ calls: [{ call: { name: "f", args: [] }, outcome: value(2n) }] }), 1);
  assert.is(other({ calls: [{ call: { name: "f", args: [] }, outcome: trap("unreachable") }] }), 1);
  assert.is(other({ log: [] }), 1);
  assert.is(other({ log: ["x(1)", "x(2)"] }), 1);
  assert.is(other({ state: ["global g = 2"] }), 1);
  assert.is(other({ instantiation: trap("unreachable") }), 1);
  const trapped: Record = { ...base, calls: [{ call: { name: "f", args: [] }, outcome: trap("out_of_bounds_memory") }] };
  assert.is(differences(trapped, { ...trapped, calls: [{ call: { name: "f", args: [] }, outcome: trap("integer_overflow") }] }).length, 1);
  assert.is(differences(trapped, { ...trapped, calls: [{ call: { name: "f", args: [] }, outcome: trap("out_of_bounds_memory") }] }).length, 0);
});

test("the reducer keeps the one body that matters", async () => {
  const bytes = (await make(3))!;
  const module = decodeModule(bytes);
  const first = module.importedFuncCount;
  const count = module.funcs.length - first;
  assert.ok(count > 2);
  // "Fails" while the longest body is there.
  const size = (m: typeof module, i: number) => m.funcs[first + i]!.bodyEnd - m.funcs[first + i]!.bodyStart;
  const longest = Array.from({ length: count }, (_, i) => i).sort((a, b) => size(module, b) - size(module, a))[0]!;
  const wanted = size(module, longest);
  const smaller = await reduce(bytes, async (candidate) => size(decodeModule(candidate), longest) === wanted, () => undefined);
  const reduced = decodeModule(smaller);
  for (let i = 0; i < count; i++) assert.is(size(reduced, i), i === longest ? wanted : 3);
  assert.ok(WebAssembly.validate(smaller));
  assert.ok(WebAssembly.validate(withStubs(ordinary(100), new Set([0]))));
});

test("changed bytes: the same verdict as V8's validator", async () => {
  const result = await mutationJob(generator, { first: 0, count: 300, seed: 11 });
  assert.equal(result.problems, []);
  assert.is(result.same + result.excepted, 300);
  assert.ok(result.accepted > 0 && result.accepted < 300);
});

test.run();
