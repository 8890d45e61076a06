// Conditions: compares, and whatever else is tested for zero, => one machine op of the compare families.
//
// `Condition.of(v)` looks at how an i32 condition is made (a compare that has no other user, an `and`, a bit test, any
// value) and remembers what sets the flags and which condition then holds; `start` and `operands` make the op for one of
// the consumers (branch, cset, csel, trap). Whether that becomes cbz or tbz is emission's matter.
import { NONE, type Value } from "../../ir/entity.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import { Consumer, Form, M, Producer, Shape, compareOp } from "./mops.js";
import { Cond, exchanged } from "./opcodes.js";
import { Take, U, type Bits, type Selection } from "./selection.js";

/** Conditions of the integer compares from eq on, in the order of the ops. */
const integerConds = [Cond.eq, Cond.ne, Cond.lt, Cond.lo, Cond.gt, Cond.hi, Cond.le, Cond.ls, Cond.ge, Cond.hs];
/** eq ne lt gt le ge of floats: false where unordered, but for ne. */
const floatConds = [Cond.eq, Cond.ne, Cond.mi, Cond.gt, Cond.ls, Cond.ge];

/** A compare is made again for so many users at most; conditions joined are so many at most. */
const MAX_REPEATS = 4;
const MAX_JOINED = 6;

