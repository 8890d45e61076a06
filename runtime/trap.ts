// Traps as errors: what happened, where in the Wasm module, through which functions.
//
// Native code reports a pc and a stack pointer; the tables of the code object give the rest, backtrace.ts the frames.
import type { CodeTables } from "../ir/code.js";
import type { CanonicalTypeId } from "../ir/entity.js";
import { InterpTrap } from "../ir/interp-env.js";
import { Exec, MAX_FOLD, trapInfo, TrapKind, VmCtx } from "../ir/layout.js";
import { printFuncType, type FuncType } from "../ir/types.js";
import { framesFrom, functionAt, functionIndex, interpretedActivations, MAX_FRAMES, suspendedActivations, type Activation, type TrapFrame } from "./backtrace.js";
import { callIndirectAt } from "./call-site.js";
import type { CodePiece } from "./exec-memory.js";
import type { ExecContext } from "./exec-context.js";
import { holderById } from "./holder.js";
import type { Instance } from "./instance.js";
import { readWord } from "./native-heap.js";
import { LIBRARY_FRAMES, weave } from "./stack-text.js";
import type { Thread } from "./thread.js";
import { RuntimeError } from "./webassembly/errors.js";

export type TrapName = (typeof trapInfo)[number]["name"];

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

  /** @param activations what was running, innermost first. */
  constructor(kind: TrapName, detail: string | undefined, activations: readonly Activation[]) {
    // Those of the engine that trapped: how the two nest in each other only the JS stack knows.
    const backtrace = activations.filter(({ engine }) => engine === activations[0]!.engine).flatMap(({ frames }) => frames);
    const base = trapInfo.find((info) => info.name === kind)!.message;
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(detail === undefined ? base : `${base}${/^\d/.test(detail) ? " " : ": "}${detail}`);
    Error.stackTraceLimit = limit;
    Object.setPrototypeOf(this, kind === "stack_exhausted" ? RangeError.prototype : RuntimeError.prototype);
    // JS frames are formatted when somebody looks, which may be expensive. Those of this library go; the user gets as many as asked for.
    const js: { stack?: unknown } = {};
    if (typeof limit === "number") Error.stackTraceLimit = limit === 0 ? 0 : limit + LIBRARY_FRAMES * (activations.length + 1);
    Error.captureStackTrace(js, Trap);
    Error.stackTraceLimit = limit;
    Object.defineProperties(this, {
      kind: { value: kind },
      backtrace: { value: backtrace },
      functions: { get: () => backtrace.map((frame) => frame.name) },
      wasmOffset: { value: backtrace[0]?.offset ?? 0 },
      stack: { configurable: true, get: () => stackOf(this, js.stack, activations, limit), set: (stack: unknown) => replaceStack(this, stack) },
    });
  }

  static override [Symbol.hasInstance](value: unknown): value is Trap {
    return typeof value === "object" && value !== null && #trap in value;
  }
}

function stackOf(trap: Trap, js: unknown, activations: readonly Activation[], limit: number): unknown {
  // Whatever a program's own `Error.prepareStackTrace` has made of it.
  if (typeof js !== "string") return js;
  let frames = 0;
  // Wasm frames are as many as the backtrace has.
  const lines = weave(js.split("\n").slice(1), activations).filter((line) => line.includes("wasm://wasm/") || frames++ < limit);
  const stack = [`${trap.name}: ${trap.message}`, ...lines].join("\n");
  replaceStack(trap, stack);
  return stack;
}

function replaceStack(trap: Trap, stack: unknown): void {
  Object.defineProperty(trap, "stack", { configurable: true, writable: true, value: stack });
}

/** The interpreter's trap as the library's. */
export function trapOfInterp(trap: InterpTrap, thread: Thread): Trap {
  const suspended = suspendedActivations(thread).filter((activation) => activation.engine === "native");
  return new Trap(trapInfo[trap.kind].name, trap.detail, [...interpretedActivations(trap.frames), ...suspended]);
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
  const frames = piece ? framesFrom(exec, piece, pc, exec.field(Exec.trapSp), site?.offset, MAX_FRAMES) : [];
  const activations: Activation[] = [{ engine: "native", frames }, ...suspendedActivations(exec.thread)];
  return new Trap(trapInfo[kind].name, detailOf(exec, kind, frames[0], fault), activations);
}

function place(piece: CodePiece | undefined, pc: number): string {
  if (!piece) return `0x${pc.toString(16)} (no code of ours)`;
  const defined = functionAt(piece.code, pc - piece.start);
  return `pc +0x${(pc - piece.start - (piece.code.start[defined] ?? 0)).toString(16)} of @${functionIndex(piece.code, defined)}`;
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
