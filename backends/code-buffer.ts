// Machine code of one function while it is written: bytes, labels, fix-ups, alignment, and the tables that go with it.
//
// Bytes are appended in their longest form; labels are numbers; every place that depends on a label is an *item*
// (branch, field, alignment), kept in order of position. `finish` settles the layout: branches that reach shrink to
// their short form, alignment gets its padding, fields are filled, and every recorded position (labels, traps, source
// map, relocations) moves along. Sizes only decrease, from a worst case in which every alignment pads fully, so a
// decision once taken stays right; linear in bytes and items. What a branch looks like is the backend's: `FixupKind`.

/** A place that holds the distance to a label. `at` is where the instruction or field starts in `code`. */
export interface FixupKind {
  readonly name: string;
  /** Bytes from the item's start that belong to it, as first emitted. */
  readonly bytes: number;
  /** Fills in the distance from `at` to the label (or from the anchor to the label, see `field`). Throws if it does not fit. */
  write(code: Uint8Array, at: number, distance: number): void;
  /** A shorter form, taken where the distance from its start lies in min..max. Gets the long form's bytes at `at` overwritten. */
  readonly short?: {
    readonly bytes: number;
    readonly min: number;
    readonly max: number;
    /** Writes the short form at `at`; `long` and `longAt` are where the long form stands. */
    write(code: Uint8Array, at: number, distance: number, long: Uint8Array, longAt: number): void;
  };
}

/** What the buffer must know of a target: its fix-ups by number, and how to fill a gap that may be executed. */
export interface CodeBufferTarget {
  readonly fixups: readonly FixupKind[];
  fillNops(code: Uint8Array, from: number, to: number): void;
}

const ALIGN = 255;
const MAX_SHRINK_ROUNDS = 3;

function grown<T extends Int32Array | Uint8Array>(column: T, atLeast: number): T {
  let n = column.length * 2;
  while (n < atLeast) n *= 2;
  const bigger = new (column.constructor as new (n: number) => T)(n);
  bigger.set(column);
  return bigger;
}

/** Rows of `width` numbers; the first of a row is a position, the second how many items lie before it. */
class Records {
  rows: Int32Array;
  length = 0;
  constructor(
    private readonly width: number,
    expected: number,
  ) {
    this.rows = new Int32Array(width * expected);
  }

  /** Room for one row; returns its index in `rows`. */
  add(): number {
    const at = this.length;
    this.length += this.width;
    if (this.length > this.rows.length) this.rows = grown(this.rows, this.length);
    return at;
  }
}

export class CodeBuffer {
  bytes: Uint8Array;
  /** Bytes written so far: where the next one goes. */
  length = 0;
  /** Alignment the code as a whole needs, a power of two. */
  align = 4;

  private labelCount = 0;
  private labelPos: Int32Array;
  private labelItems: Int32Array;

  private itemCount = 0;
  private itemPos: Int32Array;
  private itemKind: Uint8Array;
  private itemLabel: Int32Array;
  /** Anchor of a field; line size of an alignment. -1: the item itself. */
  private itemExtra: Int32Array;

  private trapRows = new Records(4, 16);
  private sourceRows: Records;
  private relocRows = new Records(4, 16);
  private lastReturn = -1;

  /** `instructions`, `branches`: about how many will come; all grows as needed. */
  constructor(
    readonly target: CodeBufferTarget,
    instructions = 64,
    branches = 16,
  ) {
    this.bytes = new Uint8Array(64 + instructions * 6);
    this.labelPos = new Int32Array(8 + branches);
    this.labelItems = new Int32Array(8 + branches);
    this.itemPos = new Int32Array(8 + branches);
    this.itemKind = new Uint8Array(8 + branches);
    this.itemLabel = new Int32Array(8 + branches);
    this.itemExtra = new Int32Array(8 + branches);
    this.sourceRows = new Records(3, 8 + instructions);
  }

  // ---- bytes ----

  /** Makes sure that `count` more bytes fit; returns the byte array, valid until the next call. */
  reserve(count: number): Uint8Array {
    if (this.length + count > this.bytes.length) this.bytes = grown(this.bytes, this.length + count);
    return this.bytes;
  }

