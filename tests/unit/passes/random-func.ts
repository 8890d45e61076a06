// Random functions in SSA: every op of arithmetic, memory, globals, calls to an import; branches, loops, tables; with
// operands and constants of the kind where rules go wrong (0, 1, -1, powers of two, masks, least and greatest, NaNs).
//
// The same seed gives the same function. Loops count down a counter of their own, so every function ends.
import { NONE, type Block, type Edge, type Value } from "../../../ir/entity.js";
import { Func } from "../../../ir/func.js";
import { Is, Op, opInfo } from "../../../ir/ops.js";
import { Type, type FuncType } from "../../../ir/types.js";
import { isArithmetic } from "../backends/numeric-ops.js";

export const randomSig: FuncType = {
  params: [Type.i32, Type.i32, Type.i64, Type.i64, Type.f32, Type.f64],
  results: [Type.i32, Type.i64, Type.f32, Type.f64],
};

/** xorshift32. */
export class Random {
  constructor(private state: number) {
    this.state = (Math.imul(state, 0x9e3779b1) ^ 0x5bd1e995) | 1;
  }
  next(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return x >>> 0;
  }
  below(n: number): number {
    return this.next() % n;
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

const ints = [0, 1, 2, 3, 4, 7, 8, 15, 16, 24, 31, 32, 33, 63, 64, 255, 256, 0xffff, 0x10000, 0x7fffffff, -0x80000000, -1, -2, -8, -128, -32768];
const f32Bits = [0, -0x80000000, 0x3f800000, 0x40000000, 0x3f000000, 0x7f800000, 0x7fc00000, 0x7fa00001, 0x00000001, 0x4f000000, -0x31000000, 0x00800000];
const f64Highs = [0, -0x80000000, 0x3ff00000, 0x40000000, 0x3fe00000, 0x7ff00000, 0x7ff80000, 0x7ff40000, 0x41e00000, 0x43e00000, 0x00100000, -0x3e200000];

export function randomBits(r: Random, type: Type): [number, number] {
  switch (type) {
    case Type.i32:
      return [r.chance(70) ? r.pick(ints) : r.next() | 0, 0];
    case Type.i64: {
      const lo = r.chance(70) ? r.pick(ints) : r.next() | 0;
      return [lo, r.chance(70) ? lo >> 31 : r.chance(50) ? r.pick(ints) : r.next() | 0];
    }
    case Type.f32:
      return [r.chance(70) ? r.pick(f32Bits) : r.next() | 0, 0];
    default:
      return [r.chance(80) ? 0 : r.next() | 0, r.chance(70) ? r.pick(f64Highs) : r.next() | 0];
  }
}

/** Ops by result type (none: stores), of those whose operands are numbers. */
const opsByResult = new Map<Type, Op[]>();
for (const info of opInfo) {
  const numbers = info.args.every((type) => type >= Type.i32 && type <= Type.f64);
  const plain = info.op >= Op.i32_load && info.op < Op.count && (info.imm === "none" || info.imm === "memarg");
  if (!numbers || !plain || info.flags & (Is.terminator | Is.const) || info.args.length === 0) continue;
  const result = info.result as Type;
  opsByResult.set(result, [...(opsByResult.get(result) ?? []), info.op]);
}
const types = [Type.i32, Type.i64, Type.f32, Type.f64] as const;

/**
 * A function of `randomSig` with about `size` instructions, for the module of `moduleText`.
 * @param oneNan arithmetic makes the canonical NaN and no other: for targets that choose other bits than the interpreter.
 */
export function randomFunc(seed: number, size: number, oneNan = false): Func {
  return new Maker(new Random(seed), size, oneNan).make();
}

class Maker {
  private readonly fn: Func;
  private block: Block;
  private readonly values: Record<number, Value[]> = { [Type.i32]: [], [Type.i64]: [], [Type.f32]: [], [Type.f64]: [] };
  private made = 0;

  constructor(
    private readonly r: Random,
    private readonly size: number,
    private readonly oneNan: boolean,
  ) {
    this.fn = new Func(1 as never, 0 as never, randomSig);
    this.block = this.fn.newBlock();
    for (const type of randomSig.params) this.add(this.fn.addParam(this.block, type));
  }

  make(): Func {
    while (this.made < this.size) this.piece(0);
    const results = randomSig.results.map((type) => this.value(type));
    const last = this.fn.append(this.block, Op.return_, Type.none, results.length);
    results.forEach((x, i) => this.fn.setArg(last, i, x));
    return this.fn;
  }

  private add(v: Value): void {
    this.values[this.fn.type[v]!]!.push(v);
  }

  /** A recent value more often than an old one; a constant now and then. */
  private value(type: Type): Value {
    const list = this.values[type]!;
    if (this.r.chance(25)) {
      const [lo, hi] = randomBits(this.r, type);
      const op = type === Type.i32 ? Op.i32_const : type === Type.i64 ? Op.i64_const : type === Type.f32 ? Op.f32_const : Op.f64_const;
      const v = this.fn.append0(this.block, op, type, lo, type === Type.i64 || type === Type.f64 ? hi : 0);
      this.add(v);
      return v;
    }
    return this.r.chance(60) ? list[list.length - 1 - this.r.below(Math.min(4, list.length))]! : this.r.pick(list);
  }

  private piece(depth: number): void {
    const { r } = this;
    const kind = r.below(100);
    if (kind < 8 && depth < 3) this.diamond(depth);
    else if (kind < 12 && depth < 2) this.loop(depth);
    else if (kind < 14 && depth < 3) this.table(depth);
    else this.inst();
  }

  private inst(): void {
    const { r, fn } = this;
    this.made++;
    const kind = r.below(100);
    if (kind < 4) {
      this.add(fn.append0(this.block, Op.global_get, Type.i32, r.below(4)));
      return;
    }
    if (kind < 7) {
      fn.append1(this.block, Op.global_set, Type.none, this.value(Type.i32), r.below(3));
      return;
    }
    if (kind < 8) {
      fn.append(this.block, Op.call, Type.none, 0, 0);
      return;
    }
    if (kind < 12) {
      const type = r.pick(types);
      this.add(fn.append3(this.block, Op.select, type, this.value(type), this.value(type), this.value(Type.i32)));
      return;
    }
    if (kind < 13) {
      const x = this.value(Type.i32);
      this.add(fn.append1(this.block, Op.copy, Type.i32, x));
      return;
    }
    const store = kind < 20;
    const op = r.pick(opsByResult.get(store ? Type.none : r.pick(types))!);
    const info = opInfo[op]!;
    const args = info.args.map((type) => this.value(type as Type));
    const access = info.imm === "memarg";
    // Most addresses lie inside of the memory: masked, or a constant.
    if (access && r.chance(90)) args[0] = this.address();
    // Most divisions by something that is not 0, most truncations of something in range: a trap ends the program.
    if (info.flags & Is.traps && !access && r.chance(80)) args[args.length - 1] = this.harmless(info.args[args.length - 1] as Type);
    const v = fn.append(this.block, op, info.result as Type, args.length, access ? r.pick([0, 0, 1, 4, 8, 12, 16, 1024]) : 0);
    args.forEach((x, i) => fn.setArg(v, i, x));
    if (info.result === Type.none) return;
    this.add(this.oneNan && isArithmetic(op) ? this.canonical(v) : v);
  }

  /** The value, or the canonical NaN for any other. */
  private canonical(v: Value): Value {
    const { fn, block } = this;
    const narrow = fn.type[v] === Type.f32;
    const nan = narrow ? fn.append0(block, Op.f32_const, Type.f32, 0x7fc00000, 0) : fn.append0(block, Op.f64_const, Type.f64, 0, 0x7ff80000);
    const isNumber = fn.append2(block, narrow ? Op.f32_eq : Op.f64_eq, Type.i32, v, v);
    return fn.append3(block, Op.select, fn.type[v] as Type, v, nan, isNumber);
  }

  private address(): Value {
    const { fn, r } = this;
    const mask = fn.append0(this.block, Op.i32_const, Type.i32, r.pick([63, 255, 0xfff]));
    const masked = fn.append2(this.block, Op.i32_and, Type.i32, this.value(Type.i32), mask);
    if (r.chance(50)) return masked;
    const base = fn.append0(this.block, Op.i32_const, Type.i32, r.pick([4, 8, 64, 1024]));
    return fn.append2(this.block, Op.i32_add, Type.i32, masked, base);
  }

  private harmless(type: Type): Value {
    const { fn, r } = this;
    switch (type) {
      case Type.i32:
      case Type.i64: {
        const three = fn.append0(this.block, type === Type.i32 ? Op.i32_const : Op.i64_const, type, r.pick([1, 2, 3, 8, 10, 16, 100]));
        if (r.chance(60)) return three;
        return fn.append2(this.block, type === Type.i32 ? Op.i32_or : Op.i64_or, type, this.value(type), three);
      }
      case Type.f32:
        return fn.append1(this.block, Op.f32_convert_i32_u, Type.f32, this.bool());
      default:
        return fn.append1(this.block, Op.f64_convert_i32_u, Type.f64, this.bool());
    }
  }

  private bool(): Value {
    return this.fn.append1(this.block, Op.i32_eqz, Type.i32, this.value(Type.i32));
  }

  private branch(condition: Value, then: Block, otherwise: Block): [Edge, Edge] {
    const e = this.fn.newEdge(this.block, then);
    const f = this.fn.newEdge(this.block, otherwise);
    this.fn.append1(this.block, Op.br_if, Type.none, condition, e, f);
    return [e, f];
  }

  private jump(to: Block): Edge {
    const e = this.fn.newEdge(this.block, to);
    this.fn.append0(this.block, Op.br, Type.none, e);
    return e;
  }

  private body(depth: number): void {
    const pieces = 1 + this.r.below(5);
    for (let i = 0; i < pieces; i++) this.piece(depth + 1);
  }

  /** Runs `make` and forgets the values it made: they are not defined on other paths. */
  private scoped(make: () => void): void {
    const heights = types.map((type) => this.values[type]!.length);
    make();
    types.forEach((type, i) => (this.values[type]!.length = heights[i]!));
  }

  private diamond(depth: number): void {
    const { fn, r } = this;
    const condition = r.chance(50) ? this.bool() : this.value(Type.i32);
    const join = fn.newBlock();
    const joined = [r.pick(types), r.pick(types)];
    const arms: [Block, Block] = [fn.newBlock(), r.chance(70) ? fn.newBlock() : join];
    const [, direct] = this.branch(condition, arms[0], arms[1]);
    if (arms[1] === join) for (const type of joined) fn.pushEdgeArg(direct, r.pick(this.values[type]!));
    for (const arm of arms) {
      if (arm === join) continue;
      this.scoped(() => {
        this.block = arm;
        this.body(depth);
        const args = joined.map((type) => this.value(type));
        const e = this.jump(join);
        for (const x of args) fn.pushEdgeArg(e, x);
      });
    }
    this.block = join;
    this.params(join, joined);
  }

  /** Parameters of a block whose edges have their arguments already. */
  private params(b: Block, list: readonly Type[]): void {
    const { fn } = this;
    const saved: [Edge, Value[]][] = [];
    for (let e = fn.firstPred[b]!; e !== NONE; e = fn.edgeNextPred[e]!) {
      saved.push([e as Edge, Array.from({ length: fn.edgeArgCount[e]! }, (_, i) => fn.edgeArg(e as Edge, i))]);
      fn.clearEdgeArgs(e as Edge);
    }
    for (const type of list) this.add(fn.addParam(b, type));
    for (const [e, args] of saved) args.forEach((x, i) => fn.setEdgeArg(e, i, x));
  }

  private loop(depth: number): void {
    const { fn, r } = this;
    const carried = [r.pick(types), r.pick(types)];
    const start = [fn.append0(this.block, Op.i32_const, Type.i32, 1 + r.below(4)), ...carried.map((type) => this.value(type))];
    const header = fn.newBlock();
    const enter = this.jump(header);
    for (const x of start) fn.pushEdgeArg(enter, x);
    this.block = header;
    const exit = fn.newBlock();
    let results: Value[] = [];
    this.scoped(() => {
      this.params(header, [Type.i32, ...carried]);
      const counter = fn.param(header, 0);
      this.body(depth);
      const one = fn.append0(this.block, Op.i32_const, Type.i32, 1);
      const less = fn.append2(this.block, Op.i32_sub, Type.i32, counter, one);
      const next = carried.map((type) => this.value(type));
      const [back, out] = this.branch(less, header, exit);
      for (const x of [less, ...next]) fn.pushEdgeArg(back, x);
      results = next;
      for (const x of results) fn.pushEdgeArg(out, x);
    });
    this.block = exit;
    this.params(exit, carried);
  }

  private table(depth: number): void {
    const { fn, r } = this;
    const index = this.value(Type.i32);
    const join = fn.newBlock();
    const arms = Array.from({ length: 1 + r.below(3) }, () => fn.newBlock());
    const edges = arms.map((arm) => fn.newEdge(this.block, arm));
    const length = 1 + r.below(5);
    const start = fn.newEdgeTable(length);
    for (let i = 0; i < length; i++) fn.edgeTable[start + i] = edges[i % edges.length]!;
    fn.append1(this.block, Op.br_table, Type.none, index, start, length);
    arms.forEach((arm, i) => {
      if (i >= length) {
        fn.removeEdge(edges[i]!);
        fn.unplaceBlock(arm);
        return;
      }
      this.scoped(() => {
        this.block = arm;
        this.body(depth);
        const x = this.value(Type.i32);
        fn.pushEdgeArg(this.jump(join), x);
      });
    });
    this.block = join;
    this.params(join, [Type.i32]);
  }
}
