// Executable memory: one reserved range for compiled code, so that the signal handler tests one range, and one for stubs.
//
// W^X: pages are written while read-write, then become read-execute, and are never both; a freed piece loses its pages.
// Pages that are filled bit by bit (`CodePages`) are mapped twice instead, where the system does that: executable in the range,
// and writable at a second address, where nothing is ever executed. Two system calls less for each function.
// The process has one code range, cut into slices; a thread takes a slice. A later thread finds the range by the handler
// that is installed: our handler's page ends in a mark and the address of the range's header. When no slice is left, or two
// threads were first at once, a thread has a range and a handler of its own, and the handlers chain.
import type { CodeTables, ModuleCode, RuntimeStubs } from "../ir/code.js";
import type { Module } from "../ir/module.js";
import { Access, type Native, type SignalName } from "./native.js";

const SLICE_BYTES = 256 << 20;
const SLICES = 16;
const STUB_BYTES = 32 << 20;
const STUB_ALIGN = 16;
const STUB_PAGES_BYTES = 16 << 10;
/** At the end of the handler's page: 8 words of mark, then the address of the header. */
const MARK = Uint8Array.from("wasmlathe code range, version 1\n", (c) => c.charCodeAt(0));
const MARK_BYTES = 64;
const signalNames: readonly SignalName[] = ["SIGSEGV", "SIGBUS", "SIGFPE"];

/** Compiled code of one module, or a part of it, as it lies in memory. */
export interface CodePiece {
  readonly start: number;
  /** Bytes of whole pages. */
  readonly bytes: number;
  /** Bytes of code, from `start`. */
  readonly codeBytes: number;
  readonly code: CodeTables;
  readonly module: Module;
}

/** Has the processor see code that was written, at the address at which it is executed. */
type Flush = (at: number, bytes: number) => void;

/** Pages of one range, first fit. */
class Pages {
  /** Free ranges, ascending: start, end. */
  private readonly free: number[];

  constructor(
    private readonly native: Native,
    readonly base: number,
    readonly end: number,
  ) {
    this.free = [base, end];
  }

  /** Copies code in and seals it. */
  load(code: Uint8Array, flush: Flush | undefined): { start: number; bytes: number } {
    const bytes = this.native.roundUp(Math.max(1, code.length));
    const start = this.take(bytes);
    this.write(start, bytes, start, code, flush);
    return { start, bytes };
  }

  /** Copies code to `at`, inside pages whose code no other thread runs. */
  write(start: number, bytes: number, at: number, code: Uint8Array, flush: Flush | undefined): void {
    if (!this.native.protect(start, bytes, Access.readWrite)) throw new RangeError(`out of memory: ${bytes} bytes of code`);
    this.native.write(at, code);
    if (!this.native.protect(start, bytes, Access.readExecute)) throw new Error("the system refused to make code executable");
    flush?.(at, code.length);
  }

  release(start: number, bytes: number): void {
    this.native.remap(start, bytes, Access.none);
    const free = this.free;
    let i = 0;
    while (i < free.length && free[i]! < start) i += 2;
    free.splice(i, 0, start, start + bytes);
    // Merge with the right, then the left neighbour.
    if (i + 2 < free.length && free[i + 1] === free[i + 2]) free.splice(i + 1, 2);
    if (i > 0 && free[i - 1] === free[i]) free.splice(i - 1, 2);
  }

  /** An address with so many bytes, whole pages, behind it. */
  take(bytes: number): number {
    const free = this.free;
    for (let i = 0; i < free.length; i += 2) {
      const start = free[i]!;
      if (free[i + 1]! - start < bytes) continue;
      free[i] = start + bytes;
      if (free[i] === free[i + 1]) free.splice(i, 2);
      return start;
    }
    throw new RangeError(`out of code memory: no ${bytes} bytes in a row are free`);
  }
}

