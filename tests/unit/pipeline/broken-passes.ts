// Passes that break something, one each, and the words in which that must be said. Run by broken-passes.test.ts.
import {
  constantOf, defineAnalysis, definePass, domTree, NONE, Op, Type, uses, type Block, type Edge, type Func, type MFunc, type Module, type ModulePassContext, type Pass, type PassContext, type Value,
} from "../../../pipeline/index.js";
import { MOp, Opnd } from "../../../ir/machine/mfunc.js";

export interface Broken {
  readonly pass: Pass;
  /** Of the PassError's message. */
  readonly says: RegExp;
  /** Short name of the rule, where it has one. */
  readonly rule?: string;
  /** Which function is to blame; undefined where it is the module's. */
  readonly func?: number;
}

/** The module that all of them run on: @2 has every shape of control flow, @1 and @3 are bystanders. */
export const wat = `(module
  (import "env" "g" (func $g (param i32) (result i32)))
  (type $t (func (param i32) (result i32)))
  (table 2 funcref)
  (elem (i32.const 0) $first $shapes)
  (memory (export "memory") 1)
  (data $d "x")
  (global $n (mut i32) (i32.const 5))
  (global $fixed i64 (i64.const 5))
  (func $first (export "first") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
  (func $shapes (export "shapes") (param i32) (result i32) (local i64 i32)
    (local.set 1 (i64.extend_i32_u (local.get 0)))
    (if (i32.eqz (local.get 0))
      (then (i32.store (i32.const 8) (i32.mul (local.get 0) (local.get 0))))
      (else (global.set $n (i32.xor (local.get 0) (i32.const 77)))))
    (block $out (block $one (block $two (br_table $one $two $out (local.get 0)))))
    (loop $again
      (local.set 2 (i32.add (local.get 2) (call $g (local.get 0))))
      (local.set 2 (i32.add (local.get 2) (call_indirect (type $t) (local.get 0) (i32.const 0))))
      (i64.store (i32.const 16) (i64.add (local.get 1) (i64.extend_i32_s (local.get 2))))
      (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (call $two (local.get 2)) (i32.add)
    (select (local.get 2) (local.get 0) (i32.const 1)) (i32.add))
  (func $two (param i32) (result i32 i32) (local.get 0) (i32.const 3))
  (func $last (export "last") (result i64) (i64.const 7)))`;

export const SHAPES = 2;
const all: Broken[] = [];

let count = 0;
const named = (what: string) => `broken-${++count}-${what}`;

/** A pass over functions that breaks @2. `says` is completed by pass and function. */
function func(what: string, says: RegExp, rule: string | undefined, run: (fn: Func, cx: PassContext, at: At) => unknown): void {
  const pass = definePass({
    name: named(what), summary: what, stage: "ssa", scope: "func",
    after: [{ pass: "critical-edges", why: "all shapes are there" }],
    run: ((fn: Func, cx: PassContext) => (fn.index === SHAPES ? run(fn, cx, new At(fn)) : undefined)) as (fn: Func, cx: PassContext) => void,
  });
  all.push({ pass, says, func: SHAPES, ...(rule !== undefined && { rule }) });
}

function module(what: string, says: RegExp, rule: string | undefined, run: (funcs: readonly Func[], cx: ModulePassContext) => unknown, func?: number): void {
  const pass = definePass({ name: named(what), summary: what, stage: "ssa", scope: "module", run: run as (funcs: readonly Func[], cx: ModulePassContext) => void });
  all.push({ pass, says, ...(rule !== undefined && { rule }), ...(func !== undefined && { func }) });
}

function begin(what: string, says: RegExp, rule: string | undefined, begin: (module: Module, cx: ModulePassContext) => unknown): void {
  all.push({ pass: definePass({ name: named(what), summary: what, stage: "ssa", scope: "func", begin, run: () => undefined }), says, ...(rule !== undefined && { rule }) });
}

function machine(what: string, says: RegExp, run: (mfn: MFunc) => unknown): void {
  const pass = definePass({ name: named(what), summary: what, stage: "machine", scope: "func", run: ((mfn: MFunc) => (mfn.index === SHAPES ? run(mfn) : undefined)) as (mfn: MFunc) => void });
  all.push({ pass, says, func: SHAPES });
}

function wasm(what: string, says: RegExp, run: (bytes: Uint8Array) => unknown): void {
  all.push({ pass: definePass({ name: named(what), summary: what, stage: "wasm", scope: "module", run: run as (bytes: Uint8Array) => Uint8Array }), says });
}

/** Places in a function. */
class At {
  constructor(readonly fn: Func) {}
  first(op: Op): Value {
    for (let b = this.fn.firstBlock; b !== NONE; b = this.fn.blockNext[b]!) {
      for (let v = this.fn.firstInst[b]!; v !== NONE; v = this.fn.next[v]!) if (this.fn.op[v] === op) return v as Value;
    }
    throw new Error(`the function has no instruction of op ${op}`);
  }
  /** An edge that carries arguments. */
  get edge(): Edge {
    for (let e = 0; e < this.fn.edgeCount; e++) if (this.fn.edgeFrom[e] !== NONE && this.fn.edgeArgCount[e]! > 0) return e as Edge;
    throw new Error("no edge has arguments");
  }
  get param(): Value {
    return this.fn.param(this.fn.entry, 0);
  }
  blockOf(v: Value): Block {
    return this.fn.block[v]! as Block;
  }
  /** The terminator of the entry. */
  get end(): Value {
    return this.fn.terminator(this.fn.entry);
  }
}

