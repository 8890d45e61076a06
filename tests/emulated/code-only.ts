// This Node, with the compiled code of its runtime in an emulated arm64 process: `emulateCode()` before anything native is used.
//
// koffi is told to map pages, install signal handlers and call code over there; JS, the compiler and the runtime are this host's, and so
// as fast as ever. What only a whole emulated Node (./node.ts) can do: calls of C functions, Node-API, memories on pages of the host's.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { watchFlushes } from "./flushes.js";
import { replaceFunctions, type PatchedKoffi } from "./patch-koffi.js";
import { Processor, QEMU, Sys } from "./processor.js";

const MAP_FIXED = 0x10;
const PROT_READ_WRITE = 3;
const FAILED = 2 ** 64;

/** struct sigaction: of the C library, of the system. */
const HANDLER = 0;
const FLAGS = 136;
const SYSTEM_FLAGS = 8;
const SYSTEM_BYTES = 32;
const MASK_BYTES = 8;

/** A C function of the emulated process. */
class EmulatedSymbol {
  constructor(readonly at: number) {}
}

export function hasEmulator(): boolean {
  return !spawnSync(QEMU, ["--version"]).error;
}

export interface EmulatedCode {
  /** How often code was called over there. */
  readonly calls: number;
}

/** Compiled code runs in a process of its own from the runtime's first use on, which throws where there is no emulator. */
export function emulateCode(): EmulatedCode {
  const koffi = createRequire(import.meta.url)("koffi") as PatchedKoffi;
  const { address, load } = koffi;
  Object.defineProperty(process, "arch", { value: "arm64" });

  let processor: Processor;
  let calls = 0;
  let scratch: number;
  let page: DataView;
  const map = (at: number, bytes: number, protection: number, flags: number): number => {
    const { arena } = processor;
    const fixed = (flags & MAP_FIXED) !== 0;
    if (!fixed) at = arena.take(bytes);
    if (at < 0) return FAILED;
    if (fixed) arena.clear(at, bytes);
    arena.protect(at, bytes, protection);
    return at;
  };
  const sigaction = (signal: number, act: Uint8Array | null, old: Uint8Array | null): number => {
    if (act) {
      const given = new DataView(act.buffer, act.byteOffset);
      page.setBigUint64(HANDLER, given.getBigUint64(HANDLER, true), true);
      page.setBigUint64(SYSTEM_FLAGS, BigInt(given.getUint32(FLAGS, true)), true);
    }
    const result = processor.syscall(Sys.rt_sigaction, signal, act ? scratch : 0, old ? scratch + SYSTEM_BYTES : 0, MASK_BYTES);
    if (old) {
      const found = new DataView(old.buffer, old.byteOffset);
      found.setBigUint64(HANDLER, page.getBigUint64(SYSTEM_BYTES + HANDLER, true), true);
      found.setUint32(FLAGS, page.getUint32(SYSTEM_BYTES + SYSTEM_FLAGS, true), true);
    }
    return result === 0 ? 0 : -1;
  };

  koffi.load = ((...args: Parameters<typeof load>) => {
    const library = load(...args);
    // Not before: once a library is loaded koffi takes no configuration.
    if (!processor) {
      processor = new Processor(load(null));
      scratch = processor.arena.take(65536);
      processor.arena.protect(scratch, 65536, PROT_READ_WRITE);
      page = new DataView(koffi.view(BigInt(scratch), 65536));
    }
    const symbol = (name: string) => {
      const at = processor.symbols.get(name);
      if (at === undefined) throw new Error(`the emulated process has no function "${name}"`);
      return new EmulatedSymbol(at);
    };
    return { func: (...rest: [string, string, string[]]) => library.func(...rest), symbol };
  }) as typeof load;
  replaceFunctions(koffi, {
    mmap: () => map,
    munmap: () => (at: number, bytes: number) => (processor.arena.give(at, bytes), 0),
    mprotect: () => (at: number, bytes: number, protection: number) => (processor.arena.protect(at, bytes, protection), 0),
    sigaction: () => sigaction,
  });
  koffi.address = (value: unknown) => (value instanceof EmulatedSymbol ? BigInt(value.at) : address(value));
  koffi.decode = ((at: bigint) => (...args: number[]) => {
    calls++;
    processor.call(Number(at), ...args);
  }) as unknown as typeof koffi.decode;
  watchFlushes(koffi);
  return {
    get calls() {
      return calls;
    },
  };
}
