// Conditions: compares, and whatever else is tested for zero, => one machine op of the compare families.
//
// `Condition.of(v)` looks at how an i32 condition is made (a compare that has no other user, an `and`, a bit test, any
// value) and remembers what sets the flags and which condition then holds; `start` and `operands` make the op for one of
// the consumers (branch, cset, csel, trap). Whether that becomes cbz or tbz is emission's matter.
import type { Value } from "../../ir/entity.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { Form, Producer, Shape, compareOp, type Consumer } from "./mops.js";
import { Cond } from "./opcodes.js";
import { Take, U, type Bits, type Selection } from "./selection.js";

/** Conditions of the integer compares from eq on, in the order of the ops. */
const integerConds = [Cond.eq, Cond.ne, Cond.lt, Cond.lo, Cond.gt, Cond.hi, Cond.le, Cond.ls, Cond.ge, Cond.hs];
/** eq ne lt gt le ge of floats: false where unordered, but for ne. */
const floatConds = [Cond.eq, Cond.ne, Cond.mi, Cond.gt, Cond.ls, Cond.ge];

export class Condition {
  private producer = Producer.cmp32 as number;
  private form = Form.imm as number;
  cond = Cond.ne as Cond;
  private left = -1;
  private right = -1;
  private imm = 0;
  private imm2 = 0;

  constructor(private readonly s: Selection) {}

  /** The condition "v is not zero". Registers it needs are asked for, small constants emitted. */
  of(v: Value): void {
    const { s } = this;
    const { fn, low } = s;
    let negated = false;
    v = s.low32(v);
    // not (not x)
    while (fn.op[v] === Op.i32_eqz && low.canMerge(v)) {
      negated = !negated;
      v = s.low32(s.arg(v, 0));
    }
    this.compareOf(v, low.canMerge(v));
    if (negated) this.cond = this.cond ^ 1;
  }

  /** The condition "v is not zero" by looking into v itself where `inside`. */
  compareOf(v: Value, inside: boolean): void {
    const { s } = this;
    const op = s.fn.op[v]! as Op;
    if (!inside) return this.withImm(Producer.cmp32, s.low.reg(v), 0, 0, Cond.ne);
    if (op === Op.i32_eqz || op === Op.i64_eqz) {
      this.zeroTest(s.arg(v, 0), op === Op.i32_eqz ? 32 : 64);
      this.cond = this.cond ^ 1;
      return;
    }
    if (op >= Op.i32_eq && op <= Op.i32_ge_u) return this.integers(v, integerConds[op - Op.i32_eq]!, 32);
    if (op >= Op.i64_eq && op <= Op.i64_ge_u) return this.integers(v, integerConds[op - Op.i64_eq]!, 64);
    if (op >= Op.f32_eq && op <= Op.f64_ge) return this.floats(v, op);
    if (op === Op.ref_is_null) return this.withImm(Producer.cmp64, s.low.reg(s.arg(v, 0)), 0, 0, Cond.eq);
    this.zeroTest(v, 32);
  }

  private withImm(producer: Producer, left: number, imm: number, imm2: number, cond: Cond): void {
    this.producer = producer;
    this.form = Form.imm;
    this.left = left;
    this.imm = imm;
    this.imm2 = imm2;
    this.cond = cond;
  }

  /** With the right-hand operand last made. */
  private withOperand(producer: Producer, left: number, cond: Cond): void {
    const { s } = this;
    this.producer = producer;
    this.form = s.rhsForm;
    this.left = left;
    this.right = s.rhsReg;
    this.imm = s.rhsForm === Form.reg ? 0 : s.rhsNegated && s.rhsForm === Form.imm ? -s.rhsImm : s.rhsImm;
    this.imm2 = s.rhsForm === Form.imm ? s.rhsImm2 : 0;
    this.cond = cond;
  }

  /** "x is not zero", x of that width. */
  private zeroTest(x: Value, bits: Bits): void {
    const { s } = this;
    x = s.narrow(x, bits);
    const op = s.fn.op[x];
    if ((op === Op.i32_and || op === Op.i64_and) && s.low.canMerge(x)) return this.test(x, op === Op.i32_and || bits === 32 ? 32 : 64);
    this.withImm(bits === 32 ? Producer.cmp32 : Producer.cmp64, s.low.reg(x), 0, 0, Cond.ne);
  }

