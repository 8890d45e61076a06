// Columns of the live-range allocator: ranges, uses, and intervals (pieces of a bundle's life, each in one place).
//
// Positions: instruction i of block b has number n = i + b + 1, block b's entry number blockStart + b; a number has four
// positions: 4n the gap before it (moves happen: sources are read at 4n - 1, written at 4n), 4n + 1 it reads, 4n + 2 it
// writes. A bundle is a set of vregs whose lives do not meet, named by its root vreg: coalesced copies.
import type { MFunc } from "../../ir/machine/mfunc.js";

export const NONE = -1;

/** What a use asks of its location. */
export const enum UseKind {
  /** Register or slot. */
  any = 0,
  register = 1,
  /** Copied from or to where it is wanted: a fixed register, an edge, a tied operand. */
  copy = 2,
}

/** What to do about a use once its location is known (`useRole`). */
export const enum Role {
  /** The operand reads or writes the location. */
  operand = 0,
  fixedUse = 1,
  fixedDef = 2,
  /** The input of a two-address operand; `useAux` is the operand index of the def. */
  tiedUse = 3,
  /** An argument of an edge, a parameter of a block: the edges see to it. */
  edge = 4,
  /** Bit: defines its vreg. */
  def = 8,
  mask = 7,
}

/** `ivLoc`: not placed yet, in the slot of its bundle (or made again), else a register. */
export const UNPLACED = -1;
export const SPILLED = -2;

function grown<T extends Int32Array | Uint8Array | Int8Array | Float64Array>(column: T, capacity: number): T {
  const bigger = new (column.constructor as new (n: number) => T)(capacity);
  bigger.set(column);
  return bigger;
}

export class Intervals {
  // ---- ranges: [from, to), sorted along `rangeNext` ----
  rangeCount = 0;
  rangeFrom = new Int32Array(1024);
  rangeTo = new Int32Array(1024);
  rangeNext = new Int32Array(1024);
  /** 1: starts with a definition, so nothing flows in from a range that ends there. */
  rangeBorn = new Uint8Array(1024);

  // ---- uses, sorted along `useNext` ----
  useCount = 0;
  usePos = new Int32Array(1024);
  useNext = new Int32Array(1024);
  /** Index into the operand columns, NONE for edges. */
  useOpnd = new Int32Array(1024);
  useAux = new Int32Array(1024);
  useKind = new Uint8Array(1024);
  useRole = new Uint8Array(1024);
  useWeight = new Float64Array(1024);
  /** A register that would be welcome, -1. */
  useHint = new Int8Array(1024);

  // ---- by vreg while building, by root vreg afterwards ----
  firstRange = new Int32Array(256);
  firstUse = new Int32Array(256);
  lastRange = new Int32Array(256);
  lastUse = new Int32Array(256);
  root = new Int32Array(256);
  rangesOf = new Int32Array(256);
  /** A bundle that would best have the same register, NONE. */
  partner = new Int32Array(256);
  /** Newest piece of the bundle, and their number. */
  pieces = new Int32Array(256);
  pieceCount = new Int32Array(256);

  // ---- intervals ----
  ivCount = 0;
  ivRange = new Int32Array(512);
  ivUse = new Int32Array(512);
  ivStart = new Int32Array(512);
  ivEnd = new Int32Array(512);
  ivBundle = new Int32Array(512);
  ivSibling = new Int32Array(512);
  ivLoc = new Int32Array(512);
  ivHint = new Int8Array(512);
  ivDepth = new Uint8Array(512);
  ivLength = new Int32Array(512);
  ivWeight = new Float64Array(512);

  /** Instruction of a number, or ~block for a block's entry. */
  instOf = new Int32Array(256);

  reset(mfn: MFunc): void {
    const vregs = mfn.vregCount;
    this.rangeCount = 0;
    this.useCount = 0;
    this.ivCount = 0;
    if (this.firstRange.length < vregs) {
      const n = vregs + (vregs >> 1);
      this.firstRange = new Int32Array(n);
      this.firstUse = new Int32Array(n);
      this.lastRange = new Int32Array(n);
      this.lastUse = new Int32Array(n);
      this.root = new Int32Array(n);
      this.rangesOf = new Int32Array(n);
      this.partner = new Int32Array(n);
      this.pieces = new Int32Array(n);
      this.pieceCount = new Int32Array(n);
    }
    this.firstRange.fill(NONE, 0, vregs);
    this.firstUse.fill(NONE, 0, vregs);
    this.lastUse.fill(NONE, 0, vregs);
    this.rangesOf.fill(0, 0, vregs);
    this.partner.fill(NONE, 0, vregs);
    this.pieces.fill(NONE, 0, vregs);
    this.pieceCount.fill(0, 0, vregs);
    for (let v = 0; v < vregs; v++) this.root[v] = v;
    const numbers = mfn.instCount + mfn.blockCount;
    if (this.instOf.length < numbers + 1) this.instOf = new Int32Array(numbers * 2);
    for (let b = 0, n = 0; b < mfn.blockCount; b++) {
      this.instOf[n++] = ~b;
      for (let i = mfn.blockStart[b]; i < mfn.blockEnd[b]; i++) this.instOf[n++] = i;
    }
  }

  newRange(from: number, to: number, next: number, born: number): number {
    const r = this.rangeCount++;
    if (r === this.rangeFrom.length) {
      const n = r * 2;
      this.rangeFrom = grown(this.rangeFrom, n);
      this.rangeTo = grown(this.rangeTo, n);
      this.rangeNext = grown(this.rangeNext, n);
      this.rangeBorn = grown(this.rangeBorn, n);
    }
    this.rangeFrom[r] = from;
    this.rangeTo[r] = to;
    this.rangeNext[r] = next;
    this.rangeBorn[r] = born;
    return r;
  }

