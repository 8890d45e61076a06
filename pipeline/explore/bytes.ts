// Bytes out and in: small numbers in few bytes, the same on both sides of an explorer page.

/** Unsigned LEB128 for counts, zigzag for differences, runs of zeros in two bytes. */
export class ByteWriter {
  private bytes = new Uint8Array(1024);
  length = 0;

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const bigger = new Uint8Array(Math.max(this.length + more, this.bytes.length * 2));
    bigger.set(this.bytes);
    this.bytes = bigger;
  }

  /** 0 .. 2**32 - 1. */
  count(n: number): void {
    this.reserve(5);
    n >>>= 0;
    while (n >= 0x80) {
      this.bytes[this.length++] = (n & 0x7f) | 0x80;
      n >>>= 7;
    }
    this.bytes[this.length++] = n;
  }

  /** Any i32; small ones of either sign are short. */
  signed(n: number): void {
    this.count((n << 1) ^ (n >> 31));
  }

  /** `length` i32s, each as its difference from what the reader will expect there. */
  differences(length: number, at: (row: number) => number, expected: (row: number) => number): void {
    let zeros = 0;
    const flush = () => {
      if (zeros === 0) return;
      this.count(0);
      this.count(zeros - 1);
      zeros = 0;
    };
    for (let row = 0; row < length; row++) {
      const difference = (at(row) - expected(row)) | 0;
      if (difference === 0) zeros++;
      else {
        flush();
        this.signed(difference);
      }
    }
    flush();
  }

  text(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.count(bytes.length);
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

export class ByteReader {
  constructor(
    private readonly bytes: Uint8Array,
    private at = 0,
  ) {}

  count(): number {
    let n = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new Error("the record of a function ends early");
      n |= (byte & 0x7f) << shift;
      if (byte < 0x80) return n >>> 0;
    }
  }

  signed(): number {
    const n = this.count();
    return (n >>> 1) ^ -(n & 1);
  }

  differences(length: number, set: (row: number, x: number) => void, expected: (row: number) => number): void {
    for (let row = 0; row < length; ) {
      const difference = this.signed();
      if (difference !== 0) {
        set(row, (expected(row) + difference) | 0);
        row++;
        continue;
      }
      for (let zeros = this.count() + 1; zeros > 0 && row < length; zeros--, row++) set(row, expected(row));
    }
  }

  text(): string {
    const length = this.count();
    const text = new TextDecoder().decode(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return text;
  }
}
