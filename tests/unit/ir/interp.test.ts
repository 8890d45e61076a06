// The interpreter on hand-written functions: moves on edges, calls, traps and their backtraces, host functions, bulk operations.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { FuncIndex } from "../../../ir/entity.js";
import { decode, InterpThread, InterpTrap, run, type InterpCallee, type InterpEnv, type InterpMemory, type RegFile } from "../../../ir/interp.js";
import { PAGE_BYTES, trapInfo } from "../../../ir/layout.js";
import type { Module } from "../../../ir/module.js";
import { parseModule } from "../../../ir/parse.js";
import { printVerifierError, verifyFunc } from "../../../ir/verify.js";

type Host = (file: RegFile, at: number) => void;

/** A small world of one instance: functions, one memory, globals as 64-bit words, a table of function indices + 1. */
class World implements InterpEnv {
  readonly thread = new InterpThread(5000);
  readonly module: Module;
  readonly callees: InterpCallee[];
  readonly globals = new Int32Array(32);
  readonly table: number[] = [];
  memory0: InterpMemory;

  constructor(text: string, hosts: readonly Host[] = []) {
    const { module, funcs } = parseModule(text);
    for (const fn of funcs) assert.equal(verifyFunc(fn, module).map(printVerifierError), []);
    this.module = module;
    this.callees = [
      ...hosts.map((call): InterpCallee => ({ kind: "host", call })),
      ...funcs.map((fn): InterpCallee => ({ kind: "wasm", code: decode(fn, module), env: this })),
    ];
    this.memory0 = memoryOf(PAGE_BYTES);
  }

  memory(): InterpMemory {
    return this.memory0;
  }
  memoryGrow(_: number, delta: number): number {
    const before = this.memory0.bytes.length / PAGE_BYTES;
    if (before + delta > 4) return -1;
    const grown = memoryOf((before + delta) * PAGE_BYTES);
    grown.bytes.set(this.memory0.bytes);
    this.memory0 = grown;
    return before;
  }
  globalGet(index: number, file: RegFile, at: number): void {
    file.i32[2 * at] = this.globals[2 * index]!;
    file.i32[2 * at + 1] = this.globals[2 * index + 1]!;
  }
  globalSet(index: number, file: RegFile, at: number): void {
    this.globals[2 * index] = file.i32[2 * at]!;
    this.globals[2 * index + 1] = file.i32[2 * at + 1]!;
  }
  callee(index: FuncIndex): InterpCallee {
    return this.callees[index]!;
  }
  indirectCallee(_: number, __: number, element: number): InterpCallee {
    const ref = this.table[element >>> 0];
    if (ref === undefined) throw new InterpTrap(4);
    if (ref === 0) throw new InterpTrap(5);
    return this.callees[ref - 1]!;
  }
  refFunc(index: FuncIndex, file: RegFile, at: number): void {
    file.i32[2 * at] = index + 1;
    file.i32[2 * at + 1] = 0;
  }
  tableGet(_: number, element: number, file: RegFile, at: number): void {
    file.i32[2 * at] = this.table[element]!;
    file.i32[2 * at + 1] = 0;
  }
  tableSet(_: number, element: number, file: RegFile, at: number): void {
    this.table[element] = file.i32[2 * at]!;
  }
  tableSize(): number {
    return this.table.length;
  }
  tableGrow(_: number, delta: number, file: RegFile, at: number): number {
    const before = this.table.length;
    for (let i = 0; i < delta; i++) this.table.push(file.i32[2 * at]!);
    return before;
  }
  readonly log: string[] = [];
  tableFill(table: number, dst: number, length: number, file: RegFile, at: number): void {
    this.log.push(`fill ${table} ${dst} ${file.i32[2 * at]} ${length}`);
  }
  tableCopy(...args: number[]): void {
    this.log.push(`copy ${args.join(" ")}`);
  }
  tableInit(...args: number[]): void {
    this.log.push(`init ${args.join(" ")}`);
  }
  memoryInit(...args: number[]): void {
    this.log.push(`memory.init ${args.join(" ")}`);
  }
  elemDrop(elem: number): void {
    this.log.push(`elem.drop ${elem}`);
  }
  dataDrop(data: number): void {
    this.log.push(`data.drop ${data}`);
  }

