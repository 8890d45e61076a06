// The scenarios T1 to T9, T15 to T18, T21, T22 of the type-identity design, each with its negative twins.
//
// Each is a function of a world: the same modules run in every engine and with every way of treating types (T20).
import * as assert from "uvu/assert";
import { Type } from "../../ir/types.js";
import {
  add, add64, call, callIndirect, drop, elemDrop, get, globalGet, globalSet, i32, i64, mul, refFunc, sig, store, tableCopy, tableFill, tableGet, tableGrow, tableInit, tableSet,
  type ModuleSource,
} from "./build.js";
import { World } from "./world.js";

export interface Scenario {
  id: string;
  title: string;
  run(world: World): void;
}

const X: ModuleSource = { types: ["f64 ->"], funcs: [[0, []]], exports: { x: { func: 0 } } };
/** Imports a function itself: that is what made the original bug show. */
const A: ModuleSource = {
  types: ["f64 ->", "i32 -> i32"],
  imports: [{ from: "X", name: "x", func: 0 }],
  funcs: [[1, [...get(0), ...i32(1), ...add]]],
  exports: { f: { func: 1 } },
};
const A2: ModuleSource = {
  types: ["f64 ->", "-> i64", "i32 -> i32"],
  imports: [{ from: "X", name: "x", func: 0 }],
  funcs: [[1, i64(5)], [2, [...get(0), ...i32(1), ...add]]],
  exports: { f1: { func: 1 }, f2: { func: 2 } },
};

/** Imports `name` of module A at i32 -> i32 (type 3), tables it, calls it at each of four types. */
const caller = (name: string): ModuleSource => ({
  types: ["i64 -> i64", "-> i64", "f64 ->", "i32 -> i32", "->"],
  imports: [{ from: "A", name, func: 3 }],
  funcs: [
    [3, [...get(0), ...i32(0), ...callIndirect(3)]],
    [1, [...i32(0), ...callIndirect(1)]],
    [4, [0x44, 0, 0, 0, 0, 0, 0, 0, 0, ...i32(0), ...callIndirect(2)]],
    [0, [...get(0), ...i32(0), ...callIndirect(0)]],
  ],
  tables: [1],
  elems: [{ offset: 0, funcs: [0] }],
  exports: { right: { func: 1 }, at_i64: { func: 2 }, at_f64: { func: 3 }, at_i64_i64: { func: 4 } },
});
const B = caller("f");
const B2 = caller("f2");

function t1(world: World): void {
  const b = world.make(B, { A: world.make(A, { X: world.make(X) }) });
  world.gives(42, b, "right", 41);
  world.mismatch(b, "at_i64_i64", 1);
  world.mismatch(b, "at_i64");
}

function t1bcd(world: World): void {
  const b = world.make(B2, { A: world.make(A2, { X: world.make(X) }) });
  world.gives(42, b, "right", 41);
  // The type of A's function before it, to which the original bug shifted.
  world.mismatch(b, "at_i64");
  // The type of A's import.
  world.mismatch(b, "at_f64");
}

/** Two modules with the same two types in opposite order; the second's table mixes own and imported functions. */
const M2: ModuleSource = {
  types: ["i32 -> i32", "i64 -> i64"],
  funcs: [[0, [...get(0), ...i32(100), ...add]], [1, [...get(0), ...i64(50), ...add64]]],
  exports: { a: { func: 0 }, b: { func: 1 } },
};
const N2: ModuleSource = {
  types: ["i64 -> i64", "i32 -> i32", "i32 i32 -> i32", "i32 i64 -> i64"],
  imports: [{ from: "M", name: "a", func: 1 }, { from: "M", name: "b", func: 0 }],
  funcs: [
    [1, [...get(0), ...i32(1), ...add]],
    [0, [...get(0), ...i64(2), ...add64]],
    [2, [...get(1), ...get(0), ...callIndirect(1)]],
    [3, [...get(1), ...get(0), ...callIndirect(0)]],
  ],
  tables: [4],
  elems: [{ offset: 0, funcs: [2, 3, 0, 1] }],
  exports: { call32: { func: 4 }, call64: { func: 5 } },
};

