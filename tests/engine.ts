// One view of modules in execution, shared by every test program: ours in each mode, and V8.
//
// Values are raw bits, traps are kinds, so that engines can be compared exactly. A store holds everything linked
// together: host functions, tables, memories, globals, instances. Nothing here knows how an engine works.
import type { FuncType } from "../ir/types.js";
import { typeName, valueTypes, type Type } from "../ir/types.js";

/** Numbers: `bits`, unsigned. References: `ref`, null or what the engine hands out (externref: the host's own value). */
export interface Val {
  readonly type: Type;
  readonly bits: bigint;
  readonly ref?: unknown;
}

/** How a call or an instantiation ended. `exception` carries what a host function threw. */
export type Outcome<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "trap"; readonly trap: string; readonly message: string }
  | { readonly kind: "link"; readonly message: string }
  | { readonly kind: "exception"; readonly error: unknown };

/** A function, table, memory or global of an engine; opaque. */
export interface Extern {
  readonly kind: "func" | "table" | "memory" | "global";
  readonly object: unknown;
}

export interface Instance {
  readonly exports: ReadonlyMap<string, Extern>;
}

/** `imports.get(module)?.get(name)`. */
export type Imports = ReadonlyMap<string, ReadonlyMap<string, Extern>>;

export interface Store {
  hostFunc(sig: FuncType, run: (args: readonly Val[]) => readonly Val[]): Extern;
  global(type: Type, mutable: boolean, value: Val): Extern;
  table(min: number, max: number | undefined): Extern;
  memory(min: number, max: number | undefined): Extern;
  instantiate(module: unknown, imports: Imports): Outcome<Instance>;
  call(func: Extern, args: readonly Val[]): Outcome<readonly Val[]>;
  get(global: Extern): Val;
  /** A view that is good until the memory grows. */
  memoryBytes(memory: Extern): Uint8Array;
  tableSize(table: Extern): number;
  tableGet(table: Extern, index: number): unknown;
  /** The signature of a function. */
  funcType(func: Extern): FuncType;
  /** Lets go of everything. */
  dispose(): void;
}

export interface Engine {
  readonly mode: string;
  /** Decodes, validates, compiles. Throws an Error that says what is wrong with the bytes. */
  compile(bytes: Uint8Array): unknown;
  newStore(): Store;
}

const MASK32 = 0xffffffffn;

export function i32(n: number): Val {
  return { type: 1 as Type, bits: BigInt(n >>> 0) };
}

export function isFloat(type: Type): boolean {
  return typeName(type) === "f32" || typeName(type) === "f64";
}

export function isReference(type: Type): boolean {
  return typeName(type) === "funcref" || typeName(type) === "externref";
}

const scratch = new DataView(new ArrayBuffer(8));

/** The JS number of a float's bits (a NaN loses its payload). */
export function floatOf(val: Val): number {
  scratch.setBigUint64(0, val.bits, true);
  return valueTypes[val.type].bytes === 4 ? scratch.getFloat32(0, true) : scratch.getFloat64(0, true);
}

export function floatBits(type: Type, x: number): bigint {
  scratch.setBigUint64(0, 0n, true);
  if (valueTypes[type].bytes === 4) scratch.setFloat32(0, x, true);
  else scratch.setFloat64(0, x, true);
  return scratch.getBigUint64(0, true);
}

/** Exact, for messages: `i32 -1`, `f64 0.5`, `f64 nan:0x7ff8000000000000`. */
export function printVal(val: Val): string {
  const name = typeName(val.type);
  switch (name) {
    case "i32":
      return `i32 ${Number(BigInt.asIntN(32, val.bits))}`;
    case "i64":
      return `i64 ${BigInt.asIntN(64, val.bits)}`;
    case "f32":
    case "f64": {
      const x = floatOf(val);
      if (Number.isNaN(x)) return `${name} nan:0x${val.bits.toString(16)}`;
      return `${name} ${Object.is(x, -0) ? "-0" : x}`;
    }
    case "funcref":
      return val.ref === null ? "funcref null" : "funcref <function>";
    default:
      return val.ref === null ? "externref null" : `externref ${String(val.ref)}`;
  }
}

