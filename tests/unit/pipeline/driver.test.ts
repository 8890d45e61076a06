// The driver: streaming and recording make the same code, history, observers, statistics, failures, options.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { applyPatches } from "immer";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Op } from "../../../ir/ops.js";
import { Type } from "../../../ir/types.js";
import {
  compile, compileSync, definePass, instantiate, NONE, PassError, printFunc, rpo, WasmError, watToBytes, type FuncPass, type Func, type Value,
} from "../../../pipeline/index.js";
import { projectRoot } from "../../bundle.js";
import { commandScript } from "../../command.js";

const wat = `(module
  (import "env" "g" (func $g (param i32) (result i32)))
  (type $t (func (param i32) (result i32)))
  (type $same (func (param i32) (result i32)))
  (table 2 funcref)
  (elem (i32.const 0) $f $g)
  (memory 1)
  (func $f (export "f") (param i32) (result i32)
    (i32.add (i32.mul (local.get 0) (i32.const 8)) (i32.add (i32.const 1) (i32.const 2))))
  (func $sum (export "sum") (param i32) (result i32) (local i32)
    (loop $again
      (local.set 1 (i32.add (local.get 1) (call_indirect (type $same) (local.get 0) (i32.const 0))))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i32.add (local.get 1) (call $g (local.get 1)))))`;
const bytes = await watToBytes(wat);
const imports = { env: { g: (x: number) => x * 1000 } };

function everyAdd(fn: Func, visit: (v: Value) => void): void {
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
    for (let v = fn.firstInst[b]!; v !== NONE; v = fn.next[v]!) if (fn.op[v] === Op.i32_add) visit(v as Value);
  }
}

test("streaming, recording and a module pass make the same bytes, twice the same", () => {
  const all = definePass({ name: "all", summary: "sees all", stage: "ssa", scope: "module", run: (funcs, cx) => cx.count("funcs", funcs.length) });
  for (const level of [0, 1, 2] as const) {
    const streamed = compileSync(bytes, { level });
    const variants = [compileSync(bytes, { level }), compileSync(bytes, { level, record: true }), compileSync(bytes, { level, passes: [all], verify: true, check: true })];
    for (const other of variants) assert.equal(other.code, streamed.code);
    assert.equal(variants[2]!.stats.passes.find((pass) => pass.name === "all")!.counts, { funcs: 2 });
    assert.is((instantiate(streamed, imports).exports as { sum(n: number): number }).sum(4), 92 + 92_000);
  }
});

test("text is compiled, too, and binaryen's passes run on bytes", async () => {
  const compiled = await compile(wat, { passes: ["binaryen:O2"], verify: true });
  assert.is((instantiate(compiled, imports).exports as { sum(n: number): number }).sum(4), 92_092);
  assert.is(compiled.stats.passes[0]!.name, "binaryen:O2");
  assert.is(compiled.stats.passes[0]!.runs, 1);
  assert.is(compiled.module.funcs[2]!.name, "sum", "names are kept");
  await compile("(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 1) (i32.const 9))))", { passes: ["binaryen:O2"] });
  assert.throws(() => compileSync(bytes, { passes: ["binaryen:O2"] }), /use compile\(\)/);
  const broken = definePass({ name: "broken", summary: "", stage: "wasm", scope: "module", run: () => new Uint8Array(3) });
  const ended = await compile(bytes, { passes: [broken] }).then(() => undefined, (error: Error) => error);
  assert.instance(ended, PassError);
  assert.instance((ended as PassError).cause, WasmError);
});

test("history: a revision a pass, snapshots sealed, patches lead back and forth", () => {
  const { history } = compileSync(bytes, { record: true });
  assert.ok(history);
  const { records, revision } = history.current;
  assert.equal(records.slice(0, 2).map((record) => record.name), ["translate", "canonicalize-types"]);
  assert.equal(records.slice(-3).map((record) => record.name), ["lower", "allocate", "emit"]);
  const first = history.at(1).funcs[1]!.ssa!;
  assert.ok(printFunc(first).includes("i32.mul"));
  assert.ok(!printFunc(history.after("simplify")!.funcs[1]!.ssa!).includes("i32.mul"));
  assert.throws(() => first.append0(first.entry, Op.i32_const, Type.i32), TypeError);
  assert.is(history.after("critical-edges")!.funcs[1], history.after("dce")!.funcs[1], "what a pass leaves alone is shared");
  const forward = applyPatches(history.at(2), history.patches(2, revision));
  assert.equal(forward.records, history.current.records);
  assert.equal(forward.funcs[1]!.code, history.current.funcs[1]!.code);
  const back = applyPatches(history.current, history.patches(revision, 2));
  assert.is(back.funcs[2]!.ssa, history.at(2).funcs[2]!.ssa);
  assert.throws(() => history.at(revision + 1), /no revision/);
});

