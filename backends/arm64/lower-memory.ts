// Loads, stores, globals, bulk memory operations, tables => machine ops.
//
// A store takes in conversions that only drop upper bits, and zero. Bulk operations check their bounds here and then call C functions.
import type { MemoryIndex, TableIndex, Value } from "../../ir/entity.js";
import { Builtin, MemoryHeader, TableHeader, TrapKind, VmCtx } from "../../ir/layout.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { accessBytes } from "../access.js";
import { callBuiltin, callC } from "./lower-builtin.js";
import { loadOf, storeOf } from "./lower-control.js";
import { M, Producer, Shape } from "./mops.js";
import { Cond, Shift } from "./opcodes.js";
import { U, type Selection } from "./selection.js";

const loadOps = new Map<Op, M>([
  [Op.i32_load, M.ldr32], [Op.i64_load, M.ldr64], [Op.f32_load, M.ldrs], [Op.f64_load, M.ldrd],
  [Op.i32_load8_s, M.ldr8s32], [Op.i32_load8_u, M.ldr8u], [Op.i32_load16_s, M.ldr16s32], [Op.i32_load16_u, M.ldr16u],
  [Op.i64_load8_s, M.ldr8s64], [Op.i64_load8_u, M.ldr8u], [Op.i64_load16_s, M.ldr16s64], [Op.i64_load16_u, M.ldr16u],
  [Op.i64_load32_s, M.ldr32s64], [Op.i64_load32_u, M.ldr32],
]);
/** By SSA op; 0 for other ops. */
const loadOp: Uint16Array = Uint16Array.from({ length: Op.count }, (_, op) => loadOps.get(op as Op) ?? 0);

export function lowerLoad(s: Selection, v: Value): void {
  s.address(v, accessBytes[s.fn.op[v]!]!);
  // A load nobody reads is still made: it may trap.
  s.load(loadOp[s.fn.op[v]!]!, s.result());
}

/** The load `x`, which the root takes in, by another machine op of the same size. */
export function lowerExtendingLoad(s: Selection, x: Value, mop: M, d: number): void {
  s.low.merge(x);
  s.address(x, accessBytes[s.fn.op[x]!]!);
  s.load(mop, d);
}

export function lowerGlobalGet(s: Selection, v: Value): void {
  s.globalCell(s.fn.imm[v]!);
  s.load(loadOf(s.fn.type[v]! as Type), s.result());
}

export function lowerGlobalSet(s: Selection, v: Value): void {
  const { fn, low } = s;
  const type = low.module.module.globals[fn.imm[v]!]!.type;
  const x = s.arg(v, 0);
  if (s.isZero(x, 64)) {
    s.globalCell(fn.imm[v]!);
    return s.storeZero(storeOf(type));
  }
  const r = low.reg(x);
  s.globalCell(fn.imm[v]!);
  s.store(storeOf(type), r);
}

// ---------------------------------------------------------------- stores

export function lowerStore(s: Selection, v: Value, op: Op): void {
  const { fn, low } = s;
  const bytes = accessBytes[op]!;
  let x = s.arg(v, 1);
  let mop: M;
  if (op === Op.f32_store || op === Op.f64_store) {
    const double = op === Op.f64_store;
    mop = double ? M.strd : M.strs;
    const bits = fn.op[x] === Op.f32_reinterpret_i32 || fn.op[x] === Op.f64_reinterpret_i64;
    const zero = (fn.op[x] === Op.f32_const || fn.op[x] === Op.f64_const) && fn.imm[x] === 0 && (!double || fn.imm2[x] === 0);
    if (zero) {
      s.address(v, bytes);
      return s.storeZero(double ? M.str64 : M.str32);
    }
    if (bits && low.canMerge(x)) {
      mop = double ? M.str64 : M.str32;
      x = s.narrow(s.arg(x, 0), double ? 64 : 32);
    }
  } else {
    // Only the low bytes are stored.
    x = bytes === 8 ? s.wide(x) : s.low32(x);
    if (bytes < 4 || op === Op.i64_store32) x = withoutUpperBits(s, x, bytes * 8);
    mop = bytes === 1 ? M.str8 : bytes === 2 ? M.str16 : bytes === 4 ? M.str32 : M.str64;
    if (s.isZero(x, bytes === 8 ? 64 : 32)) {
      s.address(v, bytes);
      return s.storeZero(mop);
    }
  }
  const r = low.reg(x);
  s.address(v, bytes);
  s.store(mop, r);
}

