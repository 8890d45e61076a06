// Functions compiled ahead: a module of moderate size is compiled as a whole, in slices, before its functions are called.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compileSync, instantiate, type FuncIndex } from "../../../pipeline/index.js";
import { webAssembly } from "../../../pipeline/webassembly-object.js";
import { watToBytes } from "../../../pipeline/frontend/wat.js";

const COUNT = 400;
/** Function i adds i, 64 times; 30 kB of bodies. */
const bytes = await watToBytes(`(module ${Array.from({ length: COUNT }, (_, i) =>
  `(func (export "f${i}") (param i32) (result i32) local.get 0 ${`i32.const ${i} i32.add `.repeat(64)})`).join("\n")})`);

test("compiling stops when told and goes on; what is called before its turn is compiled then", () => {
  const { ahead, ...compiled } = compileSync(bytes);
  let left = 10;
  assert.is(ahead!.run(() => --left === 0), false);
  const e = instantiate(compiled).exports as Record<string, (x: number) => number>;
  assert.is(e["f3"]!(1), 1 + 3 * 64);
  assert.is(e["f399"]!(1), 1 + 399 * 64);
  assert.is(ahead!.run(), true);
  assert.is(ahead!.run(), true);
  assert.is(ahead!.code(7 as FuncIndex), ahead!.code(7 as FuncIndex));
  for (let i = 0; i < COUNT; i++) assert.is(e[`f${i}`]!(2), 2 + i * 64);
});

test("not where laziness was chosen, nor where the whole module is compiled at once", () => {
  assert.is(compileSync(bytes, { lazy: true }).ahead, undefined);
  assert.is(compileSync(bytes, { lazy: false }).ahead, undefined);
  assert.is(compileSync(bytes, { level: 2 }).ahead, undefined);
});

test("the JS API compiles ahead, and lets the event loop run meanwhile", async () => {
  const WebAssembly = webAssembly();
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const { instance } = await WebAssembly.instantiate(bytes);
  clearInterval(timer);
  assert.ok(turns > 2, `${turns} turns of the event loop`);
  assert.is((instance.exports as Record<string, (x: number) => number>)["f5"]!(0), 5 * 64);
  const module = new WebAssembly.Module(bytes);
  assert.is((new WebAssembly.Instance(module).exports as Record<string, (x: number) => number>)["f6"]!(0), 6 * 64);
});

test.run();
