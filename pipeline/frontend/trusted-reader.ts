// Reads the immediates of a body that was validated: no checks, nothing allocated.
import { Type, type FuncType } from "../../ir/types.js";
import { emptyBlock, valueBlocks } from "./block-type.js";
import { Code } from "./opcodes.js";
import { typeOfCode } from "./reader.js";
import { skipImmediates } from "./scan.js";

export class TrustedReader {
  /** High half of the last 64-bit number read. */
  protected high = 0;

  /** @param types of the module, for block types. */
  constructor(
    protected readonly bytes: Uint8Array,
    protected pos: number,
    private readonly types: readonly FuncType[],
  ) {}

  protected u32(): number {
    const b = this.bytes[this.pos++]!;
    if (b < 0x80) return b;
    let value = b & 0x7f;
    for (let shift = 7; ; shift += 7) {
      const next = this.bytes[this.pos++]!;
      value |= (next & 0x7f) << shift;
      if (next < 0x80) return value >>> 0;
    }
  }

  protected s32(): number {
    let value = 0;
    for (let shift = 0; ; ) {
      const b = this.bytes[this.pos++]!;
      value |= (b & 0x7f) << shift;
      shift += 7;
      if (b < 0x80) return shift < 32 && (b & 0x40) !== 0 ? value | (-1 << shift) : value;
    }
  }

  /** Returns the low half, leaves the high one in `high`. */
  protected s64(): number {
    let lo = 0;
    let hi = 0;
    for (let shift = 0; ; ) {
      const b = this.bytes[this.pos++]!;
      const low = b & 0x7f;
      if (shift < 32) lo |= low << shift;
      if (shift >= 32) hi |= low << (shift - 32);
      else if (shift > 25) hi |= low >>> (32 - shift);
      shift += 7;
      if (b >= 0x80) continue;
      if ((b & 0x40) !== 0) {
        if (shift < 32) {
          lo |= -1 << shift;
          hi = -1;
        } else if (shift < 64) hi |= -1 << (shift - 32);
      }
      this.high = hi;
      return lo;
    }
  }

  protected fixed32(): number {
    const p = this.pos;
    this.pos += 4;
    return this.bytes[p]! | (this.bytes[p + 1]! << 8) | (this.bytes[p + 2]! << 16) | (this.bytes[p + 3]! << 24);
  }

  /** Types of parameters and locals, from the start of a body. */
  protected readLocals(params: readonly Type[]): Uint8Array {
    const groups = this.u32();
    const body = this.pos;
    let count = params.length;
    for (let i = 0; i < groups; i++) {
      count += this.u32();
      this.pos++;
    }
    const types = new Uint8Array(count);
    types.set(params);
    let at = params.length;
    this.pos = body;
    for (let i = 0; i < groups; i++) {
      const n = this.u32();
      types.fill(typeOfCode[this.bytes[this.pos++]!]!, at, (at += n));
    }
    return types;
  }

  /** Passes over unreachable code, up to the `else` or `end` of the innermost construct. @returns how many loops began in it. */
  protected skipUnreachable(): number {
    const { bytes } = this;
    let nested = 0;
    let loops = 0;
    for (;;) {
      const opcode = bytes[this.pos]!;
      if (nested === 0 && (opcode === Code.end || opcode === Code.else_)) return loops;
      if (opcode === Code.block || opcode === Code.loop || opcode === Code.if_) nested++;
      else if (opcode === Code.end) nested--;
      if (opcode === Code.loop) loops++;
      this.pos = skipImmediates(bytes, this.pos + 1, opcode);
    }
  }

  protected blockType(): FuncType {
    const code = this.bytes[this.pos]!;
    if (code === 0x40 || typeOfCode[code] !== Type.none) {
      this.pos++;
      return code === 0x40 ? emptyBlock : valueBlocks[typeOfCode[code]!]!;
    }
    return this.types[this.u32()]!;
  }
}
