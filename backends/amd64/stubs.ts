// The pieces of amd64 code the runtime needs besides compiled functions: entry, host calls, builtins, trap exit, signals.
//
// Two stacks: C code (and JS above it) runs on the host's, compiled code on our own. The entry stub switches to ours and
// keeps the way back in the exec-context (`Exec.hostSp`). Compiled code is a coroutine of JS: a host call or builtin call
// leaves a frame on our stack (`Exec.wasmSp`) and returns to JS, which does what is asked for and resumes; so no JS
// ever runs above native frames, and whatever it throws unwinds nothing of ours. A trap exit drops all of our stack above the
// entry. Every field is described in ir/layout.ts, every stub in ir/code.ts. Structures of signals: Linux, x86-64 psABI.
import type { NodeApiContext, RuntimeStubs, SignalHandlerContext } from "../../ir/code.js";
import { Builtin, Exec, MemoryHeader, Outcome, SLOT_BYTES, TrapKind, VmCtx } from "../../ir/layout.js";
import { FIRST_FLOAT_REG } from "../../ir/machine/mfunc.js";
import { Type, type FuncType } from "../../ir/types.js";
import { callAbi } from "../abi.js";
import { cpuFeatures, cpuProbe } from "./cpu-features.js";
import { Assembler, LABEL, NO_REG } from "./encode.js";
import { Cond, Form } from "./opcodes.js";
import { Reg, cClobberedInts, cRegisters, cSavedInts, registers } from "./registers.js";

const r11 = Reg.r11;
const r15 = Reg.vmctx;
const rsp = Reg.rsp;

/** `reg` <- [base + disp]. */
function load64(a: Assembler, reg: Reg, base: Reg, disp: number): void {
  a.rm(Form.mov64_rm, reg, base, NO_REG, 0, disp);
}

function store64(a: Assembler, base: Reg, disp: number, reg: Reg): void {
  a.rm(Form.mov64_mr, reg, base, NO_REG, 0, disp);
}

function storeImm32(a: Assembler, base: Reg, disp: number, imm: number): void {
  a.mi(Form.mov32_mi, base, NO_REG, 0, disp, imm);
}

