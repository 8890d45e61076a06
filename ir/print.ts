// SSA to text. `parse.ts` reads it back; `print(parse(print(x)))` is `print(x)`, byte for byte.
//
// One line an instruction: result, op, immediates, operands; its Wasm offset after `!`; facts that follow from the rest behind
// `;`, for people. A type is written exactly where the op table says `*`: parameters, calls, select, global.get and the like.
// Printing never throws and always ends, also for a function the verifier would refuse: that is when one wants to read it.
import { NONE, type Block, type Edge, type Value } from "./entity.js";
import { computeDom, type Dom } from "./analysis/dom.js";
import { computeLoops, isHeader, type Loops } from "./analysis/loops.js";
import type { Func } from "./func.js";
import type { Module } from "./module.js";
import { ANY, Op, opInfo } from "./ops.js";
import { printDecls } from "./print-decls.js";
import { joinLines, numberText, quoteName, type Line } from "./text.js";
import { printFuncType, Type, valueTypes } from "./types.js";

export interface PrintOptions {
  /** Comments with derived facts: predecessors, dominators, loops, names. Default true. */
  facts?: boolean;
  /** `!0x31`: Wasm byte offsets. Default true. */
  offsets?: boolean;
}

/** Column of the offsets; of the comments, where there is no offset. */
const OFFSET_COLUMN = 48;
const COMMENT_COLUMN = 57;
/** A block with more predecessors lists so many and counts the rest. */
const PREDS_SHOWN = 8;

/** A module: declarations, then the bodies given, in the order given. */
export function printModule(module: Module, funcs: Iterable<Func>, options: PrintOptions = {}): string {
  const parts = [printDecls(module)];
  for (const fn of funcs) parts.push(printFunc(fn, module, options));
  return parts.join("\n");
}

/** One function; with its module, comments name what calls call. Ends in a newline. */
export function printFunc(fn: Func, module?: Module, options: PrintOptions = {}): string {
  return joinLines(printFuncLines(fn, module, options));
}

/** The same, line by line. */
export function printFuncLines(fn: Func, module?: Module, options: PrintOptions = {}): Line[] {
  const facts = options.facts === false ? undefined : deriveFacts(fn);
  const offsets = options.offsets !== false;
  const out: Line[] = [];
  const push = (text: string, block: number = NONE, inst: number = NONE, offset = 0) => out.push({ text, block, inst, offset });
  const name = fn.name === undefined ? "" : ` ${quoteName(fn.name)}`;
  const inFrame = fn.frameParams === NONE ? "" : ` in frame ${fn.frameParams}`;
  push(`func @${fn.index}${name}: t${fn.sigIndex} ${printFuncType(fn.sig)}${inFrame} {`);
  let blocks = 0;
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
    if (++blocks > fn.blockCount) {
      push("  ; broken: the list of blocks runs in a circle");
      break;
    }
    const header = `${blockHeader(fn, b as Block)}:`;
    push(facts ? withComment(header, blockFacts(fn, b as Block, facts)) : header, b);
    let insts = 0;
    for (let v = fn.firstInst[b]! as Value; v !== NONE; v = fn.next[v]! as Value) {
      if (++insts > fn.valueCount) {
        push("  ; broken: the list of instructions runs in a circle", b);
        break;
      }
      const offset = fn.offset[v]! >>> 0;
      let line = "  " + printInst(fn, v);
      if (offsets && offset !== 0) line = `${line.padEnd(OFFSET_COLUMN)} !0x${offset.toString(16)}`;
      const comment = module && options.facts !== false ? instFacts(fn, v, module) : "";
      push(withComment(line, comment), b, v, offset);
    }
  }
  push("}");
  return out;
}

function withComment(line: string, comment: string): string {
  return comment === "" ? line : `${line.padEnd(COMMENT_COLUMN)} ; ${comment}`;
}

/** `b1(v5: i32, v6: i32)`. */
export function blockHeader(fn: Func, b: Block): string {
  const count = fn.paramCount[b]!;
  if (count === 0) return `b${b}`;
  const params: string[] = [];
  for (let i = 0; i < count; i++) {
    const v = fn.param(b, i);
    params.push(`v${v}: ${typeText(fn.type[v])}`);
  }
  return `b${b}(${params.join(", ")})`;
}

/** `b1(v1, v3)`: what an edge enters and with which arguments. */
export function printEdge(fn: Func, e: Edge): string {
  if (e < 0 || e >= fn.edgeCount) return `b?(broken edge ${e})`;
  const count = fn.edgeArgCount[e]!;
  if (count === 0) return `b${fn.edgeTo[e]}`;
  let text = `b${fn.edgeTo[e]}(v${fn.edgeArg(e, 0)}`;
  for (let i = 1; i < count; i++) text += `, v${fn.edgeArg(e, i)}`;
  return text + ")";
}