/** Whole pages that code is put into bit by bit: inaccessible where nothing has been written yet. Freed by `free`, or as part of a piece. */
export class CodePages {
  /** Over the second mapping; undefined where there is one mapping alone. */
  private readonly alias: Uint8Array | undefined;
  private readonly aliasAt: number;

  constructor(
    private readonly native: Native,
    private readonly pages: Pages,
    private readonly flush: Flush | undefined,
    /** Taken from `pages`. */
    readonly start: number,
    readonly bytes: number,
  ) {
    this.aliasAt = native.mapTwice(start, bytes);
    if (this.aliasAt !== 0) this.alias = new Uint8Array(native.view(this.aliasAt, bytes));
  }

  /** Puts code at an address inside. What the pages hold already stays; where there is one mapping alone, none of it may be running. */
  write(at: number, code: Uint8Array): void {
    if (this.alias) {
      this.alias.set(code, at - this.start);
      this.flush?.(at, code.length);
      return;
    }
    const { native } = this;
    const start = Math.floor(at / native.pageBytes) * native.pageBytes;
    this.pages.write(start, native.roundUp(at + code.length - start), at, code, this.flush);
  }

  free(): void {
    if (this.aliasAt !== 0) this.native.unmap(this.aliasAt, this.bytes);
    this.pages.release(this.start, this.bytes);
  }
}

export class ExecMemory {
  private readonly code: Pages;
  private readonly stubs: Pages;
  /** Where small stubs are put, and from where on it is free. */
  private stubPages: CodePages | undefined;
  private stubAt = 0;
  /** Ascending by address. */
  private readonly pieces: CodePiece[] = [];
  private readonly flush: Flush | undefined;

  /** @param handleSignals false: no handler is installed, compiled code must check explicitly. */
  constructor(
    private readonly native: Native,
    stubs: RuntimeStubs,
    handleSignals: boolean,
  ) {
    this.stubs = new Pages(native, ...reserve(native, STUB_BYTES));
    const flushCode = stubs.flushCode();
    if (flushCode) {
      // The one piece of code that cannot be flushed by itself: fresh pages were never fetched from.
      this.flush = native.addressCall(this.stubs.load(flushCode, undefined).start, 2);
    }
    this.code = new Pages(native, ...(handleSignals ? this.sharedSlice(stubs) : reserve(native, SLICE_BYTES)));
  }

  /** Makes a stub callable for good. @returns its address. */
  loadStub(code: Uint8Array): number {
    const { pageBytes } = this.native;
    if (code.length > pageBytes) return this.stubs.load(code, this.flush).start;
    // Small ones share pages: the thread that writes is the only one that runs them, and it is not running them now.
    if (!this.stubPages || this.stubAt + code.length > this.stubPages.start + this.stubPages.bytes) {
      this.stubPages = this.pagesOf(this.stubs, STUB_PAGES_BYTES);
      this.stubAt = this.stubPages.start;
    }
    const at = this.stubAt;
    this.stubPages.write(at, code);
    this.stubAt = at + ((code.length + STUB_ALIGN - 1) & -STUB_ALIGN);
    return at;
  }

  load(module: Module, code: ModuleCode): CodePiece {
    const { start, bytes } = this.code.load(code.bytes, this.flush);
    const piece: CodePiece = { start, bytes, codeBytes: code.bytes.length, code, module };
    this.add(piece);
    return piece;
  }

  /** Whole pages for at least so many bytes of code that comes later. */
  reserve(bytes: number): CodePages {
    return this.pagesOf(this.code, bytes);
  }

  private pagesOf(range: Pages, bytes: number): CodePages {
    const whole = this.native.roundUp(bytes);
    return new CodePages(this.native, range, this.flush, range.take(whole), whole);
  }

  /** Makes a piece known to `pieceAt`, whose pages are of `reserve`. */
  add(piece: CodePiece): void {
    let i = this.pieces.length;
    while (i > 0 && this.pieces[i - 1]!.start > piece.start) i--;
    this.pieces.splice(i, 0, piece);
  }