  u8(value: number): void {
    this.reserve(1)[this.length++] = value;
  }

  u32(value: number): void {
    const b = this.reserve(4);
    const p = this.length;
    b[p] = value;
    b[p + 1] = value >>> 8;
    b[p + 2] = value >>> 16;
    b[p + 3] = value >>> 24;
    this.length = p + 4;
  }

  u64(lo: number, hi: number): void {
    this.u32(lo);
    this.u32(hi);
  }

  raw(bytes: ArrayLike<number>): void {
    this.reserve(bytes.length).set(bytes, this.length);
    this.length += bytes.length;
  }

  // ---- labels and items ----

  newLabel(): number {
    const l = this.labelCount++;
    if (l === this.labelPos.length) {
      this.labelPos = grown(this.labelPos, l + 1);
      this.labelItems = grown(this.labelItems, l + 1);
    }
    this.labelPos[l] = -1;
    return l;
  }

  /** Labels `first .. first + count - 1`; returns `first`. */
  newLabels(count: number): number {
    const first = this.labelCount;
    for (let i = 0; i < count; i++) this.newLabel();
    return first;
  }

  /** The label means this position from now on. Throws if it has one already. */
  bind(label: number): void {
    if (this.labelPos[label] !== -1) throw new Error(`label ${label} bound twice, at ${this.labelPos[label]} and ${this.length}`);
    this.labelPos[label] = this.length;
    this.labelItems[label] = this.itemCount;
  }

  /** Position of a bound label: as emitted before `finish`, final after it. -1 if unbound. */
  labelAt(label: number): number {
    return this.labelPos[label]!;
  }

  /** The bytes of kind number `kind` that start at `at` (default: written next) depend on the distance to `label`. Items come in order of position. */
  fixup(kind: number, label: number, at = this.length): void {
    this.addItem(at, kind, label, -1);
  }

  /** As `fixup`, but holds the distance from label `anchor`: entries of jump tables. */
  field(kind: number, label: number, anchor: number): void {
    this.addItem(this.length, kind, label, anchor);
  }

  /** What follows starts at a multiple of `bytes`. */
  alignTo(bytes: number): void {
    this.align = Math.max(this.align, bytes);
    this.addItem(this.length, ALIGN, -1, bytes);
  }

  /** What lies between here and `end` does not straddle a border of `line` bytes, if it is at most that long; padded only where needed. */
  keepInLine(end: number, line: number): void {
    this.align = Math.max(this.align, line);
    this.addItem(this.length, ALIGN, end, line);
  }

  private addItem(at: number, kind: number, label: number, extra: number): void {
    const i = this.itemCount++;
    if (i === this.itemPos.length) {
      this.itemPos = grown(this.itemPos, i + 1);
      this.itemKind = grown(this.itemKind, i + 1);
      this.itemLabel = grown(this.itemLabel, i + 1);
      this.itemExtra = grown(this.itemExtra, i + 1);
    }
    this.itemPos[i] = at;
    this.itemKind[i] = kind;
    this.itemLabel[i] = label;
    this.itemExtra[i] = extra;
  }

  // ---- tables ----

  /** The code at this position traps with `kind`; `offset` is a Wasm byte offset. */
  trap(kind: number, offset: number): void {
    const t = this.trapRows;
    const at = t.add();
    t.rows[at] = this.length;
    t.rows[at + 1] = this.itemCount;
    t.rows[at + 2] = kind;
    t.rows[at + 3] = offset;
  }

  /** Code from this position on belongs to Wasm byte `offset`. */
  source(offset: number): void {
    const s = this.sourceRows;
    const last = s.length - 3;
    if (last >= 0) {
      if (s.rows[last + 2] === offset) return;
      // Nothing was emitted for the newest entry: it gives way.
      if (last !== this.lastReturn && s.rows[last] === this.length && s.rows[last + 1] === this.itemCount) {
        s.rows[last + 2] = offset;
        return;
      }
    }
    const at = s.add();
    s.rows[at] = this.length;
    s.rows[at + 1] = this.itemCount;
    s.rows[at + 2] = offset;
  }

