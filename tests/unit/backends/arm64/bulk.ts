// Runs compiled arm64 functions in bulk: natively made code + a list of calls => one static ELF file, run by qemu-aarch64.
//
// The file holds the module's code, the target's own stubs, a vm-context filled after ir/layout.ts, and a driver of some fifty
// instructions that makes the calls one after the other through the entry stubs and writes what came of each. Faults are
// the signal handler's, so a trap ends a call and not the process. `Call` and `Outcome` are raw bits. The processor is a
// Cortex-A53: ARMv8.0, so that anything later is an illegal instruction.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Assembler } from "../../../../backends/arm64/encode.js";
import { Cond, Extend, Form } from "../../../../backends/arm64/opcodes.js";
import { Reg } from "../../../../backends/arm64/registers.js";
import { arm64 } from "../../../../backends/arm64/target.js";
import type { ModuleCode } from "../../../../ir/code.js";
import { Exec, EXEC_BYTES, FuncRef, MemoryHeader, PAGE_BYTES, SLOT_BYTES, STACK_RESERVE, TableHeader, TrapKind, VmCtx, type VmLayout } from "../../../../ir/layout.js";
import type { MemoryIndex, TableIndex } from "../../../../ir/entity.js";
import type { Module } from "../../../../ir/module.js";
import { funcTypeKey, type FuncType } from "../../../../ir/types.js";

const QEMU = "qemu-aarch64";

export interface Call {
  readonly func: number;
  readonly args: readonly bigint[];
}

export interface Outcome {
  readonly trap: TrapKind;
  /** Wasm byte offset of the trap. */
  readonly offset: number;
  /** Functions the trap went through, innermost first, where they were asked for. */
  readonly frames: readonly number[];
  readonly results: readonly bigint[];
}

export interface Program {
  readonly module: Module;
  readonly layout: VmLayout;
  readonly code: ModuleCode;
  /** Of memory 0, as it is at the start. */
  readonly memory?: Uint8Array;
  /** Bits of own globals at the start. */
  readonly globals?: readonly bigint[];
  /** Function indices of table 0, -1 where null. */
  readonly table?: readonly number[];
  /** Bring the stacks of traps along. */
  readonly backtraces?: boolean;
}

export function hasEmulator(): boolean {
  return !spawnSync(QEMU, ["--version"]).error;
}

// Where things are. Nothing follows the memory within 8 GiB, so accesses beyond it fault.
const TEXT = 0x400000;
const DATA = 0x10000000;
const STACK = 0x60000000;
const STACK_BYTES = 1 << 20;
const MEMORY = 0x100000000;
/** Of a call, with the most arguments or results that any has. */
const callBytes = (values: number): number => 16 + 8 * values;
/** Of the stack at a trap, for the backtrace. */
const STACK_WORDS = 128;
const outBytes = (values: number): number => 32 + 8 * values;

const enum Sys {
  write = 64,
  exit = 93,
  sigaltstack = 132,
  rt_sigaction = 134,
}

const SIGBUS = 7;
const SIGSEGV = 11;
const SA_SIGINFO_ONSTACK = 0x08000004;

function roundUp(n: number, to: number): number {
  return Math.ceil(n / to) * to;
}

/** Bytes with words written at known offsets. */
class Image {
  bytes = new Uint8Array(1 << 16);
  length = 0;
  private view = new DataView(this.bytes.buffer);

  reserve(count: number, align = 16): number {
    const at = roundUp(this.length, align);
    this.length = at + count;
    if (this.length > this.bytes.length) {
      const bigger = new Uint8Array(this.length * 2);
      bigger.set(this.bytes);
      this.bytes = bigger;
      this.view = new DataView(bigger.buffer);
    }
    return at;
  }
  put(bytes: Uint8Array, align = 16): number {
    const at = this.reserve(bytes.length, align);
    this.bytes.set(bytes, at);
    return at;
  }
  u32(at: number, value: number): void {
    this.view.setUint32(at, value >>> 0, true);
  }
  u64(at: number, value: number | bigint): void {
    this.view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
  }
}

function imm(a: Assembler, d: number, value: number): void {
  a.movImm64(d, value | 0, Math.floor(value / 4294967296));
}

