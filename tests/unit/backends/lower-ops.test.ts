// Every numeric op, compiled for several sets of CPU features, against exact arithmetic (ir/fold): registers, constants on
// either side, the right operand in memory, both operands the same. Runs natively, so only where the host is an amd64.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Allocator } from "../../../backends/regalloc/index.js";
import { ModuleCodeBuilder } from "../../../backends/module-code.js";
import { Fold, foldOp } from "../../../ir/fold.js";
import type { FuncIndex, TypeIndex, Value } from "../../../ir/entity.js";
import { Func } from "../../../ir/func.js";
import { trapInfo, TrapKind, VmLayout } from "../../../ir/layout.js";
import { Module } from "../../../ir/module.js";
import { Op, opInfo } from "../../../ir/ops.js";
import { Type } from "../../../ir/types.js";
import { verifyMFunc } from "../../../ir/machine/verify.js";
import { targetNamed } from "../../../pipeline/targets.js";
import { callRaw, funcInstanceOf, hostCpuFeatures, instantiate, Trap } from "../../../runtime/index.js";

const numeric = opInfo.filter((info) => info.op >= Op.i32_eqz);

const ints32 = [0, 1, 2, 3, 7, 10, 31, 32, 33, 100, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 641, 0x10000, 0x7ffffffe, 0x7fffffff, -0x80000000, -0x7fffffff, -1, -2, -3, -7, -100, -128, 0x12345678, -0x12345679].map((n) => BigInt.asUintN(32, BigInt(n)));
const ints64 = [...ints32.map((n) => BigInt.asUintN(64, BigInt.asIntN(32, n))), 0x80000000n, 0xffffffffn, 0x100000000n, 0x7fffffffffffffffn, 0x8000000000000000n, 0x8000000000000001n, 0xfffffffffffffff6n, 0x123456789abcdef0n, 0xfedcba9876543210n, 63n, 64n, 65n, 6700417n];
const numbers = [0, -0, 1, -1, 0.5, -0.5, 0.7, -0.7, 1.5, -1.5, 2.5, -2.5, 3.5, 1e-310, 2147483647, 2147483648, -2147483648, -2147483649, -2147483648.9, 4294967295, 4294967295.5, 4294967296, -0.9999, 4503599627370495.5, -4503599627370497, 8388607.5, -8388609, 9223372036854775807, 9223372036854774784, -9223372036854775808, -9223372036854777856, 18446744073709551615, 18446744073709549568, 1e30, -1e300, Infinity, -Infinity, Math.PI];
const view = new DataView(new ArrayBuffer(8));
const floats64 = [...numbers.map((x) => (view.setFloat64(0, x), view.getBigUint64(0))), 0x7ff8000000000000n, 0xfff8000000000000n, 0x7ff8000000012345n, 0x7ff0000000000001n, 0xfff4000000000000n];
const floats32 = [...numbers.map((x) => (view.setFloat32(0, x), BigInt(view.getUint32(0)))), 0x7fc00000n, 0xffc00000n, 0x7fc12345n, 0x7f800001n, 0xffa00000n, 0x4effffffn, 0x4f7fffffn, 0x5effffffn, 0x5f7fffffn];
const values: Partial<Record<Type, readonly bigint[]>> = { [Type.i32]: ints32, [Type.i64]: ints64, [Type.f32]: floats32, [Type.f64]: floats64 };
const constOps: Partial<Record<Type, Op>> = { [Type.i32]: Op.i32_const, [Type.i64]: Op.i64_const, [Type.f32]: Op.f32_const, [Type.f64]: Op.f64_const };
const loadOps: Partial<Record<Type, Op>> = { [Type.i32]: Op.i32_load, [Type.i64]: Op.i64_load, [Type.f32]: Op.f32_load, [Type.f64]: Op.f64_load };
const storeOps: Partial<Record<Type, Op>> = { [Type.i32]: Op.i32_store, [Type.i64]: Op.i64_store, [Type.f32]: Op.f32_store, [Type.f64]: Op.f64_store };

