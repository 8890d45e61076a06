// `--dump=STEP[:FUNC]`: the IR behind a step, printed (or collected as data) while the compilation runs.
//
// A step is `translate`, any pass, `lower`, `allocate` or `emit`; `all` is every one. Each function's steps come in the order they
// ran in; a pass that changed nothing is one line, unless one function behind one pass was asked for. Watches through the driver's observer, so nothing is recorded.
import type { Disassembler, Target } from "../../backends/target.js";
import type { FuncCode } from "../../ir/code.js";
import type { FuncIndex } from "../../ir/entity.js";
import type { Func } from "../../ir/func.js";
import { VmLayout } from "../../ir/layout.js";
import type { MFunc } from "../../ir/machine/mfunc.js";
import { printMFunc } from "../../ir/machine/print.js";
import type { Module } from "../../ir/module.js";
import { printFunc } from "../../ir/print.js";
import type { CompileObserver, Settings } from "../options.js";
import { printAsm } from "./asm.js";
import { codeJson, funcJson, mfuncJson, type CodeJson, type FuncJson, type MFuncJson } from "./json.js";
import { funcLabel } from "./wasm.js";

/** Steps of the driver's own, in their order around the passes. */
export const driverSteps = ["translate", "lower", "allocate", "emit"] as const;

export interface DumpRequest {
  /** A step, or `all`. */
  readonly step: string;
  /** As the user wrote it; undefined: every function. */
  readonly func: string | undefined;
}

export interface StepJson {
  readonly step: string;
  readonly func: number;
  readonly changed: boolean;
  /** Absent where nothing changed, unless this very function and step were asked for. */
  readonly ir?: FuncJson | MFuncJson | CodeJson;
}

/** The steps a compilation with these settings takes. */
export function stepsOf({ schedule }: Settings): string[] {
  const names = (passes: Settings["schedule"]["ssa"]) => passes.map((pass) => pass.name);
  return ["translate", ...names(schedule.ssa), "lower", ...names(schedule.machine), "allocate", "emit"];
}

/** `gvn`, `gvn:sum`, `all:@3`, `binaryen:O2:sum`. @throws Error that lists the steps there are. */
export function parseDumpRequest(text: string, steps: readonly string[]): DumpRequest {
  const known = (name: string) => name === "all" || steps.includes(name);
  if (known(text)) return { step: text, func: undefined };
  // Names of passes may hold a colon, names of functions too: the first split that gives a step.
  for (let colon = text.indexOf(":"); colon >= 0; colon = text.indexOf(":", colon + 1)) {
    const step = text.slice(0, colon);
    if (known(step) && colon + 1 < text.length) return { step, func: text.slice(colon + 1) };
  }
  throw new Error(`--dump wants a step and perhaps a function (gvn, all, gvn:main), not "${text}"; the steps are all, ${[...new Set(steps)].join(", ")}`);
}

interface Wanted {
  readonly step: string;
  readonly func: FuncIndex | undefined;
}

const exact = (request: Wanted) => request.step !== "all" && request.func !== undefined;

export class StepDump implements CompileObserver {
  /** What was dumped, as data; filled only where no text is asked for. */
  readonly collected: StepJson[] = [];
  private module: Module | undefined;
  private wanted: readonly Wanted[] = [];

  /**
   * @param findFunc a function as a user names it. @param disassembler needed when `emit` is asked for.
   * @param write receives text, function by function; undefined: data is collected instead.
   */
  constructor(
    private readonly requests: readonly DumpRequest[],
    private readonly findFunc: (module: Module, name: string) => FuncIndex,
    private readonly target: Target,
    private readonly disassembler: Disassembler | undefined,
    private readonly write: ((text: string) => void) | undefined,
  ) {}

  begin(module: Module): void {
    this.module = module;
    this.wanted = this.requests.map(({ step, func }) => ({ step, func: func === undefined ? undefined : this.findFunc(module, func) }));
  }

  ssa(fn: Func, pass: string, changed: boolean): void {
    const request = this.request(pass, fn.index);
    if (request) this.emitStep(pass, fn.index, changed, exact(request), () => printFunc(fn, this.module), () => funcJson(fn));
  }

  machine(mfn: MFunc, step: string): void {
    if (!this.request(step, mfn.index)) return;
    this.emitStep(step, mfn.index, true, true, () => printMFunc(mfn, this.target, { comment: this.target.describe }), () => mfuncJson(mfn, this.target));
  }

  code(code: FuncCode): void {
    if (!this.request("emit", code.func as FuncIndex)) return;
    const module = this.module!;
    const { target, disassembler } = this;
    if (!disassembler) throw new Error("dumping code needs a disassembler");
    this.emitStep("emit", code.func, true, true, () => printAsm(code, module, new VmLayout(module), target, disassembler), () => codeJson(code, module, target, disassembler));
  }

  /** The most exact request that this step of this function meets. */
  private request(step: string, index: FuncIndex): Wanted | undefined {
    const met = this.wanted.filter((one) => (one.step === "all" || one.step === step) && (one.func === undefined || one.func === index));
    return met.find(exact) ?? met[0];
  }

  /** @param whole the IR is shown although nothing changed. */
  private emitStep(step: string, func: number, changed: boolean, whole: boolean, text: () => string, json: () => NonNullable<StepJson["ir"]>): void {
    if (!this.write) {
      this.collected.push({ step, func, changed, ...((changed || whole) && { ir: json() }) });
      return;
    }
    const label = funcLabel(this.module!, func as FuncIndex);
    this.write(`; ---- ${label} behind ${step}${changed ? "" : ": nothing changed"}\n${changed || whole ? text() : ""}`);
  }
}
