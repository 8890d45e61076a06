// The declarations of a module from text: what print-decls.ts writes.
//
// Indices are written out and must come in order: a text whose `T1` is its first table is refused, not renumbered. References
// between declarations may point forward; `finishDecls` checks that all of them lead somewhere.
import type { FuncIndex, GlobalIndex, MemoryIndex, TableIndex, TypeIndex } from "./entity.js";
import { Tok, type Lexer } from "./lex.js";
import type { ConstExpr, ConstOp, Export, Import, Limits, Module, SegmentMode } from "./module.js";
import { parseNumber, unquoteBytes, unquoteName } from "./text.js";
import { isRef, Type, valueTypes, type FuncType, type RefType } from "./types.js";

const KEYWORDS = ["module", "type", "import", "func", "table", "memory", "global", "export", "start", "elem", "data", "local", "custom", "feature"];

/** Whether a declaration or a function begins here. */
export function atDecl(lexer: Lexer): boolean {
  return lexer.kind === Tok.word && KEYWORDS.includes(lexer.text);
}

/** One declaration other than `func`, added to the module. @throws ParseError */
export function parseDecl(lexer: Lexer, module: Module): void {
  const at = lexer.start;
  const keyword = lexer.word("a declaration");
  switch (keyword) {
    case "module":
      module.names.module = parseName(lexer, "the module's name");
      return;
    case "type":
      next(lexer, lexer.sigil("t", "a type"), module.types.length, "t", at);
      lexer.expect("=");
      module.types.push(parseFuncType(lexer));
      return;
    case "import":
      return parseImport(lexer, module, at);
    case "table":
      next(lexer, lexer.sigil("T", "a table"), module.tables.length, "T", at);
      lexer.expect(":");
      module.tables.push({ ...parseTableType(lexer), imported: false });
      return;
    case "memory":
      next(lexer, lexer.sigil("m", "a memory"), module.memories.length, "m", at);
      lexer.expect(":");
      module.memories.push({ limits: parseLimits(lexer), imported: false });
      return;
    case "global": {
      next(lexer, lexer.sigil("g", "a global"), module.globals.length, "g", at);
      lexer.expect(":");
      const type = parseGlobalType(lexer);
      lexer.expect("=");
      module.globals.push({ ...type, imported: false, init: parseConstExpr(lexer) });
      return;
    }
    case "export": {
      const name = parseName(lexer, "the name of an export");
      lexer.expect("=");
      module.exports.push({ name, ...parseEntity(lexer) });
      return;
    }
    case "start":
      lexer.expect("@");
      module.start = lexer.index("a function's index") as FuncIndex;
      return;
    case "elem": {
      next(lexer, lexer.sigil("elem", "an element segment"), module.elems.length, "elem", at);
      lexer.expect(":");
      const type = parseRefType(lexer);
      lexer.expect(",");
      const mode = parseMode(lexer, "T", "a table");
      lexer.expect(",");
      lexer.expect("[");
      const init: ConstExpr[] = [];
      if (!lexer.accept("]")) {
        do init.push(parseConstExpr(lexer));
        while (lexer.accept(","));
        lexer.expect("]");
      }
      module.elems.push({ type, mode: mode as SegmentMode<TableIndex>, init });
      return;
    }
    case "data": {
      next(lexer, lexer.sigil("data", "a data segment"), module.datas.length, "data", at);
      lexer.expect(":");
      const mode = parseMode(lexer, "m", "a memory") as SegmentMode<MemoryIndex>;
      lexer.expect(",");
      module.datas.push({ mode, bytes: parseBytes(lexer) });
      return;
    }
    case "local": {
      lexer.expect("@");
      const func = lexer.index("a function's index") as FuncIndex;
      const local = lexer.index("a local's index");
      const locals = module.names.locals.get(func) ?? new Map<number, string>();
      module.names.locals.set(func, locals.set(local, parseName(lexer, "the name of a local")));
      return;
    }
    case "custom": {
      const name = parseName(lexer, "the name of a section");
      module.customs.push({ name, bytes: parseBytes(lexer) });
      return;
    }
    case "feature": {
      const name = parseName(lexer, "the name of a feature");
      lexer.expect("!");
      if (lexer.kind !== Tok.number || !/^(0x)?[0-9a-f]+$/i.test(lexer.text)) throw lexer.expected("a byte offset");
      module.features.set(name, Number(lexer.text));
      lexer.advance();
      return;
    }
  }
  throw lexer.error(`expected a declaration, found ${keyword}`, at);
}

