// The command from outside: what it prints, on which stream, with which exit code.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { watToBytes } from "../../pipeline/frontend/wat.js";
import { projectRoot } from "../bundle.js";

const test = suite("command");
const command = path.join(projectRoot, "dist", "cli.js");
let directory: string;
let wasm: string;

interface Result {
  code: number | null;
  out: string;
  err: string;
}

function lathe(...args: string[]): Result {
  const run = spawnSync(process.execPath, [command, ...args], { cwd: directory, encoding: "utf8", maxBuffer: 1 << 26 });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

test.before(async () => {
  if (!existsSync(command)) execFileSync(process.execPath, ["build.mjs"], { cwd: projectRoot });
  directory = mkdtempSync(path.join(tmpdir(), "lathe-cli-"));
  // Converted once: the parser of the text format costs more than all the rest of a short command.
  const bytes = await watToBytes(
    `(module
      (type $a (func (param i32) (result i32)))
      (memory 1)
      (global $g (mut i64) (i64.const 5))
      (func $helper (param $x i32) (result i32) (i32.div_s (i32.const 100) (local.get $x)))
      (func (export "div") (param i32) (result i32) (call $helper (local.get 0)))
      (func (export "pair") (param f64 i64) (result f64 i64) (f64.sqrt (local.get 0)) (i64.add (local.get 1) (global.get $g)))
      (func (export "nan") (param f32) (result f32) (f32.neg (local.get 0)))
      (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
      (func $loop (export "loop") (param i32) (result i32) (i32.add (call $loop (i32.add (local.get 0) (i32.const 1))) (i32.const 1))))`,
  );
  wasm = path.join(directory, "m.wasm");
  writeFileSync(wasm, bytes);
});
test.after(() => rmSync(directory, { recursive: true, force: true }));

test("results go to stdout, one a line, and read back exactly", () => {
  const result = lathe("run", wasm, "--invoke", "pair", "2", "-7");
  assert.is(result.err, "");
  assert.is(result.out, "1.4142135623730951\n-2\n");
  assert.is(result.code, 0);
  const nan = lathe("run", wasm, "--invoke", "nan", "nan:0x200001");
  assert.is(nan.out, "-nan:0x200001\n");
  assert.is(lathe("run", wasm, "--invoke", "nan", nan.out.trim()).out, "nan:0x200001\n");
  assert.is(lathe("run", wasm, "--invoke", "nan", "-inf").out, "inf\n");
  assert.is(lathe("run", wasm, "--invoke", "nan", "0").out, "-0\n");
});

test("every level and both engines agree", () => {
  for (const flags of [["-O0"], ["-O1"], ["-O2"], ["-O", "baseline"], ["--interp"], ["--bounds", "explicit"]]) {
    assert.equal(lathe("run", wasm, "--invoke", "div", "7", ...flags), { code: 0, out: "14\n", err: "" }, flags.join(" "));
  }
});

test("a trap ends with 134, its name and a backtrace on stderr", () => {
  const result = lathe("run", wasm, "--invoke", "div", "0");
  assert.is(result.code, 134);
  assert.is(result.out, "");
  assert.match(result.err, /^trap: integer divide by zero\n {4}at helper \(wasm:\/\/wasm\/[0-9a-f]{8}:wasm-function\[0\]:0x[0-9a-f]+\)\n {4}at /);
  assert.not.match(result.err, /\.js:\d/);
  assert.match(lathe("run", wasm, "--invoke", "load", "-1").err, /out of bounds memory access/);
});

test("code for another instruction set is shown on any host, and runs on its own", () => {
  for (const [arch, text] of [["amd64", /idiv/], ["arm64", /sdiv w\d/]] as const) {
    const shown = lathe("dump", wasm, "--arch", arch, "--func", "helper", "--stage", "asm");
    assert.is(shown.code, 0, shown.err);
    assert.match(shown.out, text);
    const ran = lathe("run", wasm, "--arch", arch, "--invoke", "div", "7");
    if ({ amd64: "x64", arm64: "arm64" }[arch] === process.arch) assert.is(ran.out, "14\n");
    else assert.match(ran.err, new RegExp(`^lathe: the module was compiled for ${arch}, which this host \\(${process.arch}\\) cannot run\n$`));
  }
  assert.equal(lathe("dump", wasm, "--arch", "z80"), { code: 2, out: "", err: 'lathe: --arch wants amd64 or arm64, not "z80"\n' });
});

test("the text format is taken, too", () => {
  const file = path.join(directory, "m.wat");
  writeFileSync(file, `(module (func (export "f") (result i32) (i32.const 42)))`);
  assert.equal(lathe("run", file, "--invoke", "f"), { code: 0, out: "42\n", err: "" });
  writeFileSync(file, `(module (func (export "f") (result i32) (i32.konst 42)))`);
  const refused = lathe("run", file, "--invoke", "f");
  assert.is(refused.code, 1);
  assert.match(refused.err, /line 1, column/);
});

test("an exhausted stack is a trap like others", () => {
  const result = lathe("run", wasm, "--invoke", "loop", "1");
  assert.is(result.code, 134);
  assert.match(result.err, /call stack exhausted/);
});

test("mistakes of usage end with 2 and say what there is", () => {
  assert.is(lathe("bogus").code, 2);
  assert.is(lathe("run").code, 2);
  assert.is(lathe("run", wasm, "--nonsense").code, 2);
  const unknown = lathe("run", wasm, "--invoke", "nope");
  assert.is(unknown.code, 2);
  assert.match(unknown.err, /there are div, pair/);
  assert.is(lathe("run", wasm, "--invoke", "div").code, 2);
  assert.is(lathe("run", wasm, "--invoke", "div", "x").code, 2);
  assert.is(lathe("run", wasm, "-O7").code, 2);
  const withoutIr = lathe("dump", wasm, "-O", "baseline", "--stage", "ssa");
  assert.is(withoutIr.code, 2);
  assert.match(withoutIr.err, /-O baseline makes no IR: there are --stage wasm and --stage asm of it/);
  assert.match(lathe("run", wasm, "-O", "baseline", "--pass", "gvn", "--invoke", "div", "7").err, /makes no IR, so there is nothing for "passes"/);
  assert.is(lathe("dump", wasm, "--stage", "nope").code, 2);
  assert.is(lathe("dump", wasm, "--func", "nope").code, 2);
});

test("failures end with 1, without a stack unless asked for", () => {
  const missing = lathe("run", "missing.wasm");
  assert.is(missing.code, 1);
  assert.is(missing.err, "lathe: there is no file missing.wasm\n");
  const broken = path.join(directory, "broken.wasm");
  writeFileSync(broken, Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 9]));
  const refused = lathe("compile", broken);
  assert.is(refused.code, 1);
  assert.match(refused.err, /at byte 0x8\)/);
  assert.not.match(refused.err, /\n\s+at /);
  assert.match(lathe("--debug", "compile", broken).err, /\n\s+at /);
});

