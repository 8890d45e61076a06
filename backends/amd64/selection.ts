// What all selection rules share: emitting instructions with operands, the memory operand, the right-hand operand.
//
// `mem` and `rhs` are single scratch records, filled by one question and read by the emission that follows: no object per
// instruction. Rule of the whole selection: an i32 in a register is zero-extended to 64 bits, whatever made it. So an i32
// value serves as 64-bit index and as `i64.extend_i32_u`; `i32.wrap_i64` costs a `mov` unless its user ignores the upper half.
import type { GlobalIndex, MemoryIndex, Value } from "../../ir/entity.js";
import type { Func } from "../../ir/func.js";
import { MAX_FOLD, MAX_GROWN_PAGES, MemoryHeader, TrapKind, type VmLayout } from "../../ir/layout.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { Opnd, type MFunc } from "../../ir/machine/mfunc.js";
import { accessBytes } from "../access.js";
import type { Lowering } from "../lower.js";
import { largest } from "../ranges.js";
import type { CodegenOptions } from "../target.js";
import { Base, Cond, Consumer, Form, M, Producer, Shape, compareOp } from "./mops.js";

/** Operand infos in use. */
export const enum U {
  any = Opnd.use | Opnd.any,
  reg = Opnd.use | Opnd.reg,
  anyLate = Opnd.use | Opnd.any | Opnd.flip,
  regLate = Opnd.use | Opnd.reg | Opnd.flip,
  fixed = Opnd.use | Opnd.fixed,
  fixedLate = Opnd.use | Opnd.fixed | Opnd.flip,
  def = Opnd.def | Opnd.reg,
  defEarly = Opnd.def | Opnd.reg | Opnd.flip,
  defFixed = Opnd.def | Opnd.fixed,
  defSame = Opnd.def | Opnd.same,
  temp = Opnd.temp | Opnd.reg,
}

/** Sources a right-hand operand may come from besides registers; bits for `operand`. */
export const enum Take {
  imm = 1,
  mem = 2,
  all = 3,
}

const noRegister = -1;

export class Selection {
  readonly fn: Func;
  readonly mfn: MFunc;
  readonly layout: VmLayout;
  readonly options: CodegenOptions;
  readonly explicitBounds: boolean;
  /** Negative displacements from an i32 index are right. */
  readonly foldsBelow: boolean;
  readonly avx: boolean;

  // The memory operand last made.
  memBase = Base.memory as number;
  memBaseReg = noRegister;
  memIndex = noRegister;
  memScale = 0;
  memDisp = 0;
  memFault = TrapKind.none as number;
  memOffset = 0;

  // The right-hand operand last made: `Form.ri` with rhsImm, `Form.rm` with the memory operand, `Form.rr` with rhsReg.
  rhsForm = Form.rr as number;
  rhsImm = 0;
  rhsReg = noRegister;

  /** The register last compared with 0 for a branch: if made by an addition just before, the emitter needs no compare. */
  zeroTested = noRegister;

  constructor(readonly low: Lowering) {
    this.fn = low.fn;
    this.mfn = low.mfn;
    this.layout = low.module.layout;
    this.options = low.options;
    this.explicitBounds = low.options.bounds === "explicit";
    const memory = low.module.module.memories[0];
    this.foldsBelow = !this.explicitBounds && memory !== undefined && memory.limits.min <= MAX_GROWN_PAGES;
    this.avx = low.options.features.has("avx");
  }

  // ---------------------------------------------------------------- emission

  /** Starts an instruction with the root's Wasm offset. */
  inst(op: number, imm = 0, imm2 = 0, imm3 = 0): void {
    this.low.inst(op, imm, imm2, imm3, this.fn.offset[this.low.root]!);
  }

  add(reg: number, info: number): void {
    this.low.operand(reg, info);
  }

  addFixed(reg: number, info: number, register: number): void {
    this.low.operand(reg, info | (register << Opnd.payloadShift));
  }

  /** The register of the root's result. */
  result(): number {
    return this.low.reg(this.low.root);
  }

  temp(type: Type): number {
    return this.low.temp(type);
  }

