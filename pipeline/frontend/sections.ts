// The sections of a module, each by one function: decodes, validates, and fills the Module.
//
// A reader stands on the section's payload and ends with it. Relies on decode.ts for the sections' order: what a section may
// refer to has been read before it (spec 5.5).
import type { FuncIndex, GlobalIndex, MemoryIndex, TableIndex, TypeIndex } from "../../ir/entity.js";
import type { ConstExpr, Limits, Module, SegmentMode } from "../../ir/module.js";
import { Type, printFuncType, typeName, type RefType } from "../../ir/types.js";
import { readConstExpr } from "./const-expr.js";
import { hex } from "./error.js";
import { Limit } from "./limits.js";
import type { Reader } from "./reader.js";
import { BodyValidator } from "./validate-body.js";

/** What decoding knows beside the module itself. */
export class DecodeState {
  /** Functions that the function section declares. */
  definedFuncs = 0;
  /** Bodies read. */
  bodies = 0;
  /** As the data count section says, -1 without one. */
  dataCount = -1;

  constructor(readonly module: Module) {}
}

// ---------------------------------------------------------------- types

export function readTypes(r: Reader, s: DecodeState): void {
  const n = r.count("types", Limit.types, 3);
  for (let i = 0; i < n; i++) {
    const form = r.byte("the form of a type");
    if (form === 0x4e || form === 0x4f || form === 0x50 || form === 0x5e || form === 0x5f) {
      r.unsupported("garbage collection", `form ${hex(form)} of type ${i}`, r.pos - 1);
    }
    if (form !== 0x60) r.fail("malformed", `expected 0x60, a function type, as type ${i}, found ${hex(form)}`, r.pos - 1);
    const params = readTypeList(r, "parameters", Limit.params);
    const results = readTypeList(r, "results", Limit.results);
    s.module.types.push({ params, results });
  }
}

function readTypeList(r: Reader, what: string, limit: number): Type[] {
  const n = r.count(what, limit);
  const types: Type[] = [];
  for (let i = 0; i < n; i++) types.push(r.valueType(`the type of ${what}`));
  return types;
}

function readTypeIndex(r: Reader, m: Module): TypeIndex {
  const at = r.pos;
  const index = r.u32("a type index");
  if (index >= m.types.length) r.fail("invalid", `expected a type index below ${m.types.length}, found ${index}`, at);
  return index as TypeIndex;
}

/** @param bound the largest size. */
function readLimits(r: Reader, what: "table" | "memory", bound: number): Limits {
  const at = r.pos;
  const flags = r.byte(`the limits' flags of a ${what}`);
  if (flags === 2 || flags === 3) r.unsupported("threads", `a shared ${what}`, at);
  if (flags >= 4 && flags <= 7) r.unsupported("64-bit memories and tables", `limits' flags ${hex(flags)}`, at);
  if (flags > 7) r.fail("malformed", `expected 0 or 1 as the limits' flags of a ${what}, found ${hex(flags)}`, at);
  const unit = what === "table" ? "elements" : "pages";
  const minAt = r.pos;
  const min = r.u32(`the minimum of a ${what}`);
  if (min > bound) r.fail("invalid", `expected a ${what} of at most ${bound} ${unit}, found a minimum of ${min}`, minAt);
  if (flags === 0) return { min, max: undefined };
  const maxAt = r.pos;
  const max = r.u32(`the maximum of a ${what}`);
  if (max > bound) r.fail("invalid", `expected a ${what} of at most ${bound} ${unit}, found a maximum of ${max}`, maxAt);
  if (max < min) r.fail("invalid", `expected a maximum of at least the minimum ${min} ${unit} of a ${what}, found ${max}`, maxAt);
  return { min, max };
}

function readTable(r: Reader, m: Module, imported: boolean): void {
  if (r.pos < r.end && r.bytes[r.pos] === 0x40) {
    r.unsupported("typed function references", "a table with an initial value", r.pos);
  }
  const elem = r.refType("the type of a table's elements");
  const limits = readLimits(r, "table", 0xffffffff);
  if (m.tables.length === Limit.tables) r.fail("invalid", `expected at most ${Limit.tables} tables, found more`);
  m.tables.push({ elem, limits, imported });
}

function readMemory(r: Reader, m: Module, imported: boolean): void {
  if (m.memories.length > 0) r.unsupported("several memories", "a second memory", r.pos);
  m.memories.push({ limits: readLimits(r, "memory", Limit.memory_pages), imported });
}

function readGlobalType(r: Reader): { type: Type; mutable: boolean } {
  const type = r.valueType("the type of a global");
  const mutability = r.byte("the mutability of a global");
  if (mutability > 1) r.fail("malformed", `expected 0 or 1 as the mutability of a global, found ${hex(mutability)}`, r.pos - 1);
  return { type, mutable: mutability === 1 };
}

// ---------------------------------------------------------------- declarations