export function printOutcome(outcome: Outcome<readonly Val[]>): string {
  switch (outcome.kind) {
    case "ok":
      return outcome.value.length === 0 ? "()" : outcome.value.map(printVal).join(", ");
    case "trap":
      return `trap ${outcome.trap}`;
    case "link":
      return `link error: ${outcome.message}`;
    case "exception":
      return `exception ${String(outcome.error)}`;
  }
}

/** Reads `add(i32 1, f64 nan:0x7ff8000000000000)`'s values: see tests/README.md. Throws on what it does not know. */
export function parseVals(text: string): Val[] {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed === "()") return [];
  return trimmed.split(",").map((part) => parseVal(part.trim()));
}

function parseVal(text: string): Val {
  if (text === "ref.null" || text === "externref null") return { type: 7 as Type, bits: 0n, ref: null };
  if (text === "funcref null") return { type: 6 as Type, bits: 0n, ref: null };
  const match = /^(i32|i64|f32|f64|externref)\s+(\S+)$/.exec(text);
  if (!match) throw new Error(`"${text}" is no value: expected a type and a number, as "i32 1"`);
  const [, name, literal] = match as unknown as [string, string, string];
  const type = valueTypes.find((row) => row.name === name)!.type as Type;
  if (name === "externref") return { type, bits: 0n, ref: literal };
  const wide = name === "i64" || name === "f64";
  if (name === "i32" || name === "i64") {
    const negative = literal.startsWith("-");
    const n = BigInt(negative ? literal.slice(1) : literal);
    return { type, bits: BigInt.asUintN(wide ? 64 : 32, negative ? -n : n) };
  }
  const raw = /^(?:nan|bits):(0x[0-9a-f]+)$/i.exec(literal);
  if (raw) return { type, bits: BigInt(raw[1]!) & (wide ? 0xffffffffffffffffn : MASK32) };
  const x = literal === "inf" ? Infinity : literal === "-inf" ? -Infinity : Number(literal);
  if (Number.isNaN(x)) throw new Error(`"${literal}" is no float`);
  return { type, bits: floatBits(type, x) };
}

export function sameVal(a: Val, b: Val): boolean {
  if (a.type !== b.type) return false;
  if (!isReference(a.type)) return a.bits === b.bits;
  // Functions of different engines cannot be compared but for null.
  return typeName(a.type) === "funcref" ? (a.ref === null) === (b.ref === null) : Object.is(a.ref, b.ref);
}

/**
 * Traps that V8 reports alike: it tells neither a null from a mismatch in an indirect call, nor an undefined element from other
 * table bounds, nor (`float_to_integer`) a NaN from a value out of range.
 */
const sameInV8: readonly ReadonlySet<string>[] = [
  new Set(["uninitialized_element", "indirect_call_type_mismatch"]),
  new Set(["undefined_element", "out_of_bounds_table"]),
  new Set(["float_to_integer", "invalid_conversion"]),
  new Set(["float_to_integer", "integer_overflow"]),
];

export function sameTrap(a: string, b: string): boolean {
  return a === b || sameInV8.some((group) => group.has(a) && group.has(b));
}

/** As `sameVal` for whole outcomes; exceptions by identity of kind alone. */
export function sameOutcome(a: Outcome<readonly Val[]>, b: Outcome<readonly Val[]>): boolean {
  if (a.kind === "ok" && b.kind === "ok") {
    return a.value.length === b.value.length && a.value.every((val, i) => sameVal(val, b.value[i]!));
  }
  if (a.kind === "trap" && b.kind === "trap") return sameTrap(a.trap, b.trap);
  return a.kind === b.kind;
}