function t2(world: World): void {
  const n = world.make(N2, { M: world.make(M2) });
  world.gives(8, n, "call32", 0, 7);
  world.gives(9, n, "call64", 1, 7n);
  world.gives(107, n, "call32", 2, 7);
  world.gives(57, n, "call64", 3, 7n);
  for (const [name, index] of [["call32", 1], ["call32", 3], ["call64", 0], ["call64", 2]] as const) world.mismatch(n, name, index, 7);
  world.traps("undefined_element", n, "call32", 4, 7);
  world.traps("undefined_element", n, "call64", -1, 7n);
}

/** A chain of re-exports; `types` of a, m, i. `pad` shifts the indices apart. */
function chain(types: [string, string, string]): [ModuleSource, ModuleSource, ModuleSource, ModuleSource] {
  const [ta, tm, ti] = types;
  const value = (n: number, type: string) => (type.endsWith("i64") ? i64(n) : i32(n));
  const args = (type: string) => sig(type).params.flatMap((param) => (param === Type.i64 ? i64(0) : i32(0)));
  const wrap = (type: string) => (type.endsWith("i64") ? [0xa7] : []);
  const a: ModuleSource = { types: ["f32 -> f32", ta], funcs: [[1, value(1, ta)]], exports: { a: { func: 0 } } };
  const m: ModuleSource = {
    types: [tm, "f64 ->", ta],
    imports: [{ from: "A", name: "a", func: 2 }],
    funcs: [[0, value(2, tm)]],
    exports: { m: { func: 1 }, a: { func: 0 } },
  };
  const i: ModuleSource = {
    types: [ti, tm, ta],
    imports: [{ from: "M", name: "m", func: 1 }, { from: "M", name: "a", func: 2 }],
    funcs: [[0, value(3, ti)]],
    exports: { a: { func: 1 }, i: { func: 2 }, m: { func: 0 } },
  };
  const list = [ta, tm, ti];
  const r: ModuleSource = {
    types: [...list, "-> i32", "-> i64 i64"],
    imports: [{ from: "I", name: "i", func: 2 }, { from: "I", name: "a", func: 0 }, { from: "I", name: "m", func: 1 }],
    funcs: [
      ...list.map((type, k): [number, number[]] => [3, [...args(type), ...i32(k), ...callIndirect(k), ...wrap(type)]]),
      ...[1, 2, 0].map((func, k): [number, number[]] => [3, [...args(list[k]!), ...call(func), ...wrap(list[k]!)]]),
      [4, [...i32(1), ...callIndirect(4)]],
    ],
    tables: [3],
    elems: [{ offset: 0, funcs: [1, 2, 0] }],
    exports: {
      ind_a: { func: 3 }, ind_m: { func: 4 }, ind_i: { func: 5 }, dir_a: { func: 6 }, dir_m: { func: 7 }, dir_i: { func: 8 },
      a: { func: 1 }, m: { func: 2 }, i: { func: 0 }, wrong: { func: 9 },
    },
  };
  return [a, m, i, r];
}
const chainSame = chain(["-> i32", "-> i32", "-> i32"]);
const chainDifferent = chain(["-> i32", "i32 -> i64", "i64 i32 -> i32"]);

function t3(world: World): void {
  for (const [sourceA, sourceM, sourceI, sourceR] of [chainSame, chainDifferent]) {
    const a = world.make(sourceA);
    const m = world.make(sourceM, { A: a });
    const i = world.make(sourceI, { M: m });
    const r = world.make(sourceR, { I: i });
    for (const [name, value] of [["a", 1], ["m", 2], ["i", 3]] as const) {
      world.gives(value, r, `ind_${name}`);
      world.gives(value, r, `dir_${name}`);
      const zeros = world.store.funcType(r.exports.get(name)!).params.map(() => 0);
      world.gives(value, r, name, ...zeros);
      world.gives(value, i, name, ...zeros);
    }
    world.mismatch(r, "wrong");
  }
}

