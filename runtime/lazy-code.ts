// Native code of a module whose functions are compiled at their first call.
//
// Calls inside the module go through one slot a function in the vm-context (VmLayout.func). At first a slot leads to a thunk,
// which names the function to the lazy entry, which asks `compile` here; then it holds the code's address, in every instance
// of this thread. What others keep (imports, exported functions) is the address of a slot thunk, which stays good; function
// records are brought up to date, so that indirect calls go direct. Code is appended to chunks of pages: while it is written
// nothing of this thread's code runs, for we are in a host call of it, and other threads have code of their own (exec-memory.ts says
// how it is written).
import type { CodeTables, FuncCode, RuntimeStubs } from "../ir/code.js";
import { CodeTablesBuilder } from "../ir/code-tables.js";
import type { FuncIndex } from "../ir/entity.js";
import { FuncRef, type VmLayout } from "../ir/layout.js";
import type { Module } from "../ir/module.js";
import type { CompiledModule, LoadedCode } from "./compiled.js";
import type { CodePages, CodePiece, ExecMemory } from "./exec-memory.js";
import { readWord, writeWord, type Chunk } from "./native-heap.js";
import type { Reclaimer, Resource } from "./reclaim.js";
import type { Thread } from "./thread.js";

const FIRST_CHUNK_BYTES = 64 << 10;
const MAX_CHUNK_BYTES = 4 << 20;

/** Counters start no higher. */
const MAX_COUNT = 0x7fffffff;

/** Functions in the order in which they were compiled. */
class CodeChunk implements CodePiece {
  private readonly builder = new CodeTablesBuilder();

  constructor(
    readonly pages: CodePages,
    readonly module: Module,
  ) {}

  get start(): number {
    return this.pages.start;
  }
  get bytes(): number {
    return this.pages.bytes;
  }
  get codeBytes(): number {
    return this.builder.byteLength;
  }
  get code(): CodeTables {
    return this.builder.tables;
  }

  /** @returns the address, or 0 when the chunk is full. */
  append(code: FuncCode): number {
    const { pages } = this;
    const start = this.builder.nextStart(code.align);
    if (start + code.bytes.length > pages.bytes) return 0;
    pages.write(pages.start + start, code.bytes);
    this.builder.add(code, start);
    return pages.start + start;
  }
}

/** What a module's code lies in. Refers to nothing that would keep the code alive. */
class LazyPages implements Resource {
  bytes: number;
  private readonly chunks: CodeChunk[] = [];

  constructor(
    private readonly memory: ExecMemory,
    private readonly reclaim: Reclaimer,
    private readonly thunks: CodePages,
  ) {
    this.bytes = thunks.bytes;
  }

  /** Makes code executable. @returns its address. */
  place(code: FuncCode, module: Module): number {
    const { memory, chunks } = this;
    const address = chunks[chunks.length - 1]?.append(code) ?? 0;
    if (address !== 0) return address;
    const pages = memory.reserve(Math.max(Math.min(this.bytes, MAX_CHUNK_BYTES), FIRST_CHUNK_BYTES, code.bytes.length + 2 * code.align));
    const chunk = new CodeChunk(pages, module);
    chunks.push(chunk);
    this.bytes += pages.bytes;
    this.reclaim.grew(pages.bytes);
    memory.add(chunk);
    return chunk.append(code);
  }

  release(): void {
    for (const chunk of this.chunks) {
      this.memory.remove(chunk);
      chunk.pages.free();
    }
    this.thunks.free();
  }
}

export class LazyCode implements LoadedCode {
  /** By defined function: its code's address, 0 as long as there is none. */
  private readonly address: Float64Array;
  private readonly thunks: number;
  private readonly thunkBytes: number;
  readonly pages: LazyPages;
  /** By function that is referred to from outside. */
  private readonly slotThunk = new Map<FuncIndex, number>();
  private readonly module: Module;
  private readonly layout: VmLayout;
  private readonly optimizeFunc: CompiledModule["optimizeFunc"];
  private readonly compileLoop: CompiledModule["optimizeLoop"];
  /** By defined function: whether its code is as good as it gets, and where code of the first tier keeps locals. */
  private readonly optimized: Uint8Array;
  private readonly locals: Int32Array;
  /** By Wasm byte offset of a loop: the address of better code from there on. */
  private readonly loops = new Map<number, number>();
  /** By defined function: what its counter starts from. */
  private readonly counts: Int32Array;
  private readonly firstFunc: number;
  /** The vm-contexts of this thread's instances, with the chunk of the native heap they lie in. */
  private readonly contexts = new Map<number, Chunk>();

