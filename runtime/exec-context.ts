// The exec-context of a thread: the Wasm stack, the argument slots, the trap report, stubs by signature.
//
// JS enters native code through `enter(sig)`, which runs `Exec.entryCode` on the Wasm stack; native code comes back to JS
// through one callback, for host functions and builtins alike. Layout: ir/layout.ts. `hostThrew` is 1 except when the
// callback has ended well, so that a JS stack overflow before its first statement counts as an exception, too.
import type { RuntimeStubs } from "../ir/code.js";
import { BUILTIN_BIT, Exec, EXEC_BYTES, SLOT_COUNT, STACK_RESERVE, VmCtx } from "../ir/layout.js";
import { funcTypeKey, type FuncType } from "../ir/types.js";
import { runBuiltin } from "./builtins.js";
import { hostCallFromNative } from "./call.js";
import { ExecMemory } from "./exec-memory.js";
import type { Externs } from "./externref.js";
import type { FuncInstance } from "./func.js";
import { Access } from "./native.js";
import { readWord, writeWord, type Chunk } from "./native-heap.js";
import type { Thread } from "./thread.js";
import { reportTrap } from "./trap.js";
import type { Cells } from "./values.js";

/** How a function is entered from JS. */
export interface NativeEntry {
  readonly enter: () => void;
  /** Halves of code address and context. */
  readonly codeLow: number;
  readonly codeHigh: number;
  readonly ctxLow: number;
  readonly ctxHigh: number;
}

export class ExecContext implements Cells {
  readonly memory: ExecMemory;
  readonly i32: Int32Array;
  readonly i64: BigInt64Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  /** Index of slot 0 in words. */
  readonly slots = Exec.slots / 4;
  /** Entries from JS that are active. */
  depth = 0;
  /** Stack pointers of the host calls that outer entries wait in, innermost last. */
  readonly suspended: number[] = [];
  /** The exception that the innermost host call ended with. */
  pending: { readonly error: unknown } | undefined;
  private readonly address: number;
  private readonly stackTop: number;
  private readonly stackLow: number;
  private readonly stack: Int32Array;
  private readonly stackLimit: number;
  private readonly trapExit: number;
  private readonly builtin: number;
  private readonly memmove: number;
  private readonly memset: number;
  private readonly entries = new Map<string, () => void>();
  private readonly hostCalls = new Map<string, number>();

  constructor(
    readonly thread: Thread,
    readonly stubs: RuntimeStubs,
  ) {
    const { native, options } = thread;
    this.memory = new ExecMemory(native, stubs, options.handleSignals);
    this.address = native.map(native.roundUp(EXEC_BYTES), Access.readWrite);
    const stackBytes = native.roundUp(Math.max(options.stackBytes, 4 * STACK_RESERVE));
    const guard = native.map(stackBytes + native.pageBytes, Access.none);
    if (this.address === 0 || guard === 0) throw new RangeError("out of memory for the Wasm stack");
    this.stackLow = guard + native.pageBytes;
    this.stackTop = this.stackLow + stackBytes;
    if (!native.protect(this.stackLow, stackBytes, Access.readWrite)) throw new RangeError("out of memory for the Wasm stack");
    this.stack = new Int32Array(native.view(this.stackLow, stackBytes));
    this.stackLimit = this.stackLow + STACK_RESERVE;
    const cells = native.view(this.address, EXEC_BYTES);
    this.i32 = new Int32Array(cells);
    this.i64 = new BigInt64Array(cells);
    this.f32 = new Float32Array(cells);
    this.f64 = new Float64Array(cells);
    this.trapExit = this.memory.loadStub(stubs.trapExit());
    this.builtin = this.memory.loadStub(stubs.builtin());
    this.memmove = native.symbol("memmove");
    this.memset = native.symbol("memset");
    this.i32[Exec.hostThrew / 4] = 1;
    writeWord(this.i32, Exec.wasmSp / 4, this.stackTop);
    writeWord(this.i32, Exec.callback / 4, native.registerCallback((id) => this.callback(id)));
  }

