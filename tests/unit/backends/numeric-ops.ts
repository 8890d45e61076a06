// Every numeric op with operands of every kind, as functions over SSA: registers, constants on either side, loaded from memory, both
// the same; with the values to call them with, and what exact arithmetic (ir/fold) says comes out. For each backend's test.
import * as assert from "uvu/assert";
import { Fold, foldOp } from "../../../ir/fold.js";
import type { FuncIndex, TypeIndex, Value } from "../../../ir/entity.js";
import { Func } from "../../../ir/func.js";
import { trapInfo, type TrapKind } from "../../../ir/layout.js";
import { Module } from "../../../ir/module.js";
import { Op, opInfo } from "../../../ir/ops.js";
import { Type } from "../../../ir/types.js";
import { exportName, funcType, header, leb, section, sleb, slebOf, typeCode } from "../../wasm-bytes.js";

/** All of them. */
export const numeric = opInfo.filter((info) => info.op >= Op.i32_eqz);

/** Ops whose NaN results may have any payload. */
export function isArithmetic(op: Op): boolean {
  const { result, args, name } = opInfo[op]!;
  const isFloat = (t: number) => t === Type.f32 || t === Type.f64;
  return isFloat(result) && isFloat(args[0]!) && !/abs|neg|copysign/.test(name);
}

const ints32 = [0, 1, 2, 3, 7, 10, 31, 32, 33, 100, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 641, 0x10000, 0x7ffffffe, 0x7fffffff, -0x80000000, -0x7fffffff, -1, -2, -3, -7, -100, -128, 0x12345678, -0x12345679].map((n) => BigInt.asUintN(32, BigInt(n)));
const ints64 = [...ints32.map((n) => BigInt.asUintN(64, BigInt.asIntN(32, n))), 0x80000000n, 0xffffffffn, 0x100000000n, 0x7fffffffffffffffn, 0x8000000000000000n, 0x8000000000000001n, 0xfffffffffffffff6n, 0x123456789abcdef0n, 0xfedcba9876543210n, 63n, 64n, 65n, 6700417n];
const numbers = [0, -0, 1, -1, 0.5, -0.5, 0.7, -0.7, 1.5, -1.5, 2.5, -2.5, 3.5, 1e-310, 2147483647, 2147483648, -2147483648, -2147483649, -2147483648.9, 4294967295, 4294967295.5, 4294967296, -0.9999, 4503599627370495.5, -4503599627370497, 8388607.5, -8388609, 9223372036854775807, 9223372036854774784, -9223372036854775808, -9223372036854777856, 18446744073709551615, 18446744073709549568, 1e30, -1e300, Infinity, -Infinity, Math.PI];
const view = new DataView(new ArrayBuffer(8));
const floats64 = [...numbers.map((x) => (view.setFloat64(0, x), view.getBigUint64(0))), 0x7ff8000000000000n, 0xfff8000000000000n, 0x7ff8000000012345n, 0x7ff0000000000001n, 0xfff4000000000000n];
const floats32 = [...numbers.map((x) => (view.setFloat32(0, x), BigInt(view.getUint32(0)))), 0x7fc00000n, 0xffc00000n, 0x7fc12345n, 0x7f800001n, 0xffa00000n, 0x4effffffn, 0x4f7fffffn, 0x5effffffn, 0x5f7fffffn];
export const values: Partial<Record<Type, readonly bigint[]>> = { [Type.i32]: ints32, [Type.i64]: ints64, [Type.f32]: floats32, [Type.f64]: floats64 };
const constOps: Partial<Record<Type, Op>> = { [Type.i32]: Op.i32_const, [Type.i64]: Op.i64_const, [Type.f32]: Op.f32_const, [Type.f64]: Op.f64_const };
const loadOps: Partial<Record<Type, Op>> = { [Type.i32]: Op.i32_load, [Type.i64]: Op.i64_load, [Type.f32]: Op.f32_load, [Type.f64]: Op.f64_load };
const storeOps: Partial<Record<Type, Op>> = { [Type.i32]: Op.i32_store, [Type.i64]: Op.i64_store, [Type.f32]: Op.f32_store, [Type.f64]: Op.f64_store };

/** How an operand reaches the op: a parameter, a constant, loaded from memory, or (right only) the left one again. */
export type Source = { from: "param" } | { from: "const"; bits: bigint } | { from: "memory" } | { from: "left" };
export interface Case {
  op: Op;
  sources: Source[];
}

/** With registers, memory, and the first `constants` constants of the type. */
export function casesOf(op: Op, constants: number): Case[] {
  const { args } = opInfo[op]!;
  const param: Source = { from: "param" };
  const memory: Source = { from: "memory" };
  if (args.length === 1) return [{ op, sources: [param] }, { op, sources: [memory] }];
  const list: Case[] = [
    { op, sources: [param, param] },
    { op, sources: [param, memory] },
    { op, sources: [memory, param] },
    { op, sources: [param, { from: "left" }] },
  ];
  const all = values[args[1] as Type]!;
  for (let i = 0; i < Math.min(constants, all.length); i++) {
    list.push({ op, sources: [param, { from: "const", bits: all[i]! }] });
    if (i % 3 === 0) list.push({ op, sources: [{ from: "const", bits: all[i]! }, param] });
  }
  return list;
}

