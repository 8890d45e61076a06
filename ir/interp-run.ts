// Executes decoded functions: one loop over instructions of six words, its own frame stack, traps as exceptions.
//
// Frames of all functions, also of other instances, lie one behind the other in the thread's register file; the JS stack grows
// only when a host function calls back into Wasm. Hot ops are written out here, the rest goes through `foldOp`.
// The enum stands in this file because esbuild inlines a `const enum` within a file also where nothing is bundled.
import type { DataIndex, ElemIndex, FuncIndex, GlobalIndex, MemoryIndex, TableIndex, TypeIndex } from "./entity.js";
import { foldOp } from "./fold.js";
import { InterpTrap, RegFile, type InterpCallee, type InterpCode, type InterpEnv, type InterpFrame, type InterpMemory } from "./interp-env.js";
import { PAGE_BYTES, TrapKind } from "./layout.js";
import type { Op } from "./ops.js";

/** Words of an instruction: what, then d, a, b, x, y. d, a, b are first words of slots relative to the frame. */
export const STRIDE = 6;

/** Instructions. Loads and stores in one run each: x is the static offset, y the memory. */
export const enum I {
  /** d <- a, all 64 bits. */
  move,
  /** d <- x, y. */
  const,
  jump,
  br_unless,
  br_table,
  return,
  unreachable,
  call,
  call_indirect,
  /** d <- a or b by slot x. */
  select,
  /** d <- foldOp(x, a). */
  fold1,
  fold2,
  ref_is_null,
  ref_func,
  global_get,
  global_set,
  table_get,
  table_set,
  table_size,
  table_grow,
  memory_size,
  memory_grow,
  elem_drop,
  data_drop,
  /** Operands a, b, d. */
  table_fill,
  table_copy,
  table_init,
  memory_fill,
  memory_copy,
  memory_init,
  load8_s,
  load8_u,
  load16_s,
  load16_u,
  load32,
  load32_s,
  load32_u,
  load64,
  store8,
  store16,
  store32,
  store64,
  i32_add,
  i32_sub,
  i32_mul,
  i32_and,
  i32_or,
  i32_xor,
  i32_shl,
  i32_shr_s,
  i32_shr_u,
  i32_eqz,
  i32_eq,
  i32_ne,
  i32_lt_s,
  i32_lt_u,
  i32_gt_s,
  i32_gt_u,
  i32_le_s,
  i32_le_u,
  i32_ge_s,
  i32_ge_u,
  i64_add,
  i64_sub,
  i64_and,
  i64_or,
  i64_xor,
  f32_add,
  f32_sub,
  f32_mul,
  f32_div,
  f64_add,
  f64_sub,
  f64_mul,
  f64_div,
  f64_lt,
}

/** Bytes accessed by loads and stores, from `I.load8_s`. */
const ACCESS_BYTES = [1, 1, 2, 2, 4, 4, 4, 8, 1, 2, 4, 8];

/** Entering from a host function counts as so many frames: it uses JS stack. */
const NESTED_WEIGHT = 400;

/** Frames kept of a backtrace. */
const MAX_BACKTRACE = 100;

/** One thread of execution. Runs nest through host functions and share it. */
export class InterpThread {
  readonly file = new RegFile();
  /** First free slot: where the arguments of the next `run` go. */
  top = 0;
  /** Frames now, nested entries weighted. */
  depth = 0;
  // Callers' frames, outermost first.
  readonly codes: InterpCode[] = [];
  readonly envs: InterpEnv[] = [];
  readonly pcs: number[] = [];
  /** How many callers' frames there were where each run began that is running now. */
  readonly entries: number[] = [];

  /** @param maxDepth frames until "call stack exhausted" */
  constructor(readonly maxDepth = 100_000) {}
}

/**
 * Calls a function: put its arguments in slots `thread.top`.. of `thread.file` (after `file.ensure`), find the results in the same place.
 * @throws InterpTrap, its frames filled in; whatever a host function threw.
 */
