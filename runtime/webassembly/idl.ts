// Conversions and shapes that Web IDL prescribes for the JS API. What is refused is a TypeError that begins with `where`.
// Reference: Web IDL, section 3.2 (JavaScript type mapping) and 3.7 (interfaces).

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

/** One of an enumeration's strings. */
export function toEnum<Name extends string>(value: unknown, names: readonly Name[], where: string, what: string): Name {
  if (typeof value === "symbol") refuse(where, `${what} must be a string, not a symbol`);
  const text = String(value) as Name;
  if (!names.includes(text)) refuse(where, `${what} must be ${names.map((name) => `'${name}'`).join(" or ")}, not '${text}'`);
  return text;
}

/** A copy of the bytes of a BufferSource, which may be shared. */
export function toBytes(value: unknown, where: string): Uint8Array {
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  if (isBuffer(value)) return new Uint8Array(value).slice();
  return refuse(where, "Argument 0 must be a buffer source");
}

/** Also buffers of other realms. */
function isBuffer(value: unknown): value is ArrayBuffer {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) return true;
  const tag = Object.prototype.toString.call(value);
  return tag === "[object ArrayBuffer]" || tag === "[object SharedArrayBuffer]";
}

/** What stands on a class as Web IDL has it: attributes and operations enumerable, the class string by Symbol.toStringTag. */
export function exposeInterface(name: string, shape: { readonly prototype: object }): void {
  for (const owner of [shape, shape.prototype]) {
    for (const key of Object.getOwnPropertyNames(owner)) {
      const property = Object.getOwnPropertyDescriptor(owner, key)!;
      const method = typeof property.value === "function" && key !== "constructor";
      if (property.configurable && (method || property.get)) Object.defineProperty(owner, key, { enumerable: true });
    }
  }
  // A bundler may have renamed the class.
  Object.defineProperty(shape, "name", { value: name, configurable: true });
  Object.defineProperty(shape.prototype, Symbol.toStringTag, { value: `WebAssembly.${name}`, configurable: true });
}