  /** Shape bits of the memory operand. */
  memShape(): number {
    return (
      (this.memBase << Shape.baseShift) |
      (this.memIndex === noRegister ? 0 : Shape.index | (this.memScale << Shape.scaleShift)) |
      (this.memFault << Shape.faultShift)
    );
  }

  /** Registers of the memory operand; `late` in two-address instructions that define before they read it. */
  addMem(late = false): void {
    const info = late ? U.regLate : U.reg;
    if (this.memBase === Base.reg) this.low.operand(this.memBaseReg, info);
    if (this.memIndex !== noRegister) this.low.operand(this.memIndex, info);
    if (this.memOffset !== 0) this.low.setOffset(this.memOffset);
  }

  /** def <- op(use), one source that may be a slot where its width allows. */
  unary(op: number, def: number, source: number, bits: 32 | 64, imm = 0, imm3 = 0): void {
    this.inst(op, imm, 0, imm3);
    this.add(def, U.def);
    this.add(source, this.anyOf(source, bits));
  }

  /** As `unary`, the source in a register in any case. */
  unaryReg(op: number, def: number, source: number, imm = 0): void {
    this.inst(op, imm);
    this.add(def, U.def);
    this.add(source, U.reg);
  }

  /** def <- op(memory operand). */
  load(op: number, def: number, imm = 0): void {
    this.inst(op, imm, this.memDisp, Form.rm | this.memShape());
    this.add(def, U.def);
    this.addMem();
  }

  /** memory operand <- register. */
  store(op: number, source: number): void {
    this.inst(op, 0, this.memDisp, Form.mr | this.memShape());
    this.add(source, U.reg);
    this.addMem();
  }

  /** memory operand <- immediate. */
  storeImm(op: number, imm: number): void {
    this.inst(op, imm, this.memDisp, Form.mi | this.memShape());
    this.addMem();
  }

  /** Two-address: def(same as left) <- left op right-hand operand. `bits` is the width a register operand is read with. */
  binary(op: number, def: number, left: number, bits: 32 | 64): void {
    const form = this.rhsForm;
    this.inst(op, form === Form.ri ? this.rhsImm : 0, form === Form.rm ? this.memDisp : 0, form === Form.rm ? Form.rm | this.memShape() : form);
    this.add(def, U.defSame | (1 << Opnd.payloadShift));
    this.add(left, U.reg);
    if (form === Form.rr) this.add(this.rhsReg, this.anyOf(this.rhsReg, bits) | Opnd.flip);
    else if (form === Form.rm) this.addMem(true);
  }

  /** Two-address with an immediate. */
  binaryImm(op: number, def: number, left: number, imm: number): void {
    this.inst(op, imm, 0, Form.ri);
    this.add(def, U.defSame | (1 << Opnd.payloadShift));
    this.add(left, U.reg);
  }

  /** Two-address with registers. */
  binaryReg(op: number, def: number, left: number, right: number): void {
    this.inst(op, 0, 0, Form.rr);
    this.add(def, U.defSame | (1 << Opnd.payloadShift));
    this.add(left, U.reg);
    this.add(right, U.regLate);
  }

  /** Float arithmetic with the right-hand operand: three addresses with AVX, two without. */
  floatBinary(op: number, def: number, left: number, imm = 0): void {
    const form = this.rhsForm;
    this.inst(op, imm, form === Form.rm ? this.memDisp : 0, form === Form.rm ? Form.rm | this.memShape() : form);
    this.add(def, this.avx ? U.def : U.defSame | (1 << Opnd.payloadShift));
    this.add(left, U.reg);
    if (form === Form.rr) this.add(this.rhsReg, this.avx ? U.reg : U.regLate);
    else if (form === Form.rm) this.addMem(!this.avx);
  }

  floatBinaryReg(op: number, def: number, left: number, right: number, imm = 0): void {
    this.rhsForm = Form.rr;
    this.rhsReg = right;
    this.floatBinary(op, def, left, imm);
  }

  /** lea: base and index may be -1. */
  lea(op: number, def: number, base: number, index: number, scale: number, disp: number): void {
    const shape = ((base === noRegister ? Base.none : Base.reg) << Shape.baseShift) | (index === noRegister ? 0 : Shape.index | (scale << Shape.scaleShift));
    this.inst(op, 0, disp, Form.rm | shape);
    this.add(def, U.def);
    if (base !== noRegister) this.add(base, U.reg);
    if (index !== noRegister) this.add(index, U.reg);
  }

