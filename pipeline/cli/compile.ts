// `lathe compile`: compiles everything, runs nothing, and tells what it cost.
import { compile } from "../index.js";
import type { CompileStats } from "../stats.js";
import { compileOptions } from "./compile-options.js";
import { readInput, type CompilerFlags } from "./input.js";
import { print } from "./terminal.js";

export interface CompileFlags extends CompilerFlags {
  stats: boolean;
  verify: boolean;
  check: boolean;
}

export async function compileOnly(file: string, flags: CompileFlags): Promise<void> {
  const { stats } = await compile(readInput(file), { ...compileOptions(flags), verify: flags.verify, check: flags.check });
  if (flags.stats) printStats(stats);
  else print(`${stats.functions} functions, ${stats.bodyBytes} bytes of bodies => ${stats.codeBytes} bytes of code in ${stats.ms.total.toFixed(0)} ms`);
}

function printStats(stats: CompileStats): void {
  const mb = (bytes: number) => `${(bytes / 1e6).toFixed(3)} MB`;
  const row = (name: string, value: string, more = "") => print(`  ${name.padEnd(22)} ${value.padStart(12)}${more && `   ${more}`}`);
  const total = stats.ms.total;
  const share = (ms: number) => `${total > 0 ? ((ms / total) * 100).toFixed(1) : "0.0"} %`;
  print("what");
  row("functions", String(stats.functions));
  row("module", mb(stats.moduleBytes));
  row("bodies", mb(stats.bodyBytes));
  row("code", mb(stats.codeBytes), stats.bodyBytes > 0 ? `${(stats.codeBytes / stats.bodyBytes).toFixed(2)} x the bodies` : "");
  row("SSA instructions", String(stats.ssaInsts));
  row("machine instructions", String(stats.machineInsts));
  row("peak memory", `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB`);
  print("stage");
  for (const [stage, ms] of Object.entries(stats.ms)) {
    if (stage !== "total") row(stage, `${ms.toFixed(1)} ms`, share(ms));
  }
  row("total", `${total.toFixed(1)} ms`, total > 0 ? `${(stats.bodyBytes / 1e6 / (total / 1000)).toFixed(2)} MB of bodies a second` : "");
  print("pass");
  for (const pass of stats.passes) {
    const counts = Object.entries(pass.counts).map(([name, n]) => `${name} ${n}`).join(", ");
    row(pass.name, `${pass.ms.toFixed(1)} ms`, `changed ${pass.changed} of ${pass.runs}${counts && `; ${counts}`}`);
  }
}