const i64of = (fn: Func) => fn.insertBefore(fn.firstInst[fn.entry]! as Value, Op.i64_const, Type.i64, [], 1);
const i32of = (fn: Func) => fn.insertBefore(fn.firstInst[fn.entry]! as Value, Op.i32_const, Type.i32, [], 1);

// ---- types

func("add-of-i64", /v\d+ \[operand-type\]: operand 0 of i32\.add, v\d+, is i64, not i32/, "operand-type", (fn, _, at) => fn.setArg(at.first(Op.i32_add), 0, i64of(fn)));
func("store-of-i64", /operand 1 of i32\.store, v\d+, is i64, not i32/, "operand-type", (fn, _, at) => fn.setArg(at.first(Op.i32_store), 1, i64of(fn)));
func("address-of-i64", /operand 0 of i64\.store, v\d+, is i64, not i32/, "operand-type", (fn, _, at) => fn.setArg(at.first(Op.i64_store), 0, i64of(fn)));
func("edge-argument-type", /argument 0 of the edge to b\d+, v\d+, is i64, the parameter is i32|is f64, the parameter is/, "edge-args", (fn, _, at) => fn.setEdgeArg(at.edge, 0, fn.type[fn.edgeArg(at.edge, 0)] === Type.i64 ? fn.insertBefore(fn.firstInst[fn.entry]! as Value, Op.f64_const, Type.f64, []) : i64of(fn)));
func("return-type", /operand 0 of return, v\d+, is i64, not i32/, "operand-type", (fn, _, at) => fn.setArg(at.first(Op.return_), 0, i64of(fn)));
func("select-arms", /operand 1 of select, v\d+, is i64, not i32/, "operand-type", (fn, _, at) => {
  const end = at.first(Op.return_);
  fn.insertBefore(end, Op.select, Type.i32, [at.param, i64of(fn), at.param]);
});
func("call-argument", /operand 0 of call, v\d+, is i64, not i32/, "operand-type", (fn, _, at) => fn.setArg(at.first(Op.call), 0, i64of(fn)));
func("result-retyped", /\[result-type\]: the result of i32\.add is i32, not i64/, "result-type", (fn, _, at) => ((fn.type[at.first(Op.i32_add)] = Type.i64), fn.valueVersion++, undefined));
func("result-none", /the result of i32\.xor is i32, not none/, "result-type", (fn, _, at) => ((fn.type[at.first(Op.i32_xor)] = Type.none), fn.valueVersion++, undefined));
func("float-op-on-ints", /operand 0 of f32\.add, v\d+, is i32, not f32|the result of f32\.add is f32, not i32/, undefined, (fn, _, at) => fn.become(at.first(Op.i32_add), Op.f32_add, [at.param, at.param]));
func("global-type", /operand 0 of global\.set, v\d+, is i64, not i32/, "operand-type", (fn, _, at) => fn.setArg(at.first(Op.global_set), 0, i64of(fn)));
func("global-read-type", /\[result-type\]: g1 is i64, not i32/, "result-type", (fn, _, at) => void fn.insertBefore(at.end, Op.global_get, Type.i32, [], 1));
func("entry-parameter", /\[entry\]: parameter 0 is i64, the signature says i32/, "entry", (fn, _, at) => ((fn.type[at.param] = Type.i64), fn.valueVersion++, fn.cfgVersion++, undefined));
func("condition-of-i64", /operand 0 of br_if, v\d+, is i64, not i32/, "operand-type", (fn, _, at) => fn.setArg(at.first(Op.br_if), 0, i64of(fn)));
func("type-that-is-none", /\[result-type\]/, "result-type", (fn, _, at) => ((fn.type[at.first(Op.i32_mul)] = 99), fn.valueVersion++, undefined));

// ---- dangling values

func("operand-never-set", /\[operand\]: operand 0 was never set/, "operand", (fn, _, at) => fn.setArg(at.first(Op.i32_add), 0, NONE as Value));
func("operand-that-is-not", /operand 1 is v99999, which does not exist/, "operand", (fn, _, at) => fn.setArg(at.first(Op.i32_add), 1, 99999 as Value));
func("operand-negative", /operand 1 is v-7, which does not exist/, "operand", (fn, _, at) => fn.setArg(at.first(Op.i32_add), 1, -7 as Value));
func("operand-removed", /operand \d is v\d+, which was removed/, "operand", (fn, _, at) => fn.remove(at.first(Op.i32_mul)));
func("operand-without-result", /operand 0 is v\d+, a i32\.store without a result/, "operand", (fn, _, at) => {
  const store = at.first(Op.i32_store);
  const next = fn.next[store]! as Value;
  fn.insertBefore(next, Op.i32_eqz, Type.i32, [store]);
});
func("operand-is-terminator", /operand 0 is v\d+, a br_if without a result/, "operand", (fn, _, at) => fn.setArg(at.first(Op.return_), 0, at.first(Op.br_if)));
func("edge-argument-never-set", /argument 0 of the edge to b\d+ was never set/, "operand", (fn, _, at) => fn.setEdgeArg(at.edge, 0, NONE as Value));
func("edge-argument-that-is-not", /argument 0 of the edge to b\d+ is v4242, which does not exist/, "operand", (fn, _, at) => fn.setEdgeArg(at.edge, 0, 4242 as Value));
func("parameter-without-arguments", /argument \d+ of the edge to b\d+ was never set/, "operand", (fn, _, at) => void fn.addParam(fn.edgeTo[at.edge]! as Block, Type.i32));
func("operand-unlinked", /operand 0 is v\d+, which was removed/, "operand", (fn, _, at) => fn.setArg(at.first(Op.i32_add), 0, fn.newValue(Op.i32_const, Type.i32, 0, 1, 0, 0)));

