// Emission: allocated machine functions written by hand => disassembly, tables, frames. What the code computes is tested natively.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Disassembler } from "../../../backends/amd64/disassemble.js";
import { emit } from "../../../backends/amd64/emit.js";
import { Base, Cond, Consumer, Form, M, Producer, Shape, compareOp } from "../../../backends/amd64/mops.js";
import { Reg } from "../../../backends/amd64/registers.js";
import type { FuncCode } from "../../../ir/code.js";
import type { FuncIndex } from "../../../ir/entity.js";
import { FIRST_SLOT, MFunc, MOp, Opnd } from "../../../ir/machine/mfunc.js";
import { TrapKind } from "../../../ir/layout.js";
import { Type } from "../../../ir/types.js";

let disassembler: Disassembler;
test.before(async () => {
  disassembler = await Disassembler.load();
});
test.after(() => disassembler.close());

const options = (...features: string[]) => ({ level: 2 as const, bounds: "guard" as const, features: new Set(features) });
const avx = options("avx");
const sse = options();

function listing(code: FuncCode): string[] {
  return disassembler.disassemble(code.bytes).map((row) => row.text);
}

class Writer {
  readonly mfn = new MFunc(3 as FuncIndex, { params: [], results: [] });
  private readonly edges: number[][] = [];

  constructor() {
    this.mfn.allocated = true;
  }

  /** Begins a block, whose terminator will go to `succ`. */
  block(...succ: number[]): this {
    const { mfn } = this;
    const b = mfn.newBlock(0, 0, false);
    mfn.blockStart[b] = mfn.instCount;
    this.edges.push(succ);
    return this;
  }

  /** `defs` locations, then `uses`. */
  inst(op: number, defs: number[], uses: number[], imm = 0, imm2 = 0, imm3 = 0, offset = 0): this {
    const { mfn } = this;
    mfn.inst(op, imm, imm2, imm3, offset);
    for (const loc of defs) mfn.operand(loc, Opnd.def | Opnd.any);
    for (const loc of uses) mfn.operand(loc, Opnd.use | Opnd.any);
    mfn.blockEnd[mfn.blockCount - 1] = mfn.instCount;
    return this;
  }

  ret(): this {
    return this.inst(M.ret, [], []);
  }

  done(): MFunc {
    const { mfn } = this;
    this.edges.forEach((succ, b) => {
      mfn.succStart[b] = mfn.newList(succ.length);
      mfn.succCount[b] = succ.length;
      succ.forEach((to, k) => (mfn.lists[mfn.succStart[b]! + k] = mfn.newEdge(b, to, 0)));
    });
    mfn.linkPreds();
    return mfn;
  }
}

const rr = Form.rr;
const ri = Form.ri;
const memory = (form: Form, base: Base, fault = TrapKind.none) => form | (base << Shape.baseShift) | (fault << Shape.faultShift);
const condition = (c: Cond) => c << Shape.condShift;

/** One instruction in a leaf function: its listing, without the ret. */
function one(o: ReturnType<typeof options>, op: number, defs: number[], uses: number[], imm = 0, imm2 = 0, imm3 = 0): string[] {
  const lines = listing(emit(new Writer().block().inst(op, defs, uses, imm, imm2, imm3).ret().done(), o));
  return lines.slice(0, lines.indexOf("ret"));
}

const [rax, rcx, rdx, rbx, rsi, rdi] = [Reg.rax, Reg.rcx, Reg.rdx, Reg.rbx, Reg.rsi, Reg.rdi];
const [xmm0, xmm1, xmm2] = [Reg.xmm0, Reg.xmm1, Reg.xmm2];

