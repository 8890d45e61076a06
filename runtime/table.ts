// Tables: a header at a fixed address and 8-byte references that never move, shared by all that import the table.
//
// Native code writes elements without telling JS; the table keeps every instance that has access (see holder.ts).
import { TableHeader } from "../ir/layout.js";
import { Type, type RefType } from "../ir/types.js";
import type { ExternRoot, ExternRoots, Externs } from "./externref.js";
import { Holder } from "./holder.js";
import type { AddressType } from "./memory.js";
import { Access } from "./native.js";
import { writeWord } from "./native-heap.js";
import type { Resource } from "./reclaim.js";
import { defaultStore, type Store } from "./store.js";
import type { Thread } from "./thread.js";
import { readRef, writeRef } from "./values.js";

/** As in other engines; what a module may declare beyond is not reachable. */
export const MAX_TABLE_ELEMENTS = 10_000_000;
/** Tables that cannot be larger than this stand in the native heap. */
const SMALL_ELEMENTS = 16384;

export interface TableDescriptor {
  element: "funcref" | "anyfunc" | "externref";
  initial: number;
  maximum?: number | undefined;
  /** Type of indices, `i32` by default. An `i64` table can be made and looked at, but no code takes it yet. */
  address?: AddressType | undefined;
}

/** The native side. Holds no reference to the Table. */
class TableResource implements Resource, ExternRoot {
  readonly header: number;
  readonly base: number;
  readonly bytes: number;
  length = 0;
  /** The elements as pairs of words; covers at least `length` of them once `ensureWords` was asked. */
  words: Int32Array = new Int32Array(0);

  constructor(
    private readonly thread: Thread,
    readonly capacity: number,
    private readonly roots: ExternRoots | undefined,
  ) {
    const bytes = capacity * 8;
    this.header = thread.heap.alloc(TableHeader.bytes);
    if (capacity <= SMALL_ELEMENTS) {
      this.base = thread.heap.alloc(bytes);
      const chunk = thread.heap.chunkAt(this.base);
      this.words = new Int32Array(chunk.i32.buffer, this.base - chunk.base, capacity * 2);
    } else {
      this.base = thread.native.map(thread.native.roundUp(bytes), Access.readWrite);
      if (this.base === 0) throw new RangeError(`out of address space for a table of ${capacity} elements`);
    }
    this.bytes = Math.min(bytes, 1 << 16);
    const chunk = thread.heap.chunkAt(this.header);
    writeWord(chunk.i32, (this.header - chunk.base + TableHeader.base) >> 2, this.base);
    roots?.add(this);
  }

  setLength(length: number): void {
    this.length = length;
    this.thread.heap.writeU32(this.header + TableHeader.length, length);
    if (this.words.length < length * 2) {
      const room = Math.min(this.capacity, Math.max(length, 1024, this.words.length));
      this.words = new Int32Array(this.thread.native.view(this.base, room * 8));
    }
  }

  scan(externs: Externs): void {
    externs.scan(this.words, 0, this.length * 2);
  }

  release(): void {
    const { heap, native } = this.thread;
    this.roots?.delete(this);
    heap.release(this.header, TableHeader.bytes);
    if (this.capacity <= SMALL_ELEMENTS) heap.release(this.base, this.capacity * 8);
    else native.unmap(this.base, native.roundUp(this.capacity * 8));
  }
}

export class Table extends Holder {
  /** Address of the TableHeader. */
  readonly header: number;
  readonly elem: RefType;
  readonly maximum: number | undefined;
  readonly address: AddressType;
  readonly store: Store;
  private readonly resource: TableResource;

  /** @param init every element's value. @throws RangeError for sizes that make no sense; TypeError for a value of the wrong kind. */
  constructor(descriptor: TableDescriptor, init: unknown = null, store: Store = defaultStore()) {
    const { element, initial, maximum } = descriptor;
    if (element !== "funcref" && element !== "anyfunc" && element !== "externref") throw new TypeError(`element type of a table: funcref or externref, not ${String(element)}`);
    if (!Number.isInteger(initial) || initial < 0 || initial > MAX_TABLE_ELEMENTS) throw new RangeError(`initial size of a table: 0 to ${MAX_TABLE_ELEMENTS} elements, not ${initial}`);
    if (maximum !== undefined && (!Number.isInteger(maximum) || maximum < initial)) throw new RangeError(`the maximum of a table (${maximum}) is below its initial size (${initial})`);
    super(store.thread);
    this.store = store;
    this.elem = element === "externref" ? Type.externref : Type.funcref;
    this.maximum = maximum;
    this.address = descriptor.address ?? "i32";
    const { thread } = store;
    thread.reclaim.makeRoom();
    this.resource = new TableResource(thread, Math.min(maximum ?? MAX_TABLE_ELEMENTS, MAX_TABLE_ELEMENTS), element === "externref" ? this.externs.roots : undefined);
    thread.reclaim.own(this, this.resource);
    this.header = this.resource.header;
    if (initial > 0) this.resource.setLength(initial);
    if (init !== null) {
      this.setFrom(init);
      this.fillWords(0, initial, this.scratchLow, this.scratchHigh);
    }
  }

  get length(): number {
    return this.resource.length;
  }

  /** The elements as pairs of 32-bit words (low, high) of reference bits. Ask again after growth. */
  get words(): Int32Array {
    return this.resource.words;
  }

  /** @throws RangeError outside the table. */
  get(index: number): unknown {
    this.check(index);
    return readRef(this.words, index * 2, this.elem, this.store, this);
  }

  /** @throws RangeError outside the table; TypeError for a value of the wrong kind. */
  set(index: number, value: unknown = this.elem === Type.funcref ? null : undefined): void {
    this.check(index);
    writeRef(this.words, index * 2, this.elem, value, this.store, this);
  }

  /** @returns the size before. @throws RangeError beyond the maximum. */
  grow(delta: number, value: unknown = this.elem === Type.funcref ? null : undefined): number {
    if (!Number.isInteger(delta) || delta < 0) throw new RangeError(`a table cannot grow by ${delta}`);
    const before = this.growBy(delta, 0, 0);
    if (before < 0) throw new RangeError(`a table of ${this.length} elements cannot grow by ${delta}${this.maximum === undefined ? "" : ` (maximum ${this.maximum})`}`);
    if (value !== null) {
      this.setFrom(value);
      this.fillWords(before, delta, this.scratchLow, this.scratchHigh);
    }
    return before;
  }

  /** Grows, elements given as reference bits. @returns size before, or -1. */
  growBy(delta: number, low: number, high: number): number {
    const before = this.resource.length;
    if (before + delta > this.resource.capacity) return -1;
    if (delta > 0) {
      this.resource.setLength(before + delta);
      this.fillWords(before, delta, low, high);
    }
    return before;
  }

  /** Bounds are the caller's business. */
  fillWords(start: number, length: number, low: number, high: number): void {
    const { words } = this;
    if (low === high) {
      words.fill(low, start * 2, (start + length) * 2);
      return;
    }
    for (let i = start * 2, end = i + length * 2; i < end; i += 2) {
      words[i] = low;
      words[i + 1] = high;
    }
  }

  private scratchLow = 0;
  private scratchHigh = 0;

  private setFrom(value: unknown): void {
    const scratch = new Int32Array(2);
    writeRef(scratch, 0, this.elem, value, this.store, this);
    this.scratchLow = scratch[0]!;
    this.scratchHigh = scratch[1]!;
  }

  private check(index: number): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.length) throw new RangeError(`element ${index} of a table with ${this.length}`);
  }
}
