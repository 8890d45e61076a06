// An arm64 processor at this Node's side: a process that qemu-aarch64 runs, which makes the calls and system calls it is told.
//
// It shares an arena of addresses with this process, at the same place in both. So the compiler and the runtime run here, at full speed, and
// compiled code there: its pages, its stack, its faults, its signal handler. The program is written by the project's own assembler.
import { spawn } from "node:child_process";
import { chmodSync, closeSync, mkdtempSync, readSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type * as Koffi from "koffi";
import { Assembler } from "../../backends/arm64/encode.js";
import { Cond, Extend, Form } from "../../backends/arm64/opcodes.js";
import { Reg } from "../../backends/arm64/registers.js";
import { Arena, ARENA, ARENA_BYTES, type Pages } from "./arena.js";

export const QEMU = "qemu-aarch64";
/** ARMv8.0: anything later is an illegal instruction. */
export const CPU = "cortex-a53";

const TEXT = 0x400000;

/** Numbers of the emulated system's calls. */
export const enum Sys {
  rt_sigaction = 134,
  prctl = 167,
  munmap = 215,
  mmap = 222,
  mprotect = 226,
}

/** Of Linux, the same on both sides. */
const enum Linux {
  PROT_READ_WRITE = 3,
  MAP_SHARED = 0x1,
  MAP_FIXED = 0x10,
  MAP_NORESERVE = 0x4000,
  MAP_FIXED_NOREPLACE = 0x100000,
  MADV_REMOVE = 9,
  O_CLOEXEC = 0o2000000,
  MFD_CLOEXEC = 1,
  PR_SET_PDEATHSIG = 1,
  SIGKILL = 9,
}

/** Of a command: code address (0: a system call), six arguments, number of the system call. */
const COMMAND_WORDS = 8;
const MAX_ARGS = 6;
const ARENA_FD = 3;

export class Processor implements Pages {
  /** Addresses for both sides. What is mapped there is always accessible here. */
  readonly arena = new Arena(this);
  /** C functions of the emulated process, by name. */
  readonly symbols: ReadonlyMap<string, number>;
  private readonly commands: number;
  private readonly answers: number;
  private readonly command = new BigInt64Array(COMMAND_WORDS);
  private readonly answer = new BigInt64Array(1);
  private readonly madvise: (at: number, bytes: number, advice: number) => number;

  /** Starts the process; it ends with this one. @throws Error where that cannot be. */
  constructor(libc: Koffi.LibraryHandle) {
    this.madvise = libc.func("madvise", "int", ["uintptr_t", "size_t", "int"]) as Processor["madvise"];
    const must = (result: number, what: string): number => {
      if (result < 0) throw new Error(`${what} failed`);
      return result;
    };
    const arena = must(libc.func("memfd_create", "int", ["str", "int"])("arena", Linux.MFD_CLOEXEC) as number, "memfd_create");
    must(libc.func("ftruncate", "int", ["int", "int64_t"])(arena, ARENA_BYTES) as number, "ftruncate");
    const map = libc.func("mmap", "uintptr_t", ["uintptr_t", "size_t", "int", "int", "int", "int64_t"]);
    const flags = Linux.MAP_SHARED | Linux.MAP_NORESERVE | Linux.MAP_FIXED_NOREPLACE;
    const at = Number(map(ARENA, ARENA_BYTES, Linux.PROT_READ_WRITE, flags, arena, 0));
    if (at !== ARENA) throw new Error(`the arena cannot be mapped at 0x${ARENA.toString(16)}`);

    const pipe2 = libc.func("pipe2", "int", ["void *", "int"]);
    const pipe = (): [number, number] => {
      const ends = new Int32Array(2);
      must(pipe2(ends, Linux.O_CLOEXEC) as number, "pipe2");
      return [ends[0]!, ends[1]!];
    };
    const [[commandsOut, commandsIn], [answersOut, answersIn]] = [pipe(), pipe()];
    const { text, symbols } = program();
    this.symbols = symbols;
    const directory = mkdtempSync(path.join(tmpdir(), "lathe-arm64-"));
    const file = path.join(directory, "processor");
    writeFileSync(file, executable(text));
    chmodSync(file, 0o755);
    const child = spawn(QEMU, ["-cpu", CPU, file], { stdio: [commandsOut, answersIn, "inherit", arena] });
    child.on("error", () => undefined);
    child.unref();
    for (const fd of [commandsOut, answersIn, arena]) closeSync(fd);
    this.commands = commandsIn;
    this.answers = answersOut;
    try {
      this.syscall(Sys.prctl, Linux.PR_SET_PDEATHSIG, Linux.SIGKILL);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }

  /** Calls a C function there. @returns its result. @throws Error when the process has died of it. */
  call(at: number, ...args: readonly (number | bigint)[]): number {
    return this.run(at, 0, args);
  }

  /** A system call there. @returns its result, -errno when it failed. */
  syscall(number: Sys, ...args: readonly (number | bigint)[]): number {
    return this.run(0, number, args);
  }

  private run(at: number, number: number, args: readonly (number | bigint)[]): number {
    const { command, answer } = this;
    if (args.length > MAX_ARGS) throw new Error(`${args.length} arguments are more than ${MAX_ARGS}`);
    command[0] = BigInt(at);
    for (let i = 0; i < MAX_ARGS; i++) command[1 + i] = BigInt(args[i] ?? 0);
    command[7] = BigInt(number);
    let bytes = 0;
    try {
      writeSync(this.commands, command);
      bytes = readSync(this.answers, answer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
    }
    if (bytes !== answer.byteLength) throw new Error("the emulated process has ended");
    return Number(answer[0]);
  }

  map(at: number, bytes: number, protection: number): void {
    const result = this.syscall(Sys.mmap, at, bytes, protection, Linux.MAP_SHARED | Linux.MAP_FIXED, ARENA_FD, at - ARENA);
    if (result !== at) throw new Error(`the emulated system refused to map ${bytes} bytes (${result})`);
  }

  protect(at: number, bytes: number, protection: number): void {
    const result = this.syscall(Sys.mprotect, at, bytes, protection);
    if (result !== 0) throw new Error(`the emulated system refused to protect ${bytes} bytes (${result})`);
  }

  unmap(at: number, bytes: number): void {
    const result = this.syscall(Sys.munmap, at, bytes);
    if (result !== 0) throw new Error(`the emulated system refused to unmap ${bytes} bytes (${result})`);
    if (this.madvise(at, bytes, Linux.MADV_REMOVE) !== 0) throw new Error(`the system refused to empty ${bytes} bytes`);
  }
}

/** The program: reads commands from 0, carries them out, writes results to 1, until there are no more. And C functions. */
function program(): { text: Uint8Array; symbols: ReadonlyMap<string, number> } {
  const a = new Assembler();
  const [bytes, buffer, code] = [8 * COMMAND_WORDS, Reg.x19, Reg.x9];
  const system = (number: number) => {
    a.movImm32(Reg.x8, number);
    a.exception(Form.svc, 0);
  };
  const [next, call, answer, end] = [a.newLabel(), a.newLabel(), a.newLabel(), a.newLabel()];
  a.addImm(Form.sub64_i, Reg.sp, Reg.sp, bytes);
  a.addImm(Form.add64_i, buffer, Reg.sp, 0);
  a.bind(next);
  a.movImm32(Reg.x0, 0);
  a.mov(64, Reg.x1, buffer);
  a.movImm32(Reg.x2, bytes);
  system(63); // read
  a.addImm(Form.subs64_i, Reg.zr, Reg.x0, bytes);
  a.bcond(Cond.ne, end);
  for (let i = 0; i < MAX_ARGS; i++) a.mem(Form.ldr64, Reg.x0 + i, buffer, 8 + 8 * i);
  a.mem(Form.ldr64, Reg.x8, buffer, 56);
  a.mem(Form.ldr64, code, buffer, 0);
  a.cbz(Form.cbnz64, code, call);
  a.exception(Form.svc, 0);
  a.b(answer);
  a.bind(call);
  a.r(Form.blr, code);
  a.bind(answer);
  a.mem(Form.str64, Reg.x0, buffer, 0);
  a.movImm32(Reg.x0, 1);
  a.mov(64, Reg.x1, buffer);
  a.movImm32(Reg.x2, 8);
  system(64); // write
  a.b(next);
  a.bind(end);
  a.movImm32(Reg.x0, 0);
  system(94); // exit_group
  const main = a.finish();

  const parts: [string, Uint8Array][] = [["", main], ["memmove", memmove()], ["memset", memset()]];
  const symbols = new Map<string, number>();
  let length = 0;
  for (const [name, { length: bytes }] of parts) {
    symbols.set(name, TEXT + HEADER_BYTES + length);
    length += bytes;
  }
  const text = new Uint8Array(length);
  for (const [name, code] of parts) text.set(code, symbols.get(name)! - TEXT - HEADER_BYTES);
  return { text, symbols };
}

/** void memmove(d, s, n), a byte at a time: downwards unless d <= s. */
function memmove(): Uint8Array {
  const a = new Assembler();
  const [d, s, n, t, i] = [Reg.x0, Reg.x1, Reg.x2, Reg.x3, Reg.x4];
  const [up, down, upwards, done] = [a.newLabel(), a.newLabel(), a.newLabel(), a.newLabel()];
  a.rrr(Form.subs64_r, Reg.zr, d, s);
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

/** void memset(d, byte, n), a byte at a time. */
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

/** ELF and program header, filled up to a multiple of 16. */
const HEADER_BYTES = 128;

/** A static executable of one segment, readable and executable. */
function executable(text: Uint8Array): Uint8Array {
  const file = new Uint8Array(HEADER_BYTES + text.length);
  const view = new DataView(file.buffer);
  const u64 = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  file.set(text, HEADER_BYTES);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 183, true); // EM_AARCH64
  view.setUint32(20, 1, true);
  u64(24, TEXT + HEADER_BYTES);
  u64(32, 64);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true); // PT_LOAD
  view.setUint32(68, 5, true);
  u64(80, TEXT);
  u64(88, TEXT);
  u64(96, file.length);
  u64(104, file.length);
  u64(112, 65536);
  return file;
}
