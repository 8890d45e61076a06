// Reads a module's bytes at the place of a failed indirect call, for the message of its trap.
//
// The type index there is the one the module was written with; passes may have renumbered the types since, so the type is
// read from the bytes, too. The bytes were validated: nothing is checked.
import { Type, valueTypes, type FuncType } from "../ir/types.js";

const CALL_INDIRECT = 0x11;
const TYPE_SECTION = 1;
const HEADER_BYTES = 8;

class Cursor {
  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
  ) {}

  byte(): number {
    return this.bytes[this.at++]!;
  }

  leb(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  types(): Type[] {
    return Array.from({ length: this.leb() }, () => {
      const code = this.byte();
      return (valueTypes.find((info) => info.code === code) ?? valueTypes[Type.none]).type;
    });
  }
}

/** Signature and table of the `call_indirect` at a byte offset; undefined where there is none. */
export function callIndirectAt(bytes: Uint8Array, offset: number): { sig: FuncType | undefined; table: number } | undefined {
  if (offset === 0 || bytes[offset] !== CALL_INDIRECT) return undefined;
  const cursor = new Cursor(bytes, offset + 1);
  const type = cursor.leb();
  return { sig: typeAt(bytes, type), table: cursor.leb() };
}

function typeAt(bytes: Uint8Array, index: number): FuncType | undefined {
  const cursor = new Cursor(bytes, HEADER_BYTES);
  while (cursor.at < bytes.length) {
    const id = cursor.byte();
    const end = cursor.leb() + cursor.at;
    if (id !== TYPE_SECTION) {
      cursor.at = end;
      continue;
    }
    const count = cursor.leb();
    for (let i = 0; i < count; i++) {
      // 0x60: a function type.
      cursor.byte();
      const sig: FuncType = { params: cursor.types(), results: cursor.types() };
      if (i === index) return sig;
    }
    return undefined;
  }
  return undefined;
}
