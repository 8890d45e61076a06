// An instance: its vm-context and records in one native block, its memories, tables, globals and segments, and the
// operations on them that both engines share.
//
// Operations get unsigned integers and throw `InterpTrap`; who called them adds where it happened. Made by link.ts.
import type { FuncIndex, GlobalIndex } from "../ir/entity.js";
import type { InterpCallee } from "../ir/interp-env.js";
import { InterpTrap } from "../ir/interp-env.js";
import { ImportedFunc, TrapKind, VmCtx, type VmLayout } from "../ir/layout.js";
import type { ConstExpr, ConstOp, Module } from "../ir/module.js";
import { Type } from "../ir/types.js";
import { InterpretedCode, isNative, loadedCode, type CompiledModule, type LoadedCode } from "./compiled.js";
import { LazyCode } from "./lazy-code.js";
import { bindHost, bindMemory, bindNative, FuncInstance, HOST_BYTES, RECORD_BYTES, UnboundHost, writeRecord, type HostCode } from "./func.js";
import { CellRoot, Global } from "./global.js";
import { Holder } from "./holder.js";
import { InstanceEnv } from "./interp-instance.js";
import type { Memory } from "./memory.js";
import type { NativeFunction } from "./native-function.js";
import { readWord, writeWord, type Chunk } from "./native-heap.js";
import type { Resource } from "./reclaim.js";
import type { Store } from "./store.js";
import type { Table } from "./table.js";
import type { Thread } from "./thread.js";
import type { ExternRoots } from "./externref.js";

/** Imports after matching. Function instances are handed on, JS and C functions still need a context of the importer's. */
export interface LinkedImports {
  /** By function index. */
  readonly funcs: ReadonlyMap<FuncIndex, FuncInstance | HostCode | NativeFunction>;
  readonly tables: readonly Table[];
  readonly memories: readonly Memory[];
  /** By global index. */
  readonly globals: ReadonlyMap<GlobalIndex, Global>;
}

class InstanceResource implements Resource {
  readonly address: number;
  root: CellRoot | undefined;
  lazy: LazyCode | undefined;
  /** Interpreted and host functions that native code cannot call yet. */
  readonly unbound: UnboundHost[] = [];

  constructor(
    private readonly thread: Thread,
    readonly bytes: number,
    private readonly roots: ExternRoots,
  ) {
    this.address = thread.heap.alloc(bytes);
  }

  release(): void {
    if (this.root) this.roots.delete(this.root);
    this.lazy?.detach(this.address);
    for (const host of this.unbound) this.thread.unbound.delete(host);
    this.thread.heap.release(this.address, this.bytes);
  }
}

export class Instance extends Holder {
  readonly module: Module;
  readonly layout: VmLayout;
  readonly memories: Memory[] = [];
  readonly tables: Table[] = [];
  /** What a module exports: functions, `Memory`, `Table`, `Global`. Frozen, without prototype. */
  exports: Readonly<Record<string, unknown>> = Object.freeze(Object.create(null) as Record<string, unknown>);
  /** For the interpreter. */
  readonly env: InstanceEnv;
  /** Address of the vm-context. */
  readonly ctx: number;
  private readonly chunk: Chunk;
  /** Word index of the vm-context in `chunk`. */
  private readonly at: number;
  private readonly loaded: LoadedCode | undefined;
  private readonly interpretedCode: InterpretedCode | undefined;
  private readonly funcs: (FuncInstance | undefined)[];
  private readonly globals: (Global | undefined)[];
  /** Contexts of native imports that take addresses in memory 0. */
  private readonly inMemory: number[] = [];
  /** By dispatch id, from `hostBase`. */
  private readonly hosts: FuncInstance[] = [];
  private readonly hostBase: number;
  private readonly droppedDatas: Uint8Array;
  private readonly droppedElems: Uint8Array;

