// The pieces of arm64 code the runtime needs besides compiled functions: entry, host calls, builtins, trap exit, signals.
//
// Two stacks: C code (and JS above it) runs on the host's, compiled code on our own. The entry stub switches to ours and
// keeps the way back in the exec-context (`Exec.hostSp`). Compiled code is a coroutine of JS: a host call or builtin call
// leaves a frame on our stack (`Exec.wasmSp`) and returns to JS, which does what is asked for and resumes; so no JS
// ever runs above native frames, and whatever it throws unwinds nothing of ours. A trap exit drops all of our stack above the
// entry. Every field is described in ir/layout.ts, every stub in ir/code.ts. Structures of signals: Linux, arch/arm64
// uapi/asm/sigcontext.h and ucontext.h. A stub's return address stands where a compiled function's does: 8 bytes below the
// caller's stack pointer.
import type { NodeApiContext, RuntimeStubs, SignalHandlerContext } from "../../ir/code.js";
import { Builtin, Exec, MemoryHeader, Outcome, SLOT_BYTES, TrapKind, VmCtx } from "../../ir/layout.js";
import { FIRST_FLOAT_REG } from "../../ir/machine/mfunc.js";
import { Type, type FuncType } from "../../ir/types.js";
import { callAbi } from "../abi.js";
import { cpuFeatures, cpuProbe } from "./cpu-features.js";
import { Assembler, accessScale, fitsDisplacement } from "./encode.js";
import { Cond, Extend, Form, Index } from "./opcodes.js";
import { Reg, cSavedFloats, cSavedInts, registers } from "./registers.js";

const exec = Reg.x16;
const temp = Reg.x17;
const ctx = Reg.vmctx;
const sp = Reg.sp;

/** `form t, [base + disp]`; large displacements by way of `via`. */
function access(a: Assembler, form: number, t: number, base: Reg, disp: number, via: Reg): void {
  if (fitsDisplacement(disp, accessScale(form))) return a.mem(form, t, base, disp);
  a.movImm64(via, disp, 0);
  a.memIndex(form, t, base, via, Extend.uxtx, false);
}

function load64(a: Assembler, t: Reg, base: Reg, disp: number): void {
  a.mem(Form.ldr64, t, base, disp);
}

function store64(a: Assembler, base: Reg, disp: number, t: Reg): void {
  a.mem(Form.str64, t, base, disp);
}

function storeImm32(a: Assembler, base: Reg, disp: number, imm: number, via: Reg): void {
  if (imm === 0) return a.mem(Form.str32, Reg.zr, base, disp);
  a.movImm32(via, imm);
  a.mem(Form.str32, via, base, disp);
}

