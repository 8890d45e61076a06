// C functions as imports: argument passing in full, addresses, everywhere a function can go, what is refused; both engines.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { instantiate, LinkError, native, Store, Table, Trap } from "../../../runtime/index.js";
import { compileWat, functions, modes, thrown } from "./support.js";

const linux = process.platform === "linux";
const it: typeof test = linux ? test : (test.skip as typeof test);
const libm = "libm.so.6";
const libc = "libc.so.6";

for (const mode of modes) {
  it(`${mode}: called from code, by a table, re-exported, as an exported function, imported by another instance`, async () => {
    const store = new Store();
    const a = instantiate(
      await compileWat(
        `(module (import "m" "cos" (func $cos (param f64) (result f64))) (export "cos" (func $cos)) (elem declare func $cos)
          (table (export "t") 2 funcref) (elem (i32.const 1) $cos) (type $unary (func (param f64) (result f64)))
          (func (export "direct") (param f64) (result f64) (f64.add (call $cos (local.get 0)) (local.get 0)))
          (func (export "indirect") (param f64) (result f64) (call_indirect (type $unary) (local.get 0) (i32.const 1)))
          (func (export "ref") (result funcref) ref.func $cos))`,
        mode,
      ),
      { m: { cos: native(libm, "cos", "f64(f64)") } },
      store,
    );
    const e = functions(a.exports);
    assert.is(e.direct!(1), Math.cos(1) + 1);
    assert.is(e.indirect!(1), Math.cos(1));
    assert.is(e.cos!(2), Math.cos(2));
    assert.is(e.cos!("2"), Math.cos(2));
    assert.is(e.ref!(), e.cos);
    assert.is((a.exports.t as Table).get(1), e.cos);
    const wat = `(module (import "a" "cos" (func $cos (param f64) (result f64))) (func (export "twice") (param f64) (result f64) (call $cos (call $cos (local.get 0)))))`;
    for (const other of modes) {
      const b = instantiate(await compileWat(wat, other), { a: a.exports as Record<string, unknown> }, store);
      assert.is(functions(b.exports).twice!(1), Math.cos(Math.cos(1)));
    }
  });

  it(`${mode}: arguments of all kinds, in registers and on the stack, callee-saved registers whole`, async () => {
    // snprintf: up to twelve further arguments of variable types; C's own idea of where they are.
    const format = "%d %ld %g %d %ld %g %g %g %g %g %g %g %g %d %d %d|";
    const wat = `(module (import "c" "snprintf" (func $print (param i32 i64 i32 i32 i64 f64 i32 i64 f64 f64 f64 f64 f64 f64 f64 f64 i32 i32 i32) (result i32)))
      (memory (export "mem") 1) (data (i32.const 512) "${format}\\00")
      (func (export "f") (param $a i32) (param $b i64) (param $x f64) (result i32 i64 f64 i32)
        (local $keep1 i32) (local $keep2 i64) (local $keep3 f64)
        (local.set $keep1 (i32.mul (local.get $a) (i32.const 3))) (local.set $keep2 (i64.mul (local.get $b) (i64.const 5))) (local.set $keep3 (f64.mul (local.get $x) (f64.const 7)))
        (call $print (i32.const 1024) (i64.const 200) (i32.const 512)
          (local.get $a) (local.get $b) (local.get $x) (i32.const -2) (i64.const 0x123456789ab) (f64.const 1.5)
          (f64.const 2.5) (f64.const 3.5) (f64.const 4.5) (f64.const 5.5) (f64.const 6.5) (f64.const 7.5) (f64.const 8.5) (i32.const 3) (i32.const -4) (local.get $a))
        (local.set $a) (local.get $keep1) (local.get $keep2) (local.get $keep3) (i32.load8_u (i32.const 0)) (local.get $a) i32.add))`;
    const print = native(libc, "snprintf", "i32(mem, i64, mem, i32, i64, f64, i32, i64, f64, f64, f64, f64, f64, f64, f64, f64, i32, i32, i32)");
    const { exports } = instantiate(await compileWat(wat, mode), { c: { snprintf: print } });
    const memory = exports.mem as { buffer: ArrayBuffer };
    const wanted = "11 -12 0.25 -2 1250999896491 1.5 2.5 3.5 4.5 5.5 6.5 7.5 8.5 3 -4 11|";
    assert.equal(functions(exports).f!(11, -12n, 0.25), [33, -60n, 1.75, wanted.length]);
    assert.is(Buffer.from(memory.buffer, 1024, wanted.length).toString("latin1"), wanted);
  });

  it(`${mode}: f32, i64, pointers and void; what C leaves in the upper half of an i32 does not show`, async () => {
    const wat = `(module
      (import "c" "fmaf" (func $fmaf (param f32 f32 f32) (result f32))) (import "c" "llabs" (func $llabs (param i64) (result i64)))
      (import "c" "malloc" (func $malloc (param i64) (result i64))) (import "c" "free" (func $free (param i64)))
      (import "c" "memcpy" (func $in (param i64 i32 i64) (result i64))) (import "c" "memcpy" (func $out (param i32 i64 i64) (result i64)))
      (import "c" "labs" (func $low (param i64) (result i32)))
      (memory (export "mem") 1) (data (i32.const 16) "through C")
      (func (export "fmaf") (param f32 f32 f32) (result f32) (call $fmaf (local.get 0) (local.get 1) (local.get 2)))
      (func (export "llabs") (param i64) (result i64) (call $llabs (local.get 0)))
      (func (export "low") (param i64) (result i64) (i64.extend_i32_u (call $low (local.get 0))))
      (func (export "copy") (local $p i64)
        (local.set $p (call $malloc (i64.const 64))) (drop (call $in (local.get $p) (i32.const 16) (i64.const 9))) (drop (call $out (i32.const 100) (local.get $p) (i64.const 9))) (call $free (local.get $p))))`;
    let copies = 0;
    const values = {
      fmaf: native(libm, "fmaf", "f32(f32, f32, f32)"),
      llabs: native(null, "llabs", "i64(i64)"),
      malloc: native(libc, "malloc", "ptr(i64)"),
      free: native(libc, "free", "void(ptr)"),
      labs: native(libc, "labs", "i32(i64)"),
      get memcpy() {
        return copies++ === 0 ? native(libc, "memcpy", "ptr(ptr, mem, i64)") : native(libc, "memcpy", "ptr(mem, ptr, i64)");
      },
    };
    const { exports } = instantiate(await compileWat(wat, mode), { c: values });
    const e = functions(exports);
    assert.is(e.fmaf!(2, 3, 0.5), 6.5);
    assert.is(e.llabs!(-(2n ** 40n)), 2n ** 40n);
    assert.is(e.low!(2n ** 40n + 5n), 5n);
    e.copy!();
    assert.is(Buffer.from((exports.mem as { buffer: ArrayBuffer }).buffer, 100, 9).toString("latin1"), "through C");
  });

  it(`${mode}: an address is in the memory of the importer, and inside`, async () => {
    const store = new Store();
    const strlen = native(libc, "strlen", "i64(mem)");
    const a = instantiate(await compileWat(`(module (import "c" "strlen" (func $strlen (param i32) (result i64))) (memory 1 2) (data (i32.const 65530) "abc") (export "strlen" (func $strlen)) (func (export "grow") (drop (memory.grow (i32.const 1)))))`, mode), { c: { strlen } }, store);
    const b = instantiate(
      await compileWat(`(module (import "a" "strlen" (func $strlen (param i32) (result i64))) (memory 1) (data (i32.const 65530) "other") (func $f (export "f") (param i32) (result i64) (call $strlen (local.get 0))))`, mode),
      { a: a.exports as Record<string, unknown> },
      store,
    );
    const { f } = functions(b.exports);
    assert.is(f!(65530), 3n);
    for (const at of [65536, -1, 2 ** 31]) {
      const trap = thrown(() => f!(at)) as Trap;
      assert.is(trap.kind, "out_of_bounds_memory");
      if (mode !== "interp") assert.equal(trap.functions, ["f"]);
    }
    functions(a.exports).grow!();
    assert.is(f!(65536), 0n);
    assert.is(functions(a.exports).strlen!(65530), 3n);
  });

  it(`${mode}: a function on a deep Wasm stack gets a deep stack of its own`, async () => {
    // qsort of nothing and snprintf of a wide float: the latter uses kilobytes of stack. The recursion leaves hardly any of ours.
    const wat = `(module (import "c" "snprintf" (func $print (param i32 i64 i32 f64) (result i32))) (memory 1) (data (i32.const 0) "%.3000f\\00")
      (func $f (export "f") (param i32) (result i32)
        (if (result i32) (local.get 0) (then (i32.add (call $f (i32.sub (local.get 0) (i32.const 1))) (i32.const 1))) (else (call $print (i32.const 100) (i64.const 4000) (i32.const 0) (f64.const 0.1))))))`;
    const { f } = functions(instantiate(await compileWat(wat, mode), { c: { snprintf: native(libc, "snprintf", "i32(mem, i64, mem, f64)") } }).exports);
    assert.is(f!(0), 3002);
    let depth = 1000;
    while (depth < 2 ** 24) {
      try {
        assert.is(f!(depth), 3002 + depth);
      } catch (error) {
        assert.is((error as Trap).kind, "stack_exhausted");
        break;
      }
      depth = Math.ceil(depth * 1.3);
    }
    assert.ok(depth > 1000 && depth < 2 ** 24);
  });

  it(`${mode}: a signature that does not match is a LinkError that says both`, async () => {
    const compiled = await compileWat(`(module (import "env" "cos" (func (param f64) (result f64))))`, mode);
    const error = thrown(() => instantiate(compiled, { env: { cos: native(libm, "pow", "f64(f64, f64)") } }));
    assert.instance(error, LinkError);
    assert.match(error.message, /"env" "cos": expected function \(f64\) -> f64, found the native function "pow" of "libm.so.6", f64\(f64, f64\), in Wasm \(f64, f64\) -> f64/);
    const strlen = await compileWat(`(module (import "env" "strlen" (func (param i32) (result i64))))`, mode);
    assert.match(thrown(() => instantiate(strlen, { env: { strlen: native(libc, "strlen", "i64(mem)") } })).message, /takes addresses in a memory; the module has none/);
  });
}

it("libraries, symbols and signatures that are none are refused by name", () => {
  assert.match(thrown(() => native("libnothing.so.9", "cos", "f64(f64)")).message, /the library "libnothing.so.9" cannot be loaded/);
  assert.match(thrown(() => native(libm, "cosine", "f64(f64)")).message, /the library "libm.so.6" has no symbol "cosine"/);
  assert.match(thrown(() => native(null, "no_such_function", "void()")).message, /this process has no symbol "no_such_function"/);
  for (const [signature, what] of [["f64", /"f64" is no signature/], ["double(f64)", /"double" in the signature .* is no type of a result/], ["f64(float)", /"float" in the signature/], ["mem(i32)", /cannot be a result/], ["i32(void, i32)", /"void" in the signature/]] as const) {
    const error = thrown(() => native(libm, "cos", signature));
    assert.instance(error, TypeError);
    assert.match(error.message, what);
  }
});

it("JS may call them, too", () => {
  assert.is(native(libm, "cos", "f64(f64)")(1), Math.cos(1));
  assert.is(native(libc, "llabs", "i64(i64)")(-5n), 5n);
  assert.throws(() => native(libc, "strlen", "i64(mem)")(0), /only a module can call it/);
});

test.run();
