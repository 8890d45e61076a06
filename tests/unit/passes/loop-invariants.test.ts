// loop-invariants: what moves out of loops, how far, and what must stay.
import { test } from "uvu";
import { becomes } from "./support.js";

const run = (before: string, after: string) => becomes(["loop-invariants"], "(i32, i32) -> i32", before, after);

test("constants and computations on them and on what comes from outside", () => {
  run(
    `b0(v0: i32, v1: i32):
       v2 = i32.const 0
       br b1(v2)
     b1(v3: i32):
       v4 = i32.mul v0, v1
       v5 = i32.const 3
       v6 = i32.xor v4, v5
       v7 = i32.add v3, v6
       v8 = i32.lt_u v7, v1
       br_if v8, b1(v7), b2
     b2:
       return v7`,
    `b0(v0: i32, v1: i32):
       v2 = i32.const 0
       v4 = i32.mul v0, v1
       v5 = i32.const 3
       v6 = i32.xor v4, v5
       br b1(v2)
     b1(v3: i32):
       v7 = i32.add v3, v6
       v8 = i32.lt_u v7, v1
       br_if v8, b1(v7), b2
     b2:
       return v7`,
  );
});

test("where the way in comes from a branch it gets a block", () => {
  run(
    `b0(v0: i32, v1: i32):
       v2 = i32.const 0
       br_if v1, b1(v2), b2(v2)
     b1(v3: i32):
       v4 = i32.mul v0, v1
       v7 = i32.add v3, v4
       br_if v7, b1(v7), b2(v7)
     b2(v8: i32):
       return v8`,
    `b0(v0: i32, v1: i32):
       v2 = i32.const 0
       br_if v1, b3, b2(v2)
     b3:
       v4 = i32.mul v0, v1
       br b1(v2)
     b1(v3: i32):
       v7 = i32.add v3, v4
       br_if v7, b1(v7), b2(v7)
     b2(v8: i32):
       return v8`,
  );
});

test("out of the loops in which the operands do not change, no further", () => {
  run(
    `b0(v0: i32, v1: i32):
       v2 = i32.const 0
       br b1(v2)
     b1(v3: i32):
       br b2(v3)
     b2(v4: i32):
       v5 = i32.shl v0, v1
       v6 = i32.shl v0, v3
       v7 = i32.shl v5, v6
       v8 = i32.add v4, v7
       br_if v8, b2(v8), b3
     b3:
       br_if v7, b1(v8), b4
     b4:
       return v8`,
    `b0(v0: i32, v1: i32):
       v2 = i32.const 0
       v5 = i32.shl v0, v1
       br b1(v2)
     b1(v3: i32):
       v6 = i32.shl v0, v3
       v7 = i32.shl v5, v6
       br b2(v3)
     b2(v4: i32):
       v8 = i32.add v4, v7
       br_if v8, b2(v8), b3
     b3:
       br_if v7, b1(v8), b4
     b4:
       return v8`,
  );
});

test("what may trap, loads, compares and globals that are written stay; a global that is not moves", () => {
  run(
    `b0(v0: i32, v1: i32):
       v2 = i32.const 0
       br b1(v2)
     b1(v3: i32):
       v4 = i32.div_u v0, v1
       v5 = i32.load v0, m0
       v6 = i32.lt_s v0, v1
       v7: i32 = global.get g2
       v8: i32 = global.get g1
       v9 = i32.add v4, v5
       v10 = i32.add v6, v7
       v11 = i32.add v9, v10
       v12 = i32.add v11, v8
       global.set g2, v12
       br_if v12, b1(v12), b2
     b2:
       return v12`,
    `b0(v0: i32, v1: i32):
       v2 = i32.const 0
       br b1(v2)
     b1(v3: i32):
       v4 = i32.div_u v0, v1
       v5 = i32.load v0, m0
       v6 = i32.lt_s v0, v1
       v7: i32 = global.get g2
       v8: i32 = global.get g1
       v9 = i32.add v4, v5
       v10 = i32.add v6, v7
       v11 = i32.add v9, v10
       v12 = i32.add v11, v8
       global.set g2, v12
       br_if v12, b1(v12), b2
     b2:
       return v12`,
  );
  run(
    `b0(v0: i32, v1: i32):
       br b1(v0)
     b1(v3: i32):
       v7: i32 = global.get g2
       v8 = i32.sub v3, v7
       br_if v8, b1(v8), b2
     b2:
       return v8`,
    `b0(v0: i32, v1: i32):
       v7: i32 = global.get g2
       br b1(v0)
     b1(v3: i32):
       v8 = i32.sub v3, v7
       br_if v8, b1(v8), b2
     b2:
       return v8`,
  );
});

test("an addition that only an address needs stays beside the access", () => {
  run(
    `b0(v0: i32, v1: i32):
       br b1(v0)
     b1(v3: i32):
       v4 = i32.const 8
       v5 = i32.add v1, v4
       v6 = i32.load v5, m0
       v7 = i32.add v3, v6
       br_if v7, b1(v7), b2
     b2:
       return v7`,
    `b0(v0: i32, v1: i32):
       v4 = i32.const 8
       br b1(v0)
     b1(v3: i32):
       v5 = i32.add v1, v4
       v6 = i32.load v5, m0
       v7 = i32.add v3, v6
       br_if v7, b1(v7), b2
     b2:
       return v7`,
  );
});

const chain = (first: number, count: number) => Array.from({ length: count }, (_, i) => `v${first + i + 1} = i32.sub v${first + i}, v0`).join("\n");

test("of a large loop only blocks that every round passes", () => {
  const tail = `${chain(20, 60)}
       br_if v80, b1(v80), b4
     b4:
       return v80`;
  run(
    `b0(v0: i32, v1: i32):
       br b1(v0)
     b1(v3: i32):
       v4 = i32.rotl v0, v1
       br_if v3, b2, b3(v4)
     b2:
       v5 = i32.mul v0, v1
       br b3(v5)
     b3(v20: i32):
       v6 = i32.rotr v0, v1
       v7 = i32.xor v6, v20
       ${tail.replace("i32.sub v20, v0", "i32.sub v7, v0")}`,
    `b0(v0: i32, v1: i32):
       v4 = i32.rotl v0, v1
       v6 = i32.rotr v0, v1
       br b1(v0)
     b1(v3: i32):
       br_if v3, b2, b3(v4)
     b2:
       v5 = i32.mul v0, v1
       br b3(v5)
     b3(v20: i32):
       v7 = i32.xor v6, v20
       ${tail.replace("i32.sub v20, v0", "i32.sub v7, v0")}`,
  );
});

test("a loop entered from several sides has no place before it", () => {
  const body = `b0(v0: i32, v1: i32):
       br_if v0, b1, b2
     b1:
       br b3(v0)
     b2:
       br b3(v1)
     b3(v3: i32):
       v4 = i32.mul v0, v1
       v5 = i32.sub v3, v4
       br_if v5, b3(v5), b4
     b4:
       return v5`;
  run(body, body);
});

test.run();
