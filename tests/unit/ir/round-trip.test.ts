// SSA text: what is printed parses to the same, byte for byte; errors name line, column, what was expected and what was found.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { NONE, type Block, type Edge, type FuncIndex } from "../../../ir/entity.js";
import type { Func } from "../../../ir/func.js";
import type { Module } from "../../../ir/module.js";
import { parseFunc, ParseError, parseModule } from "../../../ir/parse.js";
import { printFunc, printModule } from "../../../ir/print.js";
import { printVerifierError, verifyFunc, verifyModule } from "../../../ir/verify.js";
import { decodeModule, translateFunction } from "../../../pipeline/frontend/index.js";
import { projectRoot } from "../../bundle.js";

const SAMPLE = `module "sample \\u{a}\\"q\\""
type t0 = (i32, i32) -> i32
type t1 = () -> ()
type t2 = (i64) -> (i32, f64)
import @0 "log" = "env" "log me": t1
import T0 = "env" "tab": externref, 0..7
import m0 = "env" "mem": 1..
import g0 = "env" "glob": i32
func @1 "sum ä": t0
func @2: t1
func @3: t2
table T1: funcref, 10..
memory m1: 1..5
global g1: mut f64 = (f64.const -nan:0x1)
global g2: i32 = (global.get g0)
export "sum" = @1
export "m" = m1
export "t" = T1
export "g" = g2
start @2
elem elem0: funcref, active T1 (i32.const 0), [(ref.func @1), (ref.null funcref)]
elem elem1: externref, passive, []
elem elem2: funcref, declarative, [(ref.func @3)]
data data0: passive, "abc\\00\\ff\\"\\\\"
data data1: active m0 (global.get g0), ""
local @1 0 "p"
custom "producers" "\\01\\02 hello"
feature "simd" !0x31

func @1 "sum ä": t0 (i32, i32) -> i32 {
b0(v0: i32, v1: i32):
  v3 = i32.const -5                              !0x24
  v4 = i32.lt_u v1, v0
  br_if v4, b1(v1, v3), b3(v3)
b1(v5: i32, v6: i32):                                     ; preds b0 b1 b1, idom b0, loop header, depth 1
  v8 = i32.load v5, m0, offset=16                !0x31
  i32.store v5, m1, offset=4294967295, v8
  v9 = i32.add v6, v8
  v20: i32 = call @1(v9, v9)                              ; "sum ä"
  v21: i32 = call_indirect t0, T1, v20(v9, v9)            ; (i32, i32) -> i32
  v30: i32 = call_indirect t2, T1, v20(v21)      !0xffffffff ; (i64) -> (i32, f64)
  v31: f64 = result v30, 1
  call @0()                                      !0x99    ; "log"
  br_table v9, [b1(v5, v9), b4, b1(v5, v9), b1(v9, v5)], b4
b4:                                                       ; preds b1, idom b1
  v13 = f32.const nan:0x400000
  v14 = f64.const 1e-7
  v15 = i64.const -9223372036854775808
  v16: i32 = select v9, v9, v9
  v17: externref = ref.null
  v18 = ref.func @3
  v19: externref = table.get T0, v9
  table.set T0, v9, v17
  v22 = table.grow T1, v18, v9
  table.fill T1, v9, v18, v9
  table.copy T1, T1, v9, v9, v9
  table.init elem0, T1, v9, v9, v9
  elem.drop elem0
  v23 = memory.size m1
  v24 = memory.grow m1, v23
  memory.fill m0, v9, v9, v9
  memory.copy m0, m1, v9, v9, v9
  memory.init data0, m0, v9, v9, v9
  data.drop data0
  v25: f64 = global.get g1
  global.set g1, v25
  v26: i32 = copy v9
  v27 = ref.is_null v17
  unreachable
b9:                                                       ; unreachable
  br b4
b3(v10: i32):                                             ; preds b0, idom b0
  return v10
}

func @3: t2 (i64) -> (i32, f64) {
b0(v0: i64):
  v1 = i32.wrap_i64 v0
  v2 = f64.convert_i64_s v0
  return v1, v2
}
`;

// b9 enters b4: said here once, so that the sample above stays in its order.
const sample = SAMPLE.replace("; preds b1, idom b1\n  v13", "; preds b1 b9, idom b1\n  v13");

test("the sample prints as it is written", () => {
  const { module, funcs } = parseModule(sample);
  assert.is(printModule(module, funcs), sample);
});

