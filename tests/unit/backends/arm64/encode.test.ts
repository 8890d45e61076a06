// The arm64 encoder against checked-in words (tests/encode/arm64.hex, made by GNU as), and what no table can hold.
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import {
  Assembler, Reloc, fillNops, fitsAdd, fitsDisplacement, floatImmediate32, floatImmediate64, logicalImmediate, movLength, relocate,
} from "../../../../backends/arm64/encode.js";
import { Cond, Extend, Form, Index, Shift } from "../../../../backends/arm64/opcodes.js";
import { Reg } from "../../../../backends/arm64/registers.js";
import { compare, hasAssembler, wordOf } from "../../../encode/arm64-against-as.js";
import { arm64Cases } from "../../../encode/arm64-cases.js";
import { testWithout } from "../../../missing.js";

function words(a: Assembler): string[] {
  const bytes = a.finish();
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4, true).toString(16).padStart(8, "0"));
}

function assembled(emit: (a: Assembler) => void): string[] {
  const a = new Assembler();
  emit(a);
  return words(a);
}

test("border cases have the words of the table", () => {
  const lines = readFileSync(new URL("../../../encode/arm64.hex", import.meta.url), "utf8").trimEnd().split("\n");
  const list = arm64Cases(false);
  assert.is(list.length, lines.length);
  const differences: string[] = [];
  list.forEach((c, i) => {
    const line = lines[i]!;
    if (line.slice(9) !== c.text) differences.push(`row ${i}: table has "${line.slice(9)}", cases have "${c.text}"`);
    else if (wordOf(c) !== line.slice(0, 8)) differences.push(`${c.text}: ${wordOf(c)}, should be ${line.slice(0, 8)}`);
  });
  assert.equal(differences, []);
});

test("every form is in the cases", () => {
  const covered = new Set<string>(arm64Cases(false).map((c) => c.form));
  assert.equal(Object.keys(Form).filter((name) => !covered.has(name)), []);
});

if (hasAssembler()) {
  test("all cases against the assembler", () => {
    const list = arm64Cases(true);
    assert.ok(list.length >= 5000);
    assert.equal(compare(list), []);
  });
} else testWithout(test, "all cases against the assembler", "aarch64-linux-gnu-as (binutils-aarch64-linux-gnu)");

test("what cannot be encoded or is unpredictable is refused", () => {
  const refuse = (message: RegExp, emit: (a: Assembler) => void) => assert.throws(() => assembled(emit), message);
  refuse(/multiple of 16/, (a) => a.addImm(Form.sub64_i, Reg.sp, Reg.sp, 8));
  refuse(/multiple of 16/, (a) => a.pair(Form.stp64, 0, 1, Reg.sp, -24, Index.pre));
  refuse(/multiple of 16/, (a) => a.memUpdate(Form.str64, 0, Reg.sp, -8, Index.pre));
  refuse(/unpredictable/, (a) => a.pair(Form.ldp64, 3, 3, 1, 0));
  refuse(/unpredictable/, (a) => a.pair(Form.ldp64, 3, 4, 3, 16, Index.post));
  refuse(/unpredictable/, (a) => a.memUpdate(Form.ldr64, 3, 3, 8, Index.pre));
  refuse(/stack pointer/, (a) => a.rrr(Form.add64_r, 0, Reg.sp, 1));
  refuse(/zero register/, (a) => a.addImm(Form.add64_i, 0, Reg.zr, 1));
  refuse(/zero register/, (a) => a.mem(Form.ldr64, 0, Reg.zr, 0));
  refuse(/added to the stack pointer/, (a) => a.rrrExtend(Form.add64_x, Reg.sp, Reg.sp, 1, Extend.uxtx, 0));
  refuse(/add or sub/, (a) => a.addImm(Form.add64_i, 0, 1, 0x1001));
  refuse(/add or sub/, (a) => a.addImm(Form.add64_i, 0, 1, -1));
  refuse(/logical immediate/, (a) => a.logicalImm(Form.and32_i, 0, 1, 5, 0));
  refuse(/displacement/, (a) => a.mem(Form.ldr64, 0, 1, 32768));
  refuse(/displacement/, (a) => a.mem(Form.ldr64, 0, 1, 257));
  refuse(/displacement/, (a) => a.pair(Form.ldp64, 0, 1, 2, 512));
  refuse(/shift by/, (a) => a.rrrShift(Form.add32_r, 0, 1, 2, Shift.lsl, 32));
  refuse(/do not rotate/, (a) => a.rrrShift(Form.add32_r, 0, 1, 2, Shift.ror, 1));
  refuse(/shifted by/, (a) => a.rrrExtend(Form.add64_x, 0, 1, 2, Extend.uxtw, 5));
});

