// The code buffer: shrinking, alignment, and that everything recorded moves along. Branches are amd64's.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Assembler } from "../../../backends/amd64/encode.js";
import { Cond, Form } from "../../../backends/amd64/opcodes.js";
import { hex } from "../../encode/against-as.js";

function pad(a: Assembler, count: number): void {
  for (let i = 0; i < count; i++) a.u8(0x90);
}

test("a forward jump over 127 bytes is short, over 128 long", () => {
  for (const [gap, head] of [[0, "eb00"], [127, "eb7f"], [128, "e980000000"]] as const) {
    const a = new Assembler();
    const l = a.newLabel();
    a.jmp(l);
    pad(a, gap);
    a.bind(l);
    const code = a.finish();
    assert.is(hex(code.subarray(0, head.length / 2)), head);
    assert.is(a.labelAt(l), code.length);
  }
});

test("a backward jcc reaches 126 bytes in its short form", () => {
  for (const [gap, tail] of [[126, "7580"], [127, "0f857bffffff"]] as const) {
    const a = new Assembler();
    const l = a.newLabel();
    a.bind(l);
    pad(a, gap);
    a.jcc(Cond.ne, l);
    const code = a.finish();
    assert.is(hex(code.subarray(gap)), tail);
  }
});

test("one branch that shrinks lets another one shrink", () => {
  const a = new Assembler();
  const far = a.newLabel();
  const near = a.newLabel();
  a.jmp(far); // over 122 + a jcc: 128 long, 124 short
  pad(a, 122);
  a.jcc(Cond.e, near);
  a.bind(far);
  a.bind(near);
  const code = a.finish();
  assert.is(hex(code.subarray(0, 2)), "eb7c");
  assert.is(code.length, 2 + 122 + 2);
});

test("labels, traps, source map and relocations move with the code", () => {
  const a = new Assembler();
  const l = a.newLabel();
  a.source(100);
  a.jmp(l);
  a.source(101);
  a.trap(6, 101);
  a.op0(Form.ud2);
  a.bind(l);
  a.source(102);
  a.callFunc(9);
  a.source(103);
  a.op0(Form.ret);
  const code = a.finish();
  assert.is(hex(code), "eb02" + "0f0b" + "e800000000" + "c3");
  assert.is(a.labelAt(l), 4);
  assert.equal([...a.traps], [2, 6, 101]);
  assert.equal([...a.sourceMap], [0, 100, 2, 101, 4, 102, 9, 103]);
  assert.equal([...a.relocs], [5, 1, 9]);
});

test("a source entry that covers nothing gives way", () => {
  const a = new Assembler();
  a.source(1);
  a.source(2);
  a.op0(Form.ret);
  a.source(2);
  a.op0(Form.ret);
  a.finish();
  assert.equal([...a.sourceMap], [0, 2]);
});

test("alignment pads with no-ops; a position before it stays before", () => {
  const a = new Assembler();
  a.op0(Form.ret);
  a.trap(1, 5);
  a.alignTo(16);
  const l = a.newLabel();
  a.bind(l);
  a.op0(Form.ret);
  const code = a.finish();
  assert.is(code.length, 17);
  assert.is(a.labelAt(l), 16);
  assert.equal([...a.traps], [1, 1, 5]);
  assert.is(hex(code.subarray(1, 16)), "660f1f840000000000" + "660f1f440000");
});

test("a small loop is kept within a line, padded only where needed", () => {
  // [bytes before, bytes of the loop, where it then starts]
  for (const [before, size, start] of [[0, 60, 0], [4, 60, 4], [5, 60, 64], [5, 30, 5], [40, 30, 64], [34, 30, 34], [5, 64, 64], [5, 65, 5], [50, 20, 64]] as const) {
    const a = new Assembler();
    pad(a, before);
    const end = a.newLabel();
    a.keepInLine(end, 64);
    const top = a.newLabel();
    a.bind(top);
    pad(a, size - 2);
    a.jcc(Cond.ne, top); // shrinks from 6 to 2
    a.bind(end);
    pad(a, 10);
    a.finish();
    assert.is(a.labelAt(top), start, `${before} + ${size}`);
    assert.is(a.labelAt(end), start + size);
    assert.is(a.align, 64);
  }
});