/** What a function begins with, declared or with its body. */
export interface Header {
  index: number;
  name: string | undefined;
  type: number;
  at: number;
}

/** `func @3 "sum": t0`. */
export function parseHeader(lexer: Lexer): Header {
  lexer.expect("func");
  const at = lexer.start;
  lexer.expect("@");
  const index = lexer.index("a function's index");
  const name = lexer.kind === Tok.string ? parseName(lexer, "a name") : undefined;
  lexer.expect(":");
  return { index, name, type: lexer.sigil("t", "a type"), at };
}

/** A function's declaration, without a body. */
export function parseFuncDecl(lexer: Lexer, module: Module): void {
  declareFunc(lexer, parseHeader(lexer), module);
}

export function declareFunc(lexer: Lexer, header: Header, module: Module): void {
  if (header.index !== module.funcs.length) throw lexer.error(`expected a declaration of @${module.funcs.length}, found @${header.index}`, header.at);
  module.funcs.push({ type: header.type as TypeIndex, imported: false, name: header.name, bodyStart: 0, bodyEnd: 0 });
}

/** Checks what could not be checked on the way: that indices named before their declaration exist. @throws ParseError at the end of the text */
export function finishDecls(lexer: Lexer, module: Module): void {
  const spaces = { func: module.funcs, table: module.tables, memory: module.memories, global: module.globals } as const;
  for (const item of module.exports) {
    if (item.index >= spaces[item.kind].length) throw lexer.error(`export "${item.name}" names ${item.kind} ${item.index}, which is not declared`);
  }
  module.funcs.forEach((func, i) => {
    if (func.type >= module.types.length) throw lexer.error(`@${i} has type t${func.type}, which is not declared`);
  });
  if (module.start !== undefined && module.start >= module.funcs.length) throw lexer.error(`start names @${module.start}, which is not declared`);
}

/** Declarations come in the order of their indices. */
function next(lexer: Lexer, index: number, expected: number, sigil: string, at: number): void {
  if (index !== expected) throw lexer.error(`expected a declaration of ${sigil}${expected}, found ${sigil}${index}`, at);
}

function parseImport(lexer: Lexer, module: Module, at: number): void {
  const { kind, index } = parseEntity(lexer);
  const funcName = kind === "func" && lexer.kind === Tok.string ? parseName(lexer, "a name") : undefined;
  lexer.expect("=");
  const from = parseName(lexer, "the name of a module");
  const name = parseName(lexer, "the name of an import");
  lexer.expect(":");
  const space = { func: module.funcs, table: module.tables, memory: module.memories, global: module.globals }[kind];
  next(lexer, index, space.length, { func: "@", table: "T", memory: "m", global: "g" }[kind], at);
  const ownBefore = space.length > 0 && !space[space.length - 1]!.imported;
  if (ownBefore && (kind === "table" || kind === "memory")) throw lexer.error(`imports come before what the module declares itself`, at);
  module.imports.push({ module: from, name, kind, index } as Import);
  switch (kind) {
    case "func":
      module.funcs.push({ type: lexer.sigil("t", "a type") as TypeIndex, imported: true, name: funcName, bodyStart: 0, bodyEnd: 0 });
      return;
    case "table":
      module.tables.push({ ...parseTableType(lexer), imported: true });
      return;
    case "memory":
      module.memories.push({ limits: parseLimits(lexer), imported: true });
      return;
    case "global":
      module.globals.push({ ...parseGlobalType(lexer), imported: true, init: undefined });
      return;
  }
}

type Entity = Export extends infer E ? (E extends { kind: infer K; index: infer I } ? { kind: K; index: I } : never) : never;

/** `@3`, `T0`, `m0` or `g4`. */
function parseEntity(lexer: Lexer): Entity {
  if (lexer.accept("@")) return { kind: "func", index: lexer.index("a function's index") as FuncIndex };
  if (lexer.atSigil("T")) return { kind: "table", index: lexer.sigil("T", "a table") as TableIndex };
  if (lexer.atSigil("m")) return { kind: "memory", index: lexer.sigil("m", "a memory") as MemoryIndex };
  if (lexer.atSigil("g")) return { kind: "global", index: lexer.sigil("g", "a global") as GlobalIndex };
  throw lexer.expected("a function, table, memory or global such as @0, T0, m0, g0");
}

