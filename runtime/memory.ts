// Linear memories. The native side is a header at a fixed address and pages that never move; JS sees an ArrayBuffer
// over them that is detached when the memory grows.
//
// The mapping lives as long as the Memory or any buffer of it (a buffer keeps its Memory through `owners`).
//
// A memory may also stand on pages of the host's own `WebAssembly.Memory`: shared ones do, because Atomics take nothing but a
// real SharedArrayBuffer, and those that a program imports. Their size is the host's affair: `refresh` looks at it.
import { MAX_GROWN_PAGES, MAX_PAGES, MemoryHeader, PAGE_BYTES } from "../ir/layout.js";
import { Access } from "./native.js";
import { writeWord } from "./native-heap.js";
import type { Resource } from "./reclaim.js";
import type { Reservation } from "./reservations.js";
import { currentThread, type Thread } from "./thread.js";

export interface MemoryDescriptor {
  /** Pages of 64 KiB. */
  initial: number;
  maximum?: number | undefined;
  /**
   * Whether to surround the memory with guard pages, as compiled code in `guard` mode wants it. Default: if signals are handled.
   * Of pages of the host's: whether it did so; default no.
   */
  guards?: boolean | undefined;
  /** Type of addresses, `i32` by default. An `i64` memory can be made and looked at, but no code takes it yet. */
  address?: AddressType | undefined;
}

export type AddressType = "i32" | "i64";

/** The native side: what remains when the Memory is gone. */
class MemoryResource implements Resource {
  bytes = 0;
  readonly header: number;

  constructor(
    private readonly thread: Thread,
    base: number,
    private readonly reservation: Reservation | undefined,
  ) {
    this.header = thread.heap.alloc(MemoryHeader.bytes);
    const chunk = thread.heap.chunkAt(this.header);
    writeWord(chunk.i32, (this.header - chunk.base + MemoryHeader.base) >> 2, base);
  }

  release(): void {
    // The host's pages are its own.
    if (this.reservation) this.thread.reservations.giveBack(this.reservation, this.bytes);
    this.thread.heap.release(this.header, MemoryHeader.bytes);
  }
}

const owners = new WeakMap<ArrayBuffer, Memory>();

/** What the host's memory has that one of ours may stand on. */
export interface HostPages {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  /** @throws RangeError */
  grow(delta: number): number;
}

export class Memory {
  /** Address of the first byte; never changes. */
  readonly base: number;
  /** Address of the MemoryHeader. */
  readonly header: number;
  readonly guards: boolean;
  /** Pages; undefined: none declared. */
  readonly maximum: number | undefined;
  readonly address: AddressType;
  /** Whether its buffers are SharedArrayBuffers. */
  readonly shared: boolean;
  private readonly thread: Thread;
  private readonly resource: MemoryResource;
  private readonly initial: number;
  private pageCount = 0;
  private current: ArrayBuffer | undefined;
  private view: { readonly bytes: Uint8Array; readonly view: DataView } | undefined;

  /**
   * @param host whose pages to stand on; its size and its maximum must be the descriptor's.
   * @throws RangeError for limits that make no sense, or when there is no room.
   */
  constructor(
    descriptor: MemoryDescriptor,
    private readonly host?: HostPages,
  ) {
    const { initial, maximum } = descriptor;
    checkPages("initial", initial);
    if (maximum !== undefined) {
      checkPages("maximum", maximum);
      if (maximum < initial) throw new RangeError(`the maximum of a memory (${maximum} pages) is below its initial size (${initial})`);
    }
    const thread = currentThread();
    this.thread = thread;
    thread.reclaim.makeRoom();
    this.initial = initial;
    this.maximum = maximum;
    this.address = descriptor.address ?? "i32";
    this.shared = host !== undefined && host.buffer instanceof SharedArrayBuffer;
    const reservation = host ? undefined : this.reserve(descriptor);
    this.base = reservation?.base ?? thread.native.addressOf(host!.buffer);
    this.guards = reservation ? reservation.guards : descriptor.guards === true && thread.options.handleSignals;
    this.resource = new MemoryResource(thread, this.base, reservation);
    this.header = this.resource.header;
    thread.reclaim.own(this, this.resource);
    if (host) this.refresh();
    else if (initial > 0 && this.grow(initial) < 0) throw new RangeError(`out of memory: ${initial} pages`);
  }

