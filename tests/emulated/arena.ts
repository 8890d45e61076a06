// Address space of an emulated process, of which the emulator is told what is accessible and no more.
//
// It keeps a record of every page that is mapped, 80 MB for the reservation of one memory, and takes as many milliseconds to make it. An
// access to a page that is not mapped faults as one to an inaccessible page does.
import { Ranges } from "./ranges.js";

/** Above the addresses that V8 picks at random, below those of programs and libraries. */
export const ARENA = 0x4000_0000_0000;
export const ARENA_BYTES = 0x1400_0000_0000;

/** What the emulated system does for an arena. Protections are PROT_ bits. */
export interface Pages {
  /** Maps pages where nothing is mapped. */
  map(at: number, bytes: number, protection: number): void;
  protect(at: number, bytes: number, protection: number): void;
  /** Unmaps pages; what they held is gone. */
  unmap(at: number, bytes: number): void;
}

const PROT_NONE = 0;

export class Arena {
  private readonly free = new Ranges();
  private readonly mapped = new Ranges();

  constructor(
    private readonly pages: Pages,
    private readonly start = ARENA,
    private readonly end = ARENA + ARENA_BYTES,
  ) {
    this.free.add(start, end);
  }

  /** @returns an address with room behind it, inaccessible; -1 when there is none. */
  take(bytes: number): number {
    const range = this.free.list.find(([from, to]) => to - from >= bytes);
    if (!range) return -1;
    this.free.remove(range[0], range[0] + bytes);
    return range[0];
  }

  give(at: number, bytes: number): void {
    this.clear(at, bytes);
    this.free.add(at, at + bytes);
  }

  /** Pages become inaccessible and lose what they hold. */
  clear(at: number, bytes: number): void {
    for (const [from, to] of this.mapped.within(at, at + bytes)) this.pages.unmap(from, to - from);
    this.mapped.remove(at, at + bytes);
  }

  /** Pages keep what they hold. */
  protect(at: number, bytes: number, protection: number): void {
    const mapped = this.mapped.within(at, at + bytes);
    for (const [from, to] of mapped) this.pages.protect(from, to - from, protection);
    if (protection === PROT_NONE) return;
    for (let from = at, i = 0; from < at + bytes; i++) {
      const [next, end] = mapped[i] ?? [at + bytes, at + bytes];
      if (next > from) this.pages.map(from, next - from, protection);
      from = end;
    }
    this.mapped.add(at, at + bytes);
  }

  /** Pages have been mapped by somebody else. */
  isMapped(at: number, bytes: number): void {
    this.mapped.add(at, at + bytes);
  }

  has(at: number): boolean {
    return at >= this.start && at < this.end;
  }
}