const A4: ModuleSource = {
  types: ["f64 ->", "-> i32"],
  imports: [{ from: "X", name: "x", func: 0 }],
  funcs: [[1, i32(77)]],
  globals: [{ ref: 1 }],
  exports: { f: { func: 1 }, g: { global: 0 } },
};
const B4: ModuleSource = {
  types: ["i32 -> i32", "-> i32", "->", "i32 -> i64"],
  imports: [{ from: "A", name: "f", func: 1 }, { from: "A", name: "g", global: "funcref" }],
  funcs: [
    [0, [...get(0), ...callIndirect(1)]],
    [2, [...i32(2), ...i32(0), ...i32(1), ...tableInit(2, 0)]],
    [2, elemDrop(2)],
    [2, [...i32(3), ...refFunc(0), ...tableSet(0)]],
    [2, [...i32(4), ...globalGet(0), ...tableSet(0)]],
    [3, [...get(0), ...callIndirect(4)]],
  ],
  tables: [6],
  elems: [{ offset: 0, funcs: [0] }, { offset: 1, exprs: [refFunc(0)] }, { passive: [0] }, { declare: [0] }, { offset: 5, exprs: [globalGet(0)] }],
  exports: { at: { func: 1 }, init: { func: 2 }, drop: { func: 3 }, set: { func: 4 }, from_global: { func: 5 }, wrong: { func: 6 } },
};
B4.types.push("-> i64");

function t4(world: World): void {
  const b = world.make(B4, { A: world.make(A4, { X: world.make(X) }) });
  world.gives(77, b, "at", 0);
  world.gives(77, b, "at", 1);
  world.traps("uninitialized_element", b, "at", 2);
  world.gives(undefined, b, "init");
  world.gives(undefined, b, "set");
  world.gives(undefined, b, "from_global");
  for (let slot = 0; slot < 6; slot++) {
    world.gives(77, b, "at", slot);
    world.mismatch(b, "wrong", slot);
  }
  world.gives(undefined, b, "drop");
  world.traps("out_of_bounds_table", b, "init");
  world.gives(77, b, "at", 2);
}

const A5: ModuleSource = {
  types: ["i64 ->", "i32 -> i32", "-> i32", "-> i64", "i32 -> i64"],
  funcs: [[2, i32(7)], [1, [...get(0), ...callIndirect(2)]], [4, [...get(0), ...callIndirect(3)]]],
  tables: [2],
  exports: { t: { table: 0 }, f: { func: 0 }, at: { func: 1 }, wrong: { func: 2 } },
};
const B5: ModuleSource = {
  types: ["-> i32", "->", "i32 -> i32", "-> f32", "i32 -> f32"],
  imports: [{ from: "A", name: "f", func: 0 }, { from: "A", name: "t", table: 2 }],
  funcs: [
    [0, i32(8)],
    [1, [...i32(0), ...refFunc(1), ...tableSet(0), ...i32(1), ...refFunc(0), ...tableSet(0)]],
    [2, [...get(0), ...callIndirect(0)]],
    [4, [...get(0), ...callIndirect(3)]],
  ],
  elems: [{ declare: [0, 1] }],
  exports: { fill: { func: 2 }, at: { func: 3 }, wrong: { func: 4 } },
};

function t5(world: World): void {
  const a = world.make(A5);
  const b = world.make(B5, { A: a });
  world.traps("uninitialized_element", a, "at", 0);
  world.gives(undefined, b, "fill");
  for (const side of [a, b]) {
    world.gives(8, side, "at", 0);
    world.gives(7, side, "at", 1);
    world.mismatch(side, "wrong", 0);
    world.mismatch(side, "wrong", 1);
  }
}

/** A host function at import number `at` among others, in a table; stores before it calls. */
function hostUser(at: number): ModuleSource {
  const others = Array.from({ length: at }, () => ({ from: "H", name: "other", func: 0 }));
  const func = at + 1;
  return {
    types: ["->", "i32 i32 -> i32", "i32 -> i32", "i32 -> i64"],
    imports: [...others, { from: "H", name: "read", func: 2 }],
    funcs: [[1, [...get(0), ...get(1), ...store, ...get(0), ...i32(0), ...callIndirect(2)]], [3, [...get(0), ...i32(0), ...callIndirect(3)]], [2, [...get(0), ...call(at)]]],
    tables: [1],
    memory: true,
    elems: [{ offset: 0, funcs: [at] }],
    exports: { go: { func }, wrong: { func: func + 1 }, direct: { func: func + 2 }, memory: { memory: 0 } },
  };
}
const P6 = hostUser(0);
const Q6 = hostUser(3);

