// Translation as text: each construct once, what it becomes in SSA. And WAT: names, errors, which input is which.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { FuncIndex } from "../../../ir/entity.js";
import { printFunc } from "../../../ir/print.js";
import { printVerifierError, verifyFunc } from "../../../ir/verify.js";
import { WasmError, decodeModule, toBytes, translateFunction, watToBytes } from "../../../pipeline/frontend/index.js";

/** The SSA of function 0, without offsets, comments and the header line. */
async function ssa(wat: string): Promise<string[]> {
  const module = decodeModule(await watToBytes(wat));
  const index = module.funcs.findIndex((f) => !f.imported) as FuncIndex;
  const fn = translateFunction(module, index);
  const errors = verifyFunc(fn, module);
  assert.is(errors.length, 0, errors.map(printVerifierError).join("; "));
  const lines = printFunc(fn, module).trim().split("\n").map((line) => line.replace(/\s*[;!].*$/, "").trim());
  return lines.slice(1, -1);
}

test("locals become values, moves vanish", async () => {
  assert.equal(
    await ssa(`(module (func (param i32) (result i32) (local i32)
      nop (local.set 1 (i32.add (local.get 0) (i32.const 5))) (drop (local.get 0)) (local.tee 0 (local.get 1))))`),
    ["b0(v0: i32):", "v1 = i32.const 5", "v2 = i32.add v0, v1", "return v2"],
  );
});

test("if and else: parameters only for what differs", async () => {
  assert.equal(
    await ssa(`(module (func (param i32 i32) (result i32) (local i32)
      (if (local.get 0) (then (local.set 2 (local.get 1)) (local.set 1 (i32.const 7))) (else (local.set 1 (i32.const 7))))
      (i32.add (local.get 1) (local.get 2))))`),
    [
      "b0(v0: i32, v1: i32):", "v8 = i32.const 0", "br_if v0, b1, b3",
      "b1:", "v3 = i32.const 7", "br b2(v3, v1)",
      "b3:", "v5 = i32.const 7", "br b2(v5, v8)",
      "b2(v7: i32, v9: i32):", "v10 = i32.add v7, v9", "return v10",
    ],
  );
});

test("a loop with parameters, and a local that only the loop changes", async () => {
  assert.equal(
    await ssa(`(module (type $t (func (param i32) (result i32))) (func (param i32 i32) (result i32)
      (block $out (result i32) local.get 0
      loop (type $t) local.get 1 i32.const 1 i32.sub local.tee 1 i32.add local.get 1 br_if 0 end)))`),
    [
      "b0(v0: i32, v1: i32):", "br b1(v0, v1)",
      "b1(v3: i32, v4: i32):", "v5 = i32.const 1", "v6 = i32.sub v4, v5", "v7 = i32.add v3, v6", "br_if v6, b2, b3",
      "b3:", "br b4",
      "b2:", "br b1(v7, v6)",
      "b4:", "return v7",
    ],
  );
});

test("br_table: equal targets share an edge; a branch out of the function is one return block", async () => {
  assert.equal(
    await ssa(`(module (func (param i32) (result i32)
      (block $a (block $b local.get 0 br_table $a $b $a $b $a) i32.const 1 local.get 0 br_if 1 drop) i32.const 2))`),
    [
      "b0(v0: i32):", "br_table v0, [b1, b2, b1, b2], b1",
      "b2:", "v2 = i32.const 1", "br_if v0, b3(v2), b4",
      "b4:", "br b1",
      "b1:", "v6 = i32.const 2", "br b3(v6)",
      "b3(v3: i32):", "return v3",
    ],
  );
});

test("unreachable code is not translated, also where it holds constructs", async () => {
  assert.equal(
    await ssa(`(module (func (param i32) (result i32) (local i32)
      (block $a (br $a) (loop (local.set 0 (i32.const 9)) (br 0)))
      (if (local.get 0) (then (unreachable) (local.set 0 (i32.const 8))))
      (return (local.get 0)) (local.set 0 (i32.const 3)) (local.get 1)))`),
    ["b0(v0: i32):", "br b1", "b1:", "br_if v0, b2, b3", "b2:", "unreachable", "b3:", "return v0"],
  );
});