interface Places {
  exec: number;
  calls: number;
  count: number;
  out: number;
  action: number;
  alternateStack: number;
  stackWords: number;
  /** Places for arguments, and for results. */
  values: number;
}

/** void memmove(d, s, n), void memset(d, byte, n), a byte at a time. */
function memmove(): Uint8Array {
  const a = new Assembler();
  const [d, s, n, t, i] = [Reg.x0, Reg.x1, Reg.x2, Reg.x3, Reg.x4];
  const [up, down, done] = [a.newLabel(), a.newLabel(), a.newLabel()];
  a.rrr(Form.subs64_r, Reg.zr, d, s);
  const upwards = a.newLabel();
  a.bcond(Cond.ls, upwards);
  a.bind(down);
  a.cbz(Form.cbz64, n, done);
  a.addImm(Form.sub64_i, n, n, 1);
  a.memIndex(Form.ldrb, t, s, n, Extend.uxtx, false);
  a.memIndex(Form.strb, t, d, n, Extend.uxtx, false);
  a.b(down);
  a.bind(upwards);
  a.movImm32(i, 0);
  a.bind(up);
  a.rrr(Form.subs64_r, Reg.zr, i, n);
  a.bcond(Cond.hs, done);
  a.memIndex(Form.ldrb, t, s, i, Extend.uxtx, false);
  a.memIndex(Form.strb, t, d, i, Extend.uxtx, false);
  a.addImm(Form.add64_i, i, i, 1);
  a.b(up);
  a.bind(done);
  a.r(Form.ret, Reg.link);
  return a.finish();
}

function memset(): Uint8Array {
  const a = new Assembler();
  const [d, byte, n] = [Reg.x0, Reg.x1, Reg.x2];
  const [next, done] = [a.newLabel(), a.newLabel()];
  a.bind(next);
  a.cbz(Form.cbz64, n, done);
  a.addImm(Form.sub64_i, n, n, 1);
  a.memIndex(Form.strb, byte, d, n, Extend.uxtx, false);
  a.b(next);
  a.bind(done);
  a.r(Form.ret, Reg.link);
  return a.finish();
}