function t6(world: World): void {
  let memory: () => Uint8Array = () => new Uint8Array();
  const read = world.host(sig("i32 -> i32"), ([at]) => {
    const view = new DataView(memory().buffer, memory().byteOffset);
    return [{ type: Type.i32, bits: BigInt(view.getUint32(Number(at!.bits), true)) }];
  });
  const H = { read, other: world.host(sig("->"), () => []) };
  const p = world.make(P6, { H });
  const q = world.make(Q6, { H });
  for (const [instance, value] of [[p, 1234], [q, 5678]] as const) {
    memory = () => world.store.memoryBytes(instance.exports.get("memory")!);
    world.gives(value, instance, "go", 64, value);
    world.gives(value, instance, "direct", 64);
    world.mismatch(instance, "wrong", 64);
  }
  memory = () => world.store.memoryBytes(p.exports.get("memory")!);
  world.gives(1234, p, "direct", 64);
}

const B7: ModuleSource = {
  types: ["i32 -> i32", "f32 -> f32", "i32 -> i32", "i32 -> i64"],
  imports: [{ from: "A", name: "f", func: 0 }, { from: "A", name: "f", func: 2 }],
  funcs: [
    [0, [...get(0), ...i32(0), ...callIndirect(2)]],
    [2, [...get(0), ...i32(1), ...callIndirect(0)]],
    [3, [...get(0), ...i32(0), ...callIndirect(3)]],
  ],
  tables: [2],
  elems: [{ offset: 0, funcs: [0, 1] }],
  exports: { other: { func: 2 }, first: { func: 3 }, wrong: { func: 4 } },
};

function t7(world: World): void {
  const b = world.make(B7, { A: world.make(A, { X: world.make(X) }) });
  world.gives(42, b, "other", 41);
  world.gives(42, b, "first", 41);
  world.mismatch(b, "wrong", 41);
}

const B8: ModuleSource = {
  types: ["->", "i32 -> i32"],
  imports: [{ from: "A", name: "f", func: 1 }],
  funcs: [[1, [...get(0), ...i32(0), ...callIndirect(1)]], [1, get(0)], [0, [...i32(1), ...refFunc(0), ...tableSet(0)]]],
  tables: [3],
  globals: [{ ref: 0 }],
  elems: [{ offset: 0, funcs: [0] }, { offset: 2, funcs: [2] }],
  exports: { t: { table: 0 }, g: { global: 0 }, go: { func: 1 }, own: { func: 2 }, set: { func: 3 }, f: { func: 0 } },
};

function t8(world: World): void {
  const a = world.make(A, { X: world.make(X) });
  const b = world.make(B8, { A: a });
  world.gives(undefined, b, "set");
  world.gives(42, b, "go", 41);
  const original = world.identity(a.exports.get("f"));
  const table = b.exports.get("t")!;
  assert.is(world.store.tableGet(table, 0), original);
  assert.is(world.store.tableGet(table, 1), original);
  assert.is(world.identity(b.exports.get("f")), original);
  assert.is(world.store.get(b.exports.get("g")!).ref, original);
  assert.is.not(world.store.tableGet(table, 2), original);
  assert.is(world.store.tableGet(table, 2), world.identity(b.exports.get("own")));
}

const A9: ModuleSource = {
  types: ["f64 ->", "-> i32"],
  globals: [0],
  funcs: [[1, [...globalGet(0), ...i32(1), ...add, ...globalSet(0), ...globalGet(0)]]],
  tables: [4],
  elems: [{ offset: 0, funcs: [0] }],
  exports: { inc: { func: 0 }, n: { global: 0 }, t: { table: 0 } },
};
const B9: ModuleSource = {
  types: ["-> i32", "->", "i32 -> i32", "i32 -> i64", "-> i64"],
  imports: [{ from: "A", name: "inc", func: 0 }, { from: "A", name: "t", table: 4 }],
  globals: [100],
  tables: [2],
  funcs: [
    [0, [...globalGet(0), ...i32(10), ...add, ...globalSet(0), ...globalGet(0)]],
    // copy A's element 0 into the own table, grow it by two of the own function, fill A's 1 and 2 with the import, get and set A's 3.
    [1, [
      ...i32(0), ...i32(0), ...i32(1), ...tableCopy(1, 0),
      ...refFunc(1), ...i32(2), ...tableGrow(1), ...drop,
      ...i32(1), ...refFunc(0), ...i32(2), ...tableFill(0),
      ...i32(3), ...i32(2), ...tableGet(1), ...tableSet(0),
    ]],
    [2, [...get(0), ...callIndirect(0, 1)]],
    [2, [...get(0), ...callIndirect(0, 0)]],
    [3, [...get(0), ...callIndirect(4, 1)]],
  ],
  elems: [{ declare: [0, 1] }],
  exports: { move: { func: 2 }, own: { func: 3 }, theirs: { func: 4 }, wrong: { func: 5 }, n: { global: 0 } },
};