export function run(thread: InterpThread, callee: InterpCallee): void {
  if (callee.kind === "host") return callee.call(thread.file, thread.top);
  const { file, codes, envs, pcs } = thread;
  const { top, depth } = thread;
  const bottom = codes.length;
  const folded = new Int32Array(2);

  let env = callee.env;
  let code = callee.code;
  let C = code.code;
  let pc = 0;
  let base = top;
  // Replaced when the register file grows.
  let R = file.i32;
  let F = file.f32;
  let D = file.f64;
  /** First word of the frame. */
  let w = base * 2;
  let memory0: InterpMemory | undefined;

  try {
    thread.entries.push(bottom);
    thread.depth += NESTED_WEIGHT;
    if (thread.depth > thread.maxDepth || !file.ensure(base + code.frameSlots + code.outSlots)) throw new InterpTrap(TrapKind.stack_exhausted);
    R = file.i32;
    F = file.f32;
    D = file.f64;
    for (;;) {
      const i = C[pc]!;
      const d = w + C[pc + 1]!;
      const a = w + C[pc + 2]!;
      const b = w + C[pc + 3]!;
      if (i >= I.load8_s && i <= I.store64) {
        const index = C[pc + 5]!;
        const memory = index === 0 ? (memory0 ??= env.memory(0 as MemoryIndex)) : env.memory(index as MemoryIndex);
        const { view } = memory;
        const at = (R[a]! >>> 0) + (C[pc + 4]! >>> 0);
        const bytes = ACCESS_BYTES[i - I.load8_s]!;
        if (at + bytes > view.byteLength) throw outOfBounds(bytes, at, index, view.byteLength);
        switch (i) {
          case I.load8_s:
            R[d] = view.getInt8(at);
            R[d + 1] = R[d]! >> 31;
            break;
          case I.load8_u:
            R[d] = view.getUint8(at);
            R[d + 1] = 0;
            break;
          case I.load16_s:
            R[d] = view.getInt16(at, true);
            R[d + 1] = R[d]! >> 31;
            break;
          case I.load16_u:
            R[d] = view.getUint16(at, true);
            R[d + 1] = 0;
            break;
          case I.load32:
            R[d] = view.getInt32(at, true);
            break;
          case I.load32_s:
            R[d] = view.getInt32(at, true);
            R[d + 1] = R[d]! >> 31;
            break;
          case I.load32_u:
            R[d] = view.getInt32(at, true);
            R[d + 1] = 0;
            break;
          case I.load64:
            R[d] = view.getInt32(at, true);
            R[d + 1] = view.getInt32(at + 4, true);
            break;
          case I.store8:
            view.setInt8(at, R[b]!);
            break;
          case I.store16:
            view.setInt16(at, R[b]!, true);
            break;
          case I.store32:
            view.setInt32(at, R[b]!, true);
            break;
          case I.store64:
            view.setInt32(at, R[b]!, true);
            view.setInt32(at + 4, R[b + 1]!, true);
            break;
        }
        pc += STRIDE;
        continue;
      }
      switch (i) {
        case I.move:
          R[d] = R[a]!;
          R[d + 1] = R[a + 1]!;
          break;
        case I.const:
          R[d] = C[pc + 4]!;
          R[d + 1] = C[pc + 5]!;
          break;
        case I.jump:
          pc = C[pc + 4]!;
          continue;
        case I.br_unless:
          if (R[a] !== 0) break;
          pc = C[pc + 4]!;
          continue;
        case I.br_table: {
          const table = code.tables[C[pc + 4]!]!;
          pc = table[Math.min(R[a]! >>> 0, table.length - 1)]!;
          continue;
        }
        case I.return: {
          if (codes.length === bottom) return;
          code = codes.pop()!;
          env = envs.pop()!;
          pc = pcs.pop()!;
          C = code.code;
          base -= code.frameSlots;
          w = base * 2;
          memory0 = undefined;
          thread.depth--;
          break;
        }
        case I.unreachable:
          throw new InterpTrap(TrapKind.unreachable);
        case I.call:
        case I.call_indirect: {
          const x = C[pc + 4]!;
          const target = i === I.call ? env.callee(x as FuncIndex) : env.indirectCallee(x as TypeIndex, C[pc + 5]! as TableIndex, R[a]!);
          const at = base + code.frameSlots;
          if (target.kind === "wasm") {
            const next = target.code;
            if (thread.depth >= thread.maxDepth || !file.ensure(at + next.frameSlots + next.outSlots)) throw new InterpTrap(TrapKind.stack_exhausted);
            thread.depth++;
            codes.push(code);
            envs.push(env);
            pcs.push(pc);
            code = next;
            env = target.env;
            C = code.code;
            pc = 0;
            base = at;
            w = base * 2;
            R = file.i32;
            F = file.f32;
            D = file.f64;
            memory0 = undefined;
            continue;
          }
          // The caller's frame is on the stack for the backtrace of a nested run, and its arguments are out of its way.
          codes.push(code);
          envs.push(env);
          pcs.push(pc);
          thread.top = at + code.outSlots;
          target.call(file, at);
          thread.top = top;
          codes.pop();
          envs.pop();
          pcs.pop();
          R = file.i32;
          F = file.f32;
          D = file.f64;
          memory0 = undefined;
          break;
        }
        case I.select: {
          const from = R[w + C[pc + 4]!] !== 0 ? a : b;
          R[d] = R[from]!;
          R[d + 1] = R[from + 1]!;
          break;
        }
        case I.fold1:
        case I.fold2: {
          const trap = foldOp(C[pc + 4]! as Op, R[a]!, R[a + 1]!, R[b]!, R[b + 1]!, folded);
          if (trap !== 0) throw foldFailed(C[pc + 4]!, trap);
          R[d] = folded[0]!;
          R[d + 1] = folded[1]!;
          break;
        }
        case I.ref_is_null:
          R[d] = (R[a]! | R[a + 1]!) === 0 ? 1 : 0;
          break;
        case I.ref_func:
          env.refFunc(C[pc + 4]! as FuncIndex, file, d >> 1);
          break;
        case I.global_get:
          env.globalGet(C[pc + 4]! as GlobalIndex, file, d >> 1);
          break;
        case I.global_set:
          env.globalSet(C[pc + 4]! as GlobalIndex, file, a >> 1);
          break;
        case I.table_get:
          env.tableGet(C[pc + 4]! as TableIndex, R[a]! >>> 0, file, d >> 1);
          break;
        case I.table_set:
          env.tableSet(C[pc + 4]! as TableIndex, R[a]! >>> 0, file, b >> 1);
          break;
        case I.table_size:
          R[d] = env.tableSize(C[pc + 4]! as TableIndex);
          break;
        case I.table_grow:
          R[d] = env.tableGrow(C[pc + 4]! as TableIndex, R[b]! >>> 0, file, a >> 1);
          break;
        case I.memory_size:
          R[d] = env.memory(C[pc + 4]! as MemoryIndex).view.byteLength / PAGE_BYTES;
          break;
        case I.memory_grow:
          R[d] = env.memoryGrow(C[pc + 4]! as MemoryIndex, R[a]! >>> 0);
          memory0 = undefined;
          break;
        case I.elem_drop:
          env.elemDrop(C[pc + 4]! as ElemIndex);
          break;
        case I.data_drop:
          env.dataDrop(C[pc + 4]! as DataIndex);
          break;
        case I.table_fill:
          env.tableFill(C[pc + 4]! as TableIndex, R[a]! >>> 0, R[d]! >>> 0, file, b >> 1);
          break;
        case I.table_copy:
          env.tableCopy(C[pc + 4]! as TableIndex, C[pc + 5]! as TableIndex, R[a]! >>> 0, R[b]! >>> 0, R[d]! >>> 0);
          break;
        case I.table_init:
          env.tableInit(C[pc + 4]! as ElemIndex, C[pc + 5]! as TableIndex, R[a]! >>> 0, R[b]! >>> 0, R[d]! >>> 0);
          break;
        case I.memory_fill:
          memoryFill(env, C[pc + 4]! as MemoryIndex, R[a]! >>> 0, R[b]! & 0xff, R[d]! >>> 0);
          break;
        case I.memory_copy:
          memoryCopy(env, C[pc + 4]! as MemoryIndex, C[pc + 5]! as MemoryIndex, R[a]! >>> 0, R[b]! >>> 0, R[d]! >>> 0);
          break;
        case I.memory_init:
          env.memoryInit(C[pc + 4]! as DataIndex, C[pc + 5]! as MemoryIndex, R[a]! >>> 0, R[b]! >>> 0, R[d]! >>> 0);
          break;
        case I.i32_add:
          R[d] = R[a]! + R[b]!;
          break;
        case I.i32_sub:
          R[d] = R[a]! - R[b]!;
          break;
        case I.i32_mul:
          R[d] = Math.imul(R[a]!, R[b]!);
          break;
        case I.i32_and:
          R[d] = R[a]! & R[b]!;
          break;
        case I.i32_or:
          R[d] = R[a]! | R[b]!;
          break;
        case I.i32_xor:
          R[d] = R[a]! ^ R[b]!;
          break;
        case I.i32_shl:
          R[d] = R[a]! << R[b]!;
          break;
        case I.i32_shr_s:
          R[d] = R[a]! >> R[b]!;
          break;
        case I.i32_shr_u:
          R[d] = R[a]! >>> R[b]!;
          break;
        case I.i32_eqz:
          R[d] = R[a] === 0 ? 1 : 0;
          break;
        case I.i32_eq:
          R[d] = R[a] === R[b] ? 1 : 0;
          break;
        case I.i32_ne:
          R[d] = R[a] !== R[b] ? 1 : 0;
          break;
        case I.i32_lt_s:
          R[d] = R[a]! < R[b]! ? 1 : 0;
          break;
        case I.i32_lt_u:
          R[d] = R[a]! >>> 0 < R[b]! >>> 0 ? 1 : 0;
          break;
        case I.i32_gt_s:
          R[d] = R[a]! > R[b]! ? 1 : 0;
          break;
        case I.i32_gt_u:
          R[d] = R[a]! >>> 0 > R[b]! >>> 0 ? 1 : 0;
          break;
        case I.i32_le_s:
          R[d] = R[a]! <= R[b]! ? 1 : 0;
          break;
        case I.i32_le_u:
          R[d] = R[a]! >>> 0 <= R[b]! >>> 0 ? 1 : 0;
          break;
        case I.i32_ge_s:
          R[d] = R[a]! >= R[b]! ? 1 : 0;
          break;
        case I.i32_ge_u:
          R[d] = R[a]! >>> 0 >= R[b]! >>> 0 ? 1 : 0;
          break;
        case I.i64_add: {
          const low = (R[a]! >>> 0) + (R[b]! >>> 0);
          R[d + 1] = R[a + 1]! + R[b + 1]! + (low > 0xffffffff ? 1 : 0);
          R[d] = low;
          break;
        }
        case I.i64_sub: {
          const borrow = R[a]! >>> 0 < R[b]! >>> 0 ? 1 : 0;
          R[d + 1] = R[a + 1]! - R[b + 1]! - borrow;
          R[d] = R[a]! - R[b]!;
          break;
        }
        case I.i64_and:
          R[d] = R[a]! & R[b]!;
          R[d + 1] = R[a + 1]! & R[b + 1]!;
          break;
        case I.i64_or:
          R[d] = R[a]! | R[b]!;
          R[d + 1] = R[a + 1]! | R[b + 1]!;
          break;
        case I.i64_xor:
          R[d] = R[a]! ^ R[b]!;
          R[d + 1] = R[a + 1]! ^ R[b + 1]!;
          break;
        case I.f64_lt:
          R[d] = D[a >> 1]! < D[b >> 1]! ? 1 : 0;
          break;
        default: {
          // Float arithmetic: the plain result, unless it is a NaN; then foldOp says which.
          const single = i <= I.f32_div;
          const p = single ? F[a]! : D[a >> 1]!;
          const q = single ? F[b]! : D[b >> 1]!;
          const which = single ? i - I.f32_add : i - I.f64_add;
          const r = which === 0 ? p + q : which === 1 ? p - q : which === 2 ? p * q : p / q;
          if (r !== r) {
            foldOp(code.fn.op[code.origin[pc / STRIDE]!]! as Op, R[a]!, R[a + 1]!, R[b]!, R[b + 1]!, folded);
            R[d] = folded[0]!;
            R[d + 1] = folded[1]!;
          } else if (single) F[d] = r;
          else D[d >> 1] = r;
        }
      }
      pc += STRIDE;
    }
  } catch (error) {
    if (error instanceof InterpTrap && error.frames.length === 0) error.frames = backtrace(thread, code, env, pc);
    throw error;
  } finally {
    thread.entries.pop();
    codes.length = bottom;
    envs.length = bottom;
    pcs.length = bottom;
    thread.top = top;
    thread.depth = depth;
  }
}