test("branches over an alignment stay within reach", () => {
  for (let gap = 40; gap < 130; gap++) {
    const a = new Assembler();
    const l = a.newLabel();
    a.jmp(l);
    pad(a, 3);
    a.alignTo(64);
    pad(a, gap);
    a.bind(l);
    const code = a.finish();
    const short = code[0] === 0xeb;
    const target = short ? 2 + code[1]! : 5 + (code[1]! | (code[2]! << 8));
    assert.is(target, a.labelAt(l));
    if (short) assert.ok(code[1]! < 128);
  }
});

test("jump table entries count from the anchor", () => {
  const a = new Assembler();
  const table = a.newLabel();
  const one = a.newLabel();
  const two = a.newLabel();
  a.jmp(two);
  a.bind(one);
  a.op0(Form.ret);
  a.bind(two);
  a.op0(Form.ud2);
  a.bind(table);
  a.tableEntry(one, table);
  a.tableEntry(two, table);
  const code = a.finish();
  assert.is(hex(code), "eb01" + "c3" + "0f0b" + "fdffffff" + "feffffff");
});

test("random programs: every branch reaches its label, whatever shrank", () => {
  let seed = 12345;
  const random = (n: number) => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % n;
  for (let round = 0; round < 60; round++) {
    const a = new Assembler();
    const count = 20 + random(60);
    const labels = a.newLabels(count);
    const targets: number[] = [];
    const marks = new Map<number, number>();
    for (let i = 0; i < count; i++) {
      a.bind(labels + i);
      if (random(6) === 0) a.alignTo(16);
      // A branch is preceded by a mark of its own, to find it in the output: int3 int3 and its number.
      const to = labels + random(count);
      targets.push(to);
      a.raw([0xcc, 0xcc, 0xcc, i]);
      if (random(2)) a.jmp(to);
      else a.jcc(random(16), to);
      pad(a, random(40));
    }
    const code = a.finish();
    for (let p = 0; p + 4 < code.length; p++) if (code[p] === 0xcc && code[p + 1] === 0xcc && code[p + 2] === 0xcc && code[p + 3] !== 0xcc) marks.set(code[p + 3]!, p + 4);
    assert.is(marks.size, count);
    for (let i = 0; i < count; i++) {
      const p = marks.get(i)!;
      const view = new DataView(code.buffer);
      const op = code[p]!;
      const to = op === 0xeb || (op & 0xf0) === 0x70 ? p + 2 + view.getInt8(p + 1) : op === 0xe9 ? p + 5 + view.getInt32(p + 1, true) : p + 6 + view.getInt32(p + 2, true);
      assert.is(to, a.labelAt(targets[i]!));
    }
  }
});

test("an unbound label and a second binding are errors", () => {
  const a = new Assembler();
  const l = a.newLabel();
  a.jmp(l);
  assert.throws(() => a.finish(), /label 0 is used at 0 but bound nowhere/);
  a.bind(l);
  assert.throws(() => a.bind(l), /bound twice/);
});

test("linear: 200,000 branches take less than 8 times the time of 50,000", () => {
  const run = (n: number) => {
    const a = new Assembler();
    const labels = a.newLabels(n);
    for (let i = 0; i < n; i++) {
      a.bind(labels + i);
      a.jcc(i & 15, labels + ((i * 7919) % n));
      a.rr(Form.add64_mr, 1, 2);
    }
    const start = process.hrtime.bigint();
    a.finish();
    return Number(process.hrtime.bigint() - start);
  };
  run(50_000);
  // The least of several runs, interleaved: other programs run on this machine, too.
  let small = Infinity;
  let large = Infinity;
  for (let round = 0; round < 8 && (round < 3 || large >= small * 8); round++) {
    small = Math.min(small, run(50_000));
    large = Math.min(large, run(200_000));
  }
  assert.ok(large < small * 8, `${large / small}`);
});

test.run();
