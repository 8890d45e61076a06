// The order of bytes turned round, as programs write it: shifts, masks and `or` => the value whose bytes are meant.
//
//   (x << 24) | ((x & 0xff00) << 8) | ((x >> 8) & 0xff00) | (x >> 24)  => x, and the same of 8 bytes, rotations included
// Follows each byte of the result to the value it comes from. Looks at a bounded number of instructions.
import { NONE, type Value } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { Op } from "../ir/ops.js";

/** Instructions that one question looks at. */
const MAX_NODES = 32;
const ZERO = -1;
const UNKNOWN = -2;
const I64 = Op.i64_or - Op.i32_or;

/** The value of which `v`, an i32.or or i64.or, has the bytes in opposite order; NONE if it is nothing of the kind. */
export function swappedBytes(fn: Func, v: Value): Value {
  const wide = fn.op[v] === Op.i64_or;
  const bytes = wide ? 8 : 4;
  // An i32 swap has three `or`, one of 8 bytes at least as many: most others are told apart here.
  const isOr = (x: Value) => fn.op[x] === fn.op[v];
  if (!isOr(fn.arg(v, 0)) && !isOr(fn.arg(v, 1)) && !isRotation(fn, fn.arg(v, 0), wide)) return NONE as Value;
  const tracer = new Tracer(fn, wide);
  for (let i = 0; i < bytes; i++) if (tracer.byteOf(v, i, 0) !== bytes - 1 - i) return NONE as Value;
  return tracer.from;
}

function isRotation(fn: Func, v: Value, wide: boolean): boolean {
  // (rotl(x, 8) & 0x00ff00ff) | (rotr(x, 8) & 0xff00ff00)
  const x = fn.argCount[v]! > 0 ? fn.arg(v, 0) : v;
  const op = (wide ? fn.op[x]! - I64 : fn.op[x]!) as Op;
  return op === Op.i32_rotl || op === Op.i32_rotr;
}

class Tracer {
  /** The one value all bytes come from. */
  from = NONE as Value;
  private nodes = 0;

  constructor(
    private readonly fn: Func,
    private readonly wide: boolean,
  ) {}

  /** The number of the byte of `from` that byte `i` of `v` is; ZERO, or UNKNOWN. */
  byteOf(v: Value, i: number, depth: number): number {
    const { fn, wide } = this;
    const bytes = wide ? 8 : 4;
    if (++this.nodes > MAX_NODES * bytes || depth > 8) return UNKNOWN;
    while (fn.op[v] === Op.copy) v = fn.arg(v, 0);
    const op = (wide ? fn.op[v]! - I64 : fn.op[v]!) as Op;
    switch (op) {
      case Op.i32_or: {
        const a = this.byteOf(fn.arg(v, 0), i, depth + 1);
        if (a === UNKNOWN) return UNKNOWN;
        const b = this.byteOf(fn.arg(v, 1), i, depth + 1);
        return a === ZERO ? b : b === ZERO ? a : UNKNOWN;
      }
      case Op.i32_and: {
        const m = fn.arg(v, 1);
        if (!this.isConst(m)) break;
        const mask = ((i < 4 ? fn.imm[m]! : fn.imm2[m]!) >>> (8 * (i & 3))) & 0xff;
        return mask === 0 ? ZERO : mask === 0xff ? this.byteOf(fn.arg(v, 0), i, depth + 1) : UNKNOWN;
      }
      case Op.i32_shl: case Op.i32_shr_u: case Op.i32_rotl: case Op.i32_rotr: {
        const c = fn.arg(v, 1);
        if (!this.isConst(c) || (fn.imm[c]! & 7) !== 0) break;
        const k = (fn.imm[c]! & (8 * bytes - 1)) >> 3;
        const at = op === Op.i32_shl || op === Op.i32_rotl ? i - k : i + k;
        if (op === Op.i32_rotl || op === Op.i32_rotr) return this.byteOf(fn.arg(v, 0), (at + bytes) % bytes, depth + 1);
        return at < 0 || at >= bytes ? ZERO : this.byteOf(fn.arg(v, 0), at, depth + 1);
      }
    }
    if (this.from === NONE) this.from = v;
    return this.from === v ? i : UNKNOWN;
  }

  private isConst(v: Value): boolean {
    return this.fn.op[v] === (this.wide ? Op.i64_const : Op.i32_const);
  }
}