  /** "a & b is not zero". */
  private test(x: Value, bits: Bits): void {
    const { s } = this;
    const { fn, low } = s;
    const a = s.narrow(s.arg(x, 0), bits);
    const b = s.narrow(s.arg(x, 1), bits);
    const producer = bits === 32 ? Producer.tst32 : Producer.tst64;
    if (s.isConst(b)) {
      const hi = bits === 64 ? s.high(b) : 0;
      const lo = fn.imm[b]!;
      // (y >> n) & 1: bit n of y
      const shifted = bits === 32 ? fn.op[a] === Op.i32_shr_u || fn.op[a] === Op.i32_shr_s : fn.op[a] === Op.i64_shr_u || fn.op[a] === Op.i64_shr_s;
      if (lo === 1 && hi === 0 && shifted && s.isConst(s.arg(a, 1)) && low.canMerge(a)) {
        const n = fn.imm[s.arg(a, 1)]! & (bits - 1);
        return this.withImm(producer, s.regOf(s.arg(a, 0), bits), n < 32 ? 1 << n : 0, n < 32 ? 0 : 1 << (n - 32), Cond.ne);
      }
    }
    s.operand(b, bits, Take.mask | Take.shift | Take.rotate);
    this.withOperand(producer, low.reg(a), Cond.ne);
  }

  private integers(v: Value, cond: Cond, bits: Bits): void {
    const { s } = this;
    let a = s.narrow(s.arg(v, 0), bits);
    let b = s.narrow(s.arg(v, 1), bits);
    if (s.isConst(a) && !s.isConst(b)) {
      [a, b] = [b, a];
      cond = exchanged(cond);
    }
    if (s.isZero(b, bits) && (cond === Cond.eq || cond === Cond.ne)) {
      this.zeroTest(a, bits);
      if (cond === Cond.eq) this.cond = this.cond ^ 1;
      return;
    }
    s.operand(b, bits, Take.sum | Take.shift | Take.extend);
    this.withOperand(bits === 32 ? Producer.cmp32 : Producer.cmp64, s.low.reg(a), cond);
  }

  private floats(v: Value, op: Op): void {
    const { s } = this;
    const double = op >= Op.f64_eq;
    let cond = floatConds[double ? op - Op.f64_eq : op - Op.f32_eq]!;
    const producer = double ? Producer.fcmp64 : Producer.fcmp32;
    let a = s.arg(v, 0);
    let b = s.arg(v, 1);
    if (isFloatZero(s, a) && !isFloatZero(s, b)) {
      [a, b] = [b, a];
      cond = exchangedFloat(cond);
    }
    if (isFloatZero(s, b)) return this.withImm(producer, s.low.reg(a), 0, 0, cond);
    this.form = Form.reg;
    this.producer = producer;
    this.imm = 0;
    this.imm2 = 0;
    this.cond = cond;
    this.left = s.low.reg(a);
    this.right = s.low.reg(b);
  }

  // ---------------------------------------------------------------- emission

  /** Starts the machine op for a consumer; add the consumer's own operands, then call `operands`. */
  start(consumer: Consumer): void {
    this.s.inst(compareOp(this.producer, consumer), this.imm, this.imm2, this.form | (this.cond << Shape.condShift));
  }

  operands(): void {
    this.s.add(this.left, U.reg);
    if (this.form !== Form.imm) this.s.add(this.right, U.reg);
  }
}

/** Of either sign: compares do not tell them apart. */
function isFloatZero(s: Selection, v: Value): boolean {
  const { fn } = s;
  if (fn.op[v] === Op.f32_const) return (fn.imm[v]! & 0x7fffffff) === 0;
  return fn.op[v] === Op.f64_const && fn.type[v] === Type.f64 && fn.imm[v] === 0 && (fn.imm2[v]! & 0x7fffffff) === 0;
}

/** The condition for exchanged operands. */
function exchanged(c: Cond): Cond {
  switch (c) {
    case Cond.lo: return Cond.hi;
    case Cond.hi: return Cond.lo;
    case Cond.hs: return Cond.ls;
    case Cond.ls: return Cond.hs;
    case Cond.lt: return Cond.gt;
    case Cond.gt: return Cond.lt;
    case Cond.ge: return Cond.le;
    case Cond.le: return Cond.ge;
    default: return c;
  }
}

function exchangedFloat(c: Cond): Cond {
  switch (c) {
    case Cond.mi: return Cond.gt;
    case Cond.gt: return Cond.mi;
    case Cond.ls: return Cond.ge;
    case Cond.ge: return Cond.ls;
    default: return c;
  }
}
