// The shape of the `WebAssembly` object: property descriptors, names, lengths, class strings, receivers, subclasses.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { moduleOf, thrown, WebAssembly } from "./support.js";

const test = suite("webassembly interface");
const all = WebAssembly as unknown as Record<string, any>;

const descriptor = (object: object, key: string | symbol) => Object.getOwnPropertyDescriptor(object, key)!;
const flags = ({ writable, enumerable, configurable }: PropertyDescriptor) => [writable, enumerable, configurable].map((flag) => (flag === undefined ? "-" : flag ? "1" : "0")).join("");

test("functions of the namespace are enumerable, classes are not", () => {
  assert.equal(Object.keys(WebAssembly), ["validate", "compile", "instantiate", "compileStreaming", "instantiateStreaming"]);
  for (const [name, length] of [["validate", 1], ["compile", 1], ["instantiate", 1], ["compileStreaming", 1], ["instantiateStreaming", 1]] as const) {
    assert.is(flags(descriptor(WebAssembly, name)), "111", name);
    assert.is(all[name].name, name);
    assert.is(all[name].length, length, name);
    assert.is(Object.getPrototypeOf(all[name]), Function.prototype);
    assert.throws(() => new all[name](), TypeError);
  }
  for (const name of ["Module", "Instance", "Memory", "Table", "Global", "CompileError", "LinkError", "RuntimeError"]) {
    assert.is(flags(descriptor(WebAssembly, name)), "101", name);
    assert.is(all[name].name, name);
    assert.is(all[name].length, 1, name);
    assert.is(flags(descriptor(all[name], "prototype")), "000", name);
    assert.is(flags(descriptor(all[name].prototype, "constructor")), "101", name);
    assert.is(all[name].prototype.constructor, all[name]);
  }
});

test("members of the classes", () => {
  const operations = [[WebAssembly.Module, "exports", 1], [WebAssembly.Module, "imports", 1], [WebAssembly.Module, "customSections", 2], [WebAssembly.Memory.prototype, "grow", 1],
    [WebAssembly.Table.prototype, "grow", 1], [WebAssembly.Table.prototype, "get", 1], [WebAssembly.Table.prototype, "set", 1], [WebAssembly.Global.prototype, "valueOf", 0]] as const;
  for (const [owner, name, length] of operations) {
    assert.is(flags(descriptor(owner, name)), "111", name);
    assert.is((owner as any)[name].length, length, name);
  }
  const attributes = [[WebAssembly.Instance, "exports", false], [WebAssembly.Memory, "buffer", false], [WebAssembly.Table, "length", false], [WebAssembly.Global, "value", true]] as const;
  for (const [owner, name, settable] of attributes) {
    const property = descriptor(owner.prototype, name);
    assert.is(flags(property), "-11", name);
    assert.is(property.get!.name, `get ${name}`);
    assert.is(property.set?.name, settable ? `set ${name}` : undefined);
  }
});

test("class strings", async () => {
  const module = await moduleOf("(module)");
  assert.is(String(WebAssembly), "[object WebAssembly]");
  assert.is(String(module), "[object WebAssembly.Module]");
  assert.is(String(new WebAssembly.Instance(module)), "[object WebAssembly.Instance]");
  assert.is(String(new WebAssembly.Memory({ initial: 0 })), "[object WebAssembly.Memory]");
  assert.is(String(new WebAssembly.Table({ element: "anyfunc", initial: 0 })), "[object WebAssembly.Table]");
  assert.is(Object.prototype.toString.call(new WebAssembly.Global({ value: "i32" })), "[object WebAssembly.Global]");
  for (const name of ["Module", "Instance", "Memory", "Table", "Global"]) assert.is(flags(descriptor(all[name].prototype, Symbol.toStringTag)), "001", name);
});

test("wrong receivers are named", () => {
  const { prototype } = WebAssembly.Memory;
  for (const receiver of [undefined, null, 1, {}, prototype, new WebAssembly.Table({ element: "anyfunc", initial: 0 }), Object.create(prototype)]) {
    const error = thrown(() => prototype.grow.call(receiver as never, 1));
    assert.instance(error, TypeError);
    assert.is(error.message, "WebAssembly.Memory.grow(): Receiver is not a WebAssembly.Memory");
  }
  assert.throws(() => descriptor(WebAssembly.Table.prototype, "length").get!.call({}), /Receiver is not a WebAssembly\.Table/);
  assert.throws(() => descriptor(WebAssembly.Global.prototype, "value").get!.call({}), /Receiver is not a WebAssembly\.Global/);
  assert.throws(() => descriptor(WebAssembly.Instance.prototype, "exports").get!.call({}), /Receiver is not a WebAssembly\.Instance/);
});

test("classes are called with new, and extended", async () => {
  for (const name of ["Module", "Instance", "Memory", "Table", "Global"]) assert.throws(() => all[name]({}), TypeError);
  class Mine extends WebAssembly.Memory {
    pages = this.buffer.byteLength / 65536;
  }
  const memory = new Mine({ initial: 3 });
  assert.is(memory.pages, 3);
  assert.instance(memory, Mine);
  assert.instance(memory, WebAssembly.Memory);
  const shared = new Mine({ initial: 1, maximum: 1, shared: true });
  assert.instance(shared, Mine);
  assert.is(shared.pages, 1);
  class MyModule extends (WebAssembly.Module as unknown as new (bytes: Uint8Array) => object) {}
  assert.instance(new MyModule(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)), WebAssembly.Module as unknown as Function);
});

test("errors are of the classes that the host has", () => {
  const error = new WebAssembly.CompileError("text", { cause: 5 });
  assert.instance(error, Error);
  assert.is(String(error), "CompileError: text");
  assert.is(error.cause, 5);
  assert.is(WebAssembly.RuntimeError, (globalThis as any).WebAssembly.RuntimeError);
});

test.run();
