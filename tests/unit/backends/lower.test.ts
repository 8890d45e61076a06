// Selection: which machine ops come out of small SSA functions; what may be taken into a user and what must not; every op is known.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Base, Cond, Form, M, Shape } from "../../../backends/amd64/mops.js";
import { describe as describeInst } from "../../../backends/amd64/describe.js";
import { lower } from "../../../backends/amd64/lower.js";
import { mops } from "../../../backends/amd64/mops.js";
import { registers } from "../../../backends/amd64/registers.js";
import type { CodegenOptions } from "../../../backends/target.js";
import type { FuncIndex, TypeIndex } from "../../../ir/entity.js";
import { Func } from "../../../ir/func.js";
import { VmLayout } from "../../../ir/layout.js";
import type { MFunc } from "../../../ir/machine/mfunc.js";
import { verifyMFunc } from "../../../ir/machine/verify.js";
import { Module } from "../../../ir/module.js";
import { ANY, ANY_REF, Is, Op, opInfo } from "../../../ir/ops.js";
import { parseFunc } from "../../../ir/parse.js";
import { Type } from "../../../ir/types.js";
import { cpuMs } from "../../cpu-time.js";

const all = ["sse41", "popcnt", "lzcnt", "tzcnt", "bmi2", "avx"];

function options(features: readonly string[] = all, bounds: "guard" | "explicit" = "guard"): CodegenOptions {
  return { level: 2, bounds, features: new Set(features) };
}

/** One memory, one table, globals 0 (own i32), 1 (own f64); types as functions need them. */
function moduleWith(...sigs: { params: Type[]; results: Type[] }[]): Module {
  const module = new Module();
  module.types = sigs;
  module.memories.push({ imported: false, limits: { min: 1, max: undefined } });
  module.tables.push({ imported: false, elem: Type.funcref, limits: { min: 1, max: undefined } });
  module.globals.push({ imported: false, type: Type.i32, mutable: true, init: [{ op: "i32.const", lo: 0, hi: 0 }] });
  module.globals.push({ imported: false, type: Type.f64, mutable: true, init: [{ op: "f64.const", lo: 0, hi: 0 }] });
  sigs.forEach((_, i) => module.funcs.push({ type: i as TypeIndex, imported: false, bodyStart: 0, bodyEnd: 0 }));
  return module;
}

function lowered(fn: Func, module: Module, how: CodegenOptions): MFunc {
  const mfn = lower(fn, { module, layout: new VmLayout(module) }, how);
  assert.equal(verifyMFunc(mfn, { mops, registers }).map(String), []);
  return mfn;
}

/** Machine ops of a function in order, with the operand form where it is not plain registers; without `args`. */
function select(sig: { params: Type[]; results: Type[] }, body: string, how: CodegenOptions = options()): string[] {
  const module = moduleWith(sig);
  const params = sig.params.map((type, i) => `v${i}: ${opTypeName(type)}`).join(", ");
  const results = sig.results.map(opTypeName).join(", ");
  const mfn = lowered(parseFunc(`func @0: t0 (${sig.params.map(opTypeName).join(", ")}) -> ${sig.results.length === 1 ? results : `(${results})`} {\nb0(${params}):\n${body}\n}`, module), module, how);
  const out: string[] = [];
  for (let i = 1; i < mfn.instCount; i++) out.push(describe(mfn, i));
  return out;
}

const opTypeName = (type: Type) => ["none", "i32", "i64", "f32", "f64", "v128", "funcref", "externref"][type]!;

function describe(mfn: MFunc, i: number): string {
  const op = mfn.op[i]!;
  const shape = mfn.imm3[i]!;
  const form = shape & Shape.formMask;
  const name = mops[op]!.name;
  if (op === M.lea32 || op === M.lea64) return name;
  return form === Form.rr ? name : `${name} ${["rr", "ri", "rm", "mr", "mi", "self"][form]}`;
}

const i32 = Type.i32;
const i64 = Type.i64;
const f64 = Type.f64;