test("calls: further results follow as values, the table index comes last", async () => {
  assert.equal(
    await ssa(`(module (type $t (func (param i64) (result i32 f32))) (import "m" "f" (func $f (type $t))) (table 2 funcref) (memory 1)
      (func (param i64 i32) (result f32) (local f32)
        (call $f (local.get 0)) (local.set 2) (drop) (call_indirect (type $t) (local.get 0) (local.get 1)) (drop) (drop) (local.get 2)))`),
    [
      "b0(v0: i64, v1: i32):",
      "v2: i32 = call @0(v0)", "v3: f32 = result v2, 1",
      "v4: i32 = call_indirect t0, T0, v1(v0)", "v5: f32 = result v4, 1", "return v3",
    ],
  );
});

test("memory, select, constants, references", async () => {
  assert.equal(
    await ssa(`(module (memory 1) (global $g (mut i64) (i64.const 0)) (func (param i32) (result externref)
      (i64.store offset=8 (local.get 0) (i64.load32_s offset=4294967295 (local.get 0)))
      (global.set $g (select (i64.const -1) (i64.const 4294967296) (local.get 0)))
      (drop (f64.add (f64.const -0) (f64.const nan:0x4)))
      (memory.fill (local.get 0) (i32.const 1) (memory.grow (i32.const 2)))
      (ref.null extern)))`).then((lines) => lines.filter((line) => !line.includes("const"))),
    [
      "b0(v0: i32):", "v1 = i64.load32_s v0, m0, offset=4294967295", "i64.store v0, m0, offset=8, v1", "v5: i64 = select v3, v4, v0",
      "global.set g0, v5", "v9 = f64.add v7, v8", "v12 = memory.grow m0, v11", "memory.fill m0, v0, v10, v12",
      "v14: externref = ref.null", "return v14",
    ],
  );
});

test("SIMD is refused by name and offset, function by function", async () => {
  const module = decodeModule(await watToBytes("(module (func) (func (drop (i32x4.splat (i32.const 1)))) (func (param v128)))"));
  assert.is(translateFunction(module, 0 as FuncIndex).blockCount, 1);
  const refused = (index: number, pattern: RegExp) => {
    assert.throws(() => translateFunction(module, index as FuncIndex), (error: unknown) => {
      return error instanceof WasmError && error.kind === "unsupported" && error.offset > 0 && pattern.test(error.message);
    });
  };
  refused(1, /i32x4\.splat/);
  refused(2, /v128/);
});

test("WAT: names are kept, errors have line and column, binaries pass", async () => {
  const bytes = await toBytes('(module $m (func $one (export "f") (param $x i32)))');
  const module = decodeModule(bytes);
  assert.is(module.funcs[0]!.name, "one");
  assert.is(module.names.locals.get(0 as FuncIndex)?.get(0), "x");
  assert.is(await toBytes(bytes), bytes);
  assert.equal(await toBytes(new TextEncoder().encode("(module)")), await watToBytes("(module)"));
  const message = async (text: string) => {
    try {
      await toBytes(text);
    } catch (error) {
      assert.instance(error, WasmError);
      return (error as WasmError).message;
    }
    throw new Error("was accepted");
  };
  assert.match(await message("(module\n (func (i32.bad)))"), /text format, line 2, column \d+: .*instruction/);
  assert.match(await message("hello"), /^expected a binary module/);
  // The text's types are checked by the validator, like a binary's.
  assert.throws(() => decodeModule(bytes.subarray(0, 20)), (error: unknown) => error instanceof WasmError);
  const wrong = await toBytes("(module (func (result i32) (i64.const 0)))");
  assert.throws(() => decodeModule(wrong), /expected type i32 for end, found i64/);
});

test.run();
