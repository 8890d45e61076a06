// Linking: what is refused and how it is said; initialization in order; identity of what is handed on.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Global, instantiate, LinkError, Memory, Store, Table, Trap } from "../../../runtime/index.js";
import { compileWat, functions, modes, thrown } from "./support.js";

const refusals: readonly [wat: string, imports: (store: Store) => Record<string, unknown>, message: string][] = [
  ["(func (param i32) (result i64))", () => ({}), `unknown import: "m" "x": expected function (i32) -> i64, found nothing of that name`],
  ["(func (param i32))", () => ({ x: 5 }), `incompatible import type: "m" "x": expected function (i32) -> (), found a number`],
  ["(func (param i32))", (store) => ({ x: store.hostFunction({ params: [], results: [] }, () => undefined) }), `expected function (i32) -> (), found function () -> ()`],
  ["(func)", () => ({ x: new Store().hostFunction({ params: [], results: [] }, () => undefined) }), "found a function of another store"],
  ["(memory 2)", () => ({ x: new Memory({ initial: 1 }) }), "expected memory of 2 or more pages, found memory of 1 or more pages"],
  ["(memory 1 2)", () => ({ x: new Memory({ initial: 1, maximum: 3 }) }), "expected memory of 1 to 2 pages, found memory of 1 to 3 pages"],
  ["(memory 1 2)", () => ({ x: new Memory({ initial: 1 }) }), "expected memory of 1 to 2 pages, found memory of 1 or more pages"],
  ["(table 3 funcref)", (store) => ({ x: new Table({ element: "externref", initial: 3 }, null, store) }), "expected table of funcref, 3 or more, found table of externref, 3 or more"],
  ["(global i32)", (store) => ({ x: Global.make({ value: "i64" }, 1n, store) }), "expected immutable global of i32, found immutable global of i64"],
  ["(global (mut i32))", (store) => ({ x: Global.make({ value: "i32" }, 1, store) }), "expected mutable global of i32, found immutable global of i32"],
  ["(global (mut i32))", () => ({ x: 1 }), "expected mutable global of i32, found a number"],
  ["(global i64)", () => ({ x: 1 }), "expected immutable global of i64, found a number"],
];

test("what does not match is refused with what was expected and found", async () => {
  for (const [wat, imports, message] of refusals) {
    const compiled = await compileWat(`(module (import "m" "x" ${wat}))`, "interp");
    const store = new Store();
    const error = thrown(() => instantiate(compiled, { m: imports(store) }, store));
    assert.instance(error, LinkError);
    assert.is(error.module, "m");
    assert.is(error.importName, "x");
    assert.ok(error.message.includes(message), `${error.message}\n  should say: ${message}`);
  }
  const compiled = await compileWat(`(module (import "n" "x" (func)))`, "interp");
  assert.match(thrown(() => instantiate(compiled, {})).message, `no module "n" among the imports`);
});

test("code that relies on guards takes no memory without", async () => {
  const compiled = await compileWat(`(module (import "m" "x" (memory 1)))`, "guard");
  assert.match(thrown(() => instantiate(compiled, { m: { x: new Memory({ initial: 1, guards: false }) } })).message, "without guard pages");
});