function imm64(a: Assembler, reg: Reg, value: bigint): void {
  a.movImm64(reg, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
}

/** A value of a type between a register and [base + disp]. */
function loadValue(a: Assembler, type: Type, reg: number, base: Reg, disp: number): void {
  const form =
    reg < FIRST_FLOAT_REG
      ? type === Type.i32 ? Form.mov32_rm : Form.mov64_rm
      : type === Type.f32 ? Form.movss_rm : type === Type.f64 ? Form.movsd_rm : Form.movups_rm;
  a.rm(form, reg, base, NO_REG, 0, disp);
}

function storeValue(a: Assembler, type: Type, reg: number, base: Reg, disp: number): void {
  const form =
    reg < FIRST_FLOAT_REG
      ? type === Type.i32 ? Form.mov32_mr : Form.mov64_mr
      : type === Type.f32 ? Form.movss_mr : type === Type.f64 ? Form.movsd_mr : Form.movups_mr;
  a.rm(form, reg, base, NO_REG, 0, disp);
}

/** A value of a type from memory to memory; an i32 or f32 takes 4 bytes. `temp` is an integer register. */
function copyValue(a: Assembler, type: Type, temp: Reg, from: Reg, fromDisp: number, to: Reg, toDisp: number): void {
  if (type === Type.v128) {
    loadValue(a, type, Reg.scratchFloat, from, fromDisp);
    storeValue(a, type, Reg.scratchFloat, to, toDisp);
    return;
  }
  const narrow = type === Type.i32 || type === Type.f32;
  a.rm(narrow ? Form.mov32_rm : Form.mov64_rm, temp, from, NO_REG, 0, fromDisp);
  a.rm(narrow ? Form.mov32_mr : Form.mov64_mr, temp, to, NO_REG, 0, toDisp);
}

const slot = (i: number): number => Exec.slots + i * SLOT_BYTES;

/** Of `Exec.outcome` and `Exec.trapKind` at once. */
function clearReport(a: Assembler, exec: Reg): void {
  a.mi(Form.mov64_mi, exec, NO_REG, 0, Exec.trapKind, 0);
}

// The frame of a C function that runs compiled code, on the host's stack from `Exec.hostSp` up: 8 bytes of alignment, the C
// caller's callee-saved registers, return address.

/** From the host's stack to ours: `exec` holds the exec-context and is callee-saved in C. Changes no argument register. */
function enterWasm(a: Assembler, exec: Reg, address: bigint): void {
  for (const reg of cSavedInts) a.o(Form.push, reg);
  imm64(a, exec, address);
  a.ri(Form.sub64_mi, rsp, 8);
  store64(a, exec, Exec.hostSp, rsp);
  clearReport(a, exec);
  load64(a, rsp, exec, Exec.wasmSp);
}

/**
 * Back to the C caller, with a null for Node-API. `suspended`: from a call that has not returned. The processor expects it to return
 * next, and would be wrong about every C function that returns after it: so a return that goes nowhere takes its place.
 */
function leaveWasm(a: Assembler, exec: Reg, suspended = false): void {
  load64(a, rsp, exec, Exec.hostSp);
  a.ri(Form.add64_mi, rsp, 8);
  for (let i = cSavedInts.length - 1; i >= 0; i--) a.o(Form.pop, cSavedInts[i]!);
  if (suspended) {
    const next = a.newLabel();
    a.rm(Form.lea64_rm, Reg.rax, LABEL, NO_REG, 0, next);
    a.o(Form.push, Reg.rax);
    a.op0(Form.ret);
    a.bind(next);
  }
  a.rr(Form.xor32_rm, Reg.rax, Reg.rax);
  a.op0(Form.ret);
}

function entry(sig: FuncType, exec: bigint): Uint8Array {
  const a = new Assembler();
  const abi = callAbi(sig, registers);
  // Callee-saved in our convention, too: holds the exec-context over the call.
  const ex = Reg.rbx;
  enterWasm(a, ex, exec);
  if (abi.outgoingBytes > 0) {
    // Arguments that overflow the registers must not overflow the stack.
    load64(a, r15, ex, Exec.entryCtx);
    a.rm(Form.lea64_rm, r11, rsp, NO_REG, 0, -abi.outgoingBytes);
    a.rm(Form.cmp64_rm, r11, r15, NO_REG, 0, VmCtx.stackLimit);
    const room = a.newLabel();
    a.jcc(Cond.ae, room);
    storeImm32(a, ex, Exec.trapKind, TrapKind.stack_exhausted);
    storeImm32(a, ex, Exec.outcome, Outcome.trapped);
    store64(a, ex, Exec.trapSp, rsp);
    store64(a, ex, Exec.trapCtx, r15);
    a.mi(Form.mov64_mi, ex, NO_REG, 0, Exec.trapPc, 0);
    leaveWasm(a, ex);
    a.bind(room);
    a.ri(Form.sub64_mi, rsp, abi.outgoingBytes);
  }
  for (let i = 0; i < sig.params.length; i++) {
    const where = abi.args[i]!;
    if (where >= 0) loadValue(a, sig.params[i]!, where, ex, slot(i));
    else copyValue(a, sig.params[i]!, r11, ex, slot(i), rsp, ~where);
  }
  load64(a, r15, ex, Exec.entryCtx);
  load64(a, Reg.memoryBase, r15, VmCtx.memory0Base);
  a.m(Form.call_m, ex, NO_REG, 0, Exec.entryCode);
  for (let i = 0; i < sig.results.length; i++) {
    const where = abi.results[i]!;
    if (where >= 0) storeValue(a, sig.results[i]!, where, ex, slot(i));
    else copyValue(a, sig.results[i]!, r11, rsp, ~where, ex, slot(i));
  }
  if (abi.outgoingBytes > 0) a.ri(Form.add64_mi, rsp, abi.outgoingBytes);
  // Host calls have moved it.
  store64(a, ex, Exec.wasmSp, rsp);
  leaveWasm(a, ex);
  return a.finish();
}

/** Integer registers that a call which leaves keeps in its frame, for compiled code and for the scan for references. */
const suspended = cSavedInts;

/**
 * Leaves compiled code and goes on, when resumed, behind this. Before: r11 the exec-context, rsp as on entry of the stub, `callId`
 * stored. After: the same; all registers that are caller-saved in our convention are lost.
 */
function suspend(a: Assembler, outcome: Outcome): void {
  for (const reg of suspended) a.o(Form.push, reg);
  const resumed = a.newLabel();
  a.rm(Form.lea64_rm, Reg.rax, LABEL, NO_REG, 0, resumed);
  // Seven words and the return address: 16-aligned, as `wasmSp` has to be.
  a.o(Form.push, Reg.rax);
  store64(a, r11, Exec.wasmSp, rsp);
  store64(a, r11, Exec.callCtx, r15);
  storeImm32(a, r11, Exec.outcome, outcome);
  leaveWasm(a, r11, true);
  a.bind(resumed);
  for (let i = suspended.length - 1; i >= 0; i--) a.o(Form.pop, suspended[i]!);
  load64(a, r11, r15, VmCtx.exec);
}

function resume(exec: bigint): Uint8Array {
  const a = new Assembler();
  enterWasm(a, Reg.rbx, exec);
  a.o(Form.pop, Reg.rax);
  a.r(Form.jmp_m, Reg.rax);
  return a.finish();
}

/** Returns from a call that has left: what the processor expects to return next is the C function that resumed. */
function returnAgain(a: Assembler): void {
  a.o(Form.pop, r11);
  a.r(Form.jmp_m, r11);
}

function hostCall(sig: FuncType): Uint8Array {
  const a = new Assembler();
  const abi = callAbi(sig, registers);
  load64(a, r11, r15, VmCtx.exec);
  for (let i = 0; i < sig.params.length; i++) {
    if (abi.args[i]! >= 0) storeValue(a, sig.params[i]!, abi.args[i]!, r11, slot(i));
  }
  // The argument registers are free now. The return address lies below the caller's outgoing area.
  for (let i = 0; i < sig.params.length; i++) {
    if (abi.args[i]! < 0) copyValue(a, sig.params[i]!, Reg.rax, rsp, ~abi.args[i]! + 8, r11, slot(i));
  }
  a.rm(Form.mov32_rm, Reg.rax, r15, NO_REG, 0, VmCtx.hostFunc);
  a.rm(Form.mov32_mr, Reg.rax, r11, NO_REG, 0, Exec.callId);
  suspend(a, Outcome.hostCall);
  for (let i = 0; i < sig.results.length; i++) {
    if (abi.results[i]! < 0) copyValue(a, sig.results[i]!, Reg.rax, r11, slot(i), rsp, ~abi.results[i]! + 8);
  }
  for (let i = 0; i < sig.results.length; i++) {
    if (abi.results[i]! >= 0) loadValue(a, sig.results[i]!, abi.results[i]!, r11, slot(i));
  }
  returnAgain(a);
  return a.finish();
}

function builtin(): Uint8Array {
  const a = new Assembler();
  load64(a, r11, r15, VmCtx.exec);
  // The number, then up to five arguments.
  const [number, ...args] = registers.argInts.slice(0, 6);
  args.forEach((reg, i) => store64(a, r11, slot(i), reg));
  a.rm(Form.mov32_mr, number!, r11, NO_REG, 0, Exec.callId);
  suspend(a, Outcome.builtin);
  // What a builtin gives back is an i32.
  loadValue(a, Type.i32, Reg.rax, r11, slot(0));
  returnAgain(a);
  return a.finish();
}

/** Every argument register, floats whole; a multiple of 16. */
const LAZY_KEPT_BYTES = 8 * registers.argInts.length + 16 * registers.argFloats.length;

function lazyEntry(): Uint8Array {
  const a = new Assembler();
  const eachArgument = (access: (type: Type, reg: number, at: number) => void) => {
    registers.argInts.forEach((reg, i) => access(Type.i64, reg, 8 * i));
    registers.argFloats.forEach((reg, i) => access(Type.v128, reg, 8 * registers.argInts.length + 16 * i));
  };
  a.ri(Form.sub64_mi, rsp, LAZY_KEPT_BYTES);
  eachArgument((type, reg, at) => storeValue(a, type, reg, rsp, at));
  a.rr(Form.mov32_rm, Reg.rax, r11);
  load64(a, r11, r15, VmCtx.exec);
  storeValue(a, Type.i32, Reg.rax, r11, slot(0));
  storeImm32(a, r11, Exec.callId, Builtin.compile);
  suspend(a, Outcome.builtin);
  load64(a, r11, r11, slot(0));
  eachArgument((type, reg, at) => loadValue(a, type, reg, rsp, at));
  a.ri(Form.add64_mi, rsp, LAZY_KEPT_BYTES);
  a.r(Form.jmp_m, r11);
  return a.finish();
}

/** What the caller does not get back from C, all of it; 8 more bytes for `suspend`'s alignment. */
const TIER_UP_KEPT_BYTES = 8 * cClobberedInts.length + 16 * 16 + (cClobberedInts.length % 2 === 0 ? 8 : 0);

function tierUp(): Uint8Array {
  return optimizing(Builtin.optimize);
}

function tierUpLoop(): Uint8Array {
  return optimizing(Builtin.optimize_loop);
}

/** Of a loop, the builtin's answer comes back in r11. */
function optimizing(builtin: Builtin.optimize | Builtin.optimize_loop): Uint8Array {
  const a = new Assembler();
  const eachKept = (access: (type: Type, reg: number, at: number) => void) => {
    for (let i = 0; i < 16; i++) access(Type.v128, Reg.xmm0 + i, 16 * i);
    cClobberedInts.forEach((reg, i) => access(Type.i64, reg, 256 + 8 * i));
  };
  // Leaf functions call from a stack pointer of any alignment.
  a.o(Form.push, Reg.rbp);
  a.rr(Form.mov64_rm, Reg.rbp, rsp);
  a.ri(Form.and64_mi, rsp, -16);
  a.ri(Form.sub64_mi, rsp, TIER_UP_KEPT_BYTES);
  eachKept((type, reg, at) => storeValue(a, type, reg, rsp, at));
  a.rr(Form.mov32_rm, Reg.rax, r11);
  load64(a, r11, r15, VmCtx.exec);
  storeValue(a, Type.i32, Reg.rax, r11, slot(0));
  storeImm32(a, r11, Exec.callId, builtin);
  suspend(a, Outcome.builtin);
  if (builtin === Builtin.optimize_loop) {
    load64(a, Reg.rax, r11, slot(0));
    store64(a, rsp, 256 + 8 * cClobberedInts.indexOf(r11), Reg.rax);
  }
  eachKept((type, reg, at) => loadValue(a, type, reg, rsp, at));
  a.rr(Form.mov64_rm, rsp, Reg.rbp);
  a.o(Form.pop, Reg.rbp);
  a.op0(Form.ret);
  return a.finish();
}

const THUNK_BYTES = 16;
/** Where the constant of `mov r11d, imm32` stands. */
const THUNK_INDEX = 2;

/** They differ in the index alone: copies of one. */
function lazyThunks(first: number, count: number): Uint8Array {
  const a = new Assembler();
  a.movImm32(r11, 0);
  a.m(Form.jmp_m, r15, NO_REG, 0, VmCtx.lazyEntry);
  a.alignTo(THUNK_BYTES);
  const thunk = a.finish();
  const code = new Uint8Array(THUNK_BYTES * count);
  const view = new DataView(code.buffer);
  for (let at = 0, index = first; at < code.length; at += THUNK_BYTES, index++) {
    code.set(thunk, at);
    view.setInt32(at + THUNK_INDEX, index, true);
  }
  return code;
}

function slotThunks(offsets: readonly number[]): Uint8Array {
  const a = new Assembler(4 * offsets.length, offsets.length);
  for (const offset of offsets) {
    a.m(Form.jmp_m, r15, NO_REG, 0, offset);
    a.alignTo(THUNK_BYTES);
  }
  return a.finish();
}

function nativeCall(sig: FuncType, inMemory: readonly boolean[]): Uint8Array {
  const a = new Assembler();
  const ours = callAbi(sig, registers);
  const c = callAbi(sig, cRegisters);
  // C keeps both; they hold our stack pointer over the call and whatever is copied before it.
  const [wasmSp, temp] = [Reg.rbx, Reg.rbp];
  a.o(Form.push, wasmSp);
  a.o(Form.push, temp);
  a.rr(Form.mov64_rm, wasmSp, rsp);
  /** Where an argument that has no register stands: above the two words and the return address. */
  const stacked = (i: number) => ~ours.args[i]! + 24;
  load64(a, r11, r15, VmCtx.exec);
  const outside = a.newLabel();
  if (inMemory.includes(true)) load64(a, temp, r15, VmCtx.memory0);
  for (let i = 0; i < sig.params.length; i++) {
    if (!inMemory[i]) continue;
    const where = ours.args[i]!;
    const offset = where >= 0 ? where : r11;
    if (where >= 0) a.rr(Form.mov32_rm, offset, offset);
    else a.rm(Form.mov32_rm, offset, wasmSp, NO_REG, 0, stacked(i));
    a.rm(Form.cmp64_rm, offset, temp, NO_REG, 0, MemoryHeader.length);
    a.jcc(Cond.ae, outside);
    if (where < 0) load64(a, r11, r15, VmCtx.exec);
  }
  load64(a, rsp, r11, Exec.hostSp);
  if (c.outgoingBytes > 0) a.ri(Form.sub64_mi, rsp, c.outgoingBytes);
  for (let i = 0; i < sig.params.length; i++) {
    const where = ours.args[i]!;
    if (inMemory[i]) {
      const offset = where >= 0 ? where : temp;
      if (where < 0) a.rm(Form.mov32_rm, offset, wasmSp, NO_REG, 0, stacked(i));
      a.rm(Form.add64_rm, offset, r15, NO_REG, 0, VmCtx.memory0Base);
      if (c.args[i]! < 0) store64(a, rsp, ~c.args[i]!, offset);
    } else if (c.args[i]! < 0) {
      if (where >= 0) storeValue(a, sig.params[i]!, where, rsp, ~c.args[i]!);
      else copyValue(a, sig.params[i]!, temp, wasmSp, stacked(i), rsp, ~c.args[i]!);
    }
  }
  // For functions of variable arguments: how many vector registers are in use.
  a.movImm32(Reg.rax, Math.min(8, sig.params.filter((type) => type === Type.f32 || type === Type.f64).length));
  a.m(Form.call_m, r15, NO_REG, 0, VmCtx.cFunction);
  a.rr(Form.mov64_rm, rsp, wasmSp);
  a.o(Form.pop, temp);
  a.o(Form.pop, wasmSp);
  // Ours are zero-extended, C's upper half is anything.
  if (sig.results[0] === Type.i32) a.rr(Form.mov32_rm, Reg.rax, Reg.rax);
  a.op0(Form.ret);
  if (!inMemory.includes(true)) return a.finish();

  a.bind(outside);
  a.o(Form.pop, temp);
  a.o(Form.pop, wasmSp);
  load64(a, r11, r15, VmCtx.exec);
  storeImm32(a, r11, Exec.trapKind, TrapKind.out_of_bounds_memory);
  // As if the caller had called it.
  a.m(Form.jmp_m, r15, NO_REG, 0, VmCtx.trapExit);
  return a.finish();
}

function trapExit(): Uint8Array {
  const a = new Assembler();
  load64(a, r11, r15, VmCtx.exec);
  a.m(Form.pop_m, r11, NO_REG, 0, Exec.trapPc);
  store64(a, r11, Exec.trapSp, rsp);
  store64(a, r11, Exec.trapCtx, r15);
  storeImm32(a, r11, Exec.outcome, Outcome.trapped);
  leaveWasm(a, r11);
  return a.finish();
}

function throwFunction(api: NodeApiContext): Uint8Array {
  const a = new Assembler();
  const [env, callback] = [Reg.rdi, Reg.rsi];
  // The function's handle at rsp, null until there is one; the environment above it.
  a.ri(Form.sub64_mi, rsp, 24);
  a.mi(Form.mov64_mi, rsp, NO_REG, 0, 0, 0);
  store64(a, rsp, 8, env);
  // (env, name, length of name, callback, data, out)
  a.rr(Form.mov64_rm, Reg.rcx, callback);
  for (const reg of [Reg.rsi, Reg.rdx, Reg.r8]) a.rr(Form.xor32_rm, reg, reg);
  a.rr(Form.mov64_rm, Reg.r9, rsp);
  imm64(a, Reg.rax, api.createFunction);
  a.r(Form.call_m, Reg.rax);
  load64(a, env, rsp, 8);
  load64(a, Reg.rsi, rsp, 0);
  imm64(a, Reg.rax, api.throwValue);
  a.r(Form.call_m, Reg.rax);
  a.ri(Form.add64_mi, rsp, 24);
  a.op0(Form.ret);
  return a.finish();
}

/** Offsets in Linux' siginfo_t and ucontext_t. */
const enum Linux {
  siAddr = 16,
  ucR11 = 64,
  ucR15 = 96,
  ucRsp = 160,
  ucRip = 168,
  sysRtSigaction = 13,
  SIGBUS = 7,
  SIGFPE = 8,
}

function signalHandler(context: SignalHandlerContext): Uint8Array {
  const a = new Assembler();
  const [uc, info, signal] = [Reg.rdx, Reg.rsi, Reg.rdi];
  const foreign = a.newLabel();
  const exit = a.newLabel();
  load64(a, Reg.rax, uc, Linux.ucRip);
  imm64(a, Reg.rcx, context.codeBase);
  a.rr(Form.cmp64_rm, Reg.rax, Reg.rcx);
  a.jcc(Cond.b, foreign);
  imm64(a, Reg.rcx, context.codeEnd);
  a.rr(Form.cmp64_rm, Reg.rax, Reg.rcx);
  a.jcc(Cond.ae, foreign);

  // Compiled code: r15 is its vm-context. Report, and go on at `exit` with r11 as the exec-context.
  load64(a, Reg.r8, uc, Linux.ucR15);
  load64(a, r11, Reg.r8, VmCtx.exec);
  store64(a, r11, Exec.trapPc, Reg.rax);
  store64(a, r11, Exec.trapCtx, Reg.r8);
  load64(a, Reg.rax, uc, Linux.ucRsp);
  store64(a, r11, Exec.trapSp, Reg.rax);
  load64(a, Reg.rax, info, Linux.siAddr);
  store64(a, r11, Exec.faultAddress, Reg.rax);
  storeImm32(a, r11, Exec.outcome, Outcome.trapped);
  store64(a, uc, Linux.ucR11, r11);
  a.rm(Form.lea64_rm, Reg.rax, LABEL, NO_REG, 0, exit);
  store64(a, uc, Linux.ucRip, Reg.rax);
  a.op0(Form.ret);

  // Another's: to the handler that was there before.
  a.bind(foreign);
  imm64(a, Reg.rcx, context.previous);
  const found = a.newLabel();
  const notBus = a.newLabel();
  a.ri(Form.cmp32_mi, signal, Linux.SIGBUS);
  a.jcc(Cond.ne, notBus);
  a.ri(Form.add64_mi, Reg.rcx, 16);
  a.bind(notBus);
  a.ri(Form.cmp32_mi, signal, Linux.SIGFPE);
  a.jcc(Cond.ne, found);
  a.ri(Form.add64_mi, Reg.rcx, 32);
  a.bind(found);
  load64(a, Reg.rax, Reg.rcx, 0);
  const byDefault = a.newLabel();
  // SIG_DFL is 0, SIG_IGN 1.
  a.ri(Form.cmp64_mi, Reg.rax, 1);
  a.jcc(Cond.be, byDefault);
  a.r(Form.jmp_m, Reg.rax);
  // The default action: set it and return, the fault comes again. A struct of zeros is SIG_DFL without flags.
  a.bind(byDefault);
  a.rr(Form.xor32_rm, Reg.rax, Reg.rax);
  for (let i = 0; i < 4; i++) a.o(Form.push, Reg.rax);
  a.rr(Form.mov64_rm, Reg.rsi, rsp);
  a.rr(Form.xor32_rm, Reg.rdx, Reg.rdx);
  a.movImm32(Reg.r10, 8);
  a.movImm32(Reg.rax, Linux.sysRtSigaction);
  a.op0(Form.syscall);
  a.ri(Form.add64_mi, rsp, 32);
  a.op0(Form.ret);

  a.bind(exit);
  leaveWasm(a, r11);
  return a.finish();
}

export const stubs: RuntimeStubs = {
  target: "amd64",
  architecture: "x64",
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
  flushCode: () => undefined,
};
