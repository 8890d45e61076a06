// canonicalize-types: what it rewrites in declarations and bodies, and that running it again changes nothing.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { NONE } from "../../../ir/entity.js";
import { Op } from "../../../ir/ops.js";
import { parseModule } from "../../../ir/parse.js";
import { printModule } from "../../../ir/print.js";
import { verifyFunc, verifyModule } from "../../../ir/verify.js";
import { runPasses } from "./support.js";

const text = `type t0 = (i32) -> i32
type t1 = () -> ()
type t2 = (i32) -> i32
type t3 = (i64) -> i32
type t4 = () -> ()
type t5 = (i64) -> i32
import @0 = "env" "same": t2
import @1 = "env" "none": t4
func @2: t5
func @3: t2
table T0: funcref, 4..4
func @3: t2 (i32) -> i32 {
b0(v0: i32):
  v1: i32 = call_indirect t2, T0, v0(v0)
  v2 = i64.const 1
  v3: i32 = call_indirect t5, T0, v0(v2)
  call_indirect t4, T0, v0()
  v4: i32 = call @0(v1)
  v5 = i32.add v3, v4
  return v5
}
`;

test("duplicates fold: imports, own functions, indirect calls, the function's own type", () => {
  const { module, funcs } = parseModule(text);
  const fn = funcs[0]!;
  const [stats] = runPasses(module, fn, ["canonicalize-types"]);
  assert.is(module.types.length, 3);
  assert.equal(module.funcs.map((func) => Number(func.type)), [0, 1, 2, 0]);
  assert.is(Number(fn.sigIndex), 0);
  const called: number[] = [];
  for (let v = fn.firstInst[fn.entry]!; v !== NONE; v = fn.next[v]!) if (fn.op[v] === Op.call_indirect) called.push(fn.imm[v]!);
  assert.equal(called, [0, 2, 1]);
  assert.equal(stats!.counts, { types: 3, references: 4 });
  assert.equal(verifyModule(module), []);
  assert.equal(verifyFunc(fn, module), []);
});

test("idempotent: a second run changes neither text nor stamps", () => {
  const { module, funcs } = parseModule(text);
  const fn = funcs[0]!;
  runPasses(module, fn, ["canonicalize-types"]);
  const once = printModule(module, [fn]);
  const stamps = [fn.valueVersion, fn.cfgVersion];
  const [stats] = runPasses(module, fn, ["canonicalize-types", "canonicalize-types"]);
  assert.is(printModule(module, [fn]), once);
  assert.equal([fn.valueVersion, fn.cfgVersion], stamps);
  assert.is(stats!.changed, 0);
});

test("put twice in one pipeline: the second finds nothing left", () => {
  const { module, funcs } = parseModule(text);
  const [first, second] = runPasses(module, funcs[0]!, ["canonicalize-types", "canonicalize-types"]);
  assert.is(first!.changed, 1);
  assert.is(second!.changed, 0);
  assert.equal(second!.counts, {});
});

test.run();