export class Condition {
  private producer = Producer.cmp32 as number;
  private form = Form.imm as number;
  cond = Cond.ne as Cond;
  private left = -1;
  private right = -1;
  private imm = 0;
  private imm2 = 0;
  /** Shape bits of a second compare. */
  private link = 0;

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
    this.compareOf(v, low.canMerge(v) || this.repeats(v));
    if (negated) this.cond = this.cond ^ 1;
  }

  /** A compare that several conditions of the block want is made for each: emission leaves out what follows its like. */
  private repeats(v: Value): boolean {
    const { fn, low } = this.s;
    if (!isCompare(fn.op[v]!) || fn.block[v] !== low.rootBlock || low.vreg[v] !== NONE || low.useCount[v]! > MAX_REPEATS) return false;
    low.repeat(v);
    return true;
  }

  /** Whether `v` is an `and` or `or` of compares that the root, or `v` as root, can take in. */
  joins(v: Value, depth = 0): boolean {
    const { fn, low } = this.s;
    if ((fn.op[v] !== Op.i32_and && fn.op[v] !== Op.i32_or) || depth > MAX_JOINED) return false;
    const [a, b] = [this.s.arg(v, 0), this.s.arg(v, 1)];
    if (!low.canMerge(a) || !low.canMerge(b)) return false;
    const [left, right] = [isCompare(fn.op[a]!), isCompare(fn.op[b]!)];
    return left && right ? true : left ? this.joins(b, depth + 1) : right && this.joins(a, depth + 1);
  }

  /** Both conditions by one compare behind the other, which is made only if the first leaves it open. */
  private join(v: Value): void {
    const { s } = this;
    let [first, second] = [s.arg(v, 0), s.arg(v, 1)];
    if (!isCompare(s.fn.op[second]!)) [first, second] = [second, first];
    const and = s.fn.op[v] === Op.i32_and;
    this.compareOf(first, true);
    this.start(Consumer.flags);
    this.operands();
    const link = and ? this.cond : this.cond ^ 1;
    this.linked(second);
    // Where the first has decided: flags with which the second's condition fails (and), holds (or).
    const flags = and ? failing(this.cond) : failing(this.cond ^ 1);
    this.link = (link << Shape.linkShift) | (flags << Shape.flagsShift);
  }

  /** A compare as second of two: registers, or an immediate of 5 bits. */
  private linked(v: Value): void {
    const { s } = this;
    const { fn, low } = s;
    const op = fn.op[v]! as Op;
    let a = s.arg(v, 0);
    if (op === Op.i32_eqz || op === Op.i64_eqz || op === Op.ref_is_null) {
      const wide = op !== Op.i32_eqz;
      return this.withImm(wide ? Producer.ccmp64 : Producer.ccmp32, op === Op.ref_is_null ? low.reg(a) : s.regOf(a, wide ? 64 : 32), 0, 0, Cond.eq);
    }
    let b = s.arg(v, 1);
    if (op >= Op.f32_eq) {
      const double = op >= Op.f64_eq;
      this.withRegister(double ? Producer.fccmp64 : Producer.fccmp32, low.reg(a), low.reg(b), floatConds[double ? op - Op.f64_eq : op - Op.f32_eq]!);
      return;
    }
    const bits: Bits = op >= Op.i64_eq ? 64 : 32;
    let cond = integerConds[bits === 64 ? op - Op.i64_eq : op - Op.i32_eq]!;
    a = s.narrow(a, bits);
    b = s.narrow(b, bits);
    if (s.isConst(a) && !s.isConst(b)) {
      [a, b] = [b, a];
      cond = exchanged(cond);
    }
    const producer = bits === 64 ? Producer.ccmp64 : Producer.ccmp32;
    if (s.isSmall(b, bits) && Math.abs(fn.imm[b]!) <= 31) return this.withImm(producer, low.reg(a), fn.imm[b]!, 0, cond);
    this.withRegister(producer, low.reg(a), low.reg(b), cond);
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
    if (this.joins(v)) return this.join(v);
    this.zeroTest(v, 32);
  }

  private withImm(producer: Producer, left: number, imm: number, imm2: number, cond: Cond): void {
    this.link = 0;
    this.producer = producer;
    this.form = Form.imm;
    this.left = left;
    this.imm = imm;
    this.imm2 = imm2;
    this.cond = cond;
  }

  private withRegister(producer: Producer, left: number, right: number, cond: Cond): void {
    this.link = 0;
    this.producer = producer;
    this.form = Form.reg;
    this.left = left;
    this.right = right;
    this.imm = 0;
    this.imm2 = 0;
    this.cond = cond;
  }

  /** With the right-hand operand last made. */
  private withOperand(producer: Producer, left: number, cond: Cond): void {
    const { s } = this;
    this.link = 0;
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
    if (s.low.canMerge(x) && this.joins(x)) return this.join(x);
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
    // (1 << n) & c: bit n of c
    const one = fn.op[a] === (bits === 32 ? Op.i32_shl : Op.i64_shl) && low.canMerge(a) ? s.arg(a, 0) : NONE;
    if (one !== NONE && s.isConst(one as Value) && fn.imm[one] === 1 && s.isSmall(one as Value, bits)) {
      const field = low.reg(b);
      const shifted = s.temp(bits === 32 ? Type.i32 : Type.i64);
      s.binaryReg(bits === 32 ? M.lsr32 : M.lsr64, shifted, field, low.reg(s.low32(s.wide(s.arg(a, 1)))));
      return this.withImm(producer, shifted, 1, 0, Cond.ne);
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
    this.withRegister(producer, s.low.reg(a), s.low.reg(b), cond);
  }

  // ---------------------------------------------------------------- emission

  /** Starts the machine op for a consumer; add the consumer's own operands, then call `operands`. */
  start(consumer: Consumer): void {
    this.s.inst(compareOp(this.producer, consumer), this.imm, this.imm2, this.form | (this.cond << Shape.condShift) | this.link);
  }

  operands(): void {
    this.s.add(this.left, U.reg);
    if (this.form !== Form.imm) this.s.add(this.right, U.reg);
  }
}

/** i32 values that are 0 or 1. */
export function isCompare(op: Op): boolean {
  return (op >= Op.i32_eqz && op <= Op.f64_ge) || op === Op.ref_is_null;
}

/** The flags N, Z, C, V (8, 4, 2, 1) with which a condition does not hold. */
function failing(c: Cond): number {
  switch (c) {
    case Cond.ne: case Cond.gt: return 4;
    case Cond.lo: case Cond.ls: return 2;
    case Cond.pl: case Cond.ge: return 8;
    case Cond.vc: return 1;
    default: return 0;
  }
}

/** Of either sign: compares do not tell them apart. */
function isFloatZero(s: Selection, v: Value): boolean {
  const { fn } = s;
  if (fn.op[v] === Op.f32_const) return (fn.imm[v]! & 0x7fffffff) === 0;
  return fn.op[v] === Op.f64_const && fn.type[v] === Type.f64 && fn.imm[v] === 0 && (fn.imm2[v]! & 0x7fffffff) === 0;
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
