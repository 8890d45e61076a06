// Passes from files: JavaScript and TypeScript, far from any node_modules; options by their declared types; config files; refusals.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compile, compileSync, findConfig, instantiate, loadConfig, loadPasses, type CompileOptions } from "../../../pipeline/index.js";
import { commandScript } from "../../command.js";

const folder = mkdtempSync(path.join(tmpdir(), "lathe-user-passes-"));
const write = (name: string, text: string): string => {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
};
test.after(() => rmSync(folder, { recursive: true }));

const wat = '(module (func (export "f") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))';
write("f.wat", wat);
const f = async (options: CompileOptions) => (instantiate(await compile(wat, options)).exports["f"] as (a: number, b: number) => number)(50, 8);

const sub = write("sub.mjs", `
import { definePass, Op, NONE } from "wasmlathe";
export default definePass({
  name: "sub", summary: "adds subtract", stage: "ssa", scope: "func",
  options: { off: { default: false, summary: "change nothing" }, by: { default: 0, summary: "added to it" }, label: { default: "n", summary: "of the count" } },
  run(fn, cx) {
    if (cx.options.off) return;
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b])
      for (let v = fn.firstInst[b]; v !== NONE; v = fn.next[v])
        if (fn.op[v] === Op.i32_add) {
          const by = fn.insertBefore(v, Op.i32_const, 1, [], cx.options.by);
          fn.become(v, Op.i32_sub, [fn.arg(v, 0), fn.insertBefore(v, Op.i32_add, 1, [fn.arg(v, 1), by])]);
          cx.count(cx.options.label);
          return;
        }
  },
});`);

test("a file of JavaScript; its import of the package is the running one", async () => {
  assert.is(await f({ passes: [sub] }), 42);
  assert.is(await f({ passes: await loadPasses(sub), level: 0 }), 42);
  const { stats } = await compile(wat, { passes: [`${sub},label=adds,by=-8`] });
  assert.equal(stats.passes.find((pass) => pass.name === "sub")!.counts, { adds: 1 });
});

test("options behind the file are read by the types of their defaults", async () => {
  assert.is(await f({ passes: [`${sub},off`] }), 58);
  assert.is(await f({ passes: [`${sub},off=true`] }), 58);
  assert.is(await f({ passes: [`${sub},by=2,off=false`] }), 40);
  assert.is(await f({ passes: [`${sub},by=2`], passOptions: { sub: { by: 9, label: "x" } } }), 40, "the words of a request go on top of passOptions");
  const refused = async (spec: string, words: RegExp) => {
    const error = await compile(wat, { passes: [spec] }).then(() => undefined, (reason: Error) => reason);
    assert.match(String(error?.message), words);
  };
  await refused(`${sub},often=2`, /the pass "sub" has no option "often"; it has off \(boolean\), by \(number\), label \(string\)/);
  await refused(`${sub},by=many`, /the option by of the pass "sub" is a number, not "many"/);
  await refused(`${sub},by`, /is a number, not empty/);
  await refused(`${sub},off=1`, /is a boolean, not "1"/);
  await refused("gvn,x=1", /the pass "gvn" has no option "x"; it has none/);
});

test("a file of TypeScript, with types, an enum, and a second file beside it", async () => {
  write("ts/rules.ts", "export const wanted = (op: number, add: number): boolean => op === add;");
  const file = write("ts/pass.ts", `
import { definePass, Func, NONE, Op, type Value } from "wasmlathe";
import { wanted } from "./rules.js";
enum Answer { yes = 1 }
const swap = definePass({
  name: "swap-operands", summary: "x", stage: "ssa", scope: "func",
  run(fn: Func, cx): void {
    for (let b: number = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!)
      for (let v: number = fn.firstInst[b]!; v !== NONE; v = fn.next[v]!)
        if (wanted(fn.op[v]!, Op.i32_add)) { fn.become(v as Value, Op.i32_sub, [fn.arg(v as Value, 1), fn.arg(v as Value, 0)]); cx.count("swapped", Answer.yes); }
  },
});
export default [swap];`);
  assert.is(await f({ passes: [file] }), -42);
});

