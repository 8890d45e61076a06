// Function instances: one JS object for each function that is seen from outside, with its native record.
//
// It carries the canonical type of its *definition*, and is what imports, re-exports, tables and references hand on, so
// that identity and type never depend on the way a function was reached. The record (`FuncRef` in ir/layout.ts) is what
// native code holds; its last words name holder and index, so that JS finds back.
import type { CanonicalTypeId } from "../ir/entity.js";
import { FuncRef, VmCtx } from "../ir/layout.js";
import type { FuncType } from "../ir/types.js";
import type { InterpCallee } from "../ir/interp-env.js";
import { callFunc } from "./call.js";
import type { ExecContext, NativeEntry } from "./exec-context.js";
import { Holder } from "./holder.js";
import { entering } from "./mirror.js";
import type { NativeFunction } from "./native-function.js";
import { readWord, writeWord, type Chunk } from "./native-heap.js";
import type { Resource } from "./reclaim.js";
import type { Store } from "./store.js";
import type { Thread } from "./thread.js";
import { internalSlot } from "./webassembly/slot.js";

/** u32 in a record, behind the fields that native code knows: the id of the holder. */
export const RECORD_HOLDER = 24;

/** A JS function as code. `raw`: numbers cross as raw bits. */
export interface HostCode {
  readonly fn: (...args: unknown[]) => unknown;
  readonly raw: boolean;
}

export class FuncInstance {
  readonly typeId: CanonicalTypeId;
  /** Native entry; 0 where there is none (interpreted functions, and host functions before a backend is there). */
  code = 0;
  ctx = 0;
  /** Address of the FuncRef record, 0 where no reference to the function can be made. */
  record = 0;
  /** As the interpreter calls it; made at the first use. */
  callee: InterpCallee | undefined;
  /** Made at the first call from JS that goes the general way. */
  entry: NativeEntry | undefined;
  /** Does a call from native code, arguments and results in slots; made at the first such call. */
  serve: (() => void) | undefined;
  /** Asked through `object`. */
  exported: ((...args: unknown[]) => unknown) | undefined;

  constructor(
    readonly store: Store,
    /** The defining instance; of a host function whoever owns its context. */
    readonly holder: Holder,
    /** Within the holder. */
    readonly index: number,
    readonly sig: FuncType,
    readonly host: HostCode | undefined,
    /** The C function, for a native import. */
    readonly native?: NativeFunction,
  ) {
    this.typeId = store.intern(sig);
  }

  /** The exported function object: always the same one. */
  get object(): (...args: unknown[]) => unknown {
    return (this.exported ??= exportedFunction(this));
  }

  /** Whether it is machine code that JS can enter: compiled, or a C function. */
  get entered(): boolean {
    return this.code !== 0 && !this.host && (this.native !== undefined || !this.holder.interpreted);
  }

  /** Reads the native entry back from the record: it may have come later than this object. */
  refresh(): void {
    if (this.code !== 0 || this.record === 0) return;
    const chunk = this.store.thread.heap.chunkAt(this.record);
    const at = (this.record - chunk.base) >> 2;
    this.code = readWord(chunk.i32, at + FuncRef.code / 4);
    this.ctx = readWord(chunk.i32, at + FuncRef.ctx / 4);
  }

  reference(): number {
    if (this.record === 0) throw new Error(`function ${this.index} has no record: the module refers to it nowhere`);
    return this.record;
  }
}

/** By the function object. A WeakMap would take longer than all the rest of an exported function. */
const instances = internalSlot<FuncInstance>();

/** The function instance behind an exported function object. */
export function funcInstanceOf(object: object): FuncInstance | undefined {
  return instances.get(object);
}

/** Another function object that stands for the function; if none does yet, the one that JS gets from now on. */
export function exportAs(func: FuncInstance, object: Function): void {
  if (!instances.get(object)) instances.set(object, func);
  func.exported ??= object as (...args: unknown[]) => unknown;
}

function exportedFunction(func: FuncInstance): (...args: unknown[]) => unknown {
  // Known to stack-text.ts by its name.
  const exportedCall = (...args: unknown[]) => callFunc(func, args);
  const plain = (func.entered ? func.store.thread.exec!.shims.exportedFunction(func) : undefined) ?? exportedCall;
  const { mirrors } = func.holder;
  // Bound, so that its text is that of a native function, which is what programs expect; the engine calls it just as fast.
  const object = (mirrors ? entering(mirrors, plain) : plain).bind(undefined);
  Object.defineProperty(object, "name", { value: String(func.index), configurable: true });
  if (object.length !== func.sig.params.length) Object.defineProperty(object, "length", { value: func.sig.params.length, configurable: true });
  instances.set(object, func);
  return object;
}

