// The baseline compiler's accesses on arm64: linear memory, globals, tables, references.
//
//   local.get 0; i32.load offset=8 => add x16, x27, #8; ldr w0, [x16, x19]     what lies outside faults; or, explicitly, behind a comparison with the length
// Bulk operations check their bounds and call C. Relies on baseline-float.ts, on ir/layout.ts for where everything is.
import type { GlobalIndex, FuncIndex, TableIndex } from "../../ir/entity.js";
import { MemoryHeader, TableHeader, TrapKind, VmCtx } from "../../ir/layout.js";
import { Op, opInfo } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { accessBytes } from "../access.js";
import { byOp } from "../baseline/by-op.js";
import { Held } from "../baseline/state.js";
import { BaselineFloat } from "./baseline-float.js";
import { access, address, reach, scratch } from "./emit-operands.js";
import { fitsAdd } from "./encode.js";
import { Cond, Extend, Form, Shift } from "./opcodes.js";
import { Reg } from "./registers.js";

const NO_REG = -1;

/** Loads and stores. */
const loadForm = byOp([
  [Op.i32_load, Form.ldr32], [Op.i64_load, Form.ldr64], [Op.f32_load, Form.ldr_s], [Op.f64_load, Form.ldr_d],
  [Op.i32_load8_s, Form.ldrsb32], [Op.i32_load8_u, Form.ldrb], [Op.i32_load16_s, Form.ldrsh32], [Op.i32_load16_u, Form.ldrh],
  [Op.i64_load8_s, Form.ldrsb64], [Op.i64_load8_u, Form.ldrb], [Op.i64_load16_s, Form.ldrsh64], [Op.i64_load16_u, Form.ldrh],
  [Op.i64_load32_s, Form.ldrsw], [Op.i64_load32_u, Form.ldr32],
]);
const storeForm = byOp([
  [Op.i32_store, Form.str32], [Op.i64_store, Form.str64], [Op.f32_store, Form.str_s], [Op.f64_store, Form.str_d], [Op.i32_store8, Form.strb],
  [Op.i32_store16, Form.strh], [Op.i64_store8, Form.strb], [Op.i64_store16, Form.strh], [Op.i64_store32, Form.str32],
]);

export abstract class BaselineMemory extends BaselineFloat {
  // The index (-1: none) and displacement of the access of memory 0 last made.
  protected memIndex = NO_REG;
  protected disp = 0;

  override loadMemory(op: Op, displacement: number, offset: number): void {
    const type = opInfo[op]!.result as Type;
    this.address(this.pop(1), displacement, accessBytes[op]!, offset);
    const d = this.define(type, 1);
    access(this.asm, loadForm[op]!, d, Reg.memoryBase, this.memIndex, 0, this.disp, this.fault(), offset);
    this.result(type, d);
  }

  override storeMemory(op: Op, displacement: number, offset: number): void {
    const x = this.pop(2);
    const y = x + 1;
    const isZero = this.held[y] === Held.constant && this.isZero(y);
    const from = isZero ? Reg.zr : this.toReg(y);
    const form = isZero && op === Op.f32_store ? Form.str32 : isZero && op === Op.f64_store ? Form.str64 : storeForm[op]!;
    this.address(x, displacement, accessBytes[op]!, offset);
    access(this.asm, form, from, Reg.memoryBase, this.memIndex, 0, this.disp, this.fault(), offset);
    this.release(x);
    this.release(y);
  }

  protected fault(): TrapKind {
    return this.explicitBounds ? TrapKind.none : TrapKind.out_of_bounds_memory;
  }

  /** Makes the memory operand of an access of memory 0 at that entry, with its bounds check where checks are explicit. Changes x16 and x17. */
  protected address(entry: number, displacement: number, bytes: number, offset: number): void {
    const { asm } = this;
    const isConstant = this.held[entry] === Held.constant;
    this.memIndex = isConstant ? NO_REG : this.toReg(entry);
    this.disp = displacement + (isConstant ? this.lo[entry]! >>> 0 : 0);
    if (!this.explicitBounds) return;
    const end = this.disp + bytes;
    if (isConstant || !fitsAdd(end)) {
      asm.movImm64(scratch, end | 0, Math.floor(end / 4294967296));
      if (!isConstant) asm.rrr(Form.add64_r, scratch, scratch, this.memIndex);
    } else asm.addImm(Form.add64_i, scratch, this.memIndex, end);
    this.trapBehindMemory(offset);
  }

