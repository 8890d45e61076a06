// The guest's memory as the calls see it: views that are made anew when it has grown, every access checked.
//
// Addresses and lengths come as Wasm's i32, that is signed; an access outside of the memory is the errno `fault`.
import { Errno } from "./abi.js";
import { fail } from "./errno.js";

/** A `WebAssembly.Memory`, or a `Memory` of this library. */
export interface MemoryLike {
  readonly buffer: ArrayBufferLike;
}

const decoder = new TextDecoder("utf-8", { fatal: true });

export class GuestMemory {
  private source: MemoryLike | undefined;
  /** What the views are over; comparing it is cheaper than asking a view for its buffer. */
  private cachedBuffer: ArrayBufferLike | undefined;
  private cachedBytes: Uint8Array = new Uint8Array(0);
  private cachedView = new DataView<ArrayBufferLike>(this.cachedBytes.buffer);

  attach(source: MemoryLike): void {
    this.source = source;
  }

  /** All of it. Valid until the guest runs again. */
  get bytes(): Uint8Array {
    this.refresh();
    return this.cachedBytes;
  }

  /** Checked against the end before it is returned: `length` bytes at `address` may be accessed. */
  view(address: number, length: number): DataView {
    this.refresh();
    if (address + length > this.cachedBytes.length) fail(Errno.fault);
    return this.cachedView;
  }

  private refresh(): void {
    if (!this.source) throw new Error("a WASI function was called before start() or initialize()");
    const { buffer } = this.source;
    if (buffer === this.cachedBuffer) return;
    this.cachedBuffer = buffer;
    this.cachedBytes = new Uint8Array(buffer);
    this.cachedView = new DataView(buffer);
  }

  u32(address: number): number {
    address >>>= 0;
    return this.view(address, 4).getUint32(address, true);
  }

  u64(address: number): bigint {
    address >>>= 0;
    return this.view(address, 8).getBigUint64(address, true);
  }

  setU8(address: number, value: number): void {
    address >>>= 0;
    this.view(address, 1).setUint8(address, value);
  }

  setU16(address: number, value: number): void {
    address >>>= 0;
    this.view(address, 2).setUint16(address, value, true);
  }

  setU32(address: number, value: number): void {
    address >>>= 0;
    this.view(address, 4).setUint32(address, value, true);
  }

  /** A 64-bit number from its halves. */
  setWords(address: number, low: number, high: number): void {
    address >>>= 0;
    const view = this.view(address, 8);
    view.setUint32(address, low, true);
    view.setUint32(address + 4, high, true);
  }

  setU64(address: number, value: bigint): void {
    address >>>= 0;
    this.view(address, 8).setBigUint64(address, value, true);
  }

  /** The bytes of a range; a view, no copy. */
  slice(address: number, length: number): Uint8Array {
    address >>>= 0;
    length >>>= 0;
    this.view(address, length);
    return this.cachedBytes.subarray(address, address + length);
  }

  /** A string. @throws Failure `ilseq` if it is no UTF-8. */
  string(address: number, length: number): string {
    const bytes = this.slice(address, length);
    try {
      // Decoders refuse shared memory.
      return decoder.decode(bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice());
    } catch {
      return fail(Errno.ilseq);
    }
  }

  write(address: number, bytes: Uint8Array): void {
    this.slice(address, bytes.length).set(bytes);
  }
}
