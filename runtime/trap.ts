// Traps as errors: what happened, where in the Wasm module, through which functions.
//
// Native code reports a pc and a stack pointer; the tables of the code object give the rest. The Wasm stack is walked by
// frame sizes, from one entry to the next outer one by way of the stack pointer its host call left.
import type { CodeTables } from "../ir/code.js";
import type { CanonicalTypeId } from "../ir/entity.js";
import { InterpTrap } from "../ir/interp-env.js";
import { Exec, MAX_FOLD, trapInfo, TrapKind, VmCtx } from "../ir/layout.js";
import type { Module } from "../ir/module.js";
import { printFuncType, type FuncType } from "../ir/types.js";
import { callIndirectAt } from "./call-site.js";
import type { CodePiece } from "./exec-memory.js";
import type { ExecContext } from "./exec-context.js";
import { holderById } from "./holder.js";
import type { Instance } from "./instance.js";
import { addressOf, readWord } from "./native-heap.js";
import { RuntimeError } from "./webassembly/errors.js";

/** Frames in a backtrace at most. */
const MAX_FRAMES = 100;
/** How far above its stack pointer a host call's return address is looked for. */
const STUB_FRAME_BYTES = 512;

export type TrapName = (typeof trapInfo)[number]["name"];

export interface TrapFrame {
  /** Index in its module's function space. */
  readonly func: number;
  /** From the name section, else `@index`. */
  readonly name: string;
  /** Byte offset in the module of the instruction that trapped, or called the next inner frame; 0 if unknown. */
  readonly offset: number;
  readonly module: Module;
}

/**
 * A trap of Wasm code. `message` begins with the reference test suite's message for its kind.
 *
 * To programs it is what the JS API says: a RuntimeError, or for an exhausted stack the RangeError that JavaScript has for
 * its own; the prototype is theirs. What is known beyond that are further properties, and `instanceof Trap` goes by a mark.
 */
export class Trap extends Error {
  readonly #trap = true;
  declare readonly kind: TrapName;
  /** Innermost first; at most 100. */
  declare readonly backtrace: readonly TrapFrame[];
  /** Names of the functions in `backtrace`. */
  declare readonly functions: readonly string[];
  /** Byte offset of the trapping instruction in its module, 0 if unknown. */
  declare readonly wasmOffset: number;

  constructor(kind: TrapName, detail: string | undefined, backtrace: readonly TrapFrame[]) {
    const base = trapInfo.find((info) => info.name === kind)!.message;
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(detail === undefined ? base : `${base}${/^\d/.test(detail) ? " " : ": "}${detail}`);
    Error.stackTraceLimit = limit;
    Object.setPrototypeOf(this, kind === "stack_exhausted" ? RangeError.prototype : RuntimeError.prototype);
    // JS frames are formatted when somebody looks, which may be expensive.
    const js: { stack?: string } = {};
    Error.captureStackTrace(js, Trap);
    Object.defineProperties(this, {
      kind: { value: kind },
      backtrace: { value: backtrace },
      functions: { get: () => backtrace.map((frame) => frame.name) },
      wasmOffset: { value: backtrace[0]?.offset ?? 0 },
      stack: { configurable: true, get: () => stackOf(this, js.stack ?? ""), set: (stack: unknown) => replaceStack(this, stack) },
    });
  }

  static override [Symbol.hasInstance](value: unknown): value is Trap {
    return typeof value === "object" && value !== null && #trap in value;
  }
}

function stackOf(trap: Trap, js: string): string {
  const wasm = trap.backtrace.map((frame) => `    at wasm ${frame.name} (offset 0x${frame.offset.toString(16)})`);
  return [`${trap.name}: ${trap.message}`, ...wasm, ...js.split("\n").slice(1)].join("\n");
}

function replaceStack(trap: Trap, stack: unknown): void {
  Object.defineProperty(trap, "stack", { configurable: true, writable: true, value: stack });
}

