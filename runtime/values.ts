// Between JS values and raw bits, by the rules of the JS API ("ToWebAssemblyValue", "ToJSValue").
//
// Raw values stand in "cells": four views over the same memory, addressed by an index in 32-bit words. A slot of the
// exec-context is 4 words, a register of the interpreter 2, a global's cell 4. NaN payloads survive only as raw bits.
import { SLOT_BYTES } from "../ir/layout.js";
import { Type, typeName } from "../ir/types.js";
import type { Store } from "./store.js";
import type { Holder } from "./holder.js";
import { readWord, writeWord } from "./native-heap.js";

/** 32-bit words of a slot of the exec-context, and of a register of the interpreter. */
export const SLOT_WORDS = SLOT_BYTES / 4;
export const REG_WORDS = 2;

export interface Cells {
  readonly i32: Int32Array;
  readonly i64: BigInt64Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
}

/** True when coercing the value to `type` may run code of the user's. */
export function mayRunCode(type: Type, value: unknown): boolean {
  return type <= Type.f64 && value !== null && (typeof value === "object" || typeof value === "function");
}

/**
 * Coerces a JS value and writes it at word `at`. `holder` is who receives a reference.
 * @throws TypeError as the JS API does (BigInt for i32, Number for i64, Symbol, no function for funcref, any v128).
 */
export function writeValue(cells: Cells, at: number, type: Type, value: unknown, store: Store, holder: Holder): void {
  switch (type) {
    case Type.i32:
      cells.i32[at] = typeof value === "number" ? value : toNumber(value);
      return;
    case Type.i64:
      cells.i64[at >> 1] = BigInt.asIntN(64, toBigInt(value));
      return;
    case Type.f32:
      cells.f32[at] = typeof value === "number" ? value : toNumber(value);
      return;
    case Type.f64:
      cells.f64[at >> 1] = typeof value === "number" ? value : toNumber(value);
      return;
    case Type.externref:
    case Type.funcref:
      writeRef(cells.i32, at, type, value, store, holder);
      return;
    default:
      throw new TypeError(`a ${typeName(type)} cannot come from JavaScript`);
  }
}

/** Coerces now, so that nothing of the user's runs while cells are filled. References pass as they are. */
export function coerce(type: Type, value: unknown): unknown {
  switch (type) {
    case Type.i32:
    case Type.f32:
    case Type.f64:
      return toNumber(value);
    case Type.i64:
      return toBigInt(value);
    default:
      return value;
  }
}

/** `holder` is who the value comes from: where the instance of a funcref is looked for. */
export function readValue(cells: Cells, at: number, type: Type, store: Store, holder: Holder): unknown {
  switch (type) {
    case Type.i32:
      return cells.i32[at]!;
    case Type.i64:
      return cells.i64[at >> 1]!;
    case Type.f32:
      return cells.f32[at]!;
    case Type.f64:
      return cells.f64[at >> 1]!;
    case Type.externref:
    case Type.funcref:
      return readRef(cells.i32, at, type, store, holder);
    default:
      throw new TypeError(`a ${typeName(type)} cannot go to JavaScript`);
  }
}

export function writeRef(i32: Int32Array, at: number, type: Type, value: unknown, store: Store, holder: Holder): void {
  if (type === Type.externref) {
    holder.externs.write(i32, at, value);
    return;
  }
  const func = store.funcRef(value);
  if (func) holder.keep(func.holder);
  writeWord(i32, at, func ? func.reference() : 0);
}

export function readRef(i32: Int32Array, at: number, type: Type, store: Store, holder: Holder): unknown {
  if (type === Type.externref) return holder.externs.read(i32, at);
  const record = readWord(i32, at);
  return record === 0 ? null : store.funcOfRecord(record, holder).object;
}

/** As `writeValue` with a number's raw bits for a value: 0 to 2^64 - 1, or negative; references are JS values all the same. */
export function writeRaw(cells: Cells, at: number, type: Type, value: unknown, store: Store, holder: Holder): void {
  switch (type) {
    case Type.i32:
    case Type.f32:
      cells.i32[at] = Number(BigInt.asIntN(32, value as bigint));
      return;
    case Type.i64:
    case Type.f64:
      cells.i64[at >> 1] = BigInt.asIntN(64, value as bigint);
      return;
    case Type.externref:
    case Type.funcref:
      writeRef(cells.i32, at, type, value, store, holder);
      return;
    default:
      throw new TypeError(`a ${typeName(type)} cannot be passed`);
  }
}

/** Unsigned raw bits; references as JS values. */
export function readRaw(cells: Cells, at: number, type: Type, store: Store, holder: Holder): unknown {
  switch (type) {
    case Type.i32:
    case Type.f32:
      return BigInt(cells.i32[at]! >>> 0);
    case Type.i64:
    case Type.f64:
      return BigInt.asUintN(64, cells.i64[at >> 1]!);
    case Type.externref:
    case Type.funcref:
      return readRef(cells.i32, at, type, store, holder);
    default:
      throw new TypeError(`a ${typeName(type)} cannot be passed`);
  }
}

/** Words a value of that type occupies at most in 8-byte registers. */
export function copyBits(from: Int32Array, fromAt: number, to: Int32Array, toAt: number): void {
  to[toAt] = from[fromAt]!;
  to[toAt + 1] = from[fromAt + 1]!;
}

function toNumber(value: unknown): number {
  return +(value as number);
}

function toBigInt(value: unknown): bigint {
  if (typeof value === "bigint") return value;
  // BigInt() takes Numbers; ToBigInt does not.
  const primitive = typeof value === "object" && value !== null ? toPrimitive(value) : value;
  if (typeof primitive === "number" || primitive === null || primitive === undefined || typeof primitive === "symbol") {
    throw new TypeError(`an i64 takes a BigInt, not ${typeof primitive === "symbol" ? "a symbol" : String(primitive)}`);
  }
  return BigInt(primitive as bigint | string | boolean);
}

function toPrimitive(value: object): unknown {
  const exotic = (value as { [Symbol.toPrimitive]?: (hint: string) => unknown })[Symbol.toPrimitive];
  if (exotic !== undefined && exotic !== null) {
    const result = exotic.call(value, "number");
    if (typeof result === "object" && result !== null) throw new TypeError("Symbol.toPrimitive gave an object");
    return result;
  }
  for (const method of ["valueOf", "toString"] as const) {
    if (typeof value[method] !== "function") continue;
    const result: unknown = value[method]();
    if (typeof result !== "object" || result === null) return result;
  }
  throw new TypeError("the object has no primitive value");
}
