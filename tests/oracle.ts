// Runs one module in an engine with stubbed imports and records everything that can be seen; compares two records.
//
// Seen: how instantiation and each call ended (raw bits, trap), the host functions called with their arguments, the
// exported globals, memories (contents) and tables (null or not) at the end. Everything is a function of module and seed.
import { createHash } from "node:crypto";
import { Type, type FuncType } from "../ir/types.js";
import type { Module } from "../ir/module.js";
import { printOutcome, printVal, sameOutcome, type Engine, type Extern, type Outcome, type Val } from "./engine.js";
import { Random } from "./fuzz/random.js";

/** One call on an instance: an exported function and its arguments. */
export interface Call {
  readonly name: string;
  readonly args: readonly Val[];
}

export interface Record {
  readonly mode: string;
  readonly instantiation: Outcome<readonly Val[]>;
  readonly calls: readonly { readonly call: Call; readonly outcome: Outcome<readonly Val[]> }[];
  /** One line for each call of a host function. */
  readonly log: readonly string[];
  /** One line for each exported global, memory and table. */
  readonly state: readonly string[];
}

const interesting32 = [0, 1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 100, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffff80, 0xfffffffe, 0xffffffff];
const interestingFloats = [0, -0, 1, -1, 0.5, 1.5, -2.5, 255, 65536, 2147483647, 2147483648, -2147483649, 4294967296, 9007199254740993, 9.3e18, -9.3e18, 1e-40, 1e300, Infinity, -Infinity];

/** A value of that type; no NaN. */
export function randomVal(type: Type, random: Random): Val {
  const view = new DataView(new ArrayBuffer(8));
  switch (type) {
    case Type.i32:
      return { type, bits: BigInt(random.below(3) === 0 ? random.u32() : random.pick(interesting32)) };
    case Type.i64: {
      const low = BigInt(random.pick(interesting32));
      const bits = [random.u64(), low, BigInt.asUintN(64, -low), low << 32n, 1n << BigInt(random.below(64)), 0x7fffffffffffffffn, 0x8000000000000000n];
      return { type, bits: random.pick(bits) };
    }
    case Type.f32:
      view.setFloat32(0, random.pick(interestingFloats) * (1 + random.below(2) * random.below(1000)), true);
      return denan({ type, bits: BigInt(view.getUint32(0, true)) });
    case Type.f64:
      view.setFloat64(0, random.pick(interestingFloats) * (1 + random.below(2) * random.below(1000)), true);
      return denan({ type, bits: view.getBigUint64(0, true) });
    case Type.externref:
      return { type, bits: 0n, ref: random.below(3) === 0 ? null : `ref ${random.below(4)}` };
    default:
      return { type, bits: 0n, ref: null };
  }
}

function denan(val: Val): Val {
  const exponent = val.type === Type.f32 ? 0x7f800000n : 0x7ff0000000000000n;
  const magnitude = val.type === Type.f32 ? val.bits & 0x7fffffffn : val.bits & 0x7fffffffffffffffn;
  return magnitude > exponent ? { type: val.type, bits: 0n } : val;
}

/** Every exported function, once with each of `rounds` argument lists. */
export function callPlan(module: Module, seed: number, rounds: number): Call[] {
  const random = new Random(seed, 77);
  const calls: Call[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const item of module.exports) {
      if (item.kind !== "func") continue;
      calls.push({ name: item.name, args: module.funcType(item.index).params.map((type) => randomVal(type, random)) });
    }
  }
  return calls;
}

/** After so many host calls a host function throws: loops around imports end. */
const MAX_HOST_CALLS = 20_000;
const LOGGED_HOST_CALLS = 2_000;

