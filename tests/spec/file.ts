// Runs one file of the suite in one engine: every command passes, fails or (malformed text) is skipped.
import { Type } from "../../ir/types.js";
import { floatBits, printOutcome, type Engine, type Extern, type Instance, type Outcome, type Store, type Val } from "../engine.js";
import { argument, HostRefs, matches, moduleBytes, suiteCommands, type Action, type Command } from "./suite.js";

export interface FileResult {
  passed: number;
  failed: number;
  skipped: number;
  /** `line: what went wrong`, at most 20. */
  failures: string[];
  /** By command type: skipped ones. */
  skips: Record<string, number>;
}

/** The host module `spectest`, fresh for a file. */
function spectest(store: Store): Map<string, Extern> {
  const { i32, i64, f32, f64 } = { i32: Type.i32, i64: Type.i64, f32: Type.f32, f64: Type.f64 };
  const print = (...params: Type[]) => store.hostFunc({ params, results: [] }, () => []);
  const global = (type: Type, bits: bigint) => store.global(type, false, { type, bits });
  return new Map([
    ["print", print()],
    ["print_i32", print(i32)],
    ["print_i64", print(i64)],
    ["print_f32", print(f32)],
    ["print_f64", print(f64)],
    ["print_i32_f32", print(i32, f32)],
    ["print_f64_f64", print(f64, f64)],
    ["global_i32", global(i32, 666n)],
    ["global_i64", global(i64, 666n)],
    ["global_f32", global(f32, floatBits(f32, 666.6))],
    ["global_f64", global(f64, floatBits(f64, 666.6))],
    ["table", store.table(10, 20)],
    ["memory", store.memory(1, 2)],
  ]);
}

/** Only what is wrong with the command; undefined when it passed. */
type Verdict = string | undefined;

class FileRun {
  readonly store: Store;
  private readonly refs = new HostRefs();
  private readonly registered = new Map<string, ReadonlyMap<string, Extern>>();
  private readonly named = new Map<string, Instance>();
  private readonly definitions = new Map<string, unknown>();
  private current: Instance | undefined;
  private lastDefinition: unknown;

  constructor(private readonly engine: Engine) {
    this.store = engine.newStore();
    this.registered.set("spectest", spectest(this.store));
  }

  run(command: Command): Verdict {
    switch (command.type) {
      case "module":
        return this.instantiate(this.engine.compile(moduleBytes(command)), command.name);
      case "module_definition":
        this.lastDefinition = this.engine.compile(moduleBytes(command));
        if (command.name) this.definitions.set(command.name, this.lastDefinition);
        return undefined;
      case "module_instance":
        return this.instantiate(command.module ? this.definitions.get(command.module) : this.lastDefinition, command.instance);
      case "register": {
        const instance = this.find(command.name ?? command.module);
        this.registered.set(command.as!, instance.exports);
        return undefined;
      }
      case "action":
        return this.expectValues(this.act(command.action!), undefined);
      case "assert_return":
        return this.expectValues(this.act(command.action!), command);
      case "assert_trap":
      case "assert_exhaustion":
        return this.expectTrap(this.act(command.action!), command.text!);
      case "assert_invalid":
      case "assert_malformed":
        return this.expectRefused(command);
      case "assert_unlinkable": {
        const outcome = this.store.instantiate(this.engine.compile(moduleBytes(command)), this.registered);
        return outcome.kind === "link" ? undefined : `expected a link error (${command.text}), got ${outcome.kind}`;
      }
      case "assert_uninstantiable": {
        const outcome = this.store.instantiate(this.engine.compile(moduleBytes(command)), this.registered);
        return outcome.kind === "ok" ? `expected a trap (${command.text}), but it was instantiated` : this.expectTrap(outcome, command.text!);
      }
      default:
        return `unknown command ${command.type}`;
    }
  }

  private instantiate(module: unknown, name: string | undefined): Verdict {
    this.current = undefined;
    if (name) this.named.delete(name);
    const outcome = this.store.instantiate(module, this.registered);
    if (outcome.kind !== "ok") return `not instantiated: ${outcome.kind} ${"message" in outcome ? outcome.message : String(outcome.error)}`;
    this.current = outcome.value;
    if (name) this.named.set(name, outcome.value);
    return undefined;
  }

  private find(name: string | undefined): Instance {
    const instance = name === undefined ? this.current : this.named.get(name);
    if (!instance) throw new Error(name ? `no instance ${name}` : "no current instance");
    return instance;
  }

  private act(action: Action): Outcome<readonly Val[]> {
    const item = this.find(action.module).exports.get(action.field);
    if (!item) throw new Error(`no export "${action.field}"`);
    if (action.type === "get") return { kind: "ok", value: [this.store.get(item)] };
    return this.store.call(item, (action.args ?? []).map((arg) => argument(arg, this.refs)));
  }

  private expectValues(outcome: Outcome<readonly Val[]>, command: Command | undefined): Verdict {
    if (outcome.kind !== "ok") return `${command ? `${this.call(command)}: ` : ""}got ${printOutcome(outcome)}`;
    if (!command) return undefined;
    const expected = command.expected ?? [];
    if (expected.length === outcome.value.length && expected.every((value, i) => matches(value, outcome.value[i]!, this.refs))) return undefined;
    const want = expected.map((value) => `${value.type} ${value.value ?? "(any)"}`).join(", ");
    const got = outcome.value.map((val) => (val.ref === undefined ? `${val.bits}` : String(val.ref))).join(", ");
    return `${this.call(command)}: expected ${want}; got ${got} (${printOutcome(outcome)})`;
  }

  private call(command: Command): string {
    const { field, args } = command.action!;
    return `${field}(${(args ?? []).map((arg) => `${arg.type} ${arg.value}`).join(", ")})`;
  }

  private expectTrap(outcome: Outcome<unknown>, text: string): Verdict {
    if (outcome.kind !== "trap") return `expected trap "${text}", got ${outcome.kind === "ok" ? "a result" : outcome.kind}`;
    // V8 has messages of its own.
    if (this.engine.mode === "v8") return undefined;
    if (outcome.message.startsWith(text) || text.startsWith(outcome.message)) return undefined;
    return `expected trap "${text}", got "${outcome.message}"`;
  }

  private expectRefused(command: Command): Verdict {
    try {
      this.engine.compile(moduleBytes(command));
    } catch (error) {
      const offset = (error as { offset?: unknown }).offset;
      if (this.engine.mode === "v8") return undefined;
      return typeof offset === "number" ? undefined : `refused (${command.text}), but without an offset: ${(error as Error).stack}`;
    }
    return `accepted, although ${command.type === "assert_invalid" ? "invalid" : "malformed"}: ${command.text}`;
  }
}

export function runFile(engine: Engine, name: string): FileResult {
  const result: FileResult = { passed: 0, failed: 0, skipped: 0, failures: [], skips: {} };
  const run = new FileRun(engine);
  for (const command of suiteCommands(name)) {
    if (command.type === "assert_malformed" && command.module_type === "text") {
      result.skipped++;
      result.skips[command.type] = (result.skips[command.type] ?? 0) + 1;
      continue;
    }
    let verdict: Verdict;
    try {
      verdict = run.run(command);
    } catch (error) {
      verdict = `${command.type}: ${(error as Error).stack?.split("\n").slice(0, 4).join(" | ") ?? String(error)}`;
    }
    if (verdict === undefined) result.passed++;
    else {
      result.failed++;
      if (result.failures.length < 20) result.failures.push(`line ${command.line}: ${verdict}`);
    }
  }
  run.store.dispose();
  return result;
}
