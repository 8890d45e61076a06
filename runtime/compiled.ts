// What the pipeline hands to the runtime, and what the runtime makes of it once a thread.
import type { ModuleCode, RuntimeStubs } from "../ir/code.js";
import type { FuncIndex } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { decode, type InterpCode } from "../ir/interp.js";
import type { VmLayout } from "../ir/layout.js";
import type { Module } from "../ir/module.js";
import type { CodePiece } from "./exec-memory.js";
import type { Thread } from "./thread.js";

/** A compiled module: immutable, may be instantiated any number of times in any number of stores. */
export interface CompiledModule {
  readonly module: Module;
  readonly layout: VmLayout;
  /** Native code; without it the module is interpreted. */
  readonly code?: ModuleCode | undefined;
  /** The SSA of a defined function, for the interpreter. Asked once for each function that is called. */
  functions(index: FuncIndex): Func;
  /** The target's pieces. An interpreted module without them cannot be called by native code. */
  readonly stubs?: RuntimeStubs | undefined;
  /** `guard`: the code relies on guard pages; memories without are refused. */
  readonly bounds: "guard" | "explicit";
}

/** Native code in this thread's executable memory; freed when the last instance and the compiled module are gone. */
export class LoadedCode {
  private constructor(readonly piece: CodePiece) {}

  static of(compiled: CompiledModule, code: ModuleCode, thread: Thread): LoadedCode {
    let loaded = loadedCodes.get(code);
    if (!loaded) {
      const { memory } = thread.exec!;
      const piece = memory.load(compiled.module, code);
      loaded = new LoadedCode(piece);
      loadedCodes.set(code, loaded);
      thread.reclaim.own(loaded, { bytes: piece.bytes, release: () => memory.unload(piece) });
    }
    return loaded;
  }

  /** Address of a defined function. */
  entry(index: FuncIndex): number {
    const { code, start } = this.piece;
    return start + code.start[index - code.firstFunc]!;
  }
}

const loadedCodes = new WeakMap<ModuleCode, LoadedCode>();

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
