// Conditions: compares, and whatever else is tested for zero, => one machine op of the compare families.
//
// `Condition.of(v)` looks at how an i32 condition is made (a compare that has no other user, an `and`, a bit test, any
// value) and remembers what sets the flags and which condition then holds; `emit` makes the op for one of the consumers
// (branch, setcc, cmov, trap). Loads are taken in as memory operands: `cmp [m],imm`, `cmp r,[m]`, `test byte [m],imm`.
import type { Value } from "../../ir/entity.js";
import { Op } from "../../ir/ops.js";
import { Opnd } from "../../ir/machine/mfunc.js";
import { Type } from "../../ir/types.js";
import { Cond, Consumer, Form, Producer, Shape, compareOp, exchanged, invert } from "./mops.js";
import { Take, U, type Selection } from "./selection.js";

type Bits = 32 | 64;

/** Conditions of the integer compares from eq on, in the order of the ops. */
const integerConds = [Cond.e, Cond.ne, Cond.l, Cond.b, Cond.g, Cond.a, Cond.le, Cond.be, Cond.ge, Cond.ae];

export class Condition {
  producer = Producer.cmp32 as number;
  form = Form.ri as number;
  cond = Cond.ne as Cond;
  private left = -1;
  private right = -1;
  private imm = 0;
  private rightReg = false;

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
    this.compareOf(v, low.canMerge(v) || this.isCheapAgain(v));
    if (negated) this.cond = invert(this.cond);
  }

  /**
   * Whether an integer compare with other users, too, is better made again than tested: where its operands are at hand. A
   * producer it shares with the other users must not be taken in here.
   */
  private isCheapAgain(v: Value): boolean {
    const { s } = this;
    const { fn, low } = s;
    const op = fn.op[v]! as Op;
    if (op < Op.i32_eqz || op > Op.i64_ge_u) return false;
    const isUnary = op === Op.i32_eqz || op === Op.i64_eqz;
    const y = isUnary ? v : s.arg(v, 1);
    const withConst = isUnary || fn.op[y] === Op.i32_const || s.isConst64AsImm(y);
    if (!withConst && fn.block[v] !== low.rootBlock) return false;
    for (let i = 0; i < fn.argCount[v]!; i++) low.useCount[s.arg(v, i)]! += 1;
    return true;
  }

  /** The condition "v is not zero" by looking into v itself where `inside`. */
  compareOf(v: Value, inside: boolean): void {
    const { s } = this;
    const { fn } = s;
    const op = fn.op[v]! as Op;
    if (inside) {
      if (op === Op.i32_eqz || op === Op.i64_eqz) {
        this.zeroTest(s.arg(v, 0), op === Op.i32_eqz ? 32 : 64);
        this.cond = invert(this.cond);
        return;
      }
      if (op >= Op.i32_eq && op <= Op.i32_ge_u) return this.integers(v, integerConds[op - Op.i32_eq]!, 32);
      if (op >= Op.i64_eq && op <= Op.i64_ge_u) return this.integers(v, integerConds[op - Op.i64_eq]!, 64);
      if (op >= Op.f32_eq && op <= Op.f64_ge) return this.floats(v, op);
      if (op === Op.ref_is_null) {
        this.plain(Producer.cmp64, Form.ri, s.low.reg(s.arg(v, 0)), 0, Cond.e);
        return;
      }
      return this.zeroTest(v, 32);
    }
    s.zeroTested = s.low.reg(v);
    this.plain(Producer.cmp32, Form.ri, s.zeroTested, 0, Cond.ne);
  }

  private plain(producer: Producer, form: Form, left: number, imm: number, cond: Cond): void {
    this.producer = producer;
    this.form = form;
    this.left = left;
    this.imm = imm;
    this.cond = cond;
  }

  /** "x is not zero", x of that width. */
  private zeroTest(x: Value, bits: Bits): void {
    const { s } = this;
    const { fn, low } = s;
    x = bits === 32 ? s.low32(x) : s.wide(x);
    const op = fn.op[x];
    if ((op === Op.i32_and || op === Op.i64_and) && low.canMerge(x)) return this.test(x, op === Op.i32_and || bits === 32 ? 32 : 64);
    if (op === Op.i32_load8_u && low.canMerge(x)) {
      s.memoryOf(x);
      return this.plain(Producer.cmp8, Form.mi, -1, 0, Cond.ne);
    }
    if (s.operand(x, bits, Take.mem)) return this.plain(bits === 32 ? Producer.cmp32 : Producer.cmp64, Form.mi, -1, 0, Cond.ne);
    s.zeroTested = s.rhsReg;
    this.plain(bits === 32 ? Producer.cmp32 : Producer.cmp64, Form.ri, s.rhsReg, 0, Cond.ne);
  }

  /** "a & b is not zero". */
  private test(x: Value, bits: Bits): void {
    const { s } = this;
    const { fn, low } = s;
    const narrow = (v: Value) => (bits === 32 ? s.low32(v) : s.wide(v));
    const a = narrow(s.arg(x, 0));
    const b = narrow(s.arg(x, 1));
    const isConst = fn.op[b] === Op.i32_const || fn.op[b] === Op.i64_const;
    if (isConst) {
      const lo = fn.imm[b]!;
      const hi = fn.op[b] === Op.i64_const ? fn.imm2[b]! : 0;
      if (fn.op[a] === Op.i32_load8_u && low.canMerge(a) && (bits === 32 || hi === 0)) {
        s.memoryOf(a);
        return this.plain(Producer.test8, Form.mi, -1, lo & 0xff, Cond.ne);
      }
      // (y >> n) & 1: bit n of y
      const shifted = fn.op[a] === (bits === 32 ? Op.i32_shr_u : Op.i64_shr_u) || fn.op[a] === (bits === 32 ? Op.i32_shr_s : Op.i64_shr_s);
      if (lo === 1 && hi === 0 && shifted && low.canMerge(a)) {
        const n = narrow(s.arg(a, 1));
        const y = low.reg(narrow(s.arg(a, 0)));
        if (fn.op[n] !== Op.i32_const && fn.op[n] !== Op.i64_const) return this.bitTest(y, low.reg(n), bits);
        const bit = fn.imm[n]! & (bits - 1);
        if (bit < 31) return this.plain(Producer.test32, Form.ri, y, 1 << bit, Cond.ne);
        this.plain(bits === 32 ? Producer.bt32 : Producer.bt64, Form.ri, y, bit, Cond.b);
        this.rightReg = true;
        return;
      }
      if (bits === 32 || hi === 0) {
        // Bits above 31 play no part; a slot of an i64 has its low half first.
        if (bits === 32 && s.operand(a, 32, Take.mem)) return this.plain(Producer.test32, Form.mi, -1, lo, Cond.ne);
        return this.plain(Producer.test32, Form.ri, low.reg(a), lo, Cond.ne);
      }
      if (hi === lo >> 31) return this.plain(Producer.test64, Form.ri, low.reg(a), lo, Cond.ne);
      const bit = singleBit(lo, hi);
      if (bit >= 32) {
        this.plain(Producer.bt64, Form.ri, low.reg(a), bit, Cond.b);
        this.rightReg = true;
        return;
      }
    }
    // (1 << n) & y
    for (const [one, y] of [[a, b], [b, a]] as const) {
      if (fn.op[one] !== (bits === 32 ? Op.i32_shl : Op.i64_shl) || !low.canMerge(one)) continue;
      const c = s.arg(one, 0);
      if ((fn.op[c] === Op.i32_const || fn.op[c] === Op.i64_const) && fn.imm[c] === 1 && (fn.op[c] === Op.i32_const || fn.imm2[c] === 0)) {
        return this.bitTest(low.reg(y), low.reg(narrow(s.arg(one, 1))), bits);
      }
    }
    const left = low.reg(a);
    s.operand(b, bits, Take.mem);
    this.right = s.rhsReg;
    this.plain(bits === 32 ? Producer.test32 : Producer.test64, s.rhsForm, left, 0, Cond.ne);
    this.rightReg = false;
  }

  private bitTest(y: number, n: number, bits: Bits): void {
    this.right = n;
    this.rightReg = true;
    this.plain(bits === 32 ? Producer.bt32 : Producer.bt64, Form.rr, y, 0, Cond.b);
  }

  private integers(v: Value, cond: Cond, bits: Bits): void {
    const { s } = this;
    const { fn, low } = s;
    const narrow = (x: Value) => (bits === 32 ? s.low32(x) : s.wide(x));
    const isConst = (x: Value) => (bits === 32 ? fn.op[x] === Op.i32_const : s.isConst64AsImm(x) || (fn.op[x] === Op.i32_const && fn.imm[x]! >= 0));
    let a = narrow(s.arg(v, 0));
    let b = narrow(s.arg(v, 1));
    if (isConst(a) && !isConst(b)) {
      [a, b] = [b, a];
      cond = exchanged(cond);
    }
    if (isConst(b)) {
      const imm = fn.imm[b]!;
      if (imm === 0 && (cond === Cond.e || cond === Cond.ne)) {
        this.zeroTest(a, bits);
        if (cond === Cond.e) this.cond = invert(this.cond);
        return;
      }
      // Bytes compare as bytes: both sides are 0..255, so signed conditions are unsigned ones.
      if (fn.op[a] === Op.i32_load8_u && imm >= 0 && imm <= 255 && low.canMerge(a)) {
        s.memoryOf(a);
        return this.plain(Producer.cmp8, Form.mi, -1, imm, unsigned(cond));
      }
      if (s.operand(a, bits, Take.mem)) return this.plain(bits === 32 ? Producer.cmp32 : Producer.cmp64, Form.mi, -1, imm, cond);
      return this.plain(bits === 32 ? Producer.cmp32 : Producer.cmp64, Form.ri, s.rhsReg, imm, cond);
    }
    const load = bits === 32 ? Op.i32_load : Op.i64_load;
    if (fn.op[a] === load && !(fn.op[b] === load && low.canMerge(b)) && low.canMerge(a)) {
      [a, b] = [b, a];
      cond = exchanged(cond);
    }
    const left = low.reg(a);
    s.operand(b, bits, Take.mem);
    this.right = s.rhsReg;
    this.rightReg = false;
    this.plain(bits === 32 ? Producer.cmp32 : Producer.cmp64, s.rhsForm, left, 0, cond);
  }

  private floats(v: Value, op: Op): void {
    const { s } = this;
    const type = op >= Op.f64_eq ? Type.f64 : Type.f32;
    const kind = type === Type.f64 ? op - Op.f64_eq : op - Op.f32_eq;
    // eq ne lt gt le ge; less is greater with exchanged operands, so that unordered is false.
    const swapped = kind === 2 || kind === 4;
    const a = s.arg(v, swapped ? 1 : 0);
    const b = s.arg(v, swapped ? 0 : 1);
    const cond = kind === 0 ? Cond.feq : kind === 1 ? Cond.fne : kind <= 3 ? Cond.a : Cond.ae;
    s.floatOperand(b, type);
    this.right = s.rhsReg;
    this.rightReg = true;
    this.plain(type === Type.f64 ? Producer.ucomisd : Producer.ucomiss, s.rhsForm, s.low.reg(a), 0, cond);
  }

  // ---------------------------------------------------------------- emission

  /** Starts the machine op for a consumer; add the consumer's own operands, then call `operands`. `imm3`: more shape bits. */
  start(consumer: Consumer, imm3 = 0): void {
    const { s } = this;
    const mem = this.form === Form.rm || this.form === Form.mi;
    s.inst(compareOp(this.producer, consumer), this.imm, mem ? s.memDisp : 0, this.form | (mem ? s.memShape() : 0) | (this.cond << Shape.condShift) | imm3);
  }

  /** The producer's operands; `late` behind a two-address def. */
  operands(late = false): void {
    const { s } = this;
    const reg = late ? U.regLate : U.reg;
    const bits = this.producer === Producer.cmp64 || this.producer === Producer.test64 || this.producer === Producer.bt64 ? 64 : 32;
    switch (this.form) {
      case Form.rr:
        s.add(this.left, reg);
        s.add(this.right, this.rightReg ? reg : late ? s.anyOf(this.right, bits) | Opnd.flip : s.anyOf(this.right, bits));
        break;
      case Form.ri: {
        const any = this.rightReg ? U.reg : s.anyOf(this.left, bits);
        s.add(this.left, late ? any | Opnd.flip : any);
        break;
      }
      case Form.rm:
        s.add(this.left, reg);
        s.addMem(late);
        break;
      default:
        s.addMem(late);
    }
    this.rightReg = false;
  }
}

/** The bit number of a 64-bit constant with one bit, else -1. */
function singleBit(lo: number, hi: number): number {
  if (hi === 0) return lo !== 0 && (lo & (lo - 1)) === 0 ? 31 - Math.clz32(lo) : -1;
  return lo === 0 && (hi & (hi - 1)) === 0 ? 63 - Math.clz32(hi) : -1;
}

function unsigned(cond: Cond): Cond {
  switch (cond) {
    case Cond.l: return Cond.b;
    case Cond.ge: return Cond.ae;
    case Cond.le: return Cond.be;
    case Cond.g: return Cond.a;
    default: return cond;
  }
}
