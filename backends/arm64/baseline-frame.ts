// The baseline compiler's plain code on arm64: moves, the frame, branches, calls, and what stands out of line.
//
// x16 and v31 are the scratch registers, x17 is for addresses and for what must leave x16 alone. Nothing here that moves a value changes
// flags. A test for zero may stay a test, without flags, until it is known what for: cbz, cbnz.
// Relies on backends/baseline for what is where, on emit.ts for frames and jump tables as all code has them.
import { HANDED_OVER } from "../../ir/code.js";
import type { FuncIndex, TableIndex, TypeIndex } from "../../ir/entity.js";
import { Exec, FuncRef, ImportedFunc, TableHeader, TrapKind, VmCtx } from "../../ir/layout.js";
import { FIRST_FLOAT_REG } from "../../ir/machine/mfunc.js";
import { Type } from "../../ir/types.js";
import { BaselineCompiler } from "../baseline/compiler.js";
import { Later } from "../baseline/out-of-line.js";
import { Held } from "../baseline/state.js";
import type { CodegenModule, CodegenOptions } from "../target.js";
import { FrameCode, jumpTable } from "./emit.js";
import { LINK_BYTES, address, fscratch, reach, scratch } from "./emit-operands.js";
import { Assembler, NEAR_BYTES } from "./encode.js";
import { Cond, Extend, Form, Index } from "./opcodes.js";
import { Reg, registers } from "./registers.js";

/** Conditions beside `Cond`: whether the register `tested` is zero. Even: it is; `c ^ 1` is the opposite, as of `Cond`. */
export const enum Zero {
  is32 = 16,
  not32,
  is64,
  not64,
}
const zeroBranch = [Form.cbz32, Form.cbnz32, Form.cbz64, Form.cbnz64] as const;

const NO_REG = -1;

/** So much of a frame is zeroed without a loop. */
const UNROLLED_ZEROS = 256;

export abstract class BaselineFrame extends BaselineCompiler {
  protected readonly asm = new Assembler(2000, 400);
  protected readonly explicitBounds: boolean;
  /** The register of a condition `Zero`. */
  protected tested = NO_REG;
  private frame: FrameCode | undefined;

  constructor(module: CodegenModule, options: CodegenOptions) {
    super(module, registers, LINK_BYTES);
    this.explicitBounds = options.bounds === "explicit";
  }

  protected override beginCode(far: boolean): void {
    this.asm.reset();
    this.asm.near = !far;
    this.forgetRows();
  }

  protected override reaches(): boolean {
    return !this.asm.near || this.asm.length <= NEAR_BYTES;
  }

  // ---- moves ----

  protected override move(type: Type, to: number, from: number): void {
    if (to < FIRST_FLOAT_REG) this.asm.mov(type === Type.i32 ? 32 : 64, to, from);
    else this.asm.rr(Form.fmov_d, to, from);
  }

  protected override load(type: Type, to: number, offset: number): void {
    this.loadFrom(type, to, Reg.sp, offset);
  }

  protected override store(type: Type, from: number, offset: number): void {
    this.storeTo(type, from, Reg.sp, offset);
  }

  /** Changes x17. */
  protected loadFrom(type: Type, to: number, base: number, disp: number): void {
    const narrow = type === Type.i32 || type === Type.f32;
    if (to < FIRST_FLOAT_REG) reach(this.asm, narrow ? Form.ldr32 : Form.ldr64, to, base, disp);
    else reach(this.asm, narrow ? Form.ldr_s : Form.ldr_d, to, base, disp);
  }

  /** The same; the zero register stores a zero of any type. */
  protected storeTo(type: Type, from: number, base: number, disp: number): void {
    const narrow = type === Type.i32 || type === Type.f32;
    if (from < FIRST_FLOAT_REG) reach(this.asm, narrow ? Form.str32 : Form.str64, from, base, disp);
    else reach(this.asm, narrow ? Form.str_s : Form.str_d, from, base, disp);
  }

  protected override constant(type: Type, to: number, lo: number, hi: number): void {
    const narrow = type === Type.i32 || type === Type.f32;
    if (to < FIRST_FLOAT_REG) this.asm.movImm64(to, lo, narrow ? 0 : hi);
    else if (narrow) this.asm.fmov32(to, lo, address);
    else this.asm.fmov64(to, lo, hi, address);
  }

  protected override storeConstant(type: Type, lo: number, hi: number, offset: number): void {
    const narrow = type === Type.i32 || type === Type.f32;
    if (lo === 0 && (narrow || hi === 0)) return this.store(type, Reg.zr, offset);
    this.asm.movImm64(scratch, lo, narrow ? 0 : hi);
    this.store(type, scratch, offset);
  }

  protected override swap(a: number, b: number): void {
    const { asm } = this;
    if (a < FIRST_FLOAT_REG) {
      asm.mov(64, address, a);
      asm.mov(64, a, b);
      return asm.mov(64, b, address);
    }
    asm.rr(Form.fmov_d, fscratch, a);
    asm.rr(Form.fmov_d, a, b);
    asm.rr(Form.fmov_d, b, fscratch);
  }