function driver(p: Places): Uint8Array {
  const a = new Assembler();
  const call = (number: number, ...args: number[]) => {
    args.forEach((value, i) => imm(a, i, value));
    a.movImm32(Reg.x8, number);
    a.exception(Form.svc, 0);
  };
  call(Sys.sigaltstack, p.alternateStack, 0);
  for (const signal of [SIGSEGV, SIGBUS]) call(Sys.rt_sigaction, signal, p.action, 0, 8);

  const [exec, at, left, out, t] = [Reg.x20, Reg.x21, Reg.x22, Reg.x23, Reg.x9];
  imm(a, exec, p.exec);
  imm(a, at, p.calls);
  imm(a, left, p.count);
  imm(a, out, p.out);
  const [next, done] = [a.newLabel(), a.newLabel()];
  a.bind(next);
  a.cbz(Form.cbz64, left, done);
  for (let i = 0; i < p.values; i++) {
    a.mem(Form.ldr64, t, at, 16 + 8 * i);
    a.mem(Form.str64, t, exec, Exec.slots + SLOT_BYTES * i);
  }
  a.mem(Form.ldr64, t, at, 0);
  a.mem(Form.str64, t, exec, Exec.entryCode);
  a.mem(Form.ldr64, t, at, 8);
  a.r(Form.blr, t);
  a.mem(Form.ldr64, t, exec, Exec.trapKind);
  a.mem(Form.str64, t, out, 0);
  a.mem(Form.ldr64, t, exec, Exec.trapPc);
  a.mem(Form.str64, t, out, 8);
  a.mem(Form.ldr64, t, exec, Exec.trapSp);
  a.mem(Form.str64, t, out, 16);
  for (let i = 0; i < p.values; i++) {
    a.mem(Form.ldr64, t, exec, Exec.slots + SLOT_BYTES * i);
    a.mem(Form.str64, t, out, 32 + 8 * i);
  }
  // The stack from the trap's stack pointer - 8 on, if one trapped; at a fixed place, the last trap's stays.
  const noTrap = a.newLabel();
  a.mem(Form.ldr32, t, exec, Exec.outcome);
  a.cbz(Form.cbz32, t, noTrap);
  a.mem(Form.ldr64, t, exec, Exec.trapSp);
  imm(a, Reg.x12, outBytes(p.values));
  a.rrr(Form.add64_r, Reg.x13, out, Reg.x12);
  imm(a, Reg.x10, STACK + STACK_BYTES);
  imm(a, Reg.x11, p.stackWords);
  a.addImm(Form.sub64_i, t, t, 8);
  const [copy, copied] = [a.newLabel(), a.newLabel()];
  a.bind(copy);
  a.cbz(Form.cbz64, Reg.x11, copied);
  a.rrr(Form.subs64_r, Reg.zr, t, Reg.x10);
  a.bcond(Cond.hs, copied);
  a.mem(Form.ldr64, Reg.x12, t, 0);
  a.mem(Form.str64, Reg.x12, Reg.x13, 0);
  a.addImm(Form.add64_i, t, t, 8);
  a.addImm(Form.add64_i, Reg.x13, Reg.x13, 8);
  a.addImm(Form.sub64_i, Reg.x11, Reg.x11, 1);
  a.b(copy);
  a.bind(copied);
  a.bind(noTrap);
  a.addImm(Form.add64_i, at, at, callBytes(p.values));
  imm(a, t, outBytes(p.values) + 8 * p.stackWords);
  a.rrr(Form.add64_r, out, out, t);
  a.addImm(Form.sub64_i, left, left, 1);
  a.b(next);
  a.bind(done);

  // write(1, ...) until all is out.
  imm(a, at, p.out);
  const [more, end] = [a.newLabel(), a.newLabel()];
  a.bind(more);
  a.rrr(Form.subs64_r, left, out, at);
  a.bcond(Cond.ls, end);
  a.movImm32(Reg.x0, 1);
  a.mov(64, Reg.x1, at);
  a.mov(64, Reg.x2, left);
  a.movImm32(Reg.x8, Sys.write);
  a.exception(Form.svc, 0);
  a.rrr(Form.add64_r, at, at, Reg.x0);
  a.b(more);
  a.bind(end);
  call(Sys.exit, 0);
  return a.finish();
}