  /** Calls function `index` with 64-bit words; gives so many results. */
  call(index: number, args: readonly (number | bigint)[], results = 1): bigint[] {
    const { thread } = this;
    const at = thread.top;
    thread.file.ensure(at + Math.max(args.length, results));
    args.forEach((x, i) => (thread.file.i64[at + i] = BigInt.asIntN(64, BigInt(x))));
    run(thread, this.callees[index]!);
    assert.is(thread.top, at);
    assert.is(thread.depth, 0);
    assert.is(thread.codes.length, 0);
    return Array.from({ length: results }, (_, i) => thread.file.i64[at + i]!);
  }

  trap(index: number, args: readonly (number | bigint)[]): InterpTrap {
    try {
      this.call(index, args);
    } catch (error) {
      if (!(error instanceof InterpTrap)) throw error;
      assert.is(this.thread.depth, 0);
      assert.is(this.thread.top, 0);
      return error;
    }
    assert.unreachable("no trap");
    throw new Error();
  }
}

function memoryOf(bytes: number): InterpMemory {
  const buffer = new ArrayBuffer(bytes);
  return { bytes: new Uint8Array(buffer), view: new DataView(buffer) };
}

const i32 = (x: bigint | undefined): number => Number(BigInt.asIntN(32, x!));

test("edges move in parallel: swaps, rotations, copies of what is overwritten", () => {
  const world = new World(`type t0 = (i32, i64, i64, i64) -> (i64, i64, i64, i64, i64)
func @0: t0
func @0: t0 (i32, i64, i64, i64) -> (i64, i64, i64, i64, i64) {
b0(v0: i32, v1: i64, v2: i64, v3: i64):
  br b1(v0, v1, v2, v3, v1, v2)
b1(v4: i32, v5: i64, v6: i64, v7: i64, v8: i64, v9: i64):
  br_if v4, b2, b3
b2:
  v10 = i32.const -1
  v11 = i32.add v4, v10
  br b1(v11, v6, v7, v5, v9, v8)
b3:
  return v5, v6, v7, v8, v9
}`);
  for (let n = 0; n < 7; n++) {
    let [a, b, c, d, e] = [11n, 22n, 33n, 11n, 22n];
    for (let i = 0; i < n; i++) [a, b, c, d, e] = [b, c, a, e, d];
    assert.equal(world.call(0, [n, 11, 22, 33], 5), [a, b, c, d, e]);
  }
});

test("returns move in parallel into the parameters' places", () => {
  const world = new World(`type t0 = (i64, i64, i64) -> (i64, i64, i64)
func @0: t0
func @0: t0 (i64, i64, i64) -> (i64, i64, i64) {
b0(v0: i64, v1: i64, v2: i64):
  return v2, v0, v1
}`);
  assert.equal(world.call(0, [1, 2, 3], 3), [3n, 1n, 2n]);
});

test("NaN payloads survive moves, memory, globals, select", () => {
  const world = new World(`type t0 = (f64, f32) -> (f64, f32)
func @0: t0
memory m0: 1..
global g0: mut f64 = (f64.const 0)
func @0: t0 (f64, f32) -> (f64, f32) {
b0(v0: f64, v1: f32):
  v2 = i32.const 8
  f64.store v2, m0, v0
  f32.store v2, m0, offset=8, v1
  v3 = f64.load v2, m0
  v4 = f32.load v2, m0, offset=8
  global.set g0, v3
  v5: f64 = global.get g0
  v6: f64 = select v5, v0, v2
  v7: f32 = copy v4
  br b1(v7, v6)
b1(v8: f32, v9: f64):
  return v9, v8
}`);
  const [x, y] = world.call(0, [0x7ff0000000000001n, 0x7f800001], 2);
  assert.is(BigInt.asUintN(64, x!), 0x7ff0000000000001n);
  assert.is(i32(y), 0x7f800001);
});

test("br_table: shared stubs, default, huge index", () => {
  const world = new World(`type t0 = (i32) -> i32
func @0: t0
func @0: t0 (i32) -> i32 {
b0(v0: i32):
  v1 = i32.const 100
  v2 = i32.const 200
  br_table v0, [b1(v1), b2, b1(v2), b1(v1)], b1(v0)
b1(v3: i32):
  return v3
b2:
  v4 = i32.const 7
  return v4
}`);
  assert.equal([0, 1, 2, 3, 4, 9, -1].map((i) => i32(world.call(0, [i])[0])), [100, 7, 200, 100, 4, 9, -1]);
});

