// Every file test that runs code (tests/files), compiled for arm64 and run by the emulator in bulk: what its `run:` lines expect, which
// the native modes, the interpreter and V8 meet on this host, too. Modules that need a runtime (imports, growth) run in an emulated
// Node alone: `npm run arm64`. They are counted, with the reason.
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { trapInfo, TrapKind } from "../../../../ir/layout.js";
import { Type } from "../../../../ir/types.js";
import { toBytes } from "../../../../pipeline/frontend/wat.js";
import type { CompileOptions } from "../../../../pipeline/index.js";
import { projectRoot } from "../../../bundle.js";
import { printOutcome, printVal, type Outcome, type Val } from "../../../engine.js";
import { meets, parseRun, readHeader } from "../../../filetest.js";
import { testWithout } from "../../../missing.js";
import { hasEmulator, runBulk } from "./bulk.js";
import { compileForArm64, programOf, tooMuch } from "./program.js";

const directory = path.join(projectRoot, "tests", "files");
const variants: readonly CompileOptions[] = [{ level: 2 }, { level: 2, bounds: "explicit" }, { level: 1 }, { level: 0 }];

/** Text of every file test with `test: run`, by its path. */
function runFiles(): [string, string][] {
  return readdirSync(directory, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".wat"))
    .sort()
    .map((name): [string, string] => [name, readFileSync(path.join(directory, name), "utf8")])
    .filter(([, text]) => readHeader(text).tests.some(([what]) => what === "run"));
}

function check(bytes: Uint8Array, lines: readonly string[]): void {
  const calls = lines.map(parseRun);
  for (const options of variants) {
    const compilation = compileForArm64(bytes, options);
    const { module } = compilation;
    const funcs = calls.map(({ name }) => module.exports.find((item) => item.kind === "func" && item.name === name)!.index as number);
    const outcomes = runBulk(programOf(compilation), calls.map(({ args }, n) => ({ func: funcs[n]!, args: args.map((arg) => arg.bits) })));
    calls.forEach(({ name, args, expected }, n) => {
      const { trap, results } = outcomes[n]!;
      const { results: types } = module.funcType(funcs[n] as never);
      const outcome: Outcome<readonly Val[]> =
        trap === TrapKind.none
          ? { kind: "ok", value: results.map((bits, i) => ({ type: types[i]!, bits: compact(bits, types[i]!) })) }
          : { kind: "trap", trap: trapInfo[trap].name, message: trapInfo[trap].message };
      assert.ok(meets(outcome, expected, "arm64"), `${JSON.stringify(options)}: ${name}(${args.map(printVal).join(", ")}): got ${printOutcome(outcome)}`);
    });
  }
}

const compact = (bits: bigint, type: Type): bigint => (type === Type.i32 || type === Type.f32 ? BigInt.asUintN(32, bits) : bits);

if (hasEmulator()) {
  const left: string[] = [];
  for (const [name, text] of runFiles()) {
    const bytes = await toBytes(text);
    const why = tooMuch(bytes);
    if (why === undefined) test(name, () => check(bytes, readHeader(text).runs));
    else left.push(`${name} (${why})`);
  }
  test("most of the files are held", () => assert.ok(left.length < runFiles().length / 2, left.join(", ")));
  const fuzz = readdirSync(path.join(directory, "fuzz")).filter((file) => file.endsWith(".wasm"));
  console.log(`note: only in an emulated Node (npm run arm64): ${left.join(", ") || "none"}; ${fuzz.length} modules of files/fuzz (imports)`);
} else testWithout(test, "file tests, emulated", "qemu-aarch64 (qemu-user)");

test.run();
