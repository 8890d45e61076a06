// Text to SSA: what print.ts writes, with the same value ids, the same block order, the same sharing of edges.
//
// A function is read into plain records first, because operands and targets may be named before they are defined, and then
// built in order of ids. Instructions without a result have no id in the text: they take the ids that are left over, in
// order. Targets of one `br_table` that read the same share an edge. The parser checks the grammar and that names are
// defined once; types, counts and everything else are the verifier's. Errors are `ParseError`s with line and column.
import { NONE, type Block, type Edge, type FuncIndex, type TypeIndex, type Value } from "./entity.js";
import { Func } from "./func.js";
import { Lexer, Tok } from "./lex.js";
import { Module } from "./module.js";
import { ANY, Op, opInfo, opNamed, type OpInfo } from "./ops.js";
import { atDecl, declareFunc, finishDecls, parseDecl, parseFuncType, parseHeader, parseType, type Header } from "./parse-decls.js";
import { parseNumber } from "./text.js";
import { printFuncType, sameFuncType, Type, typeName } from "./types.js";

export { ParseError } from "./lex.js";

/** A whole `.ssa` file: declarations, then bodies. A file without declarations gives an empty module. @throws ParseError */
export function parseModule(text: string): { module: Module; funcs: Func[] } {
  const lexer = new Lexer(text);
  const module = new Module();
  const funcs: Func[] = [];
  while (lexer.kind !== Tok.end) {
    if (!atDecl(lexer)) throw lexer.expected("a declaration or a function");
    if (!lexer.at("func")) {
      parseDecl(lexer, module);
      continue;
    }
    // `func @3: t0` declares; `func @3: t0 (i32) -> i32 {` has a body.
    const header = parseHeader(lexer);
    if (lexer.at("(")) funcs.push(parseBody(lexer, header, module.funcs.length > 0 ? module : undefined));
    else declareFunc(lexer, header, module);
  }
  finishDecls(lexer, module);
  return { module, funcs };
}

/** One function. With a module, its index, type and signature must be the module's. @throws ParseError */
export function parseFunc(text: string, module?: Module): Func {
  const lexer = new Lexer(text);
  if (!lexer.at("func")) throw lexer.expected("a function");
  const fn = parseBody(lexer, parseHeader(lexer), module);
  if (lexer.kind !== Tok.end) throw lexer.expected("nothing behind the function");
  return fn;
}

interface TargetText {
  block: number;
  args: number[];
  at: number;
}

interface InstText {
  info: OpInfo;
  /** NONE where the instruction has no result. */
  id: number;
  type: Type;
  args: number[];
  imm: number;
  imm2: number;
  targets: TargetText[];
  offset: number;
  at: number;
}

interface BlockText {
  id: number;
  params: { id: number; type: Type; at: number }[];
  insts: InstText[];
  at: number;
}

function parseBody(lexer: Lexer, header: Header, module: Module | undefined): Func {
  const at = lexer.start;
  const sig = parseFuncType(lexer);
  if (module) {
    const decl = module.funcs[header.index];
    if (!decl) throw lexer.error(`the module has no function @${header.index}`, header.at);
    if (decl.imported) throw lexer.error(`@${header.index} is imported and has no body`, header.at);
    const declared = module.types[header.type];
    if (!declared) throw lexer.error(`the module has no type t${header.type}`, header.at);
    if (!lexer.at("in") && !sameFuncType(declared, sig)) throw lexer.error(`t${header.type} is ${printFuncType(declared)}, the function says ${printFuncType(sig)}`, at);
  }
  let frameParams: number = NONE;
  if (lexer.accept("in")) {
    lexer.expect("frame");
    frameParams = lexer.index("an offset in the frame");
  }
  lexer.expect("{");
  const blocks: BlockText[] = [];
  while (!lexer.accept("}")) {
    if (lexer.atSigil("b")) blocks.push(parseBlockHeader(lexer));
    else if (blocks.length === 0) throw lexer.expected("a block such as b0");
    else blocks[blocks.length - 1]!.insts.push(parseInst(lexer));
  }
  const fn = build(lexer, header, sig, blocks);
  fn.frameParams = frameParams;
  return fn;
}

