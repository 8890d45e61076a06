// Calls in and out: coercion, many values, exceptions, nesting, traps with their backtraces; both engines, and between them.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { callRaw, currentThread, funcInstanceOf, instantiate, Store, Trap } from "../../../runtime/index.js";
import { compileWat, functions, modes, thrown } from "./support.js";

const types = ["i32", "i64", "f32", "f64"] as const;
const many = Array.from({ length: 20 }, (_, i) => types[i % 4]!);
const manyWat = `(module
  (import "m" "h" (func $h (param ${many.join(" ")}) (result ${many.join(" ")})))
  (func (export "f") (param ${many.join(" ")}) (result ${many.join(" ")}) ${many.map((_, i) => `local.get ${i}`).join(" ")} call $h)
  (func (export "same") (param ${many.join(" ")}) (result ${many.join(" ")}) ${many.map((_, i) => `local.get ${i}`).join(" ")}))`;

const wat = `(module
  (import "m" "h" (func $h (param i32) (result i32)))
  (memory (export "mem") 1)
  (table (export "t") 4 funcref) (elem (i32.const 0) $add $call)
  (type $binary (func (param i32 i32) (result i32)))
  (func $add (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add)
  (func $call (export "call") (param i32) (result i32) local.get 0 call $h)
  (func $outer (export "outer") (param i32) (result i32) local.get 0 call $call i32.const 1 i32.add)
  (func $load (export "load") (param i32) (result i32) local.get 0 i32.load offset=4)
  (func $div (export "div") (param i32 i32) (result i32) local.get 0 local.get 1 i32.div_s)
  (func $deep (export "deep") (param i32) (result i32) local.get 0 i32.const 1 i32.add call $deep i32.const 1 i32.add)
  (func (export "indirect") (param i32) (result i32) i32.const 30 i32.const 12 local.get 0 call_indirect (type $binary))
  (func (export "i64") (param i64) (result i64) local.get 0)
  (func (export "f32") (param f32) (result f32) local.get 0)
  (func (export "f64") (param f64) (result f64) local.get 0)
  (func (export "ext") (param externref) (result externref) local.get 0)
  (func (export "isnull") (param externref) (result i32) local.get 0 ref.is_null)
  (func (export "unreachable") unreachable))`;