  /** This position is the return address of a call at Wasm byte `offset`: it gets an entry of its own, before that of what follows. */
  returnAddress(offset: number): void {
    const s = this.sourceRows;
    const at = s.add();
    s.rows[at] = this.length;
    s.rows[at + 1] = this.itemCount;
    s.rows[at + 2] = offset;
    this.lastReturn = at;
  }

  /** The bytes at `at` (default: written next) are to be resolved by the linker: `kind` is the target's, `func` a function index. */
  reloc(kind: number, func: number, at = this.length): void {
    const r = this.relocRows;
    const row = r.add();
    r.rows[row] = at;
    r.rows[row + 1] = this.itemCount;
    r.rows[row + 2] = kind;
    r.rows[row + 3] = func;
  }

  /** pc, kind, Wasm offset. Final after `finish`. */
  get traps(): Int32Array {
    return withoutItems(this.trapRows, 4);
  }
  /** pc, Wasm offset. */
  get sourceMap(): Int32Array {
    return withoutItems(this.sourceRows, 3);
  }
  /** position, kind, function index. */
  get relocs(): Int32Array {
    return withoutItems(this.relocRows, 4);
  }

  // ---- layout ----

  /**
   * As `finish`, quicker: every branch keeps its long form, so nothing moves. The buffer may be used again (`reset`). Alignments are refused.
   */
  finishLong(): Uint8Array {
    const { fixups } = this.target;
    for (let i = 0; i < this.itemCount; i++) {
      const label = this.itemLabel[i]!;
      const to = label >= 0 ? this.labelPos[label]! : -1;
      if (to === -1) throw new Error(`label ${label} is used at ${this.itemPos[i]} but bound nowhere`);
      const at = this.itemPos[i]!;
      const anchor = this.itemExtra[i]!;
      fixups[this.itemKind[i]!]!.write(this.bytes, at, to - (anchor >= 0 ? this.labelPos[anchor]! : at));
    }
    return this.bytes.slice(0, this.length);
  }

  /** Empty again, for the next function; arrays are kept. */
  reset(): void {
    this.length = 0;
    this.align = 4;
    this.labelCount = 0;
    this.itemCount = 0;
    this.trapRows.length = 0;
    this.sourceRows.length = 0;
    this.relocRows.length = 0;
    this.lastReturn = -1;
  }

  /** Settles the layout and returns the final bytes. Nothing may be added afterwards. Throws on an unbound label. */
  finish(): Uint8Array {
    const items = this.itemCount;
    const { fixups } = this.target;
    for (let i = 0; i < items; i++) {
      const label = this.itemLabel[i]!;
      if (label >= 0 && this.labelPos[label] === -1) throw new Error(`label ${label} is used at ${this.itemPos[i]} but bound nowhere`);
    }

    // moved[i]: how far code that has i items before it moves, negative towards the start.
    const isShort = new Uint8Array(items);
    const moved = new Int32Array(items + 1);
    let shrinks = this.shrink(isShort, moved);
    for (let round = 1; shrinks && round < MAX_SHRINK_ROUNDS; round++) shrinks = this.shrink(isShort, moved);

    // Final layout: now alignments know what they need.
    for (let i = 0, shift = 0; i < items; i++) {
      moved[i] = shift;
      const kind = this.itemKind[i]!;
      if (kind === ALIGN) shift += this.padding(i, this.itemPos[i]! + shift, isShort);
      else if (isShort[i]) shift -= fixups[kind]!.bytes - fixups[kind]!.short!.bytes;
      moved[i + 1] = shift;
    }

    const from = this.bytes;
    const to = new Uint8Array(this.length + moved[items]!);
    let source = 0;
    for (let i = 0; i < items; i++) {
      const pos = this.itemPos[i]!;
      const at = pos + moved[i]!;
      if (pos > source) {
        copy(to, at - (pos - source), from, source, pos);
        source = pos;
      }
      const kind = this.itemKind[i]!;
      if (kind === ALIGN) {
        this.target.fillNops(to, at, at + moved[i + 1]! - moved[i]!);
        continue;
      }
      const { bytes, short, write } = fixups[kind]!;
      const anchor = this.itemExtra[i]!;
      const distance = this.finalLabel(this.itemLabel[i]!, moved) - (anchor >= 0 ? this.finalLabel(anchor, moved) : at);
      if (isShort[i]) {
        short!.write(to, at, distance, from, pos);
      } else {
        copy(to, at, from, pos, pos + bytes);
        write(to, at, distance);
      }
      source = pos + bytes;
    }
    copy(to, source + moved[items]!, from, source, this.length);

    for (let l = 0; l < this.labelCount; l++) if (this.labelPos[l] !== -1) this.labelPos[l] = this.finalLabel(l, moved);
    moveRecords(this.trapRows, 4, moved);
    moveRecords(this.sourceRows, 3, moved);
    moveRecords(this.relocRows, 4, moved);
    this.bytes = to;
    this.length = to.length;
    this.itemCount = 0;
    return to;
  }

