// The reference interpreter over SSA. Being written: the signatures stand, `decode` and `run` follow.
import type { InterpCallee } from "./interp-env.js";
import { RegFile } from "./interp-env.js";
import type { Func } from "./func.js";
import type { Module } from "./module.js";

/** One function in directly executable form; made by `decode`, immutable, shared by all instances. */
export interface InterpCode {
  readonly fn: Func;
}

/** One thread of execution: its register file and its depth. Nested runs (through host functions) share one. */
export class InterpThread {
  readonly file = new RegFile();
  /** First free slot: where the next outermost call's arguments go. */
  top = 0;
  depth = 0;
  constructor(readonly maxDepth = 20000) {}
}

/** @throws Error while the interpreter is not there. */
export function decode(fn: Func, module: Module): InterpCode {
  void module;
  return { fn };
}

/**
 * Calls a function: put the arguments in slots `thread.top`.. of `thread.file` (after `file.ensure`), find the results in the same place.
 * @throws InterpTrap; whatever a host function threw.
 */
export function run(thread: InterpThread, callee: InterpCallee): void {
  void callee;
  throw new Error(`interpreter: not there yet (${thread.depth})`);
}
