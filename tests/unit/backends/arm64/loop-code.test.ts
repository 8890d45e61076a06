// How long hot loops are: the instructions from the target of a loop's branch to the branch, in the disassembly. What the loops
// compute is loops.test.ts's and addresses.test.ts's business; against another compiler counts tests/bench/arm64-loops.ts.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Disassembler } from "../../../../backends/arm64/disassemble.js";
import { toBytes } from "../../../../pipeline/frontend/wat.js";
import { compileSync } from "../../../../pipeline/index.js";

/** The first loop in the code, without its addresses. */
async function loopOf(func: string): Promise<string[]> {
  const { code } = compileSync(await toBytes(`(module (memory 1) ${func})`), { target: "arm64", features: [], verify: true, check: true });
  const disassembler = await Disassembler.load();
  try {
    const insts = disassembler.disassemble(code!.bytes, code!.start[0]!, code!.start[0]! + code!.length[0]!);
    for (const [i, inst] of insts.entries()) {
      const target = /^(?:b|b\.\w\w|cbn?z|tbn?z) .*#(0x[0-9a-f]+|\d+)$/.exec(inst.text);
      if (!target || Number(target[1]) > inst.offset) continue;
      const first = insts.findIndex(({ offset }) => offset === Number(target[1]));
      return insts.slice(first, i + 1).map(({ text }) => text.replace(/#(0x)?[0-9a-f]+$/, (n) => (/^(b|cb|tb)/.test(text) ? "" : n)));
    }
    throw new Error("no loop");
  } finally {
    disassembler.close();
  }
}

const count = '(br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1))))';
const next = (by: number) => `(local.set $p (i32.add (local.get $p) (i32.const ${by})))`;
const func = (params: string, body: string) => `(func (export "f") (param $p i32) (param $q i32) (param $n i32) ${params} ${body})`;

test("an access takes the step of its pointer in", async () => {
  const loop = await loopOf(func("(result i32) (local $s i32)", `(loop $next (local.set $s (i32.add (local.get $s) (i32.load (local.get $p)))) ${next(4)} ${count}) (local.get $s)`));
  assert.is(loop.length, 4, loop.join("\n"));
  assert.match(loop[0]!, /^ldr w\d+, \[x\d+\], #4$/);
});

test("base and scaled index become a pointer that walks along", async () => {
  const loop = await loopOf(func("(local $i i32)", `(loop $next
    (i32.store (i32.add (local.get $p) (i32.shl (local.get $i) (i32.const 2))) (i32.load (i32.add (local.get $q) (i32.shl (local.get $i) (i32.const 2)))))
    (br_if $next (i32.lt_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))`));
  assert.is(loop.length, 5, loop.join("\n"));
});

test("accesses at constant distances go by one pointer", async () => {
  const loop = await loopOf(func("(result f64) (local $s f64)", `(loop $next
    (local.set $s (f64.add (local.get $s) (f64.mul (f64.const 0.3) (f64.add (f64.load (i32.add (local.get $p) (i32.const 800))) (f64.add (f64.load (local.get $p)) (f64.load (i32.add (local.get $p) (i32.const 1600))))))))
    ${next(8)} ${count}) (local.get $s)`));
  assert.is(loop.length, 9, loop.join("\n"));
  assert.is(loop.filter((text) => text.startsWith("ldr ")).length, 3);
});

test("an address that does not change is made before the loop, constants too", async () => {
  const loop = await loopOf(func("(local $s i32)", `(loop $next
    (i32.store offset=4 (local.get $p) (i32.xor (i32.load offset=8 (local.get $p)) (i32.const 0x12345678))) ${count})`));
  assert.is(loop.length, 5, loop.join("\n"));
});

test("a loop that tests first ends in no jump; a divisor it has tested is not tested again", async () => {
  const loop = await loopOf(func("(result i32) (local $t i32)", `(block $done (loop $next (br_if $done (i32.eqz (local.get $q)))
    (local.set $t (i32.rem_u (local.get $p) (local.get $q))) (local.set $p (local.get $q)) (local.set $q (local.get $t)) (br $next))) (local.get $p)`));
  assert.is(loop.filter((text) => /^c?b/.test(text)).length, 1, loop.join("\n"));
  assert.ok(loop.length <= 6, loop.join("\n"));
});

test("two conditions are one branch, a condition added is one instruction", async () => {
  const loop = await loopOf(func("(result i32) (local $s i32) (local $c i32)", `(loop $next
    (local.set $c (i32.load8_u (local.get $p)))
    (local.set $s (i32.add (local.get $s) (i32.and (i32.ge_u (local.get $c) (i32.const 48)) (i32.le_u (local.get $c) (i32.const 57)))))
    ${next(1)} (br_if $next (i32.and (i32.ne (local.get $c) (i32.const 0)) (i32.ne (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 0))))) (local.get $s)`));
  assert.is(loop.filter((text) => text.startsWith("ccmp")).length, 2, loop.join("\n"));
  assert.is(loop.filter((text) => /^(cset|and|b\.)/.test(text)).length, 1, loop.join("\n"));
});

test("one compare serves two selects", async () => {
  const loop = await loopOf(func("(result i32) (local $m i32) (local $c i32)", `(loop $next
    (local.set $m (i32.shr_u (i32.add (local.get $p) (local.get $q)) (i32.const 1)))
    (local.set $c (i32.lt_s (i32.load (local.get $m)) (local.get $n)))
    (local.set $p (select (i32.add (local.get $m) (i32.const 1)) (local.get $p) (local.get $c)))
    (local.set $q (select (local.get $q) (local.get $m) (local.get $c)))
    (br_if $next (i32.lt_s (local.get $p) (local.get $q)))) (local.get $p)`));
  assert.is(loop.filter((text) => text.startsWith("cmp")).length, 2, loop.join("\n"));
});

test.run();
