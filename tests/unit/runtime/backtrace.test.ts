// The text of `stack`: Wasm frames between JS frames as V8 has them, in every engine; file and line from DWARF and source maps.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { compileSync, type CompileOptions } from "../../../pipeline/index.js";
import { watToBytes } from "../../../pipeline/frontend/wat.js";
import { WebAssembly as LatheWebAssembly } from "../../../pipeline/webassembly.js";
import { instantiate } from "../../../runtime/index.js";
import { locate } from "../../../runtime/dwarf-lines.js";
import { projectRoot } from "../../bundle.js";
import { compileModule, functions, modes, type Mode } from "./support.js";

const test = suite("backtrace");

/** JS functions by whose names a stack is read. */
type Host = Record<string, (x: number) => void>;
type Exports = Record<string, (...args: any[]) => any>;
type Start = (bytes: Uint8Array, host: Host) => Exports;

const ours = (mode: Mode): Start => (bytes, host) => functions(instantiate(compileModule(bytes, mode), { host }).exports);
const v8: Start = (bytes, host) => new WebAssembly.Instance(new WebAssembly.Module(bytes), { host } as WebAssembly.Imports).exports as Exports;

let nestedBytes: Uint8Array;
test.before(async () => {
  nestedBytes = await watToBytes(nested);
});

const nested = `(module
  (import "host" "again" (func $again (param i32)))
  (import "host" "fail" (func $fail (param i32)))
  (memory 1)
  (table 1 funcref)
  (func $divide (param i32) (drop (i32.div_s (i32.const 1) (local.get 0))))
  (func $grow (param i32) (memory.copy (i32.const 65530) (i32.const 0) (i32.const 100)))
  (func $init (param i32) (call_indirect (param i32) (local.get 0) (i32.const 0)))
  (func $down (export "down") (param i32)
    (if (i32.eqz (local.get 0)) (then (call $divide (i32.const 0))))
    (if (i32.eq (local.get 0) (i32.const 1)) (then (call $fail (i32.const 7))))
    (if (i32.eq (local.get 0) (i32.const 2)) (then (call $grow (i32.const 7))))
    (if (i32.eq (local.get 0) (i32.const 3)) (then (call $init (i32.const 7)))))
  (func $middle (param i32) (call $again (local.get 0)))
  (func $outer (export "outer") (param i32) (call $middle (local.get 0)))
  (func (export "add") (param i32 i64 i32) (drop (i32.div_s (local.get 0) (local.get 2)))))`;