  /** @param compileFunc makes the code of a defined function. */
  constructor(
    compiled: CompiledModule,
    private readonly compileFunc: (index: FuncIndex) => FuncCode,
    stubs: RuntimeStubs,
    thread: Thread,
  ) {
    const { memory } = thread.exec!;
    const { module, layout } = compiled;
    this.module = module;
    this.layout = layout;
    this.optimizeFunc = compiled.optimizeFunc;
    this.compileLoop = compiled.optimizeLoop;
    this.firstFunc = module.importedFuncCount;
    const count = module.funcs.length - this.firstFunc;
    this.address = new Float64Array(count);
    this.optimized = new Uint8Array(count);
    this.locals = new Int32Array(count);
    this.counts = new Int32Array(layout.counters < 0 ? 0 : count);
    for (let i = 0; i < this.counts.length; i++) {
      const { bodyStart, bodyEnd } = module.funcs[this.firstFunc + i]!;
      this.counts[i] = Math.min(MAX_COUNT, Math.max(0, bodyEnd - bodyStart) * compiled.tierUpAfter!);
    }
    const referred = layout.refFuncs.filter((index) => !module.funcs[index]!.imported);
    const thunks = stubs.lazyThunks(this.firstFunc, count);
    const slotThunks = stubs.slotThunks(referred.map((index) => layout.func(index)));
    this.thunkBytes = count === 0 ? 0 : thunks.length / count;
    const code = new Uint8Array(thunks.length + slotThunks.length);
    code.set(thunks);
    code.set(slotThunks, thunks.length);
    const pages = memory.reserve(Math.max(1, code.length));
    pages.write(pages.start, code);
    this.thunks = pages.start;
    this.pages = new LazyPages(memory, thread.reclaim, pages);
    referred.forEach((index, i) => this.slotThunk.set(index, this.thunks + thunks.length + (i * slotThunks.length) / referred.length));
  }

  entry(index: FuncIndex): number {
    return this.address[index - this.firstFunc]! || (this.slotThunk.get(index) ?? this.compile(index));
  }

  /** An instance begins: fills the slots of its context. */
  attach(ctx: number, chunk: Chunk): void {
    this.contexts.set(ctx, chunk);
    const at = (ctx - chunk.base + this.layout.funcs) >> 2;
    for (let i = 0; i < this.address.length; i++) writeWord(chunk.i32, at + 2 * i, this.address[i]! || this.thunks + i * this.thunkBytes);
    if (this.layout.counters >= 0) chunk.i32.set(this.counts, (ctx - chunk.base + this.layout.counters) >> 2);
  }

  /** The instance is no more. */
  detach(ctx: number): void {
    this.contexts.delete(ctx);
  }

  /** Makes the code of a function if there is none. @returns its address. */
  compile(index: FuncIndex): number {
    return this.address[index - this.firstFunc]! || this.place(index, this.compileFunc(index));
  }

  /** Makes better code of a function. Whoever is in the old code stays there until it returns. */
  optimize(index: FuncIndex): void {
    const i = index - this.firstFunc;
    if (!this.optimizeFunc) throw new Error("the module's functions are not counted");
    if (this.optimized[i] === 0) {
      this.optimized[i] = 1;
      this.place(index, this.optimizeFunc(index));
    }
    // Old code may still be running: from here on it alone counts.
    const offset = this.layout.counter(index);
    for (const [ctx, chunk] of this.contexts) chunk.i32[(ctx - chunk.base + offset) >> 2] = this.counts[i]!;
  }

  /**
   * Makes better code of the function that a loop belongs to. When that is done already, the loop has been running in old code ever since: then of
   * the function from that loop on. @returns the address to go on at, 0 for the old code.
   */
  optimizeLoop(loop: number): number {
    const index = this.functionAround(loop);
    const i = index - this.firstFunc;
    const isOld = this.optimized[i] === 1;
    this.optimize(index);
    if (!isOld || !this.compileLoop) return 0;
    let address = this.loops.get(loop);
    if (address === undefined) this.loops.set(loop, (address = this.pages.place(this.compileLoop(index, loop, this.locals[i]!), this.module)));
    return address;
  }

  /** The defined function in whose body a byte lies. */
  private functionAround(offset: number): FuncIndex {
    const { funcs } = this.module;
    let low = this.firstFunc;
    let high = this.firstFunc + this.address.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (funcs[middle]!.bodyEnd <= offset) low = middle + 1;
      else high = middle;
    }
    return low as FuncIndex;
  }

  private place(index: FuncIndex, code: FuncCode): number {
    const address = this.pages.place(code, this.module);
    if (code.locals !== undefined) this.locals[index - this.firstFunc] = code.locals;
    this.address[index - this.firstFunc] = address;
    for (const [ctx, chunk] of this.contexts) this.install(index, address, ctx, chunk);
    return address;
  }

  private install(index: FuncIndex, address: number, ctx: number, chunk: Chunk): void {
    const { layout } = this;
    const at = (ctx - chunk.base) >> 2;
    writeWord(chunk.i32, at + layout.func(index) / 4, address);
    if (!this.slotThunk.has(index)) return;
    const record = readWord(chunk.i32, at + layout.ref(index) / 4);
    writeWord(chunk.i32, (record - chunk.base + FuncRef.code) >> 2, address);
  }
}