test("constants take as few instructions as movLength says, and give what was asked", () => {
  const run = (list: string[]): bigint => {
    // movz, movn and movk, interpreted; a logical immediate (-1 here) has been compared with the assembler's.
    let value = 0n;
    for (const word of list) {
      const w = parseInt(word, 16);
      const part = BigInt(((w >>> 21) & 3) * 16);
      const imm = BigInt((w >>> 5) & 0xffff) << part;
      const bits = w >>> 31 ? 64 : 32;
      const kind = (w >>> 23) & 0xff;
      if (kind === 0xa5) value = imm;
      else if (kind === 0x25) value = BigInt.asUintN(bits, ~imm);
      else if (kind === 0xe5) value = (value & ~(0xffffn << part)) | imm;
      else return -1n;
    }
    return value;
  };
  let seed = 7n;
  for (let i = 0; i < 3000; i++) {
    seed = BigInt.asUintN(64, seed * 6364136223846793005n + 1442695040888963407n);
    let value = seed;
    // Parts of zeros and ones, so that all lengths occur.
    for (let part = 0n; part < 4n; part++) {
      const pick = (seed >> (part * 3n + 5n)) & 3n;
      if (pick === 0n) value &= ~(0xffffn << (part * 16n));
      else if (pick === 1n) value |= 0xffffn << (part * 16n);
    }
    const [lo, hi] = [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
    const list = assembled((a) => a.movImm64(5, lo, hi));
    assert.ok(list.length <= Math.max(1, movLength(lo, hi)), `0x${value.toString(16)}: ${list.length} instructions`);
    const got = run(list);
    if (got >= 0n) assert.is(got, value);
    const narrow = assembled((a) => a.movImm32(5, lo));
    const low = run(narrow);
    if (low >= 0n) assert.is(BigInt.asUintN(32, low), BigInt.asUintN(32, value));
  }
});

test("immediates: what fits", () => {
  assert.is(logicalImmediate(0, 0), -1);
  assert.is(logicalImmediate(-1, -1), -1);
  assert.is.not(logicalImmediate(0x55555555, 0x55555555), -1);
  assert.is(fitsAdd(0xfff) && fitsAdd(0x1000) && fitsAdd(0xfff000), true);
  assert.is(fitsAdd(0x1001) || fitsAdd(0x1000000) || fitsAdd(-1), false);
  assert.is(fitsDisplacement(32760, 3) && fitsDisplacement(-256, 3) && fitsDisplacement(255, 3), true);
  assert.is(fitsDisplacement(32768, 3) || fitsDisplacement(-257, 3) || fitsDisplacement(260, 3), false);
  // 1.0, 31.0, 0.125 and their neighbours
  const view = new DataView(new ArrayBuffer(8));
  let doubles = 0;
  for (const [x, fits] of [[1, true], [31, true], [0.125, true], [-1.9375, true], [32, false], [0.0625, false], [0, false], [1.03125, false], [NaN, false], [Infinity, false]] as const) {
    view.setFloat64(0, x);
    assert.is(floatImmediate64(view.getInt32(4), view.getInt32(0)) >= 0, fits, String(x));
    view.setFloat32(0, x);
    assert.is(floatImmediate32(view.getInt32(0)) >= 0, fits, String(x));
    doubles++;
  }
  assert.is(doubles, 10);
});

test("branches: short where they reach, over an unconditional one where not", () => {
  const far = (distance: number, emit: (a: Assembler, label: number) => void) => {
    const a = new Assembler();
    const label = a.newLabel();
    emit(a, label);
    for (let i = 0; i < distance; i++) a.word(Form.nop);
    a.bind(label);
    a.word(Form.nop);
    return words(a);
  };
  assert.is(far(0, (a, l) => a.tbz(Form.tbz, 3, 33, l))[0], "b6080023");
  // tbz reaches 8191 instructions ahead.
  assert.is(far(8190, (a, l) => a.tbz(Form.tbz, 3, 1, l)).length, 8192);
  const long = far(8191, (a, l) => a.tbz(Form.tbz, 3, 1, l));
  assert.is(long.length, 8194);
  assert.equal(long.slice(0, 2), ["37080043", (0x14000000 + 8192).toString(16)]);
  const cond = far(262143, (a, l) => a.bcond(Cond.lt, l));
  assert.equal(cond.slice(0, 2), ["5400004a", (0x14000000 + 262144).toString(16)]);
  assert.is(far(262142, (a, l) => a.bcond(Cond.lt, l)).length, 262144);
  // Backwards.
  const a = new Assembler();
  const top = a.newLabel();
  a.bind(top);
  a.word(Form.nop);
  a.cbz(Form.cbnz64, 7, top);
  assert.is(words(a)[1], "b5ffffe7");
});

test("relocation of a call; no-ops", () => {
  const a = new Assembler();
  a.r(Form.ret, Reg.link);
  a.callFunc(7);
  const code = a.finish();
  assert.equal([...a.relocs], [4, Reloc.call, 7]);
  relocate(code, 4, Reloc.call, 0);
  assert.equal([...code.subarray(4)], [0xff, 0xff, 0xff, 0x97]);
  assert.throws(() => relocate(code, 4, Reloc.call, 0x8000004), /exceeds/);
  const gap = new Uint8Array(12);
  fillNops(gap, 4, 12);
  assert.equal([...gap], [0, 0, 0, 0, 0x1f, 0x20, 0x03, 0xd5, 0x1f, 0x20, 0x03, 0xd5]);
});

test.run();