  /** Allocates and fills the context, but runs no initializer. Own memories and tables come by `addMemory`, `addTable`. */
  constructor(
    readonly store: Store,
    compiled: CompiledModule,
    imports: LinkedImports,
  ) {
    const { thread } = store;
    super(thread);
    const { module, layout } = compiled;
    this.module = module;
    this.layout = layout;
    if (compiled.stubs) thread.withStubs(compiled.stubs);
    if (isNative(compiled)) this.loaded = loadedCode(compiled, thread);
    else this.interpretedCode = InterpretedCode.of(compiled);
    this.env = new InstanceEnv(this);
    this.funcs = new Array<FuncInstance | undefined>(module.funcs.length);
    this.globals = new Array<Global | undefined>(module.globals.length);
    this.droppedDatas = new Uint8Array(module.datas.length);
    this.droppedElems = new Uint8Array(module.elems.length);

    // One block: context, records of the functions that `ref.func` may name, contexts and records of host functions.
    const importedHosts = [...imports.funcs.values()].filter((func) => !(func instanceof FuncInstance)).length;
    const own = layout.refFuncs.filter((index) => !module.funcs[index]!.imported).length;
    const hostCount = importedHosts + (this.interpreted ? own : 0);
    const records = layout.bytes;
    let hostAt = records + (this.interpreted ? 0 : own * RECORD_BYTES);
    this.hostBase = thread.newHostIds(hostCount);
    const resource = new InstanceResource(thread, hostAt + hostCount * HOST_BYTES, this.externs.roots);
    thread.reclaim.own(this, resource);
    this.ctx = resource.address;
    this.chunk = thread.heap.chunkAt(this.ctx);
    this.at = (this.ctx - this.chunk.base) >> 2;
    thread.exec?.fillHeader(this.chunk, this.ctx, this.id, 0);
    module.types.forEach((sig, i) => {
      this.chunk.i32[this.at + (layout.typeIds + i * 4) / 4] = store.intern(sig);
    });

    imports.funcs.forEach((item, index) => {
      let func: FuncInstance;
      if (item instanceof FuncInstance) {
        func = item;
        func.refresh();
        this.keep(func.holder);
      } else {
        if ("address" in item) {
          func = new FuncInstance(store, this, index, module.funcType(index), undefined, item);
          bindNative(func, thread.exec!, this.ctx + hostAt);
          if (item.inMemory.includes(true)) this.inMemory.push(func.ctx);
        } else {
          func = new FuncInstance(store, this, index, module.funcType(index), item);
          this.bind(func, resource, this.ctx + hostAt);
        }
        hostAt += HOST_BYTES;
      }
      this.funcs[index] = func;
      const at = layout.importedFunc(index);
      this.writeAddress(at + ImportedFunc.code, func.code);
      this.writeAddress(at + ImportedFunc.ctx, func.ctx);
      this.writeAddress(at + ImportedFunc.ref, func.record);
    });
    imports.memories.forEach((memory) => this.addMemory(memory));
    imports.tables.forEach((table) => this.addTable(table));
    imports.globals.forEach((global, index) => {
      this.globals[index] = global;
      this.keep(global);
      if (global.mutable && global.type === Type.funcref) global.keep(this);
      this.writeAddress(layout.global(index), global.cell);
    });

    let recordAt = records;
    layout.refFuncs.forEach((index, slot) => {
      let record: number;
      if (module.funcs[index]!.imported) {
        record = this.funcs[index]!.record;
      } else if (this.interpreted) {
        const func = this.func(index);
        this.bind(func, resource, this.ctx + hostAt);
        hostAt += HOST_BYTES;
        record = func.record;
      } else {
        record = this.ctx + recordAt;
        recordAt += RECORD_BYTES;
        const typeId = store.intern(module.funcType(index));
        writeRecord(this.chunk, record, { code: this.loaded!.entry(index), ctx: this.ctx, typeId, index, holder: this.id });
      }
      this.writeAddress(layout.refs + slot * 8, record);
    });
    if (this.loaded instanceof LazyCode) {
      this.loaded.attach(this.ctx, this.chunk);
      resource.lazy = this.loaded;
    }
    const roots: number[] = [];
    module.globals.forEach((global, i) => {
      if (!global.imported && global.type === Type.externref) roots.push(this.ctx + layout.globals + i * 16);
    });
    if (roots.length > 0) {
      resource.root = new CellRoot(this.chunk, roots);
      this.externs.roots.add(resource.root);
    }
  }

  override get instance(): Instance {
    return this;
  }

  override get interpreted(): boolean {
    return this.loaded === undefined;
  }

