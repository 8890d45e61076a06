// The options of a compilation: what they mean, their defaults, and what is refused.
import type { Func } from "../ir/func.js";
import type { FuncCode } from "../ir/code.js";
import type { MFunc } from "../ir/machine/mfunc.js";
import type { Module } from "../ir/module.js";
import type { CodegenOptions, Target } from "../backends/target.js";
import { binaryenPass } from "../passes/binaryen.js";
import { passes as registry } from "../passes/index.js";
import { checkPass, type OptionValue, type Pass } from "../passes/pass.js";
import { isPassFile } from "./user-passes.js";
import { pipelines, type CodeLevel } from "./pipelines.js";
import { schedule, scheduleBehind, type Schedule } from "./schedule.js";
import { hostTarget, targetNamed, targets } from "./targets.js";

/** Called as functions pass by, for whoever wants to look: nothing may be changed, and nothing kept without a copy. */
export interface CompileObserver {
  /** Before the first function. Passes may still edit the declarations; behind the last one they are `Compilation.module`. */
  begin?(module: Module): void;
  /** Behind translation (`pass` is "translate") and behind every SSA pass. */
  ssa?(fn: Func, pass: string, changed: boolean): void;
  /** Behind lowering ("lower") and every machine pass, on virtual registers; behind "allocate" on registers and slots. */
  machine?(mfn: MFunc, step: string): void;
  /** `mfn`: undefined from the baseline compiler, which has none. */
  code?(code: FuncCode, mfn: MFunc | undefined): void;
}

export interface CompileOptions {
  /**
   * How much is spent on the code: 0 least, 2 (default) most. Chooses the pipeline and the register allocator. `baseline`: less still, code
   * straight from the bytes, without IR and hence without passes; for modules from bytes, on CPUs that the target's baseline compiler serves.
   */
  level?: CodeLevel;
  /**
   * How accesses outside of a memory are found: `guard` (default) lets them fault on unmapped pages, which takes 8 GiB of address
   * space a memory; `explicit` compares every address.
   */
  bounds?: "guard" | "explicit";
  /** `native` (default), or `interpreter`: no code is made, the reference interpreter runs the SSA behind the passes. */
  engine?: "native" | "interpreter";
  /** Name of the instruction set, of `targetNames`: the host's by default. Code for another one can be made but not run. */
  target?: string;
  /** CPU features that the code may use, by the target's names. Default: what this host's CPU has. */
  features?: readonly string[];
  /**
   * Further passes: names of the registry, `binaryen:<pass>` such as `binaryen:O2`, passes of your own, or (`compile` only) files
   * that export them, `./my-pass.mjs,key=value`. Each gets the earliest place its constraints allow.
   */
  passes?: readonly (Pass | string)[];
  /** All passes, in order, in place of the level's pipeline. */
  pipeline?: readonly (Pass | string)[];
  /**
   * Run only the passes behind this one (`gvn#1`: behind its first run; `translate`: all): the module is IR as text that a compilation
   * with the same passes left there.
   */
  startAfter?: string;
  /** Names of passes to leave out. */
  disable?: readonly string[];
  /** Options of passes: by pass name, then by option name; `lathe passes` lists them. */
  passOptions?: Readonly<Record<string, Readonly<Record<string, OptionValue>>>>;
  /** Milliseconds that one run of a pass of your own may take, over one function or over the module. Default 30,000. */
  passTimeout?: number;
  /** Where passes came from, absolute paths by name: how the command that replays a failure calls them. */
  passFiles?: Readonly<Record<string, string>>;
  /**
   * Compile each function at its first call; the whole module is validated up front all the same. Where neither level nor passes are
   * given, that is by the baseline compiler, and functions that run much are compiled again at level 2. Default: for modules with more than
   * 16 KiB of function bodies, made for this host, if no pass of your own is there and nobody looks (`verify`, `check`, `observe`). What needs
   * all functions at once (`record`, `only`, a pass of scope `module`) compiles them at once. The `WebAssembly` object is lazy for modules of
   * every size.
   */
  lazy?: boolean;
  /** Entries and turns of loops, for each byte of its body, after which such a function is compiled again. Default 8000: some milliseconds. */
  tierUpAfter?: number;
  /** Verify the IR behind every pass, lowering and allocation. Default false: costs about as much as the passes. */
  verify?: boolean;
  /** Prove every register allocation by the symbolic checker. Default false. */
  check?: boolean;
  /** Keep the module's state behind every pass: `Compilation.history`. Default false; holds all functions in memory. */
  record?: boolean;
  /** Compile only these functions (indices in the module's function space). What results can be looked at, not run. */
  only?: readonly number[];
  observe?: CompileObserver;
  /** Source map for backtraces: the object, its JSON text, a path, a `file:` or a `data:` URL. Default: what the module brings, DWARF line tables or a `sourceMappingURL`. */
  sourceMap?: string | object;
  /** Directory for the IR of a failing pass. Default: a new one under the OS's temporary directory. */
  dumpDir?: string;
}

/** Options with every default filled in, passes in place. */
export interface Settings {
  readonly target: Target;
  readonly codegen: CodegenOptions;
  /** Code is made by the target's baseline compiler. */
  readonly baseline: boolean;
  readonly engine: "native" | "interpreter";
  /** Undefined: by the module's size. */
  readonly lazy: boolean | undefined;
  readonly schedule: Schedule;
  /** Where functions that are compiled lazily start, when that is not where they end. */
  readonly firstSchedule: Schedule | undefined;
  readonly tierUpAfter: number;
  readonly passOptions: NonNullable<CompileOptions["passOptions"]>;
  readonly passTimeout: number | undefined;
  readonly passFiles: CompileOptions["passFiles"];
  readonly verify: boolean;
  readonly check: boolean;
  readonly record: boolean;
  readonly only: readonly number[] | undefined;
  readonly observe: CompileObserver | undefined;
  readonly sourceMap: string | object | undefined;
  readonly dumpDir: string | undefined;
  /** What a history keeps of the options: plain data. */
  readonly plain: Readonly<Record<string, unknown>>;
}