  /** Makes a piece unknown to `pieceAt` again. */
  remove(piece: CodePiece): void {
    this.pieces.splice(this.pieces.indexOf(piece), 1);
  }

  unload(piece: CodePiece): void {
    this.remove(piece);
    this.code.release(piece.start, piece.bytes);
  }

  /** The module whose code holds this address (an end address, as a return address may be, counts). */
  pieceAt(pc: number): CodePiece | undefined {
    let low = 0;
    let high = this.pieces.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.pieces[middle]!.start <= pc) low = middle + 1;
      else high = middle;
    }
    const piece = this.pieces[low - 1];
    return piece && pc <= piece.start + piece.codeBytes ? piece : undefined;
  }

  /** Pieces loaded now: one a module, more of one that is compiled lazily. */
  get loaded(): number {
    return this.pieces.length;
  }

  private sharedSlice(stubs: RuntimeStubs): [number, number] {
    const header = installedRange(this.native);
    if (header !== 0) {
      const slice = takeSlice(this.native, header);
      if (slice) return slice;
    }
    return this.newRange(stubs);
  }

  /** Reserves a code range and installs the handler for it. */
  private newRange(stubs: RuntimeStubs): [number, number] {
    const native = this.native;
    const [base, end] = reserve(native, SLICE_BYTES * SLICES);
    // Header: base (8 bytes), slice states (4 bytes each), from 64 the handlers found.
    const header = native.map(native.pageBytes, Access.readWrite);
    if (header === 0) throw new RangeError("out of memory");
    const words = new BigUint64Array(native.view(header, native.pageBytes));
    words[0] = BigInt(base);
    const previous = 16 + SLICES / 2;
    const page = new Uint8Array(native.pageBytes);
    page.set(stubs.signalHandler({ codeBase: BigInt(base), codeEnd: BigInt(end), previous: BigInt(header + previous * 8) }));
    page.set(MARK, page.length - MARK_BYTES);
    new DataView(page.buffer).setBigUint64(page.length - MARK_BYTES + MARK.length, BigInt(header), true);
    const handler = this.stubs.load(page, this.flush).start;
    signalNames.forEach((name, i) => {
      // What the handler chains to must stand there before the first signal can come.
      const found = native.signalHandler(name);
      words[previous + 2 * i] = BigInt(found.handler);
      words[previous + 2 * i + 1] = BigInt(found.flags >>> 0);
      native.installSignalHandler(name, handler);
    });
    const slice = takeSlice(native, header);
    if (!slice) throw new Error("a new code range has no free slice");
    return slice;
  }
}

function reserve(native: Native, bytes: number): [number, number] {
  const base = native.map(bytes, Access.none);
  if (base === 0) throw new RangeError(`out of address space: ${bytes} bytes for code`);
  return [base, base + bytes];
}

/** Address of the header of the range whose handler is installed, 0 if the handler is not ours. */
function installedRange(native: Native): number {
  const { handler } = native.signalHandler("SIGSEGV");
  if (handler < native.pageBytes) return 0;
  const end = (Math.floor(handler / native.pageBytes) + 1) * native.pageBytes;
  const bytes = native.read(end - MARK_BYTES, MARK_BYTES);
  if (!MARK.every((byte, i) => bytes[i] === byte)) return 0;
  return Number(new DataView(bytes.buffer).getBigUint64(MARK.length, true));
}

function takeSlice(native: Native, header: number): [number, number] | undefined {
  const states = new Int32Array(native.view(header + 64, SLICES * 4));
  const base = Number(new DataView(native.read(header, 8).buffer).getBigUint64(0, true));
  for (let i = 0; i < SLICES; i++) {
    if (Atomics.compareExchange(states, i, 0, 1) === 0) return [base + i * SLICE_BYTES, base + (i + 1) * SLICE_BYTES];
  }
  return undefined;
}
