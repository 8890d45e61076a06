// What the arm64 encoder is tested with: for every instruction form its text for an assembler, and operands at the borders.
//
// `arm64Cases(bulk)`: not bulk, some two thousand whose words are checked in; bulk, many times that, with operands from a
// fixed pseudo-random sequence.
import { Form, Cond, Extend, Index, Shift, condNames, extendNames, shiftNames, type FormName } from "../../backends/arm64/opcodes.js";
import { accessScale, logicalImmediate, logicalImmediate32, type Assembler } from "../../backends/arm64/encode.js";
import { Reg } from "../../backends/arm64/registers.js";

export interface Arm64Case {
  readonly form: FormName;
  readonly text: string;
  emit(a: Assembler): void;
}

const w = (r: number) => (r === Reg.zr ? "wzr" : r === Reg.sp ? "wsp" : `w${r}`);
const x = (r: number) => (r === Reg.zr ? "xzr" : r === Reg.sp ? "sp" : `x${r}`);
const g = (bits: number) => (bits === 64 ? x : w);
const f = (kind: string) => (r: number) => `${kind}${r - 32}`;

export function arm64Cases(bulk: boolean): Arm64Case[] {
  const cases: Arm64Case[] = [];
  let seed = 1;
  const random = (n: number) => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return (seed >>> 0) % n;
  };
  const form = (name: string): number => {
    if (!(name in Form)) throw new Error(`no form ${name}`);
    return Form[name as FormName];
  };
  const add = (name: string, text: string, emit: (a: Assembler, form: number) => void) => {
    const code = form(name);
    cases.push({ form: name as FormName, text, emit: (a) => emit(a, code) });
  };
  const rounds = bulk ? 24 : 3;
  const border = [0, 1, 15, 16, 17, 30, Reg.zr];
  // Every operand is the first register once in eight rounds and the last one in another.
  let turn = 0;
  /** A general register; `sp` allows the stack pointer and not the zero register. */
  const reg = (sp = false) => {
    const at = turn++ & 7;
    const r = at === 0 ? 0 : at === 1 ? Reg.zr : at === 2 ? border[random(border.length)]! : random(31);
    return r === Reg.zr && sp ? Reg.sp : r;
  };
  const vec = () => {
    const at = turn++ & 7;
    return 32 + (at === 0 ? 0 : at === 1 ? 31 : random(32));
  };
  const times = (body: (i: number) => void, n = rounds) => {
    for (let i = 0; i < n; i++) {
      turn = i;
      body(i);
    }
  };
  const amounts = (bits: number) => [0, 1, bits - 1, random(bits)];

  for (const bits of [32, 64] as const) {
    const r = g(bits);
    for (const op of ["add", "adds", "sub", "subs"]) {
      times((i) => {
        const [d, n, m] = [reg(), reg(), reg()];
        const shift = (i % 3) as Shift;
        const amount = amounts(bits)[i & 3]!;
        add(`${op}${bits}_r`, `${op} ${r(d)}, ${r(n)}, ${r(m)}, ${shiftNames[shift]} #${amount}`, (a, o) => a.rrrShift(o, d, n, m, shift, amount));
        add(`${op}${bits}_r`, `${op} ${r(d)}, ${r(n)}, ${r(m)}`, (a, o) => a.rrr(o, d, n, m));
        const flags = op.endsWith("s") && op !== "subs" ? true : op === "subs";
        let dx = reg(!flags);
        if (dx === Reg.sp) dx = 30;
        const nx = reg(true);
        // GNU as has uxtw and uxtx where the stack pointer is an operand only for matching widths; all are the same bits.
        const ext = (bits === 64 ? i % 8 : [0, 1, 2, 4, 5, 6][i % 6]!) as Extend;
        const left = i % 5;
        const mm = ext === Extend.uxtx || ext === Extend.sxtx ? x : w;
        add(`${op}${bits}_x`, `${op} ${r(dx)}, ${r(nx)}, ${mm(m)}, ${extendNames[ext]} #${left}`, (a, o) => a.rrrExtend(o, dx, nx, m, ext, left));
        const imm = [0, 1, 0xfff, 0x1000, 0xfff000, 16, random(0x1000), random(0x1000) << 12][i & 7]!;
        const di = reg(!flags);
        const ni = di === Reg.sp ? random(31) : reg(true);
        add(`${op}${bits}_i`, `${op} ${r(di)}, ${r(ni)}, #${imm}`, (a, o) => a.addImm(o, di, ni, imm));
      });
    }
    for (const imm of [16, 32, 4080, 0x1000, 0xfff000]) {
      if (bits === 64) add("sub64_i", `sub sp, sp, #${imm}`, (a, o) => a.addImm(o, Reg.sp, Reg.sp, imm));
    }
    for (const op of ["and", "orr", "eor", "ands", "bic", "orn", "eon", "bics"]) {
      times((i) => {
        const [d, n, m] = [reg(), reg(), reg()];
        const shift = ((i >> 2) & 3) as Shift;
        const amount = amounts(bits)[i & 3]!;
        add(`${op}${bits}_r`, `${op} ${r(d)}, ${r(n)}, ${r(m)}, ${shiftNames[shift]} #${amount}`, (a, o) => a.rrrShift(o, d, n, m, shift, amount));
        add(`${op}${bits}_r`, `${op} ${r(d)}, ${r(n)}, ${r(m)}`, (a, o) => a.rrr(o, d, n, m));
      });
    }
    // Every logical immediate there is (bulk), or some: an element of 2..bits bits, a run of ones, rotated.
    const masks: [number, number][] = [];
    for (let size = 2; size <= bits; size *= 2) {
      for (let ones = 1; ones < size; ones++) {
        for (let rotate = 0; rotate < size; rotate++) {
          if (!bulk && (ones * 7 + rotate * 3) % 97 !== 0 && size > 8) continue;
          let v = 0n;
          for (let k = 0; k < ones; k++) v |= 1n << BigInt((k + size - rotate) % size);
          let all = 0n;
          for (let at = 0; at < bits; at += size) all |= v << BigInt(at);
          masks.push([Number(BigInt.asIntN(32, all)), Number(BigInt.asIntN(32, all >> 32n))]);
        }
      }
    }
    masks.forEach(([lo, hi], i) => {
      const op = ["and", "orr", "eor", "ands"][i & 3]!;
      const value = bits === 64 ? (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0) : BigInt(lo >>> 0);
      const [d, n] = [random(31), reg()];
      add(`${op}${bits}_i`, `${op} ${r(d)}, ${r(n)}, #0x${value.toString(16)}`, (a, o) => a.logicalImm(o, d, n, lo, hi));
    });
    for (const op of ["movn", "movz", "movk"]) {
      times((i) => {
        const part = i % (bits / 16);
        const imm = [0, 1, 0xffff, 0x8000, random(0x10000)][i % 5]!;
        const d = reg();
        add(`${op}${bits}`, `${op} ${r(d)}, #${imm}, lsl #${part * 16}`, (a, o) => a.movWide(o, d, imm, part));
      });
    }
    for (const op of ["sbfm", "bfm", "ubfm"]) {
      times((i) => {
        const [d, n] = [reg(), reg()];
        const [immr, imms] = [amounts(bits)[i & 3]!, amounts(bits)[(i >> 2) & 3]!];
        add(`${op}${bits}`, `${op} ${r(d)}, ${r(n)}, #${immr}, #${imms}`, (a, o) => a.bitfield(o, d, n, immr, imms));
      });
    }
    times((i) => {
      const [d, n, m, q] = [reg(), reg(), reg(), reg()];
      const lsb = amounts(bits)[i & 3]!;
      add(`extr${bits}`, `extr ${r(d)}, ${r(n)}, ${r(m)}, #${lsb}`, (a, o) => a.extr(o, d, n, m, lsb));
      for (const op of ["udiv", "sdiv", "lslv", "lsrv", "asrv", "rorv"]) add(`${op}${bits}`, `${op} ${r(d)}, ${r(n)}, ${r(m)}`, (a, o) => a.rrr(o, d, n, m));
      for (const op of ["rbit", "clz", "cls", "rev16"]) add(`${op}${bits}`, `${op} ${r(d)}, ${r(n)}`, (a, o) => a.rr(o, d, n));
      add(`rev${bits}`, `rev ${r(d)}, ${r(n)}`, (a, o) => a.rr(o, d, n));
      for (const op of ["madd", "msub"]) add(`${op}${bits}`, `${op} ${r(d)}, ${r(n)}, ${r(m)}, ${r(q)}`, (a, o) => a.rrrr(o, d, n, m, q));
      for (const op of ["csel", "csinc", "csinv", "csneg"]) {
        const cond = (i % 14) as Cond;
        add(`${op}${bits}`, `${op} ${r(d)}, ${r(n)}, ${r(m)}, ${condNames[cond]}`, (a, o) => a.select(o, d, n, m, cond));
      }
      for (const op of ["ccmp", "ccmn"]) {
        const cond = (i % 14) as Cond;
        const [imm, nzcv] = [[0, 1, 31, random(32)][i & 3]!, [0, 15, random(16)][i % 3]!];
        add(`${op}${bits}_r`, `${op} ${r(n)}, ${r(m)}, #${nzcv}, ${condNames[cond]}`, (a, o) => a.ccmp(o, n, m, nzcv, cond));
        add(`${op}${bits}_i`, `${op} ${r(n)}, #${imm}, #${nzcv}, ${condNames[cond]}`, (a, o) => a.ccmpImm(o, n, imm, nzcv, cond));
      }
    });
  }
  times(() => {
    const [d, n, m, q] = [reg(), reg(), reg(), reg()];
    for (const op of ["smaddl", "smsubl", "umaddl", "umsubl"]) add(op, `${op} ${x(d)}, ${w(n)}, ${w(m)}, ${x(q)}`, (a, o) => a.rrrr(o, d, n, m, q));
    for (const op of ["smulh", "umulh"]) add(op, `${op} ${x(d)}, ${x(n)}, ${x(m)}`, (a, o) => a.rrr(o, d, n, m));
  });
  // Constants: what the assembler's mov alias picks, where one instruction makes it.
  for (const value of [0, 1, -1, 0xffff, 0x10000, 0x7fffffff, -0x80000000, 0x55555555, 0xff00ff]) {
    const d = random(31);
    if (logicalImmediate32(value) >= 0 || (value & 0xffff) === 0 || value >>> 16 === 0 || (~value & 0xffff0000) === 0 || (~value & 0xffff) === 0) {
      cases.push({ form: "movz32", text: `mov ${w(d)}, #0x${(value >>> 0).toString(16)}`, emit: (a) => a.movImm32(d, value) });
    }
  }

  // ---- loads and stores ----
  const accesses: [string, string, (r: number) => string][] = [
    ["strb", "strb", w], ["ldrb", "ldrb", w], ["ldrsb64", "ldrsb", x], ["ldrsb32", "ldrsb", w],
    ["strh", "strh", w], ["ldrh", "ldrh", w], ["ldrsh64", "ldrsh", x], ["ldrsh32", "ldrsh", w],
    ["str32", "str", w], ["ldr32", "ldr", w], ["ldrsw", "ldrsw", x], ["str64", "str", x], ["ldr64", "ldr", x],
    ["str_s", "str", f("s")], ["ldr_s", "ldr", f("s")], ["str_d", "str", f("d")], ["ldr_d", "ldr", f("d")], ["str_q", "str", f("q")], ["ldr_q", "ldr", f("q")],
  ];
  for (const [name, op, show] of accesses) {
    const scale = accessScale(form(name));
    const size = 1 << scale;
    const isFloat = name.includes("_");
    const any = () => (isFloat ? vec() : reg());
    const unscaledOp = op.replace(/^(ldr|str)/, (s) => (s === "ldr" ? "ldur" : "stur"));
    for (const disp of [0, size, 0xfff * size, 2047 * size, random(0x1000) * size]) {
      const [t, n] = [any(), reg(true)];
      add(name, `${op} ${show(t)}, [${x(n)}, #${disp}]`, (a, o) => a.mem(o, t, n, disp));
    }
    times(() => {
      const [t, n, disp] = [any(), reg(true), random(0x1000) * size];
      add(name, `${op} ${show(t)}, [${x(n)}, #${disp}]`, (a, o) => a.mem(o, t, n, disp));
    }, bulk ? 8 : 1);
    for (const disp of [-1, -256, -size, 255, 1 + random(255), -1 - random(255)]) {
      if (disp >= 0 && (disp & (size - 1)) === 0) continue;
      const [t, n] = [any(), reg(true)];
      add(name, `${unscaledOp} ${show(t)}, [${x(n)}, #${disp}]`, (a, o) => a.mem(o, t, n, disp));
    }
    for (const [extend, kind, mm] of [[Extend.uxtw, "uxtw", w], [Extend.uxtx, "lsl", x], [Extend.sxtw, "sxtw", w], [Extend.sxtx, "sxtx", x]] as const) {
      for (const shifted of scale === 0 ? [false] : [false, true]) {
        times(() => {
          const [t, n, m] = [any(), reg(true), reg()];
          const tail = shifted ? `, ${kind} #${scale}` : kind === "lsl" ? "" : `, ${kind}`;
          add(name, `${op} ${show(t)}, [${x(n)}, ${mm(m)}${tail}]`, (a, o) => a.memIndex(o, t, n, m, extend, shifted));
        }, bulk ? 8 : 1);
      }
    }
    times((i) => {
      const t = any();
      let n = reg(true);
      if (n === t) n = t === 5 ? 6 : 5;
      const disp = n === Reg.sp ? [16, -256, 240, -16][i & 3]! : [-256, 255, 0, random(512) - 256][i & 3]!;
      add(name, `${op} ${show(t)}, [${x(n)}, #${disp}]!`, (a, o) => a.memUpdate(o, t, n, disp, Index.pre));
      add(name, `${op} ${show(t)}, [${x(n)}], #${disp}`, (a, o) => a.memUpdate(o, t, n, disp, Index.post));
    });
  }
  const pairs: [string, string, (r: number) => string, number][] = [
    ["stp32", "stp", w, 2], ["ldp32", "ldp", w, 2], ["ldpsw", "ldpsw", x, 2], ["stp64", "stp", x, 3], ["ldp64", "ldp", x, 3], ["stp_s", "stp", f("s"), 2],
    ["ldp_s", "ldp", f("s"), 2], ["stp_d", "stp", f("d"), 3], ["ldp_d", "ldp", f("d"), 3], ["stp_q", "stp", f("q"), 4], ["ldp_q", "ldp", f("q"), 4],
  ];
  for (const [name, op, show, scale] of pairs) {
    const isFloat = name.includes("_");
    times((i) => {
      const t = isFloat ? vec() : reg();
      let t2 = isFloat ? vec() : reg();
      if (t2 === t) t2 = isFloat ? (t === 40 ? 41 : 40) : t === 9 ? 10 : 9;
      let n = reg(true);
      while (n === t || n === t2) n = random(31);
      const disp = [0, -64, 63, random(128) - 64][i & 3]! << scale;
      add(name, `${op} ${show(t)}, ${show(t2)}, [${x(n)}, #${disp}]`, (a, o) => a.pair(o, t, t2, n, disp));
      const step = n === Reg.sp ? (disp & -16) : disp;
      add(name, `${op} ${show(t)}, ${show(t2)}, [${x(n)}, #${step}]!`, (a, o) => a.pair(o, t, t2, n, step, Index.pre));
      add(name, `${op} ${show(t)}, ${show(t2)}, [${x(n)}], #${step}`, (a, o) => a.pair(o, t, t2, n, step, Index.post));
    });
  }
  /** An instruction at a label 8 bytes before, or 8 after; `around` gives the text with the label's name. */
  const labelled = (name: string, text: string, emit: (a: Assembler, form: number, label: number) => void) => {
    add(name, text.replace("@", ". + 0"), (a, o) => {
      const label = a.newLabel();
      a.bind(label);
      emit(a, o, label);
    });
  };
  times((i) => {
    const [t, v] = [reg(), vec()];
    labelled("ldrl32", `ldr ${w(t)}, @`, (a, o, l) => a.memLabel(o, t, l));
    labelled("ldrl64", `ldr ${x(t)}, @`, (a, o, l) => a.memLabel(o, t, l));
    for (const k of ["s", "d", "q"]) labelled(`ldrl_${k}`, `ldr ${f(k)(v)}, @`, (a, o, l) => a.memLabel(o, v, l));
    labelled("adr", `adr ${x(t)}, @`, (a, _o, l) => a.adr(t, l));
    const pages = random(2048) - 1024;
    add("adrp", `.inst 0x${((0x90000000 | ((pages & 3) << 29) | (((pages >> 2) & 0x7ffff) << 5) | (t & 31)) >>> 0).toString(16)}`, (a) => a.adrp(t, pages));
    labelled("b", "b @", (a, _o, l) => a.b(l));
    labelled("bl", "bl @", (a, _o, l) => a.bl(l));
    for (const bits of [32, 64]) for (const op of ["cbz", "cbnz"]) labelled(`${op}${bits}`, `${op} ${g(bits)(t)}, @`, (a, o, l) => a.cbz(o, t, l));
    for (const op of ["tbz", "tbnz"]) {
      const n = [0, 31, 32, 63][i & 3]!;
      labelled(op, `${op} ${n > 31 ? x(t) : w(t)}, #${n}, @`, (a, o, l) => a.tbz(o, t, n, l));
    }
    for (const op of ["br", "blr", "ret"]) add(op, `${op} ${x(t)}`, (a, o) => a.r(o, t));
    for (const op of ["brk", "svc", "udf"]) {
      const n = [0, 0xffff, 1, random(0x10000)][i & 3]!;
      add(op, `${op} #${n}`, (a, o) => a.exception(o, n));
    }
    add("dc_cvau", `dc cvau, ${x(t)}`, (a, o) => a.system(o, t));
    add("ic_ivau", `ic ivau, ${x(t)}`, (a, o) => a.system(o, t));
    add("mrs_ctr_el0", `mrs ${x(t)}, ctr_el0`, (a, o) => a.system(o, t));
  });
  condNames.forEach((cond, c) => labelled("bcond", `b.${cond} @`, (a, _o, l) => a.bcond(c as Cond, l)));
  for (const op of ["nop", "isb"]) add(op, op, (a, o) => a.word(o));
  add("dmb_ish", "dmb ish", (a, o) => a.word(o));
  add("dsb_ish", "dsb ish", (a, o) => a.word(o));

  // ---- float ----
  for (const k of ["s", "d"]) {
    const v = f(k);
    times((i) => {
      const [d, n, m] = [vec(), vec(), vec()];
      for (const op of ["fmul", "fdiv", "fadd", "fsub", "fmax", "fmin", "fnmul"]) add(`${op}_${k}`, `${op} ${v(d)}, ${v(n)}, ${v(m)}`, (a, o) => a.rrr(o, d, n, m));
      for (const op of ["fmov", "fabs", "fneg", "fsqrt", "frintn", "frintp", "frintm", "frintz"]) add(`${op}_${k}`, `${op} ${v(d)}, ${v(n)}`, (a, o) => a.rr(o, d, n));
      add(`fcmp_${k}`, `fcmp ${v(n)}, ${v(m)}`, (a, o) => a.fcmp(o, n, m));
      add(`fcmpz_${k}`, `fcmp ${v(n)}, #0.0`, (a, o) => a.fcmp(o, n, 0));
      const cond = (i % 14) as Cond;
      const nzcv = [0, 15, random(16)][i % 3]!;
      add(`fccmp_${k}`, `fccmp ${v(n)}, ${v(m)}, #${nzcv}, ${condNames[cond]}`, (a, o) => a.ccmp(o, n, m, nzcv, cond));
      add(`fcsel_${k}`, `fcsel ${v(d)}, ${v(n)}, ${v(m)}, ${condNames[cond]}`, (a, o) => a.select(o, d, n, m, cond));
      for (const bits of [32, 64]) {
        const t = reg();
        for (const op of ["fcvtzs", "fcvtzu"]) add(`${op}${bits}_${k}`, `${op} ${g(bits)(t)}, ${v(n)}`, (a, o) => a.rr(o, t, n));
        for (const op of ["scvtf", "ucvtf"]) add(`${op}${bits}_${k}`, `${op} ${v(d)}, ${g(bits)(t)}`, (a, o) => a.rr(o, d, t));
      }
    });
    for (let imm = 0; imm < 256; imm += bulk ? 1 : 5) {
      const sign = imm & 128 ? "-" : "";
      const exponent = ((imm >> 4) & 7) ^ 4;
      const value = ((16 + (imm & 15)) / 16) * 2 ** (exponent - 3);
      const d = vec();
      add(`fmovi_${k}`, `fmov ${v(d)}, #${sign}${value}`, (a, o) => a.fmovImm(o, d, imm));
    }
  }
  times((i) => {
    const [d, n, m, t] = [vec(), vec(), vec(), reg()];
    const [D, N, M] = [d - 32, n - 32, m - 32];
    add("fcvt_ds", `fcvt d${D}, s${N}`, (a, o) => a.rr(o, d, n));
    add("fcvt_sd", `fcvt s${D}, d${N}`, (a, o) => a.rr(o, d, n));
    add("fmov_sw", `fmov s${D}, ${w(t)}`, (a, o) => a.rr(o, d, t));
    add("fmov_ws", `fmov ${w(t)}, s${N}`, (a, o) => a.rr(o, t, n));
    add("fmov_dx", `fmov d${D}, ${x(t)}`, (a, o) => a.rr(o, d, t));
    add("fmov_xd", `fmov ${x(t)}, d${N}`, (a, o) => a.rr(o, t, n));
    for (const size of ["8b", "16b"]) {
      add(`cnt_${size}`, `cnt v${D}.${size}, v${N}.${size}`, (a, o) => a.rr(o, d, n));
      add(`addv_${size}`, `addv b${D}, v${N}.${size}`, (a, o) => a.rr(o, d, n));
    }
    for (const name of ["and_8b", "orr_8b", "orr_16b", "eor_8b", "bsl_8b", "bit_8b", "bif_8b"]) {
      const [op, size] = name.split("_");
      add(name, `${op} v${D}.${size}, v${N}.${size}, v${M}.${size}`, (a, o) => a.rrr(o, d, n, m));
    }
    add("fneg_2d", `fneg v${D}.2d, v${N}.2d`, (a, o) => a.rr(o, d, n));
    const imm = [0, 255, random(256)][i % 3]!;
    let bytes = "";
    for (let i = 7; i >= 0; i--) bytes += (imm >> i) & 1 ? "ff" : "00";
    add("movi_d", `movi d${D}, #0x${bytes}`, (a, o) => a.movi(o, d, imm, 0));
    const shift = (i & 3) * 8;
    add("movi_2s", `movi v${D}.2s, #${imm}, lsl #${shift}`, (a, o) => a.movi(o, d, imm, shift));
    add("mvni_2s", `mvni v${D}.2s, #${imm}, lsl #${shift}`, (a, o) => a.movi(o, d, imm, shift));
  });
  return cases;
}

/** What of random 64-bit numbers the assembler takes as a logical immediate, and what not. */
export function logicalProbe(count: number): { lo: number; hi: number; ours: boolean }[] {
  let seed = 12345;
  const next = () => {
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    return seed | 0;
  };
  return Array.from({ length: count }, (_, i) => {
    let [lo, hi] = [next(), next()];
    // Mostly runs of ones, some with one bit changed.
    const run = (BigInt.asUintN(64, -1n) >> BigInt(next() & 63)) << BigInt(next() & 63);
    if (i % 4 !== 0) [lo, hi] = [Number(BigInt.asIntN(32, run)), Number(BigInt.asIntN(32, run >> 32n))];
    if (i % 4 === 2) lo ^= 1 << (next() & 31);
    if (i % 8 === 3) hi = lo;
    return { lo, hi, ours: logicalImmediate(lo, hi) >= 0 };
  });
}
