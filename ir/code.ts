// Code objects: what a backend makes and the runtime loads. Bytes and tables, no addresses of this process.
//
// A `FuncCode` is one function, position-independent but for calls to other functions of its module (relocations);
// a `ModuleCode` is all functions of a module laid out in one blob with those calls resolved. Both are plain data:
// they may be cached, sent to another thread, written to a file.
import type { FuncType } from "./types.js";

export interface FuncCode {
  /** Index in the module's function space. */
  readonly func: number;
  readonly bytes: Uint8Array;
  /** Alignment of the first byte, a power of two. */
  readonly align: number;
  /** Bytes between the return address and the stack pointer while the body runs. */
  readonly frameBytes: number;
  /** Ascending pcs, three numbers each: pc, TrapKind, Wasm byte offset. pc as `Exec.trapPc` reports it, relative to the first byte. */
  readonly traps: Int32Array;
  /** Ascending, two numbers each: pc from which, Wasm byte offset. Also holds the return address of every call. */
  readonly source: Int32Array;
  /** Three numbers each: position, kind (the target's), function index. */
  readonly relocs: Int32Array;
  /** Of code whose loops may be left for better code: where, from the stack pointer, all locals stand then, 8 bytes each. */
  readonly locals?: number;
}

/** As Wasm byte offset of a return address: the frame has handed over to the code it calls, and does nothing but return. */
export const HANDED_OVER = -1;

/** What is known of code by its position: what traps and backtraces look up. */
export interface CodeTables {
  /** Index of the first function: entry i below belongs to function `firstFunc + i`, unless `funcs` says otherwise. */
  readonly firstFunc: number;
  /** Function indices by entry, where they are not consecutive. */
  readonly funcs?: Int32Array;
  /** Position (ascending) and length in bytes, and frame size, per function. */
  readonly start: Int32Array;
  readonly length: Int32Array;
  readonly frameBytes: Int32Array;
  /** As in FuncCode, pcs relative to the first byte of all, functions in order of their position. */
  readonly traps: Int32Array;
  readonly source: Int32Array;
}

export interface ModuleCode extends CodeTables {
  readonly target: string;
  readonly bytes: Uint8Array;
}

/** Machine code of a stub, without relocations. */
export type StubCode = Uint8Array;

/** How the signal handler tells our faults, and whom it asks otherwise. All are addresses. */
export interface SignalHandlerContext {
  codeBase: bigint;
  codeEnd: bigint;
  /** 64 bytes the runtime fills: [0] the handler found for SIGSEGV, [8] its sa_flags, [16] for SIGBUS, [24] flags, [32] SIGFPE, [40] flags. */
  previous: bigint;
}

/** C functions of Node-API. All are addresses. */
export interface NodeApiContext {
  /** napi_create_function */
  createFunction: bigint;
  /** napi_throw */
  throwValue: bigint;
}

/** The ISA-specific pieces the runtime needs. A backend makes it, `pipeline` hands it over. */
export interface RuntimeStubs {
  readonly target: string;
  /** What runs them: `process.arch` of such a host. */
  readonly architecture: string;
  /**
   * C function `void ()`: enters `Exec.entryCode` with context `Exec.entryCtx` on the Wasm stack (`Exec.wasmSp`); arguments from
   * slots, results to slots. Comes back with an `Exec.outcome`. `exec` is baked in. Returns 0, so it is a Node-API callback, too.
   */
  entry(sig: FuncType, exec: bigint): StubCode;
  /** C function as `entry`: goes on behind the host call or builtin call whose frame `Exec.wasmSp` points to. */
  resume(exec: bigint): StubCode;
  /** Called like compiled code with the context of a host function: arguments to slots, leaves with `Outcome.hostCall`, results from slots when resumed. */
  hostCall(sig: FuncType): StubCode;
  /**
   * Called like compiled code with the context of a native import: calls `VmCtx.cFunction` by C's convention, on the host's stack. A
   * parameter that is `inMemory` (an i32) becomes an address in memory 0, or a trap where the memory has no such byte.
   */
  nativeCall(sig: FuncType, inMemory: readonly boolean[]): StubCode;
  /** See `Builtin`: leaves with `Outcome.builtin`. */
  builtin(): StubCode;
  /**
   * Where the thunk of a function without code leads (`VmCtx.lazyEntry`): with all argument registers kept calls `Builtin.compile`
   * for the function that the thunk named, then goes on at the address that gave.
   */
  lazyEntry(): StubCode;
  /** Called by code of the first tier when its counter has run out, with the function named as in a lazy thunk: `Builtin.optimize`; keeps every register. */
  tierUp(): StubCode;
  /** The same at a loop, named by its Wasm byte offset: `Builtin.optimize_loop`; what that gives is in the integer scratch register, every other is kept. */
  tierUpLoop(): StubCode;
  /** Thunks of `count` functions from `first` on, all of one size: name the function, go to the lazy entry. */
  lazyThunks(first: number, count: number): StubCode;
  /** Thunks of one size: go to the code address at each of these offsets in the vm-context. */
  slotThunks(offsets: readonly number[]): StubCode;
  /** See `VmCtx.trapExit`: reports the site and returns from the innermost entry. */
  trapExit(): StubCode;
  /** C function `void (napi_env, napi_callback)`: makes a JS function of the callback and throws it. */
  throwFunction(api: NodeApiContext): StubCode;
  /** `void (int sig, siginfo_t*, void* ucontext)`: a fault at a pc inside the code range becomes a trap exit, others go to the previous handler. */
  signalHandler(context: SignalHandlerContext): StubCode;
  /** C function `void (u64 out[8])` that reports CPU features as the target reads them; undefined where there is nothing to ask. */
  cpuProbe(): StubCode | undefined;
  /** Reads `cpuProbe`'s words: the names of the features this CPU has. */
  cpuFeatures(words: BigUint64Array): readonly string[];
  /** C function `void (address, length)` to make written code visible to instruction fetch; undefined where not needed. */
  flushCode(): StubCode | undefined;
}
