// Globals: a 16-byte cell, either inside the vm-context of the instance that defines it or in a block of its own.
import { isRef, Type, valueTypes } from "../ir/types.js";
import type { ExternRoot, ExternRoots, Externs } from "./externref.js";
import { Holder } from "./holder.js";
import type { Chunk } from "./native-heap.js";
import type { Resource } from "./reclaim.js";
import { defaultStore, type Store } from "./store.js";
import type { Thread } from "./thread.js";
import { coerce, readRaw, readValue, writeRaw, writeValue } from "./values.js";

export const CELL_BYTES = 16;

export interface GlobalDescriptor {
  value: "i32" | "i64" | "f32" | "f64" | "v128" | "funcref" | "anyfunc" | "externref";
  mutable?: boolean | undefined;
}

/** Cells that hold externrefs: roots while they exist. */
export class CellRoot implements ExternRoot {
  constructor(
    private readonly chunk: Chunk,
    private readonly cells: readonly number[],
  ) {}

  scan(externs: Externs): void {
    for (const cell of this.cells) {
      const at = (cell - this.chunk.base) >> 2;
      externs.scan(this.chunk.i32, at, at + 2);
    }
  }
}

export class Global extends Holder {
  private readonly chunk: Chunk;
  private readonly at: number;

  /** @param cell address; who made it keeps it alive. */
  private constructor(
    readonly store: Store,
    readonly type: Type,
    readonly mutable: boolean,
    readonly cell: number,
  ) {
    super(store.thread);
    this.chunk = store.thread.heap.chunkAt(cell);
    this.at = (cell - this.chunk.base) >> 2;
  }

  /**
   * A global of its own.
   * @throws TypeError for a type or value of the wrong kind.
   */
  static make(descriptor: GlobalDescriptor, value?: unknown, store: Store = defaultStore()): Global {
    const name = descriptor.value === "anyfunc" ? "funcref" : descriptor.value;
    const row = valueTypes.find((info) => info.name === name);
    if (!row || row.type === Type.none || row.type === Type.v128) throw new TypeError(`type of a global: a number type, funcref or externref, not ${String(descriptor.value)}`);
    const type: Type = row.type;
    const initial = value === undefined ? defaultValue(type) : coerce(type, value);
    const global = Global.ofCell(type, descriptor.mutable === true, store);
    writeValue(global.chunk, global.at, type, initial, store, global);
    return global;
  }

  /** A global of its own, zero or null; `set` or `setRaw` may initialize it. */
  static ofCell(type: Type, mutable: boolean, store: Store): Global {
    const { thread } = store;
    thread.reclaim.makeRoom();
    const cell = thread.heap.alloc(CELL_BYTES);
    const global = new Global(store, type, mutable, cell);
    thread.reclaim.own(global, cellResource(thread, cell, type, global.externs.roots));
    return global;
  }

  /** The global in an instance's context; `owner` is the instance. */
  static inside(store: Store, type: Type, mutable: boolean, cell: number, owner: Holder): Global {
    const global = new Global(store, type, mutable, cell);
    global.keep(owner);
    return global;
  }

  get value(): unknown {
    return readValue(this.chunk, this.at, this.type, this.store, this);
  }

  /** @throws TypeError when immutable, or for a value of the wrong kind. */
  set value(value: unknown) {
    if (!this.mutable) throw new TypeError("an immutable global cannot be set");
    writeValue(this.chunk, this.at, this.type, coerce(this.type, value), this.store, this);
  }

  /** Raw bits of a number (unsigned), or the reference. */
  getRaw(): unknown {
    return readRaw(this.chunk, this.at, this.type, this.store, this);
  }

  /** As `getRaw`; initializes also an immutable global. */
  setRaw(value: unknown): void {
    writeRaw(this.chunk, this.at, this.type, value, this.store, this);
  }

  /** The cell's first 8 bytes as words. */
  readWords(to: Int32Array, at: number): void {
    to[at] = this.chunk.i32[this.at]!;
    to[at + 1] = this.chunk.i32[this.at + 1]!;
  }

  writeWords(from: Int32Array, at: number): void {
    this.chunk.i32[this.at] = from[at]!;
    this.chunk.i32[this.at + 1] = from[at + 1]!;
  }
}

function defaultValue(type: Type): unknown {
  if (type === Type.externref) return undefined;
  return isRef(type) ? null : type === Type.i64 ? 0n : 0;
}

function cellResource(thread: Thread, cell: number, type: Type, roots: ExternRoots): Resource {
  const root = type === Type.externref ? new CellRoot(thread.heap.chunkAt(cell), [cell]) : undefined;
  if (root) roots.add(root);
  return {
    bytes: CELL_BYTES,
    release: () => {
      if (root) roots.delete(root);
      thread.heap.release(cell, CELL_BYTES);
    },
  };
}