/** A quoted name. */
export function parseName(lexer: Lexer, what: string): string {
  if (lexer.kind !== Tok.string) throw lexer.expected(`${what} in quotes`);
  const name = unquoteName(lexer.text);
  if (name === undefined) throw lexer.error(`the string has an escape that is none of \\" \\\\ \\u{hex}: ${lexer.text}`);
  lexer.advance();
  return name;
}

/** A value type by its name. */
export function parseType(lexer: Lexer): Type {
  const at = lexer.start;
  const name = lexer.word("a type");
  const row = valueTypes.find((row) => row.name === name && row.type !== Type.none);
  if (!row) throw lexer.error(`expected a type, found ${name}`, at);
  return row.type;
}

function parseRefType(lexer: Lexer): RefType {
  const at = lexer.start;
  const type = parseType(lexer);
  if (!isRef(type)) throw lexer.error(`expected funcref or externref`, at);
  return type;
}

/** `(i32, f64) -> i32`, `() -> (i32, i32)`. */
export function parseFuncType(lexer: Lexer): FuncType {
  const params = parseTypes(lexer);
  lexer.expect("->");
  const results = lexer.at("(") ? parseTypes(lexer) : [parseType(lexer)];
  return { params, results };
}

function parseTypes(lexer: Lexer): Type[] {
  const types: Type[] = [];
  lexer.expect("(");
  if (lexer.accept(")")) return types;
  do types.push(parseType(lexer));
  while (lexer.accept(","));
  lexer.expect(")");
  return types;
}

function parseTableType(lexer: Lexer): { elem: RefType; limits: Limits } {
  const elem = parseRefType(lexer);
  lexer.expect(",");
  return { elem, limits: parseLimits(lexer) };
}

function parseLimits(lexer: Lexer): Limits {
  const min = lexer.index("a minimum");
  lexer.expect("..");
  return { min, max: lexer.kind === Tok.number ? lexer.index("a maximum") : undefined };
}

function parseGlobalType(lexer: Lexer): { type: Type; mutable: boolean } {
  const mutable = lexer.accept("mut");
  return { type: parseType(lexer), mutable };
}

function parseMode(lexer: Lexer, sigil: string, what: string): SegmentMode<number> {
  if (lexer.accept("passive")) return { mode: "passive" };
  if (lexer.accept("declarative")) return { mode: "declarative" };
  if (!lexer.accept("active")) throw lexer.expected("active, passive or declarative");
  return { mode: "active", target: lexer.sigil(sigil, what), offset: parseConstExpr(lexer) };
}

/** Strings in a row are one. */
function parseBytes(lexer: Lexer): Uint8Array {
  const parts: Uint8Array[] = [];
  let length = 0;
  do {
    if (lexer.kind !== Tok.string) throw lexer.expected("bytes in quotes");
    const bytes = unquoteBytes(lexer.text);
    if (!bytes) throw lexer.error(`expected printable ASCII, \\" , \\\\ or \\hh in a string of bytes`);
    parts.push(bytes);
    length += bytes.length;
    lexer.advance();
  } while (lexer.kind === Tok.string);
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** `(i32.const 5)`; empty parentheses are an empty expression. */
function parseConstExpr(lexer: Lexer): ConstExpr {
  lexer.expect("(");
  const ops: ConstOp[] = [];
  while (!lexer.accept(")")) ops.push(parseConstOp(lexer));
  return ops;
}

function parseConstOp(lexer: Lexer): ConstOp {
  const at = lexer.start;
  const op = lexer.word("a constant instruction");
  switch (op) {
    case "i32.const":
    case "i64.const":
    case "f32.const":
    case "f64.const": {
      const type = { "i32.const": Type.i32, "i64.const": Type.i64, "f32.const": Type.f32, "f64.const": Type.f64 }[op];
      const bits = new Int32Array(2);
      if (lexer.kind !== Tok.number || !parseNumber(type, lexer.text, bits)) throw lexer.expected(`the number of ${op}`);
      lexer.advance();
      return { op, lo: bits[0]!, hi: bits[1]! };
    }
    case "v128.const": {
      const bytes = parseBytes(lexer);
      if (bytes.length !== 16) throw lexer.error(`expected 16 bytes for v128.const, found ${bytes.length}`, at);
      return { op, bytes };
    }
    case "global.get":
      return { op, global: lexer.sigil("g", "a global") as GlobalIndex };
    case "ref.null":
      return { op, type: parseRefType(lexer) };
    case "ref.func":
      lexer.expect("@");
      return { op, func: lexer.index("a function's index") as FuncIndex };
  }
  throw lexer.error(`expected a constant instruction, found ${op}`, at);
}