  const32(imm: number): number {
    const r = this.temp(Type.i32);
    this.mfn.setRemat(r, M.iconst32, imm);
    this.inst(M.iconst32, imm);
    this.add(r, U.def);
    return r;
  }

  const64(lo: number, hi: number): number {
    const r = this.temp(Type.i64);
    this.mfn.setRemat(r, M.iconst64, lo, hi);
    this.inst(M.iconst64, lo, hi);
    this.add(r, U.def);
    return r;
  }

  /** An unsigned 32-bit number, or a little above, as 64-bit constant. */
  constOf(n: number): number {
    return this.const64(n | 0, Math.floor(n / 4294967296));
  }

  /** A never-changing field of the vm-context. */
  ctxField(offset: number): number {
    const r = this.temp(Type.i64);
    this.mfn.setRemat(r, M.ctx_load, offset);
    this.inst(M.ctx_load, offset);
    this.add(r, U.def);
    return r;
  }

  // ---------------------------------------------------------------- registers of values

  /** `any`, but a register where the value is an i32 read with 64 bits: its slot has only 32 of them. */
  anyOf(reg: number, bits: 32 | 64): number {
    return bits === 64 && this.mfn.vregType[reg] === Type.i32 ? U.reg : U.any;
  }

  /** For users that read only the low 32 bits. */
  low32(v: Value): Value {
    const { fn, low } = this;
    v = low.source(v);
    while (fn.op[v] === Op.i32_wrap_i64) v = low.source(low.through(v));
    return v;
  }

  /** For users that read 64 bits: a zero-extension is the i32's register itself. */
  wide(v: Value): Value {
    const { fn, low } = this;
    v = low.source(v);
    if (fn.op[v] === Op.i64_extend_i32_u) return low.source(low.through(v));
    return v;
  }

  regLow32(v: Value): number {
    return this.low.reg(this.low32(v));
  }

  regWide(v: Value): number {
    return this.low.reg(this.wide(v));
  }

  arg(v: Value, i: number): Value {
    return this.low.source(this.fn.pool[this.fn.argStart[v]! + i]! as Value);
  }

  // ---------------------------------------------------------------- constants

  isConst32(v: Value): boolean {
    return this.fn.op[v] === Op.i32_const;
  }

  /** An i64 constant that is its low half sign-extended. */
  isConst64AsImm(v: Value): boolean {
    const { fn } = this;
    return fn.op[v] === Op.i64_const && fn.imm2[v] === fn.imm[v]! >> 31;
  }

  // ---------------------------------------------------------------- right-hand operand

  /**
   * Makes `v` the right-hand operand of an integer instruction of that width, and says whether it is no mere register.
   * Emits what the operand needs, so ask for all registers of the instruction before it is started.
   */
  operand(v: Value, bits: 32 | 64, take: number = Take.all): boolean {
    const { fn, low } = this;
    v = bits === 32 ? this.low32(v) : this.wide(v);
    const op = fn.op[v];
    if ((take & Take.imm) !== 0) {
      if (bits === 32 ? op === Op.i32_const || op === Op.i64_const : this.isConst64AsImm(v) || (op === Op.i32_const && fn.imm[v]! >= 0)) {
        this.rhsForm = Form.ri;
        this.rhsImm = fn.imm[v]!;
        return true;
      }
    }
    if ((take & Take.mem) !== 0) {
      const fits = op === Op.i32_load ? bits === 32 : op === Op.i64_load ? bits === 64 : op === Op.global_get && (fn.type[v] === Type.i32 ? bits === 32 : true);
      if (fits && low.canMerge(v)) {
        this.memoryOf(v);
        this.rhsForm = Form.rm;
        return true;
      }
    }
    this.rhsForm = Form.rr;
    this.rhsReg = low.reg(v);
    return false;
  }

