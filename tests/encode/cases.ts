// What the encoder is tested with: for each instruction form a template in Intel syntax, and operands at the borders.
//
// A template names where each operand goes: `r64` the ModRM reg field, `rm64` the r/m field (register or memory), `v`
// the VEX field, `i8` an immediate. `cases(bulk)` yields text for an assembler and the call that must give the same
// bytes; not bulk: the few hundred border cases whose bytes are checked in, bulk: thousands.
import { Form, condNames, type FormName } from "../../backends/amd64/opcodes.js";
import { LABEL, NO_REG, type Assembler } from "../../backends/amd64/encode.js";
import { names8, names16, names32, names64, namesXmm } from "../../backends/amd64/registers.js";

export interface Case {
  readonly text: string;
  /** Writes the instruction; returns where it ends if anything follows it. */
  emit(a: Assembler): number | void;
}

/** [form, template, condition code added to the form]; a template starting with "v" on a form with `vex` is VEX. */
type Template = readonly [form: number, template: string];

const widths = [8, 16, 32, 64] as const;
const wides = [16, 32, 64] as const;
const w3264 = [32, 64] as const;

function templates(): Template[] {
  const all: Template[] = [];
  const add = (name: FormName, template: string, extra = 0) => all.push([Form[name] + extra, template]);
  const immW = (w: number) => (w === 64 ? "i32" : `i${w}`);

  for (const op of ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"] as const)
    for (const w of widths) {
      add(`${op}${w}_mr`, `{store} ${op} rm${w}, r${w}`);
      add(`${op}${w}_rm`, `{load} ${op} r${w}, rm${w}`);
      add(`${op}${w}_mi`, `${op} rm${w}, ${immW(w)}`);
    }
  for (const w of widths) {
    add(`mov${w}_mr`, `{store} mov rm${w}, r${w}`);
    add(`mov${w}_rm`, `{load} mov r${w}, rm${w}`);
    add(`mov${w}_mi`, `mov m${w}, ${immW(w)}`);
    add(`test${w}_mr`, `test rm${w}, r${w}`);
    add(`test${w}_mi`, `test rm${w}, ${immW(w)}`);
    for (const op of ["not", "neg", "mul", "imul", "div", "idiv", "inc", "dec"] as const) add(`${op}${w}_m`, `${op} rm${w}`);
    for (const op of ["rol", "ror", "rcl", "rcr", "shl", "shr", "sar"] as const) {
      add(`${op}${w}_mc`, `${op} rm${w}, cl`);
      add(`${op}${w}_mi`, `${op} rm${w}, i5`);
    }
  }
  add("movzx8_rm", "movzx r32, rm8");
  add("movzx16_rm", "movzx r32, rm16");
  add("movsx8_32_rm", "movsx r32, rm8");
  add("movsx16_32_rm", "movsx r32, rm16");
  add("movsx8_64_rm", "movsx r64, rm8");
  add("movsx16_64_rm", "movsx r64, rm16");
  add("movsx32_64_rm", "movsxd r64, rm32");
  add("lea32_rm", "lea r32, m0");
  add("lea64_rm", "lea r64, m0");
  add("xchg8_mr", "xchg rm8, r8");
  add("xchg32_mr", "xchg m32, r32");
  add("xchg64_mr", "xchg m64, r64");
  add("push", "push o64");
  add("pop", "pop o64");
  add("bswap32", "bswap o32");
  add("bswap64", "bswap o64");
  add("push_m", "push m64");
  add("pop_m", "pop m64");
  for (const w of wides) add(`imul${w}_rm`, `imul r${w}, rm${w}`);
  for (const w of w3264) {
    add(`imul${w}_rmi`, `imul r${w}, rm${w}, i32`);
    for (const op of ["shld", "shrd"] as const) {
      add(`${op}${w}_mri`, `${op} rm${w}, r${w}, i8`);
      add(`${op}${w}_mrc`, `${op} rm${w}, r${w}, cl`);
    }
    for (const op of ["bt", "bts", "btr", "btc"] as const) {
      add(`${op}${w}_mr`, `${op} rm${w}, r${w}`);
      add(`${op}${w}_mi`, `${op} rm${w}, i5`);
    }
    for (const op of ["bsf", "bsr", "tzcnt", "lzcnt", "popcnt"] as const) add(`${op}${w}_rm`, `${op} r${w}, rm${w}`);
    add(`andn${w}_rvm`, `andn r${w}, v${w}, rm${w}`);
    for (const op of ["blsr", "blsmsk", "blsi"] as const) add(`${op}${w}_vm`, `${op} v${w}, rm${w}`);
    for (const op of ["bextr", "shlx", "sarx", "shrx"] as const) add(`${op}${w}_rmv`, `${op} r${w}, rm${w}, v${w}`);
    add(`mulx${w}_rvm`, `mulx r${w}, v${w}, rm${w}`);
    add(`rorx${w}_rmi`, `vex rorx r${w}, rm${w}, i5`);
    for (let c = 0; c < 16; c++) add(`cmov${w}_rm`, `cmov${condNames[c]} r${w}, rm${w}`, c);
  }
  for (let c = 0; c < 16; c++) add("setcc", `set${condNames[c]} rm8`, c);
  add("cdq", "cdq");
  add("cqo", "cqo");
  add("ret", "ret");
  add("ud2", "ud2");
  add("int3", "int3");
  add("cpuid", "cpuid");
  add("xgetbv", "xgetbv");
  add("syscall", "syscall");
  add("cld", "cld");
  add("pushf", "pushf");
  add("popf", "popf");
  add("rep_movsb", "rep movsb");
  add("rep_movsq", "rep movsq");
  add("rep_stosb", "rep stosb");
  add("rep_stosq", "rep stosq");
  add("vzeroupper", "vex vzeroupper");
  add("call_m", "call rm64");
  add("jmp_m", "jmp rm64");
  add("ldmxcsr_m", "ldmxcsr m32");
  add("stmxcsr_m", "stmxcsr m32");

  // Both encodings of the float forms.
  const two = (name: FormName, template: string) => {
    add(name, template);
    add(name, `vex ${template.replace(/^((?:\{\w+\} )?)(\w)/, "$1v$2")}`);
  };
  /** The VEX one has the destination twice: `op x, v, rest`. */
  const three = (name: FormName, template: string) => {
    add(name, template);
    add(name, `vex ${template.replace(/^((?:\{\w+\} )?)(\w)/, "$1v$2").replace(" x,", " x, v,")}`);
  };
  for (const [suffix, bytes] of [["ss", 32], ["sd", 64]] as const) {
    add(`mov${suffix}_rm`, `{load} mov${suffix} x, xm${bytes}`);
    add(`mov${suffix}_mr`, `{store} mov${suffix} xm${bytes}, x`);
    add(`mov${suffix}_rm`, `vex vmov${suffix} x, m${bytes}`);
    add(`mov${suffix}_mr`, `vex vmov${suffix} m${bytes}, x`);
    add(`mov${suffix}_rm`, `vex {load} vmov${suffix} x, v, X`);
    for (const op of ["sqrt", "add", "mul", "sub", "min", "div", "max"] as const) three(`${op}${suffix}_rm`, `{load} ${op}${suffix} x, xm${bytes}`);
    three(`cmp${suffix}_rm`, `{load} cmp${suffix} x, xm${bytes}, i3`);
    two(`ucomi${suffix}_rm`, `ucomi${suffix} x, xm${bytes}`);
    three(`round${suffix}_rmi`, `round${suffix} x, xm${bytes}, i3`);
    for (const w of w3264) {
      three(`cvtsi2${suffix}${w}_rm`, `cvtsi2${suffix} x, rm${w}`);
      two(`cvtt${suffix}2si${w}_rm`, `cvtt${suffix}2si r${w}, xm${bytes}`);
    }
  }
  three("cvtss2sd_rm", "cvtss2sd x, xm32");
  three("cvtsd2ss_rm", "cvtsd2ss x, xm64");
  for (const suffix of ["ps", "pd"] as const) {
    for (const op of ["movu", "mova"] as const) {
      two(`${op}${suffix}_rm`, `{load} ${op}${suffix} x, xm128`);
      two(`${op}${suffix}_mr`, `{store} ${op}${suffix} xm128, x`);
    }
    two(`sqrt${suffix}_rm`, `sqrt${suffix} x, xm128`);
    for (const op of ["add", "mul", "sub", "min", "div", "max", "and", "andn", "or", "xor", "unpckl", "unpckh"] as const)
      three(`${op}${suffix}_rm`, `{load} ${op}${suffix} x, xm128`);
    three(`cmp${suffix}_rm`, `{load} cmp${suffix} x, xm128, i3`);
    three(`shuf${suffix}_rm`, `shuf${suffix} x, xm128, i8`);
    two(`round${suffix}_rmi`, `round${suffix} x, xm128, i3`);
    two(`movmsk${suffix}_rm`, `movmsk${suffix} r32, X`);
    add(`blendv${suffix}_rm`, `blendv${suffix} x, xm128, xmm0`);
    add(`vblendv${suffix}_rvmr`, `vex vblendv${suffix} x, v, X, k`);
  }
  for (const op of ["movdqa", "movdqu"] as const) {
    two(`${op}_rm`, `{load} ${op} x, xm128`);
    two(`${op}_mr`, `{store} ${op} xm128, x`);
  }
  two("movd_rm", "movd x, rm32");
  two("movd_mr", "movd rm32, x");
  // With memory `movq` has a shorter form in as (F3 0F 7E): registers only.
  two("movq_rm", "movq x, R64");
  two("movq_mr", "movq R64, x");
  two("movqx_rm", "{load} movq x, xm64");
  two("cvtps2pd_rm", "cvtps2pd x, xm64");
  two("cvtpd2ps_rm", "cvtpd2ps x, X");
  two("cvtdq2ps_rm", "cvtdq2ps x, xm128");
  two("cvttps2dq_rm", "cvttps2dq x, xm128");
  two("cvtdq2pd_rm", "cvtdq2pd x, xm64");
  two("cvttpd2dq_rm", "cvttpd2dq x, X");
  for (const op of ["pand", "pandn", "por", "pxor", "paddd", "paddq", "psubd", "psubq", "pcmpeqd", "punpckldq", "punpcklqdq"] as const)
    three(`${op}_rm`, `{load} ${op} x, xm128`);
  two("pshufd_rmi", "pshufd x, xm128, i8");
  two("pextrd_mri", "pextrd rm32, x, i3");
  two("pextrq_mri", "pextrq rm64, x, i3");
  three("pinsrd_rmi", "pinsrd x, rm32, i3");
  three("pinsrq_rmi", "pinsrq x, rm64, i3");
  for (const op of ["psrld", "psrad", "pslld", "psrlq", "psllq"] as const) {
    add(`${op}_mi`, `${op} X, i5`);
    add(`${op}_mi`, `vex v${op} v, X, i5`);
  }
  return all;
}

/** Forms whose bytes the templates do not cover are listed by the test: none may be missing. */
export function coveredForms(): Set<number> {
  const codes = new Set<number>();
  for (const [form] of templates()) codes.add(form);
  return codes;
}

interface Memory {
  readonly base: number;
  readonly index: number;
  readonly shift: number;
  readonly disp: number;
}

const mem = (base: number, index: number, shift: number, disp: number): Memory => ({ base, index, shift, disp });

/** Each quirk of ModRM and SIB once: rsp/r12 and rbp/r13 as base, rbp/r12/r13 as index, no base, displacement borders. */
const borderMemories: Memory[] = [
  mem(0, NO_REG, 0, 0),
  mem(4, NO_REG, 0, 0),
  mem(5, NO_REG, 0, 0),
  mem(12, NO_REG, 0, 127),
  mem(13, NO_REG, 0, 0),
  mem(15, NO_REG, 0, 128),
  mem(14, 0, 0, -128),
  mem(14, 12, 0, 0x7fffffff),
  mem(13, 9, 3, 0),
  mem(5, 5, 1, -129),
  mem(4, 13, 2, -0x80000000),
  mem(NO_REG, NO_REG, 0, 0x12345678),
  mem(NO_REG, 15, 3, 0),
  mem(LABEL, NO_REG, 0, 16),
];

function bulkMemories(): Memory[] {
  const all = [...borderMemories];
  const disps = [0, 1, -1, 127, 128, -128, -129, 0x7fffffff, -0x80000000];
  let n = 0;
  for (let base = 0; base < 16; base++) {
    for (const disp of disps) all.push(mem(base, NO_REG, 0, disp));
    for (let index = 0; index < 16; index++) {
      if (index === 4) continue;
      all.push(mem(base, index, n & 3, disps[n % disps.length]!));
      n++;
    }
  }
  return all;
}

const sizeNames: Record<string, string> = { "8": "byte ptr ", "16": "word ptr ", "32": "dword ptr ", "64": "qword ptr ", "128": "xmmword ptr ", "0": "" };

function memoryText(m: Memory, size: string): string {
  if (m.base === LABEL) return `${sizeNames[size]}[rip + ${m.disp}]`;
  const parts: string[] = [];
  if (m.base >= 0) parts.push(names64[m.base]!);
  if (m.index >= 0) parts.push(`${names64[m.index]}*${1 << m.shift}`);
  const disp = m.disp === 0 && parts.length > 0 ? "" : ` ${m.disp < 0 ? "-" : "+"} ${Math.abs(m.disp)}`;
  return `${sizeNames[size]}[${parts.join(" + ")}${parts.length === 0 ? m.disp : disp}]`;
}

function registerText(kind: string, reg: number): string {
  const byWidth: Record<string, readonly string[]> = { "8": names8, "16": names16, "32": names32, "64": names64 };
  const width = /\d+$/.exec(kind)?.[0];
  if (/^x|^X|^v$|^k/.test(kind)) return namesXmm[reg & 15]!;
  return byWidth[width!]![reg]!;
}

const immediates: Record<string, readonly number[]> = {
  i3: [0, 3],
  i5: [1, 2, 31],
  i8: [0, 1, 127, -128],
  i16: [0, 127, 128, -128, -129, 32767],
  i32: [0, 1, 127, 128, -128, -129, 0x7fffffff, -0x80000000],
};

/** A template with its operands filled in, and the call. */
function instance(form: number, template: string, reg: number, v: number, rm: number | Memory, imm: number, mask: number): Case {
  const vex = template.startsWith("vex ") || /^(andn|bls|bextr|shlx|sarx|shrx|mulx)/.test(template);
  const body = template.replace(/^vex /, "");
  const cut = body.search(/ [^{ ][^ ]*(,|$)/);
  const plain = /^(cdq|cqo|ret|ud2|int3|cpuid|xgetbv|syscall|cld|pushf|popf|rep \w+|vzeroupper)$/.test(body);
  if (plain) return { text: body, emit: (a) => (vex ? a.v0(form) : form === Form.xgetbv ? a.r(form, 0) : a.op0(form)) };
  const kinds = body.slice(cut + 1).split(", ");
  let hasReg = false;
  let hasV = false;
  let hasImm = false;
  let hasMask = false;
  let opcodeReg = false;
  const operands = kinds.map((kind) => {
    if (/^i\d/.test(kind)) {
      hasImm = true;
      return String(imm);
    }
    if (kind === "cl" || kind === "xmm0") return kind;
    if (/^(rm|xm|m)\d|^[RX]/.test(kind)) {
      if (typeof rm !== "number") return memoryText(rm, /\d+$/.exec(kind)![0]);
      return registerText(kind, rm);
    }
    if (/^o/.test(kind)) {
      opcodeReg = true;
      return registerText(kind, reg);
    }
    if (/^v/.test(kind)) {
      hasV = true;
      return registerText(kind, v);
    }
    if (kind === "k") {
      hasMask = true;
      return registerText(kind, mask);
    }
    hasReg = true;
    return registerText(kind, reg);
  });
  const floatReg = kinds.some((k) => k === "x");
  const floatRm = kinds.some((k) => /^xm|^X/.test(k));
  // The shared numbering: float registers from 32.
  const rf = floatReg ? reg + 32 : reg;
  const vf = kinds.includes("v") ? v + 32 : v;
  const text = `${body.slice(0, cut)} ${operands.join(", ")}`;
  if (opcodeReg) return { text, emit: (a) => a.o(form, reg) };
  if (typeof rm === "number") {
    const mf = floatRm ? rm + 32 : rm;
    return {
      text,
      emit(a) {
        if (hasMask) a.vrvrr(form, rf, vf, mf, mask + 32);
        else if (vex && hasV && hasReg && hasImm) a.vrvri(form, rf, vf, mf, imm);
        else if (vex && hasV && hasReg) a.vrvr(form, rf, vf, mf);
        else if (vex && hasV && hasImm) a.vvri(form, vf, mf, imm);
        else if (vex && hasV) a.vvr(form, vf, mf);
        else if (vex && hasImm) a.vrri(form, rf, mf, imm);
        else if (vex) a.vrr(form, rf, mf);
        else if (hasReg && hasImm) a.rri(form, rf, mf, imm);
        else if (hasReg) a.rr(form, rf, mf);
        else if (hasImm) a.ri(form, mf, imm);
        else a.r(form, mf);
      },
    };
  }
  return {
    text,
    emit(a) {
      const { base, index, shift } = rm;
      const disp = base === LABEL ? a.newLabel() : rm.disp;
      if (vex && hasV && hasReg && hasImm) a.vrvmi(form, rf, vf, base, index, shift, disp, imm);
      else if (vex && hasV && hasReg) a.vrvm(form, rf, vf, base, index, shift, disp);
      else if (vex && hasV) a.vvm(form, vf, base, index, shift, disp);
      else if (vex && hasImm) a.vrmi(form, rf, base, index, shift, disp, imm);
      else if (vex) a.vrm(form, rf, base, index, shift, disp);
      else if (hasReg && hasImm) a.rmi(form, rf, base, index, shift, disp, imm);
      else if (hasReg) a.rm(form, rf, base, index, shift, disp);
      else if (hasImm) a.mi(form, base, index, shift, disp, imm);
      else a.m(form, base, index, shift, disp);
      if (base !== LABEL) return;
      const end = a.length;
      for (let i = 0; i < rm.disp; i++) a.u8(0x90);
      a.bind(disp);
      return end;
    },
  };
}

/** Registers at the borders of encoding: without and with REX bits, spl..dil, both halves. */
const borderPairs: readonly (readonly [number, number])[] = [[0, 7], [4, 8], [9, 5], [15, 12]];

export function cases(bulk: boolean): Case[] {
  const out: Case[] = [];
  const memories = bulk ? bulkMemories() : borderMemories;
  let turn = 0;
  for (const [form, template] of templates()) {
    const operands = template.replace(/^vex /, "");
    const imms = immediates[/\bi\d+/.exec(operands)?.[0] ?? ""] ?? [0];
    const pairs: (readonly [number, number])[] = [...borderPairs];
    if (bulk) for (let i = 0; i < 16; i++) pairs.push([i, (i * 7 + 3) & 15], [(i * 5 + 1) & 15, i]);
    const memoryOnly = /\bm\d/.test(operands);
    const registerOnly = /\b[RX](64)?\b/.test(operands);
    const rspNever = /push|pop_m/.test(operands);
    const hasRm = /\b(rm|xm)\d|\b[RX](64)?\b/.test(operands);
    const bare = !hasRm && !memoryOnly;
    if (bare) {
      const opcodeReg = /\bo\d/.test(operands);
      for (let r = 0; r < (opcodeReg ? 16 : 1); r++) out.push(instance(form, template, r, 0, 0, 0, 0));
      continue;
    }
    if (!memoryOnly) {
      // All immediates with the first pair, then one each.
      for (const imm of imms) out.push(instance(form, template, 3, 6, 0, imm, 11));
      pairs.forEach(([reg, rm], i) => out.push(instance(form, template, reg, (reg + 11) & 15, rm, imms[i % imms.length]!, rm ^ 9)));
    }
    if (!registerOnly) {
      // Border table: three memory operands a form, so that each quirk meets many forms; bulk: all at some forms, many at each.
      const count = bulk ? 40 : 3;
      for (let i = 0; i < count; i++) {
        const m = memories[turn++ % memories.length]!;
        if (rspNever && m.base === 4) continue;
        const [reg] = pairs[turn % pairs.length]!;
        out.push(instance(form, template, reg, (reg + 5) & 15, m, imms[turn % imms.length]!, 0));
      }
    }
  }
  for (const r of [0, 7, 8, 15])
    for (const [lo, hi] of [[0, 0], [1, 0], [-1, 0], [-0x80000000, 0], [-1, -1], [-0x80000000, -1], [5, -1], [0x55667788, 0x11223344], [0, 1]] as const) {
      const value = (BigInt(hi) << 32n) | BigInt(lo >>> 0);
      // A value of 32 bits is written through the 32-bit register, what an assembler leaves to its user.
      const text = hi === 0 ? `mov ${names32[r]}, ${lo >>> 0}` : `mov ${names64[r]}, ${value}`;
      out.push({ text, emit: (a) => a.movImm64(r, lo, hi) });
    }
  return out;
}