test("a compare with one user becomes part of the branch, a load part of the compare", () => {
  assert.equal(
    select({ params: [i32], results: [] }, `
      v1 = i32.load v0, m0
      v2 = i32.const 7
      v3 = i32.lt_s v1, v2
      br_if v3, b1, b2
    b1:
      return
    b2:
      return`),
    ["cmp32.br mi", "ret", "ret"],
  );
});

test("a compare with other users is made again for a branch, but not what it compares; other values are tested", () => {
  assert.equal(
    select({ params: [i32, i32], results: [i32] }, `
      v2 = i32.load v0, m0
      v3 = i32.lt_u v2, v1
      br_if v3, b1, b2
    b1:
      return v0
    b2:
      return v3`),
    ["mov32 rm", "cmp32.set", "cmp32.br", "ret", "ret"],
  );
  assert.equal(
    select({ params: [f64, f64], results: [i32] }, `
      v2 = f64.lt v0, v1
      br_if v2, b1, b2
    b1:
      return v2
    b2:
      return v2`),
    ["ucomisd.set", "cmp32.br ri", "ret", "ret"],
  );
});

test("eqz inverts the condition, and with 1 is a bit test", () => {
  const sig = { params: [i32, i32], results: [] };
  const tail = "br_if v9, b1, b2\nb1:\nreturn\nb2:\nreturn";
  assert.equal(select(sig, `v2 = i32.eq v0, v1\nv9 = i32.eqz v2\n${tail}`)[0], "cmp32.br");
  assert.equal(select(sig, `v2 = i32.const 16\nv9 = i32.and v0, v2\n${tail}`)[0], "test32.br ri");
  assert.equal(select(sig, `v2 = i32.const 1\nv3 = i32.shr_u v0, v1\nv9 = i32.and v3, v2\n${tail}`)[0], "bt32.br");
  assert.equal(select(sig, `v2 = i32.load8_u v0, m0\nv3 = i32.const 58\nv9 = i32.eq v2, v3\n${tail}`)[0], "cmp8.br mi");
});

test("a load is taken in, but not over a store", () => {
  const sig = { params: [i32, i32], results: [i32] };
  assert.equal(select(sig, "v2 = i32.load v0, m0\nv3 = i32.sub v1, v2\nreturn v3"), ["sub32 rm", "ret"]);
  assert.equal(select(sig, "v2 = i32.load v0, m0\ni32.store v1, m0, v1\nv3 = i32.sub v1, v2\nreturn v3"), ["mov32 rm", "mov32 mr", "sub32", "ret"]);
  assert.equal(select(sig, "v2 = i32.load v0, m0\nv3 = i32.load v1, m0\nv4 = i32.sub v3, v2\nreturn v4"), ["mov32 rm", "mov32 rm", "sub32", "ret"], "loads keep their order");
  assert.equal(select(sig, "v2 = i32.load v0, m0\nv3 = i32.sub v1, v2\nv4 = i32.xor v3, v2\nreturn v4"), ["mov32 rm", "sub32", "xor32", "ret"], "two users");
});

test("load, op, store at one address is one instruction", () => {
  const sig = { params: [i32, i32], results: [] };
  assert.equal(select(sig, "v2 = i32.load v0, m0, offset=8\nv3 = i32.add v2, v1\ni32.store v0, m0, v3, offset=8\nreturn"), ["add32 mr", "ret"]);
  assert.equal(select(sig, "v2 = i32.load v0, m0\nv4 = i32.const 5\nv3 = i32.or v2, v4\ni32.store v0, m0, v3\nreturn"), ["or32 mi", "ret"]);
  assert.equal(select(sig, "v2 = i32.load v0, m0, offset=8\nv3 = i32.add v2, v1\ni32.store v0, m0, v3\nreturn"), ["add32 rm", "mov32 mr", "ret"], "another offset");
  assert.equal(select(sig, "v2 = i32.load v0, m0\nv3 = i32.sub v1, v2\ni32.store v0, m0, v3\nreturn"), ["sub32 rm", "mov32 mr", "ret"], "the load is on the right of sub");
  assert.equal(select(sig, "v2: i32 = global.get g0\nv3 = i32.add v2, v1\nglobal.set g0, v3\nreturn"), ["add32 mr", "ret"]);
});