/** One instruction without indentation, offset and comment: `v8 = i32.load v5, m0, offset=16`. */
export function printInst(fn: Func, v: Value): string {
  const info = opInfo[fn.op[v]!];
  if (!info) return `v${v} = op${fn.op[v]}`;
  const { imm, name } = info;
  const x = fn.imm[v]!;
  const y = fn.imm2[v]!;
  let result = "";
  if (fn.type[v] !== Type.none) result = info.result === ANY ? `v${v}: ${typeText(fn.type[v])} = ` : `v${v} = `;
  const head = result + name;
  switch (imm) {
    case "none":
      return head + operands(fn, v, 0, " ");
    case "bits": {
      const type = info.result as Type;
      return `${head} ${numberText(type, x, y)}`;
    }
    case "param":
      return `${head} ${x}`;
    case "result":
      return `${head}${operands(fn, v, 0, " ")}, ${x}`;
    case "edge":
      return `${head} ${printEdge(fn, x as Edge)}`;
    case "edges":
      return `${head}${operands(fn, v, 0, " ")}, ${printEdge(fn, x as Edge)}, ${printEdge(fn, y as Edge)}`;
    case "table_of_edges": {
      const targets: string[] = [];
      for (let i = x; i < x + y - 1 && i < fn.edgeTableLength; i++) targets.push(printEdge(fn, fn.edgeTable[i]! as Edge));
      return `${head}${operands(fn, v, 0, " ")}, [${targets.join(", ")}], ${printEdge(fn, (fn.edgeTable[x + y - 1] ?? NONE) as Edge)}`;
    }
    case "func":
      return info.op === Op.call ? `${head} @${x}(${operands(fn, v, 0, "")})` : `${head} @${x}`;
    case "type_table": {
      const last = fn.argCount[v]! - 1;
      return `${head} t${x}, T${y}, v${last < 0 ? NONE : fn.arg(v, last)}(${operands(fn, v, 0, "", last)})`;
    }
    case "global":
      return `${head} g${x}${operands(fn, v, 0, ", ")}`;
    case "table":
      return `${head} T${x}${operands(fn, v, 0, ", ")}`;
    case "table_table":
      return `${head} T${x}, T${y}${operands(fn, v, 0, ", ")}`;
    case "elem_table":
      return `${head} elem${x}, T${y}${operands(fn, v, 0, ", ")}`;
    case "elem":
      return `${head} elem${x}`;
    case "memarg": {
      const offset = x === 0 ? "" : `, offset=${x >>> 0}`;
      return `${head} v${fn.argCount[v]! > 0 ? fn.arg(v, 0) : NONE}, m${y}${offset}${operands(fn, v, 1, ", ")}`;
    }
    case "memory":
      return `${head} m${x}${operands(fn, v, 0, ", ")}`;
    case "memory_memory":
      return `${head} m${x}, m${y}${operands(fn, v, 0, ", ")}`;
    case "data_memory":
      return `${head} data${x}, m${y}${operands(fn, v, 0, ", ")}`;
    case "data":
      return `${head} data${x}`;
  }
}

/** `before` and the operands from `from` on, separated by commas; nothing where there are none. */
function operands(fn: Func, v: Value, from: number, before: string, to = fn.argCount[v]!): string {
  if (from >= to) return "";
  let text = `${before}v${fn.arg(v, from)}`;
  for (let i = from + 1; i < to; i++) text += `, v${fn.arg(v, i)}`;
  return text;
}

function typeText(type: number | undefined): string {
  return valueTypes[type as Type]?.name ?? `type${type}`;
}

interface Facts {
  dom: Dom;
  loops: Loops;
  /** Place in the order of blocks. */
  place: Int32Array;
}

/** Undefined when blocks or edges are so broken that the analyses have nothing to stand on. */
function deriveFacts(fn: Func): Facts | undefined {
  if (fn.blockCount === 0) return undefined;
  const place = new Int32Array(fn.blockCount).fill(NONE);
  let blocks = 0;
  let edges = 0;
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
    if (b === undefined || b < 0 || b >= fn.blockCount || place[b] !== NONE) return undefined;
    place[b] = blocks++;
  }
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
    const last = fn.lastInst[b]! as Value;
    const targets = last === NONE ? 0 : fn.targetCount(last);
    for (let i = 0; i < targets; i++) {
      const e = fn.targetEdge(last, i);
      if (e === undefined || e < 0 || e >= fn.edgeCount || !(place[fn.edgeTo[e]!]! >= 0)) return undefined;
    }
    for (let e = fn.firstPred[b]!; e !== NONE; e = fn.edgeNextPred[e]!) {
      if (e === undefined || e < 0 || e >= fn.edgeCount || ++edges > fn.edgeCount || !(place[fn.edgeFrom[e]!]! >= 0)) return undefined;
    }
  }
  const dom = computeDom(fn);
  return { dom, loops: computeLoops(fn, dom), place };
}

function blockFacts(fn: Func, b: Block, facts: Facts): string {
  const { dom, loops, place } = facts;
  const parts: string[] = [];
  const preds: number[] = [];
  for (let e = fn.firstPred[b]!; e !== NONE; e = fn.edgeNextPred[e]!) preds.push(fn.edgeFrom[e]!);
  // In the order of the text, which survives parsing; the order of creation does not.
  preds.sort((x, y) => place[x]! - place[y]!);
  if (preds.length > 0) {
    const more = preds.length > PREDS_SHOWN ? ` and ${preds.length - PREDS_SHOWN} more` : "";
    parts.push("preds " + preds.slice(0, PREDS_SHOWN).map((p) => `b${p}`).join(" ") + more);
  }
  if (dom.pre[b] === NONE) parts.push("unreachable");
  if (dom.idom[b] !== NONE) parts.push(`idom b${dom.idom[b]}`);
  const depth = loops.blockDepth[b]!;
  if (depth > 0) parts.push(isHeader(loops, b) ? `loop header, depth ${depth}` : `loop depth ${depth}`);
  return parts.join(", ");
}

/** What the numbers of an instruction stand for in its module. */
function instFacts(fn: Func, v: Value, module: Module): string {
  const x = fn.imm[v]!;
  switch (fn.op[v]) {
    case Op.call:
    case Op.ref_func: {
      const name = module.funcs[x]?.name;
      return name === undefined ? "" : quoteName(name);
    }
    case Op.call_indirect: {
      const sig = module.types[x];
      return sig === undefined ? "" : printFuncType(sig);
    }
  }
  return "";
}