// ---- dominance

func("uses-itself", /\[dominance\]: operand 0, v\d+, is defined behind its use/, "dominance", (fn, _, at) => fn.setArg(at.first(Op.i32_add), 0, at.first(Op.i32_add)));
func("uses-the-other-arm", /is defined in b\d+, which does not dominate b\d+/, "dominance", (fn, _, at) => fn.setArg(at.first(Op.i32_mul), 0, at.first(Op.i32_xor)));
func("defined-behind-use", /is defined behind its use/, "dominance", (fn, _, at) => fn.moveBefore(at.first(Op.i32_mul), fn.terminator(at.blockOf(at.first(Op.i32_mul)))));
func("moved-into-an-arm", /\[dominance\]/, "dominance", (fn, _, at) => fn.moveBefore(at.first(Op.i64_extend_i32_u), at.first(Op.i32_mul)));
func("edge-argument-from-elsewhere", /argument 0 of the edge to b\d+, v\d+, is defined in b\d+, which does not dominate/, "dominance", (fn, _, at) => fn.setEdgeArg(edgeOfI32(fn), 0, at.first(Op.i32_xor)));
func("return-of-an-arm", /operand 0, v\d+, is defined in b\d+, which does not dominate/, "dominance", (fn, _, at) => fn.setArg(at.first(Op.return_), 0, at.first(Op.i32_xor)));

/** An edge out of the loop's neighbourhood whose first argument is an i32. */
function edgeOfI32(fn: Func): Edge {
  for (let e = fn.edgeCount - 1; e >= 0; e--) {
    if (fn.edgeFrom[e] !== NONE && fn.edgeArgCount[e]! > 0 && fn.type[fn.edgeArg(e as Edge, 0)] === Type.i32) return e as Edge;
  }
  throw new Error("no edge carries an i32 first");
}

// ---- terminators

func("no-terminator", /b\d+ v?\d* ?\[terminator\]|\[preds\]|\[terminator\]/, "terminator", (fn, _, at) => fn.remove(at.end));
func("empty-block", /b\d+ \[terminator\]: the block is empty: it needs a terminator/, "terminator", (fn) => void fn.newBlock());
func("two-terminators", /\[terminator\]: br_if ends a block, and v\d+ follows/, "terminator", (fn) => void fn.append1(fn.entry, Op.return_, Type.none, i32of(fn)));
func("code-behind-the-terminator", /\[terminator\]/, "terminator", (fn) => void fn.append0(fn.entry, Op.i32_const, Type.i32, 1));
func("terminator-became-an-add", /\[terminator\]: the block ends in i32\.add, which is no terminator/, "terminator", (fn, _, at) => fn.become(at.end, Op.i32_add, [at.param, at.param]));
func("terminator-has-a-result", /\[result-type\]: .*(return|terminator)/, "result-type", (fn, _, at) => ((fn.type[at.first(Op.return_)] = Type.i32), fn.valueVersion++, fn.cfgVersion++, undefined));
func("return-of-nothing", /\[operand-count\]: return has 0 results, the signature 1/, "operand-count", (fn, _, at) => ((fn.argCount[at.first(Op.return_)] = 0), fn.valueVersion++, undefined));

// ---- edges

func("edge-to-nowhere", /\[edge\]: edge \d+ enters b777, which is in no order/, "edge", (fn, _, at) => ((fn.edgeTo[fn.targetEdge(at.end, 0)] = 777), fn.cfgVersion++, undefined));
func("edge-that-is-not", /\[edge\]: target 0 is edge 9999, which does not exist/, "edge", (fn, _, at) => ((fn.imm[at.end] = 9999), fn.cfgVersion++, undefined));
func("edge-removed-but-named", /\[edge\]: edge \d+ leaves b\d+ and says it leaves none/, "edge", (fn, _, at) => fn.removeEdge(fn.targetEdge(at.end, 0)));
func("edge-into-the-entry", /\[(entry|edge-args)\]/, undefined, (fn, _, at) => fn.redirectEdge(fn.targetEdge(at.end, 0), fn.entry));
func("edge-twice", /which another target has already: only entries of a br_table share edges/, "edge", (fn, _, at) => ((fn.imm2[at.end] = fn.imm[at.end]!), fn.cfgVersion++, undefined));
func("edge-from-elsewhere", /\[edge\]: edge \d+ leaves b\d+ and says it leaves b\d+/, "edge", (fn, _, at) => fn.setEdgeFrom(fn.targetEdge(at.end, 0), fn.lastBlock as Block));
func("edge-nobody-names", /is among its predecessors, and no terminator names it/, "preds", (fn) => void fn.newEdge(fn.entry, fn.lastBlock as Block));
func("edge-table-beyond", /\[edge-table\]: entries \d+ to \d+ do not lie in the edge table/, "edge-table", (fn, _, at) => ((fn.imm2[at.first(Op.br_table)] = 500), fn.cfgVersion++, undefined));
func("edge-to-an-unplaced-block", /enters b\d+, which is in no order/, "edge", (fn, _, at) => fn.unplaceBlock(fn.edgeTo[fn.targetEdge(at.end, 0)]! as Block));
func("edge-argument-too-many", /\[edge-args\]: the edge to b\d+ has \d+ arguments, the block has \d+ parameters/, "edge-args", (fn, _, at) => fn.pushEdgeArg(at.edge, at.param));
func("edge-argument-missing", /\[edge-args\]: the edge to b\d+ has 0 arguments/, "edge-args", (fn, _, at) => fn.clearEdgeArgs(at.edge));
func("predecessors-in-a-circle", /\[preds\]/, "preds", (fn, _, at) => ((fn.edgeNextPred[at.edge] = at.edge), fn.cfgVersion++, undefined));
func("predecessors-cut-off", /\[preds\]/, "preds", (fn, _, at) => ((fn.firstPred[fn.edgeTo[at.edge]!] = NONE), fn.cfgVersion++, undefined));

