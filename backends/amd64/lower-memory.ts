// Loads, stores, globals, bulk memory operations, tables => machine ops.
//
// A store takes in what it stores where x86 has a form for it: constants, conversions that only drop upper bits, and
// `load op x` at the same address (`add [m],x`). Bulk operations check their bounds here and then call C
// functions; those of small constant length are done in place.
import type { MemoryIndex, TableIndex, Value } from "../../ir/entity.js";
import { Builtin, MemoryHeader, TableHeader, TrapKind, VmCtx } from "../../ir/layout.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { accessBytes } from "../access.js";
import { callBuiltin, callC } from "./lower-builtin.js";
import { storeOf } from "./lower-control.js";
import { Cond, Consumer, Form, M, Producer, Shape, compareOp } from "./mops.js";
import { Take, U, type Selection } from "./selection.js";

const loadOps = new Map<Op, M>([
  [Op.i32_load, M.mov32], [Op.i64_load, M.mov64], [Op.f32_load, M.movss], [Op.f64_load, M.movsd],
  [Op.i32_load8_s, M.movsx8_32], [Op.i32_load8_u, M.movzx8], [Op.i32_load16_s, M.movsx16_32], [Op.i32_load16_u, M.movzx16],
  [Op.i64_load8_s, M.movsx8_64], [Op.i64_load8_u, M.movzx8], [Op.i64_load16_s, M.movsx16_64], [Op.i64_load16_u, M.movzx16],
  [Op.i64_load32_s, M.movsx32_64], [Op.i64_load32_u, M.mov32],
]);
/** By SSA op; 0 for other ops. */
const loadOp: Uint16Array = Uint16Array.from({ length: Op.count }, (_, op) => loadOps.get(op as Op) ?? 0);

export function lowerLoad(s: Selection, v: Value): void {
  s.memoryOf(v);
  // A load nobody reads is still made: it may trap.
  s.load(loadOp[s.fn.op[v]!]!, s.result());
}

export function lowerGlobalGet(s: Selection, v: Value): void {
  s.globalCell(s.fn.imm[v]!);
  s.load(storeOf(s.fn.type[v]! as Type), s.result());
}