  /** Traps where the scratch register is more than the length of memory 0. Changes x17. */
  protected trapBehindMemory(offset: number): void {
    const { asm } = this;
    this.memoryLength(address);
    asm.rrr(Form.subs64_r, Reg.zr, scratch, address);
    this.trapIf(Cond.hi, TrapKind.out_of_bounds_memory, offset);
  }

  /** In bytes. */
  protected memoryLength(d: number): void {
    reach(this.asm, Form.ldr64, d, Reg.vmctx, this.module.layout.memory(0 as never));
    this.asm.mem(Form.ldr64, d, d, MemoryHeader.length);
  }

  override memorySize(): void {
    const d = this.takeInt();
    this.memoryLength(d);
    this.shiftBy(Shift.lsr, d, d, 16, true);
    this.push(Type.i32, d);
  }

  override memoryFill(offset: number): void {
    this.popArguments(3);
    this.checkArea(Reg.x0, offset);
    this.asm.rrr(Form.add64_r, Reg.x0, Reg.x0, Reg.memoryBase);
    this.callContext(VmCtx.memset, offset);
  }

  override memoryCopy(offset: number): void {
    this.popArguments(3);
    this.checkArea(Reg.x0, offset);
    this.checkArea(Reg.x1, offset);
    this.asm.rrr(Form.add64_r, Reg.x0, Reg.x0, Reg.memoryBase);
    this.asm.rrr(Form.add64_r, Reg.x1, Reg.x1, Reg.memoryBase);
    this.callContext(VmCtx.memmove, offset);
  }

  /** Traps unless as many bytes as x2 says lie in memory 0 from there on. */
  protected checkArea(start: number, offset: number): void {
    this.asm.rrr(Form.add64_r, scratch, start, Reg.x2);
    this.trapBehindMemory(offset);
  }

  // ---------------------------------------------------------------- globals, tables, references

  override globalGet(index: GlobalIndex): void {
    const { module, layout } = this.module;
    const { type, imported } = module.globals[index]!;
    const d = this.define(type, 0);
    if (imported) reach(this.asm, Form.ldr64, address, Reg.vmctx, layout.global(index));
    this.loadFrom(type, d, imported ? address : Reg.vmctx, imported ? 0 : layout.global(index));
    this.result(type, d);
  }

  override globalSet(index: GlobalIndex): void {
    const { module, layout } = this.module;
    const { type, imported } = module.globals[index]!;
    const x = this.pop(1);
    const from = this.held[x] === Held.constant && this.isZero(x) ? Reg.zr : this.toReg(x);
    if (imported) reach(this.asm, Form.ldr64, address, Reg.vmctx, layout.global(index));
    this.storeTo(type, from, imported ? address : Reg.vmctx, imported ? 0 : layout.global(index));
    this.release(x);
  }

  /** The elements of a table in the register, or a trap where it has none of that index. */
  protected elements(table: number, index: number, into: number, offset: number): void {
    const { asm } = this;
    reach(asm, Form.ldr64, into, Reg.vmctx, this.module.layout.table(table as TableIndex));
    asm.mem(Form.ldr32, scratch, into, TableHeader.length);
    asm.rrr(Form.subs32_r, Reg.zr, index, scratch);
    this.trapIf(Cond.hs, TrapKind.out_of_bounds_table, offset);
    asm.mem(Form.ldr64, into, into, TableHeader.base);
  }

  override tableGet(table: number, offset: number): void {
    const x = this.pop(1);
    const index = this.toReg(x);
    const d = this.takeInt();
    this.elements(table, index, d, offset);
    this.asm.memIndex(Form.ldr64, d, d, index, Extend.uxtw, true);
    this.release(x);
    this.push(this.module.module.tables[table]!.elem, d);
  }

  override tableSet(table: number, offset: number): void {
    const x = this.pop(2);
    const index = this.toReg(x);
    const value = this.intOrZero(x + 1);
    this.elements(table, index, address, offset);
    this.asm.memIndex(Form.str64, value, address, index, Extend.uxtw, true);
    this.release(x);
    this.release(x + 1);
  }

  override tableSize(table: number): void {
    const d = this.takeInt();
    reach(this.asm, Form.ldr64, d, Reg.vmctx, this.module.layout.table(table as TableIndex));
    this.asm.mem(Form.ldr32, d, d, TableHeader.length);
    this.push(Type.i32, d);
  }

  override refFunc(index: FuncIndex): void {
    const d = this.takeInt();
    reach(this.asm, Form.ldr64, d, Reg.vmctx, this.module.layout.ref(index));
    this.push(Type.funcref, d);
  }
}