/** `b1(v5: i32, v6: i32):`. */
function parseBlockHeader(lexer: Lexer): BlockText {
  const at = lexer.start;
  const block: BlockText = { id: lexer.sigil("b", "a block"), params: [], insts: [], at };
  if (lexer.accept("(")) {
    do {
      const at = lexer.start;
      const id = lexer.sigil("v", "a value");
      lexer.expect(":");
      block.params.push({ id, type: parseType(lexer), at });
    } while (lexer.accept(","));
    lexer.expect(")");
  }
  lexer.expect(":");
  return block;
}

const scratch = new Int32Array(2);

/** `v3: i32 = call @3(v1, v2) !0x31`. */
function parseInst(lexer: Lexer): InstText {
  const at = lexer.start;
  let id: number = NONE;
  let type = Type.none as Type;
  let typed = false;
  if (lexer.atSigil("v")) {
    id = lexer.sigil("v", "a value");
    if (lexer.accept(":")) {
      typed = true;
      type = parseType(lexer);
    }
    lexer.expect("=");
  }
  const nameAt = lexer.start;
  const name = lexer.word("an operation");
  const op = opNamed(name);
  if (op === undefined || op === Op.param) throw lexer.error(`expected an operation, found ${name}`, nameAt);
  const info = opInfo[op]!;
  if (info.result === ANY) {
    if (id !== NONE && !typed) throw lexer.error(`the result of ${name} needs its type written: v${id}: i32 = ${name}`, at);
  } else if (typed) throw lexer.error(`the type of ${name} follows from the operation: write v${id} = ${name}`, at);
  else type = id === NONE ? Type.none : (info.result as Type);
  if (id !== NONE && info.result === Type.none) throw lexer.error(`${name} has no result`, at);
  if (id === NONE && info.result !== Type.none && !info.variadic) throw lexer.error(`the result of ${name} needs an id: v0 = ${name}`, at);

  const inst: InstText = { info, id, type, args: [], imm: 0, imm2: 0, targets: [], offset: 0, at };
  parseRest(lexer, inst);
  if (lexer.accept("!")) {
    if (lexer.kind !== Tok.number || !/^0x[0-9a-f]{1,8}$/i.test(lexer.text)) throw lexer.expected("a byte offset such as 0x31");
    inst.offset = Number(lexer.text) | 0;
    lexer.advance();
  }
  return inst;
}