/** The interpreter's trap as the library's. */
export function trapOfInterp(trap: InterpTrap): Trap {
  const frames = trap.frames.slice(0, MAX_FRAMES).map((frame): TrapFrame => {
    const { module } = (frame.env as Instance["env"]).instance;
    return { func: frame.func, name: frame.name ?? module.funcs[frame.func]?.name ?? `@${frame.func}`, offset: frame.offset, module };
  });
  return new Trap(trapInfo[trap.kind].name, trap.detail, frames);
}

/** The trap that native code has just ended with. Clears the report. */
export function reportTrap(exec: ExecContext): Error {
  const pc = exec.field(Exec.trapPc);
  const fault = exec.field(Exec.faultAddress);
  let kind = exec.i32[Exec.trapKind / 4]! as TrapKind;
  exec.i32[Exec.trapKind / 4] = TrapKind.none;
  exec.i32.fill(0, Exec.faultAddress / 4, Exec.faultAddress / 4 + 2);
  const piece = exec.memory.pieceAt(pc);
  const site = piece ? trapSite(piece.code, pc - piece.start) : undefined;
  if (kind === TrapKind.none) {
    if (!site) return new Error(`compiler bug: a fault at ${place(piece, pc)}, address 0x${fault.toString(16)}, where no trap is expected`);
    kind = site.kind;
  }
  const frames: TrapFrame[] = [];
  if (piece) walk(exec, frames, piece, pc, exec.field(Exec.trapSp), site?.offset);
  walkSuspended(exec, frames);
  return new Trap(trapInfo[kind].name, detailOf(exec, kind, frames[0], fault), frames);
}

/** The backtrace of the code that is in a host call or a builtin now. */
export function currentBacktrace(exec: ExecContext): TrapFrame[] {
  const frames: TrapFrame[] = [];
  walkSuspended(exec, frames);
  return frames;
}

function walkSuspended(exec: ExecContext, frames: TrapFrame[]): void {
  for (let i = exec.suspended.length - 1; i >= 0 && frames.length < MAX_FRAMES; i--) walkFromHostCall(exec, frames, addressOf(exec.suspended[i]!));
}

function walkFromHostCall(exec: ExecContext, frames: TrapFrame[], sp: number): void {
  // The stub's frame is its own affair; what it returns to is the first word that is a return address of compiled code.
  for (let at = sp; at < sp + STUB_FRAME_BYTES; at += 8) {
    const pc = exec.stackWord(at);
    const piece = pc === 0 ? undefined : exec.memory.pieceAt(pc);
    if (!piece || sourceIndex(piece.code.source, pc - piece.start, true) < 0) continue;
    walk(exec, frames, piece, pc, at + 8, undefined);
    return;
  }
}

/** From a pc in compiled code outwards, until something else has called. */
function walk(exec: ExecContext, frames: TrapFrame[], piece: CodePiece | undefined, pc: number, sp: number, offset: number | undefined): void {
  let returned = offset === undefined;
  while (piece && frames.length < MAX_FRAMES) {
    const { code, module } = piece;
    const defined = functionAt(code, pc - piece.start);
    if (defined < 0) return;
    const func = functionIndex(code, defined);
    const at = offset ?? sourceOffset(code.source, pc - piece.start, returned);
    frames.push({ func, name: module.funcs[func]?.name ?? `@${func}`, offset: at, module });
    sp += code.frameBytes[defined]!;
    pc = exec.stackWord(sp);
    sp += 8;
    piece = pc === 0 ? undefined : exec.memory.pieceAt(pc);
    offset = undefined;
    returned = true;
  }
}

function place(piece: CodePiece | undefined, pc: number): string {
  if (!piece) return `0x${pc.toString(16)} (no code of ours)`;
  const defined = functionAt(piece.code, pc - piece.start);
  return `pc +0x${(pc - piece.start - (piece.code.start[defined] ?? 0)).toString(16)} of @${functionIndex(piece.code, defined)}`;
}

