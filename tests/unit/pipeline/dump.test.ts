// Dumps as data and drawings, the IR behind single steps, comparisons of steps.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { loadDisassembler, printAsmLines } from "../../../pipeline/dump/asm.js";
import { compareSteps, printState, stateBehind } from "../../../pipeline/dump/compare.js";
import { callsDot, cfgDot, domDot, dotToSvg } from "../../../pipeline/dump/graph.js";
import { funcJson, type CodeJson, type FuncJson, type MFuncJson } from "../../../pipeline/dump/json.js";
import { isRecorded, type Recorded } from "../../../pipeline/dump/stages.js";
import { parseDumpRequest, StepDump } from "../../../pipeline/dump/step-dump.js";
import { compile, compileSync, Op, parseModule, printFunc, verifyFunc, verifyModule, type FuncIndex } from "../../../pipeline/index.js";
import { watToBytes } from "../../../pipeline/frontend/wat.js";
import { findFunc } from "../../../pipeline/cli/input.js";
import { hostTarget } from "../../../pipeline/targets.js";

const test = suite("dumps");

const wat = `(module
  (type $u (func (param i32) (result i32)))
  (import "m" "log" (func $log (param i32)))
  (memory 1) (table 3 funcref) (elem (i32.const 0) $double $sum)
  (func $double (type $u) (i32.xor (local.get 0) (i32.const 2)))
  (func $sum (export "sum") (param $n i32) (result i32) (local $s i32)
    (loop $l
      (local.set $s (i32.add (local.get $s) (i32.add (i32.const 0) (i32.load (local.get $n)))))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 4)))))
    (call $log (local.get $s))
    (call_indirect (type $u) (local.get $s) (i32.const 0))))`;
const bytes = await watToBytes(wat);
const target = hostTarget()!;
const sum = 2 as FuncIndex;

async function recorded(): Promise<Recorded> {
  const compilation = await compile(bytes, { record: true, features: [] });
  if (!isRecorded(compilation)) throw new Error("not recorded");
  return compilation;
}

