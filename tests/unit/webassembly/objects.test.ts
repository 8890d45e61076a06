// Module, Memory, Table, Global: conversions, order of evaluation, limits, identities.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { bytesOf, exportsOf, moduleOf, thrown, WebAssembly } from "./support.js";

const test = suite("webassembly objects");
const { Memory, Table, Global, Module } = WebAssembly;
const PAGE = 65536;

/** An object whose getters and conversions write down when they are asked. */
function recording(order: string[], members: Record<string, unknown>): any {
  const object = {};
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(object, name, {
      get() {
        order.push(name);
        return { valueOf: () => (order.push(`${name} value`), value), toString: () => (order.push(`${name} string`), value) };
      },
    });
  }
  return object;
}

test("a module tells what it imports, exports, and carries", async () => {
  const wat = `(module (import "m" "table" (table 1 externref)) (import "m" "global" (global i32)) (import "m" "f" (func)) (import "m" "memory" (memory 0))
    (export "f" (func 0)) (export "" (memory 0)) (global (export "g") f32 (f32.const 0)))`;
  const module = await moduleOf(wat);
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  assert.equal(Module.imports(module).sort(byName), [
    { module: "m", name: "f", kind: "function" }, { module: "m", name: "global", kind: "global" }, { module: "m", name: "memory", kind: "memory" }, { module: "m", name: "table", kind: "table" },
  ]);
  assert.equal(Module.exports(module).sort(byName), [{ name: "", kind: "memory" }, { name: "f", kind: "function" }, { name: "g", kind: "global" }]);
  assert.equal(Object.keys(Module.exports(module)[0]!), ["name", "kind"]);
  assert.throws(() => Module.exports({} as never), /WebAssembly\.Module\.exports\(\): Argument 0 must be a WebAssembly\.Module/);
});

test("custom sections by name, as copies, the name section among them", () => {
  const section = (name: string, ...bytes: number[]) => [0, name.length + 1 + bytes.length, name.length, ...Buffer.from(name), ...bytes];
  const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...section("a", 1, 2), ...section("b"), ...section("name", 0, 2, 1, 0x78), ...section("a", 3)]);
  const module = new Module(bytes);
  const contents = (name: string) => Module.customSections(module, name).map((buffer) => [...new Uint8Array(buffer)]);
  assert.equal(contents("a"), [[1, 2], [3]]);
  assert.equal(contents("b"), [[]]);
  assert.equal(contents("name"), [[0, 2, 1, 0x78]]);
  assert.equal(contents("c"), []);
  assert.is.not(Module.customSections(module, "a")[0], Module.customSections(module, "a")[0]);
  assert.throws(() => (Module.customSections as any)(module), /Argument 1 is required/);
});

test("bytes of any kind, copied at once", async () => {
  const bytes = await bytesOf("(module)");
  const shifted = new Uint8Array(bytes.length + 8);
  shifted.set(bytes, 5);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  for (const source of [bytes, bytes.buffer, new DataView(shifted.buffer, 5, bytes.length), shared, shared.buffer]) {
    assert.ok(WebAssembly.validate(source as ArrayBuffer));
    new Module(source as ArrayBuffer);
  }
  const promise = WebAssembly.compile(bytes);
  bytes.fill(0);
  await promise;
  for (const wrong of [undefined, null, 1, "", {}, [0, 1], ArrayBuffer.prototype]) assert.throws(() => new Module(wrong as never), /WebAssembly\.Module\(\): Argument 0 must be a buffer source/);
});

test("a module survives structuredClone", async () => {
  const module = await moduleOf(`(module (func (export "f") (result i32) (i32.const 42)))`);
  const clone = structuredClone(module);
  assert.is.not(clone, module);
  assert.instance(clone, Module as unknown as Function);
  assert.equal(Module.exports(clone), [{ name: "f", kind: "function" }]);
  assert.is(new WebAssembly.Instance(clone).exports.f(), 42);
  assert.is((await WebAssembly.instantiate(structuredClone(module))).exports.f(), 42);
  // One that V8 compiled carries nothing that we could compile.
  const foreign = new (globalThis as any).WebAssembly.Module(await bytesOf("(module)"));
  assert.not(foreign instanceof (Module as unknown as Function));
  assert.instance(thrown(() => new WebAssembly.Instance(foreign)), TypeError);
});

test("text is no module", () => {
  assert.not(WebAssembly.validate(Buffer.from("(module)")));
  assert.instance(thrown(() => new Module(Buffer.from("(module)"))), WebAssembly.CompileError);
});

test("descriptors are read in the order of the specification", () => {
  const memory: string[] = [];
  new Memory(recording(memory, { shared: false, maximum: 1, initial: 1, address: "i32" }));
  assert.equal(memory.filter((entry) => !entry.startsWith("shared")), ["address", "address string", "initial", "initial value", "maximum", "maximum value"]);
  const table: string[] = [];
  new Table(recording(table, { maximum: 1, initial: 1, element: "anyfunc" }));
  assert.equal(table, ["element", "element string", "initial", "initial value", "maximum", "maximum value"]);
  const global: string[] = [];
  new Global(recording(global, { value: "i32", mutable: true }), { valueOf: () => (global.push("init"), 3) });
  assert.equal(global, ["mutable", "value", "value string", "init"]);
});

