// What `run`, `compile` and `dump` tell about a compilation beside their result: `--dump`, `--stats`, `--time-passes`.
//
// As text or, with `--format json`, as one JSON document behind everything else. To stdout where there is no result to
// confuse it with (`compile`), to stderr otherwise.
import { hostCpuFeatures } from "../../runtime/index.js";
import type { Compilation } from "../compile.js";
import { loadDisassembler } from "../dump/asm.js";
import { parseDumpRequest, StepDump, stepsOf, type StepJson } from "../dump/step-dump.js";
import { resolveOptions, type CompileOptions } from "../options.js";
import type { CompileStats } from "../stats.js";
import { findFunc, type ReportFlags } from "./input.js";
import { print, printCode, UsageError } from "./terminal.js";

/** What `--stats --format json` prints. Times are milliseconds. */
export interface StatsJson extends CompileStats {
  readonly peakMemoryBytes: number;
}

export class Reports {
  private readonly steps: StepDump | undefined;

  private constructor(
    private readonly flags: ReportFlags,
    steps: StepDump | undefined,
    private readonly write: (text: string) => void,
    private readonly close: () => void,
  ) {
    this.steps = steps;
  }

  /** @param write takes text with its line ends. @throws UsageError for a step that these options do not have. */
  static async prepare(flags: ReportFlags, options: CompileOptions, write: (text: string) => void): Promise<Reports> {
    if (flags.dump.length === 0) return new Reports(flags, undefined, write, () => undefined);
    const settings = resolveOptions(options, (target) => hostCpuFeatures(target.stubs));
    const steps = stepsOf(settings);
    const requests = flags.dump.map((text) => {
      try {
        return parseDumpRequest(text, steps);
      } catch (error) {
        throw new UsageError((error as Error).message);
      }
    });
    const disassembler = requests.some(({ step }) => step === "all" || step === "emit") ? await loadDisassembler(settings.target) : undefined;
    const dump = new StepDump(requests, findFunc, settings.target, disassembler, flags.format === "json" ? undefined : write);
    return new Reports(flags, dump, write, () => disassembler?.close());
  }

  /** Compile with these on top. */
  get options(): Pick<CompileOptions, "observe"> {
    return this.steps ? { observe: this.steps } : {};
  }

  /** Says what was asked for. @returns whether it said anything. */
  finish(compilation: Compilation): boolean {
    this.close();
    const { flags, write } = this;
    const stats: StatsJson = { ...compilation.stats, peakMemoryBytes: process.resourceUsage().maxRSS * 1024 };
    if (flags.format === "json") {
      const document: { dump?: readonly StepJson[]; stats?: StatsJson; passes?: CompileStats["passes"] } = {
        ...(this.steps && { dump: this.steps.collected }),
        ...(flags.stats && { stats }),
        ...(flags.timePasses && { passes: byTime(stats) }),
      };
      if (Object.keys(document).length === 0) return false;
      write(`${JSON.stringify(document)}\n`);
      return true;
    }
    if (flags.stats) write(statsTable(stats));
    if (flags.timePasses) write(timeTable(stats));
    return flags.stats || flags.timePasses || this.steps !== undefined;
  }
}

/** Where `compile` writes reports: its own output. */
export const toStdout = (text: string): void => (text.startsWith("; ----") ? printCode(text) : print(text));
/** Where `run` writes them, whose output is the program's. */
export const toStderr = (text: string): void => void process.stderr.write(text);

function byTime(stats: CompileStats): CompileStats["passes"] {
  return stats.passes.toSorted((a, b) => b.ms - a.ms);
}

function row(name: string, value: string, more = ""): string {
  return `  ${name.padEnd(22)} ${value.padStart(12)}${more && `   ${more}`}\n`;
}

function share(ms: number, total: number): string {
  return `${total > 0 ? ((ms / total) * 100).toFixed(1) : "0.0"} %`;
}

function statsTable(stats: StatsJson): string {
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(3)} MB`;
  const { total } = stats.ms;
  let out = "what\n";
  out += row("functions", String(stats.functions));
  out += row("module", mb(stats.moduleBytes));
  out += row("bodies", mb(stats.bodyBytes));
  out += row("code", mb(stats.codeBytes), stats.bodyBytes > 0 ? `${(stats.codeBytes / stats.bodyBytes).toFixed(2)} x the bodies` : "");
  out += row("SSA instructions", String(stats.ssaInsts));
  out += row("machine instructions", String(stats.machineInsts));
  out += row("peak memory", `${(stats.peakMemoryBytes / 1048576).toFixed(0)} MB`);
  out += "stage\n";
  for (const [stage, ms] of Object.entries(stats.ms)) if (stage !== "total") out += row(stage, `${ms.toFixed(1)} ms`, share(ms, total));
  out += row("total", `${total.toFixed(1)} ms`, total > 0 ? `${(stats.bodyBytes / 1e6 / (total / 1000)).toFixed(2)} MB of bodies a second` : "");
  out += "pass\n";
  for (const pass of stats.passes) {
    const counts = Object.entries(pass.counts).map(([name, n]) => `${name} ${n}`).join(", ");
    out += row(pass.name, `${pass.ms.toFixed(1)} ms`, `changed ${pass.changed} of ${pass.runs}${counts && `; ${counts}`}`);
  }
  return out;
}

/** Passes by time, most first; the share is that of the whole compilation. */
function timeTable(stats: CompileStats): string {
  const all = stats.passes.reduce((sum, pass) => sum + pass.ms, 0);
  let out = `passes by time: ${all.toFixed(1)} ms of ${stats.ms.total.toFixed(1)} ms\n`;
  for (const pass of byTime(stats)) {
    out += row(pass.name, `${pass.ms.toFixed(1)} ms`, `${share(pass.ms, stats.ms.total).padStart(6)}   ${pass.runs} runs, ${pass.changed} changed`);
  }
  return out;
}
