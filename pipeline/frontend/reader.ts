// Reads the binary format's primitive values from a byte range: bytes, LEB128 numbers, vectors' lengths, names, types.
//
// Every read is bounds-checked against `end` and fails with a WasmError at the exact byte. Nothing is allocated but names.
import { Type, valueTypes } from "../../ir/types.js";
import type { RefType } from "../../ir/types.js";
import { WasmError, hex, type WasmErrorKind } from "./error.js";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** `typeOfCode[byte]`: the value type, or `Type.none` where the byte is none. */
export const typeOfCode: Uint8Array = codeTable();

function codeTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (const row of valueTypes) if (row.type !== Type.none) table[row.code] = row.type;
  return table;
}

export class Reader {
  /** High half of the last `s64`. */
  high = 0;
  /** Offset of the first use of SIMD that was read: an instruction or the type v128; -1 so far. */
  simd = -1;

  /** @param where what the range is, for "unexpected end of ...". */
  constructor(
    readonly bytes: Uint8Array,
    public pos: number,
    public end: number,
    public where: string,
  ) {}

  fail(kind: WasmErrorKind, sentence: string, offset = this.pos): never {
    throw new WasmError(kind, offset, sentence);
  }

  /** Refuses something of a later version of Wasm, or of a proposal. */
  unsupported(feature: string, found: string, offset: number): never {
    this.fail("unsupported", `expected WebAssembly 2.0, found ${found}: ${feature}, not supported yet`, offset);
  }

  byte(what: string): number {
    if (this.pos >= this.end) this.failEnd(what);
    return this.bytes[this.pos++]!;
  }

  failEnd(what: string): never {
    this.fail("malformed", `unexpected end of ${this.where}: expected ${what}, found nothing more`, this.end);
  }

  /** An unsigned LEB128 of 32 bits, as a non-negative number. */
  u32(what: string): number {
    const b = this.pos < this.end ? this.bytes[this.pos]! : 0x80;
    if (b < 0x80) {
      this.pos++;
      return b;
    }
    return this.leb(what, 32, false) >>> 0;
  }

  /** A signed LEB128 of 32 bits. */
  s32(what: string): number {
    const b = this.pos < this.end ? this.bytes[this.pos]! : 0x80;
    if (b < 0x80) {
      this.pos++;
      return (b << 25) >> 25;
    }
    return this.leb(what, 32, true);
  }

  /** A signed LEB128 of 33 bits, as used by block types: the low 32 bits; `high` is 0, or -1 for a negative number. */
  s33(what: string): number {
    return this.leb(what, 33, true);
  }

  /** A signed LEB128 of 64 bits: returns the low half, leaves the high half in `high`. Both as int32. */
  s64(what: string): number {
    return this.leb(what, 64, true);
  }

  /** The general case; the low 32 bits as int32, the rest in `high`. Spec 5.2.2: ceil(bits / 7) bytes at most, the unused bits zero or sign. */
  private leb(what: string, bits: number, signed: boolean): number {
    const start = this.pos;
    let lo = 0;
    let hi = 0;
    let shift = 0;
    for (;;) {
      const b = this.byte(what);
      const low = b & 0x7f;
      if (shift < 32) lo |= low << shift;
      if (shift >= 32) hi |= low << (shift - 32);
      else if (shift > 25) hi |= low >>> (32 - shift);
      shift += 7;
      if (shift >= bits) {
        if (b >= 0x80) {
          this.fail("malformed", `expected ${what} as a LEB128 number of at most ${Math.ceil(bits / 7)} bytes, found a longer one`, start);
        }
        // Bits of the last byte above the number's width: all zero, or for signed numbers all equal to its sign bit.
        const used = bits - (shift - 7);
        const rest = signed ? (((low << 25) >> 25) >> (used - 1)) : low >> used;
        if (rest !== 0 && !(signed && rest === -1)) {
          this.fail("malformed", `expected ${what} to fit ${bits} bits, found ${hex(b)} as its last byte`, start);
        }
      }
      if (b < 0x80) {
        if (signed && (b & 0x40) !== 0) {
          if (shift < 32) {
            lo |= -1 << shift;
            hi = -1;
          } else if (shift < 64) hi |= -1 << (shift - 32);
        }
        this.high = hi;
        return lo;
      }
    }
  }

  /** The length of a vector, checked against a limit and against the bytes that are left (`minBytes` per element at least). */
  count(what: string, limit: number, minBytes = 1): number {
    const start = this.pos;
    const n = this.u32(`the number of ${what}`);
    if (n > limit) this.fail("invalid", `expected at most ${limit} ${what}, found ${n}`, start);
    if (n * minBytes > this.end - this.pos) {
      this.fail("malformed", `unexpected end of ${this.where}: expected ${n} ${what}, found ${this.end - this.pos} bytes`, start);
    }
    return n;
  }

  /** A length-prefixed UTF-8 name. */
  name(what: string): string {
    const start = this.pos;
    const n = this.u32(`the length of ${what}`);
    if (n > this.end - this.pos) {
      this.fail("malformed", `unexpected end of ${this.where}: expected ${n} bytes of ${what}, found ${this.end - this.pos}`, start);
    }
    const from = this.pos;
    this.pos += n;
    let text = "";
    if (n <= 64) {
      let i = from;
      while (i < this.pos && this.bytes[i]! < 0x80) text += String.fromCharCode(this.bytes[i++]!);
      if (i === this.pos) return text;
    }
    try {
      return utf8.decode(this.bytes.subarray(from, this.pos));
    } catch {
      this.fail("malformed", `expected ${what} in UTF-8, found bytes that are not`, from);
    }
  }

  valueType(what: string): Type {
    const code = this.byte(what);
    const type = typeOfCode[code]!;
    if (type === Type.none) this.failType(what, code, "a value type");
    if (type === Type.v128) this.usesSimd(this.pos - 1);
    return type;
  }

  usesSimd(offset: number): void {
    if (this.simd < 0) this.simd = offset;
  }

  refType(what: string): RefType {
    const code = this.byte(what);
    const type = typeOfCode[code]!;
    if (type !== Type.funcref && type !== Type.externref) this.failType(what, code, "funcref or externref");
    return type;
  }

  private failType(what: string, code: number, expected: string): never {
    const at = this.pos - 1;
    if (code === 0x63 || code === 0x64) this.unsupported("typed function references", `${hex(code)} as ${what}`, at);
    if (code >= 0x69 && code <= 0x74 && typeOfCode[code] === Type.none) {
      this.unsupported("a reference type of garbage collection or exception handling", `${hex(code)} as ${what}`, at);
    }
    this.fail("malformed", `expected ${expected} as ${what}, found ${hex(code)}`, at);
  }
}