export function lowerGlobalSet(s: Selection, v: Value): void {
  const { fn, low } = s;
  const type = low.module.module.globals[fn.imm[v]!]!.type;
  const x = s.arg(v, 0);
  if (type === Type.i32 || type === Type.i64) {
    const update = readModifyWrite(s, v, x, type === Type.i32 ? 32 : 64);
    if (update !== 0) return emitUpdate(s, update);
  }
  const constant = s.fn.op[x];
  if (constant === Op.i32_const || constant === Op.i64_const || constant === Op.f32_const) {
    if (constant !== Op.i64_const || s.isConst64AsImm(x)) {
      s.globalCell(fn.imm[v]!);
      return s.storeImm(constant === Op.i64_const ? M.mov64 : M.mov32, fn.imm[x]!);
    }
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
  if (op === Op.f32_store || op === Op.f64_store) return storeFloat(s, v, x, op === Op.f64_store);
  // Only the low bytes are stored.
  x = bytes === 8 ? s.wide(x) : s.low32(x);
  if (bytes < 4 || op === Op.i64_store32) x = withoutUpperBits(s, x, bytes * 8);
  const mop = bytes === 1 ? M.mov8 : bytes === 2 ? M.mov16 : bytes === 4 ? M.mov32 : M.mov64;
  const constant = fn.op[x];
  if (constant === Op.i32_const || (constant === Op.i64_const && (bytes < 8 || s.isConst64AsImm(x)))) {
    if (bytes < 8 || constant === Op.i64_const || fn.imm[x]! >= 0) {
      s.address(v, bytes);
      return s.storeImm(mop, bytes === 1 ? (fn.imm[x]! << 24) >> 24 : bytes === 2 ? (fn.imm[x]! << 16) >> 16 : fn.imm[x]!);
    }
  }
  if (op === Op.i32_store || op === Op.i64_store) {
    const update = readModifyWrite(s, v, x, bytes === 4 ? 32 : 64);
    if (update !== 0) return emitUpdate(s, update);
  }
  const r = low.reg(x);
  s.address(v, bytes);
  s.store(mop, r);
}

/** Behind masks and extensions that leave the low `bits` alone. */
function withoutUpperBits(s: Selection, x: Value, bits: number): Value {
  const { fn, low } = s;
  // A few steps: a chain with many users would be walked again for each.
  for (let steps = 0; steps < 4; steps++) {
    const op = fn.op[x]! as Op;
    let next: Value;
    if (op === Op.i64_extend_i32_u || op === Op.i64_extend_i32_s) next = low.through(x);
    else if ((op === Op.i32_extend8_s || op === Op.i64_extend8_s) && bits === 8) next = low.through(x);
    else if ((op === Op.i32_extend16_s || op === Op.i64_extend16_s) && bits <= 16) next = low.through(x);
    else if ((op === Op.i32_and || op === Op.i64_and) && low.canMerge(x)) {
      const m = s.arg(x, 1);
      if (fn.op[m] !== Op.i32_const && fn.op[m] !== Op.i64_const) return x;
      const mask = bits === 32 ? -1 : (1 << bits) - 1;
      if ((fn.imm[m]! & mask) !== mask) return x;
      next = s.arg(x, 0);
    } else return x;
    x = s.low32(next);
  }
  return x;
}

function storeFloat(s: Selection, v: Value, x: Value, double: boolean): void {
  const { fn, low } = s;
  const op = fn.op[x];
  const bytes = double ? 8 : 4;
  if (op === Op.f32_const || (op === Op.f64_const && fn.imm2[x] === fn.imm[x]! >> 31)) {
    s.address(v, bytes);
    return s.storeImm(double ? M.mov64 : M.mov32, fn.imm[x]!);
  }
  if ((op === Op.f32_reinterpret_i32 || op === Op.f64_reinterpret_i64) && low.canMerge(x)) {
    const r = double ? s.regWide(s.arg(x, 0)) : s.regLow32(s.arg(x, 0));
    s.address(v, bytes);
    return s.store(double ? M.mov64 : M.mov32, r);
  }
  const r = low.reg(x);
  s.address(v, bytes);
  s.store(double ? M.movsd : M.movss, r);
}

/**
 * If the stored `x` is `load op y` with the load from where the root stores, seen by nobody else: sets the memory operand and the
 * right-hand operand and returns the machine op, else 0.
 */
function readModifyWrite(s: Selection, root: Value, x: Value, bits: 32 | 64): number {
  const { fn, low } = s;
  const wide = bits === 64 ? 1 : 0;
  let mop: number;
  switch (fn.op[x]! as Op) {
    case bits === 32 ? Op.i32_add : Op.i64_add: mop = M.add32; break;
    case bits === 32 ? Op.i32_sub : Op.i64_sub: mop = M.sub32; break;
    case bits === 32 ? Op.i32_and : Op.i64_and: mop = M.and32; break;
    case bits === 32 ? Op.i32_or : Op.i64_or: mop = M.or32; break;
    case bits === 32 ? Op.i32_xor : Op.i64_xor: mop = M.xor32; break;
    default: return 0;
  }
  if (!low.canMerge(x)) return 0;
  let load = s.arg(x, 0);
  let y = s.arg(x, 1);
  if (!readsWhereRootWrites(s, root, load) || !low.canMerge(load)) {
    if (mop === M.sub32) return 0;
    [load, y] = [y, load];
    if (!readsWhereRootWrites(s, root, load) || !low.canMerge(load)) return 0;
  }
  // The register or immediate first: the memory operand must be the last one made.
  s.operand(y, bits, Take.imm);
  low.merge(load);
  if (fn.op[root] === Op.global_set) s.globalCell(fn.imm[root]!);
  else s.address(root, bits / 8);
  if (s.memOffset !== 0) s.memOffset = fn.offset[load]!;
  return mop + wide;
}

function readsWhereRootWrites(s: Selection, root: Value, load: Value): boolean {
  const { fn } = s;
  if (fn.op[root] === Op.global_set) return fn.op[load] === Op.global_get && fn.imm[load] === fn.imm[root];
  const same = fn.op[root] === Op.i32_store ? Op.i32_load : Op.i64_load;
  return fn.op[load] === same && fn.imm[load] === fn.imm[root] && fn.imm2[load] === fn.imm2[root] && s.arg(load, 0) === s.arg(root, 0);
}

function emitUpdate(s: Selection, mop: number): void {
  const immediate = s.rhsForm === Form.ri;
  s.inst(mop, immediate ? s.rhsImm : 0, s.memDisp, (immediate ? Form.mi : Form.mr) | s.memShape());
  if (!immediate) s.add(s.rhsReg, U.reg);
  s.addMem();
}

// ---------------------------------------------------------------- bulk memory

function memoryHeader(s: Selection, memory: number): number {
  return s.ctxField(s.layout.memory(memory as MemoryIndex));
}

export function lowerMemorySize(s: Selection, v: Value): void {
  const bytes = s.temp(Type.i64);
  s.cell(memoryHeader(s, s.fn.imm[v]!), MemoryHeader.length);
  s.load(M.mov64, bytes);
  s.binaryImm(M.shr64, s.result(), bytes, 16);
}

/** An i32 that is an unsigned number, in 64 bits: the sum of two of them, which cannot overflow. */
function sum(s: Selection, a: number, b: number): number {
  const d = s.temp(Type.i64);
  s.lea(M.lea64, d, a, b, 0, 0);
  return d;
}

function base(s: Selection, memory: number): number {
  const r = s.temp(Type.i64);
  if (memory === 0) s.ctxCell(VmCtx.memory0Base);
  else s.cell(memoryHeader(s, memory), MemoryHeader.base);
  s.load(M.mov64, r);
  return r;
}

/** Constant lengths up to this are done by loads and stores in place. */
const UNROLLED = 64;

/** memory.fill d, value, n */
export function lowerMemoryFill(s: Selection, v: Value): void {
  const { fn, low } = s;
  const memory = fn.imm[v]!;
  const length = s.arg(v, 2);
  const byte = s.arg(v, 1);
  const d = low.reg(s.arg(v, 0));
  if (isSmall(s, length) && fn.op[byte] === Op.i32_const) return fillUnrolled(s, areaOf(s, v, memory, d, fn.imm[length]!), fn.imm[byte]! & 0xff, fn.imm[length]!);
  const value = low.reg(byte);
  const n = low.reg(length);
  s.trapAbove(sum(s, d, n), memoryHeader(s, memory), MemoryHeader.length, TrapKind.out_of_bounds_memory, 64);
  callC(s, VmCtx.memset, [sum(s, base(s, memory), d), value, n]);
}

/** memory.copy d, s, n between two memories: imm destination, imm2 source */
export function lowerMemoryCopy(s: Selection, v: Value): void {
  const { fn, low } = s;
  const [to, from] = [fn.imm[v]!, fn.imm2[v]!];
  const length = s.arg(v, 2);
  const d = low.reg(s.arg(v, 0));
  const src = low.reg(s.arg(v, 1));
  if (isSmall(s, length)) {
    const target = areaOf(s, v, to, d, fn.imm[length]!);
    return copyUnrolled(s, target, areaOf(s, v, from, src, fn.imm[length]!), fn.imm[length]!);
  }
  const n = low.reg(length);
  s.trapAbove(sum(s, d, n), memoryHeader(s, to), MemoryHeader.length, TrapKind.out_of_bounds_memory, 64);
  s.trapAbove(sum(s, src, n), memoryHeader(s, from), MemoryHeader.length, TrapKind.out_of_bounds_memory, 64);
  const target = sum(s, base(s, to), d);
  callC(s, VmCtx.memmove, [target, sum(s, base(s, from), src), n]);
}

function isSmall(s: Selection, length: Value): boolean {
  return s.fn.op[length] === Op.i32_const && s.fn.imm[length]! > 0 && s.fn.imm[length]! <= UNROLLED;
}

/** Sets the memory operand to byte `at` of an area of memory. */
type Area = (at: number) => void;

/**
 * `length` bytes of a memory from `address`. With guards the accesses themselves trap: the last byte must be accessed before
 * anything is written. Else the bounds are checked here.
 */
function areaOf(s: Selection, v: Value, memory: number, address: number, length: number): Area {
  if (!s.explicitBounds && memory === 0) return (at) => s.memoryAt(address, at, s.fn.offset[v]!);
  const end = s.temp(Type.i64);
  s.lea(M.lea64, end, address, -1, 0, length);
  s.trapAbove(end, memoryHeader(s, memory), MemoryHeader.length, TrapKind.out_of_bounds_memory, 64);
  const start = sum(s, base(s, memory), address);
  return (at) => s.cell(start, at);
}

interface Piece {
  readonly at: number;
  readonly store: M;
  readonly load: M;
  readonly type: Type;
}

/** Pieces that cover `length` bytes, ascending; the last may cover bytes of the one before. */
function piecesOf(length: number): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  while (at < length) {
    const left = length - at;
    if (length >= 8) {
      pieces.push({ at: Math.min(at, length - 8), store: M.mov64, load: M.mov64, type: Type.i64 });
      at += 8;
    } else if (length >= 4) {
      pieces.push({ at: Math.min(at, length - 4), store: M.mov32, load: M.mov32, type: Type.i32 });
      at += 4;
    } else if (left >= 2) {
      pieces.push({ at, store: M.mov16, load: M.movzx16, type: Type.i32 });
      at += 2;
    } else {
      pieces.push({ at, store: M.mov8, load: M.movzx8, type: Type.i32 });
      at += 1;
    }
  }
  return pieces;
}

