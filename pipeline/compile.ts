// The driver: bytes in, code out. Reads top to bottom: decode, SSA passes, lower, allocate, emit, link.
//
// Functions stream: each is translated from its bytes, taken through all passes and the backend, and dropped; only its code
// remains, and its history when recording. A module-scoped pass needs all functions at once; then the same steps run pass by pass.
// Bodies are always translated against the declarations as decoded; passes edit a copy, and bring every function in line.
import { Allocator } from "../backends/regalloc/index.js";
import { ModuleCodeBuilder } from "../backends/module-code.js";
import type { CodegenModule, Target } from "../backends/target.js";
import type { FuncCode, ModuleCode } from "../ir/code.js";
import type { FuncIndex } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { VmLayout } from "../ir/layout.js";
import type { MFunc } from "../ir/machine/mfunc.js";
import { verifyMFunc } from "../ir/machine/verify.js";
import type { Module } from "../ir/module.js";
import { printVerifierError, verifyFunc } from "../ir/verify.js";
import type { CompiledModule } from "../runtime/index.js";
import { BaselineFrontend } from "./frontend/baseline.js";
import { WasmError } from "./frontend/error.js";
import type { LoopEntry } from "./frontend/translate.js";
import type { Settings } from "./options.js";
import { Recorder } from "./recorder.js";
import { PassError } from "./pass-error.js";
import { isUserPass } from "./pass-slot.js";
import { PassRunner } from "./runner.js";
import { ownFuncs, sourceOf, type Input, type Source } from "./source.js";
import type { History } from "./state.js";
import { newStats, type CompileStats } from "./stats.js";
import { hostTarget } from "./targets.js";

/** Modules with more bytes of function bodies are compiled lazily unless told otherwise. */
const LAZY_BYTES = 16 << 10;

/** A compiled module with what is known about its making: instantiate it, print it, ask it for times. */
export interface Compilation extends CompiledModule {
  /** `from`: of the rest of the function from a loop on. */
  readonly compileFunc?: ((index: FuncIndex, from?: LoopEntry) => FuncCode) | undefined;
  /** Declarations as the passes left them. */
  readonly module: Module;
  readonly target: Target;
  readonly settings: Settings;
  /** Undefined when only some functions were compiled, or none: because they are interpreted, or compiled lazily. */
  readonly code: ModuleCode | undefined;
  readonly stats: CompileStats;
  /** When recording. */
  readonly history: History | undefined;
}

/**
 * Compiles a binary module, or one of ours as text.
 * @throws WasmError for bytes that are malformed, invalid or not supported, with their offset; ParseError for text, with line and
 * column; PassError and Error for bugs of passes and of the compiler, with function and pass named.
 */
export function compileInput(input: Input, settings: Settings): Compilation {
  const stats = newStats();
  const clock = new Clock(stats.ms);

  // Bytes or text => declarations, bodies validated.
  const source = sourceOf(input, settings.target);
  clock.lap("decode");
  refuseUnsupported(source.module);
  if (source.machine && settings.engine === "interpreter") throw new Error("machine IR cannot be interpreted");
  stats.moduleBytes = source.byteLength;
  for (const index of chosenFuncs(source, settings.only)) stats.bodyBytes += source.module.funcs[index]!.bodyEnd - source.module.funcs[index]!.bodyStart;

  // A user's pass sees every function before any runs, unless told otherwise: it may gather, and it may fail.
  const asked = settings.lazy ?? (stats.bodyBytes > LAZY_BYTES && !settings.schedule.ssa.some(isUserPass) && !settings.schedule.machine.some(isUserPass));
  const lazy = asked && settings.engine === "native" && !source.machine && !settings.record && !settings.only;
  const { firstSchedule } = settings;
  if (!lazy || !firstSchedule) return compileSource(source, settings, lazy, false, stats, clock);

  const first = compileSource(source, { ...settings, schedule: firstSchedule, codegen: { ...settings.codegen, level: 0 }, baseline: true }, true, true, stats, clock);
  let top: Compilation | undefined;
  const optimized = (index: FuncIndex, from?: LoopEntry): FuncCode => {
    if (!top) {
      clock.start();
      top = compileSource(source, settings, true, true, stats, clock);
    }
    return top.compileFunc!(index, from);
  };
  return {
    ...first,
    settings,
    optimizeFunc: (index) => optimized(index),
    optimizeLoop: source.hasBytes ? (index, loop, locals) => optimized(index, { loop, locals }) : undefined,
    tierUpAfter: settings.tierUpAfter,
  };
}

