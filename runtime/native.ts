// The operating system through koffi: pages, signals, addresses of C functions. Everything else asks this file.
//
// Addresses are JS numbers (user space ends below 2^53 everywhere). What differs between systems stands in one table;
// a system without a row gets an error that says so. koffi is loaded at the first use, once a thread.
import { createRequire } from "node:module";
import type * as Koffi from "koffi";

/** Stack that koffi gives native code: C functions run on it. */
const SYNC_STACK_BYTES = 16 << 20;

export const enum Access {
  none = 0,
  readWrite = 1,
  readExecute = 2,
}

interface System {
  /** Private anonymous memory that is not charged until touched. */
  readonly mapFlags: number;
  readonly mapFixed: number;
  /** Access => PROT_ bits. */
  readonly protection: readonly [number, number, number];
  readonly scPageSize: number;
  readonly signals: { readonly SIGSEGV: number; readonly SIGBUS: number; readonly SIGFPE: number };
  /** struct sigaction: size and offsets. */
  readonly sigaction: { readonly bytes: number; readonly handler: number; readonly flags: number };
  /** SA_SIGINFO | SA_ONSTACK. */
  readonly sigactionFlags: number;
  /** Files that are memory and have no name, where there are such: MFD_CLOEXEC, MAP_SHARED. */
  readonly memoryFile?: { readonly closeOnExec: number; readonly mapShared: number };
}

const systems: Readonly<Record<string, System>> = {
  linux: {
    mapFlags: 0x2 | 0x20 | 0x4000,
    mapFixed: 0x10,
    protection: [0, 1 | 2, 1 | 4],
    scPageSize: 30,
    signals: { SIGSEGV: 11, SIGBUS: 7, SIGFPE: 8 },
    sigaction: { bytes: 152, handler: 0, flags: 136 },
    sigactionFlags: 0x4 | 0x08000000,
    memoryFile: { closeOnExec: 0x1, mapShared: 0x1 },
  },
  darwin: {
    mapFlags: 0x2 | 0x1000 | 0x40,
    mapFixed: 0x10,
    protection: [0, 1 | 2, 1 | 4],
    scPageSize: 29,
    signals: { SIGSEGV: 11, SIGBUS: 10, SIGFPE: 8 },
    sigaction: { bytes: 16, handler: 0, flags: 12 },
    sigactionFlags: 0x40 | 0x1,
  },
};

/** C functions that make files of memory, resolved when first needed. */
interface MemoryFiles {
  readonly create: (name: string, flags: number) => number;
  readonly truncate: (fd: number, bytes: number) => number;
  readonly close: (fd: number) => number;
}

export type SignalName = "SIGSEGV" | "SIGBUS" | "SIGFPE";

export class Native {
  readonly pageBytes: number;
  private readonly koffi: typeof Koffi;
  private readonly system: System;
  private readonly libc: Koffi.LibraryHandle;
  private readonly mmap: (at: number, bytes: number, prot: number, flags: number, fd: number, offset: number) => number | bigint;
  private readonly munmap: (at: number, bytes: number) => number;
  private readonly mprotect: (at: number, bytes: number, prot: number) => number;
  private readonly sigaction: (signal: number, act: Uint8Array | null, old: Uint8Array | null) => number;
  private readonly memcpy: (dst: number, src: Uint8Array, bytes: number) => number | bigint;
  private readonly memcpyOut: (dst: Uint8Array, src: number, bytes: number) => number | bigint;
  private readonly memmoveRaw: (dst: number, src: number, bytes: number) => number | bigint;
  private readonly voidFunction: Koffi.TypeObject;
  private memoryFiles: MemoryFiles | undefined;

