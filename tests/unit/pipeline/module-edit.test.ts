// Passes that add functions, imports, globals, types, exports: natively at every level, in the interpreter, streaming, in text.
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  compile, compileSync, constantOf, definePass, endWithBr, endWithBrIf, endWithReturn, Global, insertCall, instantiate, ModuleEdit, NONE, Op, parseModule, printModule,
  printVerifierError, splitBefore, Trap, Type, verifyFunc, verifyModule, watToBytes, type Block, type CompileOptions, type Func, type Value,
} from "../../../pipeline/index.js";

const bytes = await watToBytes(`(module
  (import "env" "g" (func $g (param i32) (result i32)))
  (type $t (func (param i32) (result i32)))
  (table 3 funcref)
  (elem (i32.const 0) $double $g $down)
  (memory (export "memory") 1)
  (global $n (mut i32) (i32.const 5))
  (func $double (export "double") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func $down (export "down") (param i32) (result i32) (local i32)
    (loop $again
      (local.set 1 (i32.add (local.get 1) (call $g (local.get 0))))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (i32.add (local.get 1) (global.get $n)))
  (func $trap (export "trap") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0)))
  (func (export "via") (param i32 i32) (result i32) (call_indirect (type $t) (local.get 0) (local.get 1))))`);

const everywhere: readonly CompileOptions[] = [
  { level: 0, verify: true }, { level: 1, verify: true }, { level: 2, verify: true, check: true }, { level: 2, record: true },
  { level: 2, bounds: "explicit" }, { level: 0, engine: "interpreter" }, { level: 2, engine: "interpreter" },
];
const label = (options: CompileOptions) => JSON.stringify(options);

function eachInst(fn: Func, visit: (v: Value) => void): void {
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
    for (let v = fn.firstInst[b]!, next: number; v !== NONE; v = next) {
      next = fn.next[v]!;
      visit(v as Value);
    }
  }
}

/** Calls a JS import at the entry of every function, with its index. Begins before any function, so functions stream. */
const hooks = definePass({
  name: "hooks",
  summary: "call an import at every entry",
  stage: "ssa",
  scope: "func",
  begin: (_module, cx) => cx.edit.addImportFunc("hooks", "enter", { params: [Type.i32], results: [] }),
  run(fn, cx, enter) {
    const first = fn.firstInst[fn.entry]! as Value;
    const index = fn.insertBefore(first, Op.i32_const, Type.i32, [], fn.index);
    insertCall(fn, first, cx.module, enter, [index]);
  },
});

/** Counts calls in a global, which a new function reads. */
const counter = definePass({
  name: "counter",
  summary: "count calls",
  stage: "ssa",
  scope: "module",
  run(funcs, cx) {
    const calls = cx.edit.addGlobal({ type: Type.i64, mutable: true }, 1n);
    const scale = cx.edit.addImportGlobal("scale", "by", { type: Type.i64, mutable: false });
    for (const fn of funcs) {
      const first = fn.firstInst[fn.entry]! as Value;
      const old = fn.insertBefore(first, Op.global_get, Type.i64, [], calls);
      const one = fn.insertBefore(first, Op.i64_const, Type.i64, [], 1);
      fn.insertBefore(first, Op.global_set, Type.none, [fn.insertBefore(first, Op.i64_add, Type.i64, [old, one])], calls);
    }
    const read = cx.edit.addFunc("read_calls", { params: [], results: [Type.i64] });
    const value = read.append0(read.entry, Op.global_get, Type.i64, calls);
    const by = read.append0(read.entry, Op.global_get, Type.i64, scale);
    endWithReturn(read, read.entry, [read.append2(read.entry, Op.i64_mul, Type.i64, value, by)]);
    cx.edit.addExport("calls", "func", read.index);
    cx.edit.addExport("raw_calls", "global", calls);
  },
});