test("an analysis of one's own, and an order with a reason", async () => {
  const file = write("analysis.mjs", `
import { defineAnalysis, definePass } from "wasmlathe";
let runs = 0;
const size = defineAnalysis({ name: "size", depends: "values", run: (fn) => ({ values: fn.valueCount, runs: ++runs }) });
export default definePass({
  name: "measure", summary: "x", stage: "ssa", scope: "func",
  after: [{ pass: "gvn", why: "it counts what is left" }], before: [{ pass: "dce", why: "dead code is counted, too" }],
  run(fn, cx) { if (cx.get(size, fn).runs !== cx.get(size, fn).runs) throw new Error("not cached"); cx.count("values", cx.get(size, fn).values); },
});`);
  const { stats, settings } = await compile(wat, { passes: [file] });
  const order = settings.schedule.ssa.map((pass) => pass.name);
  assert.ok(order.indexOf("measure") > order.indexOf("gvn") && order.indexOf("measure") < order.indexOf("dce"));
  assert.ok(stats.passes.find((pass) => pass.name === "measure")!.counts["values"]! >= 4);
});

test("what is no pass is refused with the file's name", async () => {
  const refused = async (name: string, text: string | undefined, words: RegExp) => {
    const file = text === undefined ? path.join(folder, name) : write(name, text);
    const error = await loadPasses(file).then(() => undefined, (reason: Error) => reason);
    assert.ok(error?.message.includes(file), `${error?.message} does not name ${file}`);
    assert.match(error!.message, words);
  };
  const pass = (fields: string) => `export default { name: "x", summary: "x", stage: "ssa", scope: "func", run() {}, ${fields} };`;
  await refused("none.mjs", undefined, /there is no file/);
  await refused("nothing.mjs", "export const x = 1;", /no default export/);
  await refused("empty.mjs", "export default [];", /empty array/);
  await refused("five.mjs", "export default 5;", /made by definePass, not a number/);
  await refused("syntax.mjs", "export default {", /cannot be loaded: Unexpected/);
  await refused("syntax.ts", "export default {", /cannot be loaded: .*Unexpected|cannot be loaded: Transform failed/);
  await refused("missing.mjs", 'import "./not-there.mjs";', /cannot be loaded: Cannot find module/);
  await refused("throws.mjs", 'throw new Error("not today");', /cannot be loaded: not today/);
  await refused("name.mjs", pass('name: "My Pass"'), /cannot name a pass/);
  await refused("stage.mjs", pass('stage: "SSA"'), /stage is "wasm", "ssa" or "machine", not "SSA"/);
  await refused("scope.mjs", pass('stage: "machine", scope: "module"'), /scope of a pass of stage machine is "func", not "module"/);
  await refused("run.mjs", pass("run: 5"), /run is a function, not a number/);
  await refused("begin.mjs", pass('scope: "module", begin() {}'), /begin is a function, and only passes of stage ssa and scope func/);
  await refused("after.mjs", pass('after: ["gvn"]'), /after is a list of { pass: "name", why: "reason" }/);
  await refused("option.mjs", pass("options: { depth: 3 }"), /the option depth is { default/);
  await refused("typo.mjs", pass('befor: []'), /"befor" is no property of a pass/);
  assert.throws(() => compileSync(new Uint8Array(), { passes: ["./x.mjs"] }), /"\.\/x\.mjs" is a file: compile\(\) loads it/);
});

test("a config file is found upwards; its paths start from its folder; the command goes on top", async () => {
  const file = write("project/lathe.config.mjs", 'export default { level: 0, passes: ["../sub.mjs,by=1"] };');
  mkdirSync(path.join(folder, "project/deep/er"), { recursive: true });
  assert.is(findConfig(path.join(folder, "project/deep/er")), file);
  assert.is(await f(await loadConfig(file)), 41);
  write("project/deep/er/my.mjs", 'import { definePass } from "wasmlathe"; export default definePass({ name: "my", summary: "", stage: "ssa", scope: "func", run() {} });');
  const wrong = write("wrong.config.mjs", "export default { levle: 0 };");
  const error = await loadConfig(wrong).then(() => undefined, (reason: Error) => reason);
  assert.match(String(error?.message), /there is no option "levle"; there are level/);
  const lathe = (...args: string[]) =>
    execFileSync(process.execPath, [commandScript(), ...args], { cwd: path.join(folder, "project/deep/er"), encoding: "utf8" });
  const wasm = path.join(folder, "f.wat");
  assert.is(lathe("run", wasm, "--pass", "./my.mjs", "--pass-option", "sub.by=3", "--invoke", "f", "50", "8"), "39\n");
  assert.match(lathe("passes", "--no-config", "--pass", "../../../sub.mjs"), /from .*sub\.mjs\n {2}runs behind canonicalize-types, before unreachable-code\n {2}option off \(default false\)/);
});

test.run();