test("a required pass that was switched off is a diagnostic", () => {
  const { history } = compileSync(bytes, { record: true, disable: ["canonicalize-types"] });
  assert.equal(history!.current.diagnostics.map(({ severity, message }) => `${severity}: ${message}`), [
    "warning: canonicalize-types is switched off: every pass may compare types of one module by index",
  ]);
});

test("observers see every step of every function, in order", () => {
  const seen: string[] = [];
  compileSync(bytes, {
    level: 0,
    observe: {
      ssa: (fn, pass) => seen.push(`${fn.index} ${pass}`),
      machine: (mfn, step) => seen.push(`${mfn.index} ${step}`),
      code: (code) => seen.push(`${code.func} code`),
    },
  });
  const steps = ["translate", "canonicalize-types", "unreachable-code", "critical-edges", "block-layout", "lower", "allocate", "code"];
  assert.equal(seen, [1, 2].flatMap((index) => steps.map((step) => `${index} ${step}`)));
});

test("statistics count what was compiled", () => {
  const { stats, code } = compileSync(bytes);
  assert.is(stats.functions, 2);
  assert.is(stats.moduleBytes, bytes.length);
  assert.is(stats.codeBytes, code!.bytes.length);
  assert.ok(stats.bodyBytes > 0 && stats.bodyBytes < bytes.length);
  assert.ok(stats.ms.total > 0);
  for (const pass of stats.passes) assert.is(pass.runs, 2, pass.name);
});

test("only: the functions asked for; what is no function with a body is refused", () => {
  const seen: number[] = [];
  const compiled = compileSync(bytes, { only: [2], observe: { code: (code) => seen.push(code.func) } });
  assert.equal(seen, [2]);
  assert.is(compiled.code, undefined);
  assert.throws(() => compileSync(bytes, { only: [0] }), /no function @0 with a body/);
});

test("machine passes see machine IR; options reach their pass; begin comes before all functions", () => {
  const log: string[] = [];
  const machine = definePass({ name: "look", summary: "looks", stage: "machine", scope: "func", run: (mfn) => void log.push(`machine ${mfn.index}`) });
  const ssa = definePass({
    name: "greet",
    summary: "greets",
    stage: "ssa",
    scope: "func",
    options: { times: { default: 1, summary: "how often" } },
    begin: (module, cx) => `${module.funcs.length} functions, ${cx.options["times"]} times`,
    run: (fn, cx, state) => void log.push(`${state}, @${fn.index}, ${cx.get(rpo, fn).order.length > 0}`),
  });
  const mine = (pipelineOptions: object) => compileSync(bytes, { passes: [ssa, machine], level: 0, ...pipelineOptions });
  mine({ passOptions: { greet: { times: 3 } } });
  assert.equal(log, ["3 functions, 3 times, @1, true", "machine 1", "3 functions, 3 times, @2, true", "machine 2"]);
  assert.throws(() => mine({ passOptions: { greet: { often: 3 } } }), /has no option often/);
  assert.throws(() => mine({ passOptions: { greet: { times: "3" } } }), /times \(number\)/);
  assert.throws(() => mine({ passOptions: { nobody: {} } }), /no pass "nobody"/);
});

function failing(name: string, run: FuncPass["run"]): PassError {
  const dumpDir = mkdtempSync(path.join(tmpdir(), "lathe-test-"));
  const pass = definePass({ name, summary: name, stage: "ssa", scope: "func", after: [{ pass: "dce", why: "to stand in the middle" }], run });
  try {
    compileSync(bytes, { passes: [pass], verify: true, dumpDir });
  } catch (error) {
    assert.instance(error, PassError);
    return error as PassError;
  }
  throw new Error("nothing failed");
}