/** @param lazy functions are compiled when asked for, unless a pass needs them all; @param counted and have counters, at level 0. */
function compileSource(source: Source, settings: Settings, lazy: boolean, counted: boolean, stats: CompileStats, clock: Clock): Compilation {
  const decoded = source.module;
  const { machine } = source;
  /** Machine IR is behind all passes of SSA. */
  const schedule = machine ? { ...settings.schedule, ssa: [] } : settings.schedule;
  const indices = chosenFuncs(source, settings.only);
  stats.functions = indices.length;

  const { observe } = settings;
  const module = decoded.clone();
  module.sourceMap = settings.sourceMap;
  observe?.begin?.(module);
  /** Undefined again when all is recorded. */
  let recorder = settings.record ? new Recorder(schedule, settings.engine) : undefined;
  const runner = new PassRunner(
    module,
    schedule.ssa,
    schedule.machine,
    {
      verify: settings.verify,
      passOptions: settings.passOptions,
      passTimeout: settings.passTimeout,
      passFiles: settings.passFiles,
      dumpDir: settings.dumpDir,
      target: settings.target,
      afterPass(fn, pass, position, changed) {
        if (changed) recorder?.passed(fn, position);
        observe?.ssa?.(fn, pass, changed);
      },
      afterMachinePass(mfn, pass, position) {
        recorder?.machinePassed(mfn, position);
        observe?.machine?.(mfn, pass);
      },
    },
    stats.passes,
  );

  // Body => SSA.
  const translate = (index: FuncIndex, from?: LoopEntry): Func => {
    const fn = source.ssa(index, from);
    if (settings.verify) mustVerify("translation", index, decoded, verifyFunc(fn, decoded).map(printVerifierError));
    stats.ssaInsts += fn.valueCount;
    clock.lap("translate");
    recorder?.translated(fn);
    observe?.ssa?.(fn, "translate", true);
    return fn;
  };
  /** The function as it was before a position of the schedule, for the report of a failure. */
  const before = (index: FuncIndex, from?: LoopEntry) => (position: number) => (source.funcs.includes(index) ? runner.rerun(source.ssa(index, from), position) : undefined);

  const runPasses = (index: FuncIndex, from?: LoopEntry): Func => {
    const fn = translate(index, from);
    for (const phase of runner.phases) runner.runFunc(phase, fn, before(index, from));
    runner.seal(fn);
    clock.lap("passes");
    return fn;
  };
  /** Functions behind all passes, where all had to be there at once. */
  const finished = new Map<FuncIndex, Func>();

  // SSA => code.
  const interpreted = settings.engine === "interpreter";
  if (runner.needsAllFuncs) lazy = false;
  let allocator = new Allocator(settings.target.registers);
  let codegen: CodegenModule;
  let builder: ModuleCodeBuilder | undefined;
  /** The passes are done with the declarations: fixes what code relies on. */
  const closeDecls = () => {
    codegen = { module, layout: new VmLayout(module, lazy, lazy && counted) };
    if (!lazy) builder = new ModuleCodeBuilder(settings.target, module.importedFuncCount, module.funcs.length - module.importedFuncCount, stats.bodyBytes * 4);
  };
  const lower = (fn: Func): MFunc => {
    const mfn = settings.target.lower(fn, codegen, settings.codegen);
    clock.lap("lower");
    return mfn;
  };
  const runMachinePasses = (mfn: MFunc): MFunc => {
    stats.machineInsts += mfn.instCount;
    recorder?.lowered(mfn);
    observe?.machine?.(mfn, "lower");
    runner.runMachine(mfn);
    if (settings.verify) mustVerify("lowering", mfn.index, module, verifyMFunc(mfn, settings.target));
    clock.lap("passes");
    return mfn;
  };
  const allocateRegisters = (mfn: MFunc): void => {
    allocator.allocate(mfn, { level: settings.codegen.level, check: settings.check });
    if (settings.verify) mustVerify("register allocation", mfn.index, module, verifyMFunc(mfn, settings.target));
    clock.lap("allocate");
    recorder?.allocated(mfn);
    observe?.machine?.(mfn, "allocate");
  };
  const emitted = (code: FuncCode, mfn: MFunc | undefined): FuncCode => {
    builder?.add(code);
    clock.lap("emit");
    recorder?.emitted(code);
    observe?.code?.(code, mfn);
    return code;
  };
  const emit = (mfn: MFunc): FuncCode => emitted(settings.target.emit(mfn, settings.codegen), mfn);
  /** Bytes => code, where no IR is made. */
  let baseline: BaselineFrontend | undefined;
  const makeBaseline = () => {
    if (!settings.baseline || interpreted) return;
    const compiler = source.hasBytes ? settings.target.baseline?.(codegen, settings.codegen) : undefined;
    if (compiler) baseline = new BaselineFrontend(decoded, module, compiler);
    else if (!counted) throw new Error(`level "baseline" wants WebAssembly, not IR as text, and a CPU that the baseline compiler of ${settings.target.name} serves: use level 0`);
  };
  const compileFunc = (index: FuncIndex, from?: LoopEntry): FuncCode => {
    clock.start();
    try {
      let code: FuncCode;
      if (baseline) code = emitted(baseline.compile(index), undefined);
      else {
        const mfn = runMachinePasses(lower(runPasses(index, from)));
        allocateRegisters(mfn);
        code = emit(mfn);
      }
      stats.codeBytes += code.bytes.length;
      return code;
    } catch (error) {
      // Whatever it was in the middle of.
      allocator = new Allocator(settings.target.registers);
      throw inFunction(error, index, module);
    } finally {
      clock.stop();
    }
  };

  const makeCode = (fn: Func): void => {
    if (interpreted) return;
    const mfn = runMachinePasses(lower(fn));
    allocateRegisters(mfn);
    emit(mfn);
  };
  /** Text of machine IR enters here; on registers already, it is as it shall be. */
  const makeCodeOf = (mfn: MFunc): void => {
    if (mfn.allocated) {
      recorder?.lowered(mfn);
      recorder?.allocated(mfn);
    } else {
      runMachinePasses(mfn);
      allocateRegisters(mfn);
    }
    emit(mfn);
  };

  if (machine) {
    closeDecls();
    for (const index of indices) makeCodeOf(machine(index));
  } else if (runner.needsAllFuncs) {
    const funcs = indices.map((index) => translate(index));
    for (const phase of runner.phases) {
      runner.begin(phase);
      if (phase.scope === "module") runner.runModule(phase, funcs);
      else runner.runFuncs(phase, funcs, (fn) => before(fn.index));
      recorder?.declared(phase, module);
    }
    clock.lap("passes");
    closeDecls();
    for (const fn of funcs) {
      runner.seal(fn);
      finished.set(fn.index, fn);
    }
    funcs.forEach(makeCode);
  } else {
    for (const phase of runner.phases) {
      runner.begin(phase);
      recorder?.declared(phase, module);
    }
    closeDecls();
    makeBaseline();
    clock.lap("passes");
    // Nothing but a record wants the SSA of an interpreted module before it is called.
    if (baseline && !lazy) for (const index of indices) emitted(baseline.compile(index), undefined);
    else if ((!interpreted && !lazy) || recorder) for (const index of indices) makeCode(runPasses(index));
  }

  const code = settings.only || interpreted || lazy ? undefined : builder!.finish();
  if (!lazy) stats.codeBytes = builder!.byteLength;
  clock.lap("link");
  const history = recorder?.finish(decoded, settings.plain, stats);
  recorder = undefined;
  clock.stop();
  return {
    module,
    layout: codegen!.layout,
    target: settings.target,
    // Interpreted modules meet native code of this host alone.
    stubs: interpreted ? hostTarget()?.stubs : settings.target.stubs,
    bounds: settings.codegen.bounds,
    settings,
    code,
    compileFunc: lazy ? compileFunc : undefined,
    functions: (index) => finished.get(index) ?? history?.current.funcs[index]?.ssa ?? runPasses(index),
    stats,
    history,
  };
}

