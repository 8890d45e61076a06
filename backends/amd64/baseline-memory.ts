// The baseline compiler's accesses on amd64: linear memory, globals, tables, references.
//
//   local.get 0; i32.load offset=8 => mov eax, [r14 + rbx + 8]     what lies outside faults; or, explicitly, behind a comparison with the length
// Bulk operations check their bounds and call C. Relies on baseline-float.ts, on ir/layout.ts for where everything is.
import type { FuncIndex, GlobalIndex, TableIndex } from "../../ir/entity.js";
import { MemoryHeader, TableHeader, TrapKind, VmCtx } from "../../ir/layout.js";
import { FIRST_FLOAT_REG } from "../../ir/machine/mfunc.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { accessBytes } from "../access.js";
import { byOp } from "../baseline/by-op.js";
import { Held } from "../baseline/state.js";
import { BaselineFloat } from "./baseline-float.js";
import { NO_REG } from "./encode.js";
import { scratch } from "./emit-operands.js";
import { Cond } from "./mops.js";
import { Form } from "./opcodes.js";
import { Reg } from "./registers.js";

/** By SSA op of a load: its form. */
const loadForm = byOp([
  [Op.i32_load, Form.mov32_rm], [Op.i64_load, Form.mov64_rm], [Op.f32_load, Form.movss_rm], [Op.f64_load, Form.movsd_rm],
  [Op.i32_load8_s, Form.movsx8_32_rm], [Op.i32_load8_u, Form.movzx8_rm], [Op.i32_load16_s, Form.movsx16_32_rm], [Op.i32_load16_u, Form.movzx16_rm],
  [Op.i64_load8_s, Form.movsx8_64_rm], [Op.i64_load8_u, Form.movzx8_rm], [Op.i64_load16_s, Form.movsx16_64_rm], [Op.i64_load16_u, Form.movzx16_rm],
  [Op.i64_load32_s, Form.movsx32_64_rm], [Op.i64_load32_u, Form.mov32_rm],
]);
/** By SSA op of a store: its form for a register, and for a constant. */
const storeForm = byOp([
  [Op.i32_store, Form.mov32_mr], [Op.i64_store, Form.mov64_mr], [Op.f32_store, Form.movss_mr], [Op.f64_store, Form.movsd_mr],
  [Op.i32_store8, Form.mov8_mr], [Op.i32_store16, Form.mov16_mr], [Op.i64_store8, Form.mov8_mr], [Op.i64_store16, Form.mov16_mr], [Op.i64_store32, Form.mov32_mr],
]);
const storeImmForm = byOp([
  [Op.i32_store, Form.mov32_mi], [Op.i64_store, Form.mov64_mi], [Op.f32_store, Form.mov32_mi], [Op.f64_store, Form.mov64_mi],
  [Op.i32_store8, Form.mov8_mi], [Op.i32_store16, Form.mov16_mi], [Op.i64_store8, Form.mov8_mi], [Op.i64_store16, Form.mov16_mi], [Op.i64_store32, Form.mov32_mi],
]);

export abstract class BaselineMemory extends BaselineFloat {
  // The memory operand last made.
  protected base = NO_REG;
  protected memIndex = NO_REG;
  protected disp = 0;

  override loadMemory(op: Op, displacement: number, offset: number): void {
    const { asm } = this;
    const x = this.pop(1);
    this.address(x, displacement, accessBytes[op]!, offset);
    const home = this.destination(x, NO_REG);
    this.release(x);
    const type: Type = op === Op.f32_load ? Type.f32 : op === Op.f64_load ? Type.f64 : op === Op.i64_load || op >= Op.i64_load8_s ? Type.i64 : Type.i32;
    const d = home >= 0 ? home : this.take(type);
    if (!this.explicitBounds) asm.trap(TrapKind.out_of_bounds_memory, offset);
    if (d >= FIRST_FLOAT_REG && this.avx) asm.vrm(loadForm[op]!, d, this.base, this.memIndex, 0, this.disp);
    else asm.rm(loadForm[op]!, d, this.base, this.memIndex, 0, this.disp);
    this.result(type, d, home >= 0);
  }

  override storeMemory(op: Op, displacement: number, offset: number): void {
    const { asm } = this;
    const x = this.pop(2);
    const y = x + 1;
    const bytes = accessBytes[op]!;
    const lo = this.lo[y]!;
    const isImm = this.held[y] === Held.constant && (bytes < 8 || this.hi[y] === lo >> 31);
    const from = isImm ? NO_REG : this.toReg(y);
    this.address(x, displacement, bytes, offset);
    if (!this.explicitBounds) asm.trap(TrapKind.out_of_bounds_memory, offset);
    if (isImm) asm.mi(storeImmForm[op]!, this.base, this.memIndex, 0, this.disp, bytes === 1 ? (lo << 24) >> 24 : bytes === 2 ? (lo << 16) >> 16 : lo);
    else if (from >= FIRST_FLOAT_REG && this.avx) asm.vrm(storeForm[op]!, from, this.base, this.memIndex, 0, this.disp);
    else asm.rm(storeForm[op]!, from, this.base, this.memIndex, 0, this.disp);
    this.release(x);
    this.release(y);
  }

