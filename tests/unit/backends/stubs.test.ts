// The amd64 stubs, run: cpuid against the system's own list, entries with every kind of argument, host calls, traps.
//
// Contexts are made by hand after ir/layout.ts; compiled functions are a few instructions written with the assembler.
import { existsSync, readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { callAbi } from "../../../backends/abi.js";
import { cpuFeatures } from "../../../backends/amd64/cpu-features.js";
import { Assembler, NO_REG } from "../../../backends/amd64/encode.js";
import { Form } from "../../../backends/amd64/opcodes.js";
import { Reg, registers } from "../../../backends/amd64/registers.js";
import { stubs } from "../../../backends/amd64/stubs.js";
import { Exec, EXEC_BYTES, Outcome, SLOT_BYTES, TrapKind, VmCtx } from "../../../ir/layout.js";
import { Type, type FuncType } from "../../../ir/types.js";
import { Access, Native } from "../../../runtime/native.js";

const here = process.arch === "x64";
const it = here ? test : test.skip;

// koffi can be configured once a thread.
let shared: Native | undefined;
const native = (): Native => (shared ??= new Native());

/** One page of code, of exec-context, of vm-context; a stack. */
class World {
  readonly exec: number;
  readonly ctx: number;
  readonly execView: DataView;
  readonly ctxView: DataView;
  readonly stackTop: number;

  constructor(readonly native: Native) {
    this.exec = native.map(native.roundUp(EXEC_BYTES), Access.readWrite);
    this.ctx = native.map(native.pageBytes, Access.readWrite);
    const stack = native.map(1 << 20, Access.readWrite);
    this.stackTop = stack + (1 << 20);
    this.execView = new DataView(native.view(this.exec, EXEC_BYTES));
    this.ctxView = new DataView(native.view(this.ctx, native.pageBytes));
    this.word(this.execView, Exec.wasmSp, this.stackTop);
    this.word(this.ctxView, VmCtx.exec, this.exec);
    this.word(this.ctxView, VmCtx.stackLimit, stack + 65536);
    this.word(this.ctxView, VmCtx.trapExit, this.code(stubs.trapExit()));
    this.word(this.ctxView, VmCtx.builtin, this.code(stubs.builtin()));
  }

  word(view: DataView, offset: number, value: number): void {
    view.setBigUint64(offset, BigInt(value), true);
  }

  code(bytes: Uint8Array): number {
    const { native } = this;
    const at = native.map(native.roundUp(bytes.length), Access.readWrite);
    native.write(at, bytes);
    assert.ok(native.protect(at, native.roundUp(bytes.length), Access.readExecute));
    return at;
  }

  /** Enters `code` with its arguments in the slots already. */
  enter(sig: FuncType, code: number): void {
    this.word(this.execView, Exec.entryCode, code);
    this.word(this.execView, Exec.entryCtx, this.ctx);
    this.native.voidCall(this.code(stubs.entry(sig, BigInt(this.exec))))();
  }

  resume(): void {
    this.native.voidCall(this.code(stubs.resume(BigInt(this.exec))))();
  }

  get outcome(): Outcome {
    return this.execView.getUint32(Exec.outcome, true);
  }

  slot(i: number): number {
    return Exec.slots + i * SLOT_BYTES;
  }
}

it("the probe finds the features that the system lists", () => {
  const world = new World(native());
  const out = world.native.map(world.native.pageBytes, Access.readWrite);
  world.native.addressCall(world.code(stubs.cpuProbe()!), 2)(out, 0);
  const found = cpuFeatures(new BigUint64Array(world.native.view(out, 64)));
  if (!existsSync("/proc/cpuinfo")) return;
  const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))![1]!.trim().split(" "));
  const names = { popcnt: "popcnt", lzcnt: "abm", tzcnt: "bmi1", bmi2: "bmi2", sse41: "sse4_1", avx: "avx", avx2: "avx2" };
  assert.equal(found, Object.entries(names).filter(([, flag]) => flags.has(flag)).map(([name]) => name));
});

test("AVX counts only if the system saves its registers", () => {
  const words = new BigUint64Array(8);
  words[0] = 1n << 28n;
  assert.equal(cpuFeatures(words), []);
  words[3] = 6n;
  assert.equal(cpuFeatures(words), ["avx"]);
});

