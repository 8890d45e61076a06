// The verifier finds every class of damage: functions broken on purpose, each with the error it must give.
// What the parser would refuse is done to a good function through its columns.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { NONE, type Block, type Edge, type Value } from "../../../ir/entity.js";
import type { Func } from "../../../ir/func.js";
import type { Module } from "../../../ir/module.js";
import { Op } from "../../../ir/ops.js";
import { parseModule } from "../../../ir/parse.js";
import { printFunc } from "../../../ir/print.js";
import { Type } from "../../../ir/types.js";
import { printVerifierError, verifyFunc, verifyModule } from "../../../ir/verify.js";

const DECLS = `type t0 = (i32, i64) -> i32
type t1 = () -> ()
type t2 = (i32) -> (i32, f64)
import @0 = "env" "f": t2
func @1: t0
table T0: funcref, 1..
table T1: externref, 1..
memory m0: 1..
global g0: i32 = (i32.const 1)
global g1: mut f32 = (f32.const 1)
elem elem0: externref, passive, []
data data0: passive, ""
`;

function build(body: string): { module: Module; fn: Func } {
  const { module, funcs } = parseModule(`${DECLS}func @1: t0 (i32, i64) -> i32 {\n${body}\n}`);
  return { module, fn: funcs[0]! };
}

const good = `b0(v0: i32, v1: i64):
  v2 = i32.const 7
  br_if v0, b1(v2), b2
b1(v3: i32):
  v4 = i32.add v3, v0
  v5 = i32.const 9
  br_table v4, [b1(v5), b2, b1(v5)], b2
b2:
  v7: i32 = call @0(v0)
  v8: f64 = result v7, 1
  return v7`;

test("a good function has no errors", () => {
  const { fn, module } = build(good);
  assert.equal(verifyFunc(fn, module), []);
  assert.equal(verifyFunc(fn), []);
});

/** One block that returns its parameter, with `lines` before. */
const body = (...lines: string[]) => `b0(v0: i32, v1: i64):\n${lines.map((line) => `  ${line}\n`).join("")}  return v0`;