function t9(world: World): void {
  const a = world.make(A9);
  const b = world.make(B9, { A: a });
  world.gives(undefined, b, "move");
  world.gives(1, b, "own", 0);
  world.traps("uninitialized_element", b, "own", 1);
  world.gives(110, b, "own", 2);
  world.gives(120, b, "own", 3);
  world.gives(2, b, "theirs", 0);
  world.gives(3, b, "theirs", 1);
  world.gives(4, b, "theirs", 2);
  world.gives(130, b, "theirs", 3);
  world.mismatch(b, "wrong", 0);
  world.mismatch(b, "wrong", 2);
  world.traps("undefined_element", b, "own", 4);
  world.gives(5, a, "inc");
  assert.is(Number(world.store.get(a.exports.get("n")!).bits), 5);
  assert.is(Number(world.store.get(b.exports.get("n")!).bits), 130);
}

/** Makes a store see types in another order before anything else. */
const otherOrder: ModuleSource = { types: ["->", "i64 -> i64", "i32 -> i32", "-> i64", "f64 ->"], funcs: [[0, []]], exports: { f: { func: 0 } } };

function t15(world: World): void {
  t1(world);
  const second = new World(world.engine, world);
  second.make(otherOrder);
  t1(second);
  t2(second);
  t2(world);
  second.store.dispose();
}

const B16: ModuleSource = {
  types: ["i32 -> i32", "i32 -> i32"],
  imports: [{ from: "A", name: "f", func: 0 }, { from: "A", name: "f", func: 1 }],
  funcs: [[0, [...get(0), ...call(0), ...get(0), ...call(1), ...mul]], [1, [...get(0), ...i32(0), ...callIndirect(0), ...i32(1), ...callIndirect(1)]]],
  tables: [2],
  elems: [{ offset: 0, funcs: [1, 0] }],
  exports: { product: { func: 2 }, twice: { func: 3 } },
};
const B16wrong: ModuleSource = { types: ["i32 -> i32", "i32 -> i64"], imports: [{ from: "A", name: "f", func: 0 }, { from: "A", name: "f", func: 1 }] };

function t16(world: World): void {
  const a = world.make(A, { X: world.make(X) });
  const b = world.make(B16, { A: a });
  world.gives(25, b, "product", 4);
  world.gives(6, b, "twice", 4);
  assert.is(world.link(B16wrong, { A: a }).kind, "link");
}

/** A defines its function at index 1; here index 1 is another type, and index 2 the same. */
const B17: ModuleSource = {
  types: ["f64 ->", "i64 -> i64", "i32 -> i32"],
  imports: [{ from: "A", name: "f", func: 2 }],
  funcs: [[1, [...get(0), ...i32(0), ...callIndirect(1)]], [2, [...get(0), ...i32(0), ...callIndirect(2)]]],
  tables: [1],
  elems: [{ offset: 0, funcs: [0] }],
  exports: { same_index: { func: 1 }, same_type: { func: 2 } },
};
const B17wrong: ModuleSource = { types: ["f64 ->", "i64 -> i64"], imports: [{ from: "A", name: "f", func: 1 }] };

function t17(world: World): void {
  const a = world.make(A, { X: world.make(X) });
  const b = world.make(B17, { A: a });
  world.mismatch(b, "same_index", 1);
  world.gives(42, b, "same_type", 41);
  assert.is(world.link(B17wrong, { A: a }).kind, "link");
}

const B18: ModuleSource = {
  types: ["i32 i32 -> i32", "i32 -> i32", "i32 -> i64"],
  imports: [{ from: "A", name: "f", func: 1 }],
  funcs: [[0, [...get(0), ...get(1), ...callIndirect(1)]], [2, get(0).concat([0xac])]],
  tables: [3],
  elems: [{ offset: 0, funcs: [0, 2] }],
  exports: { go: { func: 1 } },
};