test("a pass that throws: pass and function are named, the IR before it is written", () => {
  const error = failing("thrower", (fn) => {
    everyAdd(fn, (v) => {
      throw new Error(`no use for v${v} in b${fn.block[v]}`);
    });
  });
  assert.match(error.message, /^pass thrower failed on @1 "f": no use for v\d+ in b0/);
  assert.ok(error.file && error.message.includes(error.file));
  const written = readFileSync(error.file, "utf8");
  assert.match(written, /i32\.shl/, "the passes before it have run");
  rmSync(path.dirname(error.file), { recursive: true });
});

test("a pass that breaks the IR: the verifier's words, block and value", () => {
  const error = failing("breaker", (fn) => everyAdd(fn, (v) => fn.setArg(v, 0, v)));
  assert.match(error.message, /^pass breaker failed on @1 "f": the IR behind it does not verify/);
  assert.match(error.message, /@1 b0 v\d+ \[dominance\]/);
  rmSync(path.dirname(error.file!), { recursive: true });
});

test("lathe verify --pass replays a pass on the IR that a failure wrote", () => {
  const error = failing("breaker", (fn) => everyAdd(fn, (v) => fn.setArg(v, 0, v)));
  const cli = (...args: string[]) => execFileSync(process.execPath, [commandScript(), ...args], { cwd: projectRoot, encoding: "utf8" });
  assert.match(cli("verify", error.file!, "--pass", "gvn"), /1 function, nothing wrong/);
  rmSync(path.dirname(error.file!), { recursive: true });
});

test("bad options and bad modules are refused in words", async () => {
  assert.throws(() => compileSync(bytes, { level: 3 as 2 }), /level is 0, 1, 2 or "baseline", not 3/);
  assert.throws(() => compileSync(bytes, { bounds: "none" as "guard" }), /bounds is "guard" or "explicit"/);
  assert.throws(() => compileSync(bytes, { target: "z80" }), /no target "z80"/);
  assert.throws(() => compileSync(new Uint8Array([0, 1, 2])), (error: Error) => error instanceof WasmError);
  const simd = await watToBytes("(module (func (result v128) (v128.const i32x4 0 0 0 0)))");
  assert.throws(
    () => compileSync(simd),
    (error: WasmError) => error.kind === "unsupported" && error.offset > 0 && error.message.includes("SIMD is not supported yet"),
  );
});

test("level baseline: code without IR, so nothing that needs IR", async () => {
  const compiled = compileSync(bytes, { level: "baseline" });
  assert.is(compiled.code!.start.length, compileSync(bytes).code!.start.length);
  assert.equal(compiled.stats.passes.filter((pass) => pass.runs > 0), []);
  assert.is((instantiate(compiled, imports).exports as { f(n: number): number }).f(5), (instantiate(compileSync(bytes), imports).exports as { f(n: number): number }).f(5));
  assert.throws(() => compileSync(bytes, { level: "baseline", passes: ["gvn"] }), /makes no IR, so there is nothing for "passes"/);
  assert.throws(() => compileSync(bytes, { level: "baseline", disable: ["gvn"] }), /nothing for "disable"/);
  assert.throws(() => compileSync(bytes, { level: "baseline", record: true }), /nothing for "record"/);
  assert.throws(() => compileSync(bytes, { level: "baseline", target: "amd64", features: [] }), /a CPU that the baseline compiler of amd64 serves/);
  const text = "type t0 = () -> ()\nfunc @0: t0\nfunc @0: t0 () -> () {\nb0:\n  return\n}\n";
  const refused = await compile(text, { level: "baseline" }).then(() => "", (error: Error) => error.message);
  assert.match(refused, /wants WebAssembly, not IR as text/);
});

test("the interpreter runs what the passes left", () => {
  const flip = definePass({ name: "flip", summary: "adds subtract", stage: "ssa", scope: "func", run: (fn) => everyAdd(fn, (v) => fn.become(v, Op.i32_sub, [fn.arg(v, 0), fn.arg(v, 1)])) });
  for (const engine of ["native", "interpreter"] as const) {
    const { exports } = instantiate(compileSync(bytes, { engine, passes: [flip] }), imports);
    assert.is((exports as { f(n: number): number }).f(5), 40 - (1 - 2), engine);
  }
});

test.run();
