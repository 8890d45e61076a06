// What the pipeline hands to the runtime, and what the runtime makes of it once a thread.
import type { FuncCode, ModuleCode, RuntimeStubs } from "../ir/code.js";
import type { FuncIndex } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { decode, type InterpCode } from "../ir/interp.js";
import type { VmLayout } from "../ir/layout.js";
import type { Module } from "../ir/module.js";
import type { CodePiece } from "./exec-memory.js";
import { LazyCode } from "./lazy-code.js";
import type { Thread } from "./thread.js";

/** A compiled module: immutable, may be instantiated any number of times in any number of stores. */
export interface CompiledModule {
  readonly module: Module;
  readonly layout: VmLayout;
  /** Native code. Without it and `compileFunc` the module is interpreted. */
  readonly code?: ModuleCode | undefined;
  /** In place of `code`: makes the code of a defined function, when it is first called. `layout` is lazy. */
  readonly compileFunc?: ((index: FuncIndex) => FuncCode) | undefined;
  /** Makes better code of a function that has shown to run much; the layout then has counters. */
  readonly optimizeFunc?: ((index: FuncIndex) => FuncCode) | undefined;
  /** Makes better code of a function from a loop on: of the loop at that Wasm byte offset, for the frame of code that keeps its locals at `locals`. */
  readonly optimizeLoop?: ((index: FuncIndex, loop: number, locals: number) => FuncCode) | undefined;
  /** What the counters start from, for each byte of a function's body. */
  readonly tierUpAfter?: number;
  /** The SSA of a defined function, for the interpreter. Asked once for each function that is called. */
  functions(index: FuncIndex): Func;
  /** The target's pieces. An interpreted module without them cannot be called by native code. */
  readonly stubs?: RuntimeStubs | undefined;
  /** `guard`: the code relies on guard pages; memories without are refused. */
  readonly bounds: "guard" | "explicit";
}

/** Whether a module runs as native code. */
export function isNative(compiled: CompiledModule): boolean {
  return compiled.code !== undefined || compiled.compileFunc !== undefined;
}

/** Native code in this thread's executable memory; freed when the last instance and the compiled module are gone. */
export interface LoadedCode {
  /** An address by which a defined function can always be called with the context of an instance. */
  entry(index: FuncIndex): number;
}

class WholeCode implements LoadedCode {
  constructor(private readonly piece: CodePiece) {}

  entry(index: FuncIndex): number {
    const { code, start } = this.piece;
    return start + code.start[index - code.firstFunc]!;
  }
}

const loadedCodes = new WeakMap<CompiledModule, LoadedCode>();

/** A native module's code in this thread, loaded at the first call. */
export function loadedCode(compiled: CompiledModule, thread: Thread): LoadedCode {
  let loaded = loadedCodes.get(compiled);
  if (loaded) return loaded;
  const { memory } = thread.exec!;
  const { code, compileFunc } = compiled;
  if (code) {
    const piece = memory.load(compiled.module, code);
    loaded = new WholeCode(piece);
    thread.reclaim.own(loaded, { bytes: piece.bytes, release: () => memory.unload(piece) });
  } else if (compileFunc) {
    const lazy = new LazyCode(compiled, compileFunc, compiled.stubs!, thread);
    loaded = lazy;
    thread.reclaim.own(lazy, lazy.pages);
  } else throw new Error("an interpreted module has no code to load");
  loadedCodes.set(compiled, loaded);
  return loaded;
}

/** Functions in the interpreter's form, made when first called. */
export class InterpretedCode {
  private readonly codes: (InterpCode | undefined)[] = [];

  private constructor(private readonly compiled: CompiledModule) {}

  static of(compiled: CompiledModule): InterpretedCode {
    let code = interpretedCodes.get(compiled);
    if (!code) interpretedCodes.set(compiled, (code = new InterpretedCode(compiled)));
    return code;
  }

  get(index: FuncIndex): InterpCode {
    return (this.codes[index] ??= decode(this.compiled.functions(index), this.compiled.module));
  }
}

const interpretedCodes = new WeakMap<CompiledModule, InterpretedCode>();
