// V8's own objects where a program mixes both engines: its functions, memories, tables and globals as our imports, ours as its.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bytesOf, moduleOf, thrown, WebAssembly } from "./support.js";

const test = suite("webassembly host objects");
const host = (globalThis as any).WebAssembly;

const hostExports = async (wat: string, imports?: object): Promise<Record<string, any>> => new host.Instance(new host.Module(await bytesOf(wat)), imports).exports;
const ourExports = async (wat: string, imports?: object): Promise<Record<string, any>> => new WebAssembly.Instance(await moduleOf(wat), imports).exports;

test("the two are not the same", () => {
  assert.is.not(host.Memory, WebAssembly.Memory);
});

test("a function of the host's keeps its identity and its type", async () => {
  const theirs = await hostExports(`(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "wide") (result i64) (i64.const 1)) (func (export "trap") unreachable))`);
  const wat = `(module (import "m" "add" (func $add (param i32 i32) (result i32))) (import "m" "trap" (func $trap)) (export "add" (func $add))
    (table (export "table") 1 funcref) (elem (i32.const 0) $add) (type $t (func (param i32 i32) (result i32)))
    (func (export "run") (param i32 i32) (result i32) (call $add (local.get 0) (local.get 1)))
    (func (export "indirect") (param i32 i32) (result i32) (call_indirect (type $t) (local.get 0) (local.get 1) (i32.const 0)))
    (func (export "wrong") (call_indirect (i32.const 0)))
    (func (export "trap") (call $trap)))`;
  const ours = await ourExports(wat, { m: theirs });
  assert.is(ours.run(40, 2), 42);
  assert.is(ours.indirect(40, 3), 43);
  assert.is(ours.add, theirs.add);
  assert.is(ours.table.get(0), theirs.add);
  assert.match(thrown(() => ours.wrong()).message, /indirect call type mismatch/);
  const trap = thrown(() => ours.trap());
  assert.instance(trap, WebAssembly.RuntimeError);
  assert.is(trap.message, "unreachable");
  const module = await moduleOf(wat);
  assert.is(thrown(() => new WebAssembly.Instance(module, { m: { ...theirs, add: theirs.wide } })).message,
    `WebAssembly.Instance(): Import #0 "m" "add": expected function (i32, i32) -> i32, found function () -> i64`);
  assert.is(new WebAssembly.Table({ element: "anyfunc", initial: 1 }, theirs.wide).get(0), theirs.wide);
});

test("our functions are the host's imports", async () => {
  const ours = await ourExports(`(module (func (export "add") (param i32 i64) (result i64) (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1))) (func (export "trap") unreachable))`);
  const theirs = await hostExports(`(module (import "m" "add" (func $add (param i32 i64) (result i64))) (import "m" "trap" (func $trap))
    (func (export "run") (result i64) (call $add (i32.const -1) (i64.const 43))) (func (export "trap") (call $trap)))`, { m: ours });
  assert.is(theirs.run(), 42n);
  assert.is(thrown(() => theirs.trap()).kind, "unreachable");
});

test("a memory of the host's: one set of pages, growth seen by both", async () => {
  const wat = `(module (import "m" "memory" (memory 1 8)) (import "m" "hook" (func $hook)) (export "memory" (memory 0))
    (func (export "size") (result i32) memory.size) (func (export "grow") (result i32) (memory.grow (i32.const 1))) (func (export "hooked") (result i32) (call $hook) memory.size)
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0))) (func (export "store") (param i32 i32) (i32.store (local.get 0) (local.get 1))))`;
  const memory = new host.Memory({ initial: 1, maximum: 8 });
  const m = { memory, hook: () => void memory.grow(1) };
  const ours = await ourExports(wat, { m });
  const theirs = await hostExports(wat, { m });
  assert.is(ours.memory, memory);
  theirs.store(65532, 7);
  assert.is(ours.load(65532), 7);
  const { buffer } = memory;
  assert.is(ours.grow(), 1);
  assert.is(buffer.byteLength, 0);
  assert.is(memory.buffer.byteLength, 2 * 65536);
  assert.is(theirs.size(), 2);
  assert.is(theirs.grow(), 2);
  assert.is(ours.size(), 3);
  assert.is(memory.grow(1), 3);
  assert.is(ours.size(), 4);
  assert.is(ours.hooked(), 5);
  ours.store(5 * 65536 - 4, 9);
  assert.is(theirs.load(5 * 65536 - 4), 9);
  assert.match(thrown(() => ours.load(5 * 65536)).message, /out of bounds memory access: address 327680/);
  assert.is(ours.grow(), 5);
  assert.is(ours.grow(), 6);
  assert.is(ours.grow(), 7);
  assert.is(ours.grow(), -1);
  const module = await moduleOf(wat);
  const other = new host.Memory({ initial: 1, maximum: 9 });
  assert.match(thrown(() => new WebAssembly.Instance(module, { m: { memory: other, hook() {} } })).message, /expected memory of 1 to 8 pages, found memory of 1 to 9 pages/);
});

