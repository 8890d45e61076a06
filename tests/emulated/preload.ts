// In every emulated Node, before anything else: children run in the emulator, too; reservations take it no memory; flushes are watched.
import { createRequire } from "node:module";
import { threadId } from "node:worker_threads";
import { Arena, ARENA, ARENA_BYTES, type Pages } from "./arena.js";
import { watchFlushes } from "./flushes.js";
import { replaceFunctions, type PatchedKoffi } from "./patch-koffi.js";

type Map = (at: number, bytes: number, protection: number, flags: number, fd: number, offset: number) => number | bigint;
type Unmap = (at: number, bytes: number) => number;
type Protect = (at: number, bytes: number, protection: number) => number;

const PROT_NONE = 0;
const MAP_FIXED = 0x10;
/** Private anonymous memory that is not charged until touched; nothing may be there. */
const MAP_FLAGS = 0x2 | 0x20 | 0x4000 | 0x100000;
/** The main thread has half of the addresses, every other one a piece: room for some memories. */
const MAIN_BYTES = ARENA_BYTES / 2;
const THREAD_BYTES = 2 ** 36;
const PAGE_BYTES = 4096;

process.execPath = process.env["EMULATED_NODE"]!;
const koffi = createRequire(import.meta.url)("koffi") as PatchedKoffi;

/** The system's own: there before the first address is asked for. */
let mmap: Map;
let munmap: Unmap;
let mprotect: Protect;

const must = (agreed: boolean, what: string) => {
  if (!agreed) throw new Error(`the emulated system refused to ${what} (errno ${koffi.errno()})`);
};
const start = threadId === 0 ? ARENA : ARENA + MAIN_BYTES + ((threadId * THREAD_BYTES) % MAIN_BYTES);
const pages: Pages = {
  map: (at, bytes, protection) => must(Number(mmap(at, bytes, protection, MAP_FLAGS, -1, 0)) === at, `map ${bytes} bytes at ${at.toString(16)}`),
  protect: (at, bytes, protection) => must(mprotect(at, bytes, protection) === 0, `protect ${bytes} bytes`),
  unmap: (at, bytes) => must(munmap(at, bytes) === 0, `unmap ${bytes} bytes`),
};
const inArenas = (at: number) => at >= ARENA && at < ARENA + ARENA_BYTES;
const arena = new Arena(pages, start, start + (threadId === 0 ? MAIN_BYTES : THREAD_BYTES));

function map(...args: Parameters<Map>): number | bigint {
  const [at, bytes, protection, flags, fd] = args;
  if (flags & MAP_FIXED && arena.has(at)) {
    arena.clear(at, bytes);
    if (fd >= 0) {
      arena.isMapped(at, bytes);
      return mmap(...args);
    }
    arena.protect(at, bytes, protection);
    return at;
  }
  if (flags & MAP_FIXED || protection !== PROT_NONE) return mmap(...args);
  const taken = arena.take(bytes);
  return taken < 0 ? mmap(...args) : taken;
}

function unmap(at: number, bytes: number): number {
  if (!arena.has(at)) return munmap(at, bytes);
  arena.give(at, bytes);
  return 0;
}

function protect(at: number, bytes: number, protection: number): number {
  if (arena.has(at)) arena.protect(at, bytes, protection);
  else if (!inArenas(at)) return mprotect(at, bytes, protection);
  // Of another thread: code, whose range threads share. Whether a page is mapped is not known here.
  else for (let page = at; page < at + bytes; page += PAGE_BYTES) if (mprotect(page, PAGE_BYTES, protection) !== 0) pages.map(page, PAGE_BYTES, protection);
  return 0;
}

replaceFunctions(koffi, {
  mmap: (original) => ((mmap = original as Map), map),
  munmap: (original) => ((munmap = original as Unmap), unmap),
  mprotect: (original) => ((mprotect = original as Protect), protect),
});
watchFlushes(koffi);
