// Code memory: what is published is flushed, after it became executable and before anyone gets its address; pages are as large as
// the system says. An emulator shows neither a missing flush nor a page size of 64 KiB, so the system's calls are recorded here.
import { readdirSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { ModuleCode, RuntimeStubs } from "../../../ir/code.js";
import type { FuncType } from "../../../ir/types.js";
import { compileSync } from "../../../pipeline/index.js";
import { watToBytes } from "../../../pipeline/frontend/wat.js";
import { targets } from "../../../pipeline/targets.js";
import { ExecMemory } from "../../../runtime/exec-memory.js";
import { Access, Native } from "../../../runtime/native.js";

type Step = { kind: "protect"; at: number; bytes: number; access: Access } | { kind: "write" | "flush"; at: number; bytes: number };

/** The system with larger pages: whoever assumes smaller ones is refused. */
class RecordedNative extends Native {
  override pageBytes = 0;
  readonly steps: Step[] = [];
  flushStub: number | undefined;
  /** Whether the system maps pages twice. */
  twice = false;

  override roundUp(bytes: number): number {
    return Math.ceil(bytes / this.pageBytes) * this.pageBytes;
  }
  override map(bytes: number, access: Access): number {
    this.whole(0, bytes);
    return this.roundUp(super.map(bytes + this.pageBytes, access));
  }
  override remap(at: number, bytes: number, access: Access): void {
    this.whole(at, bytes);
    super.remap(at, bytes, access);
  }
  override mapTwice(at: number, bytes: number): number {
    this.whole(at, bytes);
    return this.twice ? super.mapTwice(at, bytes) : 0;
  }
  override protect(at: number, bytes: number, access: Access): boolean {
    this.whole(at, bytes);
    this.steps.push({ kind: "protect", at, bytes, access });
    return super.protect(at, bytes, access);
  }
  override write(at: number, bytes: Uint8Array): void {
    this.steps.push({ kind: "write", at, bytes: bytes.length });
    super.write(at, bytes);
  }
  override addressCall(at: number, params: number): (...args: number[]) => void {
    assert.is(params, 2);
    this.flushStub = at;
    // Recorded in place of run: the code may be another machine's.
    return (start, bytes) => void this.steps.push({ kind: "flush", at: start!, bytes: bytes! });
  }
  private whole(at: number, bytes: number): void {
    if (at % this.pageBytes !== 0 || bytes % this.pageBytes !== 0) throw new Error(`${bytes} bytes at ${at} are no whole pages of ${this.pageBytes}`);
  }
}

/** That every written byte was flushed after its pages became executable; forgets the steps. @returns bytes written. */
function published(native: RecordedNative): number {
  const { steps } = native;
  let written = 0;
  steps.forEach((step, i) => {
    if (step.kind !== "write" || step.bytes === 0) return;
    written += step.bytes;
    const sealed = steps.findIndex((later, k) => k > i && later.kind === "protect" && later.access === Access.readExecute && later.at <= step.at && step.at + step.bytes <= later.at + later.bytes);
    assert.ok(sealed > i, "written and never executable");
    if (step.at === native.flushStub) return;
    const flushed = steps.findIndex((later, k) => k > sealed && later.kind === "flush" && later.at <= step.at && step.at + step.bytes <= later.at + later.bytes);
    assert.ok(flushed > sealed, `${step.bytes} bytes at 0x${step.at.toString(16)} were published without a flush`);
  });
  steps.length = 0;
  return written;
}

const bytes = await watToBytes('(module (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (local.get 0))))');
const sig: FuncType = { params: [], results: [] };

/** There can be one a process. */
const native = new RecordedNative();

for (const pageBytes of [4096, 16384, 65536]) {
  for (const { name, stubs } of targets) {
    test(`${name}, pages of ${pageBytes}: stubs, modules and single functions`, () => {
      native.pageBytes = pageBytes;
      native.flushStub = undefined;
      // A target that needs no flush is asked to have one, so that the order is tested with it, too.
      const flushing: RuntimeStubs = { ...stubs, flushCode: () => stubs.flushCode() ?? new Uint8Array(16) };
      const memory = new ExecMemory(native, flushing, false);
      assert.ok(native.flushStub !== undefined);
      published(native);
      const entry = stubs.entry(sig, 0x1000n);
      const places = [memory.loadStub(entry), memory.loadStub(stubs.trapExit()), memory.loadStub(new Uint8Array(pageBytes + 1))];
      assert.is(published(native), entry.length + stubs.trapExit().length + pageBytes + 1);
      assert.is(new Set(places).size, 3);
      const { module, code } = compileSync(bytes, { target: name, features: [] });
      const piece = memory.load(module, code as ModuleCode);
      assert.is(published(native), code!.bytes.length);
      assert.is(piece.start % pageBytes, 0);
      assert.equal([...native.read(piece.start, code!.bytes.length)], [...code!.bytes]);
      const pages = memory.reserve(2 * pageBytes - 1);
      assert.is(pages.bytes, 2 * pageBytes);
      pages.write(pages.start, code!.bytes);
      pages.write(pages.start + pageBytes - 8, code!.bytes);
      assert.is(published(native), 2 * code!.bytes.length);
      assert.equal([...native.read(pages.start + pageBytes - 8, code!.bytes.length)], [...code!.bytes]);
      pages.free();
      memory.unload(piece);
    });
  }
}

/** Access to the pages of the files without name that code lies in: `rw-s`, `r-xs`. Linux tells. */
function mappedCode(): string[] {
  return readFileSync("/proc/self/maps", "utf8").split("\n").filter((line) => line.includes("lathe code")).map((line) => line.split(" ")[1]!);
}

if (process.platform === "linux") {
  test("pages that are filled bit by bit are mapped twice, neither time writable and executable; they are flushed where they are executed; both mappings go", () => {
    native.pageBytes = 4096;
    native.flushStub = undefined;
    native.twice = true;
    const memory = new ExecMemory(native, { ...targets[0]!.stubs, flushCode: () => new Uint8Array(16) }, false);
    const before = mappedCode();
    const pages = memory.reserve(10_000);
    assert.equal(mappedCode().slice(before.length).sort(), ["r-xs", "rw-s"]);
    native.steps.length = 0;
    const code = Uint8Array.from({ length: 5000 }, (_, i) => i * 7);
    pages.write(pages.start, code);
    pages.write(pages.start + code.length, code);
    assert.equal(native.steps, [0, code.length].map((from) => ({ kind: "flush", at: pages.start + from, bytes: code.length })));
    assert.equal([...native.read(pages.start, 2 * code.length)], [...code, ...code]);
    pages.free();
    assert.equal(mappedCode(), before);
    native.twice = false;
  });

  test("where the system refuses, nothing stays behind", () => {
    const open = () => readdirSync("/proc/self/fd").length;
    const before = open();
    native.pageBytes = 4096;
    native.twice = true;
    // More than there is of address space.
    assert.is(native.mapTwice(0, 2 ** 50), 0);
    native.twice = false;
    assert.is(open(), before);
    assert.equal(mappedCode(), []);
  });
}

test.run();