// ---- lists and ids that stand twice

func("value-linked-twice", /\[inst-list\]/, "inst-list", (fn, _, at) => fn.linkBefore(at.first(Op.i32_xor), fn.entry, at.end));
func("block-placed-twice", /\[block-list\]/, "block-list", (fn) => fn.placeBlock(fn.lastBlock as Block, fn.blockNext[fn.entry]! as Block));
func("parameter-twice", /b\d+ v\d+ \[param-list\]: the value stands twice/, "param-list", (fn, _, at) => fn.linkParam(at.param, fn.entry));
func("instructions-in-a-circle", /\[inst-list\]: the value stands twice in the function/, "inst-list", (fn, _, at) => ((fn.next[at.first(Op.i32_mul)] = at.first(Op.i32_mul)), fn.valueVersion++, undefined));
func("instructions-to-nowhere", /\[inst-list\]: the next instruction is v31337, which does not exist/, "inst-list", (fn, _, at) => ((fn.next[at.first(Op.i32_mul)] = 31337), fn.valueVersion++, undefined));
func("link-back-broken", /\[inst-list\]: the instruction before it is/, "inst-list", (fn, _, at) => ((fn.prev[at.first(Op.i32_store)] = NONE), fn.valueVersion++, undefined));
func("blocks-in-a-circle", /\[block-list\]: the block stands twice in the order/, "block-list", (fn) => ((fn.blockNext[fn.lastBlock] = fn.entry), fn.cfgVersion++, undefined));
func("block-that-is-not", /the order of blocks goes on to b555, which does not exist/, "block-list", (fn) => ((fn.blockNext[fn.lastBlock] = 555), fn.cfgVersion++, undefined));
func("parameter-among-instructions", /\[(inst-list|param-list)\]/, undefined, (fn, _, at) => fn.linkBefore(at.param, fn.entry, at.end));
func("value-of-another-block", /it stands in b\d+ and says it belongs to b\d+/, "inst-list", (fn, _, at) => ((fn.block[at.first(Op.i32_mul)] = fn.entry), fn.valueVersion++, undefined));
func("last-is-not-last", /\[inst-list\]: the last instruction is v\d+, the block says v\d+/, "inst-list", (fn) => ((fn.lastInst[fn.entry] = fn.firstInst[fn.entry]!), fn.cfgVersion++, undefined));
func("entry-elsewhere", /\[entry\]/, "entry", (fn) => ((fn.entry = fn.lastBlock as Block), fn.cfgVersion++, undefined));
func("no-blocks", /\[entry\]: a function has at least one block/, "entry", (fn) => ((fn.firstBlock = NONE), fn.cfgVersion++, undefined));
func("parameters-beyond-the-pool", /\[param-list\]: its parameters lie outside of the pool/, "param-list", (fn) => ((fn.paramStart[fn.entry] = 1 << 28), fn.cfgVersion++, undefined));
func("operands-beyond-the-pool", /\[operand-list\]: its operands lie outside of the pool/, "operand-list", (fn, _, at) => ((fn.argStart[at.first(Op.i32_add)] = 1 << 28), fn.valueVersion++, undefined));
func("negative-count", /\[operand-list\]: its operands lie outside of the pool/, "operand-list", (fn, _, at) => ((fn.argCount[at.first(Op.i32_add)] = -2), fn.valueVersion++, undefined));

// ---- counts and indices