test("an i32 that has been wrapped is zero-extended before it serves as an address, and only then", () => {
  assert.equal(select({ params: [i64], results: [i32] }, "v1 = i32.wrap_i64 v0\nv2 = i32.load v1, m0\nreturn v2"), ["mov32", "mov32 rm", "ret"]);
  assert.equal(select({ params: [i64, i32], results: [i32] }, "v2 = i32.wrap_i64 v0\nv3 = i32.sub v1, v2\nreturn v3"), ["sub32", "ret"]);
  assert.equal(select({ params: [i32, i64], results: [i64] }, "v2 = i64.extend_i32_u v0\nv3 = i64.sub v1, v2\nreturn v3"), ["sub64", "ret"]);
});

test("additions that cannot wrap go into the displacement, others do not", () => {
  const displacement = (body: string) => {
    const module = moduleWith({ params: [i32], results: [i32] });
    const mfn = lowered(parseFunc(`func @0: t0 (i32) -> i32 {\nb0(v0: i32):\n${body}\nreturn v9\n}`, module), module, options());
    return [describe(mfn, mfn.instCount - 2), mfn.imm2[mfn.instCount - 2], mfn.instCount - 2];
  };
  assert.equal(displacement("v1 = i32.const 100\nv2 = i32.add v0, v1\nv9 = i32.load v2, m0, offset=4"), ["mov32 rm", 4, 2]);
  assert.equal(displacement("v1 = i32.const 100\nv3 = i32.const 65535\nv4 = i32.and v0, v3\nv2 = i32.add v4, v1\nv9 = i32.load v2, m0, offset=4"), ["mov32 rm", 104, 2]);
  assert.equal(displacement("v1 = i32.const 100\nv9 = i32.load v1, m0, offset=4"), ["mov32 rm", 104, 1]);
});

test("explicit bounds compare the end of the access with the length", () => {
  assert.equal(select({ params: [i32], results: [i32] }, "v1 = i32.load v0, m0\nreturn v1", options(all, "explicit")), ["ctx_load", "lea64", "cmp64.trap rm", "mov32 rm", "ret"]);
});

test("float compares come out so that unordered is false, except for ne", () => {
  const conds = new Map([["eq", Cond.feq], ["ne", Cond.fne], ["lt", Cond.a], ["gt", Cond.a], ["le", Cond.ae], ["ge", Cond.ae]]);
  for (const [name, cond] of conds) {
    const module = moduleWith({ params: [f64, f64], results: [i32] });
    const mfn = lowered(parseFunc(`func @0: t0 (f64, f64) -> i32 {\nb0(v0: f64, v1: f64):\nv2 = f64.${name} v0, v1\nreturn v2\n}`, module), module, options());
    assert.is((mfn.imm3[1]! & Shape.condMask) >> Shape.condShift, cond, name);
    const left = mfn.vregValue[mfn.opndReg[mfn.opndStart[1]! + 1]!];
    assert.is(left, name === "lt" || name === "le" ? 1 : 0, name);
  }
});

test("float constants are memory operands of the pool; NaN payloads decide which side is left", () => {
  const sig = { params: [f64], results: [f64] };
  assert.equal(select(sig, "v1 = f64.const 2.5\nv2 = f64.mul v1, v0\nreturn v2"), ["mulsd rm", "ret"]);
  assert.equal(select(sig, "v1 = f64.const 2.5\nv2 = f64.div v1, v0\nreturn v2"), ["fconst64", "divsd", "ret"]);
  const module = moduleWith({ params: [f64], results: [f64] });
  const mfn = lowered(parseFunc("func @0: t0 (f64) -> f64 {\nb0(v0: f64):\nv1 = f64.const 2.5\nv2 = f64.mul v1, v0\nreturn v2\n}", module), module, options());
  assert.is((mfn.imm3[1]! & Shape.baseMask) >> Shape.baseShift, Base.pool);
});

test("shifts by a variable use cl, or BMI2; masks of the count fall away", () => {
  const body = "v2 = i32.const 31\nv3 = i32.and v1, v2\nv4 = i32.shl v0, v3\nreturn v4";
  const sig = { params: [i32, i32], results: [i32] };
  assert.equal(select(sig, body, options(["bmi2"])), ["shlx32", "ret"]);
  assert.equal(select(sig, body, options([])), ["shl32", "ret"]);
});