test("constants and moves", () => {
  assert.equal(one(avx, M.iconst32, [rcx], [], 0), ["xor ecx, ecx"]);
  assert.equal(one(avx, M.iconst32, [rcx], [], -5), ["mov ecx, 0xfffffffb"]);
  assert.equal(one(avx, M.iconst64, [rcx], [], -5, -1), ["mov rcx, 0xfffffffffffffffb"]);
  assert.equal(one(avx, M.mov32, [rcx], [rcx]), ["mov ecx, ecx"]);
  assert.equal(one(avx, M.mov64, [rcx], [rcx]), []);
  assert.equal(one(avx, MOp.move, [rcx], [rdx], Type.i32), ["mov ecx, edx"]);
  assert.equal(one(avx, MOp.move, [xmm1], [xmm2], Type.f64), ["vmovaps xmm1, xmm2"]);
  assert.equal(one(sse, MOp.move, [xmm1], [xmm2], Type.f32), ["movaps xmm1, xmm2"]);
  assert.equal(one(sse, MOp.swap, [rcx, rsi], [], Type.i64), ["xchg rsi, rcx"]);
  assert.equal(one(avx, M.fzero, [xmm1], []), ["vxorps xmm1, xmm1, xmm1"]);
  assert.equal(one(avx, M.movss, [xmm1], [rdi], 0, 8, memory(Form.rm, Base.memory) | Shape.index | (2 << Shape.scaleShift)), ["vmovss xmm1, dword ptr [r14 + rdi*4 + 8]"]);
});

test("lea is shortened", () => {
  const base = memory(rr, Base.reg);
  assert.equal(one(avx, M.lea32, [rcx], [rcx], 0, 5, base), ["add ecx, 5"]);
  assert.equal(one(avx, M.lea32, [rcx], [rdx], 0, 5, base), ["lea ecx, [rdx + 5]"]);
  assert.equal(one(avx, M.lea64, [rcx], [rcx, rdx], 0, 0, base | Shape.index), ["add rcx, rdx"]);
  assert.equal(one(avx, M.lea64, [rdx], [rcx, rdx], 0, 0, base | Shape.index), ["add rdx, rcx"]);
  assert.equal(one(avx, M.lea64, [rbx], [rcx, rdx], 0, 0, base | Shape.index).filter((l) => l.startsWith("lea")), ["lea rbx, [rcx + rdx]"]);
  assert.equal(one(avx, M.lea32, [rcx], [rcx], 0, 0, memory(rr, Base.none) | Shape.index | (3 << Shape.scaleShift)), ["shl ecx, 3"]);
  assert.equal(one(avx, M.lea32, [rcx], [rdx], 0, 0, memory(rr, Base.none) | Shape.index | (1 << Shape.scaleShift)), ["lea ecx, [rdx + rdx]"]);
});

test("float arithmetic with and without AVX", () => {
  assert.equal(one(avx, M.addsd, [xmm0], [xmm1, xmm2], 0, 0, rr), ["vaddsd xmm0, xmm1, xmm2"]);
  assert.equal(one(sse, M.addsd, [xmm0], [xmm0, xmm2], 0, 0, rr), ["addsd xmm0, xmm2"]);
  assert.equal(one(avx, M.sqrtsd, [xmm0], [xmm1], 0, 0, rr), ["vsqrtsd xmm0, xmm1, xmm1"]);
  assert.equal(one(sse, M.sqrtsd, [xmm0], [xmm1], 0, 0, rr), ["xorps xmm0, xmm0", "sqrtsd xmm0, xmm1"]);
  assert.equal(one(avx, M.roundsd, [xmm0], [xmm1], 9, 0, rr), ["vroundsd xmm0, xmm1, xmm1, 9"]);
  assert.equal(one(avx, M.cvtsi2sd64, [xmm0], [rcx], 0, 0, rr), ["vxorps xmm0, xmm0, xmm0", "vcvtsi2sd xmm0, xmm0, rcx"]);
  assert.equal(one(sse, M.movq_to_int, [rcx], [xmm1]), ["movq rcx, xmm1"]);
});

