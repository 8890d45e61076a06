// What all selection rules share: emitting instructions with operands, the memory operand, the right-hand operand.
//
// `mem` and `rhs` are single scratch records, filled by one question and read by the emission that follows: no object per
// instruction. Rule of the whole selection: an i32 in a register is zero-extended to 64 bits, whatever made it. So an i32
// value serves as `i64.extend_i32_u`; `i32.wrap_i64` costs a `mov` unless its user ignores the upper half, as addresses do.
import { NONE, type Block, type Edge, type GlobalIndex, type MemoryIndex, type Value } from "../../ir/entity.js";
import type { Func } from "../../ir/func.js";
import { MAX_GROWN_PAGES, MemoryHeader, TrapKind, type VmLayout } from "../../ir/layout.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { Opnd, type MFunc } from "../../ir/machine/mfunc.js";
import { Accesses, type Reach } from "../access.js";
import type { Lowering } from "../lower.js";
import { Pointers } from "../pointers.js";
import { largest } from "../ranges.js";
import type { CodegenOptions } from "../target.js";
import { fitsAdd, fitsDisplacement, floatImmediate32, floatImmediate64, logicalImmediate, movLength } from "./encode.js";
import { Base, Consumer, Form, M, Producer, Shape, compareOp } from "./mops.js";
import { Cond, Extend, Shift } from "./opcodes.js";

/** Operand infos in use. */
export const enum U {
  reg = Opnd.use | Opnd.reg,
  regLate = Opnd.use | Opnd.reg | Opnd.flip,
  fixed = Opnd.use | Opnd.fixed,
  def = Opnd.def | Opnd.reg,
  defFixed = Opnd.def | Opnd.fixed,
  defSame = Opnd.def | Opnd.same,
}

/** What a right-hand operand may be besides a register; bits for `operand`. */
export const enum Take {
  /** An immediate of add and sub. */
  sum = 1,
  /** The immediate of a logical operation. */
  mask = 2,
  /** A shift by a constant. */
  shift = 4,
  /** Rotations, too. */
  rotate = 8,
  /** A sign extension (64 bits). */
  extend = 16,
}

export type Bits = 32 | 64;

/** Values of a function at most whose constants a label can reach: 1 MiB at 32 bytes each. */
const MAX_POOL_VALUES = 32768;

/** Values made at a function's start for its loops, at most: each has a life as long as the function. */
const MAX_READY = 16;

const noRegister = -1;
const NOTHING: readonly number[] = [];

/** A pointer is as far below as its accesses need to have no sign, where one addition reaches. */
const reach: Reach = {
  fits: (displacement, bytes) => fitsDisplacement(displacement, 31 - Math.clz32(bytes)),
  below: (lowest) => (lowest >= -256 ? 0 : lowest >= -0xff0 ? (-lowest + 15) & -16 : (-lowest + 0xfff) & -0x1000),
  base: 0xffffff,
  adds: fitsAdd,
};

export class Selection {
  readonly fn: Func;
  readonly mfn: MFunc;
  readonly layout: VmLayout;
  readonly options: CodegenOptions;
  readonly explicitBounds: boolean;

  // The memory operand last made.
  memBase = Base.memory as number;
  memBaseReg = noRegister;
  memIndex = noRegister;
  memScale = 0;
  memDisp = 0;
  memFault = TrapKind.none as number;
  memOffset = 0;

  // The right-hand operand last made: form, its immediate (both halves, or shift), its register.
  rhsForm = Form.reg as number;
  rhsImm = 0;
  rhsImm2 = 0;
  rhsReg = noRegister;
  /** The immediate is that of the opposite operation (sub for add). */
  rhsNegated = false;