test("help for every command, on stdout", () => {
  for (const name of ["run", "dump", "diff", "passes", "verify", "compile", "explore", "demo"]) {
    const result = lathe(name, "--help");
    assert.is(result.code, 0);
    assert.match(result.out, new RegExp(`Usage: lathe ${name}`));
  }
  assert.match(lathe("--version").out, /^\d+\.\d+\.\d+\n$/);
});

test("dump shows each stage, and no colours in a pipe", () => {
  const all = lathe("dump", wasm, "--func", "div", "--stage", "all");
  assert.is(all.err, "");
  for (const part of ["wasm @", "func @", "mfunc @", "code @", "call @0 \"helper\"", "i32"]) assert.ok(all.out.includes(part), part);
  assert.not.match(all.out, /\u001b/);
  const asm = lathe("dump", wasm, "--func", "pair", "--stage", "asm").out;
  assert.match(asm, /; !0x[0-9a-f]+/);
  assert.match(asm, /g0/);
  assert.match(lathe("dump", wasm, "--func", "load", "--stage", "asm").out, /traps out_of_bounds_memory/);
  assert.match(lathe("dump", wasm, "--stage", "ssa").out, /func @4/);
});

test("dump --after shows what canonicalize-types did", () => {
  const twice = path.join(directory, "twice.wasm");
  // (type i32 -> i32) twice; the function has the second.
  writeFileSync(twice, Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 11, 2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 1, 0x7f, 1, 0x7f, 3, 2, 1, 1, 10, 6, 1, 4, 0, 0x20, 0, 0x0b]));
  const result = lathe("dump", twice, "--after", "canonicalize-types");
  assert.is(result.err, "");
  assert.match(result.out, /types: 2 before, 1 after/);
  assert.match(result.out, /t1 -> t0/);
  assert.match(result.out, /function @0: t1 -> t0/);
  assert.is(lathe("dump", twice, "--after", "no-such-pass").code, 1);
});

test("verify takes what dump printed, and refuses what is broken", () => {
  // Without --func the declarations come along, so that the text stands for itself.
  const { out } = lathe("dump", wasm, "--stage", "ssa");
  const good = path.join(directory, "good.ssa");
  writeFileSync(good, out);
  const accepted = lathe("verify", good);
  assert.is(accepted.err, "");
  assert.match(accepted.out, /6 functions, nothing wrong/);
  const bad = path.join(directory, "bad.ssa");
  writeFileSync(bad, out.replace("f32.neg", "f64.neg"));
  const refused = lathe("verify", bad);
  assert.is(refused.code, 1);
  assert.match(refused.err, /does not verify/);
  const mir = path.join(directory, "good.mir");
  writeFileSync(mir, lathe("dump", wasm, "--func", "nan", "--stage", "mir").out);
  assert.match(lathe("verify", mir).out, /1 function, nothing wrong/);
});

test("passes and compile --stats", () => {
  const passes = lathe("passes").out;
  assert.match(passes, /canonicalize-types/);
  assert.match(passes, /^O2: canonicalize-types/m);
  const stats = lathe("compile", wasm, "--stats", "--verify", "--check").out;
  for (const part of ["functions", "peak memory", "allocate", "canonicalize-types"]) assert.ok(stats.includes(part), part);
});