/** What was thrown. With source maps, Node names a frame as its caller spells it: so the name here is one that is nowhere else. */
function thrown(userAttempt: () => unknown): any {
  try {
    userAttempt();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** What a stack says, a frame an entry: `name`, or `name [index]:offset` of a Wasm frame. */
function framesOf(error: Error): string[] {
  return error.stack!.split("\n").slice(1).flatMap((line) => {
    const wasm = /^ {4}at (?:(\S+) \()?(?:[^()]*, )?wasm:\/\/wasm\/[^:]*:wasm-function(\[\d+\]:0x[0-9a-f]+)\)?$/.exec(line);
    if (wasm) return [`${wasm[1] ?? ""} ${wasm[2]}`];
    const js = /^ {4}at (?:Object\.)?(\w+) /.exec(line);
    return js && /^user/.test(js[1]!) ? [js[1]!] : [`? ${line}`];
  });
}

/** The frames up to the test itself. */
function run(start: Start, bytes: Uint8Array, x: number): string[] {
  let exports: Exports;
  function userAgain(value: number): void {
    userDeep(value);
  }
  function userDeep(value: number): void {
    exports["down"]!(value);
  }
  function userFail(): void {
    throw new Error("from the host");
  }
  function userMain(): void {
    exports["outer"]!(x);
  }
  exports = start(bytes, { again: userAgain, fail: userFail });
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 50;
  try {
    const frames = framesOf(thrown(userMain));
    return frames.slice(0, frames.indexOf("userMain") + 1);
  } finally {
    Error.stackTraceLimit = limit;
  }
}

test("JS to Wasm to JS to Wasm, the frames and offsets of V8, in each engine", () => {
  for (const x of [0, 1, 2, 3]) {
    const expected = run(v8, nestedBytes, x);
    assert.ok(expected.length >= 6, expected.join(" "));
    for (const mode of modes) assert.equal(run(ours(mode), nestedBytes, x), expected, `${mode}, ${x}`);
  }
});

test("an error from the host keeps its own frames, its message and its identity", () => {
  let own: TypeError | undefined;
  const { down } = ours("guard")(nestedBytes, { again() {}, fail() { throw (own ??= new TypeError("mine\nof two lines")); } });
  const error = thrown(() => down!(1));
  assert.is(error, own);
  assert.match(error.stack, /^TypeError: mine\nof two lines\n {4}at /);
  const { stack } = error;
  assert.is(stack.match(/wasm-function\[5\]/g).length, 1);
  assert.is(thrown(() => down!(1)).stack, stack, "thrown again, it is not written again");
  const frozen = Object.freeze(new Error("frozen"));
  assert.is(thrown(() => ours("guard")(nestedBytes, { again() {}, fail() { throw frozen; } })["down"]!(1)), frozen);
  assert.is(thrown(() => ours("guard")(nestedBytes, { again() {}, fail() { throw 5; } })["down"]!(1)), 5);
});

test("as many JS frames as are asked for; arguments that need coercion change nothing", () => {
  const { add } = ours("guard")(nestedBytes, { again() {}, fail() {} });
  const limit = Error.stackTraceLimit;
  function userCall(): void {
    add!("1", 5n, { valueOf: () => 0 });
  }
  try {
    for (const count of [0, 1, 3]) {
      Error.stackTraceLimit = count;
      const frames = framesOf(thrown(userCall));
      assert.is(frames.filter((frame) => !frame.includes("[")).length, count, `${count}: ${frames.join("; ")}`);
      if (count > 0) assert.equal(frames.slice(0, 2), [" [8]:" + frames[0]!.split(":")[1], "userCall"]);
    }
  } finally {
    Error.stackTraceLimit = limit;
  }
});

test("names as in V8: the module's before the function's", async () => {
  const wat = '(module $mod (func $f (export "f") (unreachable)) (func (export "g") (unreachable)))';
  const bytes = await watToBytes(wat);
  const { f, g } = ours("guard")(bytes, {});
  assert.match(thrown(() => f!()).stack, /^RuntimeError: unreachable\n {4}at mod\.f \(wasm:\/\/wasm\/mod-[0-9a-f]{8}:wasm-function\[0\]:0x[0-9a-f]+\)\n/);
  assert.match(thrown(() => g!()).stack, /\n {4}at mod \(wasm:\/\/wasm\/mod-[0-9a-f]{8}:wasm-function\[1\]:0x/);
  const error = thrown(() => f!());
  error.stack = "replaced";
  assert.is(error.stack, "replaced");
});

test("functions of the program that have the names of the library's", async () => {
  const bytes = await watToBytes(`(module
    (import "host" "one" (func $one))
    (import "host" "two" (func $two (result i32 i32)))
    (func $call (export "one") (call $one))
    (func $run (export "two") (drop (drop (call $two)))))`);
  const names: Record<string, () => never> = {
    run: () => { throw new Error("from run"); },
    call: () => { throw new Error("from call"); },
  };
  for (const mode of modes) {
    const exports = ours(mode)(bytes, { one: names["run"]!, two: names["call"]! } as Host);
    const stackOf = (userSettle: () => void) => {
      const settle = { settle: () => userSettle() };
      const limit = Error.stackTraceLimit;
      Error.stackTraceLimit = 50;
      const { stack } = thrown(() => settle.settle());
      Error.stackTraceLimit = limit;
      return [...stack.matchAll(/^ {4}at (?:Object\.|names\.)?(\w+) (?:\[as \w+\] )?\(/gm)].map((match) => match[1]).slice(0, 4);
    };
    assert.equal(stackOf(() => exports["one"]!()).slice(0, 2), ["run", "call"], mode);
    assert.equal(stackOf(() => exports["two"]!()).slice(0, 2), ["call", "run"], mode);
    assert.ok(stackOf(() => exports["one"]!()).includes("settle"), mode);
  }
});

test("one engine in the other", async () => {
  const inner = await watToBytes('(module (func $inner (export "f") (param i32) (unreachable)))');
  const outer = await watToBytes('(module (import "m" "f" (func $f (param i32))) (func $outer (export "g") (call $f (i32.const 1))))');
  for (const [below, above] of [["guard", "interp"], ["interp", "guard"]] as const) {
    const { f } = instantiate(compileModule(inner, above), {}).exports;
    const { g } = functions(instantiate(compileModule(outer, below), { m: { f } }).exports);
    const frames = framesOf(thrown(function userCall() {
      g!();
    }));
    assert.equal(frames.slice(0, 3).map((frame) => frame.split(" ")[0]), ["inner", "outer", "userCall"], `${above} in ${below}`);
  }
});

test("the JS API's functions, V8's table among their imports", async () => {
  const bytes = await watToBytes(`(module
    (import "host" "table" (table 1 funcref))
    (import "host" "again" (func $again (param i32)))
    (func $inner (export "inner") (param i32) (unreachable))
    (func $outer (export "outer") (param i32) (call $again (local.get 0))))`);
  const stackIn = (api: typeof globalThis.WebAssembly) => {
    const again = function userAgain(x: number) {
      exports["inner"]!(x);
    };
    const table = new globalThis.WebAssembly.Table({ initial: 1, element: "anyfunc" });
    const exports = new api.Instance(new api.Module(bytes), { host: { table, again } }).exports as Exports;
    const frames = framesOf(thrown(function userMain() {
      exports["outer"]!("1");
    }));
    return frames.slice(0, frames.indexOf("userMain") + 1);
  };
  const expected = stackIn(globalThis.WebAssembly);
  assert.equal(expected.map((frame) => frame.split(" ")[0]), ["inner", "userAgain", "outer", "userMain"]);
  assert.equal(stackIn(LatheWebAssembly as unknown as typeof globalThis.WebAssembly), expected);
});

test("a start function that traps", async () => {
  const bytes = await watToBytes("(module (func $boom (unreachable)) (start $boom))");
  for (const mode of modes) assert.match(thrown(() => ours(mode)(bytes, {})).stack, /^RuntimeError: unreachable\n {4}at boom \(wasm:.*\n {4}at instantiate\w* /, mode);
});

// ---- file and line ----

const fixture = (version: number) => new Uint8Array(readFileSync(path.join(projectRoot, `tests/unit/runtime/dwarf/crash-${version}.wasm`)));
const call = (bytes: Uint8Array, x: number, options: CompileOptions = {}) => thrown(() => functions(instantiate(compileSync(bytes, options)).exports)["run"]!(x)).stack as string;
const places = (stack: string) => [...stack.matchAll(/^ {4}at (\w+) \((.*), wasm:/gm)].map((match) => `${match[1]} ${match[2]}`);

// Made from dwarf/crash.c: clang --target=wasm32 -nostdlib -Wl,--no-entry -gdwarf-N -O2 -ffile-prefix-map=$PWD=., all sections dropped but these.
test("DWARF line tables of versions 2, 4 and 5", () => {
  for (const version of [2, 4, 5]) {
    for (const options of [{}, { level: 0 }, { engine: "interpreter" }] as const) {
      assert.equal(places(call(fixture(version), 0, options)), ["inner crash.c:4:12", "middle crash.c:7:10", "run crash.c:12:10"], `version ${version}`);
      assert.equal(places(call(fixture(version), 7, options)), ["helper sub/helper.h:3:5", "middle crash.c:7:21", "run crash.c:12:10"], `version ${version}`);
    }
  }
});

test("DWARF that is cut or broken says less, and nothing wrong happens", () => {
  for (const version of [2, 4, 5]) {
    const { module } = compileSync(fixture(version));
    const section = (name: string) => module.customs.find((custom) => custom.name === name)?.bytes;
    const line = section(".debug_line")!;
    const lineStr = section(".debug_line_str");
    const addresses = Array.from({ length: 120 }, (_, i) => i);
    const whole = locate({ line, lineStr, str: undefined }, addresses);
    assert.ok(whole.filter((location) => location?.file === "crash.c").length > 20);
    for (let length = 0; length < line.length; length++) locate({ line: line.slice(0, length), lineStr, str: undefined }, addresses);
    for (let at = 0; at < line.length; at++) {
      for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
        const broken = line.slice();
        broken[at] = value;
        locate({ line: broken, lineStr, str: undefined }, addresses);
        locate({ line: broken, lineStr: undefined, str: undefined }, addresses);
      }
    }
  }
});

/** A source map that has each given offset at line i + 1, column 3 of `made.ts`. */
function sourceMap(offsets: readonly number[]): object {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const vlq = (value: number): string => {
    let text = "";
    for (let rest = value < 0 ? (-value << 1) | 1 : value << 1; ; rest >>= 5) {
      if (rest < 32) return text + digits[rest];
      text += digits[(rest & 31) | 32];
    }
  };
  const segments = offsets.map((offset, i) => vlq(offset - (offsets[i - 1] ?? 0)) + vlq(0) + vlq(i === 0 ? 0 : 1) + vlq(i === 0 ? 2 : 0));
  return { version: 3, sources: ["made.ts"], names: [], mappings: segments.join(",") };
}

/** A module with the custom section `sourceMappingURL`. */
function withUrl(bytes: Uint8Array, url: string): Uint8Array {
  const string = (text: string) => [...leb(Buffer.byteLength(text)), ...Buffer.from(text)];
  const contents = [...string("sourceMappingURL"), ...string(url)];
  return Uint8Array.from([...bytes, 0, ...leb(contents.length), ...contents]);
}

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >> 7)];
}

test("source maps: given as an object, as text, as a file, named by the module as data or as a file", async () => {
  const bytes = await watToBytes('(module (func $inner (param i32) (drop (i32.div_s (i32.const 1) (local.get 0)))) (func (export "run") (param i32) (call $inner (local.get 0))))');
  const offsets = [...call(bytes, 0).matchAll(/:0x([0-9a-f]+)\)?$/gm)].map((match) => parseInt(match[1]!, 16));
  assert.is(offsets.length, 2);
  const map = sourceMap(offsets);
  const file = path.join(tmpdir(), `lathe-map-${process.pid}.json`);
  writeFileSync(file, JSON.stringify(map));
  const lines = (stack: string) => [...stack.matchAll(/made\.ts:(\d+):3, wasm:/g)].map((match) => Number(match[1]));
  try {
    for (const given of [map, JSON.stringify(map), file, `file://${file}`, `data:application/json,${encodeURIComponent(JSON.stringify(map))}`]) {
      assert.equal(lines(call(bytes, 0, { sourceMap: given })), [1, 2], typeof given === "string" ? given.slice(0, 20) : "object");
    }
    const data = `data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString("base64")}`;
    assert.equal(lines(call(withUrl(bytes, data), 0)), [1, 2]);
    assert.equal(lines(call(withUrl(bytes, file), 0)), [1, 2]);
    for (const nothing of ["no-such-file.map", "data:application/json,{", "http://example.invalid/x.map"]) {
      assert.match(call(withUrl(bytes, nothing), 0), /\n {4}at inner \(wasm:/, nothing);
    }
  } finally {
    rmSync(file);
  }
  assert.match(call(fixture(5), 0, { sourceMap: map }), /\n {4}at inner \((made\.ts:\d+:3, )?wasm:/, "what is given comes before DWARF");
});

test.run();