/** What went wrong in the compiler while a program runs, with the function named. A JS stack that is exhausted is the program's affair. */
function inFunction(error: unknown, index: number, module: Module): unknown {
  if (error instanceof PassError || (error instanceof RangeError && error.message.includes("call stack"))) return error;
  return new Error(`compiling ${nameOf(index, module)} failed: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

/** Charges the time since the last lap to a stage, and between start and stop to the total. */
class Clock {
  private started = performance.now();
  private last = this.started;
  constructor(private readonly ms: CompileStats["ms"]) {}
  start(): void {
    this.started = this.last = performance.now();
  }
  lap(stage: keyof CompileStats["ms"]): void {
    const now = performance.now();
    this.ms[stage] += now - this.last;
    this.last = now;
  }
  stop(): void {
    this.ms.total += performance.now() - this.started;
  }
}

function chosenFuncs({ module, funcs }: Source, only: readonly number[] | undefined): readonly FuncIndex[] {
  if (!only) {
    const missing = funcs.length < ownFuncs(module).length ? ownFuncs(module).find((index) => !funcs.includes(index)) : undefined;
    if (missing !== undefined) throw new Error(`${nameOf(missing, module)} is declared, and the text has no body of it`);
    return funcs;
  }
  for (const index of only) {
    if (!funcs.includes(index as FuncIndex)) throw new Error(`there is no function @${index} with a body in this module`);
  }
  return [...new Set(only)].sort((a, b) => a - b) as FuncIndex[];
}

/** @throws WasmError for a valid module that needs more than can be compiled. */
export function refuseUnsupported(module: Module): void {
  const simd = module.features.get("simd");
  if (simd !== undefined) throw new WasmError("unsupported", simd, "SIMD is not supported yet: this module uses v128");
}

function nameOf(index: number, module: Module): string {
  const { name } = module.funcs[index]!;
  return `@${index}${name === undefined ? "" : ` "${name}"`}`;
}

function mustVerify(step: string, index: number, module: Module, problems: readonly unknown[]): void {
  if (problems.length === 0) return;
  throw new Error(`${step} of ${nameOf(index, module)} left IR that does not verify:\n  ${problems.slice(0, 5).map(String).join("\n  ")}`);
}
