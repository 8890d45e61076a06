// The amd64 encoder against checked-in bytes (tests/encode/amd64.hex, made by GNU as), and what no table can hold.
import { readFileSync } from "node:fs";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Assembler, LABEL, NO_REG, fillNops, relocate, Reloc } from "../../../backends/amd64/encode.js";
import { Form } from "../../../backends/amd64/opcodes.js";
import { Reg } from "../../../backends/amd64/registers.js";
import { bytesOf, hex } from "../../encode/against-as.js";
import { cases, coveredForms } from "../../encode/cases.js";

test("border cases have the bytes of the table", () => {
  const lines = readFileSync(new URL("../../encode/amd64.hex", import.meta.url), "utf8").trimEnd().split("\n");
  const list = cases(false);
  assert.is(list.length, lines.length);
  const differences: string[] = [];
  list.forEach((c, i) => {
    const line = lines[i]!;
    const want = line.slice(0, line.indexOf(" "));
    const text = line.slice(line.indexOf(" ")).trim();
    if (text !== c.text) differences.push(`row ${i}: table has "${text}", cases have "${c.text}"`);
    else if (hex(bytesOf(c)) !== want) differences.push(`${text}: ${hex(bytesOf(c))}, should be ${want}`);
  });
  assert.equal(differences, []);
  assert.ok(lines.length > 4000);
});

test("every form is in the cases", () => {
  const covered = coveredForms();
  const missing = Object.entries(Form).filter(([, code]) => !covered.has(code)).map(([name]) => name);
  assert.equal(missing, []);
});

test("rsp as index is refused", () => {
  const a = new Assembler();
  assert.throws(() => a.rm(Form.mov64_rm, Reg.rax, Reg.rbx, Reg.rsp, 0, 0), /rsp cannot be an index/);
  assert.throws(() => a.rm(Form.mov64_rm, Reg.rax, NO_REG, Reg.rsp, 0, 0), /rsp cannot be an index/);
});

test("rip-relative operands count from the end of the instruction, immediate included", () => {
  const a = new Assembler();
  const pool = a.newLabel();
  a.mi(Form.cmp32_mi, LABEL, NO_REG, 0, pool, 1000); // 81 3d disp32 imm32: 10 bytes
  a.mi(Form.cmp32_mi, LABEL, NO_REG, 0, pool, 1); // 83 3d disp32 imm8: 7 bytes
  a.bind(pool);
  assert.is(hex(a.finish()), "813d07000000e8030000" + "833d0000000001");
});

test("no-ops fill exactly", () => {
  for (let n = 0; n < 40; n++) {
    const code = new Uint8Array(n + 2);
    fillNops(code, 1, 1 + n);
    assert.is(code[0], 0);
    assert.is(code[n + 1], 0);
    if (n === 9) assert.is(hex(code.subarray(1, 10)), "660f1f840000000000");
    if (n === 12) assert.is(hex(code.subarray(1, 13)), "660f1f8400000000000f1f00");
  }
});

test("relocation of a call", () => {
  const a = new Assembler();
  a.op0(Form.ret);
  a.callFunc(7);
  const code = a.finish();
  assert.equal([...a.relocs], [2, Reloc.call, 7]);
  relocate(code, 2, Reloc.call, 0);
  assert.is(hex(code), "c3e8faffffff");
});

test.run();
