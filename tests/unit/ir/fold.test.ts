// `foldOp` against V8: every numeric op on special and random operands, in one small module per op that V8 compiles.
// Operands and results cross as raw i64 bits through memory, so that no JS number stands between. NaN results of
// arithmetic may differ in their bits and are compared as NaNs; for abs, neg, copysign and reinterpretations bits count.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { foldOp, Fold } from "../../../ir/fold.js";
import { trapInfo, type TrapKind } from "../../../ir/layout.js";
import { Op, opInfo, type OpInfo } from "../../../ir/ops.js";
import { Type } from "../../../ir/types.js";

const WORDS = [0, 1, -1, 2, 3, 7, 31, 32, 33, 63, 64, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, -0x80000000, -0x7fffffff, 0x12345678, 0x80000001 | 0];
// Bits of singles around the edges of every conversion, zeros, denormals, infinities, quiet and signalling NaNs.
const SINGLES = [
  0, 0x80000000, 1, 0x80000001, 0x7fffff, 0x800000, 0x3f800000, 0xbf800000, 0x3f000000, 0xbf000000, 0x3fc00000, 0xbfc00000, 0x40200000, 0xc0200000,
  0x3effffff, 0x4b000000, 0x4affffff, 0xcb000000, 0x4b7fffff, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x4f7fffff, 0x4f800000, 0x5effffff,
  0x5f000000, 0xdf000000, 0xdf000001, 0x5f7fffff, 0x5f800000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7f800001,
  0xffabcdef, 0x7fedcba9, 0xbf7fffff, 0xbf800001,
].map((x) => x | 0);
const DOUBLES = [
  0, -0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.49999999999999994, 0.9999999999999999, -0.9999999999999999, 1e-310, 5e-324, -5e-324, 2147483647, 2147483647.9,
  2147483648, -2147483648, -2147483648.9, -2147483649, 4294967295, 4294967295.9, 4294967296, 4503599627370495.5, 4503599627370496, 4503599627370497.5,
  9007199254740991, 9007199254740992, 9223372036854774784, 9223372036854775808, -9223372036854775808, -9223372036854777856, 18446744073709549568,
  18446744073709551616, 1e38, 3.4028234663852886e38, 3.4028235677973366e38, 1e39, 1e300, -1e300, 1.7976931348623157e308, Infinity, -Infinity, 1.1754943508222875e-38,
  7.006492321624085e-46, 1.401298464324817e-45, 16777217, 33554435, 0.1,
];
const NANS64: [number, number][] = [[0, 0x7ff80000], [0, 0xfff80000 | 0], [1, 0x7ff00000], [0x12345678, 0xfff40000 | 0], [-1, 0x7fffffff]];

/** A small generator of our own: the same operands in every run. */
function generator(seed: number): () => number {
  let s = seed;
  return () => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) | 0;
  };
}

function operandsOf(type: number, random: () => number): [number, number][] {
  const list: [number, number][] = [];
  if (type === Type.i32) for (const x of WORDS) list.push([x, 0]);
  if (type === Type.f32) for (const x of SINGLES) list.push([x, 0]);
  if (type === Type.i64) for (const x of WORDS) list.push([x, x >> 31], [0, x], [-1, x], [x, 0]);
  if (type === Type.f64) {
    const view = new DataView(new ArrayBuffer(8));
    for (const x of DOUBLES) {
      view.setFloat64(0, x);
      list.push([view.getInt32(4), view.getInt32(0)]);
    }
    list.push(...NANS64);
  }
  for (let i = 0; i < 12; i++) list.push([random(), random()]);
  // Near the edges of 53 and 64 bits, where rounding to single must happen once.
  if (type === Type.i64) for (let i = 0; i < 40; i++) list.push([[random(), 0x80000000 | 0, 1, 0x7fffffff][i & 3]!, (random() >> (i & 15)) | (1 << (16 + (i % 15)))]);
  return list;
}

const leb = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...leb(n >>> 7)]);
const section = (id: number, body: number[]): number[] => [id, ...leb(body.length), ...body];
const vec = (items: number[][]): number[] => [...leb(items.length), ...items.flat()];
const LOAD: Record<number, number> = { [Type.i32]: 0x28, [Type.i64]: 0x29, [Type.f32]: 0x2a, [Type.f64]: 0x2b };

/** Exports memory `m` and `f`: reads its operands from 0 and 8, leaves the result's bits at 16. */
function moduleOf(info: OpInfo): { memory: DataView; run: () => void } {
  const body: number[] = [0, 0x41, 16];
  info.args.forEach((type, i) => body.push(0x41, i * 8, LOAD[type]!, 0, 0));
  if (info.wasm > 0xff) body.push(0xfc, info.wasm & 0xff);
  else body.push(info.wasm);
  body.push(LOAD[info.result]! + 0x0e, 0, 0, 0x0b);
  const bytes = new Uint8Array([
    0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, vec([[0x60, 0, 0]])),
    ...section(3, vec([[0]])),
    ...section(5, vec([[0, 1]])),
    ...section(7, vec([[1, 0x66, 0, 0], [1, 0x6d, 2, 0]])),
    ...section(10, vec([[...leb(body.length), ...body]])),
  ]);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  return { memory: new DataView((exports["m"] as WebAssembly.Memory).buffer), run: exports["f"] as () => void };
}

