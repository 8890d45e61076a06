// The type-identity scenarios in every engine, and (T20) with every treatment of types that passes can give them.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pipelines } from "../../pipeline/index.js";
import type { CompileOptions } from "../../pipeline/index.js";
import type { Engine } from "../engine.js";
import { latheEngine } from "../lathe.js";
import { v8Engine } from "../v8.js";
import { scenarios } from "./scenarios.js";
import { shuffleTypes } from "./shuffle-types.js";
import { World } from "./world.js";

const test = suite("type identity");

function runAll(name: string, engine: () => Engine): void {
  for (const scenario of scenarios) {
    test(`${scenario.id} ${scenario.title} [${name}]`, () => {
      const world = new World(engine());
      scenario.run(world);
      world.store.dispose();
    });
  }
}

for (const mode of ["native", "explicit", "O0", "baseline", "interp"] as const) runAll(mode, () => latheEngine(mode, { verify: true }));
runAll("v8", () => v8Engine);

// T20: the pass off, twice, before and behind a pass of a user's that tears the type section apart.
const [first, ...rest] = pipelines[2]!;
const treatments: [string, CompileOptions][] = [
  ["off", { disable: ["canonicalize-types"] }],
  ["twice", { pipeline: [first!, first!, ...rest] }],
  ["behind a user's pass", { passes: [shuffleTypes("before")] }],
  ["before a user's pass", { passes: [shuffleTypes("after")] }],
  ["before and behind one", { pipeline: [first!, shuffleTypes("after"), ...rest] }],
];
for (const [name, options] of treatments) {
  for (const mode of ["native", "interp"] as const) runAll(`T20: pass ${name}, ${mode}`, () => latheEngine(mode, { verify: true, ...options }));
}

test("the treatments differ: the type section of a compiled module is what its passes made of it", () => {
  assert.is(first, "canonicalize-types");
  const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 7, 2, 0x60, 0, 0, 0x60, 0, 0]);
  const types = (options: CompileOptions) => (latheEngine("native", options).compile(bytes) as { module: { types: unknown[] } }).module.types.length;
  assert.is(types({}), 1);
  assert.is(types({ disable: ["canonicalize-types"] }), 2);
  assert.is(types({ passes: [shuffleTypes("before")] }), 2);
  assert.is(types({ passes: [shuffleTypes("after")] }), 4);
});

test.run();
