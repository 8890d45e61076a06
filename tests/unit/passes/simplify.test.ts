// simplify: each rule by one example, and examples where a rule must not apply.
//
// That rules keep the meaning on all kinds of operands is held by random.test.ts.
import { test } from "uvu";
import { becomes } from "./support.js";

const clean = ["simplify", "copy-fold", "dce"];

/** Bodies of one block: operands v0 .. as the signature says, the result is returned. */
function turns(sig: string, params: string, before: string, after: string): void {
  becomes(clean, sig, `b0(${params}):\n${before}`, `b0(${params}):\n${after}`);
}

const i = (before: string, after: string) => turns("(i32, i32) -> i32", "v0: i32, v1: i32", before, after);
const l = (before: string, after: string) => turns("(i64, i32) -> i64", "v0: i64, v1: i32", before, after);
const d = (before: string, after: string) => turns("(f64, f64) -> f64", "v0: f64, v1: f64", before, after);

test("constants are folded, traps are not", () => {
  i("v2 = i32.const 7\nv3 = i32.const -3\nv4 = i32.rem_s v2, v3\nreturn v4", "v4 = i32.const 1\nreturn v4");
  l("v2 = i64.const -1\nv3 = i64.const 60\nv4 = i64.shr_u v2, v3\nreturn v4", "v4 = i64.const 15\nreturn v4");
  d("v2 = f64.const 0.1\nv3 = f64.const 0.2\nv4 = f64.add v2, v3\nreturn v4", "v4 = f64.const 0.30000000000000004\nreturn v4");
  i("v2 = i32.const 7\nv3 = i32.const 0\nv4 = i32.div_u v2, v3\nreturn v4", "v2 = i32.const 7\nv3 = i32.const 0\nv4 = i32.div_u v2, v3\nreturn v4");
  i("v2 = i32.const -2147483648\nv3 = i32.const -1\nv4 = i32.div_s v2, v3\nreturn v4", "v2 = i32.const -2147483648\nv3 = i32.const -1\nv4 = i32.div_s v2, v3\nreturn v4");
});

test("sums gather their constants", () => {
  i(
    "v2 = i32.const 5\nv3 = i32.add v2, v0\nv4 = i32.const 3\nv5 = i32.sub v3, v4\nreturn v5",
    "v4 = i32.const 2\nv5 = i32.add v0, v4\nreturn v5",
  );
  l(
    "v2 = i64.const 4294967296\nv3 = i64.add v0, v2\nv4 = i64.const -1\nv5 = i64.add v3, v4\nreturn v5",
    "v4 = i64.const 4294967295\nv5 = i64.add v0, v4\nreturn v5",
  );
  i("v2 = i32.add v0, v1\nv3 = i32.sub v2, v1\nreturn v3", "return v0");
  i("v2 = i32.const 0\nv3 = i32.sub v2, v1\nv4 = i32.add v0, v3\nreturn v4", "v4 = i32.sub v0, v1\nreturn v4");
});

test("multiplication and unsigned division by powers of two are shifts", () => {
  i("v2 = i32.const 8\nv3 = i32.mul v0, v2\nreturn v3", "v2 = i32.const 3\nv3 = i32.shl v0, v2\nreturn v3");
  l("v2 = i64.const 4294967296\nv3 = i64.div_u v0, v2\nreturn v3", "v2 = i64.const 32\nv3 = i64.shr_u v0, v2\nreturn v3");
  i("v2 = i32.const -2147483648\nv3 = i32.rem_u v0, v2\nreturn v3", "v2 = i32.const 2147483647\nv3 = i32.and v0, v2\nreturn v3");
  i("v2 = i32.const 4\nv3 = i32.div_s v0, v2\nreturn v3", "v2 = i32.const 4\nv3 = i32.div_s v0, v2\nreturn v3");
  i("v2 = i32.const 10\nv3 = i32.mul v0, v2\nreturn v3", "v2 = i32.const 10\nv3 = i32.mul v0, v2\nreturn v3");
});

test("masks: known bits make them superfluous", () => {
  i("v2 = i32.load8_u v0, m0\nv3 = i32.const 255\nv4 = i32.and v2, v3\nreturn v4", "v2 = i32.load8_u v0, m0\nreturn v2");
  i("v2 = i32.load8_u v0, m0\nv3 = i32.const 127\nv4 = i32.and v2, v3\nreturn v4", "v2 = i32.load8_u v0, m0\nv3 = i32.const 127\nv4 = i32.and v2, v3\nreturn v4");
  i("v2 = i32.extend8_s v0\nv3 = i32.const 255\nv4 = i32.and v2, v3\nreturn v4", "v3 = i32.const 255\nv4 = i32.and v0, v3\nreturn v4");
  i("v2 = i32.const 31\nv3 = i32.and v1, v2\nv4 = i32.shl v0, v3\nreturn v4", "v4 = i32.shl v0, v1\nreturn v4");
  i("v2 = i32.const 15\nv3 = i32.and v1, v2\nv4 = i32.shl v0, v3\nreturn v4", "v2 = i32.const 15\nv3 = i32.and v1, v2\nv4 = i32.shl v0, v3\nreturn v4");
});