test("division by constants multiplies", () => {
  const sig = { params: [i32], results: [i32] };
  const by = (op: string, c: string) => select(sig, `v1 = i32.const ${c}\nv2 = i32.${op} v0, v1\nreturn v2`);
  assert.equal(by("div_u", "10"), ["iconst64", "imul64", "shr64 ri", "ret"]);
  assert.equal(by("div_u", "8"), ["shr32 ri", "ret"]);
  assert.equal(by("rem_u", "8"), ["and32 ri", "ret"]);
  assert.equal(by("div_u", "-5"), ["cmp32.set ri", "ret"]);
  assert.equal(by("div_s", "0"), ["iconst32", "sdiv32", "ret"], "traps at run time");
});

test("calls: arguments in registers and behind them in the outgoing area, results likewise", () => {
  const sig = { params: Array<Type>(10).fill(i32), results: Array<Type>(8).fill(i32) };
  const module = moduleWith(sig);
  const params = sig.params.map((_, i) => `v${i}: i32`).join(", ");
  const types = Array(10).fill("i32").join(", ");
  const text = `func @0: t0 (${types}) -> (${Array(8).fill("i32").join(", ")}) {\nb0(${params}):\nv10: i32 = call @0(${sig.params.map((_, i) => `v${i}`).join(", ")})\n${[1, 2, 3, 4, 5, 6, 7].map((i) => `v${10 + i}: i32 = result v10, ${i}`).join("\n")}\nreturn ${sig.results.map((_, i) => `v${10 + i}`).join(", ")}\n}`;
  const mfn = lowered(parseFunc(text, module), module, options());
  const ops = Array.from({ length: mfn.instCount }, (_, i) => mops[mfn.op[i]!]!.name);
  assert.equal(ops, ["args", "stack_arg", "stack_arg", "mov32", "mov32", "call", "mov32", "mov32", "mov32", "mov32", "ret"]);
  assert.is(mfn.outgoingBytes, 32);
  assert.is(mfn.hasCalls, true);
});

test("a value no one asks for is not computed; a load no one reads is made", () => {
  assert.equal(select({ params: [i32], results: [] }, "v1 = i32.mul v0, v0\nv2 = i32.load v0, m0\nreturn"), ["mov32 rm", "ret"]);
});

test("what the immediates of an instruction mean is said in words", () => {
  const module = moduleWith({ params: [i32, f64], results: [f64] });
  const body = "v2 = i32.const 65535\nv3 = i32.and v0, v2\nv4 = f64.load v3, m0, offset=8\nv5 = f64.const 2\nv6 = f64.mul v4, v5\nv7 = f64.lt v6, v1\nbr_if v7, b1, b2\nb1:\nreturn v6\nb2:\nreturn v1";
  const mfn = lowered(parseFunc(`func @0: t0 (i32, f64) -> f64 {\nb0(v0: i32, v1: f64):\n${body}\n}`, module), module, options());
  const words = Array.from({ length: mfn.instCount }, (_, i) => describeInst(mfn, i)).filter((text) => text !== "");
  const index = mfn.opndReg[mfn.opndStart[2]! + 1]!;
  assert.equal(words, [`[memory + v${index} + 8], traps out_of_bounds_memory`, "[pool 0]", "if a (greater)"]);
});