const V8_MESSAGE: [RegExp, string][] = [
  [/divide by zero|remainder by zero/, "integer_divide_by_zero"],
  [/divide result unrepresentable/, "integer_overflow"],
  [/float unrepresentable/, "conversion"],
];

const isNan = (type: number, lo: number, hi: number): boolean =>
  type === Type.f32 ? (lo & 0x7fffffff) > 0x7f800000 : type === Type.f64 && ((hi & 0x7fffffff) > 0x7ff00000 || ((hi & 0x7fffffff) === 0x7ff00000 && lo !== 0));

const BIT_EXACT = /abs|neg|copysign|reinterpret/;
const hex = (lo: number, hi: number): string => "0x" + ((BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)).toString(16);

const numeric = opInfo.filter((info) => info.op >= Op.i32_eqz);
for (const info of numeric) {
  test(`${info.name} agrees with V8`, () => {
    const { memory, run } = moduleOf(info);
    const random = generator(info.op * 7919 + 1);
    const first = operandsOf(info.args[0]!, random);
    const second = info.args.length === 2 ? operandsOf(info.args[1]!, random) : [[0, 0] as [number, number]];
    const out = new Int32Array(2);
    let traps = 0;
    for (const [lo0, hi0] of first) {
      for (const [lo1, hi1] of second) {
        memory.setInt32(0, lo0, true);
        memory.setInt32(4, hi0, true);
        memory.setInt32(8, lo1, true);
        memory.setInt32(12, hi1, true);
        memory.setBigInt64(16, 0n, true);
        let trap: string | undefined;
        try {
          run();
        } catch (error) {
          trap = V8_MESSAGE.find(([pattern]) => pattern.test((error as Error).message))?.[1] ?? (error as Error).message;
        }
        const where = `${info.name} ${hex(lo0, hi0)} ${hex(lo1, hi1)}`;
        const got = foldOp(info.op, lo0, hi0, lo1, hi1, out);
        if (trap !== undefined) {
          traps++;
          const name = got > 0 ? trapInfo[got as TrapKind].name : `fold result ${got}`;
          // V8 has one message for NaN and overflow in conversions; which of them it is follows from the operand.
          const want = trap === "conversion" ? (isNan(info.args[0]!, lo0, hi0) ? "invalid_conversion" : "integer_overflow") : trap;
          assert.is(name, want, where);
          continue;
        }
        assert.is(got, Fold.ok, where);
        const wantLo = memory.getInt32(16, true);
        const wantHi = info.result === Type.i64 || info.result === Type.f64 ? memory.getInt32(20, true) : 0;
        if (!BIT_EXACT.test(info.name) && isNan(info.result, wantLo, wantHi)) {
          assert.ok(isNan(info.result, out[0]!, out[1]!), `${where}: expected a NaN, got ${hex(out[0]!, out[1]!)}`);
          const quiet = info.result === Type.f32 ? out[0]! & 0x400000 : out[1]! & 0x80000;
          assert.ok(quiet !== 0, `${where}: the NaN ${hex(out[0]!, out[1]!)} is not quiet`);
        } else assert.is(hex(out[0]!, out[1]!), hex(wantLo, wantHi), where);
      }
    }
    if (/div_|rem_|\.trunc_f/.test(info.name)) assert.ok(traps > 0, "some operands trap");
    else assert.is(traps, 0);
  });
}

test("NaNs: the first NaN operand made quiet, else negative", () => {
  const out = new Int32Array(2);
  foldOp(Op.f32_add, 0x7f800001, 0, 0x7fc12345, 0, out);
  assert.is(out[0]! >>> 0, 0x7fc00001);
  foldOp(Op.f32_add, 0x3f800000, 0, 0x7f812345, 0, out);
  assert.is(out[0]! >>> 0, 0x7fc12345);
  foldOp(Op.f64_div, 0, 0, 0, 0, out);
  assert.is(hex(out[0]!, out[1]!), "0xfff8000000000000");
  foldOp(Op.f64_promote_f32, 0xffabcdef | 0, 0, 0, 0, out);
  assert.is(hex(out[0]!, out[1]!), "0xfffd79bde0000000");
  foldOp(Op.f32_demote_f64, 0x12345678, 0xfff40000 | 0, 0, 0, out);
  assert.is(out[0]! >>> 0, 0xffe00000);
});

test("what is no arithmetic is unknown", () => {
  const out = new Int32Array(2);
  for (const info of opInfo) if (info.op < Op.i32_eqz) assert.is(foldOp(info.op, 1, 1, 1, 1, out), Fold.unknown, info.name);
});

test.run();
