// dist/quick: the engine of wasmlathe/register as one script with V8's bytecode, and what happens where that does not fit.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { engineScript, evaluate } from "../../pipeline/quick-start.js";
import { projectRoot } from "../bundle.js";

const dist = path.join(projectRoot, "dist");
const entry = (directory: string) => pathToFileURL(path.join(directory, "entry.js")).href;
const bytes = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 6, 1, 4, 0, 65, 42, 11]);

test("the build leaves a script and bytecode that this V8 takes", () => {
  const names = readdirSync(path.join(dist, "quick")).sort();
  assert.is(names.length, 2);
  assert.match(names[0]!, /^engine-[0-9a-f]{16}\.bytecode$/);
  assert.is(names[1], names[0]!.replace(".bytecode", ".cjs"));
  const engine = engineScript(entry(dist))!;
  assert.is(engine.script.cachedDataRejected, false);
  const { webAssembly } = evaluate(engine);
  for (const lazy of [true, false]) {
    const { exports } = new (webAssembly({ lazy }).Instance)(new (webAssembly({ lazy }).Module)(bytes));
    assert.is((exports["f"] as () => number)(), 42);
  }
});

test("bytecode that does not fit is left alone; without a script there is none", () => {
  const directory = mkdtempSync(path.join(tmpdir(), "lathe-quick-"));
  try {
    assert.is(engineScript(entry(directory)), undefined);
    mkdirSync(path.join(directory, "quick"));
    assert.is(engineScript(entry(directory)), undefined);
    for (const name of readdirSync(path.join(dist, "quick"))) copyFileSync(path.join(dist, "quick", name), path.join(directory, "quick", name));
    const bytecode = path.join(directory, "quick", readdirSync(path.join(directory, "quick")).find((name) => name.endsWith(".bytecode"))!);
    const damaged = readFileSync(bytecode);
    damaged.fill(0, 0, 64);
    writeFileSync(bytecode, damaged);
    assert.is(engineScript(entry(directory))!.script.cachedDataRejected, true);
    rmSync(bytecode);
    assert.is(engineScript(entry(directory))!.script.cachedDataRejected, undefined);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test.run();
