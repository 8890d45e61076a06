// A function-level profiler with counters: how often every function is entered, and how many instructions it executes.
//
// Before: b1: ...      After: b0 (entry): calls += 1, ...     b1: work += instructions of b1; ...
// Two counters a function, as globals of the module; instances are read when the report is asked for. Nothing is sampled, so
// two runs give the same numbers. `work` counts SSA instructions as translated: what the module says, at every level.
import { writeFileSync } from "node:fs";
import { definePass, firstOf, NONE, Op, Type } from "wasmlathe";

/** @returns the pass, and `report()`: rows `{ func, name, calls, work }` over all instances so far, most work first. */
export function profiler() {
  /** Of each module compiled with the pass: who is counted, and the instances. */
  const modules = [];
  const pass = definePass({
    name: "profiler",
    summary: "count calls and executed instructions of every function",
    stage: "ssa",
    scope: "func",
    before: [{ pass: "*", why: "what is counted is what the module says, not what optimization leaves of it" }],
    options: {
      report: { default: "", summary: "where the table goes when the process exits: a file, - for stderr, nothing unless given" },
      top: { default: 30, summary: "rows of that table" },
    },
    begin(module, cx) {
      const counters = new Map();
      module.funcs.forEach(({ imported, name }, func) => {
        if (imported) return;
        const counter = () => cx.edit.addGlobal({ type: Type.i64, mutable: true }, 0n);
        counters.set(func, { func, name, calls: counter(), work: counter() });
      });
      const instances = [];
      cx.edit.onInstantiate((instance) => instances.push(instance));
      modules.push({ counters, instances });
      // One report over all modules.
      if (cx.options.report !== "" && modules.length === 1) process.once("exit", () => write(cx.options.report, table(report(), cx.options.top)));
      return counters;
    },
    run(fn, cx, counters) {
      const { calls, work } = counters.get(fn.index);
      for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) {
        const first = firstOf(fn, b);
        let cost = 0;
        for (let v = first; v !== NONE; v = fn.next[v]) if (fn.op[v] !== Op.result) cost++;
        if (b === fn.entry) add(fn, first, calls, 1);
        add(fn, first, work, cost);
      }
    },
  });
  const report = () => {
    const rows = new Map();
    for (const { counters, instances } of modules) {
      for (const instance of instances) {
        for (const { func, name, calls, work } of counters.values()) {
          const row = rows.get(func) ?? { func, name, calls: 0n, work: 0n };
          row.calls += instance.global(calls).value;
          row.work += instance.global(work).value;
          rows.set(func, row);
        }
      }
    }
    return [...rows.values()].filter((row) => row.calls > 0n).sort((a, b) => (a.work < b.work ? 1 : a.work > b.work ? -1 : a.func - b.func));
  };
  return { pass, report };
}

/** `global += n` before `at`. */
function add(fn, at, global, n) {
  const before = fn.insertBefore(at, Op.global_get, Type.i64, [], global);
  const amount = fn.insertBefore(at, Op.i64_const, Type.i64, [], n, 0);
  fn.insertBefore(at, Op.global_set, Type.none, [fn.insertBefore(at, Op.i64_add, Type.i64, [before, amount])], global);
}

function table(rows, top) {
  const all = rows.reduce((sum, row) => sum + row.work, 0n);
  const line = (cells) => cells.map((cell, i) => (i < 3 ? String(cell).padStart([14, 14, 7][i]) : cell)).join("  ") + "\n";
  const text = rows.slice(0, top).map(({ func, name, calls, work }) => line([calls, work, `${((Number(work) / Number(all || 1n)) * 100).toFixed(1)} %`, `@${func}${name === undefined ? "" : ` "${name}"`}`]));
  return line(["calls", "instructions", "", "function"]) + text.join("");
}

function write(where, text) {
  if (where === "-") process.stderr.write(text);
  else writeFileSync(where, text);
}

export default profiler().pass;
