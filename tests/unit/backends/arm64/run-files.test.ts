// Every file test that runs code, and every module on which the fuzzer once found something, compiled for arm64: the compiler and the
// runtime are this host's, the code runs in an emulated process (tests/emulated/code-only.ts).
//
// The same checks in the same modes as `tests/files.test.ts` makes with this host's own code: what the `run:` lines expect, and whatever can
// be seen of a fuzzer's module (results, traps, host calls, memories, tables, globals) as the interpreter and V8 have it. Nothing is left out.
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { toBytes } from "../../../../pipeline/frontend/wat.js";
import { hostTarget } from "../../../../pipeline/targets.js";
import { projectRoot } from "../../../bundle.js";
import { emulateCode, hasEmulator } from "../../../emulated/code-only.js";
import { fuzzModules, readHeader, runCalls, runFuzzModule } from "../../../filetest.js";
import { testWithout } from "../../../missing.js";

const directory = path.join(projectRoot, "tests", "files");

if (hasEmulator()) {
  const processor = emulateCode();
  let calls = 0;
  /** The calls into emulated code that a test made: none would be a test of nothing. */
  const emulated = (name: string, run: () => Promise<readonly string[]>) =>
    test(name, async () => {
      assert.equal(await run(), []);
      assert.ok(processor.calls > calls, "no code ran in the emulated process");
      calls = processor.calls;
    });

  test("code is made for arm64", () => assert.is(hostTarget()?.name, "arm64"));
  const files = readdirSync(directory, { recursive: true }).map(String).filter((name) => name.endsWith(".wat")).sort();
  let ran = 0;
  for (const name of files) {
    const text = readFileSync(path.join(directory, name), "utf8");
    const { tests, runs } = readHeader(text);
    if (!tests.some(([what]) => what === "run")) continue;
    ran++;
    emulated(name, async () => runCalls(await toBytes(text), runs));
  }
  const fuzzed = fuzzModules(directory);
  for (const file of fuzzed) emulated(file, () => runFuzzModule(path.join(directory, file)));
  test("there are files of both kinds", () => assert.ok(ran >= 9 && fuzzed.length >= 27, `${ran} run files, ${fuzzed.length} modules`));
} else testWithout(test, "file tests, emulated", "qemu-aarch64 (qemu-user)");

test.run();