export function record(engine: Engine, bytes: Uint8Array, module: Module, calls: readonly Call[], seed: number): Record {
  const store = engine.newStore();
  const log: string[] = [];
  let hostCalls = 0;
  const hostFunc = (name: string, sig: FuncType) => {
    const random = new Random(seed, hashOf(name));
    return store.hostFunc(sig, (args) => {
      if (++hostCalls > MAX_HOST_CALLS) throw new Error("too many host calls");
      if (log.length < LOGGED_HOST_CALLS) log.push(`${name}(${args.map(printVal).join(", ")})`);
      return sig.results.map((type) => randomVal(type, random));
    });
  };
  const imports = new Map<string, Map<string, Extern>>();
  for (const item of module.imports) {
    const fields = imports.get(item.module) ?? new Map<string, Extern>();
    imports.set(item.module, fields);
    if (fields.has(item.name)) continue;
    if (item.kind === "func") fields.set(item.name, hostFunc(`${item.module}.${item.name}`, module.funcType(item.index)));
    else if (item.kind === "global") {
      const { type, mutable } = module.globals[item.index]!;
      fields.set(item.name, store.global(type, mutable, randomVal(type, new Random(seed, hashOf(item.name)))));
    } else {
      const { min, max } = (item.kind === "table" ? module.tables : module.memories)[item.index]!.limits;
      fields.set(item.name, item.kind === "table" ? store.table(min, max) : store.memory(min, max));
    }
  }
  const compiled = engine.compile(bytes);
  const instance = store.instantiate(compiled, imports);
  const done: { call: Call; outcome: Outcome<readonly Val[]> }[] = [];
  const state: string[] = [];
  if (instance.kind === "ok") {
    for (const call of calls) {
      const outcome = store.call(instance.value.exports.get(call.name)!, call.args);
      done.push({ call, outcome });
      // How deep a stack goes is each engine's own affair, and so is all that follows.
      if (outcome.kind === "trap" && outcome.trap === "stack_exhausted") break;
    }
    for (const [name, item] of instance.value.exports) {
      if (item.kind === "global") state.push(`global ${name} = ${printVal(store.get(item))}`);
      else if (item.kind === "memory") {
        const memory = store.memoryBytes(item);
        state.push(`memory ${name}: ${memory.length} bytes, sha1 ${createHash("sha1").update(memory).digest("hex")}`);
      } else if (item.kind === "table") {
        const size = store.tableSize(item);
        let nulls = "";
        for (let i = 0; i < Math.min(size, 256); i++) nulls += store.tableGet(item, i) === null ? "0" : "1";
        state.push(`table ${name}: ${size} elements ${nulls}`);
      }
    }
  }
  store.dispose();
  const instantiation: Outcome<readonly Val[]> = instance.kind === "ok" ? { kind: "ok", value: [] } : instance;
  return { mode: engine.mode, instantiation, calls: done, log, state };
}

function hashOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

const exhausted = (outcome: Outcome<unknown>) => outcome.kind === "trap" && outcome.trap === "stack_exhausted";

/** Differences between two records, in words; empty when there are none. */
export function differences(a: Record, b: Record): string[] {
  const out: string[] = [];
  const pair = (x: string, y: string) => `${a.mode}: ${x}   ${b.mode}: ${y}`;
  if (exhausted(a.instantiation) || exhausted(b.instantiation)) return out;
  if (!sameOutcome(a.instantiation, b.instantiation)) {
    return [`instantiation: ${pair(printOutcome(a.instantiation), printOutcome(b.instantiation))}`];
  }
  for (let i = 0; i < Math.min(a.calls.length, b.calls.length); i++) {
    const { call, outcome } = a.calls[i]!;
    const other = b.calls[i]!.outcome;
    if (exhausted(outcome) || exhausted(other)) return out;
    if (!sameOutcome(outcome, other)) out.push(`call ${i} ${call.name}(${call.args.map(printVal).join(", ")}): ${pair(printOutcome(outcome), printOutcome(other))}`);
  }
  for (let i = 0; i < Math.max(a.log.length, b.log.length); i++) {
    if (a.log[i] !== b.log[i]) {
      out.push(`host call ${i}: ${pair(a.log[i] ?? "(none)", b.log[i] ?? "(none)")}`);
      break;
    }
  }
  for (let i = 0; i < a.state.length; i++) if (a.state[i] !== b.state[i]) out.push(pair(a.state[i]!, b.state[i] ?? "(none)"));
  return out;
}
