// The baseline compiler's plain code on amd64: moves, the frame, branches, calls, and what stands out of line.
//
// r11 and xmm15 are the scratch registers. Nothing here that moves a value changes flags: zero is a `mov`, never an `xor`.
// Relies on backends/baseline for what is where.
import { HANDED_OVER } from "../../ir/code.js";
import type { FuncIndex, TableIndex, TypeIndex } from "../../ir/entity.js";
import { Exec, FuncRef, ImportedFunc, TableHeader, TrapKind, VmCtx } from "../../ir/layout.js";
import { FIRST_FLOAT_REG } from "../../ir/machine/mfunc.js";
import { Type } from "../../ir/types.js";
import { BaselineCompiler } from "../baseline/compiler.js";
import { Later } from "../baseline/out-of-line.js";
import { Held } from "../baseline/state.js";
import type { CodegenModule, CodegenOptions } from "../target.js";
import { Assembler, LABEL, NO_REG } from "./encode.js";
import { RETURN_BYTES, fscratch, scratch } from "./emit-operands.js";
import { Cond, invert } from "./mops.js";
import { Form } from "./opcodes.js";
import { Reg, registers } from "./registers.js";

export abstract class BaselineFrame extends BaselineCompiler {
  protected readonly asm = new Assembler(2000, 400);
  protected readonly avx: boolean;
  protected readonly explicitBounds: boolean;
  private readonly tables: { readonly table: number; readonly labels: Int32Array }[] = [];

  constructor(
    module: CodegenModule,
    protected readonly options: CodegenOptions,
  ) {
    super(module, registers, RETURN_BYTES);
    this.avx = options.features.has("avx");
    this.explicitBounds = options.bounds === "explicit";
  }

  protected override beginCode(): void {
    this.asm.reset();
    this.forgetRows();
    this.tables.length = 0;
  }

  // ---- moves ----

  protected override move(type: Type, to: number, from: number): void {
    if (to < FIRST_FLOAT_REG) this.asm.rr(type === Type.i32 ? Form.mov32_rm : Form.mov64_rm, to, from);
    else this.f2(Form.movaps_rm, to, from);
  }

  protected override load(type: Type, to: number, offset: number): void {
    this.loadFrom(type, to, Reg.rsp, offset);
  }

  protected override store(type: Type, from: number, offset: number): void {
    this.storeTo(type, from, Reg.rsp, offset);
  }

  protected loadFrom(type: Type, to: number, base: number, disp: number): void {
    if (to < FIRST_FLOAT_REG) this.asm.rm(type === Type.i32 ? Form.mov32_rm : Form.mov64_rm, to, base, NO_REG, 0, disp);
    else this.fm(type === Type.f32 ? Form.movss_rm : Form.movsd_rm, to, base, disp);
  }

  protected storeTo(type: Type, from: number, base: number, disp: number): void {
    if (from < FIRST_FLOAT_REG) this.asm.rm(type === Type.i32 ? Form.mov32_mr : Form.mov64_mr, from, base, NO_REG, 0, disp);
    else this.fm(type === Type.f32 ? Form.movss_mr : Form.movsd_mr, from, base, disp);
  }

  protected override constant(type: Type, to: number, lo: number, hi: number): void {
    if (to < FIRST_FLOAT_REG) return type === Type.i32 ? this.asm.movImm32(to, lo) : this.asm.movImm64(to, lo, hi);
    if (lo === 0 && (type === Type.f32 || hi === 0)) return this.f3(Form.xorps_rm, to, to, to);
    this.asm.movImm64(scratch, lo, type === Type.f32 ? 0 : hi);
    this.f2(type === Type.f32 ? Form.movd_rm : Form.movq_rm, to, scratch);
  }

  protected override storeConstant(type: Type, lo: number, hi: number, offset: number): void {
    if (type === Type.i32 || type === Type.f32) return this.asm.mi(Form.mov32_mi, Reg.rsp, NO_REG, 0, offset, lo);
    if (hi === lo >> 31) return this.asm.mi(Form.mov64_mi, Reg.rsp, NO_REG, 0, offset, lo);
    this.asm.movImm64(scratch, lo, hi);
    this.asm.rm(Form.mov64_mr, scratch, Reg.rsp, NO_REG, 0, offset);
  }

