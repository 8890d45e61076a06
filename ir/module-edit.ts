// Adds declarations to a module: types, imports, globals, functions, exports, memories, tables, segments.
//
// Indices never change. Everything is added behind the last of its space, imports too: in a module that passes have edited an
// imported function or global may stand behind own ones, which a binary could not say. So no body has to be rewritten, and
// dumps, histories and traps go on to call a function what it was called in the bytes. `imported` of a declaration is the
// truth; `Module.imports` lists all imports, the added ones last, and who instantiates must provide them, too.
import type { Block, DataIndex, ElemIndex, FuncIndex, GlobalIndex, MemoryIndex, TableIndex, TypeIndex } from "./entity.js";
import { Func } from "./func.js";
import type { ConstExpr, DataSegment, ElemSegment, Export, GlobalType, InstanceView, Limits, Module, TableType } from "./module.js";
import { funcTypeKey, Type, typeName, type FuncType } from "./types.js";

export class ModuleEdit {
  /** Index by structure of the first `knownTypes` types. */
  private readonly typeIndex = new Map<string, TypeIndex>();
  private knownTypes = 0;

  /** @param funcs the bodies at hand, ascending by index: `addFunc` adds to them. Without, functions cannot be added. */
  constructor(
    readonly module: Module,
    private readonly funcs?: Func[],
  ) {}

  /** The index of an equal type, or of a new one. */
  addType(sig: FuncType): TypeIndex {
    const { types } = this.module;
    for (; this.knownTypes < types.length; this.knownTypes++) {
      const key = funcTypeKey(types[this.knownTypes]!);
      if (!this.typeIndex.has(key)) this.typeIndex.set(key, this.knownTypes as TypeIndex);
    }
    const known = this.typeIndex.get(funcTypeKey(sig));
    if (known !== undefined) return known;
    return (types.push({ params: [...sig.params], results: [...sig.results] }) - 1) as TypeIndex;
  }

  /** An imported function: `imports[module][name]` when the module is instantiated. `label`: its name in dumps and traps. */
  addImportFunc(module: string, name: string, sig: FuncType, label: string = name): FuncIndex {
    const index = (this.module.funcs.push({ type: this.addType(sig), imported: true, name: label, bodyStart: 0, bodyEnd: 0 }) - 1) as FuncIndex;
    this.module.imports.push({ module, name, kind: "func", index });
    return index;
  }

  addImportGlobal(module: string, name: string, { type, mutable }: GlobalType): GlobalIndex {
    const index = (this.module.globals.push({ type, mutable, imported: true, init: undefined }) - 1) as GlobalIndex;
    this.module.imports.push({ module, name, kind: "global", index });
    return index;
  }

  /**
   * Gives an added import its value now: a JS function (called with Numbers, BigInts for i64, as any imported function). Who instantiates
   * the module need not know of it. @throws Error for a function that was not imported.
   */
  provide(index: FuncIndex, fn: (...args: any[]) => unknown): void {
    const item = this.module.imports.find((one) => one.kind === "func" && one.index === index);
    if (!item) throw new Error(`@${index} is not imported`);
    item.provided = fn;
  }

  /** Calls `listener` with every instance of the module, before anything of it runs: to read globals that no export shows. */
  onInstantiate(listener: (instance: InstanceView) => void): void {
    this.module.onInstantiate.push(listener);
  }

  /** @param init the initial value: a constant expression, or a number (BigInt for i64) of that type. */
  addGlobal({ type, mutable }: GlobalType, init: ConstExpr | number | bigint): GlobalIndex {
    const expr = typeof init === "object" ? init : constantOf(type, init);
    return (this.module.globals.push({ type, mutable, imported: false, init: expr }) - 1) as GlobalIndex;
  }

  /**
   * A function of the module's own, its entry block and the parameters made, to be filled in: `fn.entry`, `fn.param(fn.entry, 0)`.
   * The passes behind this one see it as any other.
   */
  addFunc(name: string | undefined, sig: FuncType): Func {
    if (!this.funcs) throw new Error("only a pass of scope module may add functions");
    const type = this.addType(sig);
    const index = (this.module.funcs.push({ type, imported: false, bodyStart: 0, bodyEnd: 0, ...(name !== undefined && { name }) }) - 1) as FuncIndex;
    const fn = new Func(index, type, this.module.types[type]!, name);
    const entry: Block = fn.newBlock();
    for (const param of sig.params) fn.addParam(entry, param);
    this.funcs.push(fn);
    return fn;
  }

  /** @throws Error when the name is taken. */
  addExport(name: string, kind: Export["kind"], index: number): void {
    if (this.module.exports.some((item) => item.name === name)) throw new Error(`there is an export ${JSON.stringify(name)} already`);
    this.module.exports.push({ name, kind, index } as Export);
  }

  /** `limits` in pages of 64 KiB. */
  addMemory(limits: Limits): MemoryIndex {
    return (this.module.memories.push({ limits: { ...limits }, imported: false }) - 1) as MemoryIndex;
  }

  /** `limits` in elements. */
  addTable({ elem, limits }: TableType): TableIndex {
    return (this.module.tables.push({ elem, limits: { ...limits }, imported: false }) - 1) as TableIndex;
  }

  addData(segment: DataSegment): DataIndex {
    return (this.module.datas.push(segment) - 1) as DataIndex;
  }

  addElem(segment: ElemSegment): ElemIndex {
    return (this.module.elems.push(segment) - 1) as ElemIndex;
  }

  /** Declares that bodies name this function by `ref.func`, as Wasm asks for functions that no export, segment or global names. */
  declareRef(func: FuncIndex): void {
    this.addElem({ type: Type.funcref, mode: { mode: "declarative" }, init: [[{ op: "ref.func", func }]] });
  }
}

/** The constant expression of a number, BigInt for i64. @throws Error for a type that numbers are not of. */
export function constantOf(type: Type, value: number | bigint): ConstExpr {
  const wide = new DataView(new ArrayBuffer(8));
  switch (type) {
    case Type.i32:
      return [{ op: "i32.const", lo: Number(value) | 0, hi: 0 }];
    case Type.i64:
      wide.setBigInt64(0, BigInt(value), true);
      return [{ op: "i64.const", lo: wide.getInt32(0, true), hi: wide.getInt32(4, true) }];
    case Type.f32:
      wide.setFloat32(0, Number(value), true);
      return [{ op: "f32.const", lo: wide.getInt32(0, true), hi: 0 }];
    case Type.f64:
      wide.setFloat64(0, Number(value), true);
      return [{ op: "f64.const", lo: wide.getInt32(0, true), hi: wide.getInt32(4, true) }];
  }
  throw new Error(`a global of type ${typeName(type)} needs a constant expression as its initial value`);
}
