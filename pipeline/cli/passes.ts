// `lathe passes`: what passes there are, in which pipelines they stand, what they demand, which options they take.
import { passes as registry } from "../../passes/index.js";
import { pipelines } from "../pipelines.js";
import { heading, print } from "./terminal.js";

export function listPasses(): void {
  for (const pass of registry) {
    const levels = pipelines.flatMap((list, level) => (list.includes(pass.name) ? [`O${level}`] : []));
    heading(pass.name);
    print(`  ${pass.summary}`);
    print(`  ${pass.stage}, a ${pass.scope === "func" ? "function" : "module"} at a time; in ${levels.length > 0 ? levels.join(" ") : "no pipeline"}`);
    if (pass.required) print(`  required${pass.required.canDisable ? " (may be switched off)" : ""}: ${pass.required.why}`);
    for (const order of pass.after ?? []) print(`  after ${order.pass}: ${order.why}`);
    for (const order of pass.before ?? []) print(`  before ${order.pass}: ${order.why}`);
    for (const [name, option] of Object.entries(pass.options ?? {})) print(`  option ${name} (default ${String(option.default)}): ${option.summary}`);
  }
  print("");
  pipelines.forEach((list, level) => print(`O${level}: ${list.join(" ")}`));
  print("binaryen:NAME runs a pass of binaryen over the module's bytes, such as binaryen:O2");
}
