// Calls of a module compiled for arm64, at every level, in the emulator, compared with what the interpreter says of the same.
import * as assert from "uvu/assert";
import { trapInfo, TrapKind } from "../../../../ir/layout.js";
import { Type } from "../../../../ir/types.js";
import { compileSync, type CompileOptions } from "../../../../pipeline/index.js";
import { callRaw, funcInstanceOf, instantiate, Trap } from "../../../../runtime/index.js";
import { runBulk, type Call } from "./bulk.js";
import { compileForArm64, programOf } from "./program.js";

export interface Named {
  readonly name: string;
  readonly args: readonly bigint[];
}

/** What the interpreter says: result bits, or the trap with the functions it went through. */
function reference(bytes: Uint8Array, calls: readonly Named[]): string[] {
  const { exports } = instantiate(compileSync(bytes, { engine: "interpreter", level: 0 }));
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

function emulated(bytes: Uint8Array, calls: readonly Named[], options: CompileOptions): string[] {
  const compilation = compileForArm64(bytes, options);
  const { module } = compilation;
  const indexOf = (name: string) => module.exports.find((item) => item.kind === "func" && item.name === name)!.index as number;
  const list: Call[] = calls.map(({ name, args }) => ({ func: indexOf(name), args }));
  return runBulk(programOf(compilation), list).map(({ trap, offset, frames, results }, n) => {
    if (trap === TrapKind.none) return results.map((x, i) => show(x, module.funcType(list[n]!.func as never).results[i]!)).join(" ");
    if (trap === TrapKind.stack_exhausted) return "traps stack_exhausted";
    return `traps ${trapInfo[trap].name} at ${offset} in ${frames.join(" < ")}`;
  });
}

const variants: readonly CompileOptions[] = [{ level: 2 }, { level: 2, bounds: "explicit" }, { level: 1 }, { level: 0 }];

/** At every level, with guards and with explicit checks. */
export function check(bytes: Uint8Array, calls: readonly Named[]): void {
  const want = reference(bytes, calls);
  for (const options of variants) {
    const got = emulated(bytes, calls, options);
    const wrong = calls.flatMap(({ name, args }, i) => (got[i] === want[i] ? [] : [`${JSON.stringify(options)} ${name}(${args.join(", ")}): expected ${want[i]}, got ${got[i]}`]));
    assert.equal(wrong, []);
  }
}

export const call = (name: string, ...args: (number | bigint)[]): Named => ({ name, args: args.map((x) => BigInt.asUintN(64, BigInt(x))) });