test("compare families", () => {
  const set = compareOp(Producer.cmp32, Consumer.set);
  assert.equal(one(avx, set, [rax], [rcx, rdx], 0, 0, rr | condition(Cond.b)), ["xor eax, eax", "cmp ecx, edx", "setb al"]);
  assert.equal(one(avx, set, [rcx], [rcx], 0, 0, ri | condition(Cond.e)), ["test ecx, ecx", "sete cl", "movzx ecx, cl"]);
  assert.equal(one(avx, compareOp(Producer.test32, Consumer.set), [rax], [rsi], 4, 0, ri | condition(Cond.ne)), ["xor eax, eax", "test sil, 4", "setne al"]);
  assert.equal(one(avx, compareOp(Producer.ucomisd, Consumer.set), [rax], [xmm0, xmm1], 0, 0, rr | condition(Cond.feq)), ["xor eax, eax", "vucomisd xmm0, xmm1", "setnp r11b", "sete al", "and al, r11b"]);
  assert.equal(one(avx, compareOp(Producer.cmp64, Consumer.sel64), [rax], [rdx, rax, rcx], 7, 0, ri | condition(Cond.l)), ["cmp rcx, 7", "cmovl rax, rdx"]);
  assert.equal(one(avx, compareOp(Producer.ucomisd, Consumer.sel32), [rax], [rdx, rax, xmm0, xmm1], 0, 0, rr | condition(Cond.fne)), ["vucomisd xmm0, xmm1", "cmovp eax, edx", "cmovne eax, edx"]);
});

test("slots are addressed behind the outgoing area; the frame keeps the stack aligned", () => {
  const w = new Writer().block().inst(MOp.move, [FIRST_SLOT + 1], [rbx], Type.i64).inst(M.add32, [rcx], [rcx, FIRST_SLOT + 1]).ret();
  w.mfn.slotCount = 2;
  w.mfn.outgoingBytes = 16;
  w.mfn.hasCalls = true;
  w.mfn.usedInts = (1 << rbx) | (1 << rcx);
  const code = emit(w.done(), avx);
  assert.equal(listing(code).slice(0, 9), [
    "push rbx",
    "sub rsp, 0x20",
    "cmp rsp, qword ptr [r15 + 8]",
    "jb 0x1a",
    "mov qword ptr [rsp + 0x18], rbx",
    "add ecx, dword ptr [rsp + 0x18]",
    "add rsp, 0x20",
    "pop rbx",
    "ret",
  ]);
  assert.is((code.frameBytes + 8) % 16, 0);
  assert.is(code.traps[1], TrapKind.stack_exhausted);
});

test("a leaf without locals has no frame, a huge frame is checked before it is entered", () => {
  assert.equal(listing(emit(new Writer().block().ret().done(), avx)), ["ret"]);
  const w = new Writer().block().ret();
  w.mfn.slotCount = 5000;
  const lines = listing(emit(w.done(), avx));
  assert.match(lines[0]!, /^lea r11, \[rsp - 0x9c48\]/);
  assert.match(lines.at(-2)!, /^jmp qword ptr \[r15 \+ 0x18\]/);
});

test("blocks that only jump are passed over; the next block is fallen into", () => {
  // 0 -> 1 or 2; 1 only jumps to 3; 2 jumps to 3.
  const w = new Writer()
    .block(1, 2).inst(compareOp(Producer.cmp32, Consumer.br), [], [rcx, rdx], 0, 0, rr | condition(Cond.l))
    .block(3).inst(M.jmp, [], [])
    .block(3).inst(M.iconst32, [rax], [], 7).inst(M.jmp, [], [])
    .block().ret();
  assert.equal(listing(emit(w.done(), avx)), ["cmp ecx, edx", "jl 9", "mov eax, 7", "ret"]);
});

