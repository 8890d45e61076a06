// Every numeric op, compiled for arm64 and run by the emulator, against exact arithmetic (ir/fold): registers, constants on
// either side, operands loaded from memory, both operands the same. Of NaNs that arithmetic makes, Wasm fixes no bits but
// "quiet": this ISA's default NaN is positive, so any quiet one counts as equal there. Skips without an emulator.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Allocator } from "../../../../backends/regalloc/index.js";
import { ModuleCodeBuilder } from "../../../../backends/module-code.js";
import { arm64 } from "../../../../backends/arm64/target.js";
import { trapInfo, TrapKind, VmLayout } from "../../../../ir/layout.js";
import { type Op, opInfo } from "../../../../ir/ops.js";
import { Type } from "../../../../ir/types.js";
import { verifyMFunc } from "../../../../ir/machine/verify.js";
import { build, casesOf, expected, numeric, values } from "../numeric-ops.js";
import { testWithout } from "../../../missing.js";
import { hasEmulator, runBulk, type Call } from "./bulk.js";

/** Ops whose NaN results may have any payload. */
function isArithmetic(op: Op): boolean {
  const { result, args, name } = opInfo[op]!;
  const isFloat = (t: number) => t === Type.f32 || t === Type.f64;
  return isFloat(result) && isFloat(args[0]!) && !/abs|neg|copysign/.test(name);
}

function isQuietNan(bits: bigint, type: Type): boolean {
  return type === Type.f32 ? (bits & 0x7fc00000n) === 0x7fc00000n : (bits & 0x7ff8000000000000n) === 0x7ff8000000000000n;
}

function run(level: 0 | 2, bounds: "guard" | "explicit", constants: number): void {
  const cases = numeric.flatMap((info) => casesOf(info.op, constants));
  const { module, funcs } = build(cases);
  const layout = new VmLayout(module);
  const options = { level, bounds, features: new Set<string>() };
  const allocator = new Allocator(arm64.registers);
  const builder = new ModuleCodeBuilder(arm64, 0, funcs.length);
  for (const fn of funcs) {
    const mfn = arm64.lower(fn, { module, layout }, options);
    assert.equal(verifyMFunc(mfn, arm64).map(String), []);
    allocator.allocate(mfn, { level, check: true });
    builder.add(arm64.emit(mfn, options));
  }
  const calls: Call[] = [];
  cases.forEach(({ op, sources }, func) => {
    const { args } = opInfo[op]!;
    const lefts = sources[0]!.from === "const" ? [sources[0]!.bits] : values[args[0] as Type]!;
    const rights = args.length === 1 ? [0n] : sources[1]!.from === "const" ? [sources[1]!.bits] : sources[1]!.from === "left" ? undefined : values[args[1] as Type]!;
    for (const x of lefts) for (const y of rights ?? [x]) calls.push({ func, args: args.length === 1 ? [x] : [x, y] });
  });
  const outcomes = runBulk({ module, layout, code: builder.finish() }, calls);
  const wrong: string[] = [];
  let nans = 0;
  outcomes.forEach(({ trap, results }, n) => {
    const { func, args } = calls[n]!;
    const { op, sources } = cases[func]!;
    const { name, result } = opInfo[op]!;
    const want = expected(op, args);
    const narrow = result === Type.i32 || result === Type.f32;
    const got = trap !== TrapKind.none ? trapInfo[trap].message : narrow ? BigInt.asUintN(32, results[0]!) : results[0]!;
    let same = got === want;
    if (!same && typeof got === "bigint" && typeof want === "bigint" && isArithmetic(op) && isQuietNan(want, result as Type)) {
      same = isQuietNan(got, result as Type);
      nans++;
    }
    if (same || wrong.length >= 20) return;
    const how = sources.map((source) => source.from).join(" ");
    const show = (z: bigint | string) => (typeof z === "string" ? z : "0x" + z.toString(16));
    wrong.push(`${name} (${how}) ${args.map(show).join(" ")}: expected ${show(want)}, got ${show(got)}`);
  });
  assert.equal(wrong, []);
  assert.ok(nans < calls.length / 10, `${nans} of ${calls.length} results are NaNs of other bits`);
  console.log(`  ${cases.length} functions, ${calls.length} calls`);
}

if (hasEmulator()) {
  test("every numeric op at level 2", () => run(2, "guard", 99));
  test("with explicit bounds checks", () => run(2, "explicit", 12));
  test("at level 0", () => run(0, "guard", 12));
} else {
  testWithout(test, "every numeric op, emulated", "qemu-aarch64 (qemu-user)");
}

test.run();