test("calls: recursion, several results, through the table", () => {
  const world = new World(`type t0 = (i64) -> i64
type t1 = (i64, i64) -> (i64, i64)
type t2 = (i32, i64) -> i64
func @0: t0
func @1: t1
func @2: t2
table T0: funcref, 1..
func @0: t0 (i64) -> i64 {
b0(v0: i64):
  v1 = i64.eqz v0
  br_if v1, b1, b2
b1:
  v2 = i64.const 1
  return v2
b2:
  v3 = i64.const -1
  v4 = i64.add v0, v3
  v5: i64 = call @0(v4)
  v6 = i64.mul v5, v0
  return v6
}
func @1: t1 (i64, i64) -> (i64, i64) {
b0(v0: i64, v1: i64):
  v2: i64 = call @0(v0)
  v3: i64 = call @0(v1)
  return v3, v2
}
func @2: t2 (i32, i64) -> i64 {
b0(v0: i32, v1: i64):
  v2: i64 = call @1(v1, v1)
  v3: i64 = result v2, 1
  v4: i64 = call_indirect t0, T0, v0(v1)
  v5 = i64.sub v4, v3
  return v5
}`);
  world.table.push(1, 0);
  assert.equal(world.call(0, [20]), [2432902008176640000n]);
  assert.equal(world.call(1, [3, 5], 2), [120n, 6n]);
  assert.equal(world.call(2, [0, 6]), [0n]);
  assert.is(trapInfo[world.trap(2, [1, 6]).kind].name, "uninitialized_element");
  assert.is(trapInfo[world.trap(2, [2, 6]).kind].name, "undefined_element");
});

const TRAPS = `type t0 = (i32, i32) -> i32
func @0 "inner": t0
func @1 "outer": t0
memory m0: 1..
func @0 "inner": t0 (i32, i32) -> i32 {
b0(v0: i32, v1: i32):
  v2 = i32.div_s v0, v1 !0x20
  v3 = i32.load v0, m0, offset=4 !0x25
  return v3
}
func @1 "outer": t0 (i32, i32) -> i32 {
b0(v0: i32, v1: i32):
  v2: i32 = call @0(v0, v1) !0x40
  return v2
}`;

test("traps name function, offset and callers", () => {
  const world = new World(TRAPS);
  const zero = world.trap(1, [1, 0]);
  assert.is(trapInfo[zero.kind].name, "integer_divide_by_zero");
  assert.equal(zero.frames.map((f) => [f.func, f.name, f.offset]), [[0, "inner", 0x20], [1, "outer", 0x40]]);
  assert.is(zero.offset, 0x20);
  assert.is(trapInfo[world.trap(0, [-0x80000000, -1]).kind].name, "integer_overflow");
  const bounds = world.trap(0, [PAGE_BYTES - 7, 1]);
  assert.is(trapInfo[bounds.kind].name, "out_of_bounds_memory");
  assert.is(bounds.message, "out of bounds memory access: 4 bytes at 65533 of memory 0, which has 65536");
  assert.is(bounds.offset, 0x25);
  assert.equal(world.call(0, [PAGE_BYTES - 8, 1]).map(i32), [0]);
  // The address is unsigned, and the offset added without wrapping.
  assert.is(trapInfo[world.trap(0, [-4, 1]).kind].name, "out_of_bounds_memory");
});

