// `lathe passes`: what passes there are, in which pipelines they stand, what they demand, which options they take.
import { passes as registry } from "../../passes/index.js";
import type { Pass } from "../../passes/pass.js";
import { resolveOptions } from "../options.js";
import { pipelines } from "../pipelines.js";
import { compileOptions } from "./compile-options.js";
import type { CompilerFlags } from "./input.js";
import { heading, print } from "./terminal.js";

export async function listPasses(flags: CompilerFlags): Promise<void> {
  const options = await compileOptions(flags);
  const own = [...(options.passes ?? []), ...(options.pipeline ?? [])].filter((pass): pass is Pass => typeof pass !== "string");
  // Where a pass goes: the schedule says, or says why it cannot go anywhere.
  const plan = own.length > 0 ? resolveOptions({ ...options, features: [] }, () => []).schedule : undefined;
  const order = plan && [...plan.wasm, ...plan.ssa, ...plan.machine].map((pass) => pass.name);
  for (const pass of [...new Set([...own, ...registry])]) {
    const levels = pipelines.flatMap((list, level) => (list.includes(pass.name) ? [`O${level}`] : []));
    const file = options.passFiles?.[pass.name];
    heading(pass.name);
    print(`  ${pass.summary}`);
    print(`  ${pass.stage}, a ${pass.scope === "func" ? "function" : "module"} at a time; ${file !== undefined ? `from ${file}` : `in ${levels.length > 0 ? levels.join(" ") : "no pipeline"}`}`);
    if (order && own.includes(pass)) print(`  runs ${placeOf(pass.name, order)}`);
    if (pass.required) print(`  required${pass.required.canDisable ? " (may be switched off)" : ""}: ${pass.required.why}`);
    for (const order of pass.after ?? []) print(`  after ${order.pass}: ${order.why}`);
    for (const order of pass.before ?? []) print(`  before ${order.pass}: ${order.why}`);
    for (const [name, option] of Object.entries(pass.options ?? {})) print(`  option ${name} (default ${String(option.default)}): ${option.summary}`);
  }
  print("");
  pipelines.forEach((list, level) => print(`O${level}: ${list.join(" ")}`));
  if (order) print(`with yours: ${order.join(" ")}`);
  print("binaryen:NAME runs a pass of binaryen over the module's bytes, such as binaryen:O2");
}

function placeOf(name: string, order: readonly string[]): string {
  const at = order.indexOf(name);
  const [before, after] = [order[at - 1], order[at + 1]];
  return [before === undefined ? "first" : `behind ${before}`, after === undefined ? "last" : `before ${after}`].join(", ");
}