func("add-of-one", /\[operand-count\]: i32\.add has 2 operands, not 1/, "operand-count", (fn, _, at) => fn.become(at.first(Op.i32_add), Op.i32_add, [at.param]));
func("call-of-too-many", /\[operand-count\]: call has 2 arguments, the signature 1/, "operand-count", (fn, _, at) => fn.become(at.first(Op.call), Op.call, [at.param, at.param], fn.imm[at.first(Op.call)]!));
func("function-that-is-not", /\[index\]: call names function 999, the module has \d+/, "index", (fn, _, at) => ((fn.imm[at.first(Op.call)] = 999), fn.valueVersion++, undefined));
func("global-that-is-not", /\[index\]: global\.set names global 999, the module has 2/, "index", (fn, _, at) => ((fn.imm[at.first(Op.global_set)] = 999), fn.valueVersion++, undefined));
func("memory-that-is-not", /\[index\]: i32\.store names memory 5, the module has 1/, "index", (fn, _, at) => ((fn.imm2[at.first(Op.i32_store)] = 5), fn.valueVersion++, undefined));
func("type-that-is-not", /\[index\]: call_indirect names type 77/, "index", (fn, _, at) => ((fn.imm[at.first(Op.call_indirect)] = 77), fn.valueVersion++, undefined));
func("table-that-is-not", /\[index\]: call_indirect names table 3/, "index", (fn, _, at) => ((fn.imm2[at.first(Op.call_indirect)] = 3), fn.valueVersion++, undefined));
func("data-that-is-not", /\[index\]: data\.drop names data segment 9/, "index", (fn, _, at) => void fn.insertBefore(at.end, Op.data_drop, Type.none, [], 9));
func("immutable-global", /\[index\]: g1 is immutable/, "index", (fn, _, at) => void fn.insertBefore(at.end, Op.global_set, Type.none, [i64of(fn)], 1));
func("undeclared-reference", /\[index\]: ref\.func names @0, which no export, element segment or global names/, "index", (fn, _, at) => void fn.insertBefore(at.end, Op.ref_func, Type.funcref, [], 0));
func("op-that-is-not", /\[op\]: there is no operation 255/, "op", (fn, _, at) => ((fn.op[at.first(Op.i32_add)] = 255), fn.valueVersion++, undefined));
func("result-away-from-its-call", /\[result\]: it must stand directly behind its call/, "result", (fn, _, at) => fn.moveBefore(at.first(Op.result), fn.terminator(at.blockOf(at.first(Op.result)))));
func("result-of-no-call", /\[result\]: it takes a result of v\d+, which is a i32\.const and no call/, "result", (fn, _, at) => fn.setArg(at.first(Op.result), 0, i32of(fn)));
func("result-too-far", /\[result\]: the callee is .*: there is no result 7/, "result", (fn, _, at) => ((fn.imm[at.first(Op.result)] = 7), fn.valueVersion++, undefined));
func("callee-of-another-type", /\[(operand-count|result-type|operand-type|result)\]/, undefined, (fn, _, at) => ((fn.imm[at.first(Op.call)] = 4), fn.valueVersion++, undefined));

// ---- analyses

func("stale-dominators", /\[stale-analysis\]: the analysis "dom-tree" of @2 was used after the function had changed/, "stale-analysis", (fn, cx) => {
  const dom = cx.get(domTree, fn);
  const b = fn.newBlock();
  fn.append0(b, Op.unreachable, Type.none);
  return dom.idom[b] === NONE ? undefined : undefined;
});
func("stale-uses", /\[stale-analysis\]: the analysis "uses" of @2 was used after the function had changed/, "stale-analysis", (fn, cx, at) => {
  const used = cx.get(uses, fn);
  fn.setArg(at.first(Op.i32_add), 0, i32of(fn));
  return used.start[0] === 0 ? undefined : undefined;
});
const counts = defineAnalysis({ name: "counts", depends: "values", run: (fn: Func) => Int32Array.from({ length: fn.valueCount }, () => 1) });
func("stale-own-analysis", /\[stale-analysis\]: the analysis "counts" of @2/, "stale-analysis", (fn, cx) => {
  const result = cx.get(counts, fn);
  i32of(fn);
  return result[0] === 1 ? undefined : undefined;
});
func("analysis-that-edits", /the analysis "busy" changed the function @2/, undefined, (fn, cx) => cx.get(defineAnalysis({ name: "busy", depends: "cfg", run: (of: Func) => void i32of(of) }), fn));
func("analysis-that-throws", /no such luck/, undefined, (fn, cx) => cx.get(defineAnalysis({ name: "unlucky", depends: "cfg", run: (): number => { throw new Error("no such luck"); } }), fn));
func("no-analysis", /cx\.get wants an analysis, made by defineAnalysis/, undefined, (fn, cx) => cx.get({} as typeof domTree, fn));
func("analysis-of-nothing", /cx\.get\(dom-tree, \.\.\.\) wants a function of the IR/, undefined, (_, cx) => cx.get(domTree, undefined as unknown as Func));
{
  let kept: { idom: Int32Array } | undefined;
  all.push({
    pass: definePass({
      name: named("analysis-kept"), summary: "", stage: "ssa", scope: "func",
      run: (fn, cx) => void (fn.index === 1 ? (kept = cx.get(domTree, fn)) : kept?.idom[0]),
    }),
    says: /\[stale-analysis\]: the analysis "dom-tree" of @1 was kept from an earlier run/, rule: "stale-analysis", func: 2,
  });
}

// ---- writes outside of the function