  /** Makes the memory operand of an access of memory 0 at that entry, with its bounds check where checks are explicit. Uses the scratch register. */
  protected address(entry: number, displacement: number, bytes: number, offset: number): void {
    const { asm } = this;
    this.base = Reg.memoryBase;
    if (this.held[entry] === Held.constant && (this.lo[entry]! >>> 0) + displacement < 0x7fffff00) {
      this.memIndex = NO_REG;
      this.disp = (this.lo[entry]! >>> 0) + displacement;
    } else {
      this.memIndex = this.toReg(entry);
      this.disp = displacement;
    }
    const isFar = displacement >= 0x7fffff00;
    if (this.explicitBounds) {
      // The end of the access, compared with the length.
      const end = this.disp + bytes;
      if (isFar || this.memIndex === NO_REG) {
        asm.movImm64(scratch, end | 0, Math.floor(end / 4294967296));
        if (this.memIndex !== NO_REG) asm.rr(Form.add64_rm, scratch, this.memIndex);
      } else asm.rm(Form.lea64_rm, scratch, this.memIndex, NO_REG, 0, end);
      const header = this.takeInt();
      this.loadFrom(Type.i64, header, Reg.vmctx, this.module.layout.memory(0 as never));
      asm.rm(Form.cmp64_rm, scratch, header, NO_REG, 0, MemoryHeader.length);
      this.free(header);
      this.trapIf(Cond.a, TrapKind.out_of_bounds_memory, offset);
    }
    if (!isFar) return;
    asm.movImm64(scratch, this.disp | 0, 0);
    asm.rr(Form.add64_rm, scratch, this.memIndex);
    this.memIndex = scratch;
    this.disp = 0;
  }

  override memorySize(): void {
    const d = this.takeInt();
    this.loadFrom(Type.i64, d, Reg.vmctx, this.module.layout.memory(0 as never));
    this.loadFrom(Type.i64, d, d, MemoryHeader.length);
    this.asm.ri(Form.shr64_mi, d, 16);
    this.push(Type.i32, d);
  }

  override memoryFill(offset: number): void {
    this.popArguments(3);
    this.checkArea(Reg.rdi, Reg.rdx, offset);
    this.asm.rr(Form.add64_rm, Reg.rdi, Reg.memoryBase);
    this.callContext(VmCtx.memset, offset);
  }

  override memoryCopy(offset: number): void {
    this.popArguments(3);
    this.checkArea(Reg.rdi, Reg.rdx, offset);
    this.checkArea(Reg.rsi, Reg.rdx, offset);
    this.asm.rr(Form.add64_rm, Reg.rdi, Reg.memoryBase);
    this.asm.rr(Form.add64_rm, Reg.rsi, Reg.memoryBase);
    this.callContext(VmCtx.memmove, offset);
  }

  /** Traps unless so many bytes from there lie in memory 0. All registers but those of the arguments are free. */
  protected checkArea(start: number, length: number, offset: number): void {
    const { asm } = this;
    asm.rm(Form.lea64_rm, scratch, start, length, 0, 0);
    this.loadFrom(Type.i64, Reg.rax, Reg.vmctx, this.module.layout.memory(0 as never));
    asm.rm(Form.cmp64_rm, scratch, Reg.rax, NO_REG, 0, MemoryHeader.length);
    this.trapIf(Cond.a, TrapKind.out_of_bounds_memory, offset);
  }

  // ---------------------------------------------------------------- globals, tables, references

  /** Sets `base` and `disp` to a global's cell; `temp` is for the address of an imported one. */
  protected globalCell(index: GlobalIndex, temp: number): void {
    const { module, layout } = this.module;
    this.base = Reg.vmctx;
    this.disp = layout.global(index);
    if (!module.globals[index]!.imported) return;
    this.loadFrom(Type.i64, temp, Reg.vmctx, this.disp);
    this.base = temp;
    this.disp = 0;
  }

  override globalGet(index: GlobalIndex): void {
    const type = this.module.module.globals[index]!.type;
    const home = this.destination(NO_REG, NO_REG);
    const d = home >= 0 ? home : this.take(type);
    this.globalCell(index, scratch);
    this.loadFrom(type, d, this.base, this.disp);
    this.result(type, d, home >= 0);
  }

  override globalSet(index: GlobalIndex): void {
    const type = this.module.module.globals[index]!.type;
    const x = this.pop(1);
    const from = this.toReg(x);
    this.globalCell(index, scratch);
    this.storeTo(type, from, this.base, this.disp);
    this.release(x);
  }

  /** The element of a table, or a trap: sets the memory operand. @returns a register that was taken for it. */
  protected element(table: number, index: number, offset: number): number {
    const { asm } = this;
    const temp = this.takeInt();
    this.loadFrom(Type.i64, temp, Reg.vmctx, this.module.layout.table(table as TableIndex));
    asm.rm(Form.cmp32_rm, index, temp, NO_REG, 0, TableHeader.length);
    this.trapIf(Cond.ae, TrapKind.out_of_bounds_table, offset);
    this.loadFrom(Type.i64, temp, temp, TableHeader.base);
    return temp;
  }

  override tableGet(table: number, offset: number): void {
    const x = this.pop(1);
    const index = this.toReg(x);
    const temp = this.element(table, index, offset);
    this.asm.rm(Form.mov64_rm, temp, temp, index, 3, 0);
    this.release(x);
    this.push(this.module.module.tables[table]!.elem, temp);
  }

  override tableSet(table: number, offset: number): void {
    const x = this.pop(2);
    const index = this.toReg(x);
    const value = this.toReg(x + 1);
    const temp = this.element(table, index, offset);
    this.asm.rm(Form.mov64_mr, value, temp, index, 3, 0);
    this.free(temp);
    this.release(x);
    this.release(x + 1);
  }

  override tableSize(table: number): void {
    const d = this.takeInt();
    this.loadFrom(Type.i64, d, Reg.vmctx, this.module.layout.table(table as TableIndex));
    this.loadFrom(Type.i32, d, d, TableHeader.length);
    this.push(Type.i32, d);
  }

  override refFunc(index: FuncIndex): void {
    const d = this.takeInt();
    this.loadFrom(Type.i64, d, Reg.vmctx, this.module.layout.ref(index));
    this.push(Type.funcref, d);
  }
}