/** Index in the module's function space. */
function functionIndex(code: CodeTables, defined: number): number {
  return code.funcs?.[defined] ?? code.firstFunc + defined;
}

/** Which defined function the position lies in, or just behind (a return address); -1 if none. Functions are in ascending order, never adjacent. */
function functionAt(code: CodeTables, position: number): number {
  let low = 0;
  let high = code.start.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (code.start[middle]! <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1 >= 0 && position <= code.start[low - 1]! + code.length[low - 1]! ? low - 1 : -1;
}

function trapSite(code: CodeTables, position: number): { kind: TrapKind; offset: number } | undefined {
  const { traps } = code;
  let low = 0;
  let high = traps.length / 3;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (traps[middle * 3]! < position) low = middle + 1;
    else high = middle;
  }
  return traps[low * 3] === position ? { kind: traps[low * 3 + 1]!, offset: traps[low * 3 + 2]! } : undefined;
}

/** Index of the last pair whose pc is at most `position`; with `exact`, of the first that equals it. -1 if none. */
function sourceIndex(source: Int32Array, position: number, exact: boolean): number {
  let low = 0;
  let high = source.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const pc = source[middle * 2]!;
    if (exact ? pc < position : pc <= position) low = middle + 1;
    else high = middle;
  }
  if (!exact) return low - 1;
  return source[low * 2] === position ? low : -1;
}

function sourceOffset(source: Int32Array, position: number, returned: boolean): number {
  let index = returned ? sourceIndex(source, position, true) : -1;
  if (index < 0) index = sourceIndex(source, position - (returned ? 1 : 0), false);
  return index < 0 ? 0 : source[index * 2 + 1]!;
}

/** What more than its kind can be said about a trap of native code. */
function detailOf(exec: ExecContext, kind: TrapKind, frame: TrapFrame | undefined, fault: number): string | undefined {
  const { heap } = exec.thread;
  const ctx = exec.field(Exec.trapCtx);
  if (ctx === 0 || !frame || !exec.thread.current) return undefined;
  const instance = holderById(exec.thread.current, heap.readU32(ctx + VmCtx.instance))?.instance;
  if (!instance || instance.module !== frame.module) return undefined;
  if (kind === TrapKind.out_of_bounds_memory) {
    const memory = instance.memories.find((m) => m.guards && fault >= m.base - MAX_FOLD && fault < m.base + 2 ** 33 + 65536);
    // Below the base: an address that wrapped (see MAX_GROWN_PAGES).
    return memory && `address ${fault - memory.base + (fault < memory.base ? 2 ** 32 : 0)} of a memory of ${memory.byteLength} bytes`;
  }
  if (kind !== TrapKind.undefined_element && kind !== TrapKind.uninitialized_element && kind !== TrapKind.indirect_call_type_mismatch) return undefined;
  const call = callIndirectAt(frame.module.bytes, frame.offset);
  // A null that faulted left its index in no place that can be read.
  if (!call || fault !== 0) return undefined;
  return indirectDetail(instance, kind, call.sig, call.table, heap.readU32(ctx + VmCtx.trapValue));
}

/** Says which element of which table failed, and for a mismatch both signatures. */
export function indirectDetail(instance: Instance, kind: TrapKind, sig: FuncType | undefined, tableIndex: number, element: number): string {
  const table = instance.tables[tableIndex];
  const where = `${element} of table ${tableIndex}`;
  if (!table || kind === TrapKind.uninitialized_element) return where;
  if (kind === TrapKind.undefined_element) return `${where}, which has ${table.length}`;
  const { store } = instance;
  const record = element < table.length ? readWord(table.words, element * 2) : 0;
  const found = record === 0 ? undefined : store.typeOf(store.typeOfRecord(record) as CanonicalTypeId);
  return `the call expects ${sig ? printFuncType(sig) : "one type"}, element ${where} has ${found ? printFuncType(found) : "another type"}`;
}
