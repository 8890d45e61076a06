// Writes small pieces of the binary format: for modules that tests make by program.
import { Type, valueTypes, type FuncType } from "../ir/types.js";

export function leb(n: number): number[] {
  const bytes: number[] = [];
  do {
    const low = n & 0x7f;
    n >>>= 7;
    bytes.push(n === 0 ? low : low | 0x80);
  } while (n !== 0);
  return bytes;
}

/** Signed, 32 bits. */
export function sleb(n: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = n & 0x7f;
    n >>= 7;
    if ((n === 0 && (low & 0x40) === 0) || (n === -1 && (low & 0x40) !== 0)) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 0x80);
  }
}

/** Signed, any number of bits. */
export function slebOf(n: bigint): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = Number(n & 0x7fn);
    n >>= 7n;
    if ((n === 0n && (low & 0x40) === 0) || (n === -1n && (low & 0x40) !== 0)) {
      bytes.push(low);
      return bytes;
    }
    bytes.push(low | 0x80);
  }
}

export const header: readonly number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

export function section(id: number, ...items: readonly (readonly number[])[]): number[] {
  const body = [...leb(items.length), ...items.flat()];
  return [id, ...leb(body.length), ...body];
}

export function typeCode(type: Type): number {
  return valueTypes[type].code;
}

export function funcType(sig: FuncType): number[] {
  return [0x60, ...leb(sig.params.length), ...sig.params.map(typeCode), ...leb(sig.results.length), ...sig.results.map(typeCode)];
}

export function exportName(name: string): number[] {
  const bytes = [...Buffer.from(name, "utf8")];
  return [...leb(bytes.length), ...bytes];
}

/** Bytes that grow: for bodies of a million instructions. */
export class Bytes {
  private buffer = new Uint8Array(1024);
  length = 0;

  push(...bytes: readonly number[]): this {
    if (this.length + bytes.length > this.buffer.length) {
      const bigger = new Uint8Array(Math.max(this.buffer.length * 2, this.length + bytes.length));
      bigger.set(this.buffer);
      this.buffer = bigger;
    }
    for (let i = 0; i < bytes.length; i++) this.buffer[this.length++] = bytes[i]!;
    return this;
  }

  append(other: Uint8Array): this {
    const wanted = this.length + other.length;
    if (wanted > this.buffer.length) {
      const bigger = new Uint8Array(Math.max(this.buffer.length * 2, wanted));
      bigger.set(this.buffer.subarray(0, this.length));
      this.buffer = bigger;
    }
    this.buffer.set(other, this.length);
    this.length = wanted;
    return this;
  }

  done(): Uint8Array {
    return this.buffer.slice(0, this.length);
  }
}

/** A module of one exported function `run`, with one memory page. `locals`: count and type, as the format has them. `code` ends without `end`. */
export function oneFunction(sig: FuncType, locals: readonly { count: number; type: Type }[], code: Uint8Array): Uint8Array {
  const declared = [...leb(locals.length), ...locals.flatMap(({ count, type }) => [...leb(count), typeCode(type)])];
  const bodyLength = declared.length + code.length + 1;
  const count = leb(1);
  const size = leb(bodyLength);
  const out = new Bytes();
  out.push(...header, ...section(1, funcType(sig)), ...section(3, [0]), ...section(5, [0, 1]), ...section(7, [...exportName("run"), 0, 0]));
  out.push(10, ...leb(count.length + size.length + bodyLength), ...count, ...size, ...declared);
  return out.append(code).push(0x0b).done();
}