export function readImports(r: Reader, s: DecodeState): void {
  const m = s.module;
  const n = r.count("imports", Limit.imports, 4);
  for (let i = 0; i < n; i++) {
    const module = r.name("the module name of an import");
    const name = r.name("the name of an import");
    const kind = r.byte("the kind of an import");
    switch (kind) {
      case 0:
        m.imports.push({ module, name, kind: "func", index: m.funcs.length as FuncIndex });
        m.funcs.push({ type: readTypeIndex(r, m), imported: true, bodyStart: 0, bodyEnd: 0 });
        break;
      case 1:
        m.imports.push({ module, name, kind: "table", index: m.tables.length as TableIndex });
        readTable(r, m, true);
        break;
      case 2:
        m.imports.push({ module, name, kind: "memory", index: m.memories.length as MemoryIndex });
        readMemory(r, m, true);
        break;
      case 3:
        m.imports.push({ module, name, kind: "global", index: m.globals.length as GlobalIndex });
        m.globals.push({ ...readGlobalType(r), imported: true, init: undefined });
        break;
      case 4:
        return r.unsupported("exception handling", "an imported tag", r.pos - 1);
      default:
        r.fail("malformed", `expected the kind of an import, 0 to 3, found ${hex(kind)}`, r.pos - 1);
    }
  }
}

export function readFuncs(r: Reader, s: DecodeState): void {
  const m = s.module;
  const n = r.count("functions", Limit.functions);
  for (let i = 0; i < n; i++) m.funcs.push({ type: readTypeIndex(r, m), imported: false, bodyStart: 0, bodyEnd: 0 });
  s.definedFuncs = n;
}

export function readTables(r: Reader, s: DecodeState): void {
  const n = r.count("tables", Limit.tables, 3);
  for (let i = 0; i < n; i++) readTable(r, s.module, false);
}

export function readMemories(r: Reader, s: DecodeState): void {
  const n = r.u32("the number of memories");
  for (let i = 0; i < n; i++) readMemory(r, s.module, false);
}

export function readGlobals(r: Reader, s: DecodeState): void {
  const m = s.module;
  const n = r.count("globals", Limit.globals, 3);
  for (let i = 0; i < n; i++) {
    const type = readGlobalType(r);
    const init = readConstExpr(r, m, type.type, "the initial value of a global");
    m.globals.push({ ...type, imported: false, init });
  }
}

export function readExports(r: Reader, s: DecodeState): void {
  const m = s.module;
  const n = r.count("exports", Limit.exports, 3);
  const names = new Set<string>();
  const spaces = [m.funcs, m.tables, m.memories, m.globals];
  const kinds = ["func", "table", "memory", "global"] as const;
  for (let i = 0; i < n; i++) {
    const at = r.pos;
    const name = r.name("the name of an export");
    if (names.has(name)) r.fail("invalid", `expected exports of different names, found a second one called ${JSON.stringify(name)}`, at);
    names.add(name);
    const kind = r.byte("the kind of an export");
    if (kind === 4) r.unsupported("exception handling", "an exported tag", r.pos - 1);
    if (kind > 4) r.fail("malformed", `expected the kind of an export, 0 to 3, found ${hex(kind)}`, r.pos - 1);
    const indexAt = r.pos;
    const index = r.u32("the index of an export");
    const length = spaces[kind]!.length;
    if (index >= length) r.fail("invalid", `expected a ${kinds[kind]} index below ${length} in an export, found ${index}`, indexAt);
    m.exports.push({ name, kind: kinds[kind]!, index } as (typeof m.exports)[number]);
  }
}

export function readStart(r: Reader, s: DecodeState): void {
  const at = r.pos;
  const m = s.module;
  const index = readFuncIndex(r, m, "the start function");
  const sig = m.funcType(index);
  if (sig.params.length + sig.results.length > 0) {
    r.fail("invalid", `expected a start function of type () -> (), found ${printFuncType(sig)}`, at);
  }
  m.start = index;
}

function readFuncIndex(r: Reader, m: Module, what: string): FuncIndex {
  const at = r.pos;
  const index = r.u32("a function index");
  if (index >= m.funcs.length) r.fail("invalid", `expected a function index below ${m.funcs.length} as ${what}, found ${index}`, at);
  return index as FuncIndex;
}

// ---------------------------------------------------------------- segments

