// The types of values, and function types.
//
// `Type` numbers stand in typed-array columns and in the text (`i32`); `valueTypes` is the one table of facts about them.

/** `none` is the type of an instruction without a result. */
export const enum Type {
  none = 0,
  i32 = 1,
  i64 = 2,
  f32 = 3,
  f64 = 4,
  v128 = 5,
  funcref = 6,
  externref = 7,
}

export const enum RegClass {
  int = 0,
  float = 1,
}

/** `bytes`: size in a slot or in memory. `code`: the byte of the binary format. References are 64-bit handles in native code. */
export const valueTypes = [
  { type: Type.none, name: "none", bytes: 0, code: 0x40, class: RegClass.int },
  { type: Type.i32, name: "i32", bytes: 4, code: 0x7f, class: RegClass.int },
  { type: Type.i64, name: "i64", bytes: 8, code: 0x7e, class: RegClass.int },
  { type: Type.f32, name: "f32", bytes: 4, code: 0x7d, class: RegClass.float },
  { type: Type.f64, name: "f64", bytes: 8, code: 0x7c, class: RegClass.float },
  { type: Type.v128, name: "v128", bytes: 16, code: 0x7b, class: RegClass.float },
  { type: Type.funcref, name: "funcref", bytes: 8, code: 0x70, class: RegClass.int },
  { type: Type.externref, name: "externref", bytes: 8, code: 0x6f, class: RegClass.int },
] as const;

export type RefType = Type.funcref | Type.externref;

export function typeName(type: Type): string {
  return valueTypes[type].name;
}

export function isRef(type: Type): type is RefType {
  return type === Type.funcref || type === Type.externref;
}

export function regClass(type: Type): RegClass {
  return valueTypes[type].class;
}

export interface FuncType {
  readonly params: readonly Type[];
  readonly results: readonly Type[];
}

/** `(i32, f64) -> i32`, `() -> ()`, `(i64) -> (i32, i32)`. */
export function printFuncType(sig: FuncType): string {
  const list = (types: readonly Type[]) => types.map(typeName).join(", ");
  const results = sig.results.length === 1 ? list(sig.results) : `(${list(sig.results)})`;
  return `(${list(sig.params)}) -> ${results}`;
}

/** A structural key: equal keys mean equal types. */
export function funcTypeKey(sig: FuncType): string {
  return String.fromCharCode(...sig.params) + "/" + String.fromCharCode(...sig.results);
}

export function sameFuncType(a: FuncType, b: FuncType): boolean {
  return a === b || funcTypeKey(a) === funcTypeKey(b);
}
