// A module's declarations: everything outside function bodies, with all indices module-local.
//
// The decoder fills it, passes may edit it, the printer writes it, the linker reads it. A function body stays a range
// of `bytes` until it is translated; the SSA of one function is a `Func`.
import type { FuncIndex, GlobalIndex, MemoryIndex, TableIndex, TypeIndex } from "./entity.js";
import type { FuncType, RefType, Type } from "./types.js";

export interface Limits {
  /** Elements of a table, pages (64 KiB) of a memory. */
  min: number;
  max: number | undefined;
}

export interface TableType {
  elem: RefType;
  limits: Limits;
}

export interface MemoryType {
  limits: Limits;
}

export interface GlobalType {
  type: Type;
  mutable: boolean;
}

/**
 * Position in the import section. `index` is the index the import occupies in the space of its kind. `provided`: what a pass that
 * added the import brought along; the embedder neither sees it nor gives it.
 */
export type Import = { module: string; name: string; provided?: unknown } & (
  | { kind: "func"; index: FuncIndex }
  | { kind: "table"; index: TableIndex }
  | { kind: "memory"; index: MemoryIndex }
  | { kind: "global"; index: GlobalIndex }
);

export type Export = { name: string } & (
  | { kind: "func"; index: FuncIndex }
  | { kind: "table"; index: TableIndex }
  | { kind: "memory"; index: MemoryIndex }
  | { kind: "global"; index: GlobalIndex }
);

/** One instruction of a constant expression, in postfix order. A constant is its raw bits; `bytes` is a v128's 16. */
export type ConstOp =
  | { op: "i32.const" | "i64.const" | "f32.const" | "f64.const"; lo: number; hi: number }
  | { op: "v128.const"; bytes: Uint8Array }
  | { op: "global.get"; global: GlobalIndex }
  | { op: "ref.null"; type: RefType }
  | { op: "ref.func"; func: FuncIndex };

/** Wasm 2.0: exactly one instruction; extended constant expressions will have more. */
export type ConstExpr = readonly ConstOp[];

export interface FuncDecl {
  type: TypeIndex;
  imported: boolean;
  /** From the name section; what a dump calls the function beside its index. */
  name?: string;
  /** Byte range of the body (locals and code) in `Module.bytes`; 0, 0 for imports and for functions from text. */
  bodyStart: number;
  bodyEnd: number;
  /** Operands of the body on the stack at most: of a function from bytes, found by validation. */
  maxHeight?: number;
}

export interface TableDecl extends TableType {
  imported: boolean;
}

export interface MemoryDecl extends MemoryType {
  imported: boolean;
}

export interface GlobalDecl extends GlobalType {
  imported: boolean;
  /** Undefined where imported. */
  init: ConstExpr | undefined;
}

export type SegmentMode<Target> =
  | { mode: "active"; target: Target; offset: ConstExpr }
  | { mode: "passive" }
  | { mode: "declarative" };

export interface ElemSegment {
  type: RefType;
  mode: SegmentMode<TableIndex>;
  init: readonly ConstExpr[];
}

export interface DataSegment {
  mode: SegmentMode<MemoryIndex>;
  bytes: Uint8Array;
}

/** Of the `name` section; further subsections are kept as custom bytes. */
export interface Names {
  module?: string;
  /** `locals[func][local]`. */
  locals: Map<FuncIndex, Map<number, string>>;
}

export interface CustomSection {
  name: string;
  bytes: Uint8Array;
}

/** An instance as those see it who asked to be told of it; the runtime's `Instance` is one. */
export interface InstanceView {
  readonly exports: Readonly<Record<string, unknown>>;
  /** A global by its index in the module as the passes left it, exported or not. */
  global(index: number): { value: any };
}

export class Module {
  types: FuncType[] = [];
  imports: Import[] = [];
  funcs: FuncDecl[] = [];
  tables: TableDecl[] = [];
  memories: MemoryDecl[] = [];
  globals: GlobalDecl[] = [];
  exports: Export[] = [];
  start: FuncIndex | undefined = undefined;
  elems: ElemSegment[] = [];
  datas: DataSegment[] = [];
  names: Names = { locals: new Map() };
  customs: CustomSection[] = [];
  /** A source map from outside, for backtraces: see the option of `compile`. */
  sourceMap: string | object | undefined = undefined;
  /** Called with every instance, its globals initialized, before its segments are copied and anything runs. Set by passes. */
  onInstantiate: ((instance: InstanceView) => void)[] = [];
  /** What a body or another part uses that the compiler may not support yet, with the byte offset of the first use: `simd`. */
  features = new Map<string, number>();

  /** `bytes`: the binary the bodies point into; empty for a module from text. */
  constructor(readonly bytes: Uint8Array = new Uint8Array(0)) {}

  /** How many functions are imported before the first own one: all, unless a pass has added imports (module-edit.ts). */
  get importedFuncCount(): number {
    return countImported(this.funcs);
  }

  /** All imported functions, ascending. */
  importedFuncs(): FuncIndex[] {
    return this.funcs.flatMap((func, i) => (func.imported ? [i as FuncIndex] : []));
  }

  /**
   * A copy whose declarations may be edited without touching this one's. Bytes, constant expressions, types and custom
   * sections are shared: they are replaced, never changed. Linear in the declarations.
   */
  clone(): Module {
    const copy = new Module(this.bytes);
    copy.types = this.types.slice();
    copy.imports = this.imports.map((item) => ({ ...item }));
    copy.funcs = this.funcs.map((item) => ({ ...item }));
    copy.tables = this.tables.map((item) => ({ ...item, limits: { ...item.limits } }));
    copy.memories = this.memories.map((item) => ({ ...item, limits: { ...item.limits } }));
    copy.globals = this.globals.map((item) => ({ ...item }));
    copy.exports = this.exports.map((item) => ({ ...item }));
    copy.start = this.start;
    copy.elems = this.elems.map((item) => ({ ...item, mode: { ...item.mode } }));
    copy.datas = this.datas.map((item) => ({ ...item, mode: { ...item.mode } }));
    copy.names = this.names;
    copy.customs = this.customs.slice();
    copy.sourceMap = this.sourceMap;
    copy.onInstantiate = this.onInstantiate.slice();
    copy.features = this.features;
    return copy;
  }

  /** The signature of a function; `index` must exist. */
  funcType(index: FuncIndex): FuncType {
    return this.types[this.funcs[index]!.type]!;
  }

  /** Functions that may be named by `ref.func` (the spec's C.refs): those in element segments, exports, global initializers. Ascending. */
  referencedFuncs(): FuncIndex[] {
    const seen = new Set<FuncIndex>();
    const scan = (expr: ConstExpr) => {
      for (const op of expr) if (op.op === "ref.func") seen.add(op.func);
    };
    for (const elem of this.elems) elem.init.forEach(scan);
    for (const global of this.globals) if (global.init) scan(global.init);
    for (const item of this.exports) if (item.kind === "func") seen.add(item.index);
    return [...seen].sort((a, b) => a - b);
  }
}

/** Imports come first in every index space of a decoded module. */
function countImported(decls: readonly { imported: boolean }[]): number {
  let n = 0;
  while (n < decls.length && decls[n]!.imported) n++;
  return n;
}
