// Graphs in DOT: a function's control flow, its dominator tree, a module's calls.
//
// Loops are drawn as boxes around their blocks, back edges point up. In the call graph a call through a table goes to a
// node for its type, and from there, dashed, to every function of that type that an element segment puts in that table.
import { computeDom } from "../../ir/analysis/dom.js";
import { computeLoops, isHeader, type Loops } from "../../ir/analysis/loops.js";
import { NONE, type Block, type FuncIndex, type Value } from "../../ir/entity.js";
import type { Func } from "../../ir/func.js";
import type { Module } from "../../ir/module.js";
import { Op } from "../../ir/ops.js";
import { blockHeader, printEdge, printInst } from "../../ir/print.js";
import { funcTypeKey, printFuncType } from "../../ir/types.js";
import { funcLabel } from "./wasm.js";

export const graphs = ["cfg", "dom", "calls"] as const;
export type GraphName = (typeof graphs)[number];

/** Longer blocks show their first and last instructions. */
const INSTS_SHOWN = 40;

const quote = (text: string) => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
/** Lines of a label, to the left. */
const label = (lines: readonly string[]) => `"${lines.map((line) => line.replaceAll("\\", "\\\\").replaceAll('"', '\\"') + "\\l").join("")}"`;

const STYLE = ['  node [shape=box fontname="Courier" fontsize=10]', '  edge [fontname="Courier" fontsize=9]'];

function heading(fn: Func): string {
  return `@${fn.index}${fn.name === undefined ? "" : ` "${fn.name}"`}`;
}

/**
 * Blocks with their instructions; edges say the arguments they bring and which way of a branch they are.
 * @param options.instructions whether blocks show them, and edges their arguments. Default true.
 */
export function cfgDot(fn: Func, options: { readonly instructions?: boolean } = {}): string {
  const dom = computeDom(fn);
  const loops = computeLoops(fn, dom);
  const out = [`digraph ${quote(`cfg ${heading(fn)}`)} {`, ...STYLE];
  const nodes = new Map<number, string>();
  for (let b = fn.firstBlock as Block; b !== NONE; b = fn.blockNext[b]! as Block) {
    const lines = [blockHeader(fn, b)];
    let count = 0;
    for (let v = fn.firstInst[b]! as Value; v !== NONE; v = fn.next[v]! as Value) count++;
    let i = 0;
    if (options.instructions === false) lines.push(`  ${count} instructions`);
    else for (let v = fn.firstInst[b]! as Value; v !== NONE; v = fn.next[v]! as Value, i++) {
      if (count > INSTS_SHOWN && i === INSTS_SHOWN - 5) lines.push(`  ... ${count - INSTS_SHOWN} more`);
      if (count <= INSTS_SHOWN || i < INSTS_SHOWN - 5 || i >= count - 5) lines.push(`  ${printInst(fn, v)}`);
    }
    const style = isHeader(loops, b) ? " style=bold" : dom.pre[b] === NONE ? " style=dashed" : "";
    nodes.set(b, `b${b} [label=${label(lines)}${style}]`);
  }
  writeLoops(loops, nodes, out);
  for (let b = fn.firstBlock as Block; b !== NONE; b = fn.blockNext[b]! as Block) {
    const last = fn.lastInst[b]! as Value;
    const count = last === NONE ? 0 : fn.targetCount(last);
    for (let i = 0; i < count; i++) {
      const e = fn.targetEdge(last, i);
      const to = fn.edgeTo[e]! as Block;
      const which = fn.op[last] === Op.br_if ? (i === 0 ? "true " : "false ") : count > 1 ? (i === count - 1 ? "default " : `${i} `) : "";
      const args = options.instructions === false ? "" : printEdge(fn, e).replace(/^b\d+/, "");
      const back = dom.pre[b] !== NONE && dom.pre[to] !== NONE && dom.pre[b]! >= dom.pre[to]! && dom.pre[b]! <= dom.last[to]!;
      const attributes = [...((which + args).trim() !== "" ? [`label=${quote((which + args).trim())}`] : []), ...(back ? ["constraint=false", "style=bold"] : [])];
      out.push(`  b${b} -> b${to}${attributes.length > 0 ? ` [${attributes.join(" ")}]` : ""}`);
    }
  }
  out.push("}\n");
  return out.join("\n");
}