  private reserve({ initial, maximum, guards: asked }: MemoryDescriptor): Reservation {
    const { reservations, options } = this.thread;
    const capacity = (maximum ?? MAX_PAGES) * PAGE_BYTES;
    const reservation = reservations.take(capacity, asked ?? options.handleSignals) ?? (asked ? undefined : reservations.take(capacity, false));
    if (!reservation) throw new RangeError(`out of address space for a memory of ${initial} pages`);
    return reservation;
  }

  /** Size in pages. */
  get pages(): number {
    this.refresh();
    return this.pageCount;
  }

  get byteLength(): number {
    return this.pages * PAGE_BYTES;
  }

  /** The bytes, zero-copy. Detached by growth (unless shared); ask again then. */
  get buffer(): ArrayBuffer {
    if (this.host) return this.host.buffer as ArrayBuffer;
    // A buffer that the user managed to detach is as gone as one detached by growth.
    if (!this.current || this.current.byteLength !== this.byteLength) {
      this.current = this.thread.native.view(this.base, this.byteLength);
      owners.set(this.current, this);
      this.view = undefined;
    }
    return this.current;
  }

  /** Views over the current bytes, for the interpreter. Replaced by growth. */
  get views(): { readonly bytes: Uint8Array; readonly view: DataView } {
    if (this.view && this.view.bytes.length === this.byteLength) return this.view;
    const { buffer } = this;
    return (this.view = { bytes: new Uint8Array(buffer), view: new DataView(buffer) });
  }

  /** @param delta pages. @returns pages before, or -1 when the maximum or the system forbids it. */
  grow(delta: number): number {
    const before = this.pages;
    const after = before + delta;
    if (after > (this.maximum ?? MAX_PAGES) || after > MAX_PAGES) return -1;
    if (this.guards && after > Math.max(MAX_GROWN_PAGES, this.initial)) return -1;
    if (this.host) {
      try {
        this.host.grow(delta);
      } catch {
        return -1;
      }
      this.refresh();
      return before;
    }
    if (delta > 0 && !this.thread.native.protect(this.base + before * PAGE_BYTES, delta * PAGE_BYTES, Access.readWrite)) return -1;
    this.thread.reclaim.grew(delta * PAGE_BYTES);
    this.resize(after);
    this.resource.bytes = after * PAGE_BYTES;
    // Also by 0 pages: so says the JS API.
    const old = this.current;
    this.current = undefined;
    this.view = undefined;
    if (old && old.byteLength > 0) this.thread.detacher.detach(old);
    return before;
  }

  /** Reads the size anew where the pages are the host's, which may have grown them. */
  refresh(): void {
    if (!this.host) return;
    const pages = this.host.buffer.byteLength / PAGE_BYTES;
    if (pages !== this.pageCount) this.resize(pages);
  }

  private resize(pages: number): void {
    this.pageCount = pages;
    this.view = undefined;
    const chunk = this.thread.heap.chunkAt(this.header);
    writeWord(chunk.i32, (this.header - chunk.base + MemoryHeader.length) >> 2, pages * PAGE_BYTES);
  }

  /** Copies bytes in. The caller has checked the bounds. */
  write(at: number, bytes: Uint8Array): void {
    this.thread.native.write(this.base + at, bytes);
  }
}

function checkPages(what: string, pages: number): void {
  if (!Number.isInteger(pages) || pages < 0 || pages > MAX_PAGES) throw new RangeError(`${what} size of a memory: 0 to ${MAX_PAGES} pages, not ${pages}`);
}