  constructor(readonly low: Lowering) {
    this.fn = low.fn;
    this.mfn = low.mfn;
    this.layout = low.module.layout;
    this.options = low.options;
    this.explicitBounds = low.options.bounds === "explicit";
    this.pointerRegs = new Int32Array(low.fn.valueCount).fill(noRegister);
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

  private addMem(): void {
    if (this.memBase === Base.reg || this.memBase === Base.pointer) this.low.operand(this.memBaseReg, U.reg);
    if (this.memIndex !== noRegister) this.low.operand(this.memIndex, U.reg);
    if (this.memOffset !== 0) this.low.setOffset(this.memOffset);
  }

  /** def <- op(memory operand). */
  load(op: number, def: number): void {
    this.inst(op, 0, this.memDisp | 0, this.memShape());
    this.add(def, U.def);
    this.addMem();
  }

  /** memory operand <- register. */
  store(op: number, source: number): void {
    this.inst(op, 0, this.memDisp | 0, this.memShape());
    this.add(source, U.reg);
    this.addMem();
  }

  /** memory operand <- 0. */
  storeZero(op: number): void {
    this.inst(op, 0, this.memDisp | 0, this.memShape() | Shape.zero);
    this.addMem();
  }

  /** def <- op(use). */
  unary(op: number, def: number, source: number, imm = 0, imm2 = 0, imm3 = 0): void {
    this.inst(op, imm, imm2, imm3);
    this.add(def, U.def);
    this.add(source, U.reg);
  }

  /** def <- op(left, right-hand operand). */
  binary(op: number, def: number, left: number): void {
    this.inst(op, this.rhsForm === Form.reg ? 0 : this.rhsImm, this.rhsForm === Form.imm ? this.rhsImm2 : 0, this.rhsForm);
    this.add(def, U.def);
    this.add(left, U.reg);
    if (this.rhsForm !== Form.imm) this.add(this.rhsReg, U.reg);
  }

  binaryReg(op: number, def: number, left: number, right: number, imm = 0): void {
    this.inst(op, imm);
    this.add(def, U.def);
    this.add(left, U.reg);
    this.add(right, U.reg);
  }

  binaryImm(op: number, def: number, left: number, imm: number, imm2 = 0): void {
    this.inst(op, imm, imm2, Form.imm);
    this.add(def, U.def);
    this.add(left, U.reg);
  }

  /** def <- op(left, right shifted or extended): `kind` is Form.shifted with a Shift, or Form.extended with an Extend. */
  binaryModified(op: number, def: number, left: number, right: number, form: Form, kind: number, amount: number): void {
    this.inst(op, (kind << 6) | amount, 0, form);
    this.add(def, U.def);
    this.add(left, U.reg);
    this.add(right, U.reg);
  }

  ternary(op: number, def: number, n: number, m: number, a: number): void {
    this.inst(op);
    this.add(def, U.def);
    this.add(n, U.reg);
    this.add(m, U.reg);
    this.add(a, U.reg);
  }

  /** d = a shifted by a constant, 0..bits-1. */
  shiftImm(shift: Shift.lsl | Shift.lsr | Shift.asr, d: number, a: number, k: number, bits: Bits): void {
    const wide = bits === 64 ? 1 : 0;
    if (k === 0) this.unary(M.mov32 + wide, d, a);
    else if (shift === Shift.lsl) this.unary(M.ubfm32 + wide, d, a, bits - k, bits - 1 - k);
    else this.unary((shift === Shift.lsr ? M.ubfm32 : M.sbfm32) + wide, d, a, k, bits - 1);
  }

  const32(imm: number): number {
    return this.ready(M.iconst32, Type.i32, imm, 0);
  }

  const64(lo: number, hi: number): number {
    return this.ready(M.iconst64, Type.i64, lo, hi);
  }

  /** An unsigned 32-bit number, or a little above, as 64-bit constant. */
  constOf(n: number): number {
    return this.const64(n | 0, Math.floor(n / 4294967296));
  }

  /** A never-changing field of the vm-context. */
  ctxField(offset: number): number {
    return this.ready(M.ctx_load, Type.i64, offset, 0);
  }

  // Values that instructions in loops ask for and that are made at the function's start, the same only once.
  private readonly readyOp: number[] = [];
  private readonly readyImm: number[] = [];
  private readonly readyImm2: number[] = [];
  private readonly readyReg: number[] = [];

  /** An operation without register uses: in a loop, one at the function's start, else a new one here. */
  private ready(op: M, type: Type, imm: number, imm2: number): number {
    const inLoop = this.low.depthOf(this.low.rootBlock) > 0;
    if (inLoop || op === M.memory_base) {
      for (let k = 0; k < this.readyOp.length; k++) {
        if (this.readyOp[k] === op && this.readyImm[k] === imm && this.readyImm2[k] === imm2) return this.readyReg[k]!;
      }
    }
    const r = this.temp(type);
    this.mfn.setRemat(r, op, imm, imm2);
    if ((inLoop && this.readyOp.length < MAX_READY) || op === M.memory_base) {
      this.readyOp.push(op);
      this.readyImm.push(imm);
      this.readyImm2.push(imm2);
      this.readyReg.push(r);
    } else {
      this.inst(op, imm, imm2);
      this.add(r, U.def);
    }
    return r;
  }

  /** The function's start. */
  entry(): void {
    for (let k = 0; k < this.readyOp.length; k++) {
      this.low.inst(this.readyOp[k]!, this.readyImm[k]!, this.readyImm2[k]!, 0, 0);
      this.add(this.readyReg[k]!, U.def);
    }
  }

  // ---------------------------------------------------------------- registers of values

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

  narrow(v: Value, bits: Bits): Value {
    return bits === 32 ? this.low32(v) : this.wide(v);
  }

  regOf(v: Value, bits: Bits): number {
    return this.low.reg(this.narrow(v, bits));
  }

  arg(v: Value, i: number): Value {
    return this.low.source(this.fn.pool[this.fn.argStart[v]! + i]! as Value);
  }

  // ---------------------------------------------------------------- constants

  isConst(v: Value): boolean {
    return this.fn.op[v] === Op.i32_const || this.fn.op[v] === Op.i64_const;
  }

  /** Upper half of an integer constant as a 64-bit number. */
  high(v: Value): number {
    return this.fn.op[v] === Op.i64_const ? this.fn.imm2[v]! : 0;
  }

  /** A constant that is its low half sign-extended to the width. */
  isSmall(v: Value, bits: Bits): boolean {
    return this.isConst(v) && (bits === 32 || this.high(v) === this.fn.imm[v]! >> 31);
  }

  isZero(v: Value, bits: Bits): boolean {
    return this.isConst(v) && this.fn.imm[v] === 0 && (bits === 32 || this.high(v) === 0);
  }

  /** The machine op of a float constant's cheapest way, and its immediates in `constImm`, `constImm2`. */
  floatConstant(lo: number, hi: number, type: Type): M {
    const double = type === Type.f64;
    this.constImm = lo;
    this.constImm2 = double ? hi : 0;
    const here = double ? floatImmediate64(lo, hi) >= 0 || movLength(lo, hi) === 1 : floatImmediate32(lo) >= 0 || movLength(lo, 0) === 1;
    if (here || this.fn.valueCount > MAX_POOL_VALUES) return double ? M.fconst64 : M.fconst32;
    const bytes = new Uint8Array(double ? 8 : 4);
    const view = new DataView(bytes.buffer);
    view.setInt32(0, lo, true);
    if (double) view.setInt32(4, hi, true);
    this.constImm = this.mfn.constant(bytes);
    this.constImm2 = 0;
    return double ? M.fpool64 : M.fpool32;
  }
  constImm = 0;
  constImm2 = 0;

  // ---------------------------------------------------------------- right-hand operand

  /**
   * Makes `v` the right-hand operand of an integer instruction of that width. Emits what the operand needs, so ask for all
   * registers of the instruction before it is started.
   */
  operand(v: Value, bits: Bits, take: number): void {
    const { fn, low } = this;
    v = this.narrow(v, bits);
    const op = fn.op[v]! as Op;
    this.rhsNegated = false;
    if (this.isConst(v)) {
      const lo = fn.imm[v]!;
      const hi = bits === 64 ? this.high(v) : 0;
      if (take & Take.sum && this.isSmall(v, bits) && (fitsAdd(lo) || fitsAdd(-lo))) {
        this.rhsForm = Form.imm;
        this.rhsNegated = !fitsAdd(lo);
        this.rhsImm = this.rhsNegated ? -lo : lo;
        this.rhsImm2 = 0;
        return;
      }
      if (take & Take.mask && logicalImmediate(lo, bits === 32 ? lo : hi) >= 0) {
        this.rhsForm = Form.imm;
        this.rhsImm = lo;
        this.rhsImm2 = hi;
        return;
      }
    }
    if (take & (Take.shift | Take.rotate)) {
      const kind = shiftKind(bits === 64 ? op - (Op.i64_shl - Op.i32_shl) : op, bits === 64 ? op >= Op.i64_shl : op < Op.i64_shl);
      if (kind >= 0 && (kind < Shift.ror || take & Take.rotate) && low.canMerge(v)) {
        const c = this.arg(v, 1);
        if (this.isConst(c)) {
          let amount = fn.imm[c]! & (bits - 1);
          if (op === Op.i32_rotl || op === Op.i64_rotl) amount = (bits - amount) & (bits - 1);
          this.rhsForm = Form.shifted;
          this.rhsImm = (kind << 6) | amount;
          // A right shift reads all bits of an i32, and they are there: both widths shift what the type has.
          this.rhsReg = this.regOf(this.arg(v, 0), bits);
          return;
        }
      }
    }
    if (take & Take.extend && bits === 64 && op === Op.i64_extend_i32_s && low.canMerge(v)) {
      this.rhsForm = Form.extended;
      this.rhsImm = Extend.sxtw << 6;
      this.rhsReg = low.reg(this.low32(this.arg(v, 0)));
      return;
    }
    this.rhsForm = Form.reg;
    this.rhsReg = low.reg(v);
  }

  // ---------------------------------------------------------------- memory operand

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

  globalCell(index: number): void {
    const offset = this.layout.global(index as GlobalIndex);
    if (this.low.module.module.globals[index]!.imported) this.cell(this.ctxField(offset), 0);
    else this.ctxCell(offset);
  }

  /** Made at the first access; none where bounds are checked: what a memory's base is may change there. */
  private pointers: Pointers | undefined;
  private accesses: Accesses | undefined;

  plan(): Pointers | undefined {
    const memory = this.low.module.module.memories[0];
    if (this.explicitBounds || this.options.level === 0 || memory === undefined) return undefined;
    this.accesses ??= new Accesses(this.fn, memory.limits.min <= MAX_GROWN_PAGES, reach);
    return (this.pointers ??= new Pointers(this.low, this.accesses));
  }

  /** The pointer of a value, by value. */
  private readonly pointerRegs: Int32Array;

  private pointerOf(v: Value): number {
    if (this.pointerRegs[v] === noRegister) {
      this.pointerRegs[v] = this.temp(Type.i64);
      if (!this.pointers!.inductions?.has(v)) this.low.wantBehind(v);
    }
    return this.pointerRegs[v]!;
  }

  /** d = the pointer of an i32 in a register. */
  private pointTo(d: number, index: number, below: number): void {
    if (below === 0) this.unary(M.pointer, d, index);
    else this.binaryModified(M.add64, d, this.memoryBase(-below), index, Form.extended, Extend.uxtw, 0);
  }

  /** Behind an index its pointer. */
  behind(v: Value): void {
    this.pointTo(this.pointerRegs[v]!, this.low.reg(this.low32(v)), this.pointers!.belowOf(v));
  }

  /** At the end of a loop's round the pointers that walk along with it. */
  atEnd(b: Block): void {
    const inductions = this.pointers?.inductions;
    if (inductions === undefined) return;
    for (let id = inductions.firstAtEnd[b]!; id !== NONE; id = inductions.nextAtEnd[id]!) {
      const step = inductions.step[id]!;
      this.binaryImm(step < 0 ? M.sub64 : M.add64, this.steppedRegs[id]!, this.pointerOf(inductions.index[id]!), Math.abs(step));
    }
  }

  /** By induction: the pointer of the next round. */
  private readonly steppedRegs: number[] = [];

  /** Pointers that walk along with the loop of that header. */
  carried(b: Block): readonly number[] {
    const inductions = this.plan()?.inductions;
    if (inductions === undefined || inductions.firstOf[b] === NONE) return NOTHING;
    const regs: number[] = [];
    for (let id = inductions.firstOf[b]!; id !== NONE; id = inductions.nextOf[id]!) {
      regs.push(this.pointerOf(inductions.index[id]!));
      this.steppedRegs[id] = this.temp(Type.i64);
    }
    return regs;
  }

  /** The same on an edge to the header: where the loop is entered the pointer is made from what the index would be. */
  carriedOn(e: Edge): readonly number[] {
    const inductions = this.pointers?.inductions;
    const header = this.fn.edgeTo[e]! as Block;
    if (inductions === undefined || inductions.firstOf[header] === NONE) return NOTHING;
    const regs: number[] = [];
    for (let id = inductions.firstOf[header]!; id !== NONE; id = inductions.nextOf[id]!) {
      if (inductions.goesRound(e)) {
        regs.push(this.steppedRegs[id]!);
        continue;
      }
      const r = this.temp(Type.i64);
      regs.push(r);
      this.pointTo(r, this.onEntry(inductions.index[id]!, e, this.low.loops!.loopOf[header]!), inductions.below[id]!);
    }
    return regs;
  }

  /** What a value of the loop will be in its first round, where edge `e` enters. */
  private onEntry(v: Value, e: Edge, loop: number): number {
    const { fn, low } = this;
    if (!this.pointers!.inductions!.isInside(v, loop)) return low.reg(v);
    if (fn.op[v] === Op.param) return low.reg(fn.edgeArg(e, fn.imm[v]!));
    if (fn.op[v] === Op.i32_const) return this.const32(fn.imm[v]!);
    const a = this.onEntry(fn.arg(v, 0), e, loop);
    const d = this.temp(Type.i32);
    if (fn.op[v] === Op.i32_shl) {
      this.shiftImm(Shift.lsl, d, a, fn.imm[fn.arg(v, 1)]! & 31, 32);
      return d;
    }
    const b = this.onEntry(fn.arg(v, 1), e, loop);
    this.binaryReg(fn.op[v] === Op.i32_add ? M.add32 : fn.op[v] === Op.i32_sub ? M.sub32 : M.mul32, d, a, b);
    return d;
  }

  /** Memory 0's base + `displacement`, in a register. */
  private memoryBase(displacement: number): number {
    return this.ready(M.memory_base, Type.i64, displacement, 0);
  }

  /** The memory operand of a load or store `v` of that many bytes, with its bounds check where checks are explicit. */
  address(v: Value, bytes: number): void {
    const { fn, low } = this;
    const memory = fn.imm2[v]!;
    let disp = fn.imm[v]! >>> 0;
    let index = noRegister;
    let scale = 0;
    let a = this.arg(v, 0);
    let base = noRegister;
    let baseKind = memory === 0 ? Base.memory : Base.reg;
    if (fn.op[a] === Op.i32_const && (fn.imm[a]! >>> 0) + disp <= 0xffffffff) {
      disp += fn.imm[a]! >>> 0;
    } else {
      const pointers = memory === 0 ? this.plan() : undefined;
      if (pointers !== undefined && disp === 0 && fn.op[a] === Op.i32_add && this.isConst(this.arg(a, 1)) && this.accesses!.isBelow(fn.imm[this.arg(a, 1)]!)) {
        const below = fn.imm[this.arg(a, 1)]!;
        if (pointers.reach(this.arg(a, 0), below, bytes) >= 0 || pointers.bases.includes(below)) {
          disp = below;
          a = low.source(low.through(a));
        }
      }
      // An addition that cannot wrap goes into the displacement, a shift that loses nothing into the scale.
      while (disp >= 0 && !pointers?.inductions?.has(a) && fn.op[a] === Op.i32_add && low.canMerge(a)) {
        const c = this.arg(a, 1);
        const x = this.arg(a, 0);
        if (fn.op[c] !== Op.i32_const || largest(fn, x) + (fn.imm[c]! >>> 0) > 0xffffffff || disp + (fn.imm[c]! >>> 0) > 0xffffffff) break;
        disp += fn.imm[c]! >>> 0;
        a = x;
      }
      const below = pointers === undefined ? -1 : pointers.reach(a, disp, bytes);
      if (below >= 0) {
        base = this.pointerOf(a);
        baseKind = Base.pointer;
        disp += below;
      } else {
        if (disp !== 0 && pointers !== undefined && pointers.bases.includes(disp)) {
          base = this.memoryBase(disp);
          baseKind = Base.reg;
          disp = 0;
        }
        if (!this.explicitBounds && fn.op[a] === Op.i32_shl && low.canMerge(a)) {
          const c = this.arg(a, 1);
          const x = this.arg(a, 0);
          const k = fn.op[c] === Op.i32_const ? fn.imm[c]! : 0;
          if (k > 0 && k <= 3 && (disp !== 0 || 1 << k === bytes) && largest(fn, x) * (1 << k) <= 0xffffffff) {
            scale = k;
            a = x;
          }
        }
        index = low.reg(this.explicitBounds ? a : this.low32(a));
      }
    }
    if (this.explicitBounds) this.checkBounds(memory, index, disp + bytes, fn.offset[v]!);
    if (memory !== 0) {
      base = this.temp(Type.i64);
      this.cell(this.ctxField(this.layout.memory(memory as MemoryIndex)), MemoryHeader.base);
      this.load(M.ldr64, base);
    }
    this.memBase = baseKind;
    this.memBaseReg = base;
    this.memIndex = index;
    this.memScale = scale;
    this.memDisp = disp;
    this.memFault = this.explicitBounds ? TrapKind.none : TrapKind.out_of_bounds_memory;
    this.memOffset = fn.offset[v]!;
  }

  /** Traps unless index + end <= length of the memory. */
  private checkBounds(memory: number, index: number, end: number, offset: number): void {
    const header = this.ctxField(this.layout.memory(memory as MemoryIndex));
    let last: number;
    if (index === noRegister) last = this.constOf(end);
    else {
      last = this.temp(Type.i64);
      if (fitsAdd(end)) this.binaryImm(M.add64, last, index, end);
      else this.binaryReg(M.add64, last, index, this.constOf(end));
    }
    this.trapAbove(last, header, MemoryHeader.length, TrapKind.out_of_bounds_memory);
    this.low.setOffset(offset);
  }

  /** Traps if the 64-bit value > field of `header`, unsigned. */
  trapAbove(value: number, header: number, field: number, kind: TrapKind): void {
    const limit = this.temp(Type.i64);
    this.cell(header, field);
    this.load(M.ldr64, limit);
    this.trapIf(Producer.cmp64, Cond.hi, kind, value, limit);
  }

  /** Traps with `kind` if `cond` holds between two registers. `shape`: more bits; the value to report is added by the caller. */
  trapIf(producer: Producer, cond: Cond, kind: TrapKind, left: number, right: number, shape = 0): void {
    this.inst(compareOp(producer, Consumer.trap), 0, 0, Form.reg | (cond << Shape.condShift) | (kind << Shape.trapShift) | shape);
    this.add(left, U.reg);
    this.add(right, U.reg);
  }

  /** The same with an immediate. */
  trapIfImm(producer: Producer, cond: Cond, kind: TrapKind, left: number, imm: number, shape = 0): void {
    this.inst(compareOp(producer, Consumer.trap), imm, 0, Form.imm | (cond << Shape.condShift) | (kind << Shape.trapShift) | shape);
    this.add(left, U.reg);
  }
}

/** `Shift` of an i32 shift op (`inFamily`: it is one of the width asked for), else -1; a left rotation counts as ror. */
function shiftKind(op: number, inFamily: boolean): number {
  if (!inFamily) return -1;
  switch (op) {
    case Op.i32_shl: return Shift.lsl;
    case Op.i32_shr_u: return Shift.lsr;
    case Op.i32_shr_s: return Shift.asr;
    case Op.i32_rotl: case Op.i32_rotr: return Shift.ror;
    default: return -1;
  }
}
