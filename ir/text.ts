// Numbers and strings as text, both ways, exactly: what the printers write the parsers read back to the same bits.
//
// Integers are signed decimals; floats the shortest decimal that reads back to the same bits, `inf`, `-inf`, or a NaN
// with its payload, `-nan:0x400000`. Names are quoted UTF-8, bytes quoted with `\hh`.
import { Type } from "./types.js";

/** A printed line, and what stands on it: for whoever links texts with each other. */
export interface Line {
  readonly text: string;
  /** The block it belongs to, -1 for none. */
  readonly block: number;
  /** The instruction: an SSA value, a position among machine instructions, a byte of code; -1 for none. */
  readonly inst: number;
  /** Wasm byte offset it came from, 0 for none. */
  readonly offset: number;
}

/** Ends in a newline. */
export function joinLines(lines: readonly Line[]): string {
  return lines.map((line) => `${line.text}\n`).join("");
}

// Scratch to see floats as bits; never holds anything between calls.
const ints = new Int32Array(2);
const singles = new Float32Array(ints.buffer);
const doubles = new Float64Array(ints.buffer);

/** Raw bits of a number type as text. `hi` counts for 64-bit types only. */
export function numberText(type: Type, lo: number, hi: number): string {
  switch (type) {
    case Type.i32:
      return String(lo | 0);
    case Type.i64:
      return String((BigInt(hi) << 32n) | BigInt(lo >>> 0));
    case Type.f32:
      return f32Text(lo);
    case Type.f64:
      return f64Text(lo, hi);
  }
  throw new Error(`numberText: type ${type} is no number`);
}

function f32Text(bits: number): string {
  const sign = bits < 0 ? "-" : "";
  const payload = bits & 0x7fffff;
  if (((bits >>> 23) & 0xff) === 0xff) return payload === 0 ? `${sign}inf` : `${sign}nan:0x${payload.toString(16)}`;
  ints[0] = bits;
  const x = singles[0]!;
  if (x === 0) return `${sign}0`;
  for (let digits = 1; digits < 9; digits++) {
    const text = x.toPrecision(digits);
    if (Math.fround(Number(text)) === x) return String(Number(text));
  }
  return String(Number(x.toPrecision(9)));
}

function f64Text(lo: number, hi: number): string {
  const sign = hi < 0 ? "-" : "";
  const high = hi & 0xfffff;
  if (((hi >>> 20) & 0x7ff) === 0x7ff) {
    if (high === 0 && lo === 0) return `${sign}inf`;
    const payload = (BigInt(high) << 32n) | BigInt(lo >>> 0);
    return `${sign}nan:0x${payload.toString(16)}`;
  }
  ints[0] = lo;
  ints[1] = hi;
  const x = doubles[0]!;
  return x === 0 ? `${sign}0` : String(x);
}

/** Reads a number of that type into `out[0]` (low) and `out[1]` (high half). False when the text is none, or out of range. */
export function parseNumber(type: Type, text: string, out: Int32Array): boolean {
  switch (type) {
    case Type.i32:
    case Type.i64: {
      if (!/^-?(0x[0-9a-f]+|[0-9]+)$/i.test(text)) return false;
      const negative = text.startsWith("-");
      const size = BigInt(negative ? text.slice(1) : text);
      const value = negative ? -size : size;
      const bits = type === Type.i32 ? 32 : 64;
      if (value < -(1n << BigInt(bits - 1)) || value >= 1n << BigInt(bits)) return false;
      out[0] = Number(BigInt.asIntN(32, value));
      out[1] = bits === 32 ? 0 : Number(BigInt.asIntN(32, value >> 32n));
      return true;
    }
    case Type.f32:
    case Type.f64:
      return parseFloatBits(type, text, out);
  }
  return false;
}

function parseFloatBits(type: Type.f32 | Type.f64, text: string, out: Int32Array): boolean {
  const match = /^(-?)(?:(inf)|nan:0x([0-9a-f]+)|([0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?))$/i.exec(text);
  if (!match) return false;
  const negative = match[1] === "-";
  if (match[4] !== undefined) {
    const x = Number(text);
    if (type === Type.f32) singles[0] = x;
    else doubles[0] = x;
    out[0] = ints[0]!;
    out[1] = type === Type.f32 ? 0 : ints[1]!;
    return true;
  }
  const payload = match[2] !== undefined ? 0n : BigInt("0x" + match[3]!);
  if (match[2] === undefined && payload === 0n) return false;
  if (type === Type.f32) {
    if (payload > 0x7fffffn) return false;
    out[0] = (negative ? 0x80000000 : 0) | 0x7f800000 | Number(payload);
    out[1] = 0;
  } else {
    if (payload > 0xfffffffffffffn) return false;
    out[0] = Number(BigInt.asIntN(32, payload));
    out[1] = (negative ? 0x80000000 : 0) | 0x7ff00000 | Number(payload >> 32n);
  }
  return true;
}

/** A name in quotes: everything printable as it is, the rest as `\u{hex}`. */
export function quoteName(name: string): string {
  const inside = name.replace(/["\\]|(?! )[\p{C}\p{Z}]/gu, (c) => (c === '"' || c === "\\" ? "\\" + c : `\\u{${c.codePointAt(0)!.toString(16)}}`));
  return `"${inside}"`;
}

const HEX = "0123456789abcdef";

/** Bytes in quotes: printable ASCII as it is, the rest as `\hh`. */
export function quoteBytes(bytes: Uint8Array): string {
  let text = '"';
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    if (byte === 0x22 || byte === 0x5c) text += "\\" + String.fromCharCode(byte);
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += "\\" + HEX[byte >> 4]! + HEX[byte & 15]!;
  }
  return text + '"';
}

/** The name in a quoted text (quotes included), or undefined when an escape is wrong. */
export function unquoteName(quoted: string): string | undefined {
  let wrong = false;
  const name = quoted.slice(1, -1).replace(/\\(?:u\{([0-9a-f]{1,6})\}|(["\\])|[^])/gi, (_, hex: string | undefined, plain: string | undefined) => {
    if (plain !== undefined) return plain;
    const code = hex === undefined ? -1 : parseInt(hex, 16);
    if (code >= 0 && code <= 0x10ffff) return String.fromCodePoint(code);
    wrong = true;
    return "";
  });
  return wrong ? undefined : name;
}

/** The bytes in a quoted text (quotes included), or undefined when an escape is wrong or a character no ASCII. */
export function unquoteBytes(quoted: string): Uint8Array | undefined {
  const bytes = new Uint8Array(quoted.length);
  let length = 0;
  for (let i = 1; i < quoted.length - 1; i++) {
    let code = quoted.charCodeAt(i);
    if (code > 0x7e) return undefined;
    if (code === 0x5c) {
      code = quoted.charCodeAt(++i);
      if (code !== 0x5c && code !== 0x22) {
        const hex = quoted.slice(i, i + 2);
        if (!/^[0-9a-f]{2}$/i.test(hex)) return undefined;
        code = parseInt(hex, 16);
        i++;
      }
    }
    bytes[length++] = code;
  }
  return bytes.slice(0, length);
}
