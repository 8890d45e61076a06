// Machine IR as text: round trips byte for byte, before and after allocation, and the verifier finds each kind of damage.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { mops } from "../../../backends/amd64/mops.js";
import { registers } from "../../../backends/amd64/registers.js";
import { parseMFunc } from "../../../ir/machine/parse.js";
import { printMFunc } from "../../../ir/machine/print.js";
import { verifyMFunc } from "../../../ir/machine/verify.js";

const names = { registers, mops };

const virtual = `mfunc @3 "a loop" (i32, f64) -> (i32, f64) {
  frame calls switches_context outgoing=32
  clobbers 1 = rax rcx xmm0 xmm15
  constant 0 = "\\00\\00\\80?"
  table 0 = [0, 1, 0]
  remat v2 = iconst32 imm=-7
b0 <- b0:
  v0: i32!rdi, v1: f64!xmm0 = args
  v2: i32 = iconst32 imm=-7                              !0x24
  nop
  v3: i32=1 = add32 v0, v2?' imm3=64
  jmp -> b1(v3)
b1(v4: i32) <- b4: loop=1
  v5: i32!rax = call v4!rdi imm=9 clobbers=1             !0x31
  jump_table v5, ~v6: i64 -> b2, b3
b2 <- b2: loop=1 cold
  jmp -> b1(v5)
b3 <- b3:
  ret v4!rax, v1!xmm0
}
`;

const allocated = `mfunc @0 (i32) -> i32 {
  frame slots=2
  used rax rdi
b0 <- b0:
  rdi!rdi = args
  s1? = move rdi? imm=1
  rax=1 = add32 rdi, s1?
  ret rax!rax
}
`;

test("text round-trips", () => {
  for (const text of [virtual, allocated]) {
    const once = printMFunc(parseMFunc(text, names), names);
    assert.is(once, text);
    assert.is(printMFunc(parseMFunc(once, names), names), once);
  }
});

test("a function in order has no problems", () => {
  assert.equal(verifyMFunc(parseMFunc(virtual, names), names).map(String), []);
});

test("the parser says where it stopped and what it expected", () => {
  assert.throws(() => parseMFunc("mfunc @0 () -> () {\nb0 <- b0:\n  frob v1\n}", names), /line 3, column 3: expected a machine op, found frob/);
  assert.throws(() => parseMFunc("mfunc @0 () -> () {\nb0 <- b0:\n  jmp -> b4\n}", names), /line 3, column 10: b4 does not exist/);
  assert.throws(() => parseMFunc(virtual.replace("b1(v3)", "b1"), names), /b1 has 1 parameters, found 0 arguments/);
});

const damage: [what: string, from: string | RegExp, to: string, rule: RegExp][] = [
  ["no terminator", "  ret v4!rax, v1!xmm0\n", "  nop\n", /a block ends in a terminator/],
  ["terminator inside", "  nop\n", "  ret\n", /a terminator ends its block/],
  ["second definition", "v3: i32=1 = add32", "v2: i32=1 = add32", /v2 is defined twice/],
  ["use before definition", "add32 v0, v2?'", "add32 v0, v4?'", /v4 is used where its definition in b1 does not dominate/],
  ["undefined", "add32 v0, v2?'", "add32 v0, v9?'", /v9 is used and never defined/],
  ["fixed register of the other class", "v4!rax, v1!xmm0", "v4!xmm1, v1!xmm0", /v4 cannot be in xmm1: wrong class/],
  ["tie to no use", "v3: i32=1", "v3: i32=0", /tied to operand 0, which is no use/],
  ["clobber set", "clobbers=1", "clobbers=4", /there is no clobber set 4/],
  ["critical edge", "jump_table v5, ~v6: i64 -> b2, b3", "jump_table v5, ~v6: i64 -> b2, b1(v5)", /critical/],
  ["entry entered", "  jmp -> b1(v5)", "  jmp -> b0", /no edge enters the entry block/],
  ["class of an argument", "  jmp -> b1(v5)", "  jmp -> b1(v1)", /different classes/],
];
for (const [what, from, to, rule] of damage) {
  test(`the verifier finds: ${what}`, () => {
    const text = virtual.replace(from, to);
    assert.is.not(text, virtual);
    assert.match(verifyMFunc(parseMFunc(text, names), names).map(String).join("\n"), rule);
  });
}

const allocatedDamage: [what: string, from: string, to: string, rule: RegExp][] = [
  ["slot beyond the frame", "s1?", "s2?", /does not exist/],
  ["slot where a register is wanted", "add32 rdi, s1?", "add32 s0, s1?", /must be in a register, is in s0/],
  ["another than the fixed register", "ret rax!rax", "ret rcx!rax", /must be in rax, is in rcx/],
  ["broken tie", "rax=1 = add32", "rcx=1 = add32", /must be where operand 1 is/],
];
for (const [what, from, to, rule] of allocatedDamage) {
  test(`after allocation the verifier finds: ${what}`, () => {
    assert.match(verifyMFunc(parseMFunc(allocated.replaceAll(from, to), names), names).map(String).join("\n"), rule);
  });
}

test.run();
