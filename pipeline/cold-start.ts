// When V8 optimizes functions, in a program that has just started.
//
// V8 optimizes a function once it has run through so many bytes of bytecode, its interrupt budget, on threads of its own. In the first second most
// such functions are those of the compiler, and many have done their work before their optimized code arrives: on a machine with few processors
// that takes more from the program than it gives. So there the budget is larger for that long, for all functions of the process.
// Measured on seven npm packages on two shared cores, cold: processor time of all threads 0.7 to 0.85, whole time 0.65 to 0.9, the main thread's 1.02 to 1.1.
import { availableParallelism } from "node:os";
import { setFlagsFromString } from "node:v8";

/** V8's own budget by the beginning of its version, where it has that flag: Node 20. Later ones count calls, and have a compiler in between. */
const budgets: Readonly<Record<string, number>> = { "11.3.": 67584 };
/** With more processors V8's threads take nothing from the program. */
const FEW_PROCESSORS = 4;
const COLD_BUDGET = 400_000;
const COLD_MS = 1000;

/**
 * To be called once, behind the first script that comes with bytecode: V8 takes bytecode only under the flags under which it was made, those it has when
 * it first looks. Keeps no program from ending, and leaves alone what its user has chosen.
 */
export function startCold(): void {
  const budget = Object.entries(budgets).find(([version]) => process.versions.v8.startsWith(version))?.[1];
  const chosen = [...process.execArgv, process.env["NODE_OPTIONS"] ?? ""].some((option) => /interrupt[-_]budget/.test(option));
  if (budget === undefined || chosen || availableParallelism() > FEW_PROCESSORS) return;
  setFlagsFromString(`--interrupt-budget=${COLD_BUDGET}`);
  setTimeout(() => setFlagsFromString(`--interrupt-budget=${budget}`), COLD_MS).unref();
}
