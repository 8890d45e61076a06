// WASI programs through the command: streams, arguments, exit codes, options on either side of the file.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import path from "node:path";
import { watToBytes } from "../../../pipeline/frontend/wat.js";
import { projectRoot } from "../../bundle.js";

const test = suite("wasi programs");
const command = path.join(projectRoot, "dist", "cli.js");
let directory: string;

/** Copies its standard input to its standard output, as it comes. Exit code: the errno of what failed. */
const cat = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 2)
  (func $check (param i32) (if (local.get 0) (then (call $exit (local.get 0)))))
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 1024))
    (loop $more
      (i32.store (i32.const 4) (i32.const 65536))
      (call $check (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
      (i32.store (i32.const 4) (i32.load (i32.const 8)))
      (if (i32.load (i32.const 8)) (then
        (call $check (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
        (br $more))))))`;

/** Prints its arguments and its environment, each followed by a NUL as WASI has them, and opens a file of its first directory. Exit code 3. */
const show = `(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env_sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 2048) "made")
  (func $print (param $from i32) (param $bytes i32)
    (i32.store (i32.const 0) (local.get $from))
    (i32.store (i32.const 4) (local.get $bytes))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start")
    (drop (call $args_sizes (i32.const 16) (i32.const 20)))
    (drop (call $args (i32.const 100) (i32.const 4096)))
    (call $print (i32.const 4096) (i32.load (i32.const 20)))
    (drop (call $env_sizes (i32.const 16) (i32.const 20)))
    (drop (call $env (i32.const 100) (i32.const 4096)))
    (call $print (i32.const 4096) (i32.load (i32.const 20)))
    (drop (call $open (i32.const 3) (i32.const 0) (i32.const 2048) (i32.const 4) (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 24)))
    (call $exit (i32.const 3)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))`;

const trap = `(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 1)
  (func $inner (unreachable))
  (func (export "_start") (drop (call $yield)) (call $inner)))`;

/** A reactor whose function only works after its initialization. */
const reactor = `(module
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 1)
  (global $ready (mut i32) (i32.const 0))
  (func (export "_initialize") (global.set $ready (i32.const 7)))
  (func (export "get") (result i32) (drop (call $yield)) (global.get $ready)))`;

test.before(async () => {
  if (!existsSync(command)) execFileSync(process.execPath, ["build.mjs"], { cwd: projectRoot });
  directory = mkdtempSync(path.join(tmpdir(), "lathe-wasi-"));
  for (const [name, wat] of Object.entries({ cat, show, trap, reactor })) writeFileSync(path.join(directory, `${name}.wasm`), await watToBytes(wat));
  mkdirSync(path.join(directory, "host"));
});
test.after(() => rmSync(directory, { recursive: true, force: true }));

function lathe(args: readonly string[], input?: Uint8Array) {
  const run = spawnSync(process.execPath, [command, "run", ...args], { cwd: directory, input, maxBuffer: 1 << 26 });
  return { code: run.status, out: run.stdout, err: run.stderr.toString() };
}

const words = (out: Buffer): string[] => out.toString().split("\0").slice(0, -1);

test("bytes of any kind and number pass through", () => {
  const input = new Uint8Array(3_000_000).map((_, i) => (i * 7 + (i >> 8)) & 0xff);
  const result = lathe(["cat.wasm"], input);
  assert.is(result.err, "");
  assert.is(result.code, 0);
  assert.ok(Buffer.from(input).equals(result.out));
  assert.is(lathe(["cat.wasm"], new Uint8Array(0)).out.length, 0);
});

test("a program answers before its input ends", async () => {
  const child = spawn(process.execPath, [command, "run", "cat.wasm"], { cwd: directory, stdio: ["pipe", "pipe", "inherit"] });
  for (const line of ["one\n", "two\n"]) {
    child.stdin.write(line);
    const [chunk] = (await once(child.stdout, "data")) as [Buffer];
    assert.is(chunk.toString(), line);
  }
  child.stdin.end();
  assert.equal(await once(child, "close"), [0, null]);
});

test("a reader that goes away is an errno for the program, and no noise", () => {
  const run = spawnSync("sh", ["-c", `yes | "${process.execPath}" "${command}" run cat.wasm | head -c 2; exit 0`], { cwd: directory, encoding: "utf8" });
  assert.equal([run.stdout, run.stderr], ["y\n", ""]);
});

test("arguments and options, on either side of the file", () => {
  const host = `${path.join(directory, "host")}::/`;
  const made = path.join(directory, "host", "made");
  const result = lathe(["--env", "A=1", "--dir", host, "show.wasm", "first", "the \"second\"", "-3", "--unknown", "--help"]);
  assert.equal(words(result.out), ["show.wasm", "first", "the \"second\"", "-3", "--unknown", "--help", "A=1"]);
  assert.equal([result.code, result.err], [3, ""]);
  assert.ok(existsSync(made));
  rmSync(made);
  const behind = lathe(["show.wasm", "x", `--dir=${host}`, "y", "--env", "B=two words", "--env", "C=", "-O0", "z"]);
  assert.equal(words(behind.out), ["show.wasm", "x", "y", "z", "B=two words", "C="]);
  assert.ok(existsSync(made));
  const split = lathe(["--env", "A=1", "--", "show.wasm", "--env", "B=2", "--", "-O0"]);
  assert.equal(words(split.out), ["show.wasm", "--env", "B=2", "--", "-O0", "A=1"]);
  const late = lathe(["show.wasm", "--env", "A=1", "--", "--env", "B=2"]);
  assert.equal(words(late.out), ["show.wasm", "--env", "B=2", "A=1"]);
});

test("a variable without a value is the one of here; nothing else is handed on", () => {
  process.env["LATHE_TEST_VARIABLE"] = "from here";
  assert.equal(words(lathe(["--env", "LATHE_TEST_VARIABLE", "--env", "NO_SUCH_VARIABLE_HERE", "show.wasm"]).out), ["show.wasm", "LATHE_TEST_VARIABLE=from here"]);
  delete process.env["LATHE_TEST_VARIABLE"];
});

test("a trap ends with 134; an export is called with WASI there; a reactor is initialized first", () => {
  const trapped = lathe(["trap.wasm"]);
  assert.is(trapped.code, 134);
  assert.match(trapped.err, /^trap: unreachable\n\s+at inner\b/);
  const interpreted = lathe(["--interp", "trap.wasm"]);
  assert.equal([interpreted.code, /unreachable/.test(interpreted.err)], [134, true]);
  assert.is(lathe(["show.wasm", "--invoke", "add", "40", "2"]).out.toString(), "42\n");
  assert.is(lathe(["reactor.wasm", "--invoke", "get"]).out.toString(), "7\n");
});

test("mistakes are said", () => {
  const missing = lathe(["--dir", "nowhere::/", "show.wasm"]);
  assert.is(missing.code, 1);
  assert.match(missing.err, /^lathe: the directory nowhere cannot be opened for the guest: there is no such directory\n$/);
  assert.is(lathe(["--dir", "::/", "show.wasm"]).code, 2);
  assert.is(lathe(["--env", "=x", "show.wasm"]).code, 2);
  assert.is(lathe(["--nonsense", "show.wasm"]).code, 2);
  assert.is(lathe(["show.wasm", "--dir"]).code, 2);
});

test.run();
