// The exec-context of a thread: the Wasm stack, the argument slots, the trap report, stubs by signature.
//
// JS enters native code through the signature's entry stub, which runs `Exec.entryCode` on the Wasm stack. Native code is a
// coroutine of JS: when it wants a host function or a builtin it suspends itself and returns; `settle` does what it asks for
// and resumes it. So JS never runs above native frames, exceptions pass through no native code, and what is left of
// a call that ends early is one stack pointer to set back. Layout: ir/layout.ts.
import type { RuntimeStubs } from "../ir/code.js";
import { Exec, EXEC_BYTES, Outcome, SLOT_COUNT, STACK_RESERVE, VmCtx } from "../ir/layout.js";
import { funcTypeKey, type FuncType } from "../ir/types.js";
import { runBuiltin } from "./builtins.js";
import { serverOf } from "./call.js";
import { ExecMemory } from "./exec-memory.js";
import type { Externs } from "./externref.js";
import type { FuncInstance } from "./func.js";
import type { Holder } from "./holder.js";
import { Access } from "./native.js";
import { NodeApi } from "./node-api.js";
import { doubleOf, readWord, writeWord, type Chunk } from "./native-heap.js";
import { Shims } from "./shims.js";
import type { Thread } from "./thread.js";
import { weaveIntoError } from "./stack-text.js";
import { reportTrap, Trap } from "./trap.js";
import type { Cells } from "./values.js";

/** How a function is entered from JS. */
export interface NativeEntry {
  readonly enter: () => void;
  /** Code address and context as bits of doubles, the way one store writes them. */
  readonly code: number;
  readonly ctx: number;
}

