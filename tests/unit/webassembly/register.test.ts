// `node --import wasmlathe/register`: programs that know nothing of it run on this engine, in ES modules, CommonJS and workers.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { projectRoot } from "../../bundle.js";
import { bytesOf } from "./support.js";

const test = suite("register");
const register = path.join(projectRoot, "dist", "register.js");

function node(program: string, environment: Record<string, string> = {}, type = "module"): { out: string; err: string; code: number | null } {
  const run = spawnSync(process.execPath, ["--import", pathToFileURL(register).href, `--input-type=${type}`, "--eval", program], {
    encoding: "utf8",
    env: { ...process.env, NODE_OPTIONS: "", ...environment },
  });
  return { out: run.stdout.trim(), err: run.stderr, code: run.status };
}

test.before(() => {
  if (!existsSync(register)) execFileSync(process.execPath, ["build.mjs"], { cwd: projectRoot });
});

const wasm = bytesOf(`(module (import "m" "f" (func $f (param i32) (result i32))) (func (export "run") (param i32) (result i32) (call $f (i32.add (local.get 0) (i32.const 1)))))`);
const program = (bytes: Uint8Array) => `
  const bytes = Buffer.from("${Buffer.from(bytes).toString("base64")}", "base64");
  const property = Object.getOwnPropertyDescriptor(globalThis, "WebAssembly");
  console.log(property.writable, property.enumerable, property.configurable);
  WebAssembly.instantiate(bytes, { m: { f: (x) => { console.log(new Error().stack.includes("wasm-function")); return x * 2; } } }).then(({ instance }) => console.log(instance.exports.run(20)));`;

test("a program that knows nothing of it", async () => {
  const text = program(await wasm);
  for (const type of ["module", "commonjs"]) {
    const { out, err, code } = node(text, {}, type);
    assert.is(err, "");
    assert.is(code, 0);
    // V8's own frames are wasm-function; ours are not V8's.
    assert.is(out, "true false true\nfalse\n42");
  }
});

test("stacks show Wasm frames, and none of the engine", async () => {
  const bytes = Buffer.from(await wasm).toString("base64");
  const divides = Buffer.from(await bytesOf(`(module (func $divide (export "divide") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0))))`)).toString("base64");
  for (const lazy of ["0", "1"]) {
    const { out, err } = node(`
      const instance = (text, imports) => new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(text, "base64")), imports).exports;
      const stackOf = (run) => { try { run(); } catch (error) { console.log(error.stack); } };
      stackOf(() => instance("${divides}").divide(0));
      stackOf(() => instance("${bytes}", { m: { f: () => { throw new Error("thrown"); } } }).run(1));`, { LATHE_LAZY: lazy });
    assert.is(err, "");
    const lines = out.split("\n");
    assert.is(lines[0], "RuntimeError: integer divide by zero");
    assert.match(lines[1]!, /^ {4}at divide \(wasm:\/\/wasm\/[0-9a-f]{8}:wasm-function\[0\]:0x[0-9a-f]+\)$/);
    const thrown = lines.slice(lines.indexOf("Error: thrown"));
    assert.match(thrown[1]!, /^ {4}at (Object\.)?f \(/);
    assert.match(thrown[2]!, /^ {4}at wasm:\/\/wasm\/[0-9a-f]{8}:wasm-function\[1\]:0x[0-9a-f]+$/);
    assert.not.match(out, /engine-|lathe:shim/);
  }
});

test("nothing of it keeps a program from ending", () => {
  const { out, err, code } = node(`process.on("exit", () => console.log(process.getActiveResourcesInfo().includes("Timeout")));`);
  assert.is(err, "");
  assert.is(code, 0);
  assert.is(out, "false");
});

test("a program that has used koffi before", async () => {
  const { out, err } = node(`
    const koffi = (await import("node:module")).createRequire("${pathToFileURL(register).href}")("koffi");
    console.log(koffi.load(null).func("int abs(int)")(-3));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from("${Buffer.from(await wasm).toString("base64")}", "base64")), { m: { f: (x) => x } });
    console.log(exports.run(6));`);
  assert.is(err, "");
  assert.is(out, "3\n7");
});

test("options by the environment", async () => {
  const text = program(await wasm);
  const environments: Record<string, string>[] = [{ LATHE_LEVEL: "0" }, { LATHE_LEVEL: "1", LATHE_LAZY: "1" }, { LATHE_LAZY: "0" }];
  for (const environment of environments) assert.match(node(text, environment).out, /42$/);
  const wrong = node(text, { LATHE_LEVEL: "9" });
  assert.is(wrong.code, 1);
  assert.match(wrong.err, `the environment variable LATHE_LEVEL is 0, 1, 2 or baseline, not "9"`);
});

test("workers of the program, too, which a module may be posted to", async () => {
  const bytes = Buffer.from(await wasm).toString("base64");
  const inner = `
    const { parentPort, workerData: module } = await import("node:worker_threads");
    const { exports } = new WebAssembly.Instance(module, { m: { f: (x) => x + Number(new Error().stack.includes("wasm-function")) } });
    parentPort.postMessage([module instanceof WebAssembly.Module, exports.run(41)]);`;
  const { out, err } = node(`
    import { Worker } from "node:worker_threads";
    const workerData = await WebAssembly.compile(Buffer.from("${bytes}", "base64"));
    new Worker(${JSON.stringify(inner)}, { eval: true, workerData }).on("message", (found) => console.log(...found));`);
  assert.is(err, "");
  assert.is(out, "true 42");
});

test("beside the library, which is another copy of the engine then", () => {
  const library = pathToFileURL(path.join(projectRoot, "dist", "webassembly.js")).href;
  const { out, err } = node(`
    const library = await import("${library}");
    const memory = new library.WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
    const clone = structuredClone(new library.WebAssembly.Module(empty));
    console.log(memory.buffer.byteLength, library.WebAssembly.Module.exports(clone).length, library.WebAssembly.RuntimeError === WebAssembly.RuntimeError);`);
  assert.is(err, "");
  assert.is(out, "65536 0 true");
});

test.run();