/** All calls, in order; memory and globals keep what earlier ones left. Throws if the emulated process dies. */
export function runBulk(program: Program, calls: readonly Call[]): Outcome[] {
  const { module, layout, code } = program;
  const { stubs } = arm64;
  const sigOf = (func: number): FuncType => module.types[module.funcs[func]!.type]!;
  const values = calls.reduce((most, { func, args }) => Math.max(most, args.length, sigOf(func).results.length), 1);
  const data = new Image();
  const exec = data.reserve(EXEC_BYTES);
  const ctx = data.reserve(layout.bytes);
  const memoryHeader = data.reserve(MemoryHeader.bytes);
  const tableHeader = data.reserve(TableHeader.bytes);
  const table = program.table ?? [];
  const elements = data.reserve(8 * table.length);
  const funcRefs = data.reserve(FuncRef.bytes * module.funcs.length);
  const action = data.reserve(32);
  const alternateStack = data.reserve(24);
  const signalStack = data.reserve(1 << 16);
  const calledAt = data.reserve(calls.length * callBytes(values));
  const previous = data.reserve(64);
  const filled = data.length;
  const stackWords = program.backtraces ? STACK_WORDS : 0;
  const outStride = outBytes(values) + 8 * stackWords;
  const out = roundUp(filled, 64);
  const dataBytes = out + outStride * calls.length;
  if (DATA + dataBytes > STACK) throw new Error(`${calls.length} calls are too many for one run`);

  // ---- code: stubs have no relocations, but some hold addresses ----
  const text = new Image();
  text.reserve(4096);
  const start = text.put(driver({ exec: DATA + exec, calls: DATA + calledAt, count: calls.length, out: DATA + out, action: DATA + action, alternateStack: DATA + alternateStack, stackWords, values }));
  const trapExit = text.put(stubs.trapExit());
  const builtin = text.put(stubs.builtin());
  const move = text.put(memmove());
  const set = text.put(memset());
  const entries = new Map<string, number>();
  const entryOf = (sig: FuncType): number => {
    const key = funcTypeKey(sig);
    let at = entries.get(key);
    if (at === undefined) entries.set(key, (at = text.put(stubs.entry(sig, BigInt(DATA + exec)))));
    return at;
  };
  for (const { func } of calls) entryOf(sigOf(func));
  const blob = text.put(code.bytes);
  const handler = text.put(stubs.signalHandler({ codeBase: BigInt(TEXT + blob), codeEnd: BigInt(TEXT + blob + code.bytes.length), previous: BigInt(DATA + previous) }));
  const codeOf = (func: number): number => TEXT + blob + code.start[func - code.firstFunc]!;

  // ---- data ----
  data.u64(exec + Exec.wasmSp, STACK + STACK_BYTES);
  data.u64(exec + Exec.entryCtx, DATA + ctx);
  data.u64(ctx + VmCtx.exec, DATA + exec);
  data.u64(ctx + VmCtx.stackLimit, STACK + STACK_RESERVE);
  data.u64(ctx + VmCtx.memory0Base, MEMORY);
  data.u64(ctx + VmCtx.trapExit, TEXT + trapExit);
  data.u64(ctx + VmCtx.builtin, TEXT + builtin);
  data.u64(ctx + VmCtx.memmove, TEXT + move);
  data.u64(ctx + VmCtx.memset, TEXT + set);
  const memoryBytes = (module.memories[0]?.limits.min ?? 0) * PAGE_BYTES;
  data.u64(memoryHeader + MemoryHeader.base, MEMORY);
  data.u64(memoryHeader + MemoryHeader.length, memoryBytes);
  if (module.memories.length > 0) data.u64(ctx + layout.memory(0 as MemoryIndex), DATA + memoryHeader);
  // Canonical type ids: the first type that is the same, plus 1.
  const keys = module.types.map(funcTypeKey);
  const typeId = (type: number) => keys.indexOf(keys[type]!) + 1;
  module.types.forEach((_, type) => data.u32(ctx + layout.typeId(type as never), typeId(type)));
  program.globals?.forEach((bits, i) => data.u64(ctx + layout.global(i as never), bits));
  module.funcs.forEach((f, func) => {
    const at = funcRefs + FuncRef.bytes * func;
    if (f.imported) return;
    data.u64(at + FuncRef.code, codeOf(func));
    data.u64(at + FuncRef.ctx, DATA + ctx);
    data.u32(at + FuncRef.typeId, typeId(f.type));
    data.u32(at + FuncRef.id, func);
  });
  for (const func of layout.refFuncs) data.u64(ctx + layout.ref(func), DATA + funcRefs + FuncRef.bytes * func);
  data.u64(tableHeader + TableHeader.base, DATA + elements);
  data.u32(tableHeader + TableHeader.length, table.length);
  table.forEach((func, i) => data.u64(elements + 8 * i, func < 0 ? 0 : DATA + funcRefs + FuncRef.bytes * func));
  if (module.tables.length > 0) data.u64(ctx + layout.table(0 as TableIndex), DATA + tableHeader);
  // struct sigaction: handler, flags, restorer, mask; stack_t: base, flags, size.
  data.u64(action, TEXT + handler);
  data.u64(action + 8, SA_SIGINFO_ONSTACK);
  data.u64(alternateStack, DATA + signalStack);
  data.u64(alternateStack + 16, 1 << 16);
  calls.forEach(({ func, args }, n) => {
    const at = calledAt + n * callBytes(values);
    data.u64(at, codeOf(func));
    data.u64(at + 8, TEXT + entryOf(sigOf(func)));
    args.forEach((bits, i) => data.u64(at + 16 + 8 * i, bits));
  });

  const output = execute(elf(start, text, data, dataBytes, memoryBytes, program.memory));
  if (output.length !== outStride * calls.length) throw new Error(`the emulated process wrote ${output.length} bytes instead of ${outStride * calls.length}`);
  return calls.map(({ func }, n) => {
    const at = n * outStride;
    const word = (offset: number) => output.readBigUInt64LE(at + offset);
    const state = word(0);
    const results = sigOf(func).results.map((_, i) => word(32 + 8 * i));
    if (state >> 32n === 0n) return { trap: TrapKind.none, offset: 0, frames: [], results };
    const pc = Number(word(8)) - (TEXT + blob);
    const site = siteAt(code.traps, pc);
    let trap = Number(state & 0xffffffffn) as TrapKind;
    if (trap === TrapKind.none) {
      if (site < 0) throw new Error(`@${func}: a trap at ${pc}, where none is expected`);
      trap = code.traps[site + 1]!;
    }
    const stack = (address: number) => output.readBigUInt64LE(at + outBytes(values) + (address - (Number(word(16)) - 8)));
    return { trap, offset: site < 0 ? 0 : code.traps[site + 2]!, frames: program.backtraces ? backtrace(code, pc, Number(word(16)), TEXT + blob, stack) : [], results: [] };
  });
}