const texts: [string, string, string][] = [
  // Operands and types
  ["operand type", body("v2 = i32.add v0, v1"), "@1 b0 v2 [operand-type]: operand 1 of i32.add, v1, is i64, not i32"],
  ["operand count", body("v2 = i32.add v0"), "@1 b0 v2 [operand-count]: i32.add has 2 operands, not 1"],
  ["no operands at all", body("i32.store v0, m0"), "@1 b0 v2 [operand-count]: i32.store has 2 operands, not 1"],
  ["copy", body("v2: i64 = copy v0"), "@1 b0 v2 [operand-type]: operand 0 of copy, v0, is i32, not i64"],
  ["select", body("v2: i32 = select v0, v1, v0"), "@1 b0 v2 [operand-type]: operand 1 of select, v1, is i64, not i32"],
  ["ref.null of a number", body("v2: i32 = ref.null"), "@1 b0 v2 [result-type]: ref.null makes a reference, not i32"],
  ["ref.is_null of a number", body("v2 = ref.is_null v0"), "@1 b0 v2 [operand-type]: operand 0 of ref.is_null, v0, is i32, not a reference"],
  ["return count", "b0(v0: i32, v1: i64):\n  return", "@1 b0 v2 [operand-count]: return has 0 results, the signature 1"],
  ["return type", "b0(v0: i32, v1: i64):\n  return v1", "@1 b0 v2 [operand-type]: operand 0 of return, v1, is i64, not i32"],
  // Calls
  ["argument count", body("v2: i32 = call @0(v0, v0)"), "@1 b0 v2 [operand-count]: call has 2 arguments, the signature 1"],
  ["argument type", body("v2: i32 = call @0(v1)"), "@1 b0 v2 [operand-type]: operand 0 of call, v1, is i64, not i32"],
  ["first result", body("v2: f64 = call @0(v0)"), "@1 b0 v2 [result-type]: the callee is (i32) -> (i32, f64), the first result is not f64"],
  ["call without its result", body("call @0(v0)"), "@1 b0 v2 [result-type]: the callee is (i32) -> (i32, f64), the first result is not none"],
  ["indirect argument", body("v2: i32 = call_indirect t2, T0, v0(v1)"), "@1 b0 v2 [operand-type]: operand 0 of call_indirect, v1, is i64, not i32"],
  ["indirect element", body("v2: i32 = call_indirect t2, T0, v1(v0)"), "@1 b0 v2 [operand-type]: operand 1 of call_indirect, v1, is i64, not i32"],
  ["indirect table", body("v2: i32 = call_indirect t2, T1, v0(v0)"), "@1 b0 v2 [operand-type]: T1 holds externref, call_indirect needs funcref"],
  ["result of no call", body("v2: i32 = result v0, 1"), "@1 b0 v2 [result]: it takes a result of v0, which is a param and no call"],
  ["result not behind", body("v2: i32 = call @0(v0)", "v3 = i32.const 1", "v4: f64 = result v2, 1"), "@1 b0 v4 [result]: it must stand directly behind its call v2"],
  ["result 0", body("v2: i32 = call @0(v0)", "v4: i32 = result v2, 0"), "@1 b0 v4 [result]: result 0 is the call itself"],
  ["result 2", body("v2: i32 = call @0(v0)", "v4: f64 = result v2, 2"), "@1 b0 v4 [result]: the callee is (i32) -> (i32, f64): there is no result 2"],
  ["result type", body("v2: i32 = call @0(v0)", "v4: f32 = result v2, 1"), "@1 b0 v4 [result-type]: result 1 of (i32) -> (i32, f64) is not f32"],
  // Index spaces
  ["function", body("v2: i32 = call @9(v0)"), "@1 b0 v2 [index]: call names function 9, the module has 2"],
  ["type", body("v2: i32 = call_indirect t9, T0, v0(v0)"), "@1 b0 v2 [index]: call_indirect names type 9, the module has 3"],
  ["table", body("v2: funcref = table.get T9, v0"), "@1 b0 v2 [index]: table.get names table 9, the module has 2"],
  ["memory", body("v2 = i32.load v0, m1"), "@1 b0 v2 [index]: i32.load names memory 1, the module has 1"],
  ["second memory", body("memory.copy m0, m3, v0, v0, v0"), "@1 b0 v2 [index]: memory.copy names memory 3, the module has 1"],
  ["global", body("v2: i32 = global.get g7"), "@1 b0 v2 [index]: global.get names global 7, the module has 2"],
  ["element segment", body("elem.drop elem4"), "@1 b0 v2 [index]: elem.drop names element segment 4, the module has 1"],
  ["data segment", body("memory.init data4, m0, v0, v0, v0"), "@1 b0 v2 [index]: memory.init names data segment 4, the module has 1"],
  // What the module says about globals and tables
  ["global.get", body("v2: i64 = global.get g0"), "@1 b0 v2 [result-type]: g0 is i32, not i64"],
  ["global.set type", body("global.set g1, v0"), "@1 b0 v2 [operand-type]: operand 0 of global.set, v0, is i32, not f32"],
  ["global.set immutable", body("global.set g0, v0"), "@1 b0 v2 [index]: g0 is immutable"],
  ["table.get", body("v2: funcref = table.get T1, v0"), "@1 b0 v2 [result-type]: T1 holds externref, not funcref"],
  ["table.set", body("v2: funcref = ref.null", "table.set T1, v0, v2"), "@1 b0 v3 [operand-type]: operand 1 of table.set, v2, is funcref, not externref"],
  ["table.grow", body("v2: funcref = ref.null", "v3 = table.grow T1, v2, v0"), "@1 b0 v3 [operand-type]: operand 0 of table.grow, v2, is funcref, not externref"],
  ["table.copy", body("table.copy T0, T1, v0, v0, v0"), "@1 b0 v2 [operand-type]: T0 and T1 hold different references"],
  ["table.init", body("table.init elem0, T0, v0, v0, v0"), "@1 b0 v2 [operand-type]: elem0 and T0 hold different references"],
  // Blocks
  ["no terminator", "b0(v0: i32, v1: i64):\n  v2 = i32.const 1", "@1 b0 v2 [terminator]: the block ends in i32.const, which is no terminator"],
  ["empty block", "b0(v0: i32, v1: i64):\n  br b1\nb1:", "@1 b1 [terminator]: the block is empty: it needs a terminator"],
  ["terminator inside", "b0(v0: i32, v1: i64):\n  return v0\n  v3 = i32.const 1\n  return v0", "@1 b0 v2 [terminator]: return ends a block, and v3 follows"],
  ["entry parameters", "b0(v0: i32):\n  return v0", "@1 b0 [entry]: the entry has 1 parameters, the signature 2"],
  ["entry parameter type", "b0(v0: i32, v1: f64):\n  return v0", "@1 b0 v1 [entry]: parameter 1 is f64, the signature says i64"],
  ["entry entered", "b0(v0: i32, v1: i64):\n  br b0(v0, v1)", "@1 b0 [entry]: an edge from b0 enters the entry"],
  // Edges
  ["argument count of an edge", "b0(v0: i32, v1: i64):\n  br b1(v0)\nb1:\n  return v0", "@1 b0 v2 [edge-args]: the edge to b1 has 1 arguments, the block has 0 parameters"],
  ["argument type of an edge", "b0(v0: i32, v1: i64):\n  br b1(v1)\nb1(v2: i32):\n  return v2", "@1 b0 v3 [edge-args]: argument 0 of the edge to b1, v1, is i64, the parameter is i32"],
  // Dominance
  ["use before definition", body("v2 = i32.add v3, v0", "v3 = i32.const 1"), "@1 b0 v2 [dominance]: operand 0, v3, is defined behind its use"],
  ["use of itself", body("v2 = i32.add v2, v0"), "@1 b0 v2 [dominance]: operand 0, v2, is defined behind its use"],
  [
    "definition on one path",
    "b0(v0: i32, v1: i64):\n  br_if v0, b1, b2\nb1:\n  v2 = i32.const 1\n  br b2\nb2:\n  return v2",
    "@1 b2 v5 [dominance]: operand 0, v2, is defined in b1, which does not dominate b2",
  ],
  [
    "argument defined later",
    "b0(v0: i32, v1: i64):\n  br b1(v3)\nb1(v2: i32):\n  v3 = i32.const 1\n  return v2",
    "@1 b0 v4 [dominance]: argument 0 of the edge to b1, v3, is defined in b1, which does not dominate b0",
  ],
  [
    "definition in an unreachable block",
    "b0(v0: i32, v1: i64):\n  br b2\nb1:\n  v2 = i32.const 1\n  br b2\nb2:\n  return v2",
    "@1 b2 v5 [dominance]: operand 0, v2, is defined in b1, which does not dominate b2",
  ],
];