  override func(index: number): FuncInstance {
    let func = this.funcs[index];
    if (func) return func;
    if (index >= this.module.funcs.length) throw new Error(`the module has no function ${index}`);
    func = new FuncInstance(this.store, this, index, this.module.funcType(index as FuncIndex), undefined);
    if (this.loaded) {
      func.code = this.loaded.entry(index as FuncIndex);
      func.ctx = this.ctx;
      func.record = this.recordOf(index as FuncIndex);
    }
    return (this.funcs[index] = func);
  }

  override hostFunc(id: number): FuncInstance | undefined {
    return id >= this.hostBase ? this.hosts[id - this.hostBase] : undefined;
  }

  override interpret(index: number): InterpCallee {
    const codes = this.interpretedCode!;
    return {
      kind: "wasm",
      env: this.env,
      get code() {
        return codes.get(index as FuncIndex);
      },
    };
  }

  addMemory(memory: Memory): void {
    const at = this.layout.memories + this.memories.length * 8;
    if (this.memories.length === 0) {
      this.writeAddress(VmCtx.memory0Base, memory.base);
      for (const context of this.inMemory) bindMemory(this.chunk, context, memory);
    }
    this.memories.push(memory);
    this.writeAddress(at, memory.header);
  }

  addTable(table: Table): void {
    this.writeAddress(this.layout.tables + this.tables.length * 8, table.header);
    this.tables.push(table);
    this.keep(table);
    if (table.elem === Type.funcref) table.keep(this);
  }

  /** The object for a global, own or imported. */
  global(index: number): Global {
    let global = this.globals[index];
    if (!global) {
      const { type, mutable } = this.module.globals[index]!;
      global = Global.inside(this.store, type, mutable, this.ctx + this.layout.globals + index * 16, this);
      // The cell is in this instance's own memory, and what native code puts there it got here.
      this.globals[index] = global;
      this.keep(global);
    }
    return global;
  }

  /** Initializes the own globals, in order. */
  initGlobals(): void {
    this.module.globals.forEach((global, i) => {
      if (global.init) this.evaluate(global.init, this.chunk.i32, this.at + (this.layout.globals + i * 16) / 4);
    });
  }

  /** Raw bits of a constant expression into the two words at `at`. */
  evaluate(expr: ConstExpr, words: Int32Array, at: number): void {
    if (expr.length !== 1) throw new Error(`a constant expression of ${expr.length} instructions is not supported yet`);
    this.evaluateOp(expr[0]!, words, at);
  }

  /** The offset of an active segment, unsigned. */
  offset(expr: ConstExpr): number {
    const words = new Int32Array(2);
    this.evaluate(expr, words, 0);
    return words[0]! >>> 0;
  }

  private evaluateOp(op: ConstOp, words: Int32Array, at: number): void {
    switch (op.op) {
      case "ref.null":
        words[at] = 0;
        words[at + 1] = 0;
        return;
      case "ref.func": {
        const ref = this.at + this.layout.ref(op.func) / 4;
        words[at] = this.chunk.i32[ref]!;
        words[at + 1] = this.chunk.i32[ref + 1]!;
        return;
      }
      case "global.get":
        this.readGlobal(op.global, words, at);
        return;
      case "v128.const":
        throw new Error("v128 is not supported yet");
      default:
        words[at] = op.lo;
        words[at + 1] = op.hi;
    }
  }

  /** Raw bits of a global into two words. */
  readGlobal(index: number, words: Int32Array, at: number): void {
    if (this.module.globals[index]!.imported) {
      this.globals[index]!.readWords(words, at);
      return;
    }
    const cell = this.at + (this.layout.globals + index * 16) / 4;
    words[at] = this.chunk.i32[cell]!;
    words[at + 1] = this.chunk.i32[cell + 1]!;
  }

  writeGlobal(index: number, words: Int32Array, at: number): void {
    if (this.module.globals[index]!.imported) {
      this.globals[index]!.writeWords(words, at);
      return;
    }
    const cell = this.at + (this.layout.globals + index * 16) / 4;
    this.chunk.i32[cell] = words[at]!;
    this.chunk.i32[cell + 1] = words[at + 1]!;
  }

