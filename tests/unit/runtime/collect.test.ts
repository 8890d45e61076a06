// Whatever was let go of is collected, cycles through native memory included, by the library and by the `WebAssembly` object;
// whatever can still be reached stays, externrefs in joined groups among it; many large memories live side by side.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { currentThread, instantiate, Store, Table } from "../../../runtime/index.js";
import { watToBytes } from "../../../pipeline/frontend/wat.js";
import { WebAssembly } from "../../../pipeline/webassembly.js";
import { compileModule, compileWat, functions } from "./support.js";

setFlagsFromString("--expose-gc");
const gc = runInNewContext("gc") as () => void;

/** Finalizers and the sweep of handles come between turns of the event loop. */
async function settle(): Promise<void> {
  for (let i = 0; i < 6; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

const wat = `(module
  (import "m" "h" (func $h (param i32) (result i32)))
  (memory (export "memory") 1)
  (table (export "table") 4 funcref)
  (table $e (export "externs") 4 externref)
  (global $g (export "global") (mut externref) (ref.null extern))
  (global (export "function") (mut funcref) (ref.null func))
  (elem (i32.const 0) $f)
  (func $f (export "f") (param i32) (result i32) (call $h (local.get 0)))
  (func (export "take") (param externref))
  (func (export "give") (param externref) (result externref) (local.get 0))
  (func (export "set") (param externref) (global.set $g (local.get 0))))`;

type Exports = Record<string, any>;

const shapes: Readonly<Record<string, (exports: Exports, host: { exports?: Exports }) => void>> = {
  "used": (exports) => assert.is(exports.f(1), 1),
  "which its import refers to": (exports, host) => (host.exports = exports),
  "in its own table": (exports) => exports.table.set(1, exports.f),
  "in its own global": (exports) => (exports.function.value = exports.f),
  "with a view, grown": (exports) => (new Uint8Array(exports.memory.buffer), exports.memory.grow(1)),
  "that got itself": (exports) => exports.take({ exports }),
  "that gave itself back": (exports) => assert.is(exports.give(exports), exports),
  "in its own externref global": (exports) => exports.set({ exports }),
  "in its own externref table": (exports) => exports.externs.set(0, { exports }),
};

const bytes = await watToBytes(wat);
const native = compileModule(bytes, "guard");
const interpreted = compileModule(bytes, "interp");
const makers: Readonly<Record<string, (imports: Record<string, Record<string, unknown>>) => Exports>> = {
  "library": (imports) => instantiate(native, imports).exports as Exports,
  "library, a store each": (imports) => instantiate(native, imports, new Store()).exports as Exports,
  "interpreter": (imports) => instantiate(interpreted, imports).exports as Exports,
  "WebAssembly": (imports) => new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports,
};

for (const [maker, make] of Object.entries(makers)) {
  test(`${maker}: every object of an instance goes`, async () => {
    const COUNT = 12;
    const seen = new Map<string, number>();
    const registry = new FinalizationRegistry((what: string) => seen.set(what, (seen.get(what) ?? 0) + 1));
    const kinds = ["exports", "f", "memory", "table", "externs", "global", "import"];
    const wanted: string[] = [];
    for (const [name, shape] of Object.entries(shapes)) {
      for (let i = 0; i < COUNT; i++) {
        const host: { exports?: Exports } = {};
        const h = (x: number) => (void host.exports, x);
        const exports = make({ m: { h } });
        shape(exports, host);
        registry.register(exports, `exports of one ${name}`);
        registry.register(h, `import of one ${name}`);
        for (const kind of kinds.slice(1, -1)) registry.register(exports[kind], `${kind} of one ${name}`);
      }
      wanted.push(...kinds.map((kind) => `${kind} of one ${name}`));
    }
    await settle();
    // The engine may hang on to one or two that it has not cleared from its stack.
    assert.equal(wanted.filter((what) => (seen.get(what) ?? 0) < COUNT - 2), []);
  });
}

test("an object that passed through a living instance goes", async () => {
  const exports = makers.library!({ m: { h: (x: number) => x } });
  let gone = 0;
  const registry = new FinalizationRegistry(() => gone++);
  exports.externs.set(1, "stays");
  (() => {
    for (let i = 0; i < 20; i++) {
      const object = { i };
      registry.register(object, undefined);
      exports.take(object);
      exports.set(object);
      exports.externs.set(0, object);
    }
  })();
  exports.set(null);
  exports.externs.set(0, null);
  await settle();
  assert.ok(gone >= 18, `${gone} of 20`);
  assert.is(exports.externs.get(1), "stays");
});

test("externrefs given before instances were linked are good after, whoever is dropped", async () => {
  const store = new Store();
  const kept = { kept: true };
  const target = new Table({ element: "externref", initial: 4 }, null, store);
  target.set(3, "of the table");
  const source = await compileWat(`(module (table (export "t") 2 externref) (func (export "get") (result externref) (table.get 0 (i32.const 0))))`, "guard");
  const mover = await compileWat(
    `(module (import "s" "get" (func $get (result externref))) (import "d" "t" (table $d 4 externref)) (table $own 2 externref)
      (func (export "own") (param externref) (table.set $own (i32.const 0) (local.get 0)))
      (func (export "move") (table.set $d (i32.const 0) (call $get)) (table.set $d (i32.const 1) (table.get $own (i32.const 0)))))`,
    "guard",
  );
  await (async () => {
    const from = instantiate(source, {}, store);
    (from.exports.t as Table).set(0, kept);
    const between = instantiate(mover, { s: from.exports as Exports, d: { t: target } }, store);
    functions(between.exports).own!({ own: true });
    functions(between.exports).move!();
  })();
  for (let i = 0; i < 3; i++) {
    await settle();
    for (let k = 0; k < 1000; k++) target.set(2, { k });
    assert.is(target.get(0), kept);
    assert.equal([target.get(1), target.get(2), target.get(3)], [{ own: true }, { k: 999 }, "of the table"]);
  }
});

test("handles are swept while code waits in a host function", async () => {
  const sweep = () => {
    for (let i = 0; i < 3000; i++) exports.give({ i });
    gc();
  };
  const { exports: plain } = instantiate(
    await compileWat(
      `(module (import "m" "sweep" (func $sweep)) (import "m" "give" (func $give (param externref) (result externref)))
        (func (export "f") (param externref) (result externref externref) (local $r externref)
          (local.set $r (call $give (local.get 0))) (call $sweep) (local.get 0) (local.get $r)))`,
      "guard",
    ),
    { m: { sweep, give: (x: unknown) => ({ x }) } },
  );
  const exports = makers.library!({ m: { h: (x: number) => x } });
  const object = {};
  const [first, second] = functions(plain).f!(object);
  assert.is(first, object);
  assert.is(second.x, object);
  assert.ok(currentThread().exec!.idle);
});

test("24 modules of 64 MiB each are alive at once, while others are made and dropped", async () => {
  const large = await watToBytes(`(module (memory (export "memory") 1024)
    (func (export "fill") (param $x i32) (local $at i32)
      (loop $next (i32.store (local.get $at) (local.get $x)) (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 0x100000))) (i32.const 0x4000000))))))`);
  const compiled = compileModule(large, "guard");
  for (const make of [() => instantiate(compiled).exports as Exports, () => new WebAssembly.Instance(new WebAssembly.Module(large)).exports]) {
    const alive = Array.from({ length: 24 }, make);
    const numbers = alive.map((_, i) => i);
    alive.forEach((exports, i) => exports.fill(i));
    for (let round = 0; round < 100; round++) {
      // Newer engines release from the event loop alone.
      if (round % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 1));
      const i = round % 24;
      alive[i] = make();
      alive[i].fill((numbers[i] = 100 + round));
    }
    assert.equal(alive.map(({ memory }) => new Int32Array(memory.buffer).at(-(1 << 18))), numbers);
    assert.ok(currentThread().reservations.inUse < 200, `${currentThread().reservations.inUse} memories`);
  }
  await settle();
  currentThread().reclaim.collectNow();
  assert.ok(currentThread().reservations.inUse < 30, `${currentThread().reservations.inUse} memories`);
});

test.run();