for (const [what, text, message] of texts) {
  test(`finds: ${what}`, () => {
    const { fn, module } = build(text);
    const found = verifyFunc(fn, module).map(printVerifierError);
    assert.ok(found.some((line) => line.startsWith(message)), `expected ${message}\nfound ${found.join("\n") || "nothing"}`);
  });
}

const v = (n: number) => n as Value;
const b = (n: number) => n as Block;
/** Edges of `good`: 0 and 1 of the br_if, 2 (to b1) and 3 (to b2) of the br_table. */
const damages: [string, (fn: Func) => void, string][] = [
  ["block says nothing of its follower", (fn) => void (fn.blockPrev[2] = 0), "@1 b2 [block-list]: its predecessor in the order is b1, it says b0"],
  ["blocks in a circle", (fn) => void (fn.blockNext[2] = 1), "@1 b1 [block-list]: the block stands twice in the order"],
  ["block out of range", (fn) => void (fn.blockNext[2] = 77), "@1 b2 [block-list]: the order of blocks goes on to b77, which does not exist"],
  ["wrong last block", (fn) => void (fn.lastBlock = 0), "@1 b2 [block-list]: the order of blocks ends here, lastBlock says b0"],
  ["no blocks", (fn) => void (fn.firstBlock = NONE), "@1 [entry]: a function has at least one block"],
  ["entry not first", (fn) => void (fn.entry = b(1)), "@1 b1 [entry]: the entry is not the first block, b0 is"],
  ["instructions in a circle", (fn) => void (fn.next[5] = 4), "@1 b1 v4 [inst-list]: the value stands twice in the function"],
  ["broken back link", (fn) => void (fn.prev[5] = 0), "@1 b1 v5 [inst-list]: the instruction before it is v4, it says v0"],
  ["instruction of another block", (fn) => void (fn.block[4] = 2), "@1 b1 v4 [inst-list]: it stands in b1 and says it belongs to b2"],
  ["wrong last instruction", (fn) => void (fn.lastInst[1] = 4), "@1 b1 v9 [inst-list]: the last instruction is v9, the block says v4"],
  ["next out of range", (fn) => void (fn.next[4] = 5000), "@1 b1 v4 [inst-list]: the next instruction is v5000, which does not exist"],
  ["unknown operation", (fn) => void (fn.op[4] = 250), "@1 b1 v4 [op]: there is no operation 250"],
  ["parameter among instructions", (fn) => void (fn.op[4] = Op.param), "@1 b1 v4 [inst-list]: a parameter stands among the instructions"],
  ["operands outside of the pool", (fn) => void (fn.argStart[4] = 100000), "@1 b1 v4 [operand-list]: its operands lie outside of the pool"],
  ["parameter is none", (fn) => void (fn.op[3] = Op.i32_const), "@1 b1 v3 [param-list]: parameter 0 is a i32.const"],
  ["parameter number", (fn) => void (fn.imm[3] = 4), "@1 b1 v3 [param-list]: it is parameter 0 and says it is parameter 4"],
  ["parameter of another block", (fn) => void (fn.block[3] = 0), "@1 b1 v3 [param-list]: it is a parameter of b1 and says it belongs to b0"],
  ["parameter out of range", (fn) => void (fn.pool[fn.paramStart[1]!] = 999), "@1 b1 [param-list]: parameter 0 is v999, which does not exist"],
  ["parameter twice", (fn) => void (fn.pool[fn.paramStart[0]! + 1] = 0), "@1 b0 v0 [param-list]: the value stands twice in the function"],
  ["parameter type", (fn) => void (fn.type[3] = Type.none), "@1 b1 v3 [result-type]: a parameter has a value type"],
  ["result type", (fn) => void (fn.type[4] = Type.i64), "@1 b1 v4 [result-type]: the result of i32.add is i32, not i64"],
  ["terminator with a result", (fn) => void (fn.type[fn.terminator(b(1))] = Type.i32), "[result-type]: the result of br_table is none, not i32"],
  ["operand never set", (fn) => fn.setArg(v(4), 0, v(NONE)), "@1 b1 v4 [operand]: operand 0 was never set"],
  ["operand without a result", (fn) => fn.setArg(v(4), 0, fn.terminator(b(0))), "@1 b1 v4 [operand]: operand 0 is v6, a br_if without a result"],
  ["operand out of range", (fn) => fn.setArg(v(4), 0, v(1234)), "@1 b1 v4 [operand]: operand 0 is v1234, which does not exist"],
  ["operand removed", (fn) => fn.remove(v(2)), "[operand]: argument 0 of the edge to b1 is v2, which was removed"],
  ["edge out of range", (fn) => void (fn.imm[fn.terminator(b(0))] = 50), "@1 b0 v6 [edge]: target 0 is edge 50, which does not exist"],
  ["edge shared by a br_if", (fn) => void (fn.imm2[fn.terminator(b(0))] = fn.imm[fn.terminator(b(0))]!), "@1 b0 v6 [edge]: target 1 is edge 0, which another target has already"],
  ["edge from elsewhere", (fn) => void (fn.edgeFrom[0] = 2), "@1 b0 v6 [edge]: edge 0 leaves b0 and says it leaves b2"],
  ["edge to nowhere", (fn) => void (fn.edgeTo[0] = 9), "@1 b0 v6 [edge]: edge 0 enters b9, which is in no order"],
  ["edge arguments outside of the pool", (fn) => void (fn.edgeArgStart[0] = 1 << 20), "@1 b0 v6 [edge-args]: the arguments of edge 0 lie outside of the pool"],
  ["edge table out of range", (fn) => void (fn.imm2[fn.terminator(b(1))] = 99), "@1 b1 v9 [edge-table]: entries 0 to 99 do not lie in the edge table"],
  ["empty edge table", (fn) => void (fn.imm2[fn.terminator(b(1))] = 0), "@1 b1 v9 [edge-table]:"],
  ["edge no terminator names", (fn) => void fn.newEdge(b(0), b(2)), "@1 b2 [preds]: edge 4 is among its predecessors, and no terminator names it (it says it leaves b0)"],
  ["edge missing among predecessors", (fn) => fn.removeEdge(3 as Edge), "[edge]: edge 3 leaves b1 and says it leaves none"],
  ["list of predecessors cut", (fn) => void ((fn.firstPred[1] = NONE), (fn.lastPred[1] = NONE)), "@1 b0 [preds]: edge 0 enters b1, whose list of predecessors lacks it"],
  ["predecessors in a circle", (fn) => void (fn.edgeNextPred[2] = 0), "@1 b1 [preds]: edge 0 stands twice in the lists of predecessors"],
  ["last predecessor", (fn) => void (fn.lastPred[1] = 0), "@1 b1 [preds]: the last edge among its predecessors is 2, the block says 0"],
  ["argument never set", (fn) => fn.setEdgeArg(0 as Edge, 0, v(NONE)), "@1 b0 v6 [operand]: argument 0 of the edge to b1 was never set"],
  ["removed block still entered", (fn) => fn.unplaceBlock(b(2)), "@1 b0 v6 [edge]: edge 1 enters b2, which is in no order"],
  ["other signature than the module says", (fn) => void (fn.sigIndex = 1 as never), "@1 [signature]: t1 is () -> (), the function is (i32, i64) -> i32"],
  ["type of no module", (fn) => void (fn.sigIndex = 12 as never), "@1 [signature]: the module has no type t12"],
];

