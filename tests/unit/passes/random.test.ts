// Random functions before and after each pass, and after the whole pipelines: the interpreter must see no difference, and
// native code must compute the same.
//
// Compared are results bit for bit, traps by kind, memory, globals and the number of host calls. `SEED=n COUNT=m` repeats.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ModuleCodeBuilder } from "../../../backends/module-code.js";
import { Allocator } from "../../../backends/regalloc/index.js";
import type { CodegenOptions } from "../../../backends/target.js";
import type { ModuleCode } from "../../../ir/code.js";
import type { FuncIndex } from "../../../ir/entity.js";
import type { Func } from "../../../ir/func.js";
import { VmLayout } from "../../../ir/layout.js";
import type { Module } from "../../../ir/module.js";
import { parseModule } from "../../../ir/parse.js";
import { printFunc } from "../../../ir/print.js";
import { verifyFunc } from "../../../ir/verify.js";
import { printFuncType, Type } from "../../../ir/types.js";
import { O0, O1, O2 } from "../../../pipeline/pipelines.js";
import { targetNamed } from "../../../pipeline/targets.js";
import { callRaw, funcInstanceOf, Global, hostCpuFeatures, instantiate, Memory, Store, Trap } from "../../../runtime/index.js";
import { Random, randomBits, randomFunc, randomSig } from "./random-func.js";
import { moduleText, runPasses } from "./support.js";

const seed = Number(process.env["SEED"] ?? 1);
const count = Number(process.env["COUNT"] ?? 150);
const zeros = "b0(v0: i32, v1: i32, v2: i64, v3: i64, v4: f32, v5: f64):\n return v0, v2, v4, v5";
const text = moduleText(printFuncType(randomSig), zeros).replace("memory m0: 1..", 'memory m0: 1..\nexport "memory" = m0\nexport "g2" = g2');
const store = new Store();

function freshModule(): Module {
  return parseModule(text).module;
}

/** What can be seen of running the function on some arguments, one after the other on one instance. */
function seen(fn: Func, module: Module, args: readonly (readonly bigint[])[], native?: Native): string[] {
  let calls = 0;
  const global = (n: number) => Global.make({ value: "i32", mutable: true }, n, store);
  const a = global(5);
  const b = global(6);
  const layout = new VmLayout(module);
  const code = native && nativeCode(fn, module, layout, native);
  const compiled = { module, layout, functions: (_: FuncIndex) => fn, bounds: native?.bounds ?? "explicit", code, stubs: code && target.stubs };
  const instance = instantiate(compiled, { env: { f: () => void calls++, a, b } }, store);
  const run = funcInstanceOf(instance.exports["run"] as () => unknown)!;
  const out: string[] = [];
  for (const list of args) {
    try {
      out.push(callRaw(run, list).map(String).join(" "));
    } catch (error) {
      if (!(error instanceof Trap)) throw error;
      out.push(error.kind);
    }
    const bytes = new Uint8Array((instance.exports["memory"] as Memory).buffer, 0, 8192);
    let hash = 0;
    for (const byte of bytes) hash = (Math.imul(hash, 31) + byte) | 0;
    out.push(`calls ${calls} memory ${hash} globals ${String(a.value)} ${String(b.value)} ${String((instance.exports["g2"] as Global).value)}`);
  }
  return out;
}

type Native = Pick<CodegenOptions, "level" | "bounds">;
const target = targetNamed();
/** The interpreter and `ir/fold` have the NaNs of amd64. */
const otherNans = target.name !== "amd64";
const features = new Set(hostCpuFeatures(target.stubs));

/** The function as code: lowered, allocated (and the allocation proved), emitted. */
function nativeCode(fn: Func, module: Module, layout: VmLayout, native: Native): ModuleCode {
  const options = { ...native, features };
  const mfn = target.lower(fn, { module, layout }, options);
  new Allocator(target.registers).allocate(mfn, { level: native.level, check: true });
  const builder = new ModuleCodeBuilder(target, fn.index, 1);
  builder.add(target.emit(mfn, options));
  return builder.finish();
}

function randomArgs(r: Random): bigint[] {
  return randomSig.params.map((type) => {
    const [lo, hi] = randomBits(r, type);
    const wide = type === Type.i64 || type === Type.f64;
    return BigInt.asUintN(wide ? 64 : 32, (BigInt(hi) << 32n) | BigInt(lo >>> 0));
  });
}

const plans: Record<string, readonly string[]> = { O0, O1, O2 };
for (const name of new Set([...O0, ...O1, ...O2])) plans[name] = [name];

for (const [plan, names] of Object.entries(plans)) {
  test(`${plan}: ${count} random functions compute the same`, () => {
    for (let i = 0; i < count; i++) {
      const size = 5 + ((seed + i) % 60);
      const make = () => randomFunc(seed + i, size);
      const r = new Random(seed + i + 1_000_000);
      const args = Array.from({ length: 6 }, () => randomArgs(r));
      const original = make();
      assert.equal(verifyFunc(original, freshModule()), [], `seed ${seed + i}: the generator's function`);
      const before = seen(original, freshModule(), args);
      const module = freshModule();
      const changed = make();
      runPasses(module, changed, names);
      const after = seen(changed, module, args);
      const at = before.findIndex((line, k) => line !== after[k]);
      if (at >= 0) {
        const report = `seed ${seed + i} args ${args[at >> 1]!.join(" ")}:\n${before[at]}\n${after[at]}\n${printFunc(original)}\n${printFunc(changed)}`;
        assert.unreachable(report);
      }
    }
  });
}

for (const native of [{ level: 0, bounds: "guard" }, { level: 2, bounds: "guard" }, { level: 2, bounds: "explicit" }] as const) {
  test(`native code at level ${native.level}, ${native.bounds}: ${count} random functions compute what the interpreter says`, () => {
    for (let i = 0; i < count; i++) {
      const size = 5 + ((seed + i) % 90);
      const r = new Random(seed + i + 2_000_000);
      const args = Array.from({ length: 6 }, () => randomArgs(r));
      const original = randomFunc(seed + i, size, otherNans);
      const before = seen(original, freshModule(), args);
      const module = freshModule();
      const compiled = randomFunc(seed + i, size, otherNans);
      runPasses(module, compiled, native.level === 0 ? O0 : O2);
      const after = seen(compiled, module, args, native);
      const at = before.findIndex((line, k) => line !== after[k]);
      if (at >= 0) assert.unreachable(`seed ${seed + i} args ${args[at >> 1]!.join(" ")}:\n${before[at]}\n${after[at]}\n${printFunc(compiled)}`);
    }
  });
}

test.run();
