// Modules with exactly the type section that is written down: a text parser would fold equal types, and they are the point.
import { Type, type FuncType } from "../../ir/types.js";
import { exportName, funcType, header, leb, section, sleb, typeCode } from "../wasm-bytes.js";

const names: Readonly<Record<string, Type>> = { i32: Type.i32, i64: Type.i64, f32: Type.f32, f64: Type.f64, funcref: Type.funcref };

/** `"i32 i64 -> f64"`. */
export function sig(text: string): FuncType {
  const [params, results] = text.split("->").map((side) => side.trim().split(/\s+/).filter(Boolean).map((name) => names[name]!));
  return { params: params!, results: results! };
}

export type Elem =
  | { table?: number; offset: number; funcs: number[] }
  /** By expressions. */
  | { offset: number; exprs: number[][] }
  | { passive: number[] }
  | { declare: number[] };

export interface ModuleSource {
  types: string[];
  imports?: ({ from: string; name: string } & ({ func: number } | { table: number } | { global: "funcref" | "i32" }))[];
  /** Type index and body, without `end`. */
  funcs?: [number, number[]][];
  /** Sizes of tables. */
  tables?: number[];
  memory?: boolean;
  /** Initial values of mutable i32 globals; or an expression of a constant funcref global. */
  globals?: (number | { ref: number })[];
  exports?: Record<string, { func: number } | { table: number } | { global: number } | { memory: 0 }>;
  start?: number;
  elems?: Elem[];
}

export const get = (i: number) => [0x20, ...leb(i)];
export const i32 = (n: number) => [0x41, ...sleb(n)];
export const i64 = (n: number) => [0x42, ...sleb(n)];
export const call = (func: number) => [0x10, ...leb(func)];
export const callIndirect = (type: number, table = 0) => [0x11, ...leb(type), ...leb(table)];
export const refFunc = (func: number) => [0xd2, ...leb(func)];
export const globalGet = (index: number) => [0x23, ...leb(index)];
export const globalSet = (index: number) => [0x24, ...leb(index)];
export const tableGet = (table: number) => [0x25, ...leb(table)];
export const tableSet = (table: number) => [0x26, ...leb(table)];
export const tableInit = (elem: number, table: number) => [0xfc, 12, ...leb(elem), ...leb(table)];
export const elemDrop = (elem: number) => [0xfc, 13, ...leb(elem)];
export const tableCopy = (to: number, from: number) => [0xfc, 14, ...leb(to), ...leb(from)];
export const tableGrow = (table: number) => [0xfc, 15, ...leb(table)];
export const tableFill = (table: number) => [0xfc, 17, ...leb(table)];
export const add = [0x6a];
export const add64 = [0x7c];
export const mul = [0x6c];
export const drop = [0x1a];
export const store = [0x36, 2, 0];

const FUNCREF = typeCode(Type.funcref);
const END = 0x0b;

function elemBytes(elem: Elem): number[] {
  const list = (funcs: number[]) => [...leb(funcs.length), ...funcs.flatMap(leb)];
  if ("passive" in elem) return [1, 0, ...list(elem.passive)];
  if ("declare" in elem) return [3, 0, ...list(elem.declare)];
  const offset = [...i32(elem.offset), END];
  if ("exprs" in elem) return [4, ...offset, ...leb(elem.exprs.length), ...elem.exprs.flatMap((expr) => [...expr, END])];
  if (elem.table) return [2, ...leb(elem.table), ...offset, 0, ...list(elem.funcs)];
  return [0, ...offset, ...list(elem.funcs)];
}

export function build(m: ModuleSource): Uint8Array {
  const imports = (m.imports ?? []).map((item) => {
    const kind = "func" in item ? [0, ...leb(item.func)] : "table" in item ? [1, FUNCREF, 0, ...leb(item.table)] : [3, item.global === "funcref" ? FUNCREF : typeCode(Type.i32), item.global === "funcref" ? 0 : 1];
    return [...exportName(item.from), ...exportName(item.name), ...kind];
  });
  const exports = Object.entries(m.exports ?? {}).map(([name, item]) => {
    const kind = "func" in item ? [0, ...leb(item.func)] : "table" in item ? [1, ...leb(item.table)] : "memory" in item ? [2, 0] : [3, ...leb(item.global)];
    return [...exportName(name), ...kind];
  });
  const globals = (m.globals ?? []).map((init) => (typeof init === "number" ? [typeCode(Type.i32), 1, ...i32(init), END] : [FUNCREF, 0, ...refFunc(init.ref), END]));
  const bodies = (m.funcs ?? []).map(([, code]) => {
    const body = [0, ...code, END];
    return [...leb(body.length), ...body];
  });
  return Uint8Array.from([
    ...header,
    ...section(1, ...m.types.map((text) => funcType(sig(text)))),
    ...section(2, ...imports),
    ...section(3, ...(m.funcs ?? []).map(([type]) => leb(type))),
    ...section(4, ...(m.tables ?? []).map((size) => [FUNCREF, 0, ...leb(size)])),
    ...(m.memory ? section(5, [0, 1]) : []),
    ...section(6, ...globals),
    ...section(7, ...exports),
    ...(m.start === undefined ? [] : [8, leb(m.start).length, ...leb(m.start)]),
    ...section(9, ...(m.elems ?? []).map(elemBytes)),
    ...section(10, ...bodies),
  ]);
}
