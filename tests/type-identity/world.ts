// Linked instances in one engine, with the assertions the scenarios need.
import * as assert from "uvu/assert";
import type { FuncType } from "../../ir/types.js";
import { Type } from "../../ir/types.js";
import { printOutcome, sameTrap, type Engine, type Extern, type Imports, type Instance, type Outcome, type Store, type Val } from "../engine.js";
import { build, type ModuleSource } from "./build.js";

export type Modules = Record<string, Instance | Record<string, Extern>>;

export class World {
  readonly store: Store;
  private readonly compiled = new Map<ModuleSource, unknown>();

  constructor(
    readonly engine: Engine,
    shared?: World,
  ) {
    this.store = engine.newStore();
    // A second store over the same compiled code.
    if (shared) this.compiled = shared.compiled;
  }

  /** Compiled once, however often it is instantiated. */
  private compile(source: ModuleSource): unknown {
    let module = this.compiled.get(source);
    if (module === undefined) this.compiled.set(source, (module = this.engine.compile(build(source))));
    return module;
  }

  link(source: ModuleSource, modules: Modules = {}): Outcome<Instance> {
    const imports: Imports = new Map(
      Object.entries(modules).map(([name, from]) => [name, isInstance(from) ? from.exports : new Map(Object.entries(from))] as const),
    );
    return this.store.instantiate(this.compile(source), imports);
  }

  make(source: ModuleSource, modules: Modules = {}): Instance {
    const outcome = this.link(source, modules);
    if (outcome.kind !== "ok") assert.unreachable(`${this.engine.mode}: not instantiated: ${outcome.kind} ${"message" in outcome ? outcome.message : String(outcome.error)}`);
    return (outcome as { value: Instance }).value;
  }

  host(sig: FuncType, run: (args: readonly Val[]) => readonly Val[]): Extern {
    return this.store.hostFunc(sig, run);
  }

  call(instance: Instance, name: string, ...args: (number | bigint)[]): Outcome<readonly Val[]> {
    const func = instance.exports.get(name);
    assert.ok(func, `no export ${name}`);
    const { params } = this.store.funcType(func!);
    return this.store.call(func!, args.map((arg, i) => ({ type: params[i]!, bits: BigInt.asUintN(params[i] === Type.i64 ? 64 : 32, BigInt(arg)) })));
  }

  /** The call gives this one number (or nothing, for undefined). */
  gives(expected: number | undefined, instance: Instance, name: string, ...args: (number | bigint)[]): void {
    const outcome = this.call(instance, name, ...args);
    const got = outcome.kind === "ok" ? outcome.value.map((val) => Number(BigInt.asIntN(val.type === Type.i64 ? 64 : 32, val.bits))) : undefined;
    const want = expected === undefined ? [] : [expected];
    assert.equal(got, want, `${this.engine.mode}: ${name}(${args.join(", ")}): expected ${want.join()}, got ${printOutcome(outcome)}`);
  }

  traps(kind: string, instance: Instance, name: string, ...args: (number | bigint)[]): string {
    const outcome = this.call(instance, name, ...args);
    const same = outcome.kind === "trap" && (outcome.trap === kind || (this.engine.mode === "v8" && sameTrap(outcome.trap, kind)));
    assert.ok(same, `${this.engine.mode}: ${name}(${args.join(", ")}): expected trap ${kind}, got ${printOutcome(outcome)}`);
    return outcome.kind === "trap" ? outcome.message : "";
  }

  mismatch(instance: Instance, name: string, ...args: (number | bigint)[]): string {
    return this.traps("indirect_call_type_mismatch", instance, name, ...args);
  }

  /** What JS sees a function as: the exported function object. */
  identity(func: Extern | undefined): unknown {
    const object = func?.object;
    return typeof object === "function" ? object : (object as { exported: unknown }).exported;
  }
}

function isInstance(from: Instance | Record<string, Extern>): from is Instance {
  return (from as Instance).exports instanceof Map;
}