/** Behind masks and extensions that leave the low `bits` alone. */
function withoutUpperBits(s: Selection, x: Value, bits: number): Value {
  const { fn, low } = s;
  for (;;) {
    const op = fn.op[x]! as Op;
    let next: Value;
    if (op === Op.i64_extend_i32_u || op === Op.i64_extend_i32_s) next = low.through(x);
    else if ((op === Op.i32_extend8_s || op === Op.i64_extend8_s) && bits === 8) next = low.through(x);
    else if ((op === Op.i32_extend16_s || op === Op.i64_extend16_s) && bits <= 16) next = low.through(x);
    else if ((op === Op.i32_and || op === Op.i64_and) && low.canMerge(x)) {
      const m = s.arg(x, 1);
      if (!s.isConst(m)) return x;
      const mask = bits === 32 ? -1 : (1 << bits) - 1;
      if ((fn.imm[m]! & mask) !== mask) return x;
      next = s.arg(x, 0);
    } else return x;
    x = s.low32(next);
  }
}

// ---------------------------------------------------------------- bulk memory

function memoryHeader(s: Selection, memory: number): number {
  return s.ctxField(s.layout.memory(memory as MemoryIndex));
}

export function lowerMemorySize(s: Selection, v: Value): void {
  const bytes = s.temp(Type.i64);
  s.cell(memoryHeader(s, s.fn.imm[v]!), MemoryHeader.length);
  s.load(M.ldr64, bytes);
  s.shiftImm(Shift.lsr, s.result(), bytes, 16, 64);
}

/** A sum in 64 bits: of two unsigned i32, which cannot overflow, or of an address and one. */
function sum(s: Selection, a: number, b: number): number {
  const d = s.temp(Type.i64);
  s.binaryReg(M.add64, d, a, b);
  return d;
}

function base(s: Selection, memory: number): number {
  const r = s.temp(Type.i64);
  if (memory === 0) s.ctxCell(VmCtx.memory0Base);
  else s.cell(memoryHeader(s, memory), MemoryHeader.base);
  s.load(M.ldr64, r);
  return r;
}

/** memory.fill d, value, n */
export function lowerMemoryFill(s: Selection, v: Value): void {
  const { fn, low } = s;
  const memory = fn.imm[v]!;
  const d = low.reg(s.arg(v, 0));
  const value = low.reg(s.arg(v, 1));
  const n = low.reg(s.arg(v, 2));
  s.trapAbove(sum(s, d, n), memoryHeader(s, memory), MemoryHeader.length, TrapKind.out_of_bounds_memory);
  callC(s, VmCtx.memset, [sum(s, base(s, memory), d), value, n]);
}

/** Constant lengths up to this are copied by loads, then stores. */
const UNROLLED_COPY = 64;

/** memory.copy d, s, n between two memories: imm destination, imm2 source */
export function lowerMemoryCopy(s: Selection, v: Value): void {
  const { fn, low } = s;
  const [to, from] = [fn.imm[v]!, fn.imm2[v]!];
  const length = s.arg(v, 2);
  const d = low.reg(s.arg(v, 0));
  const src = low.reg(s.arg(v, 1));
  const n = low.reg(length);
  s.trapAbove(sum(s, d, n), memoryHeader(s, to), MemoryHeader.length, TrapKind.out_of_bounds_memory);
  s.trapAbove(sum(s, src, n), memoryHeader(s, from), MemoryHeader.length, TrapKind.out_of_bounds_memory);
  const target = sum(s, base(s, to), d);
  const source = sum(s, base(s, from), src);
  if (fn.op[length] === Op.i32_const && fn.imm[length]! >= 0 && fn.imm[length]! <= UNROLLED_COPY) return copyUnrolled(s, target, source, fn.imm[length]!);
  callC(s, VmCtx.memmove, [target, source, n]);
}