test("every access is checked to its last byte", () => {
  const rows: [string, string, number][] = [
    ["i32.load8_s", "i32", 1], ["i32.load8_u", "i32", 1], ["i32.load16_s", "i32", 2], ["i32.load16_u", "i32", 2], ["i32.load", "i32", 4], ["f32.load", "f32", 4],
    ["i64.load8_s", "i64", 1], ["i64.load8_u", "i64", 1], ["i64.load16_s", "i64", 2], ["i64.load16_u", "i64", 2], ["i64.load32_s", "i64", 4], ["i64.load32_u", "i64", 4],
    ["i64.load", "i64", 8], ["f64.load", "f64", 8], ["i32.store8", "i32", 1], ["i32.store16", "i32", 2], ["i32.store", "i32", 4], ["i64.store8", "i64", 1],
    ["i64.store16", "i64", 2], ["i64.store32", "i64", 4], ["i64.store", "i64", 8], ["f32.store", "f32", 4], ["f64.store", "f64", 8],
  ];
  const expected: Record<string, bigint> = {
    "i32.load8_s": -2n, "i32.load8_u": 0xfen, "i32.load16_s": -258n, "i32.load16_u": 0xfefen, "i64.load8_s": -2n, "i64.load8_u": 0xfen,
    "i64.load16_s": -258n, "i64.load16_u": 0xfefen, "i64.load32_s": -16843010n, "i64.load32_u": 0xfefefefen,
  };
  for (const [op, type, bytes] of rows) {
    const store = op.includes("store");
    const world = new World(`type t0 = (i32, ${type}) -> ${type}
func @0: t0
memory m0: 1..
func @0: t0 (i32, ${type}) -> ${type} {
b0(v0: i32, v1: ${type}):
  ${store ? `${op} v0, m0, v1\n  return v1` : `v2 = ${op} v0, m0\n  return v2`}
}`);
    world.memory0.bytes.fill(0xfe);
    assert.is(trapInfo[world.trap(0, [PAGE_BYTES - bytes + 1, 0]).kind].name, "out_of_bounds_memory", op);
    assert.ok(world.memory0.bytes.every((byte) => byte === 0xfe), `${op} wrote before it trapped`);
    const [result] = world.call(0, [PAGE_BYTES - bytes, 0x0102030405060708n]);
    if (store) {
      assert.equal([...world.memory0.bytes.slice(-bytes)], [8, 7, 6, 5, 4, 3, 2, 1].slice(0, bytes), op);
      assert.is(world.memory0.bytes[PAGE_BYTES - bytes - 1], 0xfe, op);
    } else if (expected[op] !== undefined) assert.is(BigInt.asIntN(type === "i64" ? 64 : 32, result!), BigInt.asIntN(type === "i64" ? 64 : 32, expected[op]!), op);
    else assert.is(BigInt.asUintN(bytes * 8, result!), BigInt("0x" + "fe".repeat(bytes)), op);
  }
});

test("runaway recursion is a trap, and the thread is usable afterwards", () => {
  const world = new World(`type t0 = (i32) -> i32
func @0 "deep": t0
func @0 "deep": t0 (i32) -> i32 {
b0(v0: i32):
  br_if v0, b1, b2
b1:
  v1 = i32.const -1
  v2 = i32.add v0, v1
  v3: i32 = call @0(v2)  !0x10
  return v3
b2:
  return v0
}`);
  for (let i = 0; i < 3; i++) {
    const trap = world.trap(0, [-1]);
    assert.is(trapInfo[trap.kind].name, "stack_exhausted");
    assert.is(trap.frames.length, 100);
    assert.is(trap.offset, 0x10);
  }
  assert.equal(world.call(0, [4000]).map(i32), [0]);
});

const HOSTS = `type t0 = (i32) -> i32
import @0 = "env" "host": t0
func @1: t0
func @2: t0
memory m0: 1..
func @1: t0 (i32) -> i32 {
b0(v0: i32):
  v1: i32 = call @0(v0) !0x11
  v2 = i32.add v1, v0
  v3 = i32.const 0
  v4 = i32.load v3, m0
  v5 = i32.add v2, v4
  return v5
}
func @2: t0 (i32) -> i32 {
b0(v0: i32):
  v1 = i32.mul v0, v0
  br_if v0, b1, b2
b1:
  return v1
b2:
  unreachable !0x22
}`;
import { cpuMs } from "../../cpu-time.js";

test("host functions: arguments and results, nested runs, memory seen anew", () => {
  const world: World = new World(HOSTS, [
    (file, at) => {
      const x = file.i32[2 * at]!;
      const inner = world.thread.top;
      assert.ok(inner > at, "the caller's arguments are out of the way");
      world.thread.file.ensure(200_000);
      world.thread.file.i32[2 * inner] = x + 1;
      run(world.thread, world.callees[2]!);
      const squared = world.thread.file.i32[2 * inner]!;
      world.memory0 = memoryOf(2 * PAGE_BYTES);
      world.memory0.view.setInt32(0, 1000, true);
      world.thread.file.i32[2 * at] = squared;
    },
  ]);
  assert.equal(world.call(1, [5]).map(i32), [36 + 5 + 1000]);
});

