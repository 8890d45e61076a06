// Coverage: how often every basic block ran, which functions were called from where; a report as lcov has it.
//
// Before: b1: ...      After: b1: count[b1] += 1, ...
// One counter a block, a global of the module each, read from the instances when a report is asked for. In the report a
// "line" is a byte offset of the module: what `lathe dump --stage wasm` prints on the left.
import { writeFileSync } from "node:fs";
import { definePass, firstOf, NONE, Op, Type } from "wasmlathe";

/** @returns the pass; `functions()`: what ran; `calls()`: the call graph as far as it ran; `lcov(source)`: the report as text. */
export function coverage() {
  const modules = [];
  const pass = definePass({
    name: "coverage",
    summary: "count how often every basic block runs",
    stage: "ssa",
    scope: "module",
    before: [{ pass: "*", why: "blocks are counted as the module has them" }],
    options: {
      report: { default: "", summary: "where the lcov report goes when the process exits: a file, - for stderr, nothing unless given" },
      source: { default: "module.wasm", summary: "what the report calls the module" },
    },
    run(funcs, cx) {
      const instances = [];
      cx.edit.onInstantiate((instance) => instances.push(instance));
      const covered = funcs.map((fn) => coverFunction(fn, cx));
      modules.push({ covered, instances, nameOf: (index) => label(cx.module, index) });
      if (cx.options.report !== "" && modules.length === 1) process.once("exit", () => write(cx.options.report, lcov(cx.options.source)));
    },
  });
  const functions = () =>
    modules.flatMap(({ covered, instances, nameOf }) =>
      covered.map(({ func, blocks, offset }) => {
        const counted = blocks.map(({ counter, ...block }) => ({ ...block, count: instances.reduce((sum, instance) => sum + instance.global(counter).value, 0n) }));
        return { func, name: nameOf(func), offset, calls: counted[0].count, blocks: counted };
      }),
    );
  const calls = () => {
    const edges = [];
    for (const fn of functions()) {
      for (const block of fn.blocks) {
        if (block.count === 0n) continue;
        for (const site of block.calls) edges.push({ from: fn.name, ...site, count: block.count });
      }
    }
    return edges;
  };
  const lcov = (source) => {
    const fns = functions();
    const out = ["TN:", `SF:${source}`];
    for (const fn of fns) out.push(`FN:${fn.offset},${fn.name}`);
    for (const fn of fns) out.push(`FNDA:${fn.calls},${fn.name}`);
    out.push(`FNF:${fns.length}`, `FNH:${fns.filter((fn) => fn.calls > 0n).length}`);
    // Several blocks may start at one offset (a merge is made where its branches end): a line ran as often as they together.
    const lines = new Map();
    for (const fn of fns) for (const block of fn.blocks) lines.set(block.offset, (lines.get(block.offset) ?? 0n) + block.count);
    for (const [offset, count] of [...lines].sort(([a], [b]) => a - b)) out.push(`DA:${offset},${count}`);
    out.push(`LF:${lines.size}`, `LH:${[...lines.values()].filter((count) => count > 0n).length}`, "end_of_record", "");
    return out.join("\n");
  };
  return { pass, functions, calls, lcov };
}

function coverFunction(fn, cx) {
  const blocks = [];
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) {
    const counter = cx.edit.addGlobal({ type: Type.i64, mutable: true }, 0n);
    const first = firstOf(fn, b);
    const calls = [];
    let offset = 0;
    for (let v = first; v !== NONE; v = fn.next[v]) {
      if (offset === 0) offset = fn.offset[v];
      if (fn.op[v] === Op.call) calls.push({ to: label(cx.module, fn.imm[v]), offset: fn.offset[v] });
      else if (fn.op[v] === Op.call_indirect) calls.push({ to: `table ${fn.imm2[v]}, type ${fn.imm[v]}`, offset: fn.offset[v] });
    }
    const before = fn.insertBefore(first, Op.global_get, Type.i64, [], counter);
    const one = fn.insertBefore(first, Op.i64_const, Type.i64, [], 1, 0);
    fn.insertBefore(first, Op.global_set, Type.none, [fn.insertBefore(first, Op.i64_add, Type.i64, [before, one])], counter);
    blocks.push({ counter, offset, calls });
    cx.count("blocks");
  }
  return { func: fn.index, offset: cx.module.funcs[fn.index].bodyStart, blocks };
}

function label(module, index) {
  return module.funcs[index].name ?? `@${index}`;
}

function write(where, text) {
  if (where === "-") process.stderr.write(text);
  else writeFileSync(where, text);
}

export default coverage().pass;