test("--dump, --stats and --time-passes: text beside the result, or one JSON document", () => {
  const run = lathe("run", wasm, "--invoke", "div", "7", "--dump=gvn:div", "--time-passes");
  assert.is(run.out, "14\n");
  assert.match(run.err, /^; ---- @1 behind gvn/);
  assert.match(run.err, /passes by time: /);
  const json = JSON.parse(lathe("compile", wasm, "--dump", "all:div", "--stats", "--time-passes", "--format", "json").out) as {
    dump: { step: string; func: number }[]; stats: { functions: number; peakMemoryBytes: number }; passes: { name: string; ms: number }[];
  };
  assert.is(json.stats.functions, 6);
  assert.ok(json.stats.peakMemoryBytes > 1e6);
  assert.equal(new Set(json.dump.map((one) => one.func)).size, 1);
  assert.ok(json.passes.every((pass, i) => i === 0 || pass.ms <= json.passes[i - 1]!.ms));
  const wrong = lathe("run", wasm, "--dump=nope");
  assert.is(wrong.code, 2);
  assert.match(wrong.err, /the steps are all, translate, canonicalize-types/);
});

test("diff compares two steps; dump draws graphs and prints data", () => {
  const diff = lathe("diff", wasm, "--func", "helper", "--context", "0");
  assert.is(diff.err, "");
  assert.match(diff.out, /^@0 "helper": /);
  assert.match(lathe("diff", wasm, "--from", "gvn", "--to", "gvn").out, /^; 6 of 6 functions are the same/);
  assert.is(lathe("diff", wasm, "--from", "nope").code, 2);
  assert.match(lathe("dump", wasm, "--graph", "cfg", "--func", "loop").out, /^digraph "cfg @5/);
  assert.match(lathe("dump", wasm, "--graph", "calls").out, /f1 -> f0/);
  assert.match(lathe("dump", wasm, "--graph", "dom", "--func", "loop", "--format", "svg").out, /<svg/);
  assert.is(lathe("dump", wasm, "--graph", "cfg", "--format", "svg").code, 2);
  assert.is(lathe("dump", wasm, "--format", "dot").code, 2);
  const data = JSON.parse(lathe("dump", wasm, "--func", "div", "--stage", "all", "--format", "json").out) as Record<string, unknown>[];
  assert.equal(Object.keys(data[0]!), ["wasm", "ssa", "mir", "alloc", "asm"]);
});

test("--stop-after prints a module that stands for itself", () => {
  const { out } = lathe("dump", wasm, "--stop-after", "gvn");
  const file = path.join(directory, "behind-gvn.ssa");
  writeFileSync(file, out);
  assert.match(lathe("verify", file).out, /6 functions, nothing wrong/);
  assert.is(lathe("compile", wasm, "--stop-after", "gvn").out, out);
  assert.is(lathe("dump", wasm, "--stop-after", "allocate").code, 2);
  // From there on it becomes the same code, and runs.
  assert.equal(lathe("run", "--start-from", file, "--invoke", "div", "7"), { code: 0, out: "14\n", err: "" });
  const asm = (...args: string[]) => lathe("dump", ...args, "--func", "div", "--stage", "asm").out;
  assert.is(asm("--start-from", file), asm(wasm));
  const passes = JSON.parse(lathe("compile", "--start-from", file, "--time-passes", "--format", "json").out) as { passes: { name: string }[] };
  assert.not(passes.passes.some((pass) => pass.name === "gvn" || pass.name === "simplify"));
  assert.ok(passes.passes.some((pass) => pass.name === "dce"));
  const unmarked = path.join(directory, "unmarked.ssa");
  writeFileSync(unmarked, out.replace(/^.*\n/, ""));
  assert.match(lathe("run", "--start-from", unmarked).err, /does not say behind which pass/);
  assert.is(lathe("run", unmarked, "--invoke", "div", "7").out, "14\n");
  assert.match(lathe("compile").err, /there is no file to work on/);
});

test("explore writes a page that holds everything it needs", () => {
  const result = lathe("explore", wasm, "--func", "div");
  assert.is(result.err, "");
  assert.match(result.out, /m\.wasm\.html: \d+\.\d\d MB in /);
  const page = readFileSync(`${wasm}.html`, "utf8");
  assert.match(page, /^<!doctype html>/);
  assert.match(page, /id="data-chunk-0"/);
  assert.not.match(page, /<(script|link|img)[^>]* (src|href)="(?!data:)/);
  assert.is(lathe("explore", wasm, "--port", "80").code, 2);
  assert.is(lathe("explore", wasm, "--serve", "--port", "99999").code, 2);
  assert.is(lathe("explore", wasm, "--serve", "-o", "x.html").code, 2);
  assert.is(lathe("explore", wasm, "--func", "nope").code, 2);
});

test("demo runs the sample", () => {
  const demo = lathe("demo");
  assert.is(demo.code, 0);
  assert.match(demo.out, /sum of the primes below 60000: 171848738\n/);
  assert.match(demo.out, /largest of them: 59999\n/);
});

test.run();
