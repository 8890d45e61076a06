// gvn: what is merged, what is forwarded, and what must not be.
import { test } from "uvu";
import { becomes } from "./support.js";

const run = (before: string, after: string) => becomes(["gvn"], "(i32, i32) -> i32", before, after);

test("equal computations, operands of commutative ones in any order, constants", () => {
  run(
    `b0(v0: i32, v1: i32):
       v2 = i32.add v0, v1
       v3 = i32.add v1, v0
       v4 = i32.sub v0, v1
       v5 = i32.sub v1, v0
       v6 = i32.const 3
       v7 = i32.const 3
       v8 = i32.mul v3, v7
       v9 = i32.mul v2, v6
       v10 = i32.div_s v8, v9
       v11 = i32.div_s v9, v8
       v12 = i32.xor v4, v5
       v13 = i32.xor v10, v11
       v14 = i32.or v12, v13
       return v14`,
    `b0(v0: i32, v1: i32):
       v2 = i32.add v0, v1
       v4 = i32.sub v0, v1
       v5 = i32.sub v1, v0
       v6 = i32.const 3
       v8 = i32.mul v2, v6
       v10 = i32.div_s v8, v8
       v12 = i32.xor v4, v5
       v13 = i32.xor v10, v10
       v14 = i32.or v12, v13
       return v14`,
  );
});

test("only where the first one dominates", () => {
  run(
    `b0(v0: i32, v1: i32):
       br_if v0, b1, b2
     b1:
       v2 = i32.mul v0, v1
       br b3(v2)
     b2:
       v3 = i32.mul v0, v1
       br b3(v3)
     b3(v4: i32):
       v5 = i32.mul v0, v1
       v6 = i32.mul v0, v1
       v7 = i32.add v5, v6
       v8 = i32.add v4, v7
       return v8`,
    `b0(v0: i32, v1: i32):
       br_if v0, b1, b2
     b1:
       v2 = i32.mul v0, v1
       br b3(v2)
     b2:
       v3 = i32.mul v0, v1
       br b3(v3)
     b3(v4: i32):
       v5 = i32.mul v0, v1
       v7 = i32.add v5, v5
       v8 = i32.add v4, v7
       return v8`,
  );
});

test("loads: a store to the same address value elsewhere leaves them, one to another address does not", () => {
  run(
    `b0(v0: i32, v1: i32):
       v2 = i32.load v0, m0
       i32.store v0, m0, offset=4, v1
       v3 = i32.load v0, m0
       i32.store v1, m0, offset=4, v0
       v4 = i32.load v0, m0
       v5 = i32.add v2, v3
       v6 = i32.add v5, v4
       return v6`,
    `b0(v0: i32, v1: i32):
       v2 = i32.load v0, m0
       i32.store v0, m0, offset=4, v1
       i32.store v1, m0, offset=4, v0
       v4 = i32.load v0, m0
       v5 = i32.add v2, v2
       v6 = i32.add v4, v5
       return v6`,
  );
});

test("a store that overlaps takes what is known away; a narrow one is not forwarded", () => {
  run(
    `b0(v0: i32, v1: i32):
       i32.store v0, m0, offset=4, v1
       i32.store8 v0, m0, offset=7, v0
       v2 = i32.load v0, m0, offset=4
       v3 = i32.load8_u v0, m0, offset=7
       v4 = i32.add v2, v3
       return v4`,
    `b0(v0: i32, v1: i32):
       i32.store v0, m0, offset=4, v1
       i32.store8 v0, m0, offset=7, v0
       v2 = i32.load v0, m0, offset=4
       v3 = i32.load8_u v0, m0, offset=7
       v4 = i32.add v2, v3
       return v4`,
  );
});

test("a stored value is forwarded, past blocks of a straight line, not past a call", () => {
  run(
    `b0(v0: i32, v1: i32):
       i32.store v0, m0, v1
       br_if v0, b1, b2
     b1:
       v2 = i32.load v0, m0
       call @0()
       v3 = i32.load v0, m0
       v4 = i32.add v2, v3
       return v4
     b2:
       return v0`,
    `b0(v0: i32, v1: i32):
       i32.store v0, m0, v1
       br_if v0, b1, b2
     b1:
       call @0()
       v3 = i32.load v0, m0
       v4 = i32.add v1, v3
       return v4
     b2:
       return v0`,
  );
});

test("a load before a loop serves in it when the loop does not write; a written global does not", () => {
  run(
    `b0(v0: i32, v1: i32):
       v2 = i32.load v0, m0
       v3: i32 = global.get g2
       br b1(v1)
     b1(v4: i32):
       v5 = i32.load v0, m0
       v6: i32 = global.get g2
       v7 = i32.add v5, v6
       global.set g2, v7
       v8 = i32.sub v4, v7
       br_if v8, b1(v8), b2
     b2:
       v9 = i32.add v2, v3
       return v9`,
    `b0(v0: i32, v1: i32):
       v2 = i32.load v0, m0
       v3: i32 = global.get g2
       br b1(v1)
     b1(v4: i32):
       v6: i32 = global.get g2
       v7 = i32.add v2, v6
       global.set g2, v7
       v8 = i32.sub v4, v7
       br_if v8, b1(v8), b2
     b2:
       v9 = i32.add v2, v3
       return v9`,
  );
});

test("two imported globals may be one, an own one is not; an immutable one outlives calls", () => {
  run(
    `b0(v0: i32, v1: i32):
       v2: i32 = global.get g0
       v3: i32 = global.get g2
       v4: i32 = global.get g3
       global.set g1, v1
       v5: i32 = global.get g0
       v6: i32 = global.get g2
       call @0()
       v7: i32 = global.get g3
       v8: i32 = global.get g1
       v9 = i32.add v2, v5
       v10 = i32.add v3, v6
       v11 = i32.add v4, v7
       v12 = i32.add v9, v10
       v13 = i32.add v11, v8
       v14 = i32.add v12, v13
       return v14`,
    `b0(v0: i32, v1: i32):
       v2: i32 = global.get g0
       v3: i32 = global.get g2
       v4: i32 = global.get g3
       global.set g1, v1
       v5: i32 = global.get g0
       call @0()
       v8: i32 = global.get g1
       v9 = i32.add v2, v5
       v10 = i32.add v3, v3
       v11 = i32.add v4, v4
       v12 = i32.add v9, v10
       v13 = i32.add v8, v11
       v14 = i32.add v12, v13
       return v14`,
  );
});

test("users of a copy get its source, also where nothing else is merged", () => {
  run(
    `b0(v0: i32, v1: i32):
       v2: i32 = copy v0
       br b1(v2)
     b1(v3: i32):
       return v3`,
    `b0(v0: i32, v1: i32):
       br b1(v0)
     b1(v3: i32):
       return v3`,
  );
});

test.run();