test("assembly: branches name labels, numbers and calls do not; every line knows its Wasm offset", async () => {
  const text = `(module (func $g) (func (export "f") (param i32) (result i32)
    (call $g) (loop $l (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))) (i32.const 0)))`;
  for (const name of ["amd64", "arm64"]) {
    const compilation = await compile(text, { record: true, target: name, features: [] });
    if (!isRecorded(compilation)) throw new Error("not recorded");
    const disassembler = await loadDisassembler(compilation.target);
    const code = compilation.history.current.funcs[1]!.code!;
    const lines = printAsmLines(code, compilation.module, compilation.layout, compilation.target, disassembler);
    const all = lines.map((line) => line.text).join("\n");
    assert.match(all, /^L0:/m, `${name}\n${all}`);
    assert.match(all, /^ .*\bL0( |$)/m, name);
    assert.not.match(all, /mov \w+, #?L\d|(call|bl) #?L\d/, name);
    assert.match(all, /(call|bl) .*; .*@0 "g"/, name);
    const call = compilation.history.at(1).funcs[1]!.ssa!;
    const offset = call.offset[[...call.op].indexOf(Op.call)]!;
    assert.ok(lines.some((line) => line.offset === offset && /(call|bl) /.test(line.text)), name);
    disassembler.close();
  }
});

test("requests: a step, a function, names that hold colons", () => {
  const steps = ["translate", "gvn", "binaryen:O2", "emit"];
  assert.equal(parseDumpRequest("gvn", steps), { step: "gvn", func: undefined });
  assert.equal(parseDumpRequest("gvn:sum", steps), { step: "gvn", func: "sum" });
  assert.equal(parseDumpRequest("all:a:b", steps), { step: "all", func: "a:b" });
  assert.equal(parseDumpRequest("binaryen:O2:sum", steps), { step: "binaryen:O2", func: "sum" });
  assert.throws(() => parseDumpRequest("gnv", steps), /not "gnv"; the steps are all, translate, gvn/);
  assert.throws(() => parseDumpRequest("gvn:", steps), /not "gvn:"/);
});

test("a step's text is what the IR was there; what changed nothing is one line", () => {
  let text = "";
  const dump = new StepDump([{ step: "all", func: "sum" }], findFunc, target, undefined, (part) => (text += part));
  const seen: string[] = [];
  compileSync(bytes, { observe: { begin: (module) => dump.begin(module), ssa: (fn, pass, changed) => { dump.ssa(fn, pass, changed); if (fn.index === sum && changed) seen.push(printFunc(fn)); } } });
  const parts = text.split(/^; ---- /m).slice(1);
  assert.is(parts[0]!.split("\n")[0], '@2 "sum" behind translate');
  assert.is(parts.filter((part) => part.split("\n").length > 2).length, seen.length);
  for (const part of parts) {
    const lines = part.split("\n");
    assert.is(lines.length === 2, lines[0]!.endsWith(": nothing changed"), lines[0]);
  }
  assert.not.match(text, /@1 "double" behind/);
});

test("one function behind one pass is shown, changed or not", () => {
  let text = "";
  const dump = new StepDump([{ step: "canonicalize-types", func: "@2" }], findFunc, target, undefined, (part) => (text += part));
  compileSync(bytes, { observe: dump });
  assert.match(text, /^; ---- @2 "sum" behind canonicalize-types: nothing changed\nfunc @2 "sum"/);
});

test("data holds what the text says", async () => {
  const disassembler = await loadDisassembler(target);
  const dump = new StepDump([{ step: "all", func: undefined }], findFunc, target, disassembler, undefined);
  compileSync(bytes, { observe: dump });
  disassembler.close();
  const of = (step: string) => dump.collected.find((one) => one.step === step && one.func === sum)!.ir!;
  const ssa = of("translate") as FuncJson;
  assert.is(ssa.name, "sum");
  assert.equal(ssa.blocks[0]!.params, [{ value: 0, type: "i32" }]);
  const header = ssa.blocks.find((block) => block.loopHeader)!;
  assert.is(header.loopDepth, 1);
  assert.ok(header.preds.length === 2 && header.idom !== undefined);
  const load = header.insts.find((inst) => inst.op === "i32.load")!;
  assert.is(load.type, "i32");
  assert.ok(load.offset! > 0);
  assert.ok(load.text.startsWith(`v${load.value} = i32.load v${load.args[0]}, m0`), load.text);
  const branch = header.insts.at(-1)!;
  assert.ok(branch.targets!.some((target) => target.block === header.block && target.args.length === header.params.length));
  const machine = of("lower") as MFuncJson;
  assert.not(machine.allocated);
  const allocated = of("allocate") as MFuncJson;
  assert.ok(allocated.allocated && allocated.blocks.every((block) => block.insts.every((inst) => inst.operands.every(({ at }) => !/^v\d/.test(at)))));
  const code = of("emit") as CodeJson;
  assert.is(code.insts.reduce((total, inst) => total + inst.hex.length / 2, 0), code.bytes);
  assert.ok(code.insts.some((inst) => inst.offset === load.offset));
  assert.equal(JSON.parse(JSON.stringify(dump.collected)), dump.collected);
});

test("control flow, dominators and calls are drawn", async () => {
  const { history } = await recorded();
  const state = stateBehind(history, "block-layout");
  const fn = state.funcs[sum]!.ssa!;
  const cfg = cfgDot(fn);
  assert.match(cfg, /subgraph cluster_0 \{/);
  assert.match(cfg, /b3 -> b1 \[label="\(v\d+, v\d+\)" constraint=false style=bold\]/);
  assert.match(domDot(fn), /b0 -> b\d/);
  const calls = callsDot(state.module, Object.values(state.funcs).map((func) => func.ssa!));
  assert.match(calls, /f2 -> f0/);
  assert.match(calls, /f2 -> T0_t\d/);
  // Of the two functions in the table one has the type of the call, and so has the other: both are possible callees.
  assert.is(calls.match(/-> f\d+ \[style=dashed\]/g)!.length, 2);
  for (const dot of [cfg, domDot(fn), calls]) assert.match(await dotToSvg(dot), /^<\?xml[\s\S]*<svg[\s\S]*<\/svg>\s*$/);
});

test("drawings of deep nests and long chains end, and do not recurse", async () => {
  const depth = 3000;
  const deep = await watToBytes(`(module (func (export "f") (param i32) ${"(loop ".repeat(300)} (br_if 0 (local.get 0)) ${")".repeat(300)}))`);
  const one = compileSync(deep, { record: true }).history!.after("translate")!.funcs[0]!.ssa!;
  assert.is(cfgDot(one).match(/\{/g)!.length, cfgDot(one).match(/\}/g)!.length);
  const chain = await watToBytes(`(module (func (export "f") (param i32) ${"(if (local.get 0) (then (memory.size) (drop)))".repeat(depth)}) (memory 1))`);
  const long = compileSync(chain, { record: true }).history!.after("translate")!.funcs[0]!.ssa!;
  assert.is(domDot(long).match(/ -> /g)!.length + 1, funcJson(long).blocks.length);
});

test("two steps compared: what differs is shown with context, what does not is counted", async () => {
  const compilation = await recorded();
  const all = compareSteps(compilation, "translate", "simplify");
  assert.match(all, /^@2 "sum": translate -> simplify$/m);
  assert.match(all, /^- .*i32\.add/m);
  assert.match(all, /^; 1 of 2 functions are the same/m);
  assert.match(compareSteps(compilation, "translate", "simplify", [1 as FuncIndex]), /^@1 "double": no difference$/m);
  assert.match(compareSteps(compilation, "lower", "allocate", [sum]), /^\+ +frame /m);
  assert.throws(() => compareSteps(compilation, "gvn", "lower"), /SSA compares with SSA/);
  assert.throws(() => compareSteps(compilation, "gvn", "nope"), /there is no step "nope"; the steps are translate, /);
});

test("a pass that runs twice: #1 is its first run", async () => {
  const compilation = await compile(bytes, { record: true, pipeline: ["canonicalize-types", "unreachable-code", "dce", "simplify", "dce", "critical-edges", "block-layout"] });
  const history = compilation.history!;
  assert.is(stateBehind(history, "dce#1").revision, 4);
  assert.is(stateBehind(history, "dce#2").revision, 6);
  assert.is(stateBehind(history, "dce").revision, 6);
  assert.throws(() => stateBehind(history, "dce#3"), /dce#1, simplify, dce#2/);
});

test("the text behind a step stands for itself", async () => {
  const { history } = await recorded();
  const { module, funcs } = parseModule(printState(stateBehind(history, "gvn"), "gvn"));
  assert.equal([...verifyModule(module), ...funcs.flatMap((fn) => verifyFunc(fn, module))], []);
  assert.is(funcs.length, 2);
});

test.run();