/** Own functions, an import between them, calls among the new ones, a new table and its own element, a second result. */
const tower = definePass({
  name: "tower",
  summary: "add functions that call each other",
  stage: "ssa",
  scope: "module",
  run(_funcs, { edit, module }) {
    const pair = edit.addFunc("pair", { params: [Type.i32], results: [Type.i32, Type.i32] });
    const log = edit.addImportFunc("log", "value", { params: [Type.i32], results: [Type.i32] }, "log");
    const sum = edit.addFunc("sum", { params: [Type.i32], results: [Type.i32] });
    const [x] = [pair.param(pair.entry, 0)];
    endWithReturn(pair, pair.entry, [x, x]);
    // sum(x) = x < 10 ? x0 + x1 of pair : log(x)
    const small = sum.newBlock();
    const large = sum.newBlock();
    const arg = sum.param(sum.entry, 0);
    const ten = sum.append0(sum.entry, Op.i32_const, Type.i32, 10);
    endWithBrIf(sum, sum.entry, sum.append2(sum.entry, Op.i32_lt_s, Type.i32, arg, ten), small, large);
    const end = endWithReturn(sum, large, [arg]);
    sum.setArg(end, 0, insertCall(sum, end, module, log, [arg])[0]!);
    const done = endWithReturn(sum, small, [arg]);
    const [a, b] = insertCall(sum, done, module, pair.index, [arg]);
    sum.setArg(done, 0, sum.insertBefore(done, Op.i32_add, Type.i32, [a!, b!]));
    const table = edit.addTable({ elem: Type.funcref, limits: { min: 2, max: 2 } });
    const zero = constantOf(Type.i32, 0);
    edit.addElem({ type: Type.funcref, mode: { mode: "active", target: table, offset: zero }, init: [[{ op: "ref.func", func: sum.index }], [{ op: "ref.func", func: log }]] });
    edit.addExport("sum", "func", sum.index);
    edit.addExport("log", "func", log);
    edit.addExport("table", "table", table);
    const memory = edit.addMemory({ min: 1, max: 1 });
    edit.addData({ mode: { mode: "active", target: memory, offset: zero }, bytes: Uint8Array.of(1, 2, 3, 4) });
    const load = edit.addFunc(undefined, { params: [Type.i32], results: [Type.i32] });
    endWithReturn(load, load.entry, [load.append1(load.entry, Op.i32_load, Type.i32, load.param(load.entry, 0), 0, memory)]);
    edit.addExport("load", "func", load.index);
    edit.addExport("memory2", "memory", memory);
  },
});

type Exports = Record<string, (...args: unknown[]) => unknown>;
const env = { g: (x: number) => x * 10 };

test("an import added before any function: hooks at every entry, while functions stream", () => {
  for (const options of everywhere) {
    const entered: number[] = [];
    const exports = instantiate(compileSync(bytes, { ...options, passes: [hooks] }), { env, hooks: { enter: (i: number) => entered.push(i) } }).exports as Exports;
    assert.is(exports["double"]!(21), 42, label(options));
    assert.is(exports["down"]!(3), 65, label(options));
    assert.is(exports["via"]!(4, 0), 8, label(options));
    assert.is(exports["via"]!(4, 1), 40, label(options));
    assert.is(exports["via"]!(1, 2), 15, label(options));
    assert.equal(entered, [1, 2, 4, 1, 4, 4, 2], label(options));
  }
});

test("who instantiates must provide an added import", () => {
  assert.throws(() => instantiate(compileSync(bytes, { passes: [hooks] }), { env }), /unknown import: "hooks" "enter": expected function \(i32\) -> \(\)/);
});

test("a global, an imported global, a function and exports added by a module pass", () => {
  for (const options of everywhere) {
    const exports = instantiate(compileSync(bytes, { ...options, passes: [counter] }), { env, scale: { by: 100n } }).exports as Exports;
    exports["double"]!(1);
    exports["via"]!(4, 0);
    assert.is(exports["calls"]!(), 400n, label(options));
    assert.is((exports["raw_calls"] as unknown as Global).value, 4n, label(options));
  }
});