  protected override swap(a: number, b: number): void {
    if (a < FIRST_FLOAT_REG) return this.asm.rr(Form.xchg64_mr, a, b);
    this.f2(Form.movaps_rm, fscratch, a);
    this.f2(Form.movaps_rm, a, b);
    this.f2(Form.movaps_rm, b, fscratch);
  }

  // Float instructions in the encoding of choice: without AVX the destination is also the left operand.

  protected f2(form: number, to: number, from: number): void {
    if (this.avx) this.asm.vrr(form, to, from);
    else this.asm.rr(form, to, from);
  }

  protected f3(form: number, to: number, left: number, right: number): void {
    if (this.avx) this.asm.vrvr(form, to, left, right);
    else this.asm.rr(form, to, right);
  }

  /** A load or store of a float register. */
  private fm(form: number, reg: number, base: number, disp: number): void {
    if (this.avx) this.asm.vrm(form, reg, base, NO_REG, 0, disp);
    else this.asm.rm(form, reg, base, NO_REG, 0, disp);
  }

  // ---- the frame ----

  protected override prologue(huge: boolean, offset: number): void {
    const { asm } = this;
    if (huge) {
      // Before anything is pushed: what is larger than the reserve below the limit must not be entered to be refused.
      asm.rm(Form.lea64_rm, scratch, Reg.rsp, NO_REG, 0, -this.frameBytes);
      asm.rm(Form.cmp64_rm, scratch, Reg.vmctx, NO_REG, 0, VmCtx.stackLimit);
      asm.jcc(Cond.b, this.putOff(Later.hugeFrame, offset));
    }
    for (const reg of this.saved) asm.o(Form.push, reg);
    asm.ri(Form.sub64_mi, Reg.rsp, this.localBytes);
    if (!huge) {
      asm.rm(Form.cmp64_rm, Reg.rsp, Reg.vmctx, NO_REG, 0, VmCtx.stackLimit);
      asm.jcc(Cond.b, this.putOff(Later.trap, offset, NO_REG, TrapKind.stack_exhausted));
    }
    this.storeTo(Type.i64, Reg.vmctx, Reg.rsp, this.contextOffset);
  }

  protected override epilogue(): void {
    const { asm, saved } = this;
    asm.ri(Form.add64_mi, Reg.rsp, this.localBytes);
    for (let k = saved.length - 1; k >= 0; k--) asm.o(Form.pop, saved[k]!);
    asm.op0(Form.ret);
  }

  protected override zeroFrame(from: number, to: number): void {
    const { asm } = this;
    let at = from;
    if (to - from > 16) {
      this.f3(Form.xorps_rm, fscratch, fscratch, fscratch);
      for (; at + 16 <= to; at += 16) this.fm(Form.movups_mr, fscratch, Reg.rsp, at);
    }
    for (; at < to; at += 8) asm.mi(Form.mov64_mi, Reg.rsp, NO_REG, 0, at, 0);
  }

  protected override countDown(offset: number, leaves: boolean): void {
    const { asm } = this;
    const counter = this.module.layout.counter(this.index);
    if (counter < 0) return;
    const back = asm.newLabel();
    asm.mi(Form.sub32_mi, Reg.vmctx, NO_REG, 0, counter, 1);
    asm.jcc(Cond.s, this.putOff(leaves ? Later.tierUpLoop : Later.tierUp, offset, back));
    asm.bind(back);
  }

  // ---- branches ----

  protected override jump(label: number): void {
    this.asm.jmp(label);
  }

  protected override jumpIf(condition: number, label: number): void {
    const { asm } = this;
    if (condition === Cond.feq) {
      const over = asm.newLabel();
      asm.jcc(Cond.p, over);
      asm.jcc(Cond.e, label);
      asm.bind(over);
    } else if (condition === Cond.fne) {
      asm.jcc(Cond.p, label);
      asm.jcc(Cond.ne, label);
    } else asm.jcc(condition, label);
  }

  protected override invert(condition: number): number {
    return invert(condition);
  }