/** All loads before all stores, so overlapping does no harm; the last piece is stored first, so a trap leaves nothing behind. */
function copyUnrolled(s: Selection, target: Area, source: Area, length: number): void {
  const pieces = piecesOf(length);
  const held = pieces.map((piece) => {
    const r = s.temp(piece.type);
    source(piece.at);
    s.load(piece.load, r);
    return r;
  });
  for (let i = pieces.length - 1; i >= 0; i--) {
    target(pieces[i]!.at);
    s.store(pieces[i]!.store, held[i]!);
  }
}

function fillUnrolled(s: Selection, target: Area, byte: number, length: number): void {
  const word = Math.imul(byte, 0x01010101);
  const pieces = piecesOf(length);
  // As a 64-bit immediate only what is its low half sign-extended: all zeros, all ones.
  const held = length >= 8 && byte !== 0 && byte !== 0xff ? s.const64(word, word) : -1;
  for (let i = pieces.length - 1; i >= 0; i--) {
    const { at, store } = pieces[i]!;
    target(at);
    if (held !== -1 && store === M.mov64) s.store(store, held);
    else s.storeImm(store, store === M.mov16 ? (word << 16) >> 16 : store === M.mov8 ? (word << 24) >> 24 : word);
  }
}

// ---------------------------------------------------------------- tables