test("ids, order of blocks and sharing of edges survive", () => {
  const fn = parseModule(sample).funcs[0]!;
  const order: number[] = [];
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) order.push(b);
  assert.equal(order, [0, 1, 4, 9, 3]);
  const t = fn.terminator(1 as Block);
  const edges = Array.from({ length: fn.targetCount(t) }, (_, i) => fn.targetEdge(t, i));
  assert.is(edges[0], edges[2]);
  assert.is(edges[1], edges[4]);
  assert.is.not(edges[0], edges[3]);
  assert.equal([0, 1].map((i) => fn.edgeArg(edges[3] as Edge, i)), [9, 5]);
  assert.is(fn.param(3 as Block, 0), 10);
});

test("a function alone parses, with and without its module", () => {
  const { module, funcs } = parseModule(sample);
  for (const fn of funcs) {
    assert.is(printFunc(parseFunc(printFunc(fn)), undefined), printFunc(fn));
    assert.is(printFunc(parseFunc(printFunc(fn), module), module), printFunc(fn, module));
    const bare = { facts: false, offsets: false };
    const text = printFunc(fn, module, bare);
    assert.not(/[;!]/.test(text));
    assert.is(printFunc(parseFunc(text), module, bare), text);
  }
});

const func = (body: string) => `func @0: t0 (i32) -> i32 {\n${body}\n}`;
const errors: [string, string, string][] = [
  ["no block", func("  return"), 'line 2, column 3: expected a block such as b0, found return'],
  ["unknown op", func("b0(v0: i32):\n  v1 = i32.foo v0\n  return v1"), "line 3, column 8: expected an operation, found i32.foo"],
  ["undefined value", func("b0(v0: i32):\n  return v1"), "line 3, column 3: v1 is not defined"],
  ["undefined block", func("b0(v0: i32):\n  br b1"), "line 3, column 6: b1 is not defined"],
  ["value twice", func("b0(v0: i32):\n  v0 = i32.const 1\n  return v0"), "line 3, column 3: v0 is defined twice"],
  ["block twice", func("b0(v0: i32):\n  return v0\nb0:\n  unreachable"), "line 4, column 1: b0 is defined twice"],
  ["missing type", func("b0(v0: i32):\n  v1 = call @0(v0)\n  return v1"), "line 3, column 3: the result of call needs its type written: v1: i32 = call"],
  ["superfluous type", func("b0(v0: i32):\n  v1: i32 = i32.const 1\n  return v1"), "line 3, column 3: the type of i32.const follows from the operation: write v1 = i32.const"],
  ["result of a store", func("b0(v0: i32):\n  v1 = i32.store v0, m0, v0\n  return v0"), "line 3, column 3: i32.store has no result"],
  ["no id", func("b0(v0: i32):\n  i32.const 1\n  return v0"), "line 3, column 3: the result of i32.const needs an id: v0 = i32.const"],
  ["constant out of range", func("b0(v0: i32):\n  v1 = i32.const 4294967296\n  return v1"), "line 3, column 18: expected an i32, found 4294967296"],
  ["bad type", func("b0(v0: i31):\n  return v0"), "line 2, column 8: expected a type, found i31"],
  ["open function", "func @0: t0 () -> () {\nb0:\n  return", "line 3, column 9: expected an operation, found the end of the text"],
  ["bad offset", func("b0(v0: i32):\n  return v0 !12"), "line 3, column 14: expected a byte offset such as 0x31, found 12"],
  ["stray character", func("b0(v0: i32):\n  return v0 `"), 'line 3, column 13: expected a token, found "`"'],
  ["open string", 'module "abc\n', 'line 1, column 8: the string does not end on its line'],
  ["bad escape", 'module "a\\q"', 'line 1, column 8: the string has an escape that is none of \\" \\\\ \\u{hex}: "a\\q"'],
  ["unknown declaration", "tabel T0: funcref, 1..", "line 1, column 1: expected a declaration or a function, found tabel"],
  ["order of declarations", "type t1 = () -> ()", "line 1, column 1: expected a declaration of t0, found t1"],
  ["import behind own", 'type t0 = () -> ()\nmemory m0: 1..\nimport m1 = "a" "b": 1..', "line 3, column 1: imports come before what the module declares itself"],
  ["export of nothing", 'export "x" = @3', 'line 1, column 16: export "x" names func 3, which is not declared'],
  ["wrong signature", `type t0 = () -> ()\nfunc @0: t0\n${func("b0(v0: i32):\n  return v0")}`, "line 3, column 13: t0 is () -> (), the function says (i32) -> i32"],
  ["body of an import", `type t0 = (i32) -> i32\nimport @0 = "a" "b": t0\n${func("b0(v0: i32):\n  return v0")}`, "line 3, column 6: @0 is imported and has no body"],
  ["gigantic id", func("b0(v2000000000: i32):\n  return v2000000000"), "line 1, column 6: the largest value id, v2000000000, leaves gaps out of proportion"],
];

