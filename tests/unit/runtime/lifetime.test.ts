// What native code can reach stays, whoever in JS has let go of it; checked by collecting and then reusing native memory.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { currentThread, Global, instantiate, Store, Table, type Instance } from "../../../runtime/index.js";
import type { Compilation } from "../../../pipeline/compile.js";
import { compileWat, functions, modes, type Mode } from "./support.js";

type Exports = Record<string, unknown>;

/** `call` gives 41 + n at the n-th call, from state of its own; `make` counts what was made. */
const giverWat = `(module (memory 1) (global $n (mut i32) (i32.const 40))
  (func $f (export "f") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (i32.store (i32.const 100) (global.get $n)) (i32.load (i32.const 100)))
  (func (export "get") (result funcref) ref.func $f)
  (global (export "g") funcref (ref.func $f)))`;

class World {
  readonly store = new Store();
  private constructor(
    readonly mode: Mode,
    private readonly giver: Compilation,
  ) {}

  static async make(mode: Mode): Promise<World> {
    return new World(mode, await compileWat(giverWat, mode));
  }

  async instance(wat: string, imports: Record<string, Exports> = {}): Promise<Instance> {
    return instantiate(await compileWat(wat, this.mode), imports, this.store);
  }

  newGiver(): Exports {
    return instantiate(this.giver, {}, this.store).exports as Exports;
  }

  /** Collects, then fills what was freed with others. */
  async churn(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      // Lets go of what the current job keeps.
      await new Promise((resolve) => setImmediate(resolve));
      currentThread().reclaim.collectNow();
      for (let k = 0; k < 200; k++) (this.newGiver().f as () => number)();
    }
  }
}

const caller = `(type $v (func (result i32))) (table $t (export "t") 4 funcref) (func (export "call") (result i32) i32.const 0 call_indirect $t (type $v))`;

for (const mode of modes) {
  const scenarios: Record<string, (world: World) => Promise<() => number>> = {
    "handed over as an argument, from Wasm to Wasm": async (world) => {
      const taker = await world.instance(`(module ${caller} (func (export "set") (param funcref) i32.const 0 local.get 0 table.set $t))`);
      await (async () => {
        const giver = world.newGiver();
        const between = await world.instance(
          `(module (import "t" "set" (func $set (param funcref))) (import "g" "get" (func $get (result funcref))) (func (export "go") call $get call $set))`,
          { t: taker.exports as Exports, g: giver },
        );
        functions(between.exports).go!();
      })();
      return functions(taker.exports).call as () => number;
    },
    "handed over through a table that neither names the other": async (world) => {
      const taker = await world.instance(`(module ${caller} (func $set (export "set") (param funcref) i32.const 0 local.get 0 table.set $t) (func (export "setter") (result funcref) ref.func $set))`);
      await (async () => {
        // Reaches the setter as a value, and passes a function of its own.
        const between = await world.instance(
          `(module (import "t" "setter" (func $setter (result funcref))) (type $s (func (param funcref))) (table $t 1 funcref) (memory 1) (global $n (mut i32) (i32.const 40))
            (func $own (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (i32.store (i32.const 4) (global.get $n)) (i32.load (i32.const 4)))
            (elem declare func $own)
            (func (export "go") (table.set $t (i32.const 0) (call $setter)) (call_indirect $t (type $s) (ref.func $own) (i32.const 0))))`,
          { t: taker.exports as Exports },
        );
        functions(between.exports).go!();
      })();
      return functions(taker.exports).call as () => number;
    },
    "given by JS as an argument": async (world) => {
      const taker = await world.instance(`(module ${caller} (func (export "set") (param funcref) i32.const 0 local.get 0 table.set $t))`);
      functions(taker.exports).set!(world.newGiver().f);
      return functions(taker.exports).call as () => number;
    },
    "written into a table by JS": async (world) => {
      const taker = await world.instance(`(module ${caller})`);
      (taker.exports.t as Table).set(0, world.newGiver().f);
      return functions(taker.exports).call as () => number;
    },
    "written into a mutable global by JS": async (world) => {
      const global = Global.make({ value: "funcref", mutable: true }, null, world.store);
      const taker = await world.instance(`(module (import "j" "g" (global $g (mut funcref))) ${caller} (func (export "load") i32.const 0 global.get $g table.set $t))`, { j: { g: global } });
      global.value = world.newGiver().f;
      functions(taker.exports).load!();
      global.value = null;
      return functions(taker.exports).call as () => number;
    },
    "imported as an immutable global": async (world) => {
      const taker = await world.instance(`(module (import "g" "g" (global $g funcref)) ${caller} (func (export "load") i32.const 0 global.get $g table.set $t))`, { g: world.newGiver() });
      functions(taker.exports).load!();
      return functions(taker.exports).call as () => number;
    },
    "put into an imported table by a segment": async (world) => {
      const taker = await world.instance(`(module ${caller})`);
      await world.instance(`(module (import "t" "t" (table 4 funcref)) (import "g" "f" (func $f (result i32))) (elem (i32.const 0) $f))`, { t: taker.exports as Exports, g: world.newGiver() });
      return functions(taker.exports).call as () => number;
    },
    "copied from another's table": async (world) => {
      const taker = await (async () => {
        const source = new Table({ element: "funcref", initial: 2 }, null, world.store);
        source.set(1, world.newGiver().f);
        const made = await world.instance(`(module (import "s" "s" (table $s 2 funcref)) ${caller} (func (export "copy") (table.copy $t $s (i32.const 0) (i32.const 1) (i32.const 1)) (table.fill $s (i32.const 0) (ref.null func) (i32.const 2))))`, { s: { s: source } });
        functions(made.exports).copy!();
        return made;
      })();
      return functions(taker.exports).call as () => number;
    },
    "returned by a host function": async (world) => {
      const give = () => world.newGiver().f;
      const taker = await world.instance(`(module (import "j" "give" (func $give (result funcref))) ${caller} (func (export "load") i32.const 0 call $give table.set $t))`, { j: { give } });
      functions(taker.exports).load!();
      return functions(taker.exports).call as () => number;
    },
    "a host function that another imported": async (world) => {
      const taker = await world.instance(`(module ${caller})`);
      let n = 40;
      const middle = await world.instance(`(module (import "j" "h" (func $h (result i32))) (export "h" (func $h)))`, { j: { h: () => ++n } });
      (taker.exports.t as Table).set(0, middle.exports.h);
      return functions(taker.exports).call as () => number;
    },
  };
  for (const [name, scenario] of Object.entries(scenarios)) {
    test(`${mode}: a function ${name}`, async () => {
      const world = await World.make(mode);
      const call = await scenario(world);
      for (let i = 0; i < 3; i++) {
        await world.churn();
        assert.is(call(), 41 + i);
      }
    });
  }
}

test("and what nothing reaches goes", async () => {
  const world = await World.make("guard");
  const { heap, reservations } = currentThread();
  await world.churn();
  currentThread().reclaim.collectNow();
  const before = heap.used;
  await (async () => {
    const taker = await world.instance(`(module ${caller} (func (export "set") (param funcref) i32.const 0 local.get 0 table.set $t))`);
    for (let i = 0; i < 50; i++) functions(taker.exports).set!(world.newGiver().f);
    (taker.exports.t as Table).set(0, null);
  })();
  await new Promise((resolve) => setImmediate(resolve));
  currentThread().reclaim.collectNow();
  // One or two may hang on what the engine has not cleared yet; there were fifty.
  assert.ok(heap.used - before < 1000, `${heap.used - before} bytes are left`);
  assert.ok(reservations.inUse < 5, `${reservations.inUse} memories are left`);
});

test.run();