/** Address of a table's header. */
function tableHeader(s: Selection, table: number): number {
  return s.ctxField(s.layout.table(table as TableIndex));
}

/** Traps unless index < length of the table; then the memory operand is the element. */
export function tableElement(s: Selection, table: number, index: number, kind: TrapKind, reportIndex: boolean): void {
  const header = tableHeader(s, table);
  s.cell(header, TableHeader.length);
  s.inst(
    compareOp(Producer.cmp32, Consumer.trap), 0, s.memDisp,
    Form.rm | s.memShape() | (Cond.ae << Shape.condShift) | (kind << Shape.trapShift) | (reportIndex ? Shape.trapValue : 0),
  );
  s.add(index, U.reg);
  s.addMem();
  if (reportIndex) s.add(index, U.reg);
  const elements = s.temp(Type.i64);
  s.cell(header, TableHeader.base);
  s.load(M.mov64, elements);
  s.cell(elements, 0);
  s.memIndex = index;
  s.memScale = 3;
}

export function lowerTable(s: Selection, v: Value, op: Op): void {
  const { fn, low } = s;
  switch (op) {
    case Op.table_get:
      tableElement(s, fn.imm[v]!, low.reg(s.arg(v, 0)), TrapKind.out_of_bounds_table, false);
      return s.load(M.mov64, s.result());
    case Op.table_set: {
      const value = low.reg(s.arg(v, 1));
      tableElement(s, fn.imm[v]!, low.reg(s.arg(v, 0)), TrapKind.out_of_bounds_table, false);
      return s.store(M.mov64, value);
    }
    case Op.table_size:
      s.cell(tableHeader(s, fn.imm[v]!), TableHeader.length);
      return s.load(M.mov32, s.result());
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