it("arguments and results pass an entry, in registers and on the stack", () => {
  // The function is a host call: it hands its arguments on, and back.
  const world = new World(native());
  const types = [Type.i32, Type.f32, Type.i64, Type.f64];
  const params = Array.from({ length: 50 }, (_, i) => types[i % 4]!);
  const results = [...params].reverse();
  const sig = { params, results };
  assert.ok(callAbi(sig, registers).outgoingBytes > 0);
  const value = (type: Type, i: number) => (type === Type.i32 || type === Type.f32 ? BigInt(0x7fc00000 + i * 1000) : 0x1122334455660000n + BigInt(i));
  const read = (type: Type, i: number) =>
    type === Type.i32 || type === Type.f32 ? BigInt(world.execView.getUint32(world.slot(i), true)) : world.execView.getBigUint64(world.slot(i), true);
  const write = (type: Type, i: number, bits: bigint) => {
    world.execView.setBigUint64(world.slot(i), 0xdeaddeaddeaddeadn, true);
    if (type === Type.i32 || type === Type.f32) world.execView.setUint32(world.slot(i), Number(bits), true);
    else world.execView.setBigUint64(world.slot(i), bits, true);
  };
  world.ctxView.setUint32(VmCtx.hostFunc, 77, true);
  for (let i = 0; i < params.length; i++) write(params[i]!, i, value(params[i]!, i));
  world.enter(sig, world.code(stubs.hostCall(sig)));
  assert.is(world.outcome, Outcome.hostCall);
  assert.is(world.execView.getUint32(Exec.callId, true), 77);
  assert.is(world.execView.getBigUint64(Exec.callCtx, true), BigInt(world.ctx));
  const frame = world.execView.getBigUint64(Exec.wasmSp, true);
  assert.is(frame % 16n, 0n);
  assert.ok(frame < BigInt(world.stackTop));
  assert.equal(params.map(read), params.map(value));
  for (let i = 0; i < results.length; i++) write(results[i]!, i, value(results[i]!, 100 + i));
  world.resume();
  assert.is(world.outcome, Outcome.finished);
  assert.equal(results.map(read), results.map((type, i) => value(type, 100 + i)));
  assert.is(world.execView.getBigUint64(Exec.wasmSp, true), BigInt(world.stackTop), "the next entry starts at the top again");
});

it("entries nest: an inner one starts at the frame of the outer one's host call", () => {
  const world = new World(native());
  const sig = { params: [Type.i32], results: [Type.i32] };
  const code = world.code(stubs.hostCall(sig));
  const frames: bigint[] = [];
  for (let i = 0; i < 3; i++) {
    world.execView.setInt32(world.slot(0), i, true);
    world.enter(sig, code);
    frames.push(world.execView.getBigUint64(Exec.wasmSp, true));
  }
  assert.ok(frames[0]! > frames[1]! && frames[1]! > frames[2]!);
  for (let i = 2; i >= 0; i--) {
    assert.is(world.execView.getBigUint64(Exec.wasmSp, true), frames[i]!);
    world.execView.setInt32(world.slot(0), 10 * i, true);
    world.resume();
    assert.is(world.outcome, Outcome.finished);
    assert.is(world.execView.getInt32(world.slot(0), true), 10 * i);
  }
  assert.is(world.execView.getBigUint64(Exec.wasmSp, true), BigInt(world.stackTop));
});

it("a suspended call that is given up leaves nothing but a stack pointer", () => {
  const world = new World(native());
  const sig = { params: [], results: [] };
  const code = world.code(stubs.hostCall(sig));
  for (let i = 0; i < 1000; i++) {
    world.enter(sig, code);
    world.word(world.execView, Exec.wasmSp, world.stackTop);
  }
  world.enter(sig, code);
  world.resume();
  assert.is(world.outcome, Outcome.finished);
});