  // ---- the frame ----

  protected override prologue(huge: boolean, offset: number): void {
    const { asm } = this;
    if (huge) {
      // Before anything is stored: what is larger than the reserve below the limit must not be entered to be refused.
      asm.movImm64(address, this.frameBytes + LINK_BYTES, 0);
      asm.rrrExtend(Form.sub64_x, scratch, Reg.sp, address, Extend.uxtx, 0);
      asm.mem(Form.ldr64, address, Reg.vmctx, VmCtx.stackLimit);
      asm.rrr(Form.subs64_r, Reg.zr, scratch, address);
      asm.bcond(Cond.lo, this.putOff(Later.hugeFrame, offset));
    }
    this.frame = new FrameCode(asm, { saved: this.saved, bytes: this.frameBytes });
    this.frame.enter();
    if (!huge) {
      asm.mem(Form.ldr64, scratch, Reg.vmctx, VmCtx.stackLimit);
      asm.rrrExtend(Form.subs64_x, Reg.zr, Reg.sp, scratch, Extend.uxtx, 0);
      asm.bcond(Cond.lo, this.putOff(Later.trap, offset, NO_REG, TrapKind.stack_exhausted));
    }
    this.storeTo(Type.i64, Reg.vmctx, Reg.sp, this.contextOffset);
  }

  protected override epilogue(): void {
    this.frame!.leave();
    this.asm.r(Form.ret, Reg.link);
  }

  protected override zeroFrame(from: number, to: number): void {
    const { asm } = this;
    if (to - from <= UNROLLED_ZEROS) {
      for (let at = from; at < to; at += 8) this.store(Type.i64, Reg.zr, at);
      return;
    }
    if ((to - from) & 8) this.store(Type.i64, Reg.zr, (to -= 8));
    asm.movImm64(scratch, from, 0);
    asm.rrrExtend(Form.add64_x, address, Reg.sp, scratch, Extend.uxtx, 0);
    asm.movImm64(scratch, (to - from) / 16, 0);
    const next = asm.newLabel();
    asm.bind(next);
    asm.pair(Form.stp64, Reg.zr, Reg.zr, address, 16, Index.post);
    asm.addImm(Form.sub64_i, scratch, scratch, 1);
    asm.cbz(Form.cbnz64, scratch, next);
  }

  protected override countDown(offset: number, leaves: boolean): void {
    const { asm } = this;
    const counter = this.module.layout.counter(this.index);
    if (counter < 0) return;
    const back = asm.newLabel();
    reach(asm, Form.ldr32, scratch, Reg.vmctx, counter);
    asm.addImm(Form.subs32_i, scratch, scratch, 1);
    reach(asm, Form.str32, scratch, Reg.vmctx, counter);
    asm.bcond(Cond.mi, this.putOff(leaves ? Later.tierUpLoop : Later.tierUp, offset, back));
    asm.bind(back);
  }

  // ---- branches ----

  protected override jump(label: number): void {
    this.asm.b(label);
  }

  protected override jumpIf(condition: number, label: number): void {
    if (condition >= Zero.is32) this.asm.cbz(zeroBranch[condition - Zero.is32]!, this.tested, label);
    else this.asm.bcond(condition, label);
  }

  protected override invert(condition: number): number {
    return condition ^ 1;
  }

  protected override jumpTable(index: number, labels: Int32Array): void {
    const { asm } = this;
    const count = labels.length - 1;
    const table = jumpTable(asm, index, count, labels[count]!);
    for (let k = 0; k < count; k++) asm.tableEntry(labels[k]!, table);
  }

  protected trapIf(condition: Cond, kind: TrapKind, offset: number): void {
    this.asm.bcond(condition, this.putOff(Later.trap, offset, NO_REG, kind));
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
    asm.mem(Form.ldr64, Reg.memoryBase, Reg.vmctx, VmCtx.memory0Base);
    asm.r(Form.blr, scratch);
    asm.returnAddress(offset);
    this.ownContext();
  }

  protected override tableElement(table: number, type: TypeIndex, element: number, offset: number): void {
    const { asm } = this;
    const { layout } = this.module;
    const index = this.toReg(element);
    const temp = this.takeInt();
    const otherwise = (kind: TrapKind) => this.putOff(Later.trapElement, offset, NO_REG, kind, index);
    this.loadFrom(Type.i64, temp, Reg.vmctx, layout.table(table as TableIndex));
    asm.mem(Form.ldr32, scratch, temp, TableHeader.length);
    asm.rrr(Form.subs32_r, Reg.zr, index, scratch);
    asm.bcond(Cond.hs, otherwise(TrapKind.undefined_element));
    asm.mem(Form.ldr64, temp, temp, TableHeader.base);
    asm.memIndex(Form.ldr64, scratch, temp, index, Extend.uxtw, true);
    if (this.explicitBounds) asm.cbz(Form.cbz64, scratch, otherwise(TrapKind.uninitialized_element));
    else asm.trap(TrapKind.uninitialized_element, offset);
    // A null reference faults here, in page zero.
    asm.mem(Form.ldr32, temp, scratch, FuncRef.typeId);
    this.loadFrom(Type.i32, address, Reg.vmctx, layout.typeId(type));
    asm.rrr(Form.subs32_r, Reg.zr, temp, address);
    asm.bcond(Cond.ne, otherwise(TrapKind.indirect_call_type_mismatch));
    this.free(temp);
    this.release(element);
  }

