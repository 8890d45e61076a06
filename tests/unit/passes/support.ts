// Passes on functions in text form: what goes in, what must come out, whatever ids were given.
import * as assert from "uvu/assert";
import type { Func } from "../../../ir/func.js";
import type { Module } from "../../../ir/module.js";
import { parseModule } from "../../../ir/parse.js";
import { printFunc } from "../../../ir/print.js";
import { verifyFunc, printVerifierError } from "../../../ir/verify.js";
import { passes as registry } from "../../../passes/index.js";
import type { Pass } from "../../../passes/pass.js";
import { PassRunner } from "../../../pipeline/runner.js";
import type { PassStats } from "../../../pipeline/stats.js";

/** A module of one function of that signature, with a memory and two mutable globals beside it. */
export function moduleText(sig: string, body: string): string {
  return [
    `type t0 = ${sig}`,
    "type t1 = () -> ()",
    'import @0 = "env" "f": t1',
    'import g0 = "env" "a": mut i32',
    'import g1 = "env" "b": mut i32',
    "func @1: t0",
    "table T0: funcref, 4..4",
    "memory m0: 1..",
    "global g2: mut i32 = (i32.const 7)",
    "global g3: i32 = (i32.const 8)",
    'export "run" = @1',
    `func @1: t0 ${sig} {`,
    body,
    "}",
    "",
  ].join("\n");
}

export function parse(text: string): { module: Module; fn: Func } {
  const { module, funcs } = parseModule(text);
  const [fn] = funcs;
  if (!fn) throw new Error("the text holds no function");
  const errors = verifyFunc(fn, module);
  if (errors.length > 0) throw new Error(`the text does not verify: ${errors.map(printVerifierError).join("; ")}`);
  return { module, fn };
}

export function named(name: string): Pass {
  const pass = registry.find((one) => one.name === name);
  if (!pass) throw new Error(`no pass ${name}`);
  return pass;
}

/** Runs passes in that order, verifying behind each; functions only. */
export function runPasses(module: Module, fn: Func, names: readonly string[]): PassStats[] {
  const stats: PassStats[] = [];
  const runner = new PassRunner(module, names.map(named), [], { verify: true, passOptions: {} }, stats);
  for (const phase of runner.phases) {
    runner.begin(phase);
    runner.runFunc(phase, fn, () => undefined);
  }
  return stats;
}

/** Without comments, offsets and indentation, values and blocks numbered as they appear. */
export function normal(text: string): string {
  const ids = new Map<string, string>();
  const counts: Record<string, number> = {};
  return text
    .replace(/;[^\n]*/g, "")
    .replace(/!0x[0-9a-f]+/g, "")
    .split("\n")
    .map((line) => line.trim().replace(/\s+/g, " "))
    .filter(Boolean)
    .join("\n")
    .replace(/\b([vb])(\d+)\b/g, (id, sigil: string) => {
      let name = ids.get(id);
      if (name === undefined) {
        counts[sigil] = (counts[sigil] ?? -1) + 1;
        ids.set(id, (name = `${sigil}${counts[sigil]}`));
      }
      return name;
    });
}

/** Passes must turn one body into the other; running them again must change nothing. */
export function becomes(names: readonly string[], sig: string, before: string, after: string): void {
  const { module, fn } = parse(moduleText(sig, before));
  runPasses(module, fn, names);
  const wanted = parse(moduleText(sig, after));
  assert.is(normal(printFunc(fn)), normal(printFunc(wanted.fn)));
  const once = printFunc(fn);
  runPasses(module, fn, names);
  assert.is(printFunc(fn), once, "a second run changes nothing");
}