test("globals and tables of the host's are mirrored", async () => {
  const theirs = await hostExports(`(module (global (export "g") (mut i32) (i32.const 5)) (global (export "c") f64 (f64.const 2.5)) (global (export "r") (mut externref) (ref.null extern))
    (table (export "table") 3 10 funcref) (elem (i32.const 1) $x) (func $x (result i32) (i32.const 99)) (table (export "refs") 1 externref)
    (func (export "set") (param i32) (global.set 0 (local.get 0)))
    (func (export "call") (param i32) (result i32) (call_indirect (result i32) (local.get 0))))`);
  const ours = await ourExports(`(module (import "m" "g" (global $g (mut i32))) (import "m" "c" (global $c f64)) (import "m" "r" (global $r (mut externref)))
    (import "m" "table" (table $t 1 funcref)) (import "m" "refs" (table $refs 1 externref)) (import "m" "set" (func $set (param i32)))
    (export "g" (global $g)) (export "table" (table $t)) (elem declare func $own)
    (func $own (result i32) (i32.const 123))
    (func (export "c") (result f64) (global.get $c))
    (func (export "get") (result i32) (global.get $g)) (func (export "increment") (global.set $g (i32.add (global.get $g) (i32.const 1))))
    (func (export "through") (param i32) (result i32) (call $set (local.get 0)) (global.get $g))
    (func (export "reference") (param externref) (global.set $r (local.get 0)) (table.set $refs (i32.const 0) (local.get 0)))
    (func (export "call") (param i32) (result i32) (call_indirect $t (result i32) (local.get 0)))
    (func (export "put") (param i32) (table.set $t (local.get 0) (ref.func $own)))
    (func (export "grow") (result i32) (table.grow $t (ref.func $own) (i32.const 2))))`, { m: theirs });
  assert.is(ours.g, theirs.g);
  assert.is(ours.table, theirs.table);
  assert.is(ours.c(), 2.5);
  assert.is(ours.get(), 5);
  ours.increment();
  assert.is(theirs.g.value, 6);
  theirs.set(40);
  assert.is(ours.get(), 40);
  theirs.g.value = 41;
  assert.is(ours.get(), 41);
  assert.is(ours.through(7), 7);
  const object = {};
  ours.reference(object);
  assert.is(theirs.r.value, object);
  assert.is(theirs.refs.get(0), object);
  assert.is(ours.call(1), 99);
  ours.put(2);
  assert.is(theirs.call(2), 123);
  assert.is(ours.grow(), 3);
  assert.is(theirs.table.length, 5);
  assert.is(theirs.call(4), 123);
  theirs.table.set(0, theirs.table.get(1));
  assert.is(ours.call(0), 99);
  assert.match(thrown(() => new WebAssembly.Instance(new WebAssembly.Module(importsMutableI64), { m: theirs })).message, /expected mutable global of i64, found mutable global of i32/);
});

const importsMutableI64 = await bytesOf(`(module (import "m" "g" (global (mut i64))))`);

test("the host's objects are instances of the classes, too", () => {
  assert.instance(new host.Memory({ initial: 0 }), WebAssembly.Memory);
  assert.instance(new host.Table({ element: "anyfunc", initial: 0 }), WebAssembly.Table);
  assert.instance(new host.Global({ value: "i32" }), WebAssembly.Global);
  assert.not(new host.Table({ element: "anyfunc", initial: 0 }) instanceof WebAssembly.Memory);
  class Mine extends WebAssembly.Memory {}
  assert.not(new host.Memory({ initial: 0 }) instanceof Mine);
  assert.not({} instanceof WebAssembly.Memory);
});

test.run();
