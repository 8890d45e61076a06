// Every numeric op in the ways its operands may come (registers, constants on either side, the right operand in memory, both the same),
// compiled for the host's target and run, against exact arithmetic (ir/fold).
//
// Of NaNs that arithmetic makes, Wasm fixes no bits but "quiet"; `fold` has those of amd64. Where a target makes others any quiet one counts.
import * as assert from "uvu/assert";
import { Allocator } from "../../../backends/regalloc/index.js";
import { ModuleCodeBuilder } from "../../../backends/module-code.js";
import type { FuncIndex } from "../../../ir/entity.js";
import { VmLayout } from "../../../ir/layout.js";
import { type Op, opInfo } from "../../../ir/ops.js";
import { Type } from "../../../ir/types.js";
import { verifyMFunc } from "../../../ir/machine/verify.js";
import { targetNamed } from "../../../pipeline/targets.js";
import { callRaw, funcInstanceOf, instantiate, Trap } from "../../../runtime/index.js";
import { build, casesOf, expected, numeric, values } from "./numeric-ops.js";

export interface NumericRun {
  readonly features: readonly string[];
  readonly level: 0 | 2;
  readonly bounds: "guard" | "explicit";
  /** Constants an operand takes at most. */
  readonly constants: number;
  /** Whether the target's arithmetic makes NaNs of other bits than `fold` says. */
  readonly otherNans?: boolean;
}

/** Ops whose NaN results may have any payload. */
function isArithmetic(op: Op): boolean {
  const { result, args, name } = opInfo[op]!;
  const isFloat = (t: number) => t === Type.f32 || t === Type.f64;
  return isFloat(result) && isFloat(args[0]!) && !/abs|neg|copysign/.test(name);
}

function isQuietNan(bits: bigint, type: number): boolean {
  return type === Type.f32 ? (bits & 0x7fc00000n) === 0x7fc00000n : (bits & 0x7ff8000000000000n) === 0x7ff8000000000000n;
}

export function runNumericOps({ features, level, bounds, constants, otherNans = false }: NumericRun): void {
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
  let calls = 0;
  let nans = 0;
  cases.forEach(({ op, sources }, n) => {
    const { args, name, result } = opInfo[op]!;
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
        let same = typeof want === "string" ? typeof got === "string" && got.startsWith(want) : got === want;
        calls++;
        if (otherNans && !same && typeof got === "bigint" && typeof want === "bigint" && isArithmetic(op) && isQuietNan(want, result)) {
          same = isQuietNan(got, result);
          nans++;
        }
        if (!same && wrong.length < 20) {
          const how = sources.map((source) => source.from).join(" ");
          wrong.push(`${name} (${how}) ${operands.map((z) => "0x" + z.toString(16)).join(" ")}: expected ${typeof want === "string" ? want : "0x" + want.toString(16)}, got ${typeof got === "string" ? got : "0x" + got.toString(16)}`);
        }
      }
    }
  });
  assert.equal(wrong, []);
  assert.ok(nans < calls / 10, `${nans} of ${calls} results are NaNs of other bits`);
  console.log(`  ${cases.length} functions, ${calls} calls`);
}
