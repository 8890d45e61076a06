// IR as text wherever a module may stand: .ssa and .mir, whole modules, compiled, run, dumped; what is wrong with its place.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execFileSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { printMFunc } from "../../../ir/machine/print.js";
import { printDecls } from "../../../ir/print-decls.js";
import { compile, compileSync, definePass, endWithReturn, instantiate, Op, ParseError, PassError, printModule, Type, type Compilation, type CompileOptions } from "../../../pipeline/index.js";
import { hostTarget } from "../../../pipeline/targets.js";
import { projectRoot } from "../../bundle.js";
import { commandScript } from "../../command.js";
import { wat } from "./broken-passes.js";

const env = { g: (x: number) => x * 3 };
const shapes = (compilation: Compilation) => instantiate(compilation, { env }).exports["shapes"] as (n: number) => number;
const expected = await compile(wat).then((compilation) => [1, 2, 3, 4, 5].map(shapes(compilation)));

function ssaText(compilation: Compilation): string {
  return printModule(compilation.module, Object.values(compilation.history!.current.funcs).map((state) => state.ssa!));
}

function mirText(compilation: Compilation, stage: "machine" | "allocated"): string {
  const funcs = Object.values(compilation.history!.current.funcs).map((state) => printMFunc(state[stage]!, hostTarget()!));
  return [printDecls(compilation.module), ...funcs].join("\n");
}

test("SSA behind the passes of any level, compiled at any level, runs as the module did", async () => {
  for (const level of [0, 1, 2] as const) {
    const text = ssaText(await compile(wat, { level, record: true }));
    for (const options of [{ level: 0 }, { level: 2, verify: true, check: true }, { level: 2, record: true }, { level: 2, lazy: true }, { engine: "interpreter" }] as CompileOptions[]) {
      assert.equal([1, 2, 3, 4, 5].map(shapes(await compile(text, options))), expected, `${level} ${JSON.stringify(options)}`);
    }
    assert.equal([1, 2, 3, 4, 5].map(shapes(compileSync(text))), expected);
    assert.equal([1, 2, 3, 4, 5].map(shapes(await compile(new TextEncoder().encode(text)))), expected);
  }
});

test("machine IR before and behind allocation makes the code it made", async () => {
  for (const level of [0, 2] as const) {
    const original = await compile(wat, { level, record: true });
    for (const stage of ["machine", "allocated"] as const) {
      const again = await compile(mirText(original, stage), { level, verify: true, check: true });
      assert.equal(again.code!.bytes, original.code!.bytes, stage);
      assert.equal([1, 2, 3, 4, 5].map(shapes(again)), expected, stage);
    }
  }
});

test("passes work on text as on bytes: they add declarations and functions, and are guarded", async () => {
  const text = ssaText(await compile(wat, { level: 0, record: true }));
  const add = definePass({
    name: "add", summary: "", stage: "ssa", scope: "module",
    run(_, { edit }) {
      const fn = edit.addFunc("seven", { params: [], results: [Type.i32] });
      endWithReturn(fn, fn.entry, [fn.append0(fn.entry, Op.i32_const, Type.i32, 7)]);
      edit.addExport("seven", "func", fn.index);
    },
  });
  const compilation = await compile(text, { passes: [add] });
  assert.is((instantiate(compilation, { env }).exports["seven"] as () => number)(), 7);
  const bad = definePass({ name: "bad", summary: "", stage: "ssa", scope: "func", run: (fn) => void fn.newBlock() });
  assert.throws(() => compileSync(text, { passes: [bad] }), (error: PassError) => error instanceof PassError && error.rule === "terminator");
  const machine = definePass({ name: "look", summary: "", stage: "machine", scope: "func", run: (_, cx) => cx.count("seen") });
  const { stats } = await compile(mirText(await compile(wat, { record: true }), "machine"), { passes: [machine] });
  assert.equal(stats.passes.map(({ name, counts }) => ({ name, counts })), [{ name: "look", counts: { seen: 4 } }]);
});

test("what is wrong is said with its place", async () => {
  const error = async (text: string, options: CompileOptions = {}) => compile(text, options).then((): Error => { throw new Error("it was accepted"); }, (reason: Error) => reason);
  const header = "type t0 = (i32) -> i32\nfunc @0: t0\n";
  const grammar = (await error(`${header}func @0: t0 (i32) -> i32 {\nb0(v0: i32):\n  v1 = i32.plus v0, v0\n  return v1\n}\n`)) as ParseError;
  assert.instance(grammar, ParseError);
  assert.is(grammar.message, "line 5, column 8: expected an operation, found i32.plus");
  assert.equal([grammar.line, grammar.column], [5, 8]);
  assert.match((await error(`${header}func @0: t0 (i32) -> i32 {\nb0(v0: i32):\n  v1 = i64.add v0, v0\n  return v0\n}\n`)).message, /the text does not verify:\n {2}@0 b0 v1 \[operand-type\]: operand 0 of i64\.add, v0, is i32, not i64/);
  assert.match((await error(header)).message, /@0 is declared, and the text has no body of it/);
  assert.match((await error(`mfunc @0 () -> () {\nb0 <- b0:\n  ret\n}\n`)).message, /@0 \[signature\]: no declaration of a function of the module's own/);
  const mir = mirText(await compile(wat, { record: true }), "machine");
  assert.match((await error(mir, { engine: "interpreter" })).message, /machine IR cannot be interpreted/);
  assert.match((await error(mir.replace(/(mfunc[^]*?\n {2}[^]*?= )\w+/, "$1nonsense"))).message, /^line \d+, column \d+: expected a machine op, found nonsense/);
  assert.match((await error(ssaText(await compile(wat, { record: true })), { passes: ["binaryen:O1"] })).message, /works on bytes of WebAssembly/);
  assert.throws(() => compileSync("(module)"), /compileSync takes a binary module, or IR as text/);
});

test("the command takes files of it", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "lathe-text-"));
  const lathe = (...args: string[]) => execFileSync(process.execPath, [commandScript(), ...args], { cwd: projectRoot, encoding: "utf8" });
  try {
    const small = path.join(folder, "small.wat");
    writeFileSync(small, '(module (func (export "twice") (param i32) (result i32) (i32.add (local.get 0) (local.get 0))))');
    const mir = path.join(folder, "small.mir");
    writeFileSync(mir, lathe("dump", small, "--stage", "mir"));
    assert.is(lathe("run", mir, "--invoke", "twice", "21"), "42\n");
    assert.match(lathe("dump", mir, "--stage", "asm"), /^code @0/m);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.run();