/** One function a case, exported by its number; memory 0 is one page. */
export function build(cases: readonly Case[]): { module: Module; funcs: Func[] } {
  const module = new Module();
  module.memories.push({ imported: false, limits: { min: 1, max: 1 } });
  const funcs = cases.map(({ op, sources }, n) => {
    const { args, result } = opInfo[op]!;
    const sig = { params: args.map((t) => t as Type), results: [result as Type] };
    module.types.push(sig);
    const index = n as FuncIndex;
    module.funcs.push({ type: n as TypeIndex, imported: false, bodyStart: 0, bodyEnd: 0 });
    module.exports.push({ name: String(n), kind: "func", index });
    const fn = new Func(index, n as TypeIndex, sig);
    const b = fn.newBlock();
    const params = sig.params.map((type) => fn.addParam(b, type));
    const address = fn.append0(b, Op.i32_const, Type.i32, 64);
    const operands: Value[] = [];
    sources.forEach((source, i) => {
      if (source.from === "memory") fn.append2(b, storeOps[sig.params[i]!]!, Type.none, address, params[i]!, 8 * i);
    });
    sources.forEach((source, i) => {
      const type = sig.params[i]!;
      if (source.from === "param") operands.push(params[i]!);
      else if (source.from === "left") operands.push(operands[0]!);
      else if (source.from === "memory") operands.push(fn.append1(b, loadOps[type]!, type, address, 8 * i));
      else operands.push(fn.append0(b, constOps[type]!, type, Number(BigInt.asIntN(32, source.bits)), Number(BigInt.asIntN(32, source.bits >> 32n))));
    });
    const v = fn.append(b, op, result as Type, operands.length);
    operands.forEach((x, i) => fn.setArg(v, i, x));
    fn.append1(b, Op.return_, Type.none, v);
    return fn;
  });
  return { module, funcs };
}

/** Where an operation has its result: on the stack, in a local of its own, or in the first parameter (of the same type), which it reads as well. */
export type Into = "stack" | "local" | "parameter";

/** The same as Wasm, for the compiler that makes no SSA. */
export function bytesOf(cases: readonly Case[], into: Into): Uint8Array {
  const types: number[][] = [];
  const exports: number[][] = [];
  const bodies: number[][] = [];
  cases.forEach(({ op, sources }, n) => {
    const { args, result, wasm } = opInfo[op]!;
    const params = args.map((t) => t as Type);
    types.push(funcType({ params, results: [result as Type] }));
    exports.push([...exportName(String(n)), 0, ...leb(n)]);
    const code: number[] = [];
    const address = [0x41, ...sleb(64)];
    sources.forEach((source, i) => {
      const { wasm: store } = opInfo[storeOps[params[i]!]!]!;
      if (source.from === "memory") code.push(...address, 0x20, i, store, 0, 8 * i);
    });
    sources.forEach((source, i) => {
      const type = params[i]!;
      if (source.from === "memory") code.push(...address, opInfo[loadOps[type]!]!.wasm, 0, 8 * i);
      else if (source.from === "const") code.push(opInfo[constOps[type]!]!.wasm, ...constantBytes(type, source.bits));
      else code.push(0x20, source.from === "left" ? 0 : i);
    });
    code.push(...(wasm > 0xff ? [wasm >> 8, ...leb(wasm & 0xff)] : [wasm]));
    const local = into === "parameter" && params[0] === result ? 0 : params.length;
    if (into !== "stack") code.push(0x21, local, 0x20, local);
    const body = [1, 1, typeCode(result as Type), ...code, 0x0b];
    bodies.push([...leb(body.length), ...body]);
  });
  const bytes = [
    ...header, ...section(1, ...types), ...section(3, ...types.map((_, n) => leb(n))), ...section(5, [1, 1, 1]), ...section(7, ...exports), ...section(10, ...bodies),
  ];
  return Uint8Array.from(bytes);
}

function constantBytes(type: Type, bits: bigint): number[] {
  if (type === Type.i32) return slebOf(BigInt.asIntN(32, bits));
  if (type === Type.i64) return slebOf(BigInt.asIntN(64, bits));
  return Array.from({ length: type === Type.f32 ? 4 : 8 }, (_, i) => Number((bits >> BigInt(8 * i)) & 0xffn));
}

const out = new Int32Array(2);

/** Result bits by ir/fold, or the trap's message. */
export function expected(op: Op, operands: readonly bigint[]): bigint | string {
  const [x, y] = [operands[0]!, operands[1] ?? 0n];
  const half = (n: bigint) => Number(BigInt.asIntN(32, n));
  const status = foldOp(op, half(x), half(x >> 32n), half(y), half(y >> 32n), out);
  if (status === Fold.ok) return BigInt.asUintN(64, (BigInt(out[1]!) << 32n) | BigInt(out[0]! >>> 0));
  assert.is.not(status, Fold.unknown, opInfo[op]!.name);
  return trapInfo[status as unknown as TrapKind].message;
}