test("a host function's exception comes out as the same object", () => {
  const thrown = { some: "object" };
  const world = new World(HOSTS, [() => { throw thrown; }]);
  try {
    world.call(1, [1]);
    assert.unreachable();
  } catch (error) {
    assert.is(error, thrown);
  }
  assert.is(world.thread.depth, 0);
  assert.is(world.thread.top, 0);
  assert.is(world.thread.codes.length, 0);
  assert.equal(world.call(2, [3]).map(i32), [9]);
});

test("a trap in a nested run tells the whole stack", () => {
  const world: World = new World(HOSTS, [
    (file) => {
      world.thread.file.i32[2 * world.thread.top] = 0;
      run(world.thread, world.callees[2]!);
      void file;
    },
  ]);
  const trap = world.trap(1, [1]);
  assert.is(trapInfo[trap.kind].name, "unreachable");
  assert.equal(trap.frames.map((f) => [f.func, f.offset]), [[2, 0x22], [1, 0x11]]);
});

test("recursion through a host function ends in a trap, not in the JS stack", () => {
  const world: World = new World(HOSTS, [
    (file, at) => {
      const x = file.i32[2 * at]!;
      world.thread.file.ensure(world.thread.top + 1);
      world.thread.file.i32[2 * world.thread.top] = x;
      run(world.thread, world.callees[1]!);
    },
  ]);
  assert.is(trapInfo[world.trap(1, [1]).kind].name, "stack_exhausted");
});

test("bulk operations check bounds before they write; overlapping copies are right", () => {
  const world = new World(`type t0 = (i32, i32, i32) -> ()
func @0: t0
func @1: t0
memory m0: 1..
func @0: t0 (i32, i32, i32) -> () {
b0(v0: i32, v1: i32, v2: i32):
  memory.fill m0, v0, v1, v2
  return
}
func @1: t0 (i32, i32, i32) -> () {
b0(v0: i32, v1: i32, v2: i32):
  memory.copy m0, m0, v0, v1, v2
  return
}`);
  const { bytes } = world.memory0;
  assert.is(trapInfo[world.trap(0, [PAGE_BYTES - 3, 1, 4]).kind].name, "out_of_bounds_memory");
  assert.ok(bytes.every((byte) => byte === 0));
  world.call(0, [PAGE_BYTES - 3, 0x1ff, 3], 0);
  assert.equal([...bytes.slice(-4)], [0, 255, 255, 255]);
  world.call(0, [PAGE_BYTES, 1, 0], 0);
  assert.is(trapInfo[world.trap(0, [PAGE_BYTES + 1, 1, 0]).kind].name, "out_of_bounds_memory");
  bytes.set([1, 2, 3, 4, 5]);
  world.call(1, [1, 0, 4], 0);
  assert.equal([...bytes.slice(0, 6)], [1, 1, 2, 3, 4, 0]);
  world.call(1, [0, 1, 4], 0);
  assert.equal([...bytes.slice(0, 6)], [1, 2, 3, 4, 4, 0]);
  assert.is(trapInfo[world.trap(1, [0, PAGE_BYTES - 3, 4]).kind].name, "out_of_bounds_memory");
  assert.is(trapInfo[world.trap(1, [-1, 0, 2]).kind].name, "out_of_bounds_memory");
  assert.equal([...bytes.slice(0, 6)], [1, 2, 3, 4, 4, 0]);
});

