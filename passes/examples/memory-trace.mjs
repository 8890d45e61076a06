// Memory-access tracing: which addresses loads and stores touch, from where, how often.
//
// Before: v2 = i32.load v1, m0, offset=8
// After:  if (on) call @trace(site, v1); v2 = i32.load v1, m0, offset=8
// The call goes to JavaScript and is slow; `on` is a global that the trace itself turns off after `limit` events, and then an
// access costs a load and a branch more. Every site has a number, in the order of the module.
import { writeFileSync } from "node:fs";
import { definePass, endWithBr, endWithBrIf, memoryAccess, NONE, Op, opInfo, splitBefore, Type } from "wasmlathe";

/**
 * @returns the pass, and `events` (`{ site, address }`, address with the static offset added, in bytes) and `sites`
 * (`{ func, name, op, offset, bytes, count }`; `offset` is the Wasm byte offset).
 */
export function memoryTrace() {
  const events = [];
  const sites = [];
  let reported = false;
  const pass = definePass({
    name: "memory-trace",
    summary: "record the address of every load and store",
    stage: "ssa",
    scope: "func",
    before: [{ pass: "*", why: "accesses are seen as the module has them" }],
    options: {
      limit: { default: 100_000, summary: "events that are recorded; then tracing stops" },
      func: { default: "", summary: "only accesses in the function of this name; default all" },
      report: { default: "", summary: "where events go when the process exits, a line each: a file, - for stderr, nothing unless given" },
    },
    begin(module, cx) {
      const on = cx.edit.addGlobal({ type: Type.i32, mutable: true }, 1);
      const hook = cx.edit.addImportFunc("lathe:memory-trace", "trace", { params: [Type.i32, Type.i32], results: [] });
      const instances = [];
      cx.edit.onInstantiate((instance) => instances.push(instance));
      const { limit, report } = cx.options;
      cx.edit.provide(hook, (site, address) => {
        sites[site].count++;
        events.push({ site, address: (address >>> 0) + sites[site].displacement });
        if (events.length === limit) for (const instance of instances) instance.global(on).value = 0;
      });
      // One report over all modules.
      if (report !== "" && !reported) process.once("exit", () => write(report, lines(events, sites)));
      reported ||= report !== "";
      return { on, hook };
    },
    run(fn, cx, { on, hook }) {
      if (cx.options.func !== "" && cx.options.func !== fn.name) return;
      const accesses = [];
      for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) {
        for (let v = fn.firstInst[b]; v !== NONE; v = fn.next[v]) if (memoryAccess(fn.op[v])) accesses.push(v);
      }
      for (const v of accesses) {
        const { bytes } = memoryAccess(fn.op[v]);
        const site = sites.push({ func: fn.index, name: fn.name, op: opInfo[fn.op[v]].name, offset: fn.offset[v], displacement: fn.imm[v] >>> 0, bytes, count: 0 }) - 1;
        const head = fn.block[v];
        const condition = fn.insertBefore(v, Op.global_get, Type.i32, [], on);
        const rest = splitBefore(fn, v);
        const call = fn.newBlock();
        const number = fn.append0(call, Op.i32_const, Type.i32, site, 0, fn.offset[v]);
        fn.append2(call, Op.call, Type.none, number, fn.arg(v, 0), hook, 0, fn.offset[v]);
        endWithBr(fn, call, rest);
        endWithBrIf(fn, head, condition, call, rest);
        cx.count("accesses");
      }
    },
  });
  return { pass, events, sites };
}

function lines(events, sites) {
  return events.map(({ site, address }) => `0x${address.toString(16).padStart(8, "0")} ${sites[site].op} @${sites[site].func}${sites[site].name === undefined ? "" : ` "${sites[site].name}"`} !0x${sites[site].offset.toString(16)}\n`).join("");
}

function write(where, text) {
  if (where === "-") process.stderr.write(text);
  else writeFileSync(where, text);
}

export default memoryTrace().pass;