/** Bytes of a record. */
export const RECORD_BYTES = FuncRef.bytes;
/** Bytes of a host function's context and record. */
export const HOST_BYTES = ((VmCtx.headerBytes + 15) & ~15) + FuncRef.bytes;

export function writeRecord(chunk: Chunk, record: number, func: { code: number; ctx: number; typeId: number; index: number; holder: number }): void {
  const at = (record - chunk.base) >> 2;
  writeWord(chunk.i32, at + FuncRef.code / 4, func.code);
  writeWord(chunk.i32, at + FuncRef.ctx / 4, func.ctx);
  chunk.i32[at + FuncRef.typeId / 4] = func.typeId;
  chunk.i32[at + FuncRef.id / 4] = func.index;
  chunk.i32[at + RECORD_HOLDER / 4] = func.holder;
}

/** Fills context and record of a host function (or of an interpreted one, for native callers) at `address` (`HOST_BYTES`). */
export function bindHost(func: FuncInstance, thread: Thread, address: number, hostId: number): void {
  const chunk = thread.heap.chunkAt(address);
  if (thread.exec) {
    thread.exec.fillHeader(chunk, address, func.holder.id, hostId);
    func.code = thread.exec.hostCall(func.sig);
    func.ctx = address;
  }
  func.record = address + HOST_BYTES - FuncRef.bytes;
  writeRecord(chunk, func.record, { code: func.code, ctx: func.ctx, typeId: func.typeId, index: func.index, holder: func.holder.id });
}

/** Fills context and record of a native import at `address` (`HOST_BYTES`). The importer's memory comes by `bindMemory`. */
export function bindNative(func: FuncInstance, exec: ExecContext, address: number): void {
  const { sig, address: cFunction, inMemory } = func.native!;
  const chunk = exec.thread.heap.chunkAt(address);
  exec.fillHeader(chunk, address, func.holder.id, 0);
  writeWord(chunk.i32, (address + VmCtx.cFunction - chunk.base) >> 2, cFunction);
  func.code = exec.nativeCall(sig, inMemory);
  func.ctx = address;
  func.record = address + HOST_BYTES - FuncRef.bytes;
  writeRecord(chunk, func.record, { code: func.code, ctx: func.ctx, typeId: func.typeId, index: func.index, holder: func.holder.id });
}

/** Tells a native import of the memory that its addresses are in. */
export function bindMemory(chunk: Chunk, context: number, memory: { base: number; header: number }): void {
  const at = (context - chunk.base) >> 2;
  writeWord(chunk.i32, at + VmCtx.memory0Base / 4, memory.base);
  writeWord(chunk.i32, at + VmCtx.memory0 / 4, memory.header);
}

/** A host function made before there is a backend: gets its native entry when one comes. Refers to nothing of JS that dies. */
export class UnboundHost {
  constructor(
    private readonly sig: FuncType,
    private readonly address: number,
    private readonly hostId: number,
    private readonly holderId: number,
  ) {}

  bind(exec: ExecContext): void {
    const chunk = exec.thread.heap.chunkAt(this.address);
    exec.fillHeader(chunk, this.address, this.holderId, this.hostId);
    const at = (this.address + HOST_BYTES - FuncRef.bytes - chunk.base) >> 2;
    writeWord(chunk.i32, at + FuncRef.code / 4, exec.hostCall(this.sig));
    writeWord(chunk.i32, at + FuncRef.ctx / 4, this.address);
  }
}

/** The holder of one host function that belongs to no instance. */
export class HostModule extends Holder {
  private readonly function: FuncInstance;
  private readonly hostId: number;

  constructor(store: Store, sig: FuncType, code: HostCode) {
    const { thread } = store;
    super(thread);
    thread.reclaim.makeRoom();
    this.hostId = thread.newHostIds(1);
    this.function = new FuncInstance(store, this, 0, sig, code);
    const block = thread.heap.alloc(HOST_BYTES);
    const unbound = thread.exec ? undefined : new UnboundHost(sig, block, this.hostId, this.id);
    if (unbound) thread.unbound.add(unbound);
    thread.reclaim.own(this, hostResource(thread, block, unbound));
    bindHost(this.function, thread, block, this.hostId);
  }

  override func(index: number): FuncInstance {
    return index === 0 ? this.function : super.func(index);
  }

  override hostFunc(id: number): FuncInstance | undefined {
    return id === this.hostId ? this.function : undefined;
  }
}

function hostResource(thread: Thread, block: number, unbound: UnboundHost | undefined): Resource {
  return {
    bytes: HOST_BYTES,
    release: () => {
      if (unbound) thread.unbound.delete(unbound);
      thread.heap.release(block, HOST_BYTES);
    },
  };
}
