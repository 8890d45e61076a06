// Conversions and shapes that Web IDL prescribes for the JS API. What is refused is a TypeError that begins with `where`.
// Reference: Web IDL, section 3.2 (JavaScript type mapping) and 3.7 (interfaces).
import { types } from "node:util";
import type { AddressType } from "../memory.js";
import { Type } from "../../ir/types.js";
import { coerce } from "../values.js";

/** Throws the TypeError of a wrong argument. */
export function refuse(where: string, sentence: string): never {
  throw new TypeError(`${where}: ${sentence}`);
}

/** A dictionary: any object. Undefined and null are the empty one. */
export function toDictionary(value: unknown, where: string, what: string): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" && typeof value !== "function") refuse(where, `Argument 0 must be ${what}`);
  return value as Record<string, unknown>;
}

/** `[EnforceRange] unsigned long`. */
export function toU32(value: unknown, where: string, what: string): number {
  if (typeof value === "bigint" || typeof value === "symbol") refuse(where, `${what} must be convertible to a number, not a ${typeof value}`);
  const number = Number(value);
  if (!Number.isFinite(number)) refuse(where, `${what} must be convertible to a valid number, not ${number}`);
  const integer = Math.trunc(number);
  if (integer < 0 || integer > 0xffffffff) refuse(where, `${what} must be from 0 to 4294967295, not ${number}`);
  return integer;
}

/** An address, or a size: a `[EnforceRange] unsigned long`, or a BigInt of 64 bits ("AddressValueToU64"). Beyond 2^53 it is near enough. */
export function toAddress(value: unknown, address: AddressType, where: string, what: string): number {
  if (address === "i32") return toU32(value, where, what);
  if (typeof value === "number" || value === undefined || value === null || typeof value === "symbol") refuse(where, `${what} must be convertible to a BigInt, not a ${typeof value}`);
  const integer = coerce(Type.i64, value) as bigint;
  if (integer < 0n || integer > 0xffffffffffffffffn) refuse(where, `${what} must be from 0 to 18446744073709551615, not ${integer}`);
  return Number(integer);
}

/** A size as JS sees it. */
export function fromAddress(size: number, address: AddressType): number | bigint {
  return address === "i32" ? size : BigInt(size);
}

/** Limits of a table or memory, in the order of the specification; `members` from `address` on. */
export function toLimits(members: Readonly<Record<string, unknown>>, where: string): { address: AddressType; initial: number; maximum: number | undefined } {
  const addressValue = members["address"];
  const address = addressValue === undefined ? "i32" : toEnum(addressValue, ["i32", "i64"], where, "Property 'address'");
  const initialValue = members["initial"];
  if (initialValue === undefined) refuse(where, "Property 'initial' is required");
  const initial = toAddress(initialValue, address, where, "Property 'initial'");
  const maximumValue = members["maximum"];
  const maximum = maximumValue === undefined ? undefined : toAddress(maximumValue, address, where, "Property 'maximum'");
  return { address, initial, maximum };
}

/** What is wrong with limits is a RangeError: a maximum below the initial size, or more than `most`. */
export function checkLimits({ initial, maximum }: { initial: number; maximum: number | undefined }, most: number, unit: string, where: string): void {
  if (initial > most) throw new RangeError(`${where}: Property 'initial': at most ${most} ${unit}, not ${initial}`);
  if (maximum !== undefined && maximum < initial) throw new RangeError(`${where}: Property 'maximum': ${maximum} is below 'initial', which is ${initial}`);
}

/** One of an enumeration's strings. */
export function toEnum<Name extends string>(value: unknown, names: readonly Name[], where: string, what: string): Name {
  if (typeof value === "symbol") refuse(where, `${what} must be a string, not a symbol`);
  const text = String(value) as Name;
  if (!names.includes(text)) refuse(where, `${what} must be ${names.map((name) => `'${name}'`).join(" or ")}, not '${text}'`);
  return text;
}

/** The bytes of a BufferSource, which may be shared. */
export function toBytes(value: unknown, where: string): Uint8Array {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (types.isAnyArrayBuffer(value)) return new Uint8Array(value);
  return refuse(where, "Argument 0 must be a buffer source");
}

/**
 * What stands on a class as Web IDL has it: attributes and operations enumerable, the class string by Symbol.toStringTag.
 * @param isHosts whether a value is of the host's class of that name and can be used for one of ours: then it is `instanceof` ours, too.
 */
export function exposeInterface(name: string, shape: { readonly prototype: object }, isHosts?: (value: unknown) => boolean): void {
  for (const owner of [shape, shape.prototype]) {
    for (const key of Object.getOwnPropertyNames(owner)) {
      const property = Object.getOwnPropertyDescriptor(owner, key)!;
      const method = typeof property.value === "function" && key !== "constructor";
      if (property.configurable && (method || property.get)) Object.defineProperty(owner, key, { enumerable: true });
    }
  }
  // A bundler may have renamed the class.
  Object.defineProperty(shape, "name", { value: name, configurable: true });
  if (isHosts) {
    const ordinary = Function.prototype[Symbol.hasInstance];
    const value = function (this: unknown, object: unknown): boolean {
      return ordinary.call(this as Function, object) || (this === shape && isHosts(object));
    };
    Object.defineProperty(shape, Symbol.hasInstance, { value, configurable: true });
  }
  Object.defineProperty(shape.prototype, Symbol.toStringTag, { value: `WebAssembly.${name}`, configurable: true });
}