/** Immediates and operands, in the one order each kind of immediate prints them. */
function parseRest(lexer: Lexer, inst: InstText): void {
  const { info } = inst;
  switch (info.imm) {
    case "none":
      // A bare `return` may stand before another line that begins with a value.
      if (lexer.atSigil("v") && !lexer.firstOnLine) parseValues(lexer, inst);
      return;
    case "bits":
      if (lexer.kind !== Tok.number || !parseNumber(info.result as Type, lexer.text, scratch)) throw lexer.expected(`an ${typeName(info.result as Type)}`);
      inst.imm = scratch[0]!;
      inst.imm2 = scratch[1]!;
      lexer.advance();
      return;
    case "param":
      return;
    case "result":
      inst.args.push(parseValue(lexer));
      lexer.expect(",");
      inst.imm = lexer.index("the number of a result");
      return;
    case "edge":
      inst.targets.push(parseTarget(lexer));
      return;
    case "edges":
      inst.args.push(parseValue(lexer));
      lexer.expect(",");
      inst.targets.push(parseTarget(lexer));
      lexer.expect(",");
      inst.targets.push(parseTarget(lexer));
      return;
    case "table_of_edges":
      inst.args.push(parseValue(lexer));
      lexer.expect(",");
      lexer.expect("[");
      if (!lexer.accept("]")) {
        do inst.targets.push(parseTarget(lexer));
        while (lexer.accept(","));
        lexer.expect("]");
      }
      lexer.expect(",");
      inst.targets.push(parseTarget(lexer));
      return;
    case "func":
      lexer.expect("@");
      inst.imm = lexer.index("a function's index");
      if (info.op === Op.call) parseCallArgs(lexer, inst);
      return;
    case "type_table": {
      inst.imm = lexer.sigil("t", "a type");
      lexer.expect(",");
      inst.imm2 = lexer.sigil("T", "a table");
      lexer.expect(",");
      const element = parseValue(lexer);
      parseCallArgs(lexer, inst);
      inst.args.push(element);
      return;
    }
    case "global":
      inst.imm = lexer.sigil("g", "a global");
      break;
    case "table":
      inst.imm = lexer.sigil("T", "a table");
      break;
    case "table_table":
      inst.imm = lexer.sigil("T", "a table");
      lexer.expect(",");
      inst.imm2 = lexer.sigil("T", "a table");
      break;
    case "elem_table":
      inst.imm = lexer.sigil("elem", "an element segment");
      lexer.expect(",");
      inst.imm2 = lexer.sigil("T", "a table");
      break;
    case "elem":
      inst.imm = lexer.sigil("elem", "an element segment");
      break;
    case "memarg":
      inst.args.push(parseValue(lexer));
      lexer.expect(",");
      inst.imm2 = lexer.sigil("m", "a memory");
      while (lexer.accept(",")) {
        if (lexer.accept("offset")) {
          lexer.expect("=");
          inst.imm = lexer.index("an offset below 2^32") | 0;
        } else inst.args.push(parseValue(lexer));
      }
      return;
    case "memory":
      inst.imm = lexer.sigil("m", "a memory");
      break;
    case "memory_memory":
      inst.imm = lexer.sigil("m", "a memory");
      lexer.expect(",");
      inst.imm2 = lexer.sigil("m", "a memory");
      break;
    case "data_memory":
      inst.imm = lexer.sigil("data", "a data segment");
      lexer.expect(",");
      inst.imm2 = lexer.sigil("m", "a memory");
      break;
    case "data":
      inst.imm = lexer.sigil("data", "a data segment");
      break;
  }
  if (lexer.accept(",")) parseValues(lexer, inst);
}

function parseValue(lexer: Lexer): number {
  return lexer.sigil("v", "a value");
}

function parseValues(lexer: Lexer, inst: InstText): void {
  do inst.args.push(parseValue(lexer));
  while (lexer.accept(","));
}

function parseCallArgs(lexer: Lexer, inst: InstText): void {
  lexer.expect("(");
  if (lexer.accept(")")) return;
  parseValues(lexer, inst);
  lexer.expect(")");
}

/** `b1(v1, v3)`. */
function parseTarget(lexer: Lexer): TargetText {
  const target: TargetText = { at: lexer.start, block: lexer.sigil("b", "a block"), args: [] };
  if (lexer.accept("(")) {
    do target.args.push(parseValue(lexer));
    while (lexer.accept(","));
    lexer.expect(")");
  }
  return target;
}

