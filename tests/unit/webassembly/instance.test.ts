// The JS API over the compiler: a module with everything that can be imported and exported, errors, identities.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { native, watToBytes } from "../../../pipeline/index.js";
import { WebAssembly } from "../../../pipeline/webassembly.js";

const test = suite("webassembly instance");

const thrown = (run: () => unknown): any => {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};
const module = async (wat: string) => new WebAssembly.Module(await watToBytes(wat));

test("imports and exports of every kind are one object each", async () => {
  const exporter = new WebAssembly.Instance(await module(`(module
    (memory (export "memory") 1 2) (table (export "table") 2 funcref) (global (export "global") (mut i64) (i64.const 7))
    (func (export "f") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))`));
  const imports = { m: exporter.exports };
  const importer = new WebAssembly.Instance(await module(`(module
    (memory (export "memory") (import "m" "memory") 1) (table (export "table") (import "m" "table") 1 funcref) (global (export "global") (import "m" "global") (mut i64))
    (func (export "f") (import "m" "f") (param i32) (result i32)))`), imports);
  for (const name of ["memory", "table", "global", "f"]) assert.is(importer.exports[name], exporter.exports[name]);
  assert.is(importer.exports.f(41), 42);
  assert.is(exporter.exports.f.name, "0");
  assert.is(exporter.exports.f.length, 1);
  assert.is(String(exporter.exports.f), "function () { [native code] }");
  assert.throws(() => new exporter.exports.f(), TypeError);
  assert.is(exporter.exports.global.value, 7n);
  assert.instance(exporter.exports.memory, WebAssembly.Memory);
});

test("a trap is a RuntimeError, an exhausted stack a RangeError", async () => {
  const { exports } = new WebAssembly.Instance(await module(`(module (func (export "trap") unreachable) (func $deep (export "deep") (call $deep)))`));
  const trap = thrown(() => exports.trap());
  assert.is(Object.getPrototypeOf(trap), WebAssembly.RuntimeError.prototype);
  assert.match(trap.message, /unreachable/);
  assert.equal(Object.keys(trap), []);
  assert.is(Object.getPrototypeOf(thrown(() => exports.deep())), RangeError.prototype);
});

test("errors name what is wrong and where", async () => {
  const importer = await module(`(module (import "env" "memory" (memory 2)) (import "env" "a" (func)))`);
  const instance = (imports?: object) => thrown(() => new WebAssembly.Instance(importer, imports));
  assert.instance(instance(), TypeError);
  assert.instance(instance({}), TypeError);
  const memory = new WebAssembly.Memory({ initial: 1 });
  const missing = instance({ env: { memory } });
  assert.instance(missing, WebAssembly.LinkError);
  assert.is(missing.message, `WebAssembly.Instance(): Import #1 "env" "a": function import requires a callable`);
  const small = instance({ env: { memory, a() {} } });
  assert.instance(small, WebAssembly.LinkError);
  assert.is(small.message, `WebAssembly.Instance(): Import #0 "env" "memory": expected memory of 2 or more pages, found memory of 1 or more pages`);
  const invalid = thrown(() => new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 2)));
  assert.instance(invalid, WebAssembly.CompileError);
  assert.match(invalid.message, /^WebAssembly\.Module\(\): .*version/);
});

test("SIMD does not validate", async () => {
  const bytes = await watToBytes(`(module (func (result v128) (v128.const i32x4 0 0 0 0)))`);
  assert.not(WebAssembly.validate(bytes));
  assert.ok(WebAssembly.validate(await watToBytes("(module)")));
});

(process.platform === "linux" ? test : test.skip)("a C function is an import like another", async () => {
  const bytes = await module(`(module (import "env" "cos" (func $cos (param f64) (result f64))) (export "cos" (func $cos)) (func (export "f") (param f64) (result f64) (call $cos (local.get 0))))`);
  const { exports } = new WebAssembly.Instance(bytes, { env: { cos: native("libm.so.6", "cos", "f64(f64)") } });
  assert.is(exports.f(1), Math.cos(1));
  assert.is(exports.cos(2), Math.cos(2));
  assert.throws(() => new WebAssembly.Instance(bytes, { env: { cos: native("libm.so.6", "pow", "f64(f64, f64)") } }), /the native function "pow"/);
});

test.run();
