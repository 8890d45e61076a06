// V8 as an engine of the tests: the oracle.
//
// Floats cross between V8's code and JS through bridge modules that reinterpret them as integers, since a JS number
// does not keep a NaN's payload. Signatures come from our decoder and are proved by V8 when it links a bridge to the function.
import { Type, type FuncType, valueTypes } from "../ir/types.js";
import type { Module } from "../ir/module.js";
import { decodeModule } from "../pipeline/frontend/decode.js";
import { floatBits, floatOf, isFloat, isReference, type Engine, type Extern, type Imports, type Instance, type Outcome, type Store, type Val } from "./engine.js";
import { funcType, header, leb, section, typeCode } from "./wasm-bytes.js";

type Callable = (...args: unknown[]) => unknown;

interface V8Module {
  readonly module: WebAssembly.Module;
  readonly decoded: Module;
}

interface V8Func {
  readonly exported: Callable;
  readonly sig: FuncType;
  /** Takes and gives integers where `exported` has floats; made at the first call. */
  bridge?: Callable;
}

const asInteger = (type: Type): Type => (type === Type.f32 ? Type.i32 : type === Type.f64 ? Type.i64 : type);
const reinterpret = (from: Type, to: Type): number[] => {
  if (from === to) return [];
  if (from === Type.f32) return [0xbc];
  if (from === Type.f64) return [0xbd];
  return [to === Type.f32 ? 0xbe : 0xbf];
};

/** A module that imports a function of signature `from` and exports the same as `to`; the two differ in float against integer only. */
function bridgeModule(from: FuncType, to: FuncType): WebAssembly.Module {
  const body: number[] = [];
  to.params.forEach((param, i) => body.push(0x20, ...leb(i), ...reinterpret(param, from.params[i]!)));
  body.push(0x10, 0);
  const firstLocal = to.params.length;
  for (let i = from.results.length - 1; i >= 0; i--) body.push(0x21, ...leb(firstLocal + i));
  to.results.forEach((result, i) => body.push(0x20, ...leb(firstLocal + i), ...reinterpret(from.results[i]!, result)));
  body.push(0x0b);
  const locals = [...leb(from.results.length), ...from.results.flatMap((t) => [1, typeCode(t)])];
  const func = [...locals, ...body];
  const bytes = [
    ...header,
    ...section(1, funcType(from), funcType(to)),
    ...section(2, [0, 0, 0, 0]),
    ...section(3, [1]),
    ...section(7, [0, 0, 1]),
    ...section(10, [...leb(func.length), ...func]),
  ];
  return new WebAssembly.Module(Uint8Array.from(bytes));
}

function bridged(from: FuncType, to: FuncType, func: unknown): Callable {
  const instance = new WebAssembly.Instance(bridgeModule(from, to), { "": { "": func as WebAssembly.ImportValue } });
  return instance.exports[""] as Callable;
}

const integers = (sig: FuncType): FuncType => ({ params: sig.params.map(asInteger), results: sig.results.map(asInteger) });
const hasFloats = (sig: FuncType): boolean => sig.params.some(isFloat) || sig.results.some(isFloat);

/** A JS value for an integer-only signature. */
function toJs(val: Val): unknown {
  if (isReference(val.type)) return val.ref;
  return valueTypes[val.type].bytes === 4 ? Number(BigInt.asIntN(32, val.bits)) : BigInt.asIntN(64, val.bits);
}

function fromJs(type: Type, x: unknown): Val {
  if (isReference(type)) return { type, bits: 0n, ref: x };
  return { type, bits: valueTypes[type].bytes === 4 ? BigInt((x as number) >>> 0) : BigInt.asUintN(64, x as bigint) };
}

/** In the order they are tried. */
const trapMessages: readonly (readonly [RegExp, string])[] = [
  [/^unreachable/, "unreachable"],
  [/memory access out of bounds|data segment/, "out_of_bounds_memory"],
  [/table index is out of bounds|table access out of bounds|element segment|table (initializer|or)/, "out_of_bounds_table"],
  [/null function or function signature|signature mismatch/, "indirect_call_type_mismatch"],
  [/divide by zero|remainder by zero/, "integer_divide_by_zero"],
  [/divide result unrepresentable/, "integer_overflow"],
  [/float unrepresentable/, "float_to_integer"],
];

/** Wraps what V8 threw. `hostErrors` are exceptions of our host functions: never traps. */
function outcomeOf<T>(error: unknown, hostErrors: ReadonlySet<unknown>): Outcome<T> {
  if (hostErrors.has(error)) return { kind: "exception", error };
  if (error instanceof RangeError && /call stack/.test(error.message)) {
    return { kind: "trap", trap: "stack_exhausted", message: error.message };
  }
  if (error instanceof WebAssembly.LinkError) return { kind: "link", message: error.message };
  if (error instanceof TypeError) return { kind: "link", message: error.message };
  if (error instanceof WebAssembly.RuntimeError) {
    const known = trapMessages.find(([pattern]) => pattern.test(error.message));
    if (!known) throw new Error(`unknown trap message of V8: ${error.message}`);
    return { kind: "trap", trap: known[1], message: error.message };
  }
  return { kind: "exception", error };
}