  protected override jumpTable(index: number, labels: Int32Array): void {
    const { asm } = this;
    const count = labels.length - 1;
    const table = asm.newLabel();
    asm.ri(Form.cmp32_mi, index, count);
    asm.jcc(Cond.ae, labels[count]!);
    asm.rm(Form.lea64_rm, scratch, LABEL, NO_REG, 0, table);
    asm.rm(Form.movsx32_64_rm, index, scratch, index, 2, 0);
    asm.rr(Form.add64_rm, index, scratch);
    asm.r(Form.jmp_m, index);
    this.tables.push({ table, labels });
  }

  protected trapIf(condition: Cond, kind: TrapKind, offset: number): void {
    this.asm.jcc(condition, this.putOff(Later.trap, offset, NO_REG, kind));
  }

  /** As the conversion of a float that is in a register. */
  protected trapFloatIf(condition: Cond, float: number, double: boolean, offset: number): void {
    this.asm.jcc(condition, this.putOff(double ? Later.trapFloat64 : Later.trapFloat32, offset, NO_REG, TrapKind.integer_overflow, float));
  }

  // ---- calls ----

  protected override callDirect(index: FuncIndex, offset: number): void {
    this.asm.callFunc(index);
    this.asm.returnAddress(offset);
  }

  protected override callImport(at: number, offset: number): void {
    const { asm } = this;
    this.loadFrom(Type.i64, scratch, Reg.vmctx, at + ImportedFunc.code);
    this.loadFrom(Type.i64, Reg.vmctx, Reg.vmctx, at + ImportedFunc.ctx);
    this.loadFrom(Type.i64, Reg.memoryBase, Reg.vmctx, VmCtx.memory0Base);
    asm.r(Form.call_m, scratch);
    asm.returnAddress(offset);
    this.ownContext();
  }

  protected override tableElement(table: number, type: TypeIndex, element: number, offset: number): void {
    const { asm } = this;
    const { layout } = this.module;
    const index = this.toReg(element);
    const temp = this.takeInt();
    const trapIf = (condition: Cond, kind: TrapKind) => asm.jcc(condition, this.putOff(Later.trapElement, offset, NO_REG, kind, index));
    this.loadFrom(Type.i64, temp, Reg.vmctx, layout.table(table as TableIndex));
    asm.rm(Form.cmp32_rm, index, temp, NO_REG, 0, TableHeader.length);
    trapIf(Cond.ae, TrapKind.undefined_element);
    this.loadFrom(Type.i64, temp, temp, TableHeader.base);
    asm.rm(Form.mov64_rm, scratch, temp, index, 3, 0);
    if (this.explicitBounds) {
      asm.rr(Form.test64_mr, scratch, scratch);
      trapIf(Cond.e, TrapKind.uninitialized_element);
    } else asm.trap(TrapKind.uninitialized_element, offset);
    // A null reference faults here, in page zero.
    this.loadFrom(Type.i32, temp, scratch, FuncRef.typeId);
    asm.rm(Form.cmp32_rm, temp, Reg.vmctx, NO_REG, 0, layout.typeId(type));
    trapIf(Cond.ne, TrapKind.indirect_call_type_mismatch);
    this.free(temp);
    this.release(element);
  }

  protected override callRef(offset: number): void {
    const { asm } = this;
    const back = asm.newLabel();
    asm.rm(Form.cmp64_rm, Reg.vmctx, scratch, NO_REG, 0, FuncRef.ctx);
    asm.jcc(Cond.ne, this.putOff(Later.foreignCall, offset, back));
    asm.m(Form.call_m, scratch, NO_REG, 0, FuncRef.code);
    asm.returnAddress(offset);
    asm.bind(back);
  }

  protected override callContext(field: number, offset: number): void {
    this.asm.m(Form.call_m, Reg.vmctx, NO_REG, 0, field);
    this.asm.returnAddress(offset);
  }

  /** After a call into another instance. */
  private ownContext(): void {
    this.loadFrom(Type.i64, Reg.vmctx, Reg.rsp, this.contextOffset);
    this.loadFrom(Type.i64, Reg.memoryBase, Reg.vmctx, VmCtx.memory0Base);
  }

  // ---- out of line ----

  /** Calls the trap exit: the return address names the site. */
  protected override trapCall(kind: TrapKind, offset: number): void {
    this.asm.m(Form.call_m, Reg.vmctx, NO_REG, 0, VmCtx.trapExit);
    this.asm.trap(kind, offset);
  }