function outOfBounds(bytes: number, at: number, memory: number, size: number): InterpTrap {
  return new InterpTrap(TrapKind.out_of_bounds_memory, `${bytes} bytes at ${at} of memory ${memory}, which has ${size}`);
}

function foldFailed(op: number, trap: number): Error {
  return trap > 0 ? new InterpTrap(trap) : new Error(`interpreter: operation ${op} is no arithmetic`);
}

/** Bounds are checked before a byte is written. */
function memoryFill(env: InterpEnv, index: MemoryIndex, dst: number, byte: number, length: number): void {
  const { bytes } = env.memory(index);
  if (dst + length > bytes.length) throw outOfBounds(length, dst, index, bytes.length);
  bytes.fill(byte, dst, dst + length);
}

function memoryCopy(env: InterpEnv, dstIndex: MemoryIndex, srcIndex: MemoryIndex, dst: number, src: number, length: number): void {
  const to = env.memory(dstIndex).bytes;
  const from = env.memory(srcIndex).bytes;
  if (src + length > from.length) throw outOfBounds(length, src, srcIndex, from.length);
  if (dst + length > to.length) throw outOfBounds(length, dst, dstIndex, to.length);
  if (to === from) to.copyWithin(dst, src, src + length);
  else to.set(from.subarray(src, src + length), dst);
}

/** Innermost first. `pc` of the current frame; the callers' are those of their calls. */
function backtrace(thread: InterpThread, code: InterpCode, env: InterpEnv, pc: number): InterpFrame[] {
  const { codes, entries } = thread;
  return [frame(code, env, pc, entries[entries.length - 1] === codes.length), ...suspendedFrames(thread, MAX_BACKTRACE - 1)];
}

/** Frames that are in a call to something else, and their callers, innermost first. */
export function suspendedFrames(thread: InterpThread, limit: number): InterpFrame[] {
  const frames: InterpFrame[] = [];
  const { codes, envs, pcs, entries } = thread;
  for (let i = codes.length - 1; i >= 0 && frames.length < limit; i--) frames.push(frame(codes[i]!, envs[i]!, pcs[i]!, entries.includes(i)));
  return frames;
}

function frame(code: InterpCode, env: InterpEnv, pc: number, entered: boolean): InterpFrame {
  const { fn } = code;
  return { func: fn.index, name: fn.name, env, offset: fn.offset[code.origin[pc / STRIDE]!]!, entered };
}
