// Passes that work on blocks and edges: unreachable-code, block-params, merge-blocks, critical-edges, block-layout, dce, copy-fold.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { NONE } from "../../../ir/entity.js";
import { Func } from "../../../ir/func.js";
import { Op } from "../../../ir/ops.js";
import { Type } from "../../../ir/types.js";
import { printFunc } from "../../../ir/print.js";
import { PassRunner } from "../../../pipeline/runner.js";
import type { PassStats } from "../../../pipeline/stats.js";
import type { Module } from "../../../ir/module.js";
import { becomes, moduleText, named, parse, runPasses } from "./support.js";
import { cpuMs } from "../../cpu-time.js";

test("unreachable-code: a dead cycle goes, and its edges into live blocks", () => {
  becomes(
    ["unreachable-code"],
    "(i32) -> i32",
    `b0(v0: i32):
       br b3(v0)
     b1:
       v1 = i32.const 1
       br_if v1, b2, b3(v1)
     b2:
       br b1
     b3(v2: i32):
       return v2`,
    `b0(v0: i32):
       br b3(v0)
     b3(v2: i32):
       return v2`,
  );
});

test("block-params: one value through a loop and a merge", () => {
  becomes(
    ["block-params"],
    "(i32, i32) -> i32",
    `b0(v0: i32, v1: i32):
       br b1(v0, v1)
     b1(v2: i32, v3: i32):
       br_if v3, b2(v2), b3(v2)
     b2(v4: i32):
       v9 = i32.const 1
       v10 = i32.sub v3, v9
       br b1(v4, v10)
     b3(v5: i32):
       return v5`,
    `b0(v0: i32, v1: i32):
       br b1(v1)
     b1(v3: i32):
       br_if v3, b2, b3
     b2:
       v9 = i32.const 1
       v10 = i32.sub v3, v9
       br b1(v10)
     b3:
       return v0`,
  );
});

test("block-params: parameters that differ stay, also when one of their arguments is replaced", () => {
  becomes(
    ["block-params"],
    "(i32, i32) -> i32",
    `b0(v0: i32, v1: i32):
       br_if v0, b1(v0), b2(v1)
     b1(v2: i32):
       br b3(v2)
     b2(v3: i32):
       br b3(v3)
     b3(v4: i32):
       return v4`,
    `b0(v0: i32, v1: i32):
       br_if v0, b1, b2
     b1:
       br b3(v0)
     b2:
       br b3(v1)
     b3(v4: i32):
       return v4`,
  );
});

test("block-params: replacements in a nest of loops reach each other", () => {
  becomes(
    ["block-params"],
    "(i32, i32) -> i32",
    `b0(v0: i32, v1: i32):
       br b1(v0)
     b1(v2: i32):
       br b2(v2)
     b2(v3: i32):
       br_if v1, b3(v3), b4(v3)
     b3(v4: i32):
       br b2(v4)
     b4(v5: i32):
       br_if v1, b1(v5), b5
     b5:
       return v5`,
    `b0(v0: i32, v1: i32):
       br b1
     b1:
       br b2
     b2:
       br_if v1, b3, b4
     b3:
       br b2
     b4:
       br_if v1, b1, b5
     b5:
       return v0`,
  );
});

test("merge-blocks: straight lines are joined, parameters replaced by arguments of arguments", () => {
  becomes(
    ["merge-blocks"],
    "(i32) -> i32",
    `b0(v0: i32):
       v1 = i32.const 1
       br b1(v1)
     b1(v2: i32):
       v3 = i32.add v0, v2
       br b2(v3, v2)
     b2(v4: i32, v5: i32):
       v6 = i32.mul v4, v5
       return v6`,
    `b0(v0: i32):
       v1 = i32.const 1
       v3 = i32.add v0, v1
       v6 = i32.mul v3, v1
       return v6`,
  );
});

test("merge-blocks: an empty block is skipped, but not where a branch would get arguments", () => {
  becomes(
    ["merge-blocks"],
    "(i32) -> i32",
    `b0(v0: i32):
       br_if v0, b1, b2
     b1:
       br b4
     b2:
       v1 = i32.const 3
       br_if v1, b3, b5(v0)
     b3:
       br b5(v1)
     b4:
       call @0()
       br b5(v0)
     b5(v2: i32):
       return v2`,
    `b0(v0: i32):
       br_if v0, b4, b2
     b2:
       v1 = i32.const 3
       br_if v1, b3, b5(v0)
     b3:
       br b5(v1)
     b4:
       call @0()
       br b5(v0)
     b5(v2: i32):
       return v2`,
  );
});

test("critical-edges: only edges from a branch into a merge get a block", () => {
  becomes(
    ["critical-edges"],
    "(i32) -> i32",
    `b0(v0: i32):
       br_if v0, b1(v0), b2
     b1(v1: i32):
       return v1
     b2:
       v2 = i32.const 1
       br b1(v2)`,
    `b0(v0: i32):
       br_if v0, b3, b2
     b3:
       br b1(v0)
     b1(v1: i32):
       return v1
     b2:
       v2 = i32.const 1
       br b1(v2)`,
  );
});

