// What is emitted has an encoding case: the assembler is watched while it makes code of all kinds, and while it makes the cases.
//
// A use is a method, a form and the method's choices (a shift, an extension, an addressing mode, a condition). A use that occurs in code
// but in no case fails, and so does a case list whose immediates stop short of their ends.
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Assembler, accessScale } from "../../../../backends/arm64/encode.js";
import { Form } from "../../../../backends/arm64/opcodes.js";
import { arm64 } from "../../../../backends/arm64/target.js";
import { Allocator } from "../../../../backends/regalloc/index.js";
import type { CodegenOptions } from "../../../../backends/target.js";
import { stubs } from "../../../../backends/arm64/stubs.js";
import type { RuntimeStubs } from "../../../../ir/code.js";
import { VmLayout } from "../../../../ir/layout.js";
import { Type, type FuncType } from "../../../../ir/types.js";
import { toBytes } from "../../../../pipeline/frontend/wat.js";
import { compileSync, type FuncIndex } from "../../../../pipeline/index.js";
import { kernelBytes, kernels, kernelsExist } from "../../../bench/kernels.mjs";
import { projectRoot } from "../../../bundle.js";
import { arm64Cases } from "../../../encode/arm64-cases.js";
import { build, casesOf, numeric } from "../numeric-ops.js";

/** Positions of the arguments that choose among encodings. */
const choices: Readonly<Record<string, readonly number[]>> = {
  rrrShift: [4], rrrExtend: [4], memIndex: [4, 5], memUpdate: [4], pair: [5], select: [4], ccmp: [4], ccmpImm: [4], bcond: [0],
};
/** Methods that no assembler text stands for: data, and calls whose distance the linker writes. */
const notInstructions = new Set(["tableEntry", "callFunc", "jmpFunc"]);
/** Made of other methods, which are watched themselves. */
const composed = new Set(["movImm32", "movImm64", "mov", "cset", "fmov32", "fmov64"]);

/** Methods whose first argument is no form. */
const formless = new Set(["adr", "adrp", "b", "bl", "bcond", ...notInstructions, ...composed]);

const formNames = new Map<number, string>(Object.entries(Form).map(([name, word]) => [word >>> 0, name]));
type Method = (...args: number[]) => void;
const own = Assembler.prototype as unknown as Record<string, Method>;
const methods = Object.getOwnPropertyNames(Assembler.prototype).filter((name) => name !== "constructor" && !["oneMov", "conditional"].includes(name));

/** Uses: method, form, choices; with the arguments of each call if they are to be kept. */
function watched(keep: boolean, body: () => void): Map<string, number[][]> {
  const uses = new Map<string, number[][]>();
  const originals = methods.map((name) => own[name]!);
  methods.forEach((name, i) => {
    own[name] = function (this: Assembler, ...args) {
      let key = name;
      if (!formless.has(name)) key += ` ${formNames.get(args[0]! >>> 0) ?? "(a word)"}`;
      for (const at of choices[name] ?? []) key += ` ${args[at] ?? "-"}`;
      const calls = uses.get(key);
      if (!calls) uses.set(key, [args]);
      else if (keep) calls.push(args);
      originals[i]!.apply(this, args);
    };
  });
  try {
    body();
  } finally {
    methods.forEach((name, i) => (own[name] = originals[i]!));
  }
  return uses;
}

const cases = watched(true, () => {
  for (const one of arm64Cases(true)) one.emit(new Assembler());
});

const modules = path.join(projectRoot, "tests", "files");
const bytesOf = (file: string) => Uint8Array.from(readFileSync(path.join(modules, file)));
const corpus: Uint8Array[] = [];
for (const name of readdirSync(path.join(modules, "fuzz")).filter((file) => file.endsWith(".wasm"))) corpus.push(bytesOf(`fuzz/${name}`));
for (const name of readdirSync(path.join(modules, "run")).filter((file) => file.endsWith(".wat"))) corpus.push(await toBytes(bytesOf(`run/${name}`)));
if (kernelsExist()) for (const kernel of kernels()) corpus.push(kernelBytes(kernel));

test("every method is watched and has cases", () => {
  const used = new Set([...cases.keys()].map((key) => key.split(" ")[0]!));
  assert.equal(methods.filter((name) => !used.has(name) && !notInstructions.has(name) && !composed.has(name)), []);
});

