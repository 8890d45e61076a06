// Every numeric op, compiled for several sets of CPU features, against exact arithmetic (ir/fold): registers, constants on
// either side, the right operand in memory, both operands the same. Runs natively, so only where the host is an amd64.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Allocator } from "../../../backends/regalloc/index.js";
import { ModuleCodeBuilder } from "../../../backends/module-code.js";
import type { FuncIndex } from "../../../ir/entity.js";
import { VmLayout } from "../../../ir/layout.js";
import { opInfo } from "../../../ir/ops.js";
import type { Type } from "../../../ir/types.js";
import { verifyMFunc } from "../../../ir/machine/verify.js";
import { targetNamed } from "../../../pipeline/targets.js";
import { callRaw, funcInstanceOf, hostCpuFeatures, instantiate, Trap } from "../../../runtime/index.js";
import { build, casesOf, expected, numeric, values } from "./numeric-ops.js";

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