function t18(world: World): void {
  const b = world.make(B18, { A: world.make(A, { X: world.make(X) }) });
  world.gives(42, b, "go", 41, 0);
  const beyond = world.traps("undefined_element", b, "go", 41, 3);
  const empty = world.traps("uninitialized_element", b, "go", 41, 2);
  const wrong = world.mismatch(b, "go", 41, 1);
  if (world.engine.mode === "v8") return;
  assert.match(beyond, /^undefined element/);
  assert.match(empty, /^uninitialized element/);
  assert.match(wrong, /^indirect call type mismatch/);
  // Both signatures, the table and the index.
  assert.match(wrong, /\(i32\) -> i32/);
  assert.match(wrong, /\(i32\) -> i64/);
  assert.match(wrong, /1 of table 0/);
}

const S21: ModuleSource = { types: ["f64 ->", "->"], imports: [{ from: "H", name: "start", func: 1 }], start: 0 };

function t21(world: World): void {
  let runs = 0;
  world.make(S21, { H: { start: world.host(sig("->"), () => (runs++, [])) } });
  assert.is(runs, 1);
  const error = new Error("from the start function");
  const outcome = world.link(S21, {
    H: {
      start: world.host(sig("->"), () => {
        runs++;
        throw error;
      }),
    },
  });
  assert.is(runs, 2);
  assert.is(outcome.kind, "exception");
  assert.is((outcome as { error: unknown }).error, error);
}

const counter = (step: number): ModuleSource => ({
  types: ["-> i32"],
  globals: [0],
  funcs: [[0, [...globalGet(0), ...i32(step), ...add, ...globalSet(0), ...globalGet(0)]]],
  exports: { next: { func: 0 } },
});
const counterOne = counter(1);
const counterThousand = counter(1000);
const B22: ModuleSource = {
  types: ["f64 ->", "-> i32", "-> i64"],
  imports: [{ from: "C", name: "next", func: 1 }],
  globals: [0],
  funcs: [[1, [...globalGet(0), ...i32(0), ...callIndirect(1), ...add, ...globalSet(0), ...globalGet(0)]], [2, [...i32(0), ...callIndirect(2)]]],
  tables: [1],
  elems: [{ offset: 0, funcs: [0] }],
  exports: { total: { func: 1 }, wrong: { func: 2 } },
};

function t22(world: World): void {
  const one = world.make(B22, { C: world.make(counterOne) });
  const thousand = world.make(B22, { C: world.make(counterThousand) });
  world.gives(1, one, "total");
  world.gives(1000, thousand, "total");
  world.gives(3, one, "total");
  world.gives(3000, thousand, "total");
  world.mismatch(one, "wrong");
  world.mismatch(thousand, "wrong");
  world.gives(6, one, "total");
}

export const scenarios: readonly Scenario[] = [
  { id: "T1", title: "an imported function whose exporter imports, called through a table", run: t1 },
  { id: "T1b-d", title: "the exporter's other types are not its type", run: t1bcd },
  { id: "T2", title: "types in opposite order, own and imported in one table", run: t2 },
  { id: "T3", title: "re-exports of own and imported functions", run: t3 },
  { id: "T4", title: "every way into a table", run: t4 },
  { id: "T5", title: "one table, two modules' functions, both call", run: t5 },
  { id: "T6", title: "a host function in a table, imported at different indices", run: t6 },
  { id: "T7", title: "the same signature twice in the importer", run: t7 },
  { id: "T8", title: "ref.func of an import keeps the function's identity", run: t8 },
  { id: "T9", title: "table operations across modules; the definition's instance is mutated", run: t9 },
  { id: "T15", title: "compiled once, two stores that saw types in another order", run: t15 },
  { id: "T16", title: "one function imported twice at equal types", run: t16 },
  { id: "T17", title: "same index and other type, other index and same type", run: t17 },
  { id: "T18", title: "order and text of the traps", run: t18 },
  { id: "T21", title: "an imported host function as start function", run: t21 },
  { id: "T22", title: "one importer, two exporters", run: t22 },
];
