// Small native blocks: vm-contexts, function records, headers, cells.
//
// Chunks of 1 MiB, aligned to their size, cut into blocks of power-of-two classes; free lists; big blocks get chunks of their
// own. JS reaches a block through its chunk's typed arrays, found from the address.
import { Access, type Native } from "./native.js";

const CHUNK_BYTES = 1 << 20;
const MIN_CLASS = 5;
const MAX_CLASS = 18;

export interface Chunk {
  /** Address of the first byte. */
  readonly base: number;
  readonly bytes: number;
  readonly i32: Int32Array;
  readonly i64: BigInt64Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
}

export class NativeHeap {
  /** By address / CHUNK_BYTES. */
  private readonly chunks = new Map<number, Chunk>();
  private readonly free: number[][] = Array.from({ length: MAX_CLASS + 1 }, () => []);
  private bump = 0;
  private bumpEnd = 0;
  /** Bytes handed out: for tests. */
  used = 0;

  constructor(private readonly native: Native) {}

  /** Zeroed, aligned to 32 bytes. */
  alloc(bytes: number): number {
    const sizeClass = classOf(bytes);
    this.used += bytes;
    if (sizeClass > MAX_CLASS) return this.newChunk(bytes);
    const reused = this.free[sizeClass]!.pop();
    if (reused !== undefined) {
      const chunk = this.chunkAt(reused);
      const at = (reused - chunk.base) >> 2;
      chunk.i32.fill(0, at, at + (1 << sizeClass >> 2));
      return reused;
    }
    const size = 2 ** sizeClass;
    if (this.bump + size > this.bumpEnd) {
      this.bump = this.newChunk(CHUNK_BYTES);
      this.bumpEnd = this.bump + CHUNK_BYTES;
    }
    const at = this.bump;
    this.bump += size;
    return at;
  }

  /** `bytes` as in `alloc`. */
  release(at: number, bytes: number): void {
    const sizeClass = classOf(bytes);
    this.used -= bytes;
    if (sizeClass <= MAX_CLASS) {
      this.free[sizeClass]!.push(at);
      return;
    }
    const chunk = this.chunkAt(at);
    for (let a = at; a < at + chunk.bytes; a += CHUNK_BYTES) this.chunks.delete(a / CHUNK_BYTES);
    this.native.unmap(at, chunk.bytes);
  }

  /** The chunk an address of this heap lies in. */
  chunkAt(address: number): Chunk {
    const chunk = this.chunks.get(Math.floor(address / CHUNK_BYTES));
    if (!chunk) throw new Error(`${address.toString(16)} is no address of this heap`);
    return chunk;
  }

  readU32(address: number): number {
    const chunk = this.chunkAt(address);
    return chunk.i32[(address - chunk.base) >> 2]! >>> 0;
  }

  writeU32(address: number, value: number): void {
    const chunk = this.chunkAt(address);
    chunk.i32[(address - chunk.base) >> 2] = value;
  }

  readAddress(address: number): number {
    const chunk = this.chunkAt(address);
    return readWord(chunk.i32, (address - chunk.base) >> 2);
  }

  writeAddress(address: number, value: number): void {
    const chunk = this.chunkAt(address);
    writeWord(chunk.i32, (address - chunk.base) >> 2, value);
  }

  private newChunk(bytes: number): number {
    const size = Math.ceil(bytes / CHUNK_BYTES) * CHUNK_BYTES;
    const start = this.native.map(size + CHUNK_BYTES, Access.readWrite);
    if (start === 0) throw new RangeError(`out of address space: ${size} bytes`);
    const base = Math.ceil(start / CHUNK_BYTES) * CHUNK_BYTES;
    if (base > start) this.native.unmap(start, base - start);
    const end = start + size + CHUNK_BYTES;
    if (end > base + size) this.native.unmap(base + size, end - (base + size));
    const buffer = this.native.view(base, size);
    const chunk: Chunk = {
      base,
      bytes: size,
      i32: new Int32Array(buffer),
      i64: new BigInt64Array(buffer),
      f32: new Float32Array(buffer),
      f64: new Float64Array(buffer),
    };
    for (let a = base; a < base + size; a += CHUNK_BYTES) this.chunks.set(a / CHUNK_BYTES, chunk);
    return base;
  }
}

function classOf(bytes: number): number {
  return Math.max(MIN_CLASS, 32 - Math.clz32(Math.max(bytes, 1) - 1));
}

const TWO32 = 0x100000000;

/** Reads an address (64 bits, below 2^53) at an index of 32-bit words. */
export function readWord(i32: Int32Array, index: number): number {
  return (i32[index + 1]! >>> 0) * TWO32 + (i32[index]! >>> 0);
}

export function writeWord(i32: Int32Array, index: number, address: number): void {
  i32[index] = address % TWO32;
  i32[index + 1] = Math.floor(address / TWO32);
}

const words = new Int32Array(2);
const double = new Float64Array(words.buffer);

/** The double with an address for bits: subnormal, so no NaN, and copied as it is. */
export function doubleOf(address: number): number {
  writeWord(words, 0, address);
  return double[0]!;
}

/** The address in a double's bits. */
export function addressOf(bits: number): number {
  double[0] = bits;
  return readWord(words, 0);
}