  protected override callRef(offset: number): void {
    const { asm } = this;
    const back = asm.newLabel();
    asm.mem(Form.ldr64, address, scratch, FuncRef.ctx);
    asm.mem(Form.ldr64, scratch, scratch, FuncRef.code);
    asm.rrr(Form.subs64_r, Reg.zr, address, Reg.vmctx);
    asm.bcond(Cond.ne, this.putOff(Later.foreignCall, offset, back));
    asm.r(Form.blr, scratch);
    asm.returnAddress(offset);
    asm.bind(back);
  }

  protected override callContext(field: number, offset: number): void {
    this.loadFrom(Type.i64, scratch, Reg.vmctx, field);
    this.asm.r(Form.blr, scratch);
    this.asm.returnAddress(offset);
  }

  /** After a call into another instance. */
  private ownContext(): void {
    this.loadFrom(Type.i64, Reg.vmctx, Reg.sp, this.contextOffset);
    this.asm.mem(Form.ldr64, Reg.memoryBase, Reg.vmctx, VmCtx.memory0Base);
  }

  // ---- out of line ----

  /** Calls the trap exit: the return address names the site. */
  protected override trapCall(kind: TrapKind, offset: number): void {
    const { asm } = this;
    asm.mem(Form.ldr64, scratch, Reg.vmctx, VmCtx.trapExit);
    asm.r(Form.blr, scratch);
    asm.trap(kind, offset);
  }

  protected override barrier(): void {
    this.asm.exception(Form.brk, 0);
  }

  protected override later(kind: Later, offset: number, back: number, trap: TrapKind, reg: number): void {
    const { asm } = this;
    switch (kind) {
      case Later.trapElement:
        asm.mem(Form.str32, reg, Reg.vmctx, VmCtx.trapValue);
        return this.trapCall(trap, offset);
      case Later.foreignCall:
        // Its context is in x17.
        asm.mov(64, Reg.vmctx, address);
        asm.mem(Form.ldr64, Reg.memoryBase, Reg.vmctx, VmCtx.memory0Base);
        asm.r(Form.blr, scratch);
        asm.returnAddress(offset);
        this.ownContext();
        return asm.b(back);
      case Later.tierUp:
        asm.movImm32(address, this.index);
        this.callContext(VmCtx.tierUp, offset);
        return asm.b(back);
      case Later.tierUpLoop:
        asm.movImm32(address, offset);
        this.callContext(VmCtx.tierUpLoop, offset);
        asm.cbz(Form.cbz64, scratch, back);
        this.storeHomes();
        asm.r(Form.blr, scratch);
        asm.returnAddress(HANDED_OVER);
        return asm.b(this.epilogueLabel);
      case Later.hugeFrame:
        asm.mem(Form.ldr64, scratch, Reg.vmctx, VmCtx.exec);
        asm.movImm32(address, TrapKind.stack_exhausted);
        asm.mem(Form.str32, address, scratch, Exec.trapKind);
        asm.mem(Form.ldr64, scratch, Reg.vmctx, VmCtx.trapExit);
        return asm.r(Form.br, scratch);
      default:
        // Conversions that trap are rows of machine IR.
        throw new Error(`nothing puts off ${kind}`);
    }
  }

  // ---- operands ----

  /** The register to read an integer entry from: where it is, else the scratch register, which it is brought to; of zero the zero register. */
  protected right(entry: number): number {
    const isConstant = this.held[entry] === Held.constant;
    if (isConstant && this.isZero(entry)) return Reg.zr;
    if (!isConstant && !this.inFrame(entry)) return this.toReg(entry);
    this.copyTo(entry, scratch);
    return scratch;
  }

  /** The same of a float entry. */
  protected floatRight(entry: number): number {
    if (this.held[entry] !== Held.constant && !this.inFrame(entry)) return this.toReg(entry);
    this.copyTo(entry, fscratch);
    return fscratch;
  }

  /** The register of an integer entry, of zero the zero register. */
  protected intOrZero(entry: number): number {
    return this.held[entry] === Held.constant && this.isZero(entry) ? Reg.zr : this.toReg(entry);
  }

  /** Whether the bits of a constant are all zero. */
  protected isZero(entry: number): boolean {
    const narrow = this.type[entry] === Type.i32 || this.type[entry] === Type.f32;
    return this.lo[entry] === 0 && (narrow || this.hi[entry] === 0);
  }
}