test("pairs of shifts are masks and extensions", () => {
  i("v2 = i32.const 24\nv3 = i32.shl v0, v2\nv4 = i32.shr_s v3, v2\nreturn v4", "v4 = i32.extend8_s v0\nreturn v4");
  i("v2 = i32.const 24\nv3 = i32.shl v0, v2\nv4 = i32.shr_u v3, v2\nreturn v4", "v4 = i32.const 255\nv5 = i32.and v0, v4\nreturn v5");
  l("v2 = i64.const 40\nv3 = i64.shl v0, v2\nv4 = i64.const 30\nv5 = i64.shl v3, v4\nreturn v5", "v5 = i64.const 0\nreturn v5");
  i("v2 = i32.const 20\nv3 = i32.shr_s v0, v2\nv4 = i32.const 20\nv5 = i32.shr_s v3, v4\nreturn v5", "v4 = i32.const 31\nv5 = i32.shr_s v0, v4\nreturn v5");
});

test("extensions and wraps meet", () => {
  l("v2 = i32.wrap_i64 v0\nv3 = i64.extend_i32_u v1\nv4 = i32.wrap_i64 v3\nv5 = i32.add v2, v4\nv6 = i64.extend_i32_s v5\nreturn v6", "v2 = i32.wrap_i64 v0\nv5 = i32.add v2, v1\nv6 = i64.extend_i32_s v5\nreturn v6");
  l("v2 = i32.load16_u v1, m0\nv3 = i64.extend_i32_s v2\nreturn v3", "v2 = i32.load16_u v1, m0\nv3 = i64.extend_i32_u v2\nreturn v3");
  i("v2 = i32.load8_s v0, m0\nv3 = i32.extend8_s v2\nv4 = i32.extend16_s v3\nreturn v4", "v2 = i32.load8_s v0, m0\nreturn v2");
  i("v2 = i32.load8_u v0, m0\nv3 = i32.extend8_s v2\nreturn v3", "v2 = i32.load8_u v0, m0\nv3 = i32.extend8_s v2\nreturn v3");
});

test("comparisons: negation, sums, constants to the right", () => {
  i("v2 = i32.lt_s v0, v1\nv3 = i32.eqz v2\nreturn v3", "v3 = i32.ge_s v0, v1\nreturn v3");
  i("v2 = i32.const 5\nv3 = i32.lt_u v2, v0\nreturn v3", "v2 = i32.const 5\nv3 = i32.gt_u v0, v2\nreturn v3");
  i("v2 = i32.const 5\nv6 = i32.mul v0, v1\nv3 = i32.add v6, v2\nv4 = i32.const 3\nv5 = i32.eq v3, v4\nreturn v5", "v6 = i32.mul v0, v1\nv4 = i32.const -2\nv5 = i32.eq v6, v4\nreturn v5");
  // Not of a parameter: in a loop it would have to outlive its successor.
  i("v2 = i32.const 5\nv3 = i32.add v0, v2\nv4 = i32.const 3\nv5 = i32.eq v3, v4\nreturn v5", "v2 = i32.const 5\nv3 = i32.add v0, v2\nv4 = i32.const 3\nv5 = i32.eq v3, v4\nreturn v5");
  i("v2 = i32.sub v0, v1\nv3 = i32.eqz v2\nreturn v3", "v3 = i32.eq v0, v1\nreturn v3");
  i("v2 = i32.const 1\nv3 = i32.lt_u v0, v2\nreturn v3", "v3 = i32.eqz v0\nreturn v3");
  i("v2 = i64.extend_i32_u v0\nv3 = i64.const 4294967295\nv4 = i64.lt_s v2, v3\nreturn v4", "v3 = i32.const -1\nv4 = i32.ne v0, v3\nreturn v4");
  i("v2 = i64.extend_i32_s v0\nv3 = i64.const 4294967295\nv4 = i64.lt_s v2, v3\nreturn v4", "v2 = i64.extend_i32_s v0\nv3 = i64.const 4294967295\nv4 = i64.lt_s v2, v3\nreturn v4");
});

