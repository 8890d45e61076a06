// Arguments and results of `lathe run` as text, exactly: what is printed can be given back and is the same bits.
import { numberText, parseNumber } from "../../ir/text.js";
import { Type, typeName, type FuncType } from "../../ir/types.js";
import { UsageError } from "./terminal.js";

const words = new Int32Array(2);

/** Raw bits of arguments, references as JS values. @throws UsageError on a wrong count or an argument of the wrong kind. */
export function parseArgs(name: string, sig: FuncType, args: readonly string[]): unknown[] {
  if (args.length !== sig.params.length) {
    const types = sig.params.map(typeName).join(", ");
    throw new UsageError(`"${name}" takes ${sig.params.length} argument${sig.params.length === 1 ? "" : "s"}${types && ` (${types})`}, not ${args.length}`);
  }
  return sig.params.map((type, i) => {
    const text = args[i]!;
    if (type === Type.externref) return text === "null" ? null : text;
    if (type === Type.funcref) {
      if (text !== "null") throw new UsageError(`argument ${i + 1} of "${name}": a funcref can only be given as null`);
      return null;
    }
    // parseNumber takes what is in range as signed; an unsigned i32 is welcome, too.
    if (!parseNumber(type, text, words)) throw new UsageError(`argument ${i + 1} of "${name}": "${text}" is no ${typeName(type)}`);
    const low = BigInt(words[0]! >>> 0);
    return type === Type.i32 || type === Type.f32 ? low : (BigInt(words[1]! >>> 0) << 32n) | low;
  });
}

export function printResult(type: Type, raw: unknown): string {
  if (type === Type.externref) return raw === null ? "null" : String(raw);
  if (type === Type.funcref) return raw === null ? "null" : "function";
  const bits = raw as bigint;
  return numberText(type, Number(BigInt.asIntN(32, bits)), Number(BigInt.asIntN(32, bits >> 32n)));
}