test("critical-edges: two edges of one branch into one block, and the shared edge of a table", () => {
  const { module, fn } = parse(
    moduleText(
      "(i32) -> i32",
      `b0(v0: i32):
         br_table v0, [b1(v0), b2, b1(v0)], b3
       b1(v1: i32):
         return v1
       b2:
         br_if v0, b3, b3
       b3:
         br b1(v0)`,
    ),
  );
  runPasses(module, fn, ["critical-edges"]);
  let multi = 0;
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
    for (let e = fn.firstPred[b]!; e !== NONE; e = fn.edgeNextPred[e]!) {
      const from = fn.lastInst[fn.edgeFrom[e]!]!;
      if (fn.op[from] !== Op.br && fn.edgeNextPred[fn.firstPred[b]!] !== NONE) multi++;
    }
  }
  assert.is(multi, 0, printFunc(fn));
});

test("block-layout: a loop is contiguous, a trap comes last, the source's order decides the rest", () => {
  const order = (text: string) => [...text.matchAll(/^(b\d+)/gm)].map((match) => match[1]).join(" ");
  const { module, fn } = parse(
    moduleText(
      "(i32) -> i32",
      `b0(v0: i32):
         br b1
       b1:
         br_if v0, b2, b5
       b2:
         br_if v0, b6, b3
       b3:
         unreachable
       b4:
         return v0
       b5:
         br_if v0, b7, b4
       b6:
         br_if v0, b1, b8
       b7:
         br b1
       b8:
         br b4`,
    ),
  );
  runPasses(module, fn, ["block-layout"]);
  assert.is(order(printFunc(fn)), "b0 b1 b2 b6 b5 b7 b8 b4 b3");
});

test("dce: unused values, parameters and what only they used; traps, stores and calls stay", () => {
  becomes(
    ["dce"],
    "(i32, i32) -> i32",
    `b0(v0: i32, v1: i32):
       v2 = i32.add v0, v1
       v3 = i32.mul v2, v2
       v4 = i32.div_u v0, v1
       v5 = i32.const 7
       v6 = i32.div_u v0, v5
       v7 = i32.load v0, m0
       v8: i32 = global.get g0
       i32.store v0, m0, v1
       call @0()
       br b1(v0, v3)
     b1(v9: i32, v10: i32):
       br_if v9, b1(v1, v10), b2
     b2:
       return v9`,
    `b0(v0: i32, v1: i32):
       v4 = i32.div_u v0, v1
       v7 = i32.load v0, m0
       i32.store v0, m0, v1
       call @0()
       br b1(v0)
     b1(v9: i32):
       br_if v9, b1(v1), b2
     b2:
       return v9`,
  );
});

test("copy-fold: chains, also into edge arguments", () => {
  becomes(
    ["copy-fold"],
    "(i32) -> i32",
    `b0(v0: i32):
       v1: i32 = copy v0
       v2: i32 = copy v1
       v3 = i32.add v2, v1
       br b1(v2)
     b1(v4: i32):
       v5: i32 = copy v3
       v6 = i32.add v4, v5
       return v6`,
    `b0(v0: i32):
       v3 = i32.add v0, v0
       br b1(v0)
     b1(v4: i32):
       v6 = i32.add v4, v3
       return v6`,
  );
});

/** b0 branches to `width` blocks in turn, all of which enter one block with `params` parameters. */
function manyPredecessors(width: number, same: boolean): Func {
  const sig = { params: [Type.i32, Type.i32], results: [Type.i32] };
  const fn = new Func(0 as never, 0 as never, sig, undefined, width * 4);
  const entry = fn.newBlock();
  const x = fn.addParam(entry, Type.i32);
  const y = fn.addParam(entry, Type.i32);
  const join = fn.newBlock();
  const p = fn.addParam(join, Type.i32);
  fn.append1(join, Op.return_, Type.none, p);
  let at = entry;
  for (let i = 0; i < width; i++) {
    const out = fn.newEdge(at, join);
    fn.pushEdgeArg(out, same || i % 2 ? x : y);
    const next = fn.newBlock();
    const on = fn.newEdge(at, next);
    fn.append1(at, Op.br_if, Type.none, x, out, on);
    at = next;
  }
  const last = fn.newEdge(at, join);
  fn.pushEdgeArg(last, x);
  fn.append0(at, Op.br, Type.none, last);
  return fn;
}

/** As runPasses, without the verifier, so that time is the passes'. */
function runPassesUnverified(module: Module, fn: Func, names: readonly string[]): PassStats[] {
  const stats: PassStats[] = [];
  const runner = new PassRunner(module, names.map(named), [], { verify: false, passOptions: {} }, stats);
  for (const phase of runner.phases) runner.runFunc(phase, fn, () => undefined);
  return stats;
}

test("100,000 predecessors: every pass on blocks stays linear", () => {
  for (const same of [true, false]) {
    const { module } = parse(moduleText("(i32, i32) -> i32", "b0(v0: i32, v1: i32):\n return v0"));
    const fn = manyPredecessors(100_000, same);
    const started = cpuMs();
    const stats = runPassesUnverified(module, fn, ["unreachable-code", "block-params", "merge-blocks", "dce", "critical-edges", "block-layout"]);
    const seconds = (cpuMs() - started) / 1000;
    assert.is(stats.find((one) => one.name === "block-params")!.counts["params"] ?? 0, same ? 1 : 0);
    if (process.env["TIMES"]) console.log(stats);
    assert.ok(seconds < 5, `${seconds} s`);
  }
});

test.run();