test("a comparison with 0 takes the flags of the arithmetic before it, where they say the same", () => {
  const branch = (op: M, compare: Producer, c: Cond, between: (w: Writer) => Writer = (w) => w) => {
    const w = between(new Writer().block(1, 2).inst(op, [rcx], [rcx], -1, 0, ri));
    w.inst(compareOp(compare, Consumer.br), [], [rcx], 0, 0, ri | condition(c)).block().ret().block().inst(M.iconst32, [rax], [], 2).ret();
    return listing(emit(w.done(), avx)).slice(1, 3).map((line) => line.split(" ")[0]);
  };
  assert.equal(branch(M.add32, Producer.cmp32, Cond.ne), ["je", "ret"]);
  assert.equal(branch(M.add32, Producer.cmp32, Cond.ne, (w) => w.inst(MOp.move, [rdx], [rcx], Type.i32)), ["mov", "je"]);
  assert.equal(branch(M.and64, Producer.cmp64, Cond.g), ["jle", "ret"]);
  // Overflow, another width, another value.
  assert.equal(branch(M.add32, Producer.cmp32, Cond.g), ["test", "jle"]);
  assert.equal(branch(M.add64, Producer.cmp32, Cond.ne), ["test", "je"]);
  assert.equal(branch(M.add32, Producer.cmp32, Cond.ne, (w) => w.inst(MOp.move, [rcx], [rdx], Type.i32)), ["mov", "test"]);
  assert.equal(branch(M.add32, Producer.cmp32, Cond.ne, (w) => w.inst(M.iconst32, [rdx], [], 0)), ["xor", "test"]);
});

test("empty loops stay loops", () => {
  const self = new Writer().block(1).inst(M.jmp, [], []).block(1).inst(M.jmp, [], []);
  assert.equal(listing(emit(self.done(), avx)), ["jmp 0"]);
  const ring = new Writer().block(1).inst(M.iconst32, [rax], [], 1).inst(M.jmp, [], []).block(2).inst(M.jmp, [], []).block(1).inst(M.jmp, [], []);
  const lines = listing(emit(ring.done(), avx));
  assert.is(lines[0], "mov eax, 1");
  assert.match(lines.at(-1)!, /^jmp 5$/);
});

test("a base case returns before the prologue, unless it needs the frame", () => {
  const recursive = (write: (w: Writer) => Writer, other?: (w: Writer) => Writer) => {
    const w = new Writer().block(1, 2).inst(compareOp(Producer.cmp32, Consumer.br), [], [rdi], 2, 0, ri | condition(Cond.l)).block();
    write(w).ret().block(...(other ? [1] : []));
    w.inst(M.call, [], [], 9);
    if (other) other(w).inst(M.jmp, [], []);
    else w.ret();
    w.mfn.hasCalls = true;
    w.mfn.usedInts = 1 << rbx;
    return listing(emit(w.done(), avx));
  };
  const seven = (w: Writer) => w.inst(M.iconst32, [rax], [], 7);
  assert.equal(recursive(seven).slice(0, 5), ["cmp edi, 2", "jge 0xb", "mov eax, 7", "ret", "push rbx"]);
  assert.is(recursive(seven).filter((line) => line === "ret").length, 2);
  // Another way leads there, too: a copy.
  assert.is(recursive(seven, seven).filter((line) => line === "mov eax, 7").length, 3);
  // A callee-saved register, a slot, a fault.
  assert.is(recursive((w) => w.inst(M.iconst32, [rbx], [], 7))[0], "push rbx");
  assert.is(recursive((w) => w.inst(MOp.move, [rax], [FIRST_SLOT], Type.i32))[0], "push rbx");
  assert.is(recursive((w) => w.inst(M.mov32, [rax], [rcx], 0, 4, memory(Form.rm, Base.memory, TrapKind.out_of_bounds_memory) | Shape.index))[0], "push rbx");
});