{
  let earlier: Func | undefined;
  all.push({
    pass: definePass({
      name: named("earlier-function"), summary: "", stage: "ssa", scope: "func",
      run(fn) {
        if (fn.index === 1) earlier = fn;
        else if (fn.index === 2 && earlier) i32of(earlier);
      },
    }),
    says: /\[sealed\]: .*: what a pass was not given to edit, such as a function of an earlier run, is sealed/, rule: "sealed", func: 2,
  });
}
func("declarations-grown", /\[declarations\]: it wrote module\.\.\.\w+ while functions rely on it/, "declarations", (_, cx) => void cx.module.globals.push({ type: Type.i32, mutable: true, imported: false, init: constantOf(Type.i32, 0) }));
func("declaration-changed", /\[declarations\]: it wrote module\.\.\.type while/, "declarations", (_, cx) => void (cx.module.funcs[0]!.type = 1 as never));
func("declaration-deleted", /\[declarations\]: it wrote module\.\.\.start while/, "declarations", (_, cx) => void delete (cx.module as { start?: unknown }).start);
func("edit-in-run", /declarations are edited in begin, or by a pass of scope module/, undefined, (_, cx) => (cx as ModulePassContext).edit.addGlobal({ type: Type.i32, mutable: true }, 0));
func("options-written", /\[sealed\]: Cannot add property deep/, "sealed", (_, cx) => void ((cx.options as Record<string, unknown>)["deep"] = true));
func("context-written", /\[sealed\]: Cannot add property mine/, "sealed", (_, cx) => void ((cx as unknown as Record<string, unknown>)["mine"] = true));
func("row-beyond", /\[beyond\]: fn\.imm\[\d+\] was written, but fn\.valueCount is \d+: there is no such row/, "beyond", (fn) => ((fn.imm[fn.imm.length - 1] = 5), undefined));
func("pool-beyond", /\[beyond\]: fn\.pool\[\d+\] was written, but fn\.poolLength is/, "beyond", (fn) => ((fn.pool[fn.pool.length - 1] = 5), undefined));
func("column-replaced", /\[column\]: fn\.imm is no Int32Array any more/, "column", (fn) => ((fn as unknown as Record<string, unknown>)["imm"] = [1, 2, 3], undefined));
func("column-shortened", /\[column\]: fn\.valueCount is \d+, fn\.op has room for 2/, "column", (fn) => ((fn.op = new Uint8Array(2)), undefined));
func("count-too-high", /\[column\]: fn\.blockCount is 100000/, "column", (fn) => ((fn.blockCount = 100000), undefined));
func("count-lowered", /\[column\]: fn\.valueCount was \d+ and is 2: rows are never taken away/, "column", (fn) => ((fn.valueCount = 2), undefined));
func("count-no-number", /\[column\]: fn\.edgeCount is many/, "column", (fn) => (((fn as unknown as Record<string, unknown>)["edgeCount"] = "many"), undefined));
func("field-added", /\[fields\]: it put a field of its own on the function/, "fields", (fn) => (((fn as unknown as Record<string, unknown>)["seen"] = true), undefined));
func("method-replaced", /\[fields\]: it put a field of its own on the function/, "fields", (fn) => (((fn as unknown as Record<string, unknown>)["append"] = () => 0), undefined));
func("index-changed", /\[identity\]: fn\.index was 2 and is 1: it is not the pass's to change/, "identity", (fn) => (((fn as unknown as Record<string, unknown>)["index"] = 1), undefined));
func("signature-changed", /\[identity\]: fn\.sig was an object and is an object/, "identity", (fn) => (((fn as unknown as Record<string, unknown>)["sig"] = { params: [], results: [] }), undefined));

// ---- stamps

func("immediate-unstamped", /v\d+ \[stamp\]: fn\.imm\[\d+\] was 77 and is 78, and no stamp told, fn\.valueVersion did not move/, "stamp", (fn, _, at) => ((fn.imm[fn.arg(at.first(Op.i32_xor), 1)] = 78), undefined));
func("operand-unstamped", /\[stamp\]: fn\.pool\[\d+\] was \d+ and is \d+, and no stamp told/, "stamp", (fn, _, at) => ((fn.pool[fn.argStart[at.first(Op.i32_xor)]!] = fn.arg(at.first(Op.i32_xor), 1)), undefined));
func("control-flow-unstamped", /\[stamp\]: .*fn\.cfgVersion did not move/, "stamp", (fn, _, at) => {
  const { cfgVersion } = fn;
  const [then, otherwise] = [fn.imm[at.end]!, fn.imm2[at.end]!];
  fn.imm[at.end] = otherwise;
  fn.imm2[at.end] = then;
  fn.valueVersion++;
  return cfgVersion === fn.cfgVersion ? undefined : "moved";
});
func("stamp-back", /\[stamp\]: a version stamp went back/, "stamp", (fn) => (fn.valueVersion--, undefined));

// ---- how it behaves

func("throws", /on @2 "shapes": not today/, undefined, () => { throw new Error("not today"); });
func("throws-a-string", /it threw just so/, undefined, () => { throw "just so"; });
func("throws-nothing", /it threw undefined/, undefined, () => { throw undefined; });
func("reads-undefined", /Cannot read properties of undefined/, undefined, (fn) => (fn as unknown as Record<string, { x: number }>)["nothing"]!.x);
func("recursion", /Maximum call stack size exceeded/, undefined, () => { const again = (n: number): number => 1 + again(n + 1); return again(0); });
func("endless-loop", /\[time-limit\]: it was stopped after \d+ ms: does it end\?/, "time-limit", () => { for (;;); });
func("endless-loop-that-catches", /\[time-limit\]/, "time-limit", () => { for (;;) try { throw 1; } catch { continue; } });
func("endless-analysis", /\[time-limit\]/, "time-limit", (fn, cx) => cx.get(defineAnalysis({ name: "slow", depends: "cfg", run: (): number => { for (;;); } }), fn));
func("endless-walk", /\[time-limit\]/, "time-limit", (fn, _, at) => {
  fn.next[at.end] = fn.firstInst[fn.entry]!;
  for (let v = fn.firstInst[fn.entry]!; v !== NONE; v = fn.next[v]!);
});
func("endless-growth", /@2 grows beyond \d+ rows: does the pass end\?/, undefined, (fn) => { for (;;) i32of(fn); });
func("endless-edges", /@2 grows beyond \d+ rows/, undefined, (fn) => { for (;;) fn.newEdge(fn.entry, fn.lastBlock as Block); });
func("asynchronous", /\[synchronous\]: run returned a promise/, "synchronous", async () => undefined);
func("asynchronous-and-fails", /\[synchronous\]: run returned a promise/, "synchronous", async () => { throw new Error("later"); });
func("returns-a-function", /\[returns-nothing\]: run returned a function of the IR/, "returns-nothing", (fn) => fn);
func("returns-whether-it-changed", /\[returns-nothing\]: run returned true/, "returns-nothing", () => true);
func("random", /\[deterministic\]: it called Math\.random/, "deterministic", (fn, _, at) => fn.becomeConst(at.first(Op.i32_xor), Math.random() * 10));
func("counts-words", /cx\.count\("n", \.\.\.\) wants a number/, undefined, (_, cx) => cx.count("n", "many" as unknown as number));

// ---- begin

begin("begin-throws", /failed: before the first function: not ready/, undefined, () => { throw new Error("not ready"); });
begin("begin-asynchronous", /\[synchronous\]: begin returned a promise/, "synchronous", async () => undefined);
begin("begin-endless", /before the first function: \[time-limit\]/, "time-limit", () => { for (;;); });
begin("begin-adds-a-function", /only a pass of scope module may add functions/, undefined, (_, { edit }) => edit.addFunc("f", { params: [], results: [] }));
begin("begin-takes-a-function", /\[declarations\]: module\.funcs had \d+ entries and has \d+: no func can be taken away/, "declarations", (decls) => void decls.funcs.pop());
begin("begin-takes-a-global", /\[declarations\]: module\.globals had 2 entries and has 1/, "declarations", (decls) => void decls.globals.pop());
begin("begin-changes-a-signature", /\[declarations\]: the signature of @1 changed/, "declarations", (decls, { edit }) => void (decls.funcs[1]!.type = edit.addType({ params: [], results: [] })));
begin("begin-swaps-functions", /\[declarations\]: @1 is another function than before/, "declarations", (decls) => void ([decls.funcs[1], decls.funcs[2]] = [decls.funcs[2]!, decls.funcs[1]!]));
begin("begin-retypes-a-global", /\[declarations\]: g0 is another global than before/, "declarations", (decls) => void (decls.globals[0]!.type = Type.f64));
begin("begin-wrong-initial-value", /\[constant\]: the initial value of g2 is i32, and should be i64/, "constant", (_, { edit }) => edit.addGlobal({ type: Type.i64, mutable: true }, constantOf(Type.i32, 1)));
begin("begin-export-twice", /there is an export "first" already/, undefined, (_, { edit }) => edit.addExport("first", "func", 1));
begin("begin-exports-nothing", /\[index\]: export "x" names func 400, which does not exist/, "index", (_, { edit }) => edit.addExport("x", "func", 400));
begin("begin-start-of-wrong-type", /\[type\]: the start function is \(i32\) -> i32, and should be/, "type", (decls) => void (decls.start = 1 as never));

// ---- module passes

module("module-throws", /failed: all at once/, undefined, () => { throw new Error("all at once"); });
module("module-endless", /\[time-limit\]/, "time-limit", () => { for (;;); });
module("module-asynchronous", /\[synchronous\]/, "synchronous", async () => undefined);
module("module-returns", /\[returns-nothing\]: run returned an array/, "returns-nothing", (funcs) => [...funcs]);
module("module-sorts-the-list", /\[sealed\]: Cannot assign/, "sealed", (funcs) => void (funcs as Func[]).reverse());
module("module-pushes-to-the-list", /\[sealed\]: Cannot add property 4/, "sealed", (funcs) => void (funcs as Func[]).push(funcs[0]!));
module("module-empty-function", /on @5 "mine": .*\n {2}@5 b0 \[terminator\]: the block is empty/, "terminator", (_, { edit }) => void edit.addFunc("mine", { params: [], results: [] }), 5);
module("module-function-without-body", /\[declarations\]: @5 was declared and has no body/, "declarations", (_, cx) => void cx.module.funcs.push({ type: 0 as never, imported: false, bodyStart: 0, bodyEnd: 0 }));
module("module-import-unlisted", /\[import\]: func 5 is marked as imported and not in the list of imports/, "import", (_, cx) => void cx.module.funcs.push({ type: 0 as never, imported: true, bodyStart: 0, bodyEnd: 0 }));
module("module-takes-the-memory", /\[declarations\]: module\.memories had 1 entries and has 0/, "declarations", (_, cx) => void cx.module.memories.pop());
module("module-breaks-one", /on @2 "shapes": .*\n {2}@2 b\d+ v\d+ \[dominance\]/, "dominance", (funcs) => funcs[1]!.setArg(new At(funcs[1]!).first(Op.i32_add), 0, new At(funcs[1]!).first(Op.i32_add)), 2);
module("module-unstamped", /on @1 "first": v\d+ \[stamp\]/, "stamp", (funcs) => void (funcs[0]!.imm[new At(funcs[0]!).first(Op.i32_const)] = 9), 1);
module("module-field", /\[fields\]/, "fields", (funcs) => void ((funcs[2] as unknown as Record<string, unknown>)["mark"] = 1), 3);
module("module-globals-emptied", /\[declarations\]: module\.globals is no array any more/, "declarations", (_, cx) => void ((cx.module as unknown as Record<string, unknown>)["globals"] = undefined));
module("module-stale-analysis", /\[stale-analysis\]/, "stale-analysis", (funcs, cx) => {
  const used = cx.get(uses, funcs[0]!);
  i32of(funcs[0]!);
  return used.users.length > 100 ? "many" : undefined;
});

// ---- machine passes

machine("machine-throws", /machine pass broken-\d+-machine-throws failed on @2 "shapes": no use/, () => { throw new Error("no use"); });
machine("machine-endless", /\[time-limit\]/, () => { for (;;); });
machine("machine-grows", /@2 grows beyond \d+ rows/, (mfn) => { for (;;) mfn.newVreg(Type.i32); });
machine("machine-returns", /\[returns-nothing\]/, () => 5);
machine("machine-undefined-register", /is used and never defined/, (mfn) => {
  const fresh = mfn.newVreg(Type.i32);
  for (let at = 0; at < mfn.opndLength; at++) if ((mfn.opndInfo[at]! & Opnd.kindMask) === Opnd.use) return void (mfn.opndReg[at] = fresh);
});
machine("machine-register-that-is-not", /v77777 is used and never defined|v77777 does not exist/, (mfn) => void (mfn.opndReg[mfn.opndLength - 1] = 77777));
machine("machine-defined-twice", /is defined twice/, (mfn) => {
  const defs: number[] = [];
  for (let at = 0; at < mfn.opndLength; at++) if ((mfn.opndInfo[at]! & Opnd.kindMask) === Opnd.def && mfn.vregType[mfn.opndReg[at]!] === Type.i32) defs.push(at);
  mfn.opndReg[defs.at(-1)!] = mfn.opndReg[defs[0]!]!;
});
machine("machine-no-terminator", /a block ends in a terminator/, (mfn) => void (mfn.op[mfn.blockEnd[0]! - 1] = MOp.nop));
machine("machine-op-that-is-not", /machine op 60000 is not in the target's table|cannot even be verified/, (mfn) => void (mfn.op[1] = 60000));
machine("machine-blocks-overlap", /blocks follow each other/, (mfn) => void (mfn.blockStart[1] = 0));
machine("machine-block-beyond", /a block has instructions/, (mfn) => void (mfn.blockEnd[mfn.blockCount - 1] = mfn.instCount + 50));
machine("machine-operands-beyond", /the operands of instruction \d+ lie outside/, (mfn) => void (mfn.opndStart[2] = mfn.opndLength + 9));
machine("machine-edge-to-nowhere", /enters b4000, which does not exist/, (mfn) => void (mfn.edgeTo[0] = 4000));
machine("machine-edge-into-the-entry", /no edge enters the entry block|does not enter this block/, (mfn) => void (mfn.edgeTo[0] = 0));
machine("machine-successor-that-is-not", /successor 0 is edge 4000, which does not exist/, (mfn) => void (mfn.lists[mfn.succStart[0]!] = 4000));
machine("machine-clobbers-that-are-not", /there is no clobber set 99/, (mfn) => void (mfn.clobbers[0] = 99));
machine("machine-fixed-nowhere", /the target has no register 63|cannot be in/, (mfn) => {
  for (let at = 0; at < mfn.opndLength; at++) {
    if ((mfn.opndInfo[at]! & Opnd.constraintMask) === Opnd.reg && mfn.vregType[mfn.opndReg[at]!] === Type.i32) return void (mfn.opndInfo[at] = (mfn.opndInfo[at]! & 7) | Opnd.fixed | (63 << Opnd.payloadShift));
  }
});
machine("machine-index", /\[identity\]: fn\.index was 2 and is 9/, (mfn) => void ((mfn as unknown as Record<string, unknown>)["index"] = 9));
machine("machine-says-allocated", /\[identity\]: fn\.allocated was false and is true/, (mfn) => void (mfn.allocated = true));
machine("machine-column", /\[column\]: fn\.opndReg is no Int32Array any more/, (mfn) => void ((mfn as unknown as Record<string, unknown>)["opndReg"] = []));

// ---- passes on bytes

wasm("wasm-returns-nothing", /\[bytes\]: run returned a undefined/, () => undefined);
wasm("wasm-returns-text", /\[bytes\]: run returned a string/, () => "(module)");
wasm("wasm-truncated", /\[valid-module\]: what it returned is no valid module/, (bytes) => bytes.slice(0, 20));
wasm("wasm-empty", /\[valid-module\]/, () => new Uint8Array(0));
wasm("wasm-scrambled", /\[valid-module\]/, (bytes) => bytes.map((byte, i) => (i > 40 ? byte ^ 0x55 : byte)));
wasm("wasm-throws", /failed: cannot read this/, () => { throw new Error("cannot read this"); });
wasm("wasm-endless", /\[time-limit\]: it was stopped after/, () => { for (;;); });
wasm("wasm-never-done", /\[time-limit\]: its promise was given up after/, () => new Promise(() => undefined));
wasm("wasm-rejects", /failed: changed my mind/, async () => { throw new Error("changed my mind"); });

export const broken: readonly Broken[] = all;