test("memory.grow is seen at once; tables and segments get their operands in order", () => {
  const world = new World(`type t0 = (i32, i32, i32) -> i32
func @0: t0
memory m0: 1..4
table T0: funcref, 0..
table T1: funcref, 0..
elem elem0: funcref, passive, []
elem elem1: funcref, passive, [(ref.func @0)]
data data0: passive, ""
data data1: passive, ""
func @0: t0 (i32, i32, i32) -> i32 {
b0(v0: i32, v1: i32, v2: i32):
  v3 = memory.grow m0, v0
  v4 = memory.size m0
  v5 = i32.const 70000
  i32.store v5, m0, v4
  v6 = i32.load v5, m0
  v7 = memory.grow m0, v5
  v8 = ref.func @0
  v9 = table.grow T0, v8, v1
  v10 = table.size T0
  table.fill T1, v0, v8, v2
  table.copy T1, T0, v0, v1, v2
  table.init elem1, T0, v0, v1, v2
  memory.init data1, m0, v0, v1, v2
  elem.drop elem1
  data.drop data1
  v11: funcref = table.get T0, v0
  v12 = ref.is_null v11
  v13: funcref = ref.null
  table.set T0, v0, v13
  v14 = ref.is_null v13
  v15 = i32.const 10
  v16 = i32.mul v12, v15
  v17 = i32.add v16, v14
  v18 = i32.mul v17, v15
  v19 = i32.add v18, v6
  v20 = i32.mul v19, v15
  v21 = i32.add v20, v10
  v22 = i32.add v21, v7
  v23 = i32.add v22, v3
  return v23
}`);
  // Not null, null, 2 pages, 3 elements; the second growth failed (-1), before the first there was 1 page.
  assert.equal(world.call(0, [1, 3, 5]).map(i32), [123]);
  assert.equal(world.log, ["fill 1 1 1 5", "copy 1 0 1 3 5", "init 1 0 1 3 5", "memory.init 1 0 1 3 5", "elem.drop 1", "data.drop 1"]);
  assert.equal(world.table, [1, 0, 1]);
});

test("frames larger than the register file make it grow, or trap", () => {
  const count = 20_000;
  const adds = Array.from({ length: count }, (_, i) => `  v${i + 1} = i32.add v${i}, v0`).join("\n");
  const world = new World(`type t0 = (i32) -> i32
func @0: t0
func @1: t0
func @0: t0 (i32) -> i32 {
b0(v0: i32):
${adds}
  return v${count}
}
func @1: t0 (i32) -> i32 {
b0(v0: i32):
${adds}
  v${count + 1}: i32 = call @1(v0)
  return v${count + 1}
}`);
  assert.equal(world.call(0, [3]).map(i32), [3 * (count + 1)]);
  assert.is(trapInfo[world.trap(1, [1]).kind].name, "stack_exhausted");
  assert.equal(world.call(0, [5]).map(i32), [5 * (count + 1)]);
});

test("a br_table of 100,000 entries and 10,000 parameters decode in linear time", () => {
  const entries = 100_000;
  const targets = Array.from({ length: entries }, (_, i) => `b${1 + (i % 3)}(v0)`).join(", ");
  const width = 10_000;
  const shifted = Array.from({ length: width }, (_, i) => `v${100 + ((i + 1) % width)}`).join(", ");
  const params = Array.from({ length: width }, (_, i) => `v${100 + i}: i32`).join(", ");
  const first = Array.from({ length: width }, (_, i) => (i === 1 ? "v1" : "v2")).join(", ");
  const start = cpuMs();
  const world = new World(`type t0 = (i32) -> i32
func @0: t0
func @1: t0
func @0: t0 (i32) -> i32 {
b0(v0: i32):
  br_table v0, [${targets}], b1(v0)
b1(v1: i32):
  return v1
b2(v2: i32):
  unreachable
b3(v3: i32):
  v4 = i32.const 5
  return v4
}
func @1: t0 (i32) -> i32 {
b0(v0: i32):
  v1 = i32.const 77
  v2 = i32.const 1
  br b1(v0, ${first})
b1(v50: i32, ${params}):
  br_if v50, b2, b3
b2:
  v51 = i32.sub v50, v2
  br b1(v51, ${shifted})
b3:
  return v100
}`);
  assert.ok(cpuMs() - start < 5000);
  assert.equal([0, 2, 99_998, 99_999, 200_000].map((i) => i32(world.call(0, [i])[0])), [0, 5, 5, 99_999, 200_000]);
  assert.is(trapInfo[world.trap(0, [1]).kind].name, "unreachable");
  // A rotation by one in each round: value 77 starts in the second place.
  assert.equal([0, 1, 2, 3].map((n) => i32(world.call(1, [n])[0])), [1, 77, 1, 1]);
});

test.run();