  constructor() {
    const system = systems[process.platform];
    if (!system) throw new Error(`running Wasm is not supported on ${process.platform} yet: there are ${Object.keys(systems).join(", ")}`);
    this.system = system;
    const koffi = createRequire(import.meta.url)("koffi") as typeof Koffi;
    this.koffi = koffi;
    try {
      koffi.config({ sync_stack_size: SYNC_STACK_BYTES });
    } catch {
      // The program uses koffi itself and has loaded a library: its stacks are made. C functions get by with those.
    }
    const libc = koffi.load(null);
    this.libc = libc;
    this.mmap = libc.func("mmap", "uintptr_t", ["uintptr_t", "size_t", "int", "int", "int", "int64_t"]) as Native["mmap"];
    this.munmap = libc.func("munmap", "int", ["uintptr_t", "size_t"]) as Native["munmap"];
    this.mprotect = libc.func("mprotect", "int", ["uintptr_t", "size_t", "int"]) as Native["mprotect"];
    this.sigaction = libc.func("sigaction", "int", ["int", "const void *", "void *"]) as Native["sigaction"];
    this.memcpy = libc.func("memcpy", "uintptr_t", ["uintptr_t", "const void *", "size_t"]) as Native["memcpy"];
    this.memcpyOut = libc.func("memcpy", "uintptr_t", ["void *", "uintptr_t", "size_t"]) as Native["memcpyOut"];
    this.memmoveRaw = libc.func("memmove", "uintptr_t", ["uintptr_t", "uintptr_t", "size_t"]) as Native["memmoveRaw"];
    const sysconf = libc.func("sysconf", "long", ["int"]) as (name: number) => number;
    this.pageBytes = sysconf(system.scPageSize);
    this.voidFunction = koffi.proto("void", []);
  }

  roundUp(bytes: number): number {
    return Math.ceil(bytes / this.pageBytes) * this.pageBytes;
  }

  /** Zeroed pages, charged when touched. @returns their address, or 0 when there is no room. */
  map(bytes: number, access: Access): number {
    const at = Number(this.mmap(0, bytes, this.system.protection[access], this.system.mapFlags, -1, 0));
    // MAP_FAILED is the highest address there is.
    return at > Number.MAX_SAFE_INTEGER ? 0 : at;
  }

  /** Pages at an address that lies inside a mapping of ours: their contents go, they are new pages of that access. */
  remap(at: number, bytes: number, access: Access): void {
    const flags = this.system.mapFlags | this.system.mapFixed;
    if (Number(this.mmap(at, bytes, this.system.protection[access], flags, -1, 0)) !== at) {
      throw new Error(`the system refused to map ${bytes} bytes anew (errno ${this.koffi.errno()})`);
    }
  }

  unmap(at: number, bytes: number): void {
    if (this.munmap(at, bytes) !== 0) throw new Error(`the system refused to unmap ${bytes} bytes (errno ${this.koffi.errno()})`);
  }

  /**
   * The same fresh pages in two places: executable at `at`, inside a mapping of ours, and writable where the system likes; neither mapping
   * is both. @returns the writable address; 0 where the system has no way to do that, or refuses: `at` is inaccessible then.
   */
  mapTwice(at: number, bytes: number): number {
    const { memoryFile, protection, mapFixed } = this.system;
    if (!memoryFile) return 0;
    if (!this.memoryFiles) {
      if (this.findSymbol("memfd_create") === 0) return 0;
      this.memoryFiles = {
        create: this.libc.func("memfd_create", "int", ["str", "uint"]) as MemoryFiles["create"],
        truncate: this.libc.func("ftruncate", "int", ["int", "int64_t"]) as MemoryFiles["truncate"],
        close: this.libc.func("close", "int", ["int"]) as MemoryFiles["close"],
      };
    }
    const { create, truncate, close } = this.memoryFiles;
    const { closeOnExec, mapShared } = memoryFile;
    const fd = create("lathe code", closeOnExec);
    if (fd < 0) return 0;
    try {
      if (truncate(fd, bytes) !== 0) return 0;
      const writable = Number(this.mmap(0, bytes, protection[Access.readWrite], mapShared, fd, 0));
      if (writable > Number.MAX_SAFE_INTEGER) return 0;
      if (Number(this.mmap(at, bytes, protection[Access.readExecute], mapShared | mapFixed, fd, 0)) === at) return writable;
      this.unmap(writable, bytes);
      // A mapping that failed half-way may have left a hole.
      this.remap(at, bytes, Access.none);
      return 0;
    } finally {
      close(fd);
    }
  }

  /** @returns whether the system agreed. */
  protect(at: number, bytes: number, access: Access): boolean {
    return bytes === 0 || this.mprotect(at, bytes, this.system.protection[access]) === 0;
  }