test("functions that call each other and an import among them; a table, a memory, segments", () => {
  for (const options of everywhere) {
    const seen: number[] = [];
    const log = (x: number) => (seen.push(x), -x);
    const exports = instantiate(compileSync(bytes, { ...options, passes: [tower] }), { env, log: { value: log } }).exports as Exports;
    assert.is(exports["sum"]!(7), 14, label(options));
    assert.is(exports["sum"]!(70), -70, label(options));
    assert.is(exports["log"]!(5), -5, label(options));
    assert.equal(seen, [70, 5], label(options));
    assert.is((exports["table"] as unknown as { get(i: number): Exports[string] }).get(0)(8), 16, label(options));
    assert.is(exports["load"]!(0), 0x04030201, label(options));
    assert.is(exports["down"]!(2), 35, label(options));
  }
});

test("all three together; traps keep names and byte offsets", () => {
  for (const options of everywhere) {
    const exports = instantiate(compileSync(bytes, { ...options, passes: [hooks, counter, tower] }), { env, hooks: { enter: () => undefined }, scale: { by: 1n }, log: { value: () => 0 } }).exports as Exports;
    const plain = instantiate(compileSync(bytes, options), { env }).exports as Exports;
    const trapOf = (from: Exports) => {
      try {
        from["trap"]!(0);
      } catch (error) {
        if (error instanceof Trap) return error.backtrace.map(({ name, offset }) => ({ name, offset }));
      }
      return undefined;
    };
    assert.equal(trapOf(exports), trapOf(plain), label(options));
    assert.is(trapOf(exports)![0]!.name, "trap", label(options));
    assert.is(exports["sum"]!(5), 10, label(options));
  }
});

test("edited modules are text like any other, byte for byte", async () => {
  const compiled = await compile(bytes, { passes: [hooks, counter, tower], level: 1, record: true, verify: true });
  const funcs = Object.values(compiled.history!.current.funcs).map((state) => state.ssa!);
  assert.is(funcs.length, 8);
  const text = printModule(compiled.module, funcs);
  assert.match(text, /^import @\d+ "enter" = "hooks" "enter": t\d+$/m);
  const again = parseModule(text);
  assert.is(printModule(again.module, again.funcs), text);
  assert.equal(verifyModule(again.module), []);
  for (const fn of again.funcs) assert.equal(verifyFunc(fn, again.module).map(printVerifierError), []);
});

test("types are shared with equal ones; names of exports are not taken twice", () => {
  const { module } = compileSync(bytes);
  const copy = module.clone();
  const edit = new ModuleEdit(copy);
  assert.is(edit.addType({ params: [Type.i32], results: [Type.i32] }), copy.funcs[1]!.type);
  const fresh = edit.addType({ params: [Type.f64, Type.f64], results: [] });
  assert.is(fresh, module.types.length);
  assert.is(edit.addType({ params: [Type.f64, Type.f64], results: [] }), fresh);
  assert.throws(() => edit.addExport("double", "func", 1), /there is an export "double" already/);
  assert.throws(() => edit.addFunc("f", { params: [], results: [] }), /only a pass of scope module/);
  edit.addImportFunc("a", "b", { params: [], results: [] });
  edit.declareRef(1 as Func["index"]);
  assert.equal(verifyModule(copy), []);
  assert.is(module.funcs.length, 5, "the compiled module is as it was");
});

test("declarations cannot be edited while functions are under way", () => {
  const late = definePass({
    name: "late", summary: "", stage: "ssa", scope: "func",
    run: (_fn, cx) => void (cx as unknown as { edit: ModuleEdit }).edit.addGlobal({ type: Type.i32, mutable: true }, 0),
  });
  assert.throws(() => compileSync(bytes, { passes: [late] }), /pass late failed on @1 "double": declarations are edited in begin/);
});

test("a block split in the middle keeps its meaning", () => {
  const split = definePass({
    name: "split", summary: "every instruction in a block of its own", stage: "ssa", scope: "func",
    run(fn) {
      const at: Value[] = [];
      eachInst(fn, (v) => fn.op[v] !== Op.result && v !== fn.firstInst[fn.block[v]!] && at.push(v));
      for (const v of at) endWithBr(fn, fn.block[v]! as Block, splitBefore(fn, v));
    },
  });
  for (const options of everywhere) {
    const exports = instantiate(compileSync(bytes, { ...options, passes: [split] }), { env }).exports as Exports;
    assert.is(exports["down"]!(3), 65, label(options));
  }
});

test.run();
