// Bisecting: planted wrong passes of every kind are found with pass and function; what is right is said to be.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execFileSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { bisect, type BisectResult } from "../../../pipeline/bisect.js";
import { compile, definePass, NONE, Op, Type, watToBytes, type CompileOptions, type Func, type Pass, type Value } from "../../../pipeline/index.js";
import { runNode, runOurs, sameOutcome, type Call } from "../../../pipeline/outcome.js";
import { projectRoot } from "../../bundle.js";
import { commandScript } from "../../command.js";

// Many functions of one shape; `all` calls every one, and only the one in question is changed by a planted pass.
const names = Array.from({ length: 12 }, (_, i) => `f${i}`);
const wat = `(module
  (import "env" "log" (func $log (param i32)))
  (memory (export "memory") 1)
  (global $n (mut i32) (i32.const 123457))
  ${names.map((name, i) => `(func $${name} (param i32) (result i32) (i32.add (i32.mul (local.get 0) (i32.const ${1009 + 2 * i})) (i32.shr_u (global.get $n) (local.get 0))))`).join("\n")}
  (func (export "all") (param i32) (result i32) (local i32)
    ${names.map((name) => `(local.set 1 (i32.xor (local.get 1) (call $${name} (local.get 0))))`).join("\n")}
    (i32.store (i32.const 64) (local.get 1))
    (call $log (local.get 1))
    (i32.div_s (local.get 1) (local.get 0))))`;
const bytes = await watToBytes(wat);
const plain = await compile(bytes, { level: 0, engine: "interpreter" });
const call: Call = { name: "all", sig: { params: [Type.i32], results: [Type.i32] }, args: [5n], timeout: 60_000 };
const expected = runOurs(plain, plain.module, call);

/** Changes the first `op` of one function; the others are changed in ways that do not matter. */
function planted(index: number, edit: (fn: Func, v: Value) => void, op: Op, more: Partial<Pass> = {}): Pass {
  const run = (fn: Func) => {
    let done = false;
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
      for (let v = fn.firstInst[b]!; v !== NONE && !done; v = fn.next[v]!) {
        if (fn.op[v] !== op || fn.index !== index) continue;
        edit(fn, v as Value);
        done = true;
      }
    }
    if (!done) fn.insertBefore(fn.firstInst[fn.entry]! as Value, Op.i32_const, Type.i32, [], 99);
  };
  const after = [{ pass: "copy-fold", why: "in the middle" }];
  return more.scope === "module"
    ? definePass({ name: "planted", summary: "", stage: "ssa", scope: "module", after, run: (funcs) => funcs.forEach(run) })
    : definePass({ name: "planted", summary: "", stage: "ssa", scope: "func", after, run });
}

async function find(options: CompileOptions, reference = expected): Promise<BisectResult | undefined> {
  const compilation = await compile(bytes, { ...options, record: true });
  return bisect(compilation, reference, (compiled) => runOurs(compiled, plain.module, call));
}

test("what is right is said to be right, at every level, against both references", async () => {
  const v8 = runNode(bytes, plain.module, call);
  assert.ok(sameOutcome(v8, expected), JSON.stringify([v8, expected]));
  assert.is(expected.callCount, 1);
  for (const level of [0, 1, 2] as const) {
    assert.is(await find({ level }), undefined);
    assert.is(await find({ level }, v8), undefined);
  }
});

test("a wrong pass over functions: pass and function, in few runs", async () => {
  for (const index of [1, 6, 12]) {
    for (const level of [0, 2] as const) {
      const pass = { ...planted(index, (fn, v) => fn.become(v, Op.i32_sub, [fn.arg(v, 0), fn.arg(v, 1)]), Op.i32_add), ...(level === 0 && { after: [] }) } as Pass;
      const result = await find({ level, passes: [pass] });
      assert.is(result?.step, "planted");
      assert.is(result?.before, level === 0 ? "canonicalize-types" : "copy-fold");
      assert.is(result?.func, index);
      assert.ok(result!.trials <= 14, `${result!.trials} runs`);
    }
  }
});