  /** An ArrayBuffer over memory that is not the GC's. Whoever asks keeps the memory alive. At most 2^32 bytes. */
  view(at: number, bytes: number): ArrayBuffer {
    return bytes === 0 ? new ArrayBuffer(0) : this.koffi.view(BigInt(at), bytes);
  }

  /** Address of the first byte of a buffer that does not move: one of a memory. */
  addressOf(buffer: ArrayBuffer | SharedArrayBuffer): number {
    return Number(this.koffi.address(new Uint8Array(buffer)));
  }

  /** Copies into native memory. */
  write(at: number, bytes: Uint8Array): void {
    if (bytes.length > 0) this.memcpy(at, bytes, bytes.length);
  }

  read(at: number, bytes: number): Uint8Array {
    const out = new Uint8Array(bytes);
    if (bytes > 0) this.memcpyOut(out, at, bytes);
    return out;
  }

  /** Copies within native memory; ranges may overlap. */
  move(dst: number, src: number, bytes: number): void {
    if (bytes > 0) this.memmoveRaw(dst, src, bytes);
  }

  /** Address of a C function. */
  symbol(name: string): number {
    return Number(this.koffi.address(this.libc.symbol(name)));
  }

  /** As `symbol`; 0 where the process has none of that name. */
  findSymbol(name: string): number {
    try {
      return this.symbol(name);
    } catch {
      return 0;
    }
  }

  /**
   * A C function of a shared library (null: of what is loaded already): its address, and a JS function that calls it. Types are koffi's.
   * The library stays loaded. @throws Error that names what cannot be found.
   */
  foreign(library: string | null, name: string, result: string, params: readonly string[]): { address: number; call: (...args: unknown[]) => unknown } {
    let handle: Koffi.LibraryHandle;
    try {
      handle = library === null ? this.libc : this.koffi.load(library);
    } catch (error) {
      throw new Error(`the library "${library}" cannot be loaded: ${(error as Error).message}`);
    }
    let address: number;
    try {
      address = Number(this.koffi.address(handle.symbol(name)));
    } catch {
      throw new Error(`${library === null ? "this process" : `the library "${library}"`} has no symbol "${name}"`);
    }
    return { address, call: handle.func(name, result, [...params]) as (...args: unknown[]) => unknown };
  }

  /** The environment that Node-API functions take in this thread; 0 where koffi does not tell. */
  nodeApiEnv(): number {
    return Number(this.koffi.node?.env ?? 0);
  }

  /** A JS function that calls the C function `void ()` at this address. */
  voidCall(at: number): () => void {
    return this.koffi.decode(BigInt(at), this.voidFunction) as () => void;
  }

  /** A JS function that calls `void (uintptr_t ...)` of that many parameters. */
  addressCall(at: number, params: number): (...args: number[]) => void {
    const proto = this.koffi.proto("void", new Array<string>(params).fill("uintptr_t"));
    return this.koffi.decode(BigInt(at), proto) as (...args: number[]) => void;
  }

  /** Installs a handler. @returns what was there: its address (0 default, 1 ignore) and sa_flags. */
  installSignalHandler(name: SignalName, handler: number): { handler: number; flags: number } {
    const { signals, sigaction, sigactionFlags } = this.system;
    const old = this.signalHandler(name);
    const act = new Uint8Array(sigaction.bytes);
    const view = new DataView(act.buffer);
    view.setBigUint64(sigaction.handler, BigInt(handler), true);
    view.setInt32(sigaction.flags, sigactionFlags, true);
    if (this.sigaction(signals[name], act, null) !== 0) throw new Error(`no handler for ${name} could be installed (errno ${this.koffi.errno()})`);
    return old;
  }

  /** The handler installed now. */
  signalHandler(name: SignalName): { handler: number; flags: number } {
    const { signals, sigaction } = this.system;
    const old = new Uint8Array(sigaction.bytes);
    if (this.sigaction(signals[name], null, old) !== 0) throw new Error(`the handler for ${name} could not be read (errno ${this.koffi.errno()})`);
    const view = new DataView(old.buffer);
    return { handler: Number(view.getBigUint64(sigaction.handler, true)), flags: view.getInt32(sigaction.flags, true) };
  }
}