function siteAt(traps: Int32Array, pc: number): number {
  for (let i = 0; i < traps.length; i += 3) if (traps[i] === pc) return i;
  return -1;
}

/** As the runtime walks: by frame sizes. */
function backtrace(code: ModuleCode, pc: number, sp: number, base: number, stack: (address: number) => bigint): number[] {
  const frames: number[] = [];
  const top = sp + 8 * (STACK_WORDS - 2);
  for (;;) {
    const defined = code.start.findIndex((start, i) => pc >= start && pc <= start + code.length[i]!);
    if (defined < 0 || frames.length > 50) return frames;
    frames.push(code.firstFunc + defined);
    sp += code.frameBytes[defined]!;
    if (sp >= top) return frames;
    pc = Number(stack(sp)) - base;
    sp += 8;
  }
}

/** A static executable of four segments. Loaded by the kernel's rules: offsets and addresses agree modulo the page. */
function elf(start: number, text: Image, data: Image, dataBytes: number, memoryBytes: number, memory: Uint8Array | undefined): Uint8Array {
  const page = 65536;
  const dataAt = roundUp(text.length, page);
  const memoryAt = roundUp(dataAt + data.length, page);
  const file = new Uint8Array(memoryAt + (memory?.length ?? 0));
  file.set(text.bytes.subarray(0, text.length));
  file.set(data.bytes.subarray(0, data.length), dataAt);
  if (memory) file.set(memory, memoryAt);
  const view = new DataView(file.buffer);
  const u64 = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 183, true); // EM_AARCH64
  view.setUint32(20, 1, true);
  u64(24, TEXT + start);
  u64(32, 64);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  const segments = [
    { flags: 5, offset: 0, address: TEXT, inFile: text.length, bytes: text.length },
    { flags: 6, offset: dataAt, address: DATA, inFile: data.length, bytes: dataBytes },
    { flags: 6, offset: 0, address: STACK, inFile: 0, bytes: STACK_BYTES },
    { flags: 6, offset: memoryAt, address: MEMORY, inFile: memory?.length ?? 0, bytes: memoryBytes },
  ].filter((segment) => segment.bytes > 0);
  view.setUint16(56, segments.length, true);
  segments.forEach(({ flags, offset, address, inFile, bytes }, i) => {
    const at = 64 + 56 * i;
    view.setUint32(at, 1, true); // PT_LOAD
    view.setUint32(at + 4, flags, true);
    u64(at + 8, offset);
    u64(at + 16, address);
    u64(at + 24, address);
    u64(at + 32, inFile);
    u64(at + 40, bytes);
    u64(at + 48, page);
  });
  return file;
}

function execute(file: Uint8Array): Buffer {
  const dir = mkdtempSync(join(tmpdir(), "lathe-arm64-"));
  try {
    const path = join(dir, "bulk");
    writeFileSync(path, file);
    chmodSync(path, 0o755);
    const result = spawnSync(QEMU, ["-cpu", "cortex-a53", path], { maxBuffer: 1 << 30 });
    if (result.status !== 0) throw new Error(`${QEMU} ended with ${result.signal ?? result.status}: ${result.stderr.toString()}`);
    return result.stdout;
  } finally {
    rmSync(dir, { recursive: true });
  }
}