test("float branches: both flags", () => {
  const branch = (c: Cond) =>
    listing(emit(new Writer()
      .block(1, 2).inst(compareOp(Producer.ucomiss, Consumer.br), [], [xmm0, xmm1], 0, 0, rr | condition(c))
      .block().inst(M.iconst32, [rax], [], 1).ret()
      .block().inst(M.iconst32, [rax], [], 2).ret().done(), avx));
  assert.equal(branch(Cond.feq).slice(0, 3), ["vucomiss xmm0, xmm1", "jp 0xe", "jne 0xe"]);
  assert.equal(branch(Cond.fne).slice(0, 3), ["vucomiss xmm0, xmm1", "jp 8", "je 0xe"]);
});

test("jump table behind the code, entries relative to it", () => {
  const w = new Writer().block(1, 2).inst(M.jump_table, [], [rcx, rdx], 0).block().ret().block().inst(M.iconst32, [rax], [], 2).ret();
  w.mfn.jumpTables.push(Int32Array.of(1, 0, 1, 0));
  const code = emit(w.done(), avx);
  const lines = listing(code);
  assert.equal(lines.slice(0, 2), ["cmp ecx, 3", "jae 0x15"]);
  const view = new DataView(code.bytes.buffer, code.bytes.byteOffset);
  const table = code.bytes.length - 12;
  const [first, second] = [0x15, 0x16];
  assert.equal([0, 4, 8].map((k) => view.getInt32(table + k, true) + table), [second, first, second]);
});

test("faults and traps are listed with kind and offset, in ascending order", () => {
  const load = memory(Form.rm, Base.memory, TrapKind.out_of_bounds_memory) | Shape.index;
  const trap = compareOp(Producer.cmp32, Consumer.trap);
  const w = new Writer()
    .block()
    .inst(M.mov32, [rax], [rcx], 0, 4, load, 100)
    .inst(trap, [], [rax], 9, 0, ri | condition(Cond.ae) | (TrapKind.undefined_element << Shape.trapShift), 101)
    .inst(M.trap, [], [], TrapKind.unreachable, 0, 0, 102);
  const code = emit(w.done(), avx);
  assert.equal(listing(code), ["mov eax, dword ptr [r14 + rcx + 4]", "cmp eax, 9", "jae 0xf", "call qword ptr [r15 + 0x18]", "int3", "call qword ptr [r15 + 0x18]", "int3"]);
  assert.equal([...code.traps], [0, TrapKind.out_of_bounds_memory, 100, 14, TrapKind.unreachable, 102, 19, TrapKind.undefined_element, 101]);
  assert.equal([...code.source], [0, 100, 5, 101, 10, 102, 15, 101]);
});

test("calls: relocation, and an entry for the return address", () => {
  const w = new Writer().block().inst(M.call, [], [], 9, 0, 0, 50).inst(M.iconst32, [rax], [], 1, 0, 0, 55).ret();
  w.mfn.hasCalls = true;
  const code = emit(w.done(), avx);
  const call = listing(code).findIndex((line) => line.startsWith("call"));
  assert.is(call, 3);
  const at = code.relocs[0]!;
  assert.equal([...code.relocs], [at, 1, 9]);
  // The prologue has the first offset there is; behind the call first its own offset, then that of what follows.
  assert.equal([...code.source].slice(0, 6), [0, 50, at + 4, 50, at + 4, 55]);
});

test("small inner loops ask for their line, larger ones do not", () => {
  const loop = (size: number) => {
    const w = new Writer().block(1).inst(M.jmp, [], []).block(1, 2);
    for (let i = 0; i < size; i++) w.inst(M.add32, [rax], [rax, rcx]);
    return emit(w.inst(compareOp(Producer.cmp32, Consumer.br), [], [rax, rdx], 0, 0, rr | condition(Cond.l)).block().ret().done(), avx).align;
  };
  assert.is(loop(4), 64);
  assert.is(loop(100), 4);
});

test("an operand that must be a register is named when it is not", () => {
  const w = new Writer().block().inst(M.iconst32, [FIRST_SLOT], [], 1).ret();
  assert.throws(() => emit(w.done(), avx), /emit @3 block 0 instruction 0 iconst32: operand 0 is in slot 0, wants a register/);
});

test.run();