  /** Adds a range before all others of v. */
  prependRange(v: number, from: number, to: number, born: number): void {
    const first = this.firstRange[v];
    if (first >= 0 && this.rangeFrom[first] === to) {
      this.rangeFrom[first] = from;
      this.rangeBorn[first] = born;
      return;
    }
    const r = this.newRange(from, to, first, born);
    this.firstRange[v] = r;
    if (first < 0) this.lastRange[v] = r;
    this.rangesOf[v]++;
  }

  prependUse(v: number, pos: number, opnd: number, kind: UseKind, role: number, weight: number, hint: number, aux: number): void {
    const u = this.useCount++;
    if (u === this.usePos.length) {
      const n = u * 2;
      this.usePos = grown(this.usePos, n);
      this.useNext = grown(this.useNext, n);
      this.useOpnd = grown(this.useOpnd, n);
      this.useAux = grown(this.useAux, n);
      this.useKind = grown(this.useKind, n);
      this.useRole = grown(this.useRole, n);
      this.useWeight = grown(this.useWeight, n);
      this.useHint = grown(this.useHint, n);
    }
    this.usePos[u] = pos;
    // Operands of one instruction may come out of order: behind those before it.
    let before = NONE;
    let next = this.firstUse[v];
    while (next >= 0 && this.usePos[next] < pos) {
      before = next;
      next = this.useNext[next];
    }
    this.useNext[u] = next;
    if (next < 0) this.lastUse[v] = u;
    if (before < 0) this.firstUse[v] = u;
    else this.useNext[before] = u;
    this.useOpnd[u] = opnd;
    this.useAux[u] = aux;
    this.useKind[u] = kind;
    this.useRole[u] = role;
    this.useWeight[u] = weight;
    this.useHint[u] = hint;
  }

  newInterval(bundle: number, range: number, use: number): number {
    const iv = this.ivCount++;
    if (iv === this.ivRange.length) {
      const n = iv * 2;
      this.ivRange = grown(this.ivRange, n);
      this.ivUse = grown(this.ivUse, n);
      this.ivStart = grown(this.ivStart, n);
      this.ivEnd = grown(this.ivEnd, n);
      this.ivBundle = grown(this.ivBundle, n);
      this.ivSibling = grown(this.ivSibling, n);
      this.ivLoc = grown(this.ivLoc, n);
      this.ivHint = grown(this.ivHint, n);
      this.ivDepth = grown(this.ivDepth, n);
      this.ivLength = grown(this.ivLength, n);
      this.ivWeight = grown(this.ivWeight, n);
    }
    this.ivBundle[iv] = bundle;
    this.ivRange[iv] = range;
    this.ivUse[iv] = use;
    this.ivLoc[iv] = UNPLACED;
    this.ivSibling[iv] = this.pieces[bundle];
    this.pieces[bundle] = iv;
    this.pieceCount[bundle]++;
    return iv;
  }

  findRoot(v: number): number {
    const { root } = this;
    while (root[v] !== v) {
      root[v] = root[root[v]];
      v = root[v];
    }
    return v;
  }

  /** Start, end, length, weight, depth and hint of an interval from its ranges and uses. */
  measure(iv: number): void {
    const { rangeFrom, rangeTo, rangeNext, useNext, useKind, useWeight, useHint } = this;
    let length = 0;
    let end = 0;
    const first = this.ivRange[iv];
    for (let r = first; r >= 0; r = rangeNext[r]) {
      length += rangeTo[r] - rangeFrom[r];
      end = rangeTo[r];
    }
    const start = rangeFrom[first];
    let weight = 0;
    let most = 0;
    let needs = false;
    let hint = -1;
    let hintWeight = 0;
    for (let u = this.ivUse[iv]; u >= 0; u = useNext[u]) {
      const w = useWeight[u];
      if (useKind[u] === UseKind.register) {
        needs = true;
        weight += 2 * w;
      } else weight += w;
      if (w > most) most = w;
      if (useHint[u] >= 0 && w >= hintWeight) {
        hint = useHint[u];
        hintWeight = w;
      }
    }
    this.ivStart[iv] = start;
    this.ivEnd[iv] = end;
    this.ivLength[iv] = length;
    this.ivHint[iv] = hint;
    this.ivDepth[iv] = most >= 1000 ? 4 : most >= 100 ? 3 : most >= 10 ? 2 : most >= 1 ? 1 : 0;
    // A piece inside one instruction that must have a register cannot be cut further.
    this.ivWeight[iv] = needs && (start & ~3) + 4 >= end ? Infinity : weight / (length + 8);
  }

  /** Cuts an interval at a gap position inside it; returns the later part. Both must be measured afterwards. */
  cut(iv: number, at: number): number {
    const { rangeTo, rangeNext, rangeFrom, useNext, usePos } = this;
    let last = NONE;
    let r = this.ivRange[iv];
    while (r >= 0 && rangeTo[r] <= at) {
      last = r;
      r = rangeNext[r];
    }
    let second = r;
    if (r >= 0 && rangeFrom[r] < at) {
      second = this.newRange(at, this.rangeTo[r], this.rangeNext[r], 0);
      this.rangeTo[r] = at;
      this.rangeNext[r] = NONE;
    } else if (last >= 0) rangeNext[last] = NONE;
    let before = NONE;
    let u = this.ivUse[iv];
    while (u >= 0 && usePos[u] < at) {
      before = u;
      u = useNext[u];
    }
    if (before >= 0) useNext[before] = NONE;
    else this.ivUse[iv] = NONE;
    return this.newInterval(this.ivBundle[iv], second, u);
  }
}