function imm64(a: Assembler, d: Reg, value: bigint): void {
  a.movImm64(d, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
}

/** d = sp; the stack pointer is an operand of additions alone. */
function fromSp(a: Assembler, d: Reg): void {
  a.addImm(Form.add64_i, d, sp, 0);
}

function toSp(a: Assembler, n: Reg): void {
  a.addImm(Form.add64_i, sp, n, 0);
}

function loadForm(type: Type, reg: number): number {
  if (reg < FIRST_FLOAT_REG) return type === Type.i32 || type === Type.f32 ? Form.ldr32 : Form.ldr64;
  return type === Type.f32 ? Form.ldr_s : type === Type.f64 ? Form.ldr_d : Form.ldr_q;
}

function storeForm(type: Type, reg: number): number {
  if (reg < FIRST_FLOAT_REG) return type === Type.i32 || type === Type.f32 ? Form.str32 : Form.str64;
  return type === Type.f32 ? Form.str_s : type === Type.f64 ? Form.str_d : Form.str_q;
}

/** A value of a type from memory to memory; an i32 or f32 takes 4 bytes. */
function copyValue(a: Assembler, type: Type, value: Reg, via: Reg, from: Reg, fromDisp: number, to: Reg, toDisp: number): void {
  const reg = type === Type.v128 ? Reg.scratchFloat : value;
  access(a, loadForm(type, reg), reg, from, fromDisp, via);
  access(a, storeForm(type, reg), reg, to, toDisp, via);
}

const slot = (i: number): number => Exec.slots + i * SLOT_BYTES;

// The frame of a C function that runs compiled code, on the host's stack from `Exec.hostSp` up: the C caller's callee-saved
// registers, the return address among them.
const C_FRAME_BYTES = 8 * (cSavedInts.length + cSavedFloats.length);

function eachSaved(a: Assembler, ints: number, floats: number): void {
  let at = 0;
  for (let i = 0; i < cSavedInts.length; i += 2, at += 16) a.pair(ints, cSavedInts[i]!, cSavedInts[i + 1]!, sp, at);
  for (let i = 0; i < cSavedFloats.length; i += 2, at += 16) a.pair(floats, cSavedFloats[i]!, cSavedFloats[i + 1]!, sp, at);
}

/** From the host's stack to ours: `ex` holds the exec-context, x17 the stack pointer, too. Changes x15 to x17 besides. */
function enterWasm(a: Assembler, ex: Reg, address: bigint): void {
  a.addImm(Form.sub64_i, sp, sp, C_FRAME_BYTES);
  eachSaved(a, Form.stp64, Form.stp_d);
  imm64(a, ex, address);
  fromSp(a, Reg.x15);
  store64(a, ex, Exec.hostSp, Reg.x15);
  // trapKind and outcome.
  store64(a, ex, Exec.trapKind, Reg.zr);
  load64(a, temp, ex, Exec.wasmSp);
  toSp(a, temp);
}

/**
 * Back to the C caller, with a null for Node-API. `ex` holds the address of the exec-context. `suspended`: from a call that has not
 * returned. The processor expects it to return next, and would be wrong about every C function that returns after it: so a return
 * that goes nowhere takes its place.
 */
function leaveWasm(a: Assembler, ex: Reg, suspended = false): void {
  load64(a, temp, ex, Exec.hostSp);
  toSp(a, temp);
  eachSaved(a, Form.ldp64, Form.ldp_d);
  a.addImm(Form.add64_i, sp, sp, C_FRAME_BYTES);
  if (suspended) {
    const next = a.newLabel();
    a.adr(temp, next);
    a.r(Form.ret, temp);
    a.bind(next);
  }
  a.movImm32(Reg.x0, 0);
  a.r(Form.ret, Reg.link);
}

/** Returns from a call that has left: what the processor expects to return next is the C function that resumed. */
function returnAgain(a: Assembler): void {
  a.r(Form.br, Reg.link);
}

function entry(sig: FuncType, execAddress: bigint): Uint8Array {
  const a = new Assembler();
  const abi = callAbi(sig, registers);
  // Callee-saved in our convention, too: holds the exec-context over the call.
  const ex = Reg.x19;
  enterWasm(a, ex, execAddress);
  load64(a, ctx, ex, Exec.entryCtx);
  if (abi.outgoingBytes > 0) {
    // Arguments that overflow the registers must not overflow the stack.
    a.movImm64(exec, abi.outgoingBytes, 0);
    a.rrr(Form.sub64_r, exec, temp, exec);
    load64(a, Reg.x15, ctx, VmCtx.stackLimit);
    a.rrr(Form.subs64_r, Reg.zr, exec, Reg.x15);
    const room = a.newLabel();
    a.bcond(Cond.hs, room);
    storeImm32(a, ex, Exec.trapKind, TrapKind.stack_exhausted, Reg.x15);
    storeImm32(a, ex, Exec.outcome, Outcome.trapped, Reg.x15);
    store64(a, ex, Exec.trapSp, temp);
    store64(a, ex, Exec.trapCtx, ctx);
    store64(a, ex, Exec.trapPc, Reg.zr);
    leaveWasm(a, ex);
    a.bind(room);
    toSp(a, exec);
  }
  for (let i = 0; i < sig.params.length; i++) {
    const where = abi.args[i]!;
    const type = sig.params[i]!;
    if (where >= 0) access(a, loadForm(type, where), where, ex, slot(i), temp);
    else copyValue(a, type, exec, temp, ex, slot(i), sp, ~where);
  }
  load64(a, Reg.memoryBase, ctx, VmCtx.memory0Base);
  load64(a, exec, ex, Exec.entryCode);
  a.r(Form.blr, exec);
  for (let i = 0; i < sig.results.length; i++) {
    const where = abi.results[i]!;
    const type = sig.results[i]!;
    if (where >= 0) access(a, storeForm(type, where), where, ex, slot(i), temp);
    else copyValue(a, type, exec, temp, sp, ~where, ex, slot(i));
  }
  fromSp(a, exec);
  if (abi.outgoingBytes > 0) {
    a.movImm64(temp, abi.outgoingBytes, 0);
    a.rrr(Form.add64_r, exec, exec, temp);
  }
  // Host calls have moved it.
  store64(a, ex, Exec.wasmSp, exec);
  leaveWasm(a, ex);
  return a.finish();
}

/** What a call that leaves keeps in its frame, for compiled code and for the scan for references; the return address among them. */
const suspended = cSavedInts;
/** Where to go on, padding, the registers. */
const SUSPENDED_BYTES = 16 + 8 * suspended.length;

/**
 * Leaves compiled code and goes on, when resumed, behind this. Before: x16 the exec-context, sp and x30 as on entry of the stub,
 * `callId` stored. After: the same; all registers that are caller-saved in our convention are lost.
 */
function suspend(a: Assembler, outcome: Outcome): void {
  const each = (form: number) => {
    for (let i = 0; i < suspended.length; i += 2) a.pair(form, suspended[i]!, suspended[i + 1]!, sp, 16 + 8 * i);
  };
  const resumed = a.newLabel();
  a.addImm(Form.sub64_i, sp, sp, SUSPENDED_BYTES);
  each(Form.stp64);
  a.adr(temp, resumed);
  // A walk takes the first word that is a return address: the padding must not be an old one.
  a.pair(Form.stp64, temp, Reg.zr, sp, 0);
  fromSp(a, temp);
  store64(a, exec, Exec.wasmSp, temp);
  store64(a, exec, Exec.callCtx, ctx);
  storeImm32(a, exec, Exec.outcome, outcome, temp);
  leaveWasm(a, exec, true);
  a.bind(resumed);
  each(Form.ldp64);
  a.addImm(Form.add64_i, sp, sp, SUSPENDED_BYTES);
  load64(a, exec, ctx, VmCtx.exec);
}

function resume(execAddress: bigint): Uint8Array {
  const a = new Assembler();
  enterWasm(a, exec, execAddress);
  load64(a, temp, sp, 0);
  a.r(Form.br, temp);
  return a.finish();
}

function hostCall(sig: FuncType): Uint8Array {
  const a = new Assembler();
  const abi = callAbi(sig, registers);
  load64(a, exec, ctx, VmCtx.exec);
  for (let i = 0; i < sig.params.length; i++) {
    const where = abi.args[i]!;
    if (where >= 0) access(a, storeForm(sig.params[i]!, where), where, exec, slot(i), temp);
    else copyValue(a, sig.params[i]!, Reg.x15, temp, sp, ~where, exec, slot(i));
  }
  a.mem(Form.ldr32, temp, ctx, VmCtx.hostFunc);
  a.mem(Form.str32, temp, exec, Exec.callId);
  suspend(a, Outcome.hostCall);
  for (let i = 0; i < sig.results.length; i++) {
    const where = abi.results[i]!;
    if (where >= 0) access(a, loadForm(sig.results[i]!, where), where, exec, slot(i), temp);
    else copyValue(a, sig.results[i]!, Reg.x15, temp, exec, slot(i), sp, ~where);
  }
  returnAgain(a);
  return a.finish();
}

function builtin(): Uint8Array {
  const a = new Assembler();
  load64(a, exec, ctx, VmCtx.exec);
  // The number, then up to five arguments.
  const [number, ...args] = registers.argInts.slice(0, 6);
  args.forEach((reg, i) => store64(a, exec, slot(i), reg));
  a.mem(Form.str32, number!, exec, Exec.callId);
  suspend(a, Outcome.builtin);
  // What a builtin gives back is an i32.
  a.mem(Form.ldr32, Reg.x0, exec, slot(0));
  returnAgain(a);
  return a.finish();
}

/** Every argument register, floats whole; then padding and the return address, where a walk looks for it. */
const LAZY_KEPT_BYTES = 8 * registers.argInts.length + 16 * registers.argFloats.length + 16;

/** The thunk left the function's index in x17. */
function lazyEntry(): Uint8Array {
  const a = new Assembler();
  const eachArgument = (type: (reg: number) => number) => {
    registers.argInts.forEach((reg, i) => a.mem(type(reg), reg, sp, 8 * i));
    registers.argFloats.forEach((reg, i) => a.mem(type(reg), reg, sp, 8 * registers.argInts.length + 16 * i));
  };
  load64(a, exec, ctx, VmCtx.exec);
  a.mem(Form.str32, temp, exec, slot(0));
  a.addImm(Form.sub64_i, sp, sp, LAZY_KEPT_BYTES);
  eachArgument((reg) => storeForm(reg < FIRST_FLOAT_REG ? Type.i64 : Type.v128, reg));
  storeImm32(a, exec, Exec.callId, Builtin.compile, temp);
  a.pair(Form.stp64, Reg.zr, Reg.link, sp, LAZY_KEPT_BYTES - 16);
  a.mov(64, Reg.link, Reg.zr);
  suspend(a, Outcome.builtin);
  load64(a, Reg.link, sp, LAZY_KEPT_BYTES - 8);
  load64(a, exec, exec, slot(0));
  eachArgument((reg) => loadForm(reg < FIRST_FLOAT_REG ? Type.i64 : Type.v128, reg));
  a.addImm(Form.add64_i, sp, sp, LAZY_KEPT_BYTES);
  a.r(Form.br, exec);
  return a.finish();
}

/** All floats, x0 to x15, the return address, padding. */
const TIER_UP_KEPT_BYTES = 16 * 32 + 8 * 16 + 16;

function tierUp(): Uint8Array {
  return optimizing(Builtin.optimize);
}

function tierUpLoop(): Uint8Array {
  return optimizing(Builtin.optimize_loop);
}

/** Of a loop, the builtin's answer comes back in x16. */
function optimizing(builtin: Builtin.optimize | Builtin.optimize_loop): Uint8Array {
  const a = new Assembler();
  const eachKept = (float: number, int: number) => {
    for (let i = 0; i < 32; i++) a.mem(float, Reg.v0 + i, sp, 16 * i);
    for (let i = 0; i < 16; i++) a.mem(int, Reg.x0 + i, sp, 512 + 8 * i);
    a.mem(int, Reg.link, sp, 512 + 128);
  };
  load64(a, exec, ctx, VmCtx.exec);
  a.mem(Form.str32, temp, exec, slot(0));
  a.addImm(Form.sub64_i, sp, sp, TIER_UP_KEPT_BYTES);
  eachKept(Form.str_q, Form.str64);
  storeImm32(a, exec, Exec.callId, builtin, temp);
  suspend(a, Outcome.builtin);
  if (builtin === Builtin.optimize_loop) load64(a, exec, exec, slot(0));
  eachKept(Form.ldr_q, Form.ldr64);
  a.addImm(Form.add64_i, sp, sp, TIER_UP_KEPT_BYTES);
  a.r(Form.ret, Reg.link);
  return a.finish();
}

const THUNK_BYTES = 16;

function lazyThunks(first: number, count: number): Uint8Array {
  const a = new Assembler(4 * count, count);
  for (let i = 0; i < count; i++) {
    a.movImm32(temp, first + i);
    load64(a, exec, ctx, VmCtx.lazyEntry);
    a.r(Form.br, exec);
    a.alignTo(THUNK_BYTES);
  }
  return a.finish();
}

function slotThunks(offsets: readonly number[]): Uint8Array {
  const a = new Assembler(4 * offsets.length, offsets.length);
  for (const offset of offsets) {
    access(a, Form.ldr64, exec, ctx, offset, temp);
    a.r(Form.br, exec);
    a.alignTo(THUNK_BYTES);
  }
  return a.finish();
}

/** C takes its arguments where we have them, those on the stack in the same order. */
function nativeCall(sig: FuncType, inMemory: readonly boolean[]): Uint8Array {
  const a = new Assembler();
  const abi = callAbi(sig, registers);
  const { outgoingBytes } = callAbi({ params: sig.params, results: [] }, registers);
  // C keeps x19: it holds our stack pointer over the call.
  const wasmSp = Reg.x19;
  const value = Reg.x15;
  const frameBytes = 16;
  a.addImm(Form.sub64_i, sp, sp, frameBytes);
  a.pair(Form.stp64, wasmSp, Reg.link, sp, 0);
  fromSp(a, wasmSp);
  load64(a, exec, ctx, VmCtx.exec);
  const outside = a.newLabel();
  if (inMemory.includes(true)) {
    load64(a, temp, ctx, VmCtx.memory0);
    load64(a, temp, temp, MemoryHeader.length);
  }
  const stacked = (i: number) => ~abi.args[i]! + frameBytes;
  for (let i = 0; i < sig.params.length; i++) {
    if (!inMemory[i]) continue;
    const offset = abi.args[i]! >= 0 ? abi.args[i]! : value;
    if (abi.args[i]! >= 0) a.mov(32, offset, offset);
    else a.mem(Form.ldr32, offset, wasmSp, stacked(i));
    a.rrr(Form.subs64_r, Reg.zr, offset, temp);
    a.bcond(Cond.hs, outside);
  }
  load64(a, exec, exec, Exec.hostSp);
  if (outgoingBytes > 0) {
    a.movImm64(temp, outgoingBytes, 0);
    a.rrr(Form.sub64_r, exec, exec, temp);
  }
  toSp(a, exec);
  if (inMemory.includes(true)) load64(a, exec, ctx, VmCtx.memory0Base);
  for (let i = 0; i < sig.params.length; i++) {
    const where = abi.args[i]!;
    const type = sig.params[i]!;
    if (where >= 0) {
      if (inMemory[i]) a.rrr(Form.add64_r, where, where, exec);
      continue;
    }
    if (!inMemory[i]) {
      copyValue(a, type, value, temp, wasmSp, stacked(i), sp, ~where);
      continue;
    }
    access(a, Form.ldr32, value, wasmSp, stacked(i), temp);
    a.rrr(Form.add64_r, value, value, exec);
    access(a, Form.str64, value, sp, ~where, temp);
  }
  load64(a, exec, ctx, VmCtx.cFunction);
  a.r(Form.blr, exec);
  toSp(a, wasmSp);
  a.pair(Form.ldp64, wasmSp, Reg.link, sp, 0);
  a.addImm(Form.add64_i, sp, sp, frameBytes);
  // Ours are zero-extended, C's upper half is anything.
  if (sig.results[0] === Type.i32) a.mov(32, Reg.x0, Reg.x0);
  a.r(Form.ret, Reg.link);
  if (!inMemory.includes(true)) return a.finish();

  a.bind(outside);
  a.pair(Form.ldp64, wasmSp, Reg.link, sp, 0);
  a.addImm(Form.add64_i, sp, sp, frameBytes);
  load64(a, exec, ctx, VmCtx.exec);
  storeImm32(a, exec, Exec.trapKind, TrapKind.out_of_bounds_memory, temp);
  // As if the caller had called it.
  load64(a, exec, ctx, VmCtx.trapExit);
  a.r(Form.br, exec);
  return a.finish();
}

/** x30 names the site; x17 is the return address of a function without a frame. */
function trapExit(): Uint8Array {
  const a = new Assembler();
  load64(a, exec, ctx, VmCtx.exec);
  store64(a, exec, Exec.trapPc, Reg.link);
  // Where a walk looks for it in a function that has no frame. Nobody else looks below the stack pointer.
  fromSp(a, Reg.x15);
  a.mem(Form.str64, temp, Reg.x15, -8);
  store64(a, exec, Exec.trapSp, Reg.x15);
  store64(a, exec, Exec.trapCtx, ctx);
  storeImm32(a, exec, Exec.outcome, Outcome.trapped, temp);
  leaveWasm(a, exec);
  return a.finish();
}

function throwFunction(api: NodeApiContext): Uint8Array {
  const a = new Assembler();
  const [env, callback] = [Reg.x0, Reg.x1];
  // The function's handle at sp, null until there is one; the environment and the return address above it.
  a.addImm(Form.sub64_i, sp, sp, 32);
  a.pair(Form.stp64, Reg.zr, env, sp, 0);
  store64(a, sp, 16, Reg.link);
  // (env, name, length of name, callback, data, out)
  a.mov(64, Reg.x3, callback);
  for (const reg of [Reg.x1, Reg.x2, Reg.x4]) a.movImm32(reg, 0);
  fromSp(a, Reg.x5);
  imm64(a, exec, api.createFunction);
  a.r(Form.blr, exec);
  load64(a, env, sp, 8);
  load64(a, Reg.x1, sp, 0);
  imm64(a, exec, api.throwValue);
  a.r(Form.blr, exec);
  load64(a, Reg.link, sp, 16);
  a.addImm(Form.add64_i, sp, sp, 32);
  a.r(Form.ret, Reg.link);
  return a.finish();
}

/** Offsets in Linux' siginfo_t and ucontext_t. */
const enum Linux {
  siAddr = 16,
  ucX0 = 184,
  ucSp = 432,
  ucPc = 440,
  sysRtSigaction = 134,
  SIGBUS = 7,
  SIGFPE = 8,
}

const savedAt = (reg: Reg): number => Linux.ucX0 + 8 * reg;

function signalHandler(context: SignalHandlerContext): Uint8Array {
  const a = new Assembler();
  const [signal, info, uc] = [Reg.x0, Reg.x1, Reg.x2];
  const pc = Reg.x9;
  const foreign = a.newLabel();
  const exit = a.newLabel();
  load64(a, pc, uc, Linux.ucPc);
  imm64(a, Reg.x10, context.codeBase);
  a.rrr(Form.subs64_r, Reg.zr, pc, Reg.x10);
  a.bcond(Cond.lo, foreign);
  imm64(a, Reg.x10, context.codeEnd);
  a.rrr(Form.subs64_r, Reg.zr, pc, Reg.x10);
  a.bcond(Cond.hs, foreign);

  // Compiled code: x28 is its vm-context. Report, and go on at `exit` with x16 as the exec-context.
  load64(a, Reg.x11, uc, savedAt(ctx));
  load64(a, exec, Reg.x11, VmCtx.exec);
  store64(a, exec, Exec.trapPc, pc);
  store64(a, exec, Exec.trapCtx, Reg.x11);
  load64(a, Reg.x10, uc, Linux.ucSp);
  store64(a, exec, Exec.trapSp, Reg.x10);
  // The return address, if the function has no frame: see trapExit.
  load64(a, Reg.x11, uc, savedAt(Reg.link));
  a.mem(Form.str64, Reg.x11, Reg.x10, -8);
  load64(a, Reg.x10, info, Linux.siAddr);
  store64(a, exec, Exec.faultAddress, Reg.x10);
  storeImm32(a, exec, Exec.outcome, Outcome.trapped, temp);
  store64(a, uc, savedAt(exec), exec);
  a.adr(Reg.x10, exit);
  store64(a, uc, Linux.ucPc, Reg.x10);
  a.r(Form.ret, Reg.link);

  // Another's: to the handler that was there before.
  a.bind(foreign);
  imm64(a, Reg.x10, context.previous);
  for (const [number, offset] of [[Linux.SIGBUS, 16], [Linux.SIGFPE, 32]] as const) {
    const other = a.newLabel();
    a.addImm(Form.subs32_i, Reg.zr, signal, number);
    a.bcond(Cond.ne, other);
    a.addImm(Form.add64_i, Reg.x10, Reg.x10, offset);
    a.bind(other);
  }
  load64(a, exec, Reg.x10, 0);
  const byDefault = a.newLabel();
  // SIG_DFL is 0, SIG_IGN 1.
  a.addImm(Form.subs64_i, Reg.zr, exec, 1);
  a.bcond(Cond.ls, byDefault);
  a.r(Form.br, exec);
  // The default action: set it and return, the fault comes again. A struct of zeros is SIG_DFL without flags.
  a.bind(byDefault);
  a.pair(Form.stp64, Reg.zr, Reg.zr, sp, -32, Index.pre);
  a.pair(Form.stp64, Reg.zr, Reg.zr, sp, 16);
  fromSp(a, Reg.x1);
  a.movImm32(Reg.x2, 0);
  a.movImm32(Reg.x3, 8);
  a.movImm32(Reg.x8, Linux.sysRtSigaction);
  a.exception(Form.svc, 0);
  a.addImm(Form.add64_i, sp, sp, 32);
  a.r(Form.ret, Reg.link);

  a.bind(exit);
  leaveWasm(a, exec);
  return a.finish();
}

/**
 * void (address, length): cleans the data cache to the point of unification and invalidates the instruction cache, a line at a time.
 * CTR_EL0 has the smallest lines' sizes, log2 of words: data in bits 19:16, instructions in bits 3:0.
 */
function flushCode(): Uint8Array {
  const a = new Assembler();
  const [start, end, ctr, line, at] = [Reg.x0, Reg.x1, Reg.x2, Reg.x3, Reg.x4];
  a.rrr(Form.add64_r, end, start, end);
  a.system(Form.mrs_ctr_el0, ctr);
  const sweep = (lsb: number, form: number) => {
    a.bitfield(Form.ubfm64, line, ctr, lsb, lsb + 3);
    a.movImm32(at, 4);
    a.rrr(Form.lslv64, line, at, line);
    a.addImm(Form.sub64_i, at, line, 1);
    a.rrr(Form.bic64_r, at, start, at);
    const next = a.newLabel();
    a.bind(next);
    a.system(form, at);
    a.rrr(Form.add64_r, at, at, line);
    a.rrr(Form.subs64_r, Reg.zr, at, end);
    a.bcond(Cond.lo, next);
    a.word(Form.dsb_ish);
  };
  sweep(16, Form.dc_cvau);
  sweep(0, Form.ic_ivau);
  a.word(Form.isb);
  a.r(Form.ret, Reg.link);
  return a.finish();
}

export const stubs: RuntimeStubs = {
  target: "arm64",
  architecture: "arm64",
  entry,
  resume,
  hostCall,
  nativeCall,
  builtin,
  lazyEntry,
  lazyThunks,
  slotThunks,
  tierUp,
  tierUpLoop,
  trapExit,
  throwFunction,
  signalHandler,
  cpuProbe,
  cpuFeatures,
  flushCode,
};