export class ExecContext implements Cells {
  readonly memory: ExecMemory;
  readonly shims = new Shims(this);
  readonly i32: Int32Array;
  readonly i64: BigInt64Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  /** Index of slot 0 in words. */
  readonly slots = Exec.slots / 4;
  /** Frames of the host calls and builtin calls that are running, innermost last: `Exec.wasmSp` as bits of a double. */
  readonly suspended: number[] = [];
  private readonly address: number;
  private readonly stackTop: number;
  private readonly stackLow: number;
  private readonly stackBytes: number;
  /** Over the Wasm stack. V8 counts what a view covers as memory that a collection may free: there is none before it is needed. */
  private stackView: Int32Array | undefined;
  private readonly stackLimit: number;
  private readonly trapExit: number;
  private readonly builtin: number;
  private readonly lazyEntry: number;
  private readonly tierUp: number;
  private readonly tierUpLoop: number;
  private readonly memmove: number;
  private readonly memset: number;
  private readonly nodeApi: NodeApi | undefined;
  /** Goes on with the code whose frame `Exec.wasmSp` points to. */
  private readonly resume: () => void;
  private readonly entries = new Map<string, () => void>();
  private readonly hostCalls = new Map<string, number>();
  private readonly nativeCalls = new Map<string, number>();

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
    this.stackBytes = stackBytes;
    this.stackLimit = this.stackLow + STACK_RESERVE;
    const cells = native.view(this.address, EXEC_BYTES);
    this.i32 = new Int32Array(cells);
    this.i64 = new BigInt64Array(cells);
    this.f32 = new Float32Array(cells);
    this.f64 = new Float64Array(cells);
    this.trapExit = this.memory.loadStub(stubs.trapExit());
    this.builtin = this.memory.loadStub(stubs.builtin());
    this.lazyEntry = this.memory.loadStub(stubs.lazyEntry());
    this.tierUp = this.memory.loadStub(stubs.tierUp());
    this.tierUpLoop = this.memory.loadStub(stubs.tierUpLoop());
    this.memmove = native.symbol("memmove");
    this.memset = native.symbol("memset");
    this.nodeApi = options.nodeApi ? NodeApi.open(native, stubs, (code) => this.memory.loadStub(code)) : undefined;
    this.resume = this.callable(stubs.resume(BigInt(this.address)));
    writeWord(this.i32, Exec.wasmSp / 4, this.stackTop);
  }

  private entryOf(func: FuncInstance): NativeEntry {
    return { enter: this.enterFunction(func.sig), code: doubleOf(func.code), ctx: doubleOf(func.ctx) };
  }

  /** A JS function that runs a stub which is a C function without parameters. */
  private callable(stub: Uint8Array): () => void {
    const address = this.memory.loadStub(stub);
    return this.nodeApi?.functionOf(address) ?? this.thread.native.voidCall(address);
  }

  /** The function that enters code of this signature. */
  enterFunction(sig: FuncType): () => void {
    const key = funcTypeKey(sig);
    let enter = this.entries.get(key);
    if (!enter) {
      if (sig.params.length > SLOT_COUNT || sig.results.length > SLOT_COUNT) throw new Error(`a function of ${sig.params.length} parameters cannot be called`);
      enter = this.callable(this.stubs.entry(sig, BigInt(this.address)));
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

  /** Address of the stub by which native code calls a C function of this signature. */
  nativeCall(sig: FuncType, inMemory: readonly boolean[]): number {
    const key = `${funcTypeKey(sig)} ${inMemory.map(Number).join("")}`;
    let address = this.nativeCalls.get(key);
    if (address === undefined) {
      address = this.memory.loadStub(this.stubs.nativeCall(sig, inMemory));
      this.nativeCalls.set(key, address);
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
    writeWord(i32, at + VmCtx.lazyEntry / 4, this.lazyEntry);
    writeWord(i32, at + VmCtx.tierUp / 4, this.tierUp);
    writeWord(i32, at + VmCtx.tierUpLoop / 4, this.tierUpLoop);
    writeWord(i32, at + VmCtx.memmove / 4, this.memmove);
    writeWord(i32, at + VmCtx.memset / 4, this.memset);
    i32[at + VmCtx.hostFunc / 4] = hostId;
    i32[at + VmCtx.instance / 4] = holderId;
  }

  /** Reads an address-sized field of the exec-context. */
  field(offset: Exec): number {
    return readWord(this.i32, offset / 4);
  }

  private get stack(): Int32Array {
    return (this.stackView ??= new Int32Array(this.thread.native.view(this.stackLow, this.stackBytes)));
  }

  /** The word at an address on the Wasm stack, 0 outside. */
  stackWord(address: number): number {
    if (address < this.stackLow || address + 8 > this.stackTop) return 0;
    return readWord(this.stack, (address - this.stackLow) >> 2);
  }

  /** Whether no code is running or suspended. */
  get idle(): boolean {
    return this.field(Exec.wasmSp) === this.stackTop;
  }

  /** Marks what slots and active frames may hold. */
  scan(externs: Externs): void {
    externs.scan(this.i32, this.slots, this.i32.length);
    externs.scan(this.stack, (this.field(Exec.wasmSp) - this.stackLow) >> 2, this.stack.length);
  }

  /** Runs a native function. Arguments stand in the slots; results do afterwards. @throws Trap; what a host function threw. */
  run(func: FuncInstance): void {
    const { i32, f64 } = this;
    const entry = (func.entry ??= this.entryOf(func));
    const start = f64[WASM_SP]!;
    f64[Exec.entryCode / 8] = entry.code;
    f64[Exec.entryCtx / 8] = entry.ctx;
    try {
      entry.enter();
      if (i32[OUTCOME] !== Outcome.finished) this.settle(func.holder);
    } catch (error) {
      f64[WASM_SP] = start;
      throw error;
    }
  }

  /**
   * Does what native code asks for, until it has finished. `entered` is the holder of the function that was entered.
   * The caller sets `Exec.wasmSp` back when this throws. @throws Trap; what a host function threw.
   */
  settle(entered: Holder): void {
    const { i32, f64, suspended, thread } = this;
    const { current } = thread;
    const depth = suspended.length;
    thread.current = entered;
    try {
      for (let outcome = i32[OUTCOME]!; outcome !== Outcome.finished; outcome = i32[OUTCOME]!) {
        if (outcome === Outcome.trapped) {
          suspended.length = depth;
          throw reportTrap(this);
        }
        const frame = f64[WASM_SP]!;
        suspended[depth] = frame;
        if (outcome === Outcome.builtin) {
          runBuiltin(this, i32[CALL_ID]!);
        } else {
          const func = entered.reachHostFunc(i32[CALL_ID]!);
          if (!func) throw new Error(`host function ${i32[CALL_ID]} is not to be found`);
          (func.serve ??= serverOf(this, func))();
        }
        f64[WASM_SP] = frame;
        this.resume();
      }
    } catch (error) {
      // From a host function: the innermost activation that it leaves writes the frames of all into its stack.
      if (suspended.length > depth && error instanceof Error && !(error instanceof Trap)) weaveIntoError(error, thread);
      throw error;
    } finally {
      thread.current = current;
      suspended.length = depth;
    }
  }
}

const WASM_SP = Exec.wasmSp / 8;
const OUTCOME = Exec.outcome / 4;
const CALL_ID = Exec.callId / 4;