  /** The code of a module that is compiled lazily; throws for another. */
  get lazyCode(): LazyCode {
    if (!(this.loaded instanceof LazyCode)) throw new Error("the module has its code from the beginning");
    return this.loaded;
  }

  /** Address of the record of a function that `ref.func` may name; 0 for another. */
  recordOf(index: FuncIndex): number {
    const slot = this.layout.refFuncs.length > 0 ? this.refOffset(index) : -1;
    return slot < 0 ? 0 : readWord(this.chunk.i32, this.at + slot / 4);
  }

  private refOffset(index: FuncIndex): number {
    const { refFuncs } = this.layout;
    let low = 0;
    let high = refFuncs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (refFuncs[middle]! < index) low = middle + 1;
      else high = middle;
    }
    return refFuncs[low] === index ? this.layout.refs + low * 8 : -1;
  }

  // ---- what both engines do ----

  memoryGrow(index: number, delta: number): number {
    return this.memories[index]!.grow(delta);
  }

  memoryInit(data: number, index: number, dst: number, src: number, length: number): void {
    const bytes = this.droppedDatas[data] !== 0 ? NO_BYTES : this.module.datas[data]!.bytes;
    const memory = this.memories[index]!;
    if (src + length > bytes.length) throw new InterpTrap(TrapKind.out_of_bounds_memory, `segment ${data} has ${bytes.length} bytes, ${src} + ${length} were asked`);
    if (dst + length > memory.byteLength) throw new InterpTrap(TrapKind.out_of_bounds_memory, `address ${dst} + ${length} of a memory of ${memory.byteLength} bytes`);
    if (length > 0) memory.write(dst, bytes.subarray(src, src + length));
  }

  dataDrop(data: number): void {
    this.droppedDatas[data] = 1;
  }

  tableGrow(index: number, delta: number, low: number, high: number): number {
    return this.tables[index]!.growBy(delta, low, high);
  }

  tableFill(index: number, dst: number, length: number, low: number, high: number): void {
    const table = this.tables[index]!;
    checkTable(table, index, dst, length);
    table.fillWords(dst, length, low, high);
  }

  tableCopy(dstIndex: number, srcIndex: number, dst: number, src: number, length: number): void {
    const from = this.tables[srcIndex]!;
    const to = this.tables[dstIndex]!;
    checkTable(from, srcIndex, src, length);
    checkTable(to, dstIndex, dst, length);
    if (from === to) to.words.copyWithin(dst * 2, src * 2, (src + length) * 2);
    else to.words.set(from.words.subarray(src * 2, (src + length) * 2), dst * 2);
  }

  tableInit(elem: number, index: number, dst: number, src: number, length: number): void {
    const segment = this.module.elems[elem]!;
    const table = this.tables[index]!;
    const size = this.droppedElems[elem] !== 0 ? 0 : segment.init.length;
    if (src + length > size) throw new InterpTrap(TrapKind.out_of_bounds_table, `segment ${elem} has ${size} elements, ${src} + ${length} were asked`);
    checkTable(table, index, dst, length);
    const { words } = table;
    for (let i = 0; i < length; i++) this.evaluate(segment.init[src + i]!, words, (dst + i) * 2);
  }

  elemDrop(elem: number): void {
    this.droppedElems[elem] = 1;
  }

  /** Gives a host function, or an interpreted one, context and record at `address`, so that native code can call it. */
  private bind(func: FuncInstance, resource: InstanceResource, address: number): void {
    const { thread } = this.store;
    const hostId = this.hostBase + this.hosts.length;
    this.hosts.push(func);
    bindHost(func, thread, address, hostId);
    if (thread.exec) return;
    const unbound = new UnboundHost(func.sig, address, hostId, this.id);
    resource.unbound.push(unbound);
    thread.unbound.add(unbound);
  }

  private writeAddress(offset: number, address: number): void {
    writeWord(this.chunk.i32, this.at + offset / 4, address);
  }
}

const NO_BYTES = new Uint8Array(0);

function checkTable(table: Table, index: number, start: number, length: number): void {
  if (start + length > table.length) throw new InterpTrap(TrapKind.out_of_bounds_table, `elements ${start} + ${length} of table ${index}, which has ${table.length}`);
}