/** Nodes inside clusters, one a loop, in the order of their nesting. Iterative: loops nest as deep as the input likes. */
function writeLoops(loops: Loops, nodes: ReadonlyMap<number, string>, out: string[]): void {
  const blocksOf = new Map<number, number[]>();
  const childrenOf = new Map<number, number[]>();
  const push = (map: Map<number, number[]>, key: number, item: number) => {
    const list = map.get(key);
    if (list) list.push(item);
    else map.set(key, [item]);
  };
  for (const b of nodes.keys()) push(blocksOf, loops.loopOf[b]!, b);
  for (let l = 0; l < loops.count; l++) push(childrenOf, loops.parent[l]!, l);
  const todo: { loop: number; close: boolean; depth: number }[] = [{ loop: NONE, close: false, depth: 0 }];
  while (todo.length > 0) {
    const { loop, close, depth } = todo.pop()!;
    const indent = "  ".repeat(Math.min(depth, 30) + 1);
    if (close) {
      out.push(`${indent}}`);
      continue;
    }
    if (loop !== NONE) {
      out.push(`${indent}subgraph cluster_${loop} {`, `${indent}  label=${quote(`loop b${loops.header[loop]}`)} style=rounded color=gray fontname="Courier" fontsize=9`);
      todo.push({ loop, close: true, depth });
    }
    for (const b of blocksOf.get(loop) ?? []) out.push(`${indent}  ${nodes.get(b)!}`);
    for (const child of (childrenOf.get(loop) ?? []).toReversed()) todo.push({ loop: child, close: false, depth: depth + 1 });
  }
}

/** The dominator tree: a block stands below its immediate dominator. */
export function domDot(fn: Func): string {
  const dom = computeDom(fn);
  const out = [`digraph ${quote(`dom ${heading(fn)}`)} {`, ...STYLE];
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
    out.push(`  b${b} [label="b${b}"${dom.pre[b] === NONE ? " style=dashed" : ""}]`);
    if (dom.idom[b] !== NONE) out.push(`  b${dom.idom[b]} -> b${b}`);
  }
  out.push("}\n");
  return out.join("\n");
}

/** Who calls whom. @param funcs the functions with a body; imports are drawn where called. */
export function callsDot(module: Module, funcs: Iterable<Func>): string {
  const out = [`digraph "calls" {`, "  rankdir=LR", ...STYLE];
  const exported = new Set(module.exports.flatMap((item) => (item.kind === "func" ? [item.index as number] : [])));
  module.funcs.forEach((func, i) => {
    const style = func.imported ? " style=dashed" : exported.has(i) ? " style=bold" : "";
    out.push(`  f${i} [label=${quote(funcLabel(module, i as FuncIndex))}${style}]`);
  });
  const types = firstOfType(module);
  /** Call sites through a table, by table and type: the node exists once. */
  const indirect = new Map<string, { table: number; type: number }>();
  for (const fn of funcs) {
    const callees = new Map<string, number>();
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
      for (let v = fn.firstInst[b]!; v !== NONE; v = fn.next[v]!) {
        let node: string;
        if (fn.op[v] === Op.call) node = `f${fn.imm[v]}`;
        else if (fn.op[v] === Op.call_indirect) {
          const type = types[fn.imm[v]!]!;
          node = `T${fn.imm2[v]}_t${type}`;
          indirect.set(node, { table: fn.imm2[v]!, type });
        } else continue;
        callees.set(node, (callees.get(node) ?? 0) + 1);
      }
    }
    for (const [node, sites] of callees) out.push(`  f${fn.index} -> ${node}${sites > 1 ? ` [label="${sites}"]` : ""}`);
  }
  for (const [node, { table, type }] of indirect) {
    out.push(`  ${node} [shape=diamond label=${quote(`T${table} ${printFuncType(module.types[type]!)}`)}]`);
    const members = new Set<number>();
    for (const elem of module.elems) {
      if (elem.mode.mode === "active" && elem.mode.target !== table) continue;
      for (const expr of elem.init) for (const op of expr) if (op.op === "ref.func" && types[module.funcs[op.func]!.type] === type) members.add(op.func);
    }
    for (const member of members) out.push(`  ${node} -> f${member} [style=dashed]`);
  }
  out.push("}\n");
  return out.join("\n");
}

/** Type index => the first index of an equal type. */
function firstOfType(module: Module): number[] {
  const first = new Map<string, number>();
  return module.types.map((type, i) => {
    const key = funcTypeKey(type);
    const known = first.get(key);
    if (known === undefined) first.set(key, i);
    return known ?? i;
  });
}

/** A drawing of a graph in DOT. Loads Graphviz when called. */
export async function dotToSvg(dot: string): Promise<string> {
  const { instance } = await import("@viz-js/viz");
  return (await instance()).renderString(dot, { format: "svg" });
}
