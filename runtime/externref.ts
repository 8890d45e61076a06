// Handles for externrefs: native code carries 64 bits, JS keeps the values.
//
// The high half is a tag that hardly anything else has, the low half an index. A handle is given out whenever a value
// goes in, and never counted: when the table is full, a mark over everything that can hold handles (externref tables and
// globals, argument slots, the Wasm stack, the interpreter's registers; the latter three conservatively) frees the rest.
// The table doubles when a sweep leaves it more than half full, so that sweeping is linear in the handles given out.

export const EXTERN_TAG = 0x6578726e;

const FIRST_CAPACITY = 8192;

/** Memory that may hold handles, as 32-bit words. */
export interface ExternRoot {
  scan(externs: Externs): void;
}

export class Externs {
  /** Exact ones of this store; they live as long as they are here. */
  readonly roots = new Set<ExternRoot>();
  private values: unknown[] = [undefined];
  private free: Int32Array = new Int32Array(0);
  private freeCount = 0;
  private capacity = 1;
  private marks: Uint8Array = new Uint8Array(1);

  /** @param scanThread marks what this thread's stacks hold. */
  constructor(private readonly scanThread: (externs: Externs) => void) {}

  /** Handles in use, garbage included. */
  get count(): number {
    return this.capacity - 1 - this.freeCount;
  }

  write(i32: Int32Array, at: number, value: unknown): void {
    if (value === null) {
      i32[at] = 0;
      i32[at + 1] = 0;
      return;
    }
    if (this.freeCount === 0) this.makeRoom();
    const index = this.free[--this.freeCount]!;
    this.values[index] = value;
    i32[at] = index;
    i32[at + 1] = EXTERN_TAG;
  }

  read(i32: Int32Array, at: number): unknown {
    const index = i32[at]!;
    if (i32[at + 1] === 0 && index === 0) return null;
    if (i32[at + 1] !== EXTERN_TAG || index <= 0 || index >= this.capacity) throw new Error(`${index} is no externref handle`);
    return this.values[index];
  }

  /** Marks every handle in the words from `start` to `end`; they may hold anything. */
  scan(i32: Int32Array, start: number, end: number): void {
    const { marks, capacity } = this;
    for (let i = start; i < end; i += 2) {
      if (i32[i + 1] !== EXTERN_TAG) continue;
      const index = i32[i]!;
      if (index > 0 && index < capacity) marks[index] = 1;
    }
  }

  /** Frees what nothing holds. */
  sweep(): void {
    const { marks, values, capacity } = this;
    marks.fill(0);
    this.scanThread(this);
    for (const root of this.roots) root.scan(this);
    this.freeCount = 0;
    for (let index = capacity - 1; index > 0; index--) {
      if (marks[index] !== 0) continue;
      values[index] = undefined;
      this.free[this.freeCount++] = index;
    }
  }

  private makeRoom(): void {
    if (this.capacity > 1) this.sweep();
    if (this.freeCount * 2 > this.capacity) return;
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