/** A function with that op on parameters, or for a terminator as its end. */
function functionWith(op: Op): { fn: Func; module: Module } {
  const info = opInfo[op]!;
  const typeOf = (t: number): Type => (t === ANY ? i32 : t === ANY_REF ? Type.funcref : (t as Type));
  const module = moduleWith({ params: [i32, Type.funcref, i64, Type.f32, f64], results: [] }, { params: [], results: [i32] });
  module.elems.push({ type: Type.funcref, mode: { mode: "passive" }, init: [[{ op: "ref.func", func: 0 as FuncIndex }]] });
  const fn = new Func(0 as FuncIndex, 0 as TypeIndex, module.types[0]!);
  const b = fn.newBlock();
  const params = new Map(module.types[0]!.params.map((type) => [type, fn.addParam(b, type)]));
  let args = info.args.map((t) => params.get(typeOf(t))!);
  let type = info.result === ANY ? i32 : (info.result as Type);
  let imm = 0;
  let imm2 = 0;
  if (op === Op.call) imm = 1;
  if (op === Op.call_indirect) imm = 1;
  if (op === Op.ref_null) type = Type.funcref;
  if (op === Op.table_get) type = Type.funcref;
  if (op === Op.table_set || op === Op.table_grow || op === Op.table_fill) args = info.args.map((t) => params.get(t === ANY ? Type.funcref : (t as Type))!);
  if (op === Op.br || op === Op.br_if || op === Op.br_table) {
    const [yes, no] = [fn.newBlock(), fn.newBlock()];
    fn.append0(yes, Op.return_, Type.none);
    fn.append0(no, Op.return_, Type.none);
    imm = fn.newEdge(b, yes);
    if (op === Op.br_if) imm2 = fn.newEdge(b, no);
    if (op === Op.br_table) {
      const edges = [imm, fn.newEdge(b, no), imm];
      imm = fn.newEdgeTable(3);
      imm2 = 3;
      edges.forEach((e, i) => (fn.edgeTable[imm + i] = e));
    }
  }
  const v = fn.append(b, op, type, args.length, imm, imm2);
  args.forEach((x, i) => fn.setArg(v, i, x));
  if ((info.flags & Is.terminator) === 0) {
    // Someone must want the result.
    if (type !== Type.none) {
      const block = fn.newBlock();
      const result = fn.addParam(block, type);
      const e = fn.newEdge(b, block);
      fn.pushEdgeArg(e, v);
      fn.append0(b, Op.br, Type.none, e);
      fn.append0(block, Op.return_, Type.none);
      assert.ok(result >= 0);
    } else fn.append0(b, Op.return_, Type.none);
  }
  return { fn, module };
}

test("every op of the table is lowered, with and without CPU features and bounds checks", () => {
  for (const info of opInfo) {
    if (info.op === Op.param || info.op === Op.result || info.op === Op.copy) continue;
    for (const how of [options(), options([]), options(all, "explicit")]) {
      const { fn, module } = functionWith(info.op);
      const mfn = lowered(fn, module, how);
      // `args` and a terminator are there in any case; what has a result or an effect adds to them.
      assert.ok(mfn.instCount >= (opInfo[info.op]!.flags & Is.terminator ? 2 : 3), info.name);
    }
  }
});

test("a million instructions in one block, and ten thousand blocks in a row: time in proportion", () => {
  const module = moduleWith({ params: [i32], results: [i32] });
  const chain = (n: number, every: number) => {
    const fn = new Func(0 as FuncIndex, 0 as TypeIndex, module.types[0]!, undefined, n + 16);
    let b = fn.newBlock();
    let x = fn.addParam(b, i32);
    for (let i = 0; i < n; i++) {
      x = fn.append2(b, i % 3 === 0 ? Op.i32_mul : Op.i32_xor, i32, x, x);
      if (i % every === every - 1) {
        const next = fn.newBlock();
        const p = fn.addParam(next, i32);
        const e = fn.newEdge(b, next);
        fn.pushEdgeArg(e, x);
        fn.append0(b, Op.br, Type.none, e);
        b = next;
        x = p;
      }
    }
    fn.append1(b, Op.return_, Type.none, x);
    return fn;
  };
  const time = (n: number, every: number) => {
    const fn = chain(n, every);
    const start = cpuMs();
    const mfn = lower(fn, { module, layout: new VmLayout(module) }, options());
    assert.ok(mfn.instCount >= n);
    return (cpuMs() - start) / n;
  };
  time(100_000, 1e9);
  const small = Math.min(time(100_000, 1e9), time(100_000, 1e9));
  // Generous: the machine may be busy with other things.
  assert.ok(Math.min(time(1_000_000, 1e9), time(1_000_000, 1e9)) < 5 * small);
  time(100_000, 10);
  const smallBlocks = Math.min(time(100_000, 10), time(100_000, 10));
  assert.ok(Math.min(time(1_000_000, 10), time(1_000_000, 10)) < 5 * smallBlocks);
});

test.run();