function build(lexer: Lexer, header: Header, sig: Func["sig"], blocks: BlockText[]): Func {
  let valueCount = 0;
  let blockCount = 0;
  let unnamed = 0;
  for (const block of blocks) {
    blockCount = Math.max(blockCount, block.id + 1);
    for (const param of block.params) valueCount = Math.max(valueCount, param.id + 1);
    for (const inst of block.insts) {
      if (inst.id === NONE) unnamed++;
      else valueCount = Math.max(valueCount, inst.id + 1);
    }
  }
  const size = lexer.source.length;
  // Ids may have gaps, but a text of a few bytes shall not ask for gigabytes.
  if (valueCount > 64 * size + 65536) throw lexer.error(`the largest value id, v${valueCount - 1}, leaves gaps out of proportion`, header.at);
  if (blockCount > 64 * size + 65536) throw lexer.error(`the largest block id, b${blockCount - 1}, leaves gaps out of proportion`, header.at);
  const fn = new Func(header.index as FuncIndex, header.type as TypeIndex, sig, header.name, Math.max(16, valueCount + unnamed));

  const blockSeen = new Uint8Array(blockCount);
  for (let b = 0; b < blockCount; b++) fn.newBlock();
  for (let b = 0; b < blockCount; b++) fn.unplaceBlock(b as Block);
  for (const block of blocks) {
    if (blockSeen[block.id]) throw lexer.error(`b${block.id} is defined twice`, block.at);
    blockSeen[block.id] = 1;
    fn.placeBlock(block.id as Block, NONE as Block);
  }
  if (blocks.length > 0) fn.entry = blocks[0]!.id as Block;

  const ids = assignIds(lexer, blocks, valueCount);
  const { param: paramById, inst: instById, defined } = ids;
  for (let v = 0; v < defined.length; v++) {
    const param = paramById[v];
    const inst = instById[v];
    if (param) fn.newValue(Op.param, param.type, 0, 0, 0, 0);
    else if (inst) fn.newValue(inst.info.op, inst.type, inst.args.length, inst.imm, inst.imm2, inst.offset);
    else fn.newValue(Op.param, Type.none, 0, 0, 0, 0);
  }
  const check = (v: number, at: number): Value => {
    if (v >= defined.length || defined[v] !== 1) throw lexer.error(`v${v} is not defined`, at);
    return v as Value;
  };
  // All parameters before any edge: a parameter that comes later would add an argument to it.
  for (const block of blocks) for (const param of block.params) fn.linkParam(param.id as Value, block.id as Block);
  for (const block of blocks) {
    for (const inst of block.insts) {
      const v = inst.id as Value;
      for (let i = 0; i < inst.args.length; i++) fn.setArg(v, i, check(inst.args[i]!, inst.at));
      if (inst.targets.length > 0) buildTargets(lexer, fn, block.id as Block, v, inst, blockSeen, check);
      fn.linkBefore(v, block.id as Block, NONE as Value);
    }
  }
  return fn;
}

/** Gives the instructions without a result the free ids in order. `defined[v]`: 1 has a result, 2 has none, 0 is a gap. */
function assignIds(lexer: Lexer, blocks: BlockText[], valueCount: number) {
  const param: BlockText["params"] = [];
  const inst: InstText[] = [];
  const defined: number[] = new Array<number>(valueCount).fill(0);
  for (const block of blocks) {
    for (const p of block.params) {
      if (defined[p.id]) throw lexer.error(`v${p.id} is defined twice`, p.at);
      defined[p.id] = 1;
      param[p.id] = p;
    }
    for (const i of block.insts) {
      if (i.id === NONE) continue;
      if (defined[i.id]) throw lexer.error(`v${i.id} is defined twice`, i.at);
      defined[i.id] = 1;
      inst[i.id] = i;
    }
  }
  let free = 0;
  for (const block of blocks) {
    for (const i of block.insts) {
      if (i.id !== NONE) continue;
      while (defined[free]) free++;
      i.id = free;
      defined[free] = 2;
      inst[free] = i;
    }
  }
  return { param, inst, defined };
}

function buildTargets(lexer: Lexer, fn: Func, from: Block, v: Value, inst: InstText, blockSeen: Uint8Array, check: (v: number, at: number) => Value): void {
  const shared = inst.info.op === Op.br_table ? new Map<string, Edge>() : undefined;
  const edges: Edge[] = [];
  for (const target of inst.targets) {
    if (!blockSeen[target.block]) throw lexer.error(`b${target.block} is not defined`, target.at);
    const key = shared ? `${target.block}:${target.args.join(",")}` : "";
    let e = shared?.get(key);
    if (e === undefined) {
      e = fn.newEdge(from, target.block as Block);
      for (const x of target.args) fn.pushEdgeArg(e, check(x, target.at));
      shared?.set(key, e);
    }
    edges.push(e);
  }
  if (shared) {
    fn.imm[v] = fn.newEdgeTable(edges.length);
    fn.imm2[v] = edges.length;
    for (let i = 0; i < edges.length; i++) fn.edgeTable[fn.imm[v]! + i] = edges[i]!;
  } else {
    fn.imm[v] = edges[0]!;
    fn.imm2[v] = edges[1] ?? 0;
  }
}