  private entryOf(func: FuncInstance): NativeEntry {
    const words = new Int32Array(4);
    writeWord(words, 0, func.code);
    writeWord(words, 2, func.ctx);
    return { enter: this.enterFunction(func.sig), codeLow: words[0]!, codeHigh: words[1]!, ctxLow: words[2]!, ctxHigh: words[3]! };
  }

  /** The function that enters code of this signature. */
  private enterFunction(sig: FuncType): () => void {
    const key = funcTypeKey(sig);
    let enter = this.entries.get(key);
    if (!enter) {
      if (sig.params.length > SLOT_COUNT || sig.results.length > SLOT_COUNT) throw new Error(`a function of ${sig.params.length} parameters cannot be called`);
      enter = this.thread.native.voidCall(this.memory.loadStub(this.stubs.entry(sig, BigInt(this.address))));
      this.entries.set(key, enter);
    }
    return enter;
  }

  /** Address of the stub by which native code calls a host function of this signature. */
  hostCall(sig: FuncType): number {
    const key = funcTypeKey(sig);
    let address = this.hostCalls.get(key);
    if (address === undefined) {
      address = this.memory.loadStub(this.stubs.hostCall(sig));
      this.hostCalls.set(key, address);
    }
    return address;
  }

  /** Fills the header of a vm-context, but for `memory0Base`. */
  fillHeader(chunk: Chunk, context: number, holderId: number, hostId: number): void {
    const { i32 } = chunk;
    const at = (context - chunk.base) >> 2;
    writeWord(i32, at + VmCtx.exec / 4, this.address);
    writeWord(i32, at + VmCtx.stackLimit / 4, this.stackLimit);
    writeWord(i32, at + VmCtx.trapExit / 4, this.trapExit);
    writeWord(i32, at + VmCtx.builtin / 4, this.builtin);
    writeWord(i32, at + VmCtx.memmove / 4, this.memmove);
    writeWord(i32, at + VmCtx.memset / 4, this.memset);
    i32[at + VmCtx.hostFunc / 4] = hostId;
    i32[at + VmCtx.instance / 4] = holderId;
  }

  /** Reads an address-sized field of the exec-context. */
  field(offset: Exec): number {
    return readWord(this.i32, offset / 4);
  }

  /** The word at an address on the Wasm stack, 0 outside. */
  stackWord(address: number): number {
    if (address < this.stackLow || address + 8 > this.stackTop) return 0;
    return readWord(this.stack, (address - this.stackLow) >> 2);
  }

  /** Marks what slots and active frames may hold. */
  scan(externs: Externs): void {
    externs.scan(this.i32, this.slots, this.i32.length);
    if (this.depth > 0) externs.scan(this.stack, (this.field(Exec.wasmSp) - this.stackLow) >> 2, this.stack.length);
  }

  /** Runs a native function. Arguments stand in the slots; results do afterwards. @throws Trap; what a host function threw. */
  run(func: FuncInstance): void {
    const { i32 } = this;
    const entry = (func.entry ??= this.entryOf(func));
    i32[Exec.entryCode / 4] = entry.codeLow;
    i32[Exec.entryCode / 4 + 1] = entry.codeHigh;
    i32[Exec.entryCtx / 4] = entry.ctxLow;
    i32[Exec.entryCtx / 4 + 1] = entry.ctxHigh;
    i32[Exec.hostThrew / 4] = 1;
    const nested = this.depth > 0;
    if (nested) this.suspended.push(this.field(Exec.wasmSp));
    this.depth++;
    try {
      entry.enter();
      if (i32[Exec.trapped / 4] !== 0) throw reportTrap(this);
    } finally {
      // An outer entry, when it comes back well, must not see the end of this one.
      i32[Exec.trapped / 4] = 0;
      this.depth--;
      if (nested) this.suspended.pop();
    }
  }

  private callback(id: number): void {
    try {
      if (id >= BUILTIN_BIT) runBuiltin(this, id - BUILTIN_BIT);
      else hostCallFromNative(this, id);
      this.i32[Exec.hostThrew / 4] = 0;
    } catch (error) {
      this.pending = { error };
      this.i32[Exec.hostThrew / 4] = 1;
    }
  }
}