for (const [what, text, message] of errors) {
  test(`error: ${what}`, () => {
    try {
      parseModule(text);
    } catch (error) {
      assert.instance(error, ParseError);
      assert.is((error as ParseError).message, message);
      return;
    }
    assert.unreachable("the text parsed");
  });
}

test("changed texts parse or give a ParseError; what parses is verified and printed without a throw", () => {
  let seed = 1;
  const random = (n: number) => ((seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) >>> 8) % n;
  const pieces = sample.split(/(?<=[\s(),:=.])|(?=[\s(),:=.])/);
  let parsed = 0;
  for (let round = 0; round < 5000; round++) {
    const changed = [...pieces];
    for (let i = 1 + random(2); i > 0; i--) {
      const at = random(changed.length);
      if (random(3) === 0) changed.splice(at, 1);
      else changed[at] = changed[random(changed.length)]!;
    }
    const text = changed.join("");
    try {
      const { module, funcs } = parseModule(text);
      parsed++;
      verifyModule(module);
      for (const fn of funcs) verifyFunc(fn, module);
      const once = printModule(module, funcs);
      const again = parseModule(once);
      assert.is(printModule(again.module, again.funcs), once);
    } catch (error) {
      if (!(error instanceof ParseError)) {
        console.log(text);
        throw error;
      }
    }
  }
  assert.ok(parsed > 300, `${parsed} texts parsed`);
});

/** Every function of a module, verified and through the text; returns how many. */
function check(module: Module, what: string): number {
  assert.equal(verifyModule(module).map(printVerifierError), [], what);
  const funcs: Func[] = [];
  for (let i = module.importedFuncCount; i < module.funcs.length; i++) {
    const fn = translateFunction(module, i as FuncIndex);
    assert.equal(verifyFunc(fn, module).map(printVerifierError), [], `${what} @${i}`);
    funcs.push(fn);
  }
  const text = printModule(module, funcs);
  const again = parseModule(text);
  if (printModule(again.module, again.funcs) !== text) {
    const lines = printModule(again.module, again.funcs).split("\n");
    const at = text.split("\n").findIndex((line, i) => line !== lines[i]);
    assert.is(lines[at], text.split("\n")[at], `${what}, line ${at + 1}`);
  }
  assert.equal(verifyModule(again.module), []);
  for (const fn of again.funcs) assert.equal(verifyFunc(fn, again.module).map(printVerifierError), [], `${what}, parsed`);
  return funcs.length;
}

const shared = path.join(projectRoot, "..", "shared");

test("all functions of the kernels", () => {
  const folder = path.join(shared, "bench", "kernels");
  if (!existsSync(folder)) return console.log(`note: ${path.relative(projectRoot, folder)} is not there`);
  let count = 0;
  for (const file of readdirSync(folder).sort()) {
    const module = decodeModule(new Uint8Array(readFileSync(path.join(folder, file))));
    if (!module.features.has("simd")) count += check(module, file);
  }
  assert.ok(count > 30, `${count} functions`);
});

test("all functions of the official suite", () => {
  const index = path.join(shared, "spec", "index.json");
  if (!existsSync(index)) return console.log("note: ../shared/spec is not there");
  let count = 0;
  const { files } = JSON.parse(readFileSync(index, "utf8")) as { files: { name: string; level: string; features: string[] }[] };
  for (const file of files) {
    if (file.level === "3.0" || file.features.includes("simd")) continue;
    const { commands } = JSON.parse(readFileSync(path.join(shared, "spec", `${file.name}.json`), "utf8")) as { commands: { type: string; line: number; wasm?: string }[] };
    for (const command of commands) {
      if (command.type !== "module" || !command.wasm) continue;
      const module = decodeModule(new Uint8Array(Buffer.from(command.wasm, "base64")));
      if (!module.features.has("simd")) count += check(module, `${file.name}:${command.line}`);
    }
  }
  assert.ok(count > 1000, `${count} functions`);
});

test.run();