/** Spec 5.5.12: bit 0 passive or declarative, bit 1 explicit table or declarative, bit 2 expressions instead of function indices. */
export function readElems(r: Reader, s: DecodeState): void {
  const m = s.module;
  const n = r.count("element segments", Limit.elem_segments, 2);
  const shared: ConstExpr[] = [];
  for (let i = 0; i < n; i++) {
    const at = r.pos;
    const flags = r.u32("the flags of an element segment");
    if (flags > 7) r.fail("malformed", `expected 0 to 7 as the flags of an element segment, found ${hex(flags)}`, at);
    const expressions = (flags & 4) !== 0;
    let mode: SegmentMode<TableIndex>;
    let table = 0;
    if ((flags & 1) === 0) {
      const tableAt = r.pos;
      if ((flags & 2) !== 0) table = r.u32("a table index");
      if (table >= m.tables.length) r.fail("invalid", `expected a table index below ${m.tables.length} in an element segment, found ${table}`, tableAt);
      mode = { mode: "active", target: table as TableIndex, offset: readConstExpr(r, m, Type.i32, "the offset of an element segment") };
    } else mode = (flags & 2) !== 0 ? { mode: "declarative" } : { mode: "passive" };
    const type = (flags & 3) === 0 ? Type.funcref : readElemType(r, expressions);
    if (mode.mode === "active" && m.tables[table]!.elem !== type) {
      const elem = typeName(m.tables[table]!.elem);
      r.fail("invalid", `expected elements of type ${elem} for table ${table}, found a segment of ${typeName(type)}`, at);
    }
    const length = r.count("elements", Limit.elem_segment_length);
    const init: ConstExpr[] = [];
    for (let k = 0; k < length; k++) {
      if (expressions) init.push(readConstExpr(r, m, type, "an element"));
      else {
        const func = readFuncIndex(r, m, "an element");
        init.push((shared[func] ??= [{ op: "ref.func", func }]));
      }
    }
    m.elems.push({ type, mode, init });
  }
}

function readElemType(r: Reader, expressions: boolean): RefType {
  if (expressions) return r.refType("the type of an element segment");
  const kind = r.byte("the kind of an element segment");
  if (kind !== 0) r.fail("malformed", `expected 0, functions, as the kind of an element segment, found ${hex(kind)}`, r.pos - 1);
  return Type.funcref;
}

export function readDataCount(r: Reader, s: DecodeState): void {
  const at = r.pos;
  s.dataCount = r.u32("the number of data segments");
  if (s.dataCount > Limit.data_segments) r.fail("invalid", `expected at most ${Limit.data_segments} data segments, found ${s.dataCount}`, at);
}

export function readData(r: Reader, s: DecodeState): void {
  const m = s.module;
  const at = r.pos;
  const n = r.count("data segments", Limit.data_segments, 2);
  if (s.dataCount >= 0 && s.dataCount !== n) {
    r.fail("malformed", `expected ${s.dataCount} data segments as the data count section says, found ${n}`, at);
  }
  for (let i = 0; i < n; i++) {
    const start = r.pos;
    const flags = r.u32("the flags of a data segment");
    if (flags > 2) r.fail("malformed", `expected 0 to 2 as the flags of a data segment, found ${hex(flags)}`, start);
    let mode: SegmentMode<MemoryIndex> = { mode: "passive" };
    if (flags !== 1) {
      const memory = flags === 2 ? r.u32("a memory index") : 0;
      if (memory >= m.memories.length) r.fail("invalid", `expected a memory index below ${m.memories.length} in a data segment, found ${memory}`, start);
      mode = { mode: "active", target: memory as MemoryIndex, offset: readConstExpr(r, m, Type.i32, "the offset of a data segment") };
    }
    const length = r.u32("the length of a data segment");
    if (length > r.end - r.pos) {
      r.fail("malformed", `unexpected end of ${r.where}: expected ${length} bytes of a data segment, found ${r.end - r.pos}`, start);
    }
    m.datas.push({ mode, bytes: r.bytes.subarray(r.pos, r.pos + length) });
    r.pos += length;
  }
}

// ---------------------------------------------------------------- code

const STEP_BYTES = 16384;

/** Stops behind every `STEP_BYTES` of bodies. */
export function* readCode(r: Reader, s: DecodeState): Generator<void, void> {
  const m = s.module;
  const at = r.pos;
  const n = r.count("function bodies", Limit.functions);
  if (n !== s.definedFuncs) r.fail("malformed", `expected ${s.definedFuncs} function bodies, found ${n}`, at);
  const first = m.funcs.length - n;
  const validator = new BodyValidator(m, s.dataCount);
  let stop = r.pos + STEP_BYTES;
  for (let i = 0; i < n; i++) {
    const start = r.pos;
    const size = r.u32("the size of a function body");
    if (size > r.end - r.pos) {
      r.fail("malformed", `unexpected end of the code section: expected a body of ${size} bytes, found ${r.end - r.pos}`, start);
    }
    if (size > Limit.function_bytes) r.fail("invalid", `expected a function body of at most ${Limit.function_bytes} bytes, found ${size}`, start);
    const func = m.funcs[first + i]!;
    func.bodyStart = r.pos;
    func.bodyEnd = r.pos + size;
    r.pos += size;
    validator.validate((first + i) as FuncIndex);
    s.bodies++;
    if (r.pos < stop) continue;
    stop = r.pos + STEP_BYTES;
    yield;
  }
  if (validator.simd >= 0) r.usesSimd(validator.simd);
}