test("all that occurs in code and stubs occurs in the cases", () => {
  const uses = watched(false, () => {
    for (const level of [0, 2] as const) {
      const options: CodegenOptions = { level, bounds: "guard", features: new Set() };
      const allocator = new Allocator(arm64.registers);
      const ops = build(numeric.flatMap(({ op }) => casesOf(op, level === 0 ? 3 : 99)));
      const module = { module: ops.module, layout: new VmLayout(ops.module) };
      for (const fn of ops.funcs) {
        const mfn = arm64.lower(fn, module, options);
        allocator.allocate(mfn, { level });
        arm64.emit(mfn, options);
      }
    }
    for (const bytes of corpus) {
      const levels = [{ level: 2 }, { level: 1 }, { level: 0, bounds: "explicit" }, { level: "baseline" }, { level: "baseline", bounds: "explicit" }] as const;
      for (const options of levels) compileSync(bytes, { target: "arm64", features: [], ...options });
      // Calls through slots, counters, what goes on inside a loop.
      const { module, compileFunc, optimizeFunc } = compileSync(bytes, { target: "arm64", features: [], lazy: true, tierUpAfter: 1 });
      for (let func = module.importedFuncCount; func < module.funcs.length; func++) {
        compileFunc!(func as FuncIndex);
        optimizeFunc!(func as FuncIndex);
      }
    }
    const many = (type: Type) => new Array<Type>(12).fill(type);
    const sigs: FuncType[] = [Type.i32, Type.i64, Type.f32, Type.f64, Type.funcref, Type.externref].flatMap((type) => [{ params: many(type), results: many(type) }, { params: [], results: [type] }]);
    const exec = 0x7fff_1234_5678n;
    const make: Record<Exclude<keyof RuntimeStubs, "target" | "architecture" | "cpuFeatures">, () => void> = {
      entry: () => sigs.forEach((sig) => stubs.entry(sig, exec)),
      resume: () => stubs.resume(exec),
      hostCall: () => sigs.forEach((sig) => stubs.hostCall(sig)),
      nativeCall: () => [false, true].forEach((inMemory) => sigs.forEach((sig) => stubs.nativeCall({ ...sig, results: sig.results.slice(0, 1) }, sig.params.map((type) => inMemory && type === Type.i32)))),
      builtin: stubs.builtin,
      lazyEntry: stubs.lazyEntry,
      tierUp: stubs.tierUp,
      tierUpLoop: stubs.tierUpLoop,
      lazyThunks: () => stubs.lazyThunks(65000, 1000),
      slotThunks: () => stubs.slotThunks([112, 32760, 32768, 1 << 20]),
      trapExit: stubs.trapExit,
      throwFunction: () => stubs.throwFunction({ createFunction: exec, throwValue: exec + 64n }),
      signalHandler: () => stubs.signalHandler({ codeBase: 0x7fff_0000_0000n, codeEnd: 0x7fff_1000_0000n, previous: 0x7fff_2000_0000n }),
      cpuProbe: stubs.cpuProbe,
      flushCode: stubs.flushCode,
    };
    for (const stub of Object.values(make)) stub();
  });
  const missing = [...uses.keys()].filter((key) => !cases.has(key) && !notInstructions.has(key.split(" ")[0]!) && !composed.has(key.split(" ")[0]!));
  assert.equal(missing, []);
  const forms = new Set([...uses.keys()].map((key) => key.split(" ")[1]));
  assert.ok(uses.size > 200 && forms.size > 90, `only ${uses.size} uses of ${forms.size} forms: is the assembler watched?`);
  console.log(`  ${uses.size} uses in code, ${cases.size} in the cases`);
});

const wide = (form: number) => form >>> 31 === 1;
const last = (form: number) => (wide(form) ? 63 : 31);
/** log2 of the unit of a pair's displacement. */
const unit = (form: number) => (form & 0x04000000 ? 2 + (form >>> 30) : wide(form) ? 3 : 2);
/** For each method the ends of its immediates, by the position of the argument. */
const ends: Readonly<Record<string, (form: number) => Readonly<Record<number, readonly number[] | undefined>>>> = {
  rrrShift: (form) => ({ 5: [0, last(form)] }),
  rrrExtend: () => ({ 5: [0, 4] }),
  addImm: () => ({ 3: [0, 1, 0xfff, 0x1000, 0xfff000] }),
  movWide: (form) => ({ 2: [0, 0xffff], 3: wide(form) ? [0, 3] : [0, 1] }),
  bitfield: (form) => ({ 3: [0, last(form)], 4: [0, last(form)] }),
  extr: (form) => ({ 4: [0, last(form)] }),
  mem: (form) => ({ 3: [0, -256, -1, 255, 0xfff << accessScale(form)].filter((disp) => disp !== 255 || accessScale(form) > 0) }),
  memUpdate: () => ({ 3: [-256, 255] }),
  pair: (form) => ({ 4: [0, -64 << unit(form), 63 << unit(form)] }),
  ccmp: () => ({ 3: [0, 15] }),
  ccmpImm: () => ({ 2: [0, 31], 3: [0, 15] }),
  tbz: () => ({ 2: [0, 31, 32, 63] }),
  exception: () => ({ 1: [0, 0xffff] }),
  fmovImm: () => ({ 2: [0, 255] }),
  movi: (form) => (form === Form.movi_d ? { 2: [0, 255] } : { 2: [0, 255], 3: [0, 24] }),
};

test("immediates reach their ends, registers theirs", () => {
  const byForm = new Map<string, number[][]>();
  for (const [key, calls] of cases) {
    const name = key.split(" ").slice(0, 2).join(" ");
    byForm.set(name, [...(byForm.get(name) ?? []), ...calls]);
  }
  const missing: string[] = [];
  for (const [name, calls] of byForm) {
    const method = name.split(" ")[0]!;
    for (const [at, values] of Object.entries(ends[method]?.(calls[0]![0]!) ?? {})) {
      for (const value of values!) if (!calls.some((args) => args[Number(at)] === value)) missing.push(`${name}: argument ${at} is never ${value}`);
    }
    if (!/^(rr|rrr|rrrr|rrrShift|rrrExtend|mem|memIndex|pair|select)$/.test(method)) continue;
    // Destination and first operand: the lowest and the highest numbers of their class.
    for (const at of [1, 2]) {
      const numbers = new Set(calls.map((args) => args[at]! & 31));
      if (!numbers.has(0) || !(numbers.has(30) || numbers.has(31))) missing.push(`${name}: argument ${at} is never at both ends of the registers`);
    }
  }
  assert.equal(missing, []);
});

test.run();