for (const mode of modes) {
  test(`${mode}: segments before the one that traps stay written`, async () => {
    const compiled = await compileWat(
      `(module (import "m" "mem" (memory 1)) (import "m" "tab" (table 4 funcref)) (func $f)
        (elem (i32.const 0) $f) (data (i32.const 0) "a") (data (i32.const 65535) "bc") (data (i32.const 1) "d"))`,
      mode,
    );
    const store = new Store();
    const mem = new Memory({ initial: 1 });
    const tab = new Table({ element: "funcref", initial: 4 }, null, store);
    const error = thrown(() => instantiate(compiled, { m: { mem, tab } }, store));
    assert.instance(error, Trap);
    assert.is(error.kind, "out_of_bounds_memory");
    const bytes = new Uint8Array(mem.buffer);
    assert.equal([bytes[0], bytes[1], bytes[65535]], [97, 0, 0]);
    assert.type(tab.get(0), "function");
    (tab.get(0) as () => void)();
  });

  test(`${mode}: exports are frozen, functions keep their identity on every way`, async () => {
    const store = new Store();
    const a = instantiate(await compileWat(`(module (func $f (export "f") (export "g") (result i32) i32.const 7) (table (export "t") 2 funcref) (elem (i32.const 1) $f))`, mode), {}, store);
    const b = instantiate(
      await compileWat(`(module (import "a" "f" (func $f (result i32))) (export "h" (func $f)) (global (export "r") funcref (ref.func $f)) (func (export "id") (param funcref) (result funcref) local.get 0))`, mode),
      { a: a.exports as Record<string, unknown> },
      store,
    );
    assert.ok(Object.isFrozen(a.exports));
    assert.is(Object.getPrototypeOf(a.exports), null);
    const { f, g } = functions(a.exports);
    assert.is(f, g);
    assert.is(b.exports.h, f);
    assert.is((a.exports.t as Table).get(1), f);
    assert.is((b.exports.r as Global).value, f);
    assert.is(functions(b.exports).id!(f), f);
    assert.is(functions(b.exports).id!(null), null);
    assert.instance(thrown(() => functions(b.exports).id!(() => 1)), TypeError);
    assert.is(f!(), 7);
    assert.is(f!.name, "0");
  });

  test(`${mode}: memories, tables and globals are shared, objects are the same`, async () => {
    const store = new Store();
    const a = instantiate(await compileWat(`(module (memory (export "m") 1) (table (export "t") 1 funcref) (global $g (export "g") (mut i32) (i32.const 1)) (func (export "bump") global.get $g i32.const 1 i32.add global.set $g))`, mode), {}, store);
    const b = instantiate(
      await compileWat(`(module (import "a" "m" (memory 1)) (import "a" "t" (table 1 funcref)) (import "a" "g" (global $g (mut i32)))
        (export "m" (memory 0)) (export "t" (table 0)) (export "g" (global 0))
        (func (export "get") (result i32) global.get $g) (func (export "poke") i32.const 3 i32.const 9 i32.store8) (func (export "grow") (result i32) i32.const 1 memory.grow))`, mode),
      { a: a.exports as Record<string, unknown> },
      store,
    );
    for (const name of ["m", "t", "g"]) assert.is(a.exports[name], b.exports[name]);
    functions(a.exports).bump!();
    assert.is(functions(b.exports).get!(), 2);
    (a.exports.g as Global).value = 40;
    functions(a.exports).bump!();
    assert.is(functions(b.exports).get!(), 41);
    functions(b.exports).poke!();
    const memory = a.exports.m as Memory;
    const { buffer } = memory;
    assert.is(new Uint8Array(buffer)[3], 9);
    assert.is(functions(b.exports).grow!(), 1);
    assert.is(buffer.byteLength, 0);
    assert.is(memory.buffer.byteLength, 2 * 65536);
  });

  test(`${mode}: the start function runs; what it throws is what comes out`, async () => {
    const compiled = await compileWat(`(module (import "m" "s" (func $s)) (start $s))`, mode);
    let ran = 0;
    instantiate(compiled, { m: { s: () => ran++ } });
    assert.is(ran, 1);
    const error = new Error("from start");
    assert.is(thrown(() => instantiate(compiled, { m: { s: () => { throw error; } } })), error);
  });
}

test("a compiled module runs in two stores that saw types in another order", async () => {
  const compiled = await compileWat(
    `(module (type $i (func (result i32))) (type $l (func (result i64))) (table 2 funcref) (elem (i32.const 0) $a $b)
      (func $a (type $i) i32.const 1) (func $b (type $l) i64.const 2)
      (func (export "i") (param i32) (result i32) local.get 0 call_indirect (type $i))
      (func (export "l") (param i32) (result i64) local.get 0 call_indirect (type $l)))`,
    "guard",
  );
  const first = new Store();
  const second = new Store();
  for (const sig of [{ params: [], results: [2] }, { params: [1], results: [] }, { params: [], results: [1] }]) second.intern(sig as never);
  for (const store of [first, second]) {
    const { i, l } = functions(instantiate(compiled, {}, store).exports);
    assert.is(i!(0), 1);
    assert.is(l!(1), 2n);
    assert.is(thrown(() => i!(1)).kind, "indirect_call_type_mismatch");
    assert.is(thrown(() => l!(0)).kind, "indirect_call_type_mismatch");
  }
});

test.run();
