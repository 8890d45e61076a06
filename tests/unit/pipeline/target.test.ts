// Code for any target on any host: made, shown and refused where it cannot run; CPU features by the target's own names.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadDisassembler } from "../../../pipeline/dump/asm.js";
import { dumpStage, isRecorded, stages } from "../../../pipeline/dump/stages.js";
import { watToBytes } from "../../../pipeline/frontend/wat.js";
import { compileSync, instantiate, targetNames, type FuncIndex } from "../../../pipeline/index.js";
import { targets } from "../../../pipeline/targets.js";

const test = suite("targets");
const bytes = await watToBytes('(module (memory 1) (func (export "f") (param i32) (result i32) (i32.add (i32.load (local.get 0)) (i32.const 41))))');

test("there are two, and one of them runs here", () => {
  assert.equal(targetNames, ["amd64", "arm64"]);
  assert.is(targets.filter((target) => target.stubs.architecture === process.arch).length, 1);
});

for (const { name, stubs, features } of targets) {
  test(`${name}: every stage can be shown`, async () => {
    const compilation = compileSync(bytes, { target: name, record: true, verify: true, check: true });
    if (!isRecorded(compilation)) throw new Error("not recorded");
    const disassembler = await loadDisassembler(compilation.target);
    const texts = stages.map((stage) => dumpStage(compilation, 0 as FuncIndex, stage, disassembler));
    disassembler.close();
    for (const text of texts) assert.ok(text.length > 0);
    assert.match(texts.at(-1)!, new RegExp(`; ${name}, \\d+ bytes`));
    assert.not.match(texts.at(-1)!, /\.(byte|word) /);
  });

  test(`${name}: runs on its own hosts, and is refused with a sentence elsewhere`, () => {
    const compiled = compileSync(bytes, { target: name });
    assert.is(compiled.code!.target, name);
    if (stubs.architecture === process.arch) {
      assert.is((instantiate(compiled).exports["f"] as (at: number) => number)(0), 41);
    } else {
      assert.throws(() => instantiate(compiled), `the module was compiled for ${name}, which this host (${process.arch}) cannot run`);
    }
  });

  test(`${name}: what is interpreted runs anywhere`, () => {
    assert.is((instantiate(compileSync(bytes, { target: name, engine: "interpreter" })).exports["f"] as (at: number) => number)(0), 41);
  });

  test(`${name}: features by name`, () => {
    compileSync(bytes, { target: name, features });
    assert.throws(() => compileSync(bytes, { target: name, features: ["warp"] }), `${name} has no CPU feature "warp"; known are ${features.join(", ") || "none"}`);
  });
}

test("unknown names are refused with those there are", () => {
  assert.throws(() => compileSync(bytes, { target: "pdp11" }), 'there is no target "pdp11"; there are amd64, arm64');
  assert.throws(() => compileSync(bytes, { engine: "steam" as "native" }), 'engine is "native" or "interpreter", not "steam"');
});

test.run();
