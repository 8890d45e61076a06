// Handles for externrefs: native code carries 64 bits, JS keeps the values.
//
// The high half is a tag that hardly anything else has, the low half an index. A handle is given out whenever a value goes in, and
// never counted: a mark over everything that can hold handles (externref tables and globals; where code may be running the
// argument slots, the Wasm stack and the interpreter's registers, conservatively) frees the rest. That is done when a table of
// handles is full, and between turns of the event loop after new ones were given out.
//
// Handles belong to a group of holders that are linked (holder.ts): those that can come to hold each other's. The group keeps
// the values, and only its members keep the group, so a value that refers back to them keeps nobody alive. When groups are joined,
// handles stay as they are: each names its part by the tag.

/** What a tag is at least. */
const FIRST_TAG = 0x65780000;
const FIRST_CAPACITY = 256;
/** Words that a sweep may look at for each handle of capacity; more, and there should be fewer sweeps. */
const WORDS_PER_HANDLE = 16;

/** Memory that may hold handles, as 32-bit words. */
export interface ExternRoot {
  scan(externs: Externs): void;
}

/** What handles need of the thread. */
export interface ExternThread {
  newExternTag(): number;
  /** Marks what slots, stacks and registers may hold. */
  scanStacks(externs: Externs): void;
  /** Has `sweep` called when the current job has ended. */
  sweepSoon(externs: Externs): void;
}

/** The exact roots of a group: they live as long as they are here. Refers to no value, so that finalizers may. */
export class ExternRoots {
  private readonly roots = new Set<ExternRoot>();
  private joined: ExternRoots | undefined;

  add(root: ExternRoot): void {
    this.last.roots.add(root);
  }

  delete(root: ExternRoot): void {
    this.last.roots.delete(root);
  }

  scan(externs: Externs): void {
    for (const root of this.roots) root.scan(externs);
  }

  /** Moves the roots of `other`, for good. */
  join(other: ExternRoots): void {
    for (const root of other.roots) this.roots.add(root);
    other.roots.clear();
    other.joined = this;
  }

  private get last(): ExternRoots {
    let last: ExternRoots = this;
    while (last.joined) last = last.joined;
    return last;
  }
}

/** Handles of one tag. Index 0 is none. */
class Part {
  private values: unknown[] = [undefined];
  private free = new Int32Array(0);
  private marks = new Uint8Array(1);
  freeCount = 0;
  capacity = 1;

  constructor(readonly tag: number) {}

  get live(): number {
    return this.capacity - 1 - this.freeCount;
  }

  /** There must be room. */
  add(value: unknown): number {
    const index = this.free[--this.freeCount]!;
    this.values[index] = value;
    return index;
  }

  get(index: number): unknown {
    if (index <= 0 || index >= this.capacity) throw new Error(`${index} is no externref handle`);
    return this.values[index];
  }

  mark(index: number): void {
    if (index > 0 && index < this.capacity) this.marks[index] = 1;
  }

  unmarkAll(): void {
    this.marks.fill(0);
  }

  freeUnmarked(): void {
    this.freeCount = 0;
    for (let index = this.capacity - 1; index > 0; index--) {
      if (this.marks[index] !== 0) continue;
      this.values[index] = undefined;
      this.free[this.freeCount++] = index;
    }
  }

  grow(): void {
    const capacity = Math.max(FIRST_CAPACITY, this.capacity * 2);
    const free = new Int32Array(capacity);
    free.set(this.free.subarray(0, this.freeCount));
    for (let index = capacity - 1; index >= this.capacity; index--) {
      this.values[index] = undefined;
      free[this.freeCount++] = index;
    }
    this.free = free;
    this.marks = new Uint8Array(capacity);
    this.capacity = capacity;
  }
}

export class Externs {
  readonly roots = new ExternRoots();
  private joined: Externs | undefined;
  private members = 1;
  /** Where new handles come from; made at the first one. */
  private own: Part | undefined;
  /** By tag: all there are, `own` among them. */
  private readonly parts = new Map<number, Part>();
  /** Words looked at by the sweep that is running. */
  private scanned = 0;
  private waiting = false;

  constructor(private readonly thread: ExternThread) {}

  /** Handles in use, garbage included. */
  get count(): number {
    let count = 0;
    for (const part of this.last.parts.values()) count += part.live;
    return count;
  }

  write(i32: Int32Array, at: number, value: unknown): void {
    if (value === null) {
      i32[at] = 0;
      i32[at + 1] = 0;
      return;
    }
    const { last } = this;
    const own = last.own ?? last.addPart();
    if (own.freeCount === 0) last.makeRoom(own);
    i32[at] = own.add(value);
    i32[at + 1] = own.tag;
    if (!last.waiting) {
      last.waiting = true;
      last.thread.sweepSoon(last);
    }
  }

  read(i32: Int32Array, at: number): unknown {
    const index = i32[at]!;
    const tag = i32[at + 1]!;
    if (tag === 0 && index === 0) return null;
    const { last } = this;
    const part = last.own?.tag === tag ? last.own : last.parts.get(tag);
    if (!part) throw new Error(`${index} is no externref handle`);
    return part.get(index);
  }

  /** Marks every handle in the words from `start` to `end`; they may hold anything. */
  scan(i32: Int32Array, start: number, end: number): void {
    const { own, parts } = this;
    this.scanned += end - start;
    for (let i = start; i < end; i += 2) {
      const tag = i32[i + 1]!;
      if (tag < FIRST_TAG) continue;
      (tag === own?.tag ? own : parts.get(tag))?.mark(i32[i]!);
    }
  }

  /** Frees what nothing holds. `idle`: no code is running, nothing waits in slots. */
  sweep(idle: boolean): void {
    const { own, parts, thread } = this;
    for (const part of parts.values()) part.unmarkAll();
    this.scanned = 0;
    if (!idle) thread.scanStacks(this);
    this.roots.scan(this);
    for (const part of parts.values()) {
      part.freeUnmarked();
      if (part !== own && part.live === 0) parts.delete(part.tag);
    }
  }

  /** To be called when the sweep that was asked for is due, or is not coming. */
  sweepDue(idle: boolean, run: boolean): void {
    this.waiting = false;
    if (run && !this.joined) this.sweep(idle);
  }

  /** From now on both are one. */
  join(other: Externs): void {
    let [into, from] = [this.last, other.last];
    if (into === from) return;
    // The larger stays, so that ways to the last one are short.
    if (into.members < from.members) [into, from] = [from, into];
    into.members += from.members;
    for (const [tag, part] of from.parts) into.parts.set(tag, part);
    into.own ??= from.own;
    into.roots.join(from.roots);
    from.parts.clear();
    from.own = undefined;
    from.joined = into;
  }

  private get last(): Externs {
    if (!this.joined) return this;
    let last: Externs = this;
    while (last.joined) last = last.joined;
    // The next one to ask is there at once.
    for (let one: Externs = this; one.joined; ) {
      const next: Externs = one.joined;
      one.joined = last;
      if (next === last) break;
      one = next;
    }
    return last;
  }

  private addPart(): Part {
    const part = new Part(this.thread.newExternTag());
    this.parts.set(part.tag, part);
    return (this.own = part);
  }

  private makeRoom(own: Part): void {
    this.scanned = 0;
    if (own.capacity > 1) this.sweep(false);
    if (own.freeCount * 2 <= own.capacity || this.scanned > own.capacity * WORDS_PER_HANDLE) own.grow();
  }
}

/** The tag of the n-th part of a thread, from 0. */
export function externTag(n: number): number {
  return FIRST_TAG + n;
}