/** How an operand reaches the op: a parameter, a constant, loaded from memory, or (right only) the left one again. */
type Source = { from: "param" } | { from: "const"; bits: bigint } | { from: "memory" } | { from: "left" };
interface Case {
  op: Op;
  sources: Source[];
}

function casesOf(op: Op, constants: number): Case[] {
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

function build(cases: readonly Case[]): { module: Module; funcs: Func[] } {
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

const out = new Int32Array(2);

/** Result bits, or the trap's message. */
function expected(op: Op, operands: readonly bigint[]): bigint | string {
  const [x, y] = [operands[0]!, operands[1] ?? 0n];
  const half = (n: bigint) => Number(BigInt.asIntN(32, n));
  const status = foldOp(op, half(x), half(x >> 32n), half(y), half(y >> 32n), out);
  if (status === Fold.ok) return BigInt.asUintN(64, (BigInt(out[1]!) << 32n) | BigInt(out[0]! >>> 0));
  assert.is.not(status, Fold.unknown, opInfo[op]!.name);
  return trapInfo[status as unknown as TrapKind].message;
}

function run(features: readonly string[], level: 0 | 2, bounds: "guard" | "explicit", constants: number): void {
  const target = targetNamed();
  const cases = numeric.flatMap((info) => casesOf(info.op, constants));
  const { module, funcs } = build(cases);
  const layout = new VmLayout(module);
  const options = { level, bounds, features: new Set(features) };
  const allocator = new Allocator(target.registers);
  const builder = new ModuleCodeBuilder(target, 0, funcs.length);
  for (const fn of funcs) {
    const mfn = target.lower(fn, { module, layout }, options);
    assert.equal(verifyMFunc(mfn, target).map(String), []);
    allocator.allocate(mfn, { level, check: true });
    builder.add(target.emit(mfn, options));
  }
  const compiled = { module, layout, code: builder.finish(), functions: (i: FuncIndex) => funcs[i]!, stubs: target.stubs, bounds };
  const { exports } = instantiate(compiled);
  const wrong: string[] = [];
  cases.forEach(({ op, sources }, n) => {
    const { args, name } = opInfo[op]!;
    const func = funcInstanceOf(exports[n] as object)!;
    const lefts = sources[0]!.from === "const" ? [sources[0]!.bits] : values[args[0] as Type]!;
    const rights = args.length === 1 ? [0n] : sources[1]!.from === "const" ? [sources[1]!.bits] : sources[1]!.from === "left" ? undefined : values[args[1] as Type]!;
    for (const x of lefts) {
      for (const y of rights ?? [x]) {
        const operands = args.length === 1 ? [x] : [x, y];
        let got: bigint | string;
        try {
          got = callRaw(func, operands)[0] as bigint;
        } catch (error) {
          if (!(error instanceof Trap)) throw error;
          got = error.message;
        }
        const want = expected(op, operands);
        const same = typeof want === "string" ? typeof got === "string" && got.startsWith(want) : got === want;
        if (!same && wrong.length < 20) {
          const how = sources.map((source) => source.from).join(" ");
          wrong.push(`${name} (${how}) ${operands.map((z) => "0x" + z.toString(16)).join(" ")}: expected ${typeof want === "string" ? want : "0x" + want.toString(16)}, got ${typeof got === "string" ? got : "0x" + got.toString(16)}`);
        }
      }
    }
  });
  assert.equal(wrong, []);
}

if (process.arch === "x64") {
  const host = hostCpuFeatures(targetNamed().stubs);
  const subset = (...names: string[]) => names.filter((name) => host.includes(name));
  test("with no CPU feature beyond the baseline", () => run([], 2, "guard", 99));
  test("with SSE4.1 and POPCNT", () => run(subset("sse41", "popcnt"), 2, "explicit", 12));
  test("with AVX, without BMI", () => run(subset("sse41", "popcnt", "avx"), 2, "guard", 12));
  test("with all the host has", () => run(host, 2, "guard", 99));
  test("at level 0", () => run(host, 0, "guard", 12));
} else test("no amd64 here", () => assert.is.not(process.arch, "x64"));

test.run();