it("a builtin gets its number and arguments, and gives an i32; callee-saved registers and memory base stay", () => {
  const world = new World(native());
  const a = new Assembler();
  const kept = [Reg.rbx, Reg.rbp, Reg.r12, Reg.r13, Reg.r14];
  // The entry stub relies on callee-saved registers, too.
  kept.forEach((reg) => a.o(Form.push, reg));
  kept.forEach((reg, i) => a.movImm32(reg, 1 << i));
  registers.argInts.slice(0, 6).forEach((reg, i) => a.movImm32(reg, i === 0 ? 3 : 10 * i));
  a.m(Form.call_m, Reg.vmctx, NO_REG, 0, VmCtx.builtin);
  kept.forEach((reg) => a.rr(Form.add64_rm, Reg.rax, reg));
  [...kept].reverse().forEach((reg) => a.o(Form.pop, reg));
  a.op0(Form.ret);
  world.enter({ params: [], results: [Type.i64] }, world.code(a.finish()));
  assert.is(world.outcome, Outcome.builtin);
  assert.equal([world.execView.getUint32(Exec.callId, true), world.execView.getInt32(world.slot(0), true), world.execView.getInt32(world.slot(4), true)], [3, 10, 50]);
  world.execView.setBigInt64(world.slot(0), -64n, true);
  world.resume();
  assert.is(world.outcome, Outcome.finished);
  assert.is(world.execView.getBigUint64(world.slot(0), true), 0xffffffc0n + 31n, "zero-extended");
});

it("a trap exit reports the site and comes back from the entry, callee-saved registers whole", () => {
  const world = new World(native());
  const a = new Assembler();
  for (const reg of [Reg.rbx, Reg.rbp, Reg.r12, Reg.r13, Reg.r14]) a.movImm32(reg, 0x55);
  a.ri(Form.sub64_mi, Reg.rsp, 40);
  a.m(Form.call_m, Reg.vmctx, NO_REG, 0, VmCtx.trapExit);
  const site = a.length;
  const code = world.code(a.finish());
  const sig = { params: [], results: [] };
  // koffi's own code would not survive a register that is not restored.
  for (let i = 0; i < 1000; i++) world.enter(sig, code);
  assert.is(world.outcome, Outcome.trapped);
  assert.is(world.execView.getBigUint64(Exec.trapPc, true), BigInt(code + site));
  assert.is(world.execView.getBigUint64(Exec.trapSp, true), BigInt(world.stackTop - 8 - 40));
  assert.is(world.execView.getBigUint64(Exec.trapCtx, true), BigInt(world.ctx));
});

it("an entry whose stack arguments do not fit is a trap", () => {
  const world = new World(native());
  world.word(world.ctxView, VmCtx.stackLimit, world.stackTop - 64);
  const a = new Assembler();
  a.op0(Form.ud2);
  world.enter({ params: new Array<Type>(30).fill(Type.i64), results: [] }, world.code(a.finish()));
  assert.is(world.outcome, Outcome.trapped);
  assert.is(world.execView.getUint32(Exec.trapKind, true), TrapKind.stack_exhausted);
});

it("faults in the code range become trap exits; others go to the handler before", () => {
  const world = new World(native());
  const a = new Assembler();
  a.ri(Form.sub64_mi, Reg.rsp, 24);
  const site = a.length;
  a.rm(Form.mov32_rm, Reg.rax, NO_REG, NO_REG, 0, 0x1230);
  const code = world.code(a.finish());
  const previous = world.native.map(world.native.pageBytes, Access.readWrite);
  const found = world.native.signalHandler("SIGSEGV");
  world.word(new DataView(world.native.view(previous, 64)), 0, found.handler);
  const handler = world.code(stubs.signalHandler({ codeBase: BigInt(code), codeEnd: BigInt(code + 64), previous: BigInt(previous) }));
  world.native.installSignalHandler("SIGSEGV", handler);
  for (let i = 0; i < 1000; i++) world.enter({ params: [], results: [] }, code);
  assert.is(world.outcome, Outcome.trapped);
  assert.is(world.execView.getUint32(Exec.trapKind, true), TrapKind.none);
  assert.is(world.execView.getBigUint64(Exec.trapPc, true), BigInt(code + site));
  assert.is(world.execView.getBigUint64(Exec.trapSp, true), BigInt(world.stackTop - 8 - 24));
  assert.is(world.execView.getBigUint64(Exec.faultAddress, true), 0x1230n);
  // V8's own traps come through a handler that was there before.
  const wasm = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 5, 1, 1, 102, 0, 0, 10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11);
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(wasm)).exports as { f: (x: number) => number };
  for (let i = 0; i < 100; i++) assert.throws(() => f(100_000), /out of bounds/);
});

test.run();
