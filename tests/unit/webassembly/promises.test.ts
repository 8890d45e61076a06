// compile, instantiate and the streaming functions: what they resolve to, what rejects them, and when imports are read.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { funcType, header, leb, section } from "../../wasm-bytes.js";
import { bytesOf, rejected, WebAssembly } from "./support.js";

const test = suite("webassembly promises");

const importer = `(module (import "m" "g" (global $g i32)) (func (export "f") (result i32) (global.get $g)))`;
const wasm = { headers: { "Content-Type": "application/wasm" } };

function imports(order: string[]): object {
  return {
    get m() {
      order.push("m");
      return {
        get g() {
          order.push("g");
          return 5;
        },
      };
    },
  };
}

test("bytes give module and instance, a module gives an instance", async () => {
  const bytes = await bytesOf(importer);
  const source = await WebAssembly.instantiate(bytes, { m: { g: 5 } });
  assert.equal(Object.keys(source), ["module", "instance"]);
  assert.is(source.instance.exports.f(), 5);
  const instance = await WebAssembly.instantiate(source.module, { m: { g: 6 } });
  assert.instance(instance, WebAssembly.Instance);
  assert.is(instance.exports.f(), 6);
});

test("imports are read at once with a module, behind compilation with bytes", async () => {
  const bytes = await bytesOf(importer);
  const order: string[] = [];
  const first = WebAssembly.instantiate(bytes, imports(order));
  assert.equal(order, []);
  const { module } = await first;
  assert.equal(order, ["m", "g"]);
  const second = WebAssembly.instantiate(module, imports(order));
  assert.equal(order, ["m", "g", "m", "g"]);
  await second;
});

test("what is wrong rejects, and names the function", async () => {
  const bytes = await bytesOf(importer);
  const cases: [() => Promise<unknown>, Function, string][] = [
    [() => (WebAssembly.compile as any)(), TypeError, "WebAssembly.compile(): Argument 0 must be a buffer source"],
    [() => WebAssembly.compile(Uint8Array.of(1)), WebAssembly.CompileError, "WebAssembly.compile(): expected the magic number"],
    [() => WebAssembly.instantiate(Uint8Array.of(1)), WebAssembly.CompileError, "WebAssembly.instantiate(): expected the magic number"],
    [() => WebAssembly.instantiate(bytes, 5 as never), TypeError, "WebAssembly.instantiate(): Argument 1 must be an object"],
    [() => WebAssembly.instantiate(bytes, null as never), TypeError, "WebAssembly.instantiate(): Argument 1 must be an object"],
    [() => WebAssembly.instantiate(bytes), TypeError, "WebAssembly.instantiate(): Imports argument must be present"],
    [() => WebAssembly.instantiate(bytes, { m: { g: 5n } }), WebAssembly.LinkError, `WebAssembly.instantiate(): Import #0 "m" "g": global import must be a number`],
    [() => WebAssembly.compileStreaming({} as never), TypeError, "WebAssembly.compileStreaming(): Argument 0 must be a Response"],
    [() => WebAssembly.compileStreaming(new Response(bytes)), TypeError, "WebAssembly.compileStreaming(): the response has Content-Type ''"],
    [() => WebAssembly.compileStreaming(new Response(bytes, { ...wasm, status: 404 })), TypeError, "WebAssembly.compileStreaming(): the response has status 404"],
    [() => WebAssembly.compileStreaming(new Response(Uint8Array.of(1), wasm)), WebAssembly.CompileError, "WebAssembly.compileStreaming(): expected the magic number"],
  ];
  for (const [call, kind, message] of cases) {
    const error = await rejected(call());
    assert.is(error.constructor, kind, error.message);
    assert.ok(error.message.startsWith(message), error.message);
  }
  assert.is(await rejected(WebAssembly.compileStreaming(Promise.reject(7))), 7);
});

test("compilation lets the event loop go on", async () => {
  // 20,000 bodies of 160 bytes.
  const body = [...leb(160), 0, ...new Array<number>(158).fill(0x01), 0x0b];
  const count = 20_000;
  const bytes = Uint8Array.from([...header, ...section(1, funcType({ params: [], results: [] })), ...section(3, ...new Array<number[]>(count).fill([0])), ...section(10, ...new Array<number[]>(count).fill(body))]);
  let turns = 0;
  let waiting = true;
  const turn = () => {
    turns++;
    if (waiting) setImmediate(turn);
  };
  setImmediate(turn);
  await WebAssembly.compile(bytes);
  waiting = false;
  assert.ok(turns > 3, `${turns} turns`);
  // What is wrong far behind is found all the same.
  bytes[bytes.length - 2] = 0x1a;
  const error = await rejected(WebAssembly.compile(bytes));
  assert.instance(error, WebAssembly.CompileError);
  assert.match(error.message, /drop/);
});

test("responses", async () => {
  const bytes = await bytesOf(importer);
  const module = await WebAssembly.compileStreaming(Promise.resolve(new Response(bytes, wasm)));
  assert.instance(module, WebAssembly.Module as unknown as Function);
  const used = new Response(bytes, wasm);
  const { instance } = await WebAssembly.instantiateStreaming(used, { m: { g: 7 } });
  assert.is(instance.exports.f(), 7);
  assert.match((await rejected(WebAssembly.compileStreaming(used))).message, /has been read already/);
});

test.run();