  /** The same for float instructions: constants come from the pool. */
  floatOperand(v: Value, type: Type): boolean {
    const { fn, low } = this;
    v = low.source(v);
    const op = fn.op[v];
    if (op === (type === Type.f32 ? Op.f32_const : Op.f64_const) && (fn.imm[v] !== 0 || fn.imm2[v] !== 0)) {
      this.pool(this.floatConstant(fn.imm[v]!, fn.imm2[v]!, type));
      this.rhsForm = Form.rm;
      return true;
    }
    if ((op === (type === Type.f32 ? Op.f32_load : Op.f64_load) || op === Op.global_get) && low.canMerge(v)) {
      this.memoryOf(v);
      this.rhsForm = Form.rm;
      return true;
    }
    this.rhsForm = Form.rr;
    this.rhsReg = low.reg(v);
    return false;
  }

  /** The memory operand is that constant-pool entry. */
  pool(entry: number): void {
    this.memBase = Base.pool;
    this.memBaseReg = noRegister;
    this.memIndex = noRegister;
    this.memDisp = entry;
    this.memFault = TrapKind.none;
    this.memOffset = 0;
  }

  floatConstant(lo: number, hi: number, type: Type): number {
    const bytes = new Uint8Array(type === Type.f32 ? 4 : 8);
    const view = new DataView(bytes.buffer);
    view.setInt32(0, lo, true);
    if (type !== Type.f32) view.setInt32(4, hi, true);
    return this.mfn.constant(bytes);
  }

  doubleConstant(value: number): number {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    return this.mfn.constant(bytes);
  }

  /** A 16-byte pool entry with a mask in its low 4 or 8 bytes (0 above), for andps and its kin. */
  maskConstant(lo: number, hi: number, type: Type): number {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setInt32(0, lo, true);
    if (type !== Type.f32) view.setInt32(4, hi, true);
    return this.mfn.constant(bytes);
  }

  // ---------------------------------------------------------------- memory operand

  /** Makes the memory operand of a load or a global.get that the root takes in (or is). */
  memoryOf(v: Value): void {
    const { fn, low } = this;
    if (v !== low.root) low.merge(v);
    if (fn.op[v] === Op.global_get) this.globalCell(fn.imm[v]!);
    else this.address(v, accessBytes[fn.op[v]!]!);
  }

  /** The memory operand is a field of the vm-context. */
  ctxCell(offset: number): void {
    this.memBase = Base.vmctx;
    this.memBaseReg = noRegister;
    this.memIndex = noRegister;
    this.memDisp = offset;
    this.memFault = TrapKind.none;
    this.memOffset = 0;
  }

  /** The memory operand is a field of what a register points to. */
  cell(base: number, disp: number, fault: TrapKind = TrapKind.none): void {
    this.memBase = Base.reg;
    this.memBaseReg = base;
    this.memIndex = noRegister;
    this.memDisp = disp;
    this.memFault = fault;
    this.memOffset = 0;
  }

  /** The memory operand is byte `disp` (less than 2^31) behind an i32 address in memory 0, which a guard page bounds. */
  memoryAt(address: number, disp: number, offset: number): void {
    this.memBase = Base.memory;
    this.memBaseReg = noRegister;
    this.memIndex = address;
    this.memScale = 0;
    this.memDisp = disp;
    this.memFault = TrapKind.out_of_bounds_memory;
    this.memOffset = offset;
  }

  globalCell(index: number): void {
    const offset = this.layout.global(index as GlobalIndex);
    if (this.low.module.module.globals[index]!.imported) this.cell(this.ctxField(offset), 0);
    else this.ctxCell(offset);
  }