for (const mode of modes) {
  test(`${mode}: arguments are coerced by the JS API's rules`, async () => {
    const e = functions(instantiate(await compileWat(wat, mode), { m: { h: (x: number) => x } }).exports);
    assert.is(e.add!(2 ** 32 + 1, "2"), 3);
    assert.is(e.add!(), 0);
    assert.is(e.add!({ valueOf: () => e.add!(1, 2) }, { valueOf: () => e.add!(30, 9) }), 42);
    assert.instance(thrown(() => e.add!(1n, 1)), TypeError);
    assert.instance(thrown(() => e.add!(Symbol("s"), 1)), TypeError);
    assert.is(e.i64!(2n ** 63n), -(2n ** 63n));
    assert.is(e.i64!(true), 1n);
    assert.instance(thrown(() => e.i64!(1)), TypeError);
    assert.instance(thrown(() => e.i64!()), TypeError);
    assert.is(e.f32!(0.1), Math.fround(0.1));
    assert.is(e.f64!(-0), -0);
    assert.ok(Number.isNaN(e.f64!()));
    const object = {};
    for (const value of [object, "s", 5, undefined, null]) assert.is(e.ext!(value), value);
    assert.equal([e.isnull!(null), e.isnull!(undefined), e.isnull!(0)], [1, 0, 0]);
  });

  test(`${mode}: NaN payloads survive raw calls`, async () => {
    const { exports } = instantiate(await compileWat(wat, mode), { m: { h: (x: number) => x } });
    const raw = (name: string, bits: bigint) => callRaw(funcInstanceOf(exports[name] as object)!, [bits])[0];
    assert.is(raw("f64", 0xfff4_0000_0000_1234n), 0xfff4_0000_0000_1234n);
    assert.is(raw("f32", 0x7fa0_1234n), 0x7fa0_1234n);
    assert.is(raw("i64", -1n), 2n ** 64n - 1n);
  });

  test(`${mode}: twenty arguments and results of all kinds, through a host function and back`, async () => {
    const seen: unknown[][] = [];
    const { f, same } = functions(instantiate(await compileWat(manyWat, mode), { m: { h: (...args: unknown[]) => (seen.push(args), args) } }).exports);
    const args = many.map((type, i) => (type === "i64" ? BigInt(i) - 2n ** 40n : type === "i32" ? -i : i + 0.5));
    assert.equal(same!(...args), args);
    assert.equal(f!(...args), args);
    assert.equal(seen, [args]);
  });

  test(`${mode}: what a host function throws comes out as the same object, and the instance goes on`, async () => {
    let act = (x: number): unknown => x;
    const e = functions(instantiate(await compileWat(wat, mode), { m: { h: (x: number) => act(x) } }).exports);
    for (const error of [new Error("e"), "a string", undefined, null, { kind: "object" }]) {
      act = () => {
        throw error;
      };
      let caught: unknown = "nothing";
      try {
        e.outer!(1);
      } catch (x) {
        caught = x;
      }
      assert.is(caught, error);
      act = (x) => x * 2;
      assert.is(e.outer!(4), 9);
    }
    act = () => 5n;
    assert.instance(thrown(() => e.outer!(1)), TypeError);
  });

  test(`${mode}: calls nest, and inner traps and exceptions can be caught between`, async () => {
    let depth = 0;
    const e = functions(
      instantiate(await compileWat(wat, mode), {
        m: {
          h: (x: number) => {
            if (x === 0) return e.div!(1, 0);
            depth++;
            try {
              return e.outer!(x - 1);
            } catch (error) {
              if (depth-- % 2 === 0) throw error;
              return 100;
            }
          },
        },
      }).exports,
    );
    assert.is(e.outer!(1), 101);
    depth = 0;
    assert.is(e.outer!(2), 101);
  });

  test(`${mode}: traps say what, where and through whom`, async () => {
    const e = functions(instantiate(await compileWat(wat, mode), { m: { h: () => e.div!(1, 0) } }).exports);
    const error = thrown(() => e.outer!(1));
    assert.instance(error, Trap);
    assert.is(error.kind, "integer_divide_by_zero");
    assert.is(error.message, "integer divide by zero");
    assert.ok(error.wasmOffset > 0);
    assert.equal(error.functions, ["div", "call", "outer"]);
    assert.match(error.stack, /RuntimeError: integer divide by zero\n {4}at div \(wasm:\/\/wasm\/[0-9a-f]{8}:wasm-function\[\d+\]:0x/);

    assert.is(thrown(() => e.div!(-(2 ** 31), -1)).kind, "integer_overflow");
    assert.is(thrown(() => e.unreachable!()).kind, "unreachable");
    assert.is(thrown(() => e.load!(65536 - 4)).kind, "out_of_bounds_memory");
    assert.is(thrown(() => e.load!(-1)).kind, "out_of_bounds_memory");
    assert.is(e.load!(65536 - 8), 0);
  });

  test(`${mode}: a failing indirect call names table, index and both signatures`, async () => {
    const e = functions(instantiate(await compileWat(wat, mode), { m: { h: (x: number) => x } }).exports);
    assert.is(e.indirect!(0), 42);
    const mismatch = thrown(() => e.indirect!(1));
    assert.is(mismatch.kind, "indirect_call_type_mismatch");
    assert.is(mismatch.message, "indirect call type mismatch: the call expects (i32, i32) -> i32, element 1 of table 0 has (i32) -> i32");
    const nothing = thrown(() => e.indirect!(2));
    assert.is(nothing.kind, "uninitialized_element");
    assert.ok("uninitialized element 2 of table 0".startsWith(nothing.message));
    const outside = thrown(() => e.indirect!(-1));
    assert.is(outside.message, "undefined element 4294967295 of table 0, which has 4");
  });

  test(`${mode}: an exhausted stack is a trap, and nothing is lost by it`, async () => {
    const e = functions(instantiate(await compileWat(wat, mode), { m: { h: (x: number) => x } }).exports);
    for (let i = 0; i < 3; i++) {
      const error = thrown(() => e.deep!(0));
      assert.is(error.kind, "stack_exhausted");
      assert.is(error.message, "call stack exhausted");
      assert.is(error.functions[0], "deep");
      assert.is(error.functions.length, 100);
      assert.is(e.outer!(3), 4);
    }
  });

  test(`${mode}: recursion through JS ends in a RangeError, and the instance goes on`, async () => {
    let forever = true;
    const e = functions(instantiate(await compileWat(wat, mode), { m: { h: (x: number): number => (forever ? e.outer!(x) : x) } }).exports);
    for (let i = 0; i < 3; i++) {
      forever = true;
      const error = thrown(() => e.outer!(1));
      assert.ok(error instanceof RangeError || error.kind === "stack_exhausted", String(error));
      forever = false;
      assert.is(e.outer!(1), 2);
      assert.ok(currentThread().exec!.idle);
    }
  });

  test(`${mode}: many calls deep through JS, and an overflow caught on the way, come back right`, async () => {
    let overflows = 0;
    // The interpreter takes more of the JS stack.
    const deep = mode === "interp" ? 100 : 1000;
    let limit = deep;
    const e = functions(
      instantiate(await compileWat(wat, mode), {
        m: {
          h: (x: number): number => {
            if (x === limit) return x;
            try {
              return e.outer!(x + 1);
            } catch (error) {
              overflows++;
              // The frames above go on as if nothing had been.
              if (x % 10 !== 0) throw error;
              return -x;
            }
          },
        },
      }).exports,
    );
    assert.is(e.outer!(0), 2 * deep + 1);
    assert.is(overflows, 0);
    limit = Infinity;
    for (let i = 0; i < 3; i++) {
      overflows = 0;
      const result = e.outer!(0);
      assert.ok(overflows > 0);
      // -x from the frame x that caught it, and one more from each of the x + 1 outer calls.
      assert.is(result, 1);
      assert.ok(currentThread().exec!.idle);
    }
  });

  test(`${mode}: traps below and above a host call name what was there`, async () => {
    let act: (x: number) => unknown = (x) => x;
    const e = functions(instantiate(await compileWat(wat, mode), { m: { h: (x: number) => act(x) } }).exports);
    act = (x) => {
      assert.equal(thrown(() => e.div!(1, 0)).functions, ["div", "call", "outer"]);
      return x;
    };
    assert.is(e.outer!(1), 2);
    act = (x) => {
      act = () => e.unreachable!();
      return e.outer!(x);
    };
    assert.equal(thrown(() => e.outer!(1)).functions, ["@13", "call", "outer", "call", "outer"]);
    // A trap behind a host call that has ended.
    const after = functions(instantiate(await compileWat(`(module (import "m" "h" (func $h)) (func $f (export "f") call $h unreachable))`, mode), { m: { h: () => {} } }).exports);
    assert.equal(thrown(() => after.f!()).functions, ["f"]);
  });
}

for (const [outer, inner] of [["guard", "interp"], ["interp", "guard"], ["explicit", "guard"]] as const) {
  test(`${outer} calls ${inner}: imports, tables, exceptions and traps cross`, async () => {
    const store = new Store();
    const error = new Error("from the inner host");
    const a = instantiate(await compileWat(wat, inner), { m: { h: () => { throw error; } } }, store);
    const b = instantiate(
      await compileWat(
        `(module (import "a" "add" (func $add (param i32 i32) (result i32))) (import "a" "div" (func $div (param i32 i32) (result i32))) (import "a" "call" (func $call (param i32) (result i32)))
          (import "a" "f64" (func $f64 (param f64) (result f64))) (import "a" "t" (table 4 funcref)) (import "a" "ext" (func $ext (param externref) (result externref)))
          (type $binary (func (param i32 i32) (result i32)))
          (elem (i32.const 2) $sub) (func $sub (param i32 i32) (result i32) local.get 0 local.get 1 i32.sub)
          (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 call $add)
          (func $d (export "div") (param i32 i32) (result i32) local.get 0 local.get 1 call $div)
          (func (export "call") (param i32) (result i32) local.get 0 call $call)
          (func (export "f64") (param f64) (result f64) local.get 0 call $f64)
          (func (export "ext") (param externref) (result externref) local.get 0 call $ext)
          (func (export "indirect") (param i32) (result i32) i32.const 30 i32.const 12 local.get 0 call_indirect (type $binary)))`,
        outer,
      ),
      { a: a.exports as Record<string, unknown> },
      store,
    );
    const e = functions(b.exports);
    assert.is(e.add!(40, 2), 42);
    assert.is(e.f64!(1.25), 1.25);
    const object = {};
    assert.is(e.ext!(object), object);
    assert.is(e.indirect!(0), 42);
    assert.is(e.indirect!(2), 18);
    assert.is(functions(a.exports).indirect!(2), 18);
    assert.is(thrown(() => e.indirect!(1)).kind, "indirect_call_type_mismatch");
    assert.is(thrown(() => functions(a.exports).indirect!(1)).kind, "indirect_call_type_mismatch");
    assert.is(thrown(() => e.call!(1)), error);
    const trap = thrown(() => e.div!(1, 0));
    assert.is(trap.kind, "integer_divide_by_zero");
    assert.is(trap.functions[0], "div");
    if (outer === "explicit") assert.equal(trap.functions, ["div", "d"]);
  });
}

test.run();
