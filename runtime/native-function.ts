// C functions as imports: `native("libm.so.6", "cos", "f64(f64)")` is called from compiled code with no JS between.
//
// A signature says how C sees the function: `i32 i64 f32 f64`, `ptr` (an address: an i64 in Wasm), `mem` (an address in memory 0 of
// the module that imports it: in Wasm an i32 offset), and as a result `void`. The backend's stub turns our convention into C's and
// runs the function on the host's stack. Whoever binds a C function answers for what it does: it runs outside the sandbox.
import { Type, type FuncType } from "../ir/types.js";
import { currentThread } from "./thread.js";

/** How the words of a signature stand in Wasm, and what koffi calls them. */
const words: Readonly<Record<string, { readonly type: Type; readonly koffi: string }>> = {
  i32: { type: Type.i32, koffi: "int32_t" },
  i64: { type: Type.i64, koffi: "int64_t" },
  f32: { type: Type.f32, koffi: "float" },
  f64: { type: Type.f64, koffi: "double" },
  ptr: { type: Type.i64, koffi: "uintptr_t" },
  mem: { type: Type.i32, koffi: "uintptr_t" },
};

export interface NativeFunction {
  readonly library: string | null;
  readonly symbol: string;
  /** As it was given. */
  readonly signature: string;
  readonly address: number;
  /** The type it has in Wasm. */
  readonly sig: FuncType;
  /** Parameters that are offsets into memory 0. */
  readonly inMemory: readonly boolean[];
}

const functions = new WeakMap<object, NativeFunction>();

/** The C function behind what `native` gave; undefined for any other value. */
export function nativeFunctionOf(value: object): NativeFunction | undefined {
  return functions.get(value);
}

/**
 * A C function to be imported by a module. Also a JS function, for calls from JS (an i64 is a BigInt or a Number there).
 * @param library file name or path of a shared library, as the system's loader takes it; null: what the process has loaded already.
 * @param signature `result(parameter, ...)`. A `mem` argument has to be inside the memory (a trap otherwise); how far beyond it the function
 * reads or writes is not checked. `_Bool`, `char` and `short` do not fill an i32: wrap such functions.
 * @throws TypeError for a signature that is none; Error for a library or a symbol that cannot be found.
 */
export function native(library: string | null, symbol: string, signature: string): (...args: (number | bigint)[]) => unknown {
  const { result, params } = parseSignature(signature);
  const { address, call } = currentThread().native.foreign(
    library,
    symbol,
    result === "void" ? "void" : words[result]!.koffi,
    params.map((word) => words[word]!.koffi),
  );
  const where = library ?? "this process";
  const object = params.includes("mem")
    ? () => {
        throw new TypeError(`"${symbol}" of ${where} takes an address in a memory: only a module can call it`);
      }
    : (...args: (number | bigint)[]) => {
        const value = call(...args);
        return result === "i64" || result === "ptr" ? BigInt.asIntN(64, BigInt(value as number | bigint)) : value;
      };
  Object.defineProperty(object, "name", { value: symbol, configurable: true });
  Object.defineProperty(object, "length", { value: params.length, configurable: true });
  const sig: FuncType = { params: params.map((word) => words[word]!.type), results: result === "void" ? [] : [words[result]!.type] };
  functions.set(object, { library, symbol, signature, address, sig, inMemory: params.map((word) => word === "mem") });
  return object;
}

function parseSignature(signature: string): { result: string; params: string[] } {
  const match = /^\s*(\w+)\s*\(([^()]*)\)\s*$/.exec(signature);
  if (!match) throw new TypeError(`"${signature}" is no signature: expected one like "f64(f64, i32)"`);
  const [, result, list] = match as unknown as [string, string, string];
  const params = list.trim() === "" || list.trim() === "void" ? [] : list.split(",").map((word) => word.trim());
  const known = Object.keys(words).join(", ");
  for (const word of params) {
    if (!Object.hasOwn(words, word)) throw new TypeError(`"${word}" in the signature "${signature}" is no type of a parameter: there are ${known}`);
  }
  if (result === "mem") throw new TypeError(`"mem" in the signature "${signature}" cannot be a result: take the address as "ptr"`);
  if (result !== "void" && !Object.hasOwn(words, result)) throw new TypeError(`"${result}" in the signature "${signature}" is no type of a result: there are ${known}, void`);
  return { result, params };
}