/**
 * @param hostFeatures asked only when `features` is not given and the target is the host's.
 * @throws Error on unknown targets, features, passes or options; ScheduleError on a pipeline that cannot run as written.
 */
export function resolveOptions(options: CompileOptions, hostFeatures: (target: Target) => readonly string[]): Settings {
  const codeLevel = options.level ?? 2;
  if (codeLevel !== "baseline" && codeLevel !== 0 && codeLevel !== 1 && codeLevel !== 2) throw new Error(`level is 0, 1, 2 or "baseline", not ${JSON.stringify(codeLevel)}`);
  const baseline = codeLevel === "baseline";
  const level = baseline ? 0 : codeLevel;
  const bounds = options.bounds ?? "guard";
  if (bounds !== "guard" && bounds !== "explicit") throw new Error(`bounds is "guard" or "explicit", not ${JSON.stringify(bounds)}`);
  const engine = options.engine ?? "native";
  if (engine !== "native" && engine !== "interpreter") throw new Error(`engine is "native" or "interpreter", not ${JSON.stringify(engine)}`);
  // What is interpreted needs no target, so that hosts without one can interpret.
  const target = engine === "interpreter" && options.target === undefined && !hostTarget() ? targets[0]! : targetNamed(options.target);
  const features = options.features ?? (target === hostTarget() ? hostFeatures(target) : []);
  for (const name of features) {
    if (!target.features.includes(name)) throw new Error(`${target.name} has no CPU feature "${name}"; known are ${target.features.join(", ") || "none"}`);
  }

  const { passTimeout } = options;
  if (passTimeout !== undefined && !(typeof passTimeout === "number" && passTimeout > 0)) throw new Error(`passTimeout is a number of milliseconds above 0, not ${JSON.stringify(passTimeout)}`);

  const known = new Map(registry.map((pass) => [pass.name, pass]));
  const own = new Map<string, Pass>();
  const nameOf = (pass: Pass | string): string => {
    if (typeof pass === "string") {
      if (isPassFile(pass)) throw new Error(`"${pass}" is a file: compile() loads it, compileSync() needs the pass itself (await loadPasses(file))`);
      if (pass.startsWith("binaryen:") && !own.has(pass)) own.set(pass, binaryenPass(pass.slice("binaryen:".length)));
      return pass;
    }
    checkPass(pass);
    // A pass of the registry given as an object is that pass; another one under its name is refused by the schedule.
    if (known.get(pass.name) !== pass && own.get(pass.name) !== pass) {
      if (own.has(pass.name)) throw new Error(`two passes are named "${pass.name}"`);
      own.set(pass.name, pass);
    }
    return pass.name;
  };
  const pipeline = options.pipeline?.map(nameOf) ?? pipelines[level]!;
  const extra = options.passes?.map(nameOf) ?? [];
  const passOptions = options.passOptions ?? {};
  for (const name of Object.keys(passOptions)) {
    if (!known.has(name) && !own.has(name)) throw new Error(`passOptions: there is no pass "${name}"`);
  }
  if (baseline) refuseWithBaseline(options);
  const disable = options.disable ?? [];
  const asWritten = !options.pipeline && extra.length === 0 && disable.length === 0;
  const whole = schedule({ passes: [...registry, ...own.values()], pipeline, extra, disable, checked: asWritten });
  const plan = options.startAfter === undefined ? whole : scheduleBehind(whole, options.startAfter);
  const tierUpAfter = options.tierUpAfter ?? 8000;
  if (!(typeof tierUpAfter === "number" && tierUpAfter >= 0)) throw new Error(`tierUpAfter is a number from 0 on, not ${String(tierUpAfter)}`);
  const tiered = options.level === undefined && options.startAfter === undefined && asWritten;
  return {
    target,
    codegen: { level, bounds, features: new Set(features) },
    baseline,
    engine,
    lazy: options.lazy ?? (options.verify || options.check || options.observe || target !== hostTarget() ? false : undefined),
    schedule: plan,
    firstSchedule: tiered ? schedule({ passes: registry, pipeline: pipelines[0]!, checked: true }) : undefined,
    tierUpAfter,
    passOptions,
    passTimeout,
    passFiles: options.passFiles,
    verify: options.verify ?? false,
    check: options.check ?? false,
    record: options.record ?? false,
    only: options.only,
    observe: options.observe,
    sourceMap: options.sourceMap,
    dumpDir: options.dumpDir,
    plain: {
      level: codeLevel,
      bounds,
      target: target.name,
      features: [...features],
      passes: [...plan.wasm, ...plan.ssa, ...plan.machine].map((pass) => pass.name),
    },
  };
}

/** @throws Error that names an option for which there must be IR. */
function refuseWithBaseline(options: CompileOptions): void {
  const needIr = (["passes", "pipeline", "startAfter", "disable", "passOptions", "record"] as const).find((name) => {
    const value = options[name];
    return Array.isArray(value) ? value.length > 0 : typeof value === "object" ? Object.keys(value).length > 0 : value !== undefined && value !== false;
  });
  if (needIr) throw new Error(`level "baseline" makes no IR, so there is nothing for "${needIr}": use level 0, 1 or 2`);
}