class V8Store implements Store {
  private readonly hostErrors = new Set<unknown>();
  /** Signatures of functions that came out of instances, by their exported function object. */
  private readonly signatures = new Map<unknown, FuncType>();
  private readonly globalTypes = new Map<unknown, Type>();

  hostFunc(sig: FuncType, run: (args: readonly Val[]) => readonly Val[]): Extern {
    const plain = integers(sig);
    const inner = (...args: unknown[]) => {
      try {
        const vals = sig.params.map((type, i) => ({ ...fromJs(plain.params[i]!, args[i]), type }));
        const results = run(vals).map((val, i) => toJs({ ...val, type: plain.results[i]! }));
        return results.length > 1 ? results : results[0];
      } catch (error) {
        this.hostErrors.add(error);
        throw error;
      }
    };
    // A wasm function of exactly this signature, as a host function of other engines has one.
    const exported = bridged(plain, sig, inner);
    this.signatures.set(exported, sig);
    return { kind: "func", object: { exported, sig } satisfies V8Func };
  }

  global(type: Type, mutable: boolean, value: Val): Extern {
    const descriptor = { value: valueTypes[type].name === "funcref" ? "anyfunc" : valueTypes[type].name, mutable };
    const x = isFloat(type) ? floatOf(value) : toJs(value);
    const object = new WebAssembly.Global(descriptor as WebAssembly.GlobalDescriptor, x as never);
    this.globalTypes.set(object, type);
    return { kind: "global", object };
  }

  table(min: number, max: number | undefined): Extern {
    return { kind: "table", object: new WebAssembly.Table(max === undefined ? { element: "anyfunc", initial: min } : { element: "anyfunc", initial: min, maximum: max }) };
  }

  memory(min: number, max: number | undefined): Extern {
    return { kind: "memory", object: new WebAssembly.Memory(max === undefined ? { initial: min } : { initial: min, maximum: max }) };
  }

  instantiate(module: unknown, imports: Imports): Outcome<Instance> {
    const { module: v8Module, decoded } = module as V8Module;
    const object: Record<string, Record<string, unknown>> = Object.create(null);
    for (const [name, fields] of imports) {
      const inner: Record<string, unknown> = (object[name] = Object.create(null));
      for (const [field, value] of fields) inner[field] = value.kind === "func" ? (value.object as V8Func).exported : value.object;
    }
    let instance: WebAssembly.Instance;
    try {
      instance = new WebAssembly.Instance(v8Module, object as WebAssembly.Imports);
    } catch (error) {
      return outcomeOf(error, this.hostErrors);
    }
    const exports = new Map<string, Extern>();
    for (const item of decoded.exports) {
      const value: unknown = instance.exports[item.name];
      if (item.kind === "func") {
        const sig = decoded.funcType(item.index);
        this.signatures.set(value, sig);
        exports.set(item.name, { kind: "func", object: { exported: value as Callable, sig } satisfies V8Func });
      } else {
        if (item.kind === "global") this.globalTypes.set(value, decoded.globals[item.index]!.type);
        exports.set(item.name, { kind: item.kind, object: value });
      }
    }
    return { kind: "ok", value: { exports } };
  }

  call(extern: Extern, args: readonly Val[]): Outcome<readonly Val[]> {
    const func = extern.object as V8Func;
    const plain = integers(func.sig);
    try {
      func.bridge ??= hasFloats(func.sig) ? bridged(func.sig, plain, func.exported) : func.exported;
      const result = func.bridge(...args.map((val, i) => toJs({ ...val, type: plain.params[i]! })));
      const results = plain.results.length === 0 ? [] : plain.results.length === 1 ? [result] : (result as unknown[]);
      return { kind: "ok", value: plain.results.map((type, i) => ({ ...fromJs(type, results[i]), type: func.sig.results[i]! })) };
    } catch (error) {
      return outcomeOf(error, this.hostErrors);
    }
  }

  get(extern: Extern): Val {
    const global = extern.object as WebAssembly.Global;
    const type = this.globalTypes.get(global)!;
    if (isFloat(type)) return { type, bits: floatBits(type, global.value as number) };
    return fromJs(type, global.value);
  }

  memoryBytes(extern: Extern): Uint8Array {
    return new Uint8Array((extern.object as WebAssembly.Memory).buffer);
  }

  tableSize(extern: Extern): number {
    return (extern.object as WebAssembly.Table).length;
  }

  tableGet(extern: Extern, index: number): unknown {
    return (extern.object as WebAssembly.Table).get(index);
  }

  funcType(extern: Extern): FuncType {
    return (extern.object as V8Func).sig;
  }

  dispose(): void {
    this.signatures.clear();
  }
}

export const v8Engine: Engine = {
  mode: "v8",
  compile(bytes: Uint8Array): V8Module {
    const module = new WebAssembly.Module(bytes);
    return { module, decoded: decodeModule(bytes) };
  },
  newStore: () => new V8Store(),
};
