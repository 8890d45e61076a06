// Walks the Wasm stack: which functions are running, where in each, entered from JS how often.
//
// A stack pointer and a pc => frames, by the frame sizes in the tables of the code; from one entry to the next outer one by
// way of the stack pointer that its host call left.
import { HANDED_OVER, type CodeTables } from "../ir/code.js";
import { suspendedFrames, type InterpFrame } from "../ir/interp.js";
import type { Module } from "../ir/module.js";
import type { CodePiece } from "./exec-memory.js";
import type { ExecContext } from "./exec-context.js";
import type { Instance } from "./instance.js";
import { addressOf } from "./native-heap.js";
import type { Thread } from "./thread.js";

/** Frames in a backtrace at most. */
export const MAX_FRAMES = 100;
/** How far above its stack pointer a host call's return address is looked for. */
const STUB_FRAME_BYTES = 512;

export interface TrapFrame {
  /** Index in its module's function space. */
  readonly func: number;
  /** From the name section, else `@index`. */
  readonly name: string;
  /** Byte offset in the module of the instruction that trapped, or called the next inner frame; 0 if unknown. */
  readonly offset: number;
  readonly module: Module;
}

/** Wasm frames between one entry from JS and the call or trap that left it, innermost first. */
export interface Activation {
  readonly engine: "native" | "interpreter";
  readonly frames: readonly TrapFrame[];
}

/** The activations that are in a host call or a builtin now: innermost first those of native code, then the interpreter's. */
export function suspendedActivations({ exec, interp }: Thread): Activation[] {
  const activations: Activation[] = [];
  let left = MAX_FRAMES;
  for (let i = exec ? exec.suspended.length - 1 : -1; i >= 0 && left > 0; i--) {
    const frames = framesFromHostCall(exec!, addressOf(exec!.suspended[i]!), left);
    activations.push({ engine: "native", frames });
    left -= frames.length;
  }
  return [...activations, ...interpretedActivations(suspendedFrames(interp, MAX_FRAMES))];
}

/** Frames of the interpreter, innermost first, by the runs they belong to. */
export function interpretedActivations(frames: readonly InterpFrame[]): Activation[] {
  const activations: Activation[] = [];
  let own: TrapFrame[] = [];
  for (const { func, name, offset, env, entered } of frames) {
    const { module } = (env as Instance["env"]).instance;
    own.push({ func, name: name ?? module.funcs[func]?.name ?? `@${func}`, offset, module });
    if (!entered) continue;
    activations.push({ engine: "interpreter", frames: own });
    own = [];
  }
  // Cut before the function that was entered.
  if (own.length > 0) activations.push({ engine: "interpreter", frames: own });
  return activations;
}

function framesFromHostCall(exec: ExecContext, sp: number, limit: number): TrapFrame[] {
  // The stub's frame is its own affair; what it returns to is the first word that is a return address of compiled code.
  for (let at = sp; at < sp + STUB_FRAME_BYTES; at += 8) {
    const pc = exec.stackWord(at);
    const piece = pc === 0 ? undefined : exec.memory.pieceAt(pc);
    if (piece && sourceIndex(piece.code.source, pc - piece.start, true) >= 0) return framesFrom(exec, piece, pc, at + 8, undefined, limit);
  }
  return [];
}

/**
 * From a pc in compiled code outwards, until something else has called.
 * @param offset byte offset of the innermost instruction; without it `pc` is a return address.
 */
export function framesFrom(exec: ExecContext, innermost: CodePiece, pc: number, sp: number, offset: number | undefined, limit: number): TrapFrame[] {
  const frames: TrapFrame[] = [];
  let piece: CodePiece | undefined = innermost;
  while (piece && frames.length < limit) {
    const { code, module } = piece;
    const defined = functionAt(code, pc - piece.start);
    if (defined < 0) break;
    const func = functionIndex(code, defined);
    const at = offset ?? sourceOffset(code.source, pc - piece.start);
    if (at !== HANDED_OVER) frames.push({ func, name: module.funcs[func]?.name ?? `@${func}`, offset: at, module });
    sp += code.frameBytes[defined]!;
    pc = exec.stackWord(sp);
    sp += 8;
    piece = pc === 0 ? undefined : exec.memory.pieceAt(pc);
    offset = undefined;
  }
  return frames;
}

/** Index in the module's function space. */
export function functionIndex(code: CodeTables, defined: number): number {
  return code.funcs?.[defined] ?? code.firstFunc + defined;
}

/** Which defined function the position lies in, or just behind (a return address); -1 if none. Functions are in ascending order, never adjacent. */
export function functionAt(code: CodeTables, position: number): number {
  let low = 0;
  let high = code.start.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (code.start[middle]! <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1 >= 0 && position <= code.start[low - 1]! + code.length[low - 1]! ? low - 1 : -1;
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

/** The Wasm offset of the call that returns to `position`. */
function sourceOffset(source: Int32Array, position: number): number {
  let index = sourceIndex(source, position, true);
  if (index < 0) index = sourceIndex(source, position - 1, false);
  return index < 0 ? 0 : source[index * 2 + 1]!;
}
