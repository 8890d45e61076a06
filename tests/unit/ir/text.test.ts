// Numbers and strings as text: exact both ways.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { numberText, parseNumber, quoteBytes, quoteName, unquoteBytes, unquoteName } from "../../../ir/text.js";
import { Type } from "../../../ir/types.js";

const out = new Int32Array(2);

test("numbers read as one expects", () => {
  const rows: [Type, number, number, string][] = [
    [Type.i32, -1, 0, "-1"],
    [Type.i32, -0x80000000, 0, "-2147483648"],
    [Type.i64, 0, -0x80000000, "-9223372036854775808"],
    [Type.i64, -1, 0x7fffffff, "9223372036854775807"],
    [Type.f32, 0x3f800000, 0, "1"],
    [Type.f32, 0x3dcccccd, 0, "0.1"],
    [Type.f32, 0x80000000 | 0, 0, "-0"],
    [Type.f32, 1, 0, "1e-45"],
    [Type.f32, 0x7f7fffff, 0, "3.4028235e+38"],
    [Type.f32, 0xff800000 | 0, 0, "-inf"],
    [Type.f32, 0x7fc00000, 0, "nan:0x400000"],
    [Type.f32, 0xff800001 | 0, 0, "-nan:0x1"],
    [Type.f64, 0, 0x3ff00000, "1"],
    [Type.f64, 0, 0x80000000 | 0, "-0"],
    [Type.f64, 1, 0, "5e-324"],
    [Type.f64, 0, 0x7ff80000, "nan:0x8000000000000"],
    [Type.f64, -1, -1, "-nan:0xfffffffffffff"],
  ];
  for (const [type, lo, hi, text] of rows) {
    assert.is(numberText(type, lo, hi), text);
    assert.ok(parseNumber(type, text, out), text);
    assert.equal([out[0], out[1]], [lo, hi], text);
  }
});

test("random bits come back", () => {
  let s = 12345;
  const random = () => (s = (Math.imul(s, 1664525) + 1013904223) | 0) ^ (s >>> 13);
  for (let i = 0; i < 20000; i++) {
    for (const type of [Type.i32, Type.i64, Type.f32, Type.f64]) {
      const [lo, hi] = [random() | 0, type === Type.i64 || type === Type.f64 ? random() | 0 : 0];
      const text = numberText(type, lo, hi);
      assert.ok(parseNumber(type, text, out), text);
      if (out[0] !== lo || out[1] !== hi) assert.equal([out[0], out[1]], [lo, hi], text);
    }
  }
});

test("hexadecimal and the unsigned range are read, what does not fit is refused", () => {
  assert.ok(parseNumber(Type.i32, "0xffffffff", out) && out[0] === -1);
  assert.ok(parseNumber(Type.i32, "4294967295", out) && out[0] === -1);
  assert.ok(parseNumber(Type.i64, "0xffffffffffffffff", out) && out[0] === -1 && out[1] === -1);
  for (const text of ["4294967296", "-2147483649", "1.5", "", "-", "x", "1e3", "inf"]) assert.not(parseNumber(Type.i32, text, out), text);
  for (const text of ["nan:0x0", "nan:0x800000", "nan", "1.", ".5", "0x1p3", "--1"]) assert.not(parseNumber(Type.f32, text, out), text);
  assert.not(parseNumber(Type.f64, "nan:0x10000000000000", out));
});

test("names and bytes in quotes come back", () => {
  for (const name of ["", "plain", 'quo"te\\back', "new\nline\t\0", "π → ∞", "\u2028\u00a0\ufeff", "😀", "a\u{10ffff}b", "\ud800"]) {
    const quoted = quoteName(name);
    assert.ok(!/[\n\t\0\u2028]/.test(quoted), quoted);
    assert.is(unquoteName(quoted), name);
  }
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  assert.equal(unquoteBytes(quoteBytes(bytes)), bytes);
  assert.is(unquoteName('"\\x"'), undefined);
  assert.is(unquoteName('"\\u{110000}"'), undefined);
  assert.is(unquoteBytes('"\\0g"'), undefined);
  assert.is(unquoteBytes('"é"'), undefined);
});

test.run();