  protected override barrier(): void {
    this.asm.op0(Form.int3);
  }

  protected override later(kind: Later, offset: number, back: number, trap: TrapKind, reg: number): void {
    const { asm } = this;
    switch (kind) {
      case Later.trapElement:
        asm.rm(Form.mov32_mr, reg, Reg.vmctx, NO_REG, 0, VmCtx.trapValue);
        return this.trapCall(trap, offset);
      case Later.trapFloat32:
      case Later.trapFloat64: {
        const nan = asm.newLabel();
        this.f2(kind === Later.trapFloat64 ? Form.ucomisd_rm : Form.ucomiss_rm, reg, reg);
        asm.jcc(Cond.p, nan);
        this.trapCall(trap, offset);
        asm.bind(nan);
        return this.trapCall(TrapKind.invalid_conversion, offset);
      }
      case Later.foreignCall:
        this.loadFrom(Type.i64, Reg.vmctx, scratch, FuncRef.ctx);
        this.loadFrom(Type.i64, Reg.memoryBase, Reg.vmctx, VmCtx.memory0Base);
        asm.m(Form.call_m, scratch, NO_REG, 0, FuncRef.code);
        asm.returnAddress(offset);
        this.ownContext();
        return asm.jmp(back);
      case Later.tierUp:
        asm.movImm32(scratch, this.index);
        this.callContext(VmCtx.tierUp, offset);
        return asm.jmp(back);
      case Later.tierUpLoop:
        asm.movImm32(scratch, offset);
        this.callContext(VmCtx.tierUpLoop, offset);
        asm.rr(Form.test64_mr, scratch, scratch);
        asm.jcc(Cond.e, back);
        this.storeHomes();
        asm.r(Form.call_m, scratch);
        asm.returnAddress(HANDED_OVER);
        return asm.jmp(this.epilogueLabel);
      case Later.hugeFrame:
        this.loadFrom(Type.i64, scratch, Reg.vmctx, VmCtx.exec);
        asm.mi(Form.mov32_mi, scratch, NO_REG, 0, Exec.trapKind, TrapKind.stack_exhausted);
        return asm.m(Form.jmp_m, Reg.vmctx, NO_REG, 0, VmCtx.trapExit);
    }
  }

  protected override outOfLine(): void {
    super.outOfLine();
    for (const { table, labels } of this.tables) {
      this.asm.bind(table);
      for (let k = 0; k < labels.length - 1; k++) this.asm.tableEntry(labels[k]!, table);
    }
  }

  // ---- operands ----

  /** `form reg, entry`, an integer instruction; the entry's constant by the immediate form `mi`. Releases the entry. */
  protected withEntry(rm: number, mi: number, reg: number, entry: number, wide: boolean): void {
    const { asm } = this;
    const lo = this.lo[entry]!;
    switch (this.held[entry]! as Held) {
      case Held.register:
        asm.rr(rm, reg, lo);
        return this.free(lo);
      case Held.constant:
        if (!wide || this.hi[entry] === lo >> 31) return asm.ri(mi, reg, lo);
        asm.movImm64(scratch, lo, this.hi[entry]!);
        return asm.rr(rm, reg, scratch);
      case Held.local:
        if (this.localHome[lo]! >= 0) asm.rr(rm, reg, this.localHome[lo]!);
        else asm.rm(rm, reg, Reg.rsp, NO_REG, 0, this.localOffset(lo));
        return this.release(entry);
      case Held.slot:
        return asm.rm(rm, reg, Reg.rsp, NO_REG, 0, this.slotOffset(entry));
    }
  }

  /** `form to, left, entry`, a float instruction. Releases the entry. */
  protected withFloatEntry(form: number, to: number, left: number, entry: number): void {
    const { asm } = this;
    if (this.inFrame(entry)) {
      const offset = this.held[entry] === Held.slot ? this.slotOffset(entry) : this.localOffset(this.lo[entry]!);
      if (this.avx) asm.vrvm(form, to, left, Reg.rsp, NO_REG, 0, offset);
      else asm.rm(form, to, Reg.rsp, NO_REG, 0, offset);
    } else this.f3(form, to, left, this.toReg(entry));
    this.release(entry);
  }
}