/** All loads before all stores, so overlapping does no harm. The last piece may cover bytes of the one before. */
function copyUnrolled(s: Selection, target: number, source: number, length: number): void {
  const pieces: { at: number; store: M; load: M; type: Type }[] = [];
  let at = 0;
  while (at < length) {
    const left = length - at;
    if (left >= 8 || length >= 8) {
      pieces.push({ at: left >= 8 ? at : length - 8, store: M.str64, load: M.ldr64, type: Type.i64 });
      at += 8;
    } else if (left >= 4 || length >= 4) {
      pieces.push({ at: left >= 4 ? at : length - 4, store: M.str32, load: M.ldr32, type: Type.i32 });
      at += 4;
    } else if (left >= 2) {
      pieces.push({ at, store: M.str16, load: M.ldr16u, type: Type.i32 });
      at += 2;
    } else {
      pieces.push({ at, store: M.str8, load: M.ldr8u, type: Type.i32 });
      at += 1;
    }
  }
  const held = pieces.map((piece) => {
    const r = s.temp(piece.type);
    s.cell(source, piece.at);
    s.load(piece.load, r);
    return r;
  });
  pieces.forEach((piece, i) => {
    s.cell(target, piece.at);
    s.store(piece.store, held[i]!);
  });
}

// ---------------------------------------------------------------- tables

/** Address of a table's header. */
function tableHeader(s: Selection, table: number): number {
  return s.ctxField(s.layout.table(table as TableIndex));
}

/** Traps unless index < length of the table; then the memory operand is the element. */
export function tableElement(s: Selection, table: number, index: number, kind: TrapKind, reportIndex: boolean): void {
  const header = tableHeader(s, table);
  const length = s.temp(Type.i32);
  s.cell(header, TableHeader.length);
  s.load(M.ldr32, length);
  s.trapIf(Producer.cmp32, Cond.hs, kind, index, length, reportIndex ? Shape.trapValue : 0);
  if (reportIndex) s.add(index, U.reg);
  const elements = s.temp(Type.i64);
  s.cell(header, TableHeader.base);
  s.load(M.ldr64, elements);
  s.cell(elements, 0);
  s.memIndex = index;
  s.memScale = 3;
}

export function lowerTable(s: Selection, v: Value, op: Op): void {
  const { fn, low } = s;
  switch (op) {
    case Op.table_get:
      tableElement(s, fn.imm[v]!, low.reg(s.arg(v, 0)), TrapKind.out_of_bounds_table, false);
      return s.load(M.ldr64, s.result());
    case Op.table_set: {
      const value = low.reg(s.arg(v, 1));
      tableElement(s, fn.imm[v]!, low.reg(s.arg(v, 0)), TrapKind.out_of_bounds_table, false);
      return s.store(M.str64, value);
    }
    case Op.table_size:
      s.cell(tableHeader(s, fn.imm[v]!), TableHeader.length);
      return s.load(M.ldr32, s.result());
    case Op.table_grow:
      return callBuiltin(s, Builtin.table_grow, [fn.imm[v]!], [s.arg(v, 0), s.arg(v, 1)]);
    case Op.table_fill:
      return callBuiltin(s, Builtin.table_fill, [fn.imm[v]!], [s.arg(v, 0), s.arg(v, 1), s.arg(v, 2)]);
    case Op.table_copy:
      return callBuiltin(s, Builtin.table_copy, [fn.imm[v]!, fn.imm2[v]!], [s.arg(v, 0), s.arg(v, 1), s.arg(v, 2)]);
    case Op.table_init:
      return callBuiltin(s, Builtin.table_init, [fn.imm[v]!, fn.imm2[v]!], [s.arg(v, 0), s.arg(v, 1), s.arg(v, 2)]);
    case Op.elem_drop:
      return callBuiltin(s, Builtin.elem_drop, [fn.imm[v]!], []);
    case Op.memory_grow:
      return callBuiltin(s, Builtin.memory_grow, [fn.imm[v]!], [s.arg(v, 0)]);
    case Op.memory_init:
      return callBuiltin(s, Builtin.memory_init, [fn.imm[v]!, fn.imm2[v]!], [s.arg(v, 0), s.arg(v, 1), s.arg(v, 2)]);
    case Op.data_drop:
      return callBuiltin(s, Builtin.data_drop, [fn.imm[v]!], []);
    default:
      throw new Error(`v${v}: no table op`);
  }
}