test("numbers out of range are TypeErrors, limits that make no sense RangeErrors", () => {
  for (const initial of [undefined, NaN, Infinity, -1, 2 ** 32, "x", 1n, Symbol(), {}]) {
    assert.instance(thrown(() => new Memory({ initial } as never)), TypeError, String(initial));
    assert.instance(thrown(() => new Table({ element: "anyfunc", initial } as never)), TypeError, String(initial));
  }
  assert.instance(thrown(() => new Memory({ initial: 10, maximum: 9 })), RangeError);
  assert.instance(thrown(() => new Memory({ initial: 65537 })), RangeError);
  assert.instance(thrown(() => new Memory({ initial: 0, maximum: 65537 })), RangeError);
  assert.instance(thrown(() => new Table({ element: "anyfunc", initial: 10_000_001 })), RangeError);
  assert.is(thrown(() => new Memory({ initial: -1 })).message, "WebAssembly.Memory(): Property 'initial' must be from 0 to 4294967295, not -1");
  assert.is(thrown(() => new Table({ element: "i32", initial: 1 } as never)).message, "WebAssembly.Table(): Property 'element' must be 'anyfunc' or 'externref', not 'i32'");
  assert.is(thrown(() => new Memory(5 as never)).message, "WebAssembly.Memory(): Argument 0 must be a memory descriptor");
});

test("a memory's buffer is one object until it grows", () => {
  const memory = new Memory({ initial: "1" as never, maximum: 3 });
  const { buffer } = memory;
  assert.is(memory.buffer, buffer);
  assert.is(memory.grow(0.9 as never), 1);
  assert.is(buffer.byteLength, 0);
  assert.is(memory.grow(2), 1);
  assert.is(memory.buffer.byteLength, 3 * PAGE);
  assert.instance(thrown(() => memory.grow(1)), RangeError);
  assert.instance(thrown(() => (memory.grow as any)()), TypeError);
  assert.throws(() => {
    (memory as any).buffer = buffer;
  }, TypeError);
});

test("a shared memory", () => {
  assert.throws(() => new Memory({ initial: 1, shared: true }), /maximum/);
  const memory = new Memory({ initial: 1, maximum: 2, shared: true });
  const { buffer } = memory;
  assert.instance(buffer, SharedArrayBuffer);
  assert.ok(Object.isFrozen(buffer));
  assert.is(Object.getPrototypeOf(memory), Memory.prototype);
  assert.is(Atomics.add(new Int32Array(buffer), 1, 5), 0);
  assert.is(memory.grow(1), 1);
  assert.is(buffer.byteLength, PAGE);
  assert.is(memory.buffer.byteLength, 2 * PAGE);
  assert.is(new Int32Array(memory.buffer)[1], 5);
  // What is posted elsewhere stands on the same pages.
  const clone = structuredClone(memory);
  new Int32Array(clone.buffer)[2] = 6;
  assert.is(new Int32Array(memory.buffer)[2], 6);
});

test("64-bit address types, as far as JS sees them", async () => {
  const memory = new Memory({ initial: 1n, maximum: 2n, address: "i64" } as never);
  assert.is(memory.grow(1n), 1n);
  assert.throws(() => memory.grow(1), TypeError);
  const table = new Table({ element: "externref", initial: 2n, address: "i64" } as never, 7);
  assert.is(table.length, 2n);
  assert.is(table.get(1n), 7);
  const importer = await moduleOf(`(module (import "m" "memory" (memory 1)))`);
  assert.match(thrown(() => new WebAssembly.Instance(importer, { m: { memory } })).message, /found 64-bit memory of 2 to 2 pages/);
});

test("tables hold what they are given", async () => {
  const { f, table } = await exportsOf(`(module (func (export "f")) (table (export "table") 1 4 funcref) (elem (i32.const 0) 0))`);
  assert.is(table.get(0), f);
  assert.is(table.grow(1), 1);
  assert.is(table.get(1), null);
  assert.is(table.grow(1, f), 2);
  assert.is(table.get(2), f);
  table.set(0);
  assert.is(table.get(0), null);
  assert.throws(() => table.set(0, undefined), /null or an exported WebAssembly function/);
  assert.throws(() => table.set(0, () => {}), TypeError);
  assert.instance(thrown(() => table.get(3)), RangeError);
  assert.instance(thrown(() => table.get(-1)), TypeError);
  assert.instance(thrown(() => table.grow(2)), RangeError);
  const refs = new Table({ element: "externref", initial: 1 }, "x");
  assert.is(refs.get(0), "x");
  refs.grow(1);
  assert.is(refs.get(1), undefined);
  // The index is converted before the value is looked at.
  const order: string[] = [];
  assert.throws(() => table.set({ valueOf: () => (order.push("index"), 0) }, {}), TypeError);
  assert.equal(order, ["index"]);
});

test("globals of every type", () => {
  for (const [type, value, init] of [["i32", -1, 2 ** 32 - 1], ["i64", -1n, 2n ** 64n - 1n], ["f32", Math.fround(1.1), 1.1], ["f64", 1.1, "1.1"], ["externref", null, null], ["anyfunc", null, null]] as const) {
    const global = new Global({ value: type, mutable: true }, init);
    assert.is(global.value, value, type);
    assert.is(global.valueOf(), value, type);
  }
  assert.is(new Global({ value: "i64" }).value, 0n);
  assert.is(new Global({ value: "externref" }).value, undefined);
  assert.is(new Global({ value: "anyfunc" }).value, null);
  assert.throws(() => new Global({ value: "i64" }, 1), TypeError);
  assert.throws(() => new Global({ value: "i32" }, 1n), TypeError);
  const immutable = new Global({ value: "i32" }, 5);
  assert.is(thrown(() => (immutable.value = 6)).message, "set WebAssembly.Global.value: the global is immutable");
  assert.is(+immutable + 1, 6);
});

test.run();