test("a wrong pass over the module; one that makes a function trap; one that only changes what is stored", async () => {
  const sub = (fn: Func, v: Value) => fn.become(v, Op.i32_sub, [fn.arg(v, 0), fn.arg(v, 1)]);
  const whole = await find({ passes: [planted(4, sub, Op.i32_add, { scope: "module" })] });
  assert.equal([whole?.step, whole?.func], ["planted", 4]);
  const traps = await find({ passes: [planted(13, (fn, v) => fn.setArg(v, 1, fn.insertBefore(v, Op.i32_const, Type.i32, [], 0)), Op.i32_div_s)] });
  assert.equal([traps?.step, traps?.func, traps?.found.trap], ["planted", 13, "integer_divide_by_zero"]);
  const stores = await find({ passes: [planted(13, (fn, v) => fn.become(v, Op.i32_store, [fn.arg(v, 0), fn.arg(v, 1)], 4, fn.imm2[v]!), Op.i32_store)] });
  assert.equal([stores?.step, stores?.func], ["planted", 13]);
});

test("a wrong machine pass, and declarations that a pass changed", async () => {
  const machine = definePass({
    name: "planted-machine", summary: "", stage: "machine", scope: "func",
    run(mfn) {
      // The multiplier 1021 of f6 becomes 1022: constants of lowering are immediates.
      if (mfn.index !== 7) return;
      for (let i = 0; i < mfn.instCount; i++) for (const column of [mfn.imm, mfn.imm2, mfn.imm3]) if (column[i] === 1021) column[i] = 1022;
    },
  });
  const result = await find({ level: 0, passes: [machine] });
  assert.equal([result?.step, result?.before, result?.func], ["planted-machine", "lower", 7]);
  const decls = definePass({
    name: "planted-global", summary: "", stage: "ssa", scope: "func",
    begin: (module) => void (module.globals[0]!.init = [{ op: "i32.const", lo: 7000, hi: 0 }]),
    run: () => undefined,
  });
  const global = await find({ passes: [decls] });
  assert.equal([global?.step, global?.func], ["planted-global", undefined]);
});

test("passes that add imports and functions are no mistake", async () => {
  const hook = definePass({
    name: "hook", summary: "", stage: "ssa", scope: "func",
    begin: (_, cx) => cx.edit.addImportFunc("hooks", "enter", { params: [], results: [] }),
    run: (fn, _, enter) => void fn.insertBefore(fn.firstInst[fn.entry]! as Value, Op.call, Type.none, [], enter),
  });
  assert.is(await find({ passes: [hook] }), undefined);
});

test("the command says it, with the command that shows the difference", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "lathe-bisect-"));
  const lathe = (...args: string[]): string => {
    try {
      return execFileSync(process.execPath, [commandScript(), ...args], { cwd: projectRoot, encoding: "utf8", stdio: "pipe" });
    } catch (error) {
      return `${(error as { status: number }).status}\n${(error as { stdout: string }).stdout}${(error as { stderr: string }).stderr}`;
    }
  };
  try {
    const wasm = path.join(folder, "m.wasm");
    const pass = path.join(folder, "wrong.mjs");
    writeFileSync(wasm, bytes);
    writeFileSync(pass, `import { definePass, Op } from "wasmlathe";
      export default definePass({ name: "wrong", summary: "", stage: "ssa", scope: "func", options: { func: { default: 0, summary: "which" } },
        run(fn, cx) { if (fn.index !== cx.options.func) return; for (let v = 0; v < fn.valueCount; v++) if (fn.op[v] === Op.i32_add && fn.block[v] >= 0) fn.become(v, Op.i32_or, [fn.arg(v, 0), fn.arg(v, 1)]); } });`);
    const said = lathe("run", wasm, "--bisect", "--against", "v8", "--invoke", "all", "1", "--pass", `${pass},func=6`);
    assert.match(said, /^1\nwrong: "all" gives -?\d+.*; Node's engine says -?\d+.*\npass: wrong, step 3 of \d+, behind canonicalize-types\nfunction: @6 "f5"\nfound in \d+ runs/);
    const command = /^ {2}lathe (diff .*)$/m.exec(said)![1]!;
    assert.match(lathe(...command.split(" ")), /i32\.add[^]*i32\.or/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