for (const [what, damage, message] of damages) {
  test(`finds: ${what}`, () => {
    const { fn, module } = build(good);
    damage(fn);
    const found = verifyFunc(fn, module).map(printVerifierError);
    assert.ok(found.some((line) => line.includes(message)), `expected ${message}\nfound ${found.join("\n") || "nothing"}`);
    // A broken function is what one wants to read: printing ends, and does not throw.
    assert.type(printFunc(fn, module), "string");
  });
}

test("unreachable blocks may use what does not dominate them", () => {
  const { fn, module } = build("b0(v0: i32, v1: i64):\n  br_if v0, b1, b2\nb1:\n  v2 = i32.const 1\n  return v2\nb2:\n  return v0\nb3:\n  return v2");
  assert.equal(verifyFunc(fn, module), []);
});

const decls: [string, string, string][] = [
  ["type of a function", "type t0 = () -> ()", "[index]: @0 has type t3, the module has 1 types"],
  ["constant type", "global g0: i32 = (i64.const 1)", "[constant]: the initial value of g0 is i64, and should be i32"],
  ["constant length", "global g0: i32 = ()", "[constant]: the initial value of g0 has 0 instructions, and should have one"],
  ["mutable global in a constant", "global g0: mut i32 = (i32.const 1)\nglobal g1: i32 = (global.get g0)", "[constant]: the initial value of g1 reads g0, which is mutable"],
  ["later global in a constant", "global g0: i32 = (global.get g1)\nglobal g1: i32 = (i32.const 1)", "[index]: the initial value of g0 reads g1, which does not exist or is declared later"],
  ["element type", "elem elem0: externref, passive, [(ref.null funcref)]", "[constant]: element 0 of elem0 is funcref, and should be externref"],
  ["element target", "elem elem0: funcref, active T0 (i32.const 0), []", "[index]: elem0 goes into T0, which does not exist"],
  ["element target type", "table T0: externref, 1..\nelem elem0: funcref, active T0 (i32.const 0), []", "[type]: elem0 holds funcref, T0 externref"],
  ["element function", "elem elem0: funcref, passive, [(ref.func @5)]", "[index]: element 0 of elem0 names @5, which does not exist"],
  ["data target", 'data data0: active m0 (i32.const 0), "x"', "[index]: data0 goes into m0, which does not exist"],
  ["data offset", 'memory m0: 1..\ndata data0: active m0 (f32.const 0), "x"', "[constant]: the offset of data0 is f32, and should be i32"],
  ["export name twice", 'memory m0: 1..\nexport "a" = m0\nexport "a" = m0', '[export]: two exports have the name "a"'],
  ["start signature", "type t0 = (i32) -> ()\nfunc @0: t0\nstart @0", "[type]: the start function is (i32) -> (), and should be () -> ()"],
  ["limits", "memory m0: 5..2", "[limits]: m0 has minimum 5 and maximum 2"],
  ["memory too large", "memory m0: 65537..", "[limits]: m0 has more than 65536 of its units"],
];

for (const [what, text, message] of decls) {
  test(`finds in declarations: ${what}`, () => {
    const { module } = parseModule(text);
    if (what === "type of a function") module.funcs.push({ type: 3 as never, imported: false, bodyStart: 0, bodyEnd: 0 });
    const found = verifyModule(module).map(printVerifierError);
    assert.ok(found.includes(message), `expected ${message}\nfound ${found.join("\n") || "nothing"}`);
  });
}

test("declarations: imports out of order, exports of nothing", () => {
  const { module } = parseModule('type t0 = () -> ()\nimport @0 = "a" "b": t0\nfunc @1: t0\nexport "x" = @1\nstart @1');
  assert.equal(verifyModule(module), []);
  module.exports[0]!.index = 9 as never;
  module.funcs[1]!.imported = true;
  module.start = 4 as never;
  const found = verifyModule(module).map(printVerifierError);
  assert.ok(found.includes('[index]: export "x" names func 9, which does not exist'), found.join("\n"));
  assert.ok(found.some((line) => line.startsWith("[import]: func 1 is marked as imported")), found.join("\n"));
  assert.ok(found.includes("[index]: the start function is @4, which does not exist"), found.join("\n"));
});

test.run();
