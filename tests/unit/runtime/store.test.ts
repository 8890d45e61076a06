// Stores: canonical types, tables, globals, externref handles.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Type } from "../../../ir/types.js";
import { currentThread, Global, Memory, Store, Table } from "../../../runtime/index.js";
import { thrown } from "./support.js";

test("types are interned by structure", () => {
  const store = new Store();
  const a = store.intern({ params: [Type.i32], results: [Type.f64] });
  assert.is(store.intern({ params: [Type.i32], results: [Type.f64] }), a);
  assert.is.not(store.intern({ params: [Type.i32, Type.f64], results: [] }), a);
  assert.is.not(store.intern({ params: [], results: [Type.i32, Type.f64] }), a);
  assert.is.not(a, 0);
  assert.equal(store.typeOf(a), { params: [Type.i32], results: [Type.f64] });
});

test("tables of references of both kinds", () => {
  const store = new Store();
  const object = {};
  const table = new Table({ element: "externref", initial: 3, maximum: 6 }, object, store);
  assert.is(table.get(2), object);
  table.set(0, "text");
  table.set(1, undefined);
  table.set(2, null);
  assert.equal([0, 1, 2].map((i) => table.get(i)), ["text", undefined, null]);
  assert.is(table.grow(3, 5), 3);
  assert.equal([3, 4, 5].map((i) => table.get(i)), [5, 5, 5]);
  assert.instance(thrown(() => table.grow(1)), RangeError);
  assert.instance(thrown(() => table.get(6)), RangeError);

  const funcs = new Table({ element: "funcref", initial: 2 }, null, store);
  const f = store.hostFunction({ params: [], results: [Type.i32] }, () => 5);
  funcs.set(1, f);
  assert.is(funcs.get(0), null);
  assert.is(funcs.get(1), f);
  assert.instance(thrown(() => funcs.set(0, () => 1)), TypeError);
  assert.match(thrown(() => new Table({ element: "funcref", initial: 1 }, f, new Store())).message, "another store");
});

test("growth keeps a table's elements", () => {
  const store = new Store();
  const table = new Table({ element: "externref", initial: 1 }, "first", store);
  table.grow(100_000, "more");
  assert.is(table.get(0), "first");
  assert.is(table.get(100_000), "more");
});

test("globals coerce by the rules of the JS API", () => {
  const store = new Store();
  const i32 = Global.make({ value: "i32", mutable: true }, 2 ** 32 + 5, store);
  assert.is(i32.value, 5);
  i32.value = { valueOf: () => -1 };
  assert.is(i32.value, -1);
  assert.instance(thrown(() => (i32.value = 1n)), TypeError);
  const i64 = Global.make({ value: "i64", mutable: true }, 2n ** 64n + 3n, store);
  assert.is(i64.value, 3n);
  assert.instance(thrown(() => (i64.value = 1)), TypeError);
  i64.value = "0x10";
  assert.is(i64.value, 16n);
  assert.is(Global.make({ value: "f32" }, 0.1, store).value, Math.fround(0.1));
  const constant = Global.make({ value: "externref" }, "x", store);
  assert.is(constant.value, "x");
  assert.instance(thrown(() => (constant.value = 1)), TypeError);
});

test("raw bits keep the payload of a NaN", () => {
  const global = Global.make({ value: "f64", mutable: true }, 0, new Store());
  global.setRaw(0x7ff0_0000_dead_beefn);
  assert.is(global.getRaw(), 0x7ff0_0000_dead_beefn);
  const single = Global.make({ value: "f32", mutable: true }, 0, new Store());
  single.setRaw(0xffa0_0001n);
  assert.is(single.getRaw(), 0xffa0_0001n);
});

test("a million externrefs passing through leave the handle table and the heap flat", () => {
  const store = new Store();
  const table = new Table({ element: "externref", initial: 10, maximum: 10 }, null, store);
  const global = Global.make({ value: "externref", mutable: true }, null, store);
  table.set(9, "stays");
  const { reclaim } = currentThread();
  reclaim.collectNow();
  const before = process.memoryUsage().heapUsed;
  const rounds = process.env["EMULATED_NODE"] === undefined ? 1_000_000 : 20_000;
  for (let i = 0; i < rounds; i++) {
    table.set(i % 9, { i });
    if (i % 1000 === 0) global.value = { i };
  }
  for (const { externs } of [table, global]) assert.ok(externs.count < 10_000, `${externs.count} handles`);
  reclaim.collectNow();
  const grown = process.memoryUsage().heapUsed - before;
  assert.ok(grown < 4 << 20, `the heap grew by ${grown} bytes`);
  assert.equal(table.get(9), "stays");
  assert.equal(table.get((rounds - 1) % 9), { i: rounds - 1 });
  assert.equal(global.value, { i: rounds - 1000 });
});

test("small native blocks are given back", () => {
  const { heap, reclaim } = currentThread();
  const store = new Store();
  reclaim.collectNow();
  const before = heap.used;
  for (let i = 0; i < 3000; i++) {
    Global.make({ value: "i32" }, i, store);
    new Table({ element: "funcref", initial: 4, maximum: 4 }, null, store);
    store.hostFunction({ params: [], results: [] }, () => undefined);
    new Memory({ initial: 0 });
  }
  reclaim.collectNow();
  assert.ok(heap.used - before < 2000, `${heap.used - before} bytes`);
});

test("host functions of a store can be called and are coerced both ways", () => {
  const store = new Store();
  const add = store.hostFunction({ params: [Type.i32, Type.i64], results: [Type.i32, Type.i64] }, ((a: number, b: bigint) => [a + 0.9, b]) as never);
  assert.equal(add(2 ** 32 + 1, -(2n ** 64n)), [1, 0n]);
  assert.is(add.length, 2);
  const refs = store.hostFunction({ params: [Type.externref, Type.externref], results: [Type.externref, Type.funcref] }, ((a: unknown[], b: unknown) => [[...a, b], add]) as never);
  assert.equal(refs(["x"], undefined), [["x", undefined], add]);
  assert.instance(thrown(() => store.hostFunction({ params: [], results: [Type.funcref] }, () => 5)()), TypeError);
  const raw = store.hostFunction({ params: [Type.f32], results: [Type.f32] }, ((bits: bigint) => bits) as never, true);
  assert.is(raw(1.5), 1.5);
});

test.run();
