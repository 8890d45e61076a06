// More than a hundred passes that break something, each caught, each named with its function and the rule, none near native code.
//
// What each was given is in a file, and running it on that file fails in the same way.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { parseMachineModule } from "../../../ir/machine/parse.js";
import { compile, compileSync, definePass, instantiate, parseModule, PassError, watToBytes, type Func, type Pass } from "../../../pipeline/index.js";
import { PassRunner } from "../../../pipeline/runner.js";
import { hostTarget } from "../../../pipeline/targets.js";
import { projectRoot } from "../../bundle.js";
import { commandScript } from "../../command.js";
import { broken, SHAPES, wat } from "./broken-passes.js";

const bytes = await watToBytes(wat);
const folder = mkdtempSync(path.join(tmpdir(), "lathe-broken-"));
test.after(() => rmSync(folder, { recursive: true }));
/** Short for those that have to be stopped. */
const timeoutOf = (pass: Pass) => (/endless-(loop|analysis|walk)|begin-endless|module-endless|machine-endless|wasm-endless|never-done/.test(pass.name) ? 300 : 60_000);

async function failure(pass: Pass): Promise<PassError> {
  try {
    const compiled = await compile(bytes, { passes: [pass], passTimeout: timeoutOf(pass), dumpDir: folder });
    instantiate(compiled, { env: { g: (x: number) => x } });
  } catch (error) {
    if (error instanceof PassError) return error;
    throw new Error(`${pass.name}: no PassError but ${(error as Error).stack}`);
  }
  throw new Error(`${pass.name} was not caught`);
}

function replay(pass: Pass, file: string): PassError {
  const settings = { verify: true, passOptions: {}, passTimeout: timeoutOf(pass), dumpDir: false, target: hostTarget()! } as const;
  try {
    const text = readFileSync(file, "utf8");
    if (file.endsWith(".mir")) {
      const { module, funcs } = parseMachineModule(text, hostTarget()!);
      const runner = new PassRunner(module, [], [pass], settings, []);
      for (const mfn of funcs) runner.runMachine(mfn);
    } else {
      const { module, funcs } = parseModule(text);
      new PassRunner(module, [pass], [], settings, []).runAll(funcs);
    }
  } catch (error) {
    if (error instanceof PassError) return error;
    throw new Error(`${pass.name}, replayed: no PassError but ${(error as Error).stack}`);
  }
  throw new Error(`${pass.name} went through when it was replayed`);
}

test("the module is one that works, and there are at least a hundred ways to break it", () => {
  const { exports } = instantiate(compileSync(bytes, { verify: true, check: true }), { env: { g: (x: number) => x } });
  const v8 = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { g: (x: number) => x } }).exports;
  for (let n = 1; n < 9; n++) assert.is((exports["shapes"] as (n: number) => number)(n), (v8["shapes"] as (n: number) => number)(n));
  assert.ok(broken.length >= 100);
  assert.is(new Set(broken.map(({ pass }) => pass.name)).size, broken.length);
});

for (const { pass, says, rule, func } of broken) {
  test(`${pass.name} (${pass.stage}, ${pass.scope})`, async () => {
    const error = await failure(pass);
    assert.is(error.pass, pass.name);
    assert.ok(error.message.includes(pass.name), error.message);
    assert.match(error.message, says);
    assert.is(error.func, func, error.message);
    if (rule !== undefined) assert.is(error.rule, rule, error.message);
    assert.ok(error.file !== undefined, `the IR before is in no file: ${error.message}`);
    // What a pass kept from an earlier function is not in the file of this one.
    if (pass.stage === "wasm" || /earlier-function|analysis-kept/.test(pass.name)) return;
    const again = replay(pass, error.file);
    assert.match(again.message, says);
    // Machine edges are numbered anew by the parser: which of two broken rules comes first may differ.
    if (pass.stage === "ssa") assert.is(again.rule, error.rule);
  });
}

test("a pass that writes to another function, where all are there at once", () => {
  const funcs: Func[] = [];
  const keep = definePass({ name: "keep", summary: "", stage: "ssa", scope: "module", run: (all) => void funcs.push(...all) });
  for (const direct of [true, false]) {
    const meddle = definePass({
      name: "meddle", summary: "", stage: "ssa", scope: "func", after: [{ pass: "keep", why: "it has them all" }],
      run(fn) {
        if (fn.index !== SHAPES) return;
        if (direct) funcs[0]!.imm[1] = 99;
        else funcs[0]!.valueVersion++;
      },
    });
    funcs.length = 0;
    assert.throws(() => compileSync(bytes, { passes: [keep, meddle], dumpDir: folder }), (error: PassError) => error instanceof PassError && error.rule === "other-function" && /meddle.* wrote to @1 while it ran on another function/.test(error.message));
  }
});

test("in a module that would be compiled lazily, too, a broken pass is found before anything runs", async () => {
  const many = Array.from({ length: 3000 }, (_, i) => `(func (export "f${i}") (param i32) (result i32) (i32.add (i32.mul (local.get 0) (i32.const ${i})) (i32.const 7)))`);
  const large = await watToBytes(`(module ${many.join("\n")})`);
  const late = definePass({ name: "late", summary: "", stage: "ssa", scope: "func", run: (fn) => void (fn.index === 2999 && fn.newBlock()) });
  assert.throws(() => compileSync(large, { passes: [late], dumpDir: folder }), (error: PassError) => error instanceof PassError && error.func === 2999 && error.rule === "terminator");
  // Asked for explicitly, laziness goes for passes as well: then the call fails, and nothing of the function runs.
  const lazy = instantiate(compileSync(large, { passes: [late], dumpDir: folder, lazy: true })).exports as Record<string, (x: number) => number>;
  assert.is(lazy["f5"]!(3), 22);
  assert.throws(() => lazy["f2999"]!(3), /late failed on @2999/);
});

test("a pass in a file: the printed command fails in the same way", () => {
  const file = path.join(folder, "of a file.mjs");
  writeFileSync(file, `
    import { definePass, Op } from "wasmlathe";
    export default definePass({
      name: "from-file", summary: "", stage: "ssa", scope: "func", options: { which: { default: 0, summary: "operand" } },
      run(fn, cx) { const v = fn.valueCount - 1; for (let i = 0; i <= v; i++) if (fn.block[i] >= 0 && fn.op[i] === Op.i32_add) fn.setArg(i, cx.options.which, i); },
    });`);
  writeFileSync(path.join(folder, "shapes.wasm"), bytes);
  const lathe = (...args: string[]): string => {
    try {
      execFileSync(process.execPath, [commandScript(), ...args], { cwd: projectRoot, encoding: "utf8", stdio: "pipe" });
    } catch (error) {
      return (error as { stderr: string }).stderr;
    }
    throw new Error("nothing failed");
  };
  const first = lathe("compile", path.join(folder, "shapes.wasm"), "--pass", `${file},which=1`);
  assert.match(first, /pass from-file failed on @1 "first": the IR behind it does not verify:\n {2}@1 b0 v\d+ \[dominance\]: operand 1/);
  const command = /To see it fail again: lathe (.*)$/m.exec(first)![1]!;
  assert.match(command, /^verify \S+before-from-file-1\.ssa --pass '.*of a file\.mjs,which=1'$/);
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map((word) => word[1] ?? word[2]!);
  const second = lathe(...words);
  assert.is(second.split("\n").slice(0, 2).join("\n"), first.split("\n").slice(0, 2).join("\n"));
});

test.run();
