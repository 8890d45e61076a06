// Our engine behind the tests' view of engines: the public API with the options of each mode.
//
// Values cross as raw bits (`callRaw`, host functions with `raw`), so that NaN payloads are seen.
import { compileSync, type CompileOptions } from "../pipeline/index.js";
import { isRef, Type, typeName, type FuncType } from "../ir/types.js";
import { callRaw, funcInstanceOf, Global, instantiate, LinkError, Memory, Store as RuntimeStore, Table, Trap, type CompiledModule } from "../runtime/index.js";
import { isReference, type Engine, type Extern, type Imports, type Instance, type Outcome, type Store, type Val } from "./engine.js";

type JsFunction = (...args: unknown[]) => unknown;

const toRaw = (val: Val): unknown => (isReference(val.type) ? val.ref : val.bits);
const width = (type: Type): number => (type === Type.i32 || type === Type.f32 ? 32 : 64);
const fromRaw = (type: Type, raw: unknown): Val =>
  isRef(type) ? { type, bits: 0n, ref: raw } : { type, bits: BigInt.asUintN(width(type), raw as bigint) };

function outcomeOf<T>(error: unknown, hostErrors: ReadonlySet<unknown>): Outcome<T> {
  if (hostErrors.has(error)) return { kind: "exception", error };
  if (error instanceof Trap) return { kind: "trap", trap: error.kind, message: error.message };
  if (error instanceof LinkError) return { kind: "link", message: error.message };
  // Anything else is a bug of ours: seen, not compared.
  throw error;
}

class LatheStore implements Store {
  private readonly store = new RuntimeStore();
  private readonly hostErrors = new Set<unknown>();

  hostFunc(sig: FuncType, run: (args: readonly Val[]) => readonly Val[]): Extern {
    const object = this.store.hostFunction(
      sig,
      (...raw: unknown[]) => {
        try {
          const results = run(raw.map((x, i) => fromRaw(sig.params[i]!, x))).map(toRaw);
          return results.length > 1 ? results : results[0];
        } catch (error) {
          this.hostErrors.add(error);
          throw error;
        }
      },
      true,
    );
    return { kind: "func", object };
  }

  global(type: Type, mutable: boolean, value: Val): Extern {
    const global = Global.make({ value: typeName(type) as "i32", mutable }, isReference(type) ? value.ref : undefined, this.store);
    if (!isReference(type)) global.setRaw(value.bits);
    return { kind: "global", object: global };
  }

  table(min: number, max: number | undefined): Extern {
    return { kind: "table", object: new Table({ element: "funcref", initial: min, maximum: max }, null, this.store) };
  }

  memory(min: number, max: number | undefined): Extern {
    return { kind: "memory", object: new Memory({ initial: min, maximum: max }) };
  }

  instantiate(module: unknown, imports: Imports): Outcome<Instance> {
    const object: Record<string, Record<string, unknown>> = Object.create(null) as Record<string, Record<string, unknown>>;
    for (const [name, fields] of imports) {
      const inner: Record<string, unknown> = (object[name] = Object.create(null) as Record<string, unknown>);
      for (const [field, value] of fields) inner[field] = value.object;
    }
    try {
      const compiled = module as CompiledModule;
      const instance = instantiate(compiled, object, this.store);
      const exports = new Map(compiled.module.exports.map((item) => [item.name, { kind: item.kind, object: instance.exports[item.name] }]));
      return { kind: "ok", value: { exports } };
    } catch (error) {
      return outcomeOf(error, this.hostErrors);
    }
  }

  call(extern: Extern, args: readonly Val[]): Outcome<readonly Val[]> {
    const func = funcInstanceOf(extern.object as JsFunction)!;
    try {
      const results = callRaw(func, args.map(toRaw));
      return { kind: "ok", value: results.map((raw, i) => fromRaw(func.sig.results[i]!, raw)) };
    } catch (error) {
      return outcomeOf(error, this.hostErrors);
    }
  }

  get(extern: Extern): Val {
    const global = extern.object as Global;
    return fromRaw(global.type, global.getRaw());
  }

  memoryBytes(extern: Extern): Uint8Array {
    return new Uint8Array((extern.object as Memory).buffer);
  }

  tableSize(extern: Extern): number {
    return (extern.object as Table).length;
  }

  tableGet(extern: Extern, index: number): unknown {
    return (extern.object as Table).get(index);
  }

  funcType(extern: Extern): FuncType {
    return funcInstanceOf(extern.object as JsFunction)!.sig;
  }

  dispose(): void {
    this.hostErrors.clear();
  }
}

/** Each mode's options. The interpreter runs what the passes of O0 leave, so that a wrong pass and a wrong backend tell apart. */
const optionsOf = {
  native: { level: 2, bounds: "guard", lazy: false },
  explicit: { level: 2, bounds: "explicit", lazy: false },
  O0: { level: 0, bounds: "guard", lazy: false },
  O1: { level: 1, bounds: "guard", lazy: false },
  baseline: { level: "baseline", bounds: "guard", lazy: false },
  "baseline-explicit": { level: "baseline", bounds: "explicit", lazy: false },
  /** No CPU feature beyond what every CPU of the target has. */
  nofeatures: { level: 2, bounds: "guard", features: [], lazy: false },
  lazy: { level: 2, bounds: "guard", lazy: true },
  /** Functions are compiled at their first call, and soon again. */
  tiers: { bounds: "guard", lazy: true, tierUpAfter: 0.2 },
  interp: { level: 0, engine: "interpreter" },
} as const satisfies Record<string, CompileOptions>;

/** @param options on top of the mode's. */
export function latheEngine(mode: keyof typeof optionsOf, options: CompileOptions = {}): Engine {
  return {
    mode,
    compile(bytes: Uint8Array): CompiledModule {
      return compileSync(bytes, { ...optionsOf[mode], ...options });
    },
    newStore: () => new LatheStore(),
  };
}
