// Calls of a module compiled for arm64, at every level, in the emulator, compared with what the interpreter says of the same.
import * as assert from "uvu/assert";
import { Type } from "../../../../ir/types.js";
import { compileSync, type CompileOptions } from "../../../../pipeline/index.js";
import { callRaw, funcInstanceOf, instantiate, Trap } from "../../../../runtime/index.js";

export interface Named {
  readonly name: string;
  readonly args: readonly bigint[];
}

/** Of each call its result bits, or the trap with its place and the functions it went through. One instance has all calls. */
export function outcomes(bytes: Uint8Array, calls: readonly Named[], options: CompileOptions): string[] {
  const { exports } = instantiate(compileSync(bytes, { features: [], verify: true, check: true, ...options }));
  return calls.map(({ name, args }) => {
    const func = funcInstanceOf(exports[name] as object)!;
    try {
      const results = callRaw(func, args as bigint[]) as bigint[];
      return results.map((x, i) => show(x, func.sig.results[i]!)).join(" ");
    } catch (error) {
      if (!(error instanceof Trap)) throw error;
      if (error.kind === "stack_exhausted") return "traps stack_exhausted";
      return `traps ${error.kind} at ${error.wasmOffset} in ${error.backtrace.map((frame) => frame.func).join(" < ")}`;
    }
  });
}

export function show(bits: bigint, type: Type): string {
  return "0x" + BigInt.asUintN(type === Type.i32 || type === Type.f32 ? 32 : 64, bits).toString(16);
}

const variants: readonly CompileOptions[] = [{ level: 2 }, { level: 2, bounds: "explicit" }, { level: 1 }, { level: 0 }, { level: "baseline" }, { level: "baseline", bounds: "explicit" }];

/** At every level, with guards and with explicit checks. */
export function check(bytes: Uint8Array, calls: readonly Named[]): void {
  const want = outcomes(bytes, calls, { engine: "interpreter", level: 0 });
  for (const options of variants) {
    const got = outcomes(bytes, calls, options);
    const wrong = calls.flatMap(({ name, args }, i) => (got[i] === want[i] ? [] : [`${JSON.stringify(options)} ${name}(${args.join(", ")}): expected ${want[i]}, got ${got[i]}`]));
    assert.equal(wrong, []);
  }
}

export const call = (name: string, ...args: (number | bigint)[]): Named => ({ name, args: args.map((x) => BigInt.asUintN(64, BigInt(x))) });