test("comparisons of floats are negated only where NaN allows", () => {
  const f = (before: string, after: string) => turns("(f64, f64) -> i32", "v0: f64, v1: f64", before, after);
  f("v2 = f64.eq v0, v1\nv3 = i32.eqz v2\nreturn v3", "v3 = f64.ne v0, v1\nreturn v3");
  f("v2 = f64.lt v0, v1\nv3 = i32.eqz v2\nreturn v3", "v2 = f64.lt v0, v1\nv3 = i32.eqz v2\nreturn v3");
});

test("select", () => {
  i("v2: i32 = select v0, v0, v1\nreturn v2", "return v0");
  i("v2 = i32.eqz v1\nv3 = i32.const 9\nv4: i32 = select v0, v3, v2\nreturn v4", "v3 = i32.const 9\nv4: i32 = select v3, v0, v1\nreturn v4");
  i("v2 = i32.const 1\nv3 = i32.const 0\nv4 = i32.lt_s v0, v1\nv5: i32 = select v2, v3, v4\nreturn v5", "v4 = i32.lt_s v0, v1\nreturn v4");
});

test("floats: only what is right for every bit pattern", () => {
  d("v2 = f64.neg v0\nv3 = f64.neg v2\nreturn v3", "return v0");
  d("v2 = f64.neg v0\nv3 = f64.abs v2\nreturn v3", "v3 = f64.abs v0\nreturn v3");
  d("v2 = f64.const 4\nv3 = f64.div v0, v2\nreturn v3", "v2 = f64.const 0.25\nv3 = f64.mul v0, v2\nreturn v3");
  d("v2 = f64.const 3\nv3 = f64.div v0, v2\nreturn v3", "v2 = f64.const 3\nv3 = f64.div v0, v2\nreturn v3");
  d("v2 = f64.const 0\nv3 = f64.add v0, v2\nreturn v3", "v2 = f64.const 0\nv3 = f64.add v0, v2\nreturn v3");
  d("v2 = f64.const 1\nv3 = f64.mul v0, v2\nreturn v3", "v2 = f64.const 1\nv3 = f64.mul v0, v2\nreturn v3");
});

test("memory: constants move into the offset where the sum cannot wrap", () => {
  i(
    "v2 = i32.const 255\nv3 = i32.and v0, v2\nv4 = i32.const 1024\nv5 = i32.add v3, v4\nv6 = i32.load v5, m0, offset=8\nreturn v6",
    "v2 = i32.const 255\nv3 = i32.and v0, v2\nv6 = i32.load v3, m0, offset=1032\nreturn v6",
  );
  i(
    "v4 = i32.const 1024\nv5 = i32.add v0, v4\nv6 = i32.load v5, m0, offset=8\nreturn v6",
    "v4 = i32.const 1024\nv5 = i32.add v0, v4\nv6 = i32.load v5, m0, offset=8\nreturn v6",
  );
});

test("memory: narrow stores need no mask and no extension, reinterpreted bits no detour", () => {
  i(
    "v2 = i32.const 255\nv3 = i32.and v1, v2\ni32.store8 v0, m0, v3\nv4 = i64.extend_i32_u v1\ni64.store32 v0, m0, v4\nv5 = f32.reinterpret_i32 v1\nf32.store v0, m0, v5\nreturn v0",
    "i32.store8 v0, m0, v1\ni32.store v0, m0, v1\ni32.store v0, m0, v1\nreturn v0",
  );
  i(
    "v2 = i32.const 127\nv3 = i32.and v1, v2\ni32.store8 v0, m0, v3\nreturn v0",
    "v2 = i32.const 127\nv3 = i32.and v1, v2\ni32.store8 v0, m0, v3\nreturn v0",
  );
});

test("branches: constants decide, negations swap, equal targets need no question", () => {
  becomes(
    ["simplify", "copy-fold", "dce"],
    "(i32) -> i32",
    `b0(v0: i32):
       v1 = i32.const 1
       br_if v1, b1, b2
     b1:
       v2 = i32.eqz v0
       br_if v2, b3, b4
     b2:
       return v0
     b3:
       v3 = i32.const 2
       br_table v3, [b5, b6], b7
     b4:
       br_if v0, b8(v0), b8(v0)
     b5:
       return v1
     b6:
       return v1
     b7:
       v4 = i32.const 70
       return v4
     b8(v5: i32):
       return v5`,
    `b0(v0: i32):
       br b1
     b1:
       br_if v0, b4, b3
     b3:
       br b7
     b4:
       br b8(v0)
     b7:
       v4 = i32.const 70
       return v4
     b8(v5: i32):
       return v5`,
  );
});

test.run();
