// CPU features of amd64 that change what we emit: names, where cpuid reports them, and the code that asks.
//
// `cpuProbe` is machine code for the runtime to call; `cpuFeatures` reads the words it left. AVX counts only if the
// operating system saves the registers (XCR0). Source: AMD64 Architecture Programmer's Manual volume 3, appendix D, E.
import { Assembler, NO_REG } from "./encode.js";
import { Cond, Form } from "./opcodes.js";
import { Reg } from "./registers.js";

/** Words of the probe: each cpuid leaf leaves ecx in the low, edx (leaf 1) or ebx (leaf 7) in the high half. */
const enum Word {
  leaf1 = 0,
  leaf7 = 1,
  extended1 = 2,
  xcr0 = 3,
}

interface Feature {
  readonly name: string;
  readonly word: Word;
  readonly bit: number;
  /** Bits of XCR0 that must all be set. */
  readonly xcr0?: number;
}

/** avx2 is not used by the scalar backend, but known. */
export const features: readonly Feature[] = [
  { name: "popcnt", word: Word.leaf1, bit: 23 },
  { name: "lzcnt", word: Word.extended1, bit: 5 },
  { name: "tzcnt", word: Word.leaf7, bit: 32 + 3 },
  { name: "bmi2", word: Word.leaf7, bit: 32 + 8 },
  { name: "sse41", word: Word.leaf1, bit: 19 },
  { name: "avx", word: Word.leaf1, bit: 28, xcr0: 6 },
  { name: "avx2", word: Word.leaf7, bit: 32 + 5, xcr0: 6 },
];

/** Bit of leaf 1 that says xgetbv may be used. */
const OSXSAVE = 27;

/** C function `void (u64 out[8])`: cpuid's words, zeros where a leaf does not exist. */
export function cpuProbe(): Uint8Array {
  const a = new Assembler();
  const out = Reg.r8;
  const store = (word: Word, lo: Reg, hi: Reg) => {
    a.rm(Form.mov32_mr, lo, out, NO_REG, 0, word * 8);
    a.rm(Form.mov32_mr, hi, out, NO_REG, 0, word * 8 + 4);
  };
  const leaf = (number: number) => {
    a.movImm32(Reg.rax, number);
    a.rr(Form.xor32_rm, Reg.rcx, Reg.rcx);
    a.op0(Form.cpuid);
  };
  a.o(Form.push, Reg.rbx);
  a.rr(Form.mov64_rm, out, Reg.rdi);
  a.rr(Form.xor32_rm, Reg.rax, Reg.rax);
  for (let word = 0; word < 8; word++) a.rm(Form.mov64_mr, Reg.rax, out, NO_REG, 0, word * 8);

  const noLeaf7 = a.newLabel();
  leaf(0);
  a.ri(Form.cmp32_mi, Reg.rax, 7);
  a.jcc(Cond.b, noLeaf7);
  leaf(7);
  store(Word.leaf7, Reg.rcx, Reg.rbx);
  a.bind(noLeaf7);

  const noExtended = a.newLabel();
  leaf(0x80000000 | 0);
  a.ri(Form.cmp32_mi, Reg.rax, 0x80000001 | 0);
  a.jcc(Cond.b, noExtended);
  leaf(0x80000001 | 0);
  store(Word.extended1, Reg.rcx, Reg.rdx);
  a.bind(noExtended);

  const noXgetbv = a.newLabel();
  leaf(1);
  store(Word.leaf1, Reg.rcx, Reg.rdx);
  a.ri(Form.bt32_mi, Reg.rcx, OSXSAVE);
  a.jcc(Cond.ae, noXgetbv);
  a.rr(Form.xor32_rm, Reg.rcx, Reg.rcx);
  a.r(Form.xgetbv, 0);
  store(Word.xcr0, Reg.rax, Reg.rdx);
  a.bind(noXgetbv);
  a.o(Form.pop, Reg.rbx);
  a.op0(Form.ret);
  return a.finish();
}

/** Names of the features that the words of `cpuProbe` report, in the order of the table. */
export function cpuFeatures(words: BigUint64Array): string[] {
  const xcr0 = Number(words[Word.xcr0]! & 0xffffffffn);
  return features
    .filter((f) => ((words[f.word]! >> BigInt(f.bit)) & 1n) === 1n && (f.xcr0 === undefined || (xcr0 & f.xcr0) === f.xcr0))
    .map((f) => f.name);
}