  private finalLabel(label: number, moved: Int32Array): number {
    return this.labelPos[label]! + moved[this.labelItems[label]!]!;
  }

  /** One round: marks branches that reach in the layout so far, alignments counted in full. Returns whether any is new. */
  private shrink(isShort: Uint8Array, moved: Int32Array): boolean {
    const { fixups } = this.target;
    const items = this.itemCount;
    for (let i = 0, shift = 0; i < items; i++) {
      const kind = this.itemKind[i]!;
      if (kind === ALIGN) shift += this.itemExtra[i]! - 1;
      else if (isShort[i]) shift -= fixups[kind]!.bytes - fixups[kind]!.short!.bytes;
      moved[i + 1] = shift;
    }
    let any = false;
    for (let i = 0; i < items; i++) {
      const kind = this.itemKind[i]!;
      if (kind === ALIGN || isShort[i] || this.itemExtra[i] !== -1) continue;
      const short = fixups[kind]!.short;
      if (short === undefined) continue;
      const label = this.itemLabel[i]!;
      const distance = this.finalLabel(label, moved) - (this.itemPos[i]! + moved[i]!);
      // A forward distance counts the branch's own bytes, which shrink with it.
      const own = this.labelItems[label]! > i ? fixups[kind]!.bytes - short.bytes : 0;
      if (distance - own < short.min || distance - own > short.max) continue;
      isShort[i] = 1;
      any = true;
    }
    return any;
  }

  /** Bytes of padding alignment item `i` needs at `at`. */
  private padding(i: number, at: number, isShort: Uint8Array): number {
    const line = this.itemExtra[i]!;
    const toLine = -at & (line - 1);
    const end = this.itemLabel[i]!;
    if (end < 0) return toLine;
    let length = this.labelPos[end]! - this.itemPos[i]!;
    // No short form saves more than two thirds: far too long needs no look at its items.
    if (length <= 0 || length > line * 3) return 0;
    const { fixups } = this.target;
    for (let j = i + 1; j < this.labelItems[end]!; j++) {
      const kind = this.itemKind[j]!;
      // Another alignment inside: the range is no innermost loop, leave it.
      if (kind === ALIGN) return 0;
      if (isShort[j]) length -= fixups[kind]!.bytes - fixups[kind]!.short!.bytes;
    }
    if (length > line || (at & (line - 1)) + length <= line) return 0;
    // Half a line is enough where the range fits into the second half.
    const toHalf = -at & (line / 2 - 1);
    return length <= line / 2 ? toHalf : toLine;
  }
}

function copy(to: Uint8Array, at: number, from: Uint8Array, start: number, end: number): void {
  // Mostly a few instructions: a view for each would cost more than the bytes.
  if (end - start > 64) to.set(from.subarray(start, end), at);
  else for (let i = start; i < end; i++) to[at++] = from[i]!;
}

function withoutItems(records: Records, width: number): Int32Array {
  const { rows, length } = records;
  const out = new Int32Array((length / width) * (width - 1));
  for (let i = 0, o = 0; i < length; i += width) {
    out[o++] = rows[i]!;
    for (let k = 2; k < width; k++) out[o++] = rows[i + k]!;
  }
  return out;
}

function moveRecords(records: Records, width: number, moved: Int32Array): void {
  const { rows, length } = records;
  for (let i = 0; i < length; i += width) {
    rows[i]! += moved[rows[i + 1]!]!;
    rows[i + 1] = 0;
  }
}