  /** The memory operand of a load or store `v` of that many bytes, with its bounds check where checks are explicit. */
  address(v: Value, bytes: number): void {
    const { fn, low } = this;
    const memory = fn.imm2[v]!;
    let disp = fn.imm[v]! >>> 0;
    let index = noRegister;
    let scale = 0;
    let a = this.arg(v, 0);
    if (fn.op[a] === Op.i32_const && (fn.imm[a]! >>> 0) + disp < 0x80000000) {
      disp += fn.imm[a]! >>> 0;
    } else {
      // A little below an index: see MAX_GROWN_PAGES. Only where the access has no offset of its own.
      if (this.foldsBelow && disp === 0 && memory === 0 && fn.op[a] === Op.i32_add) {
        const c = this.arg(a, 1);
        if (fn.op[c] === Op.i32_const && fn.imm[c]! <= 0 && fn.imm[c]! >= -MAX_FOLD) {
          disp = fn.imm[c]!;
          a = low.source(low.through(a));
        }
      }
      // An addition that cannot wrap goes into the displacement, a shift that loses nothing into the scale.
      while (fn.op[a] === Op.i32_add && low.canMerge(a)) {
        const c = this.arg(a, 1);
        const x = this.arg(a, 0);
        if (fn.op[c] !== Op.i32_const || largest(fn, x) + (fn.imm[c]! >>> 0) > 0xffffffff || disp + (fn.imm[c]! >>> 0) >= 0x80000000) break;
        disp += fn.imm[c]! >>> 0;
        a = x;
      }
      if (fn.op[a] === Op.i32_shl && low.canMerge(a)) {
        const c = this.arg(a, 1);
        const x = this.arg(a, 0);
        if (fn.op[c] === Op.i32_const && fn.imm[c]! >= 0 && fn.imm[c]! <= 3 && largest(fn, x) * (1 << fn.imm[c]!) <= 0xffffffff) {
          scale = fn.imm[c]!;
          a = x;
        }
      }
      index = low.reg(a);
      if (disp >= 0x80000000) {
        const far = this.constOf(disp);
        const sum = this.temp(Type.i64);
        this.lea(M.lea64, sum, far, index, scale, 0);
        index = sum;
        scale = 0;
        disp = 0;
      }
    }
    if (this.explicitBounds) this.checkBounds(memory, index, scale, disp, bytes, fn.offset[v]!);
    let base = noRegister;
    if (memory !== 0) {
      base = this.temp(Type.i64);
      this.cell(this.ctxField(this.layout.memory(memory as MemoryIndex)), MemoryHeader.base);
      this.load(M.mov64, base);
    }
    this.memBase = memory === 0 ? Base.memory : Base.reg;
    this.memBaseReg = base;
    this.memIndex = index;
    this.memScale = scale;
    this.memDisp = disp;
    this.memFault = this.explicitBounds ? TrapKind.none : TrapKind.out_of_bounds_memory;
    this.memOffset = fn.offset[v]!;
  }

  /** Traps unless index*2^scale + disp + bytes <= length of the memory. */
  private checkBounds(memory: number, index: number, scale: number, disp: number, bytes: number, offset: number): void {
    const header = this.ctxField(this.layout.memory(memory as MemoryIndex));
    const end = disp + bytes;
    let last: number;
    if (index === noRegister) last = this.constOf(end);
    else if (end < 0x80000000) {
      last = this.temp(Type.i64);
      this.lea(M.lea64, last, scale === 0 ? index : noRegister, scale === 0 ? noRegister : index, scale, end);
    } else {
      const far = this.constOf(end);
      last = this.temp(Type.i64);
      this.lea(M.lea64, last, far, index, scale, 0);
    }
    this.trapAbove(last, header, MemoryHeader.length, TrapKind.out_of_bounds_memory, 64);
    this.low.setOffset(offset);
  }

  /** Traps if value > field of `header`, unsigned. */
  trapAbove(value: number, header: number, field: number, kind: TrapKind, bits: 32 | 64): void {
    this.cell(header, field);
    this.inst(
      compareOp(bits === 64 ? Producer.cmp64 : Producer.cmp32, Consumer.trap), 0, this.memDisp,
      Form.rm | this.memShape() | (Cond.a << Shape.condShift) | (kind << Shape.trapShift),
    );
    this.add(value, U.reg);
    this.addMem();
  }

  /** Traps as the conversion of the float `x` if the two 64-bit registers differ. */
  trapUnlessEqual64(a: number, b: number, x: number, type: Type): void {
    const check = type === Type.f64 ? Shape.nanCheck64 : Shape.nanCheck32;
    this.inst(compareOp(Producer.cmp64, Consumer.trap), 0, 0, Form.rr | (Cond.ne << Shape.condShift) | (TrapKind.integer_overflow << Shape.trapShift) | check);
    this.add(a, U.reg);
    this.add(b, U.reg);
    this.add(x, U.reg);
  }
}
