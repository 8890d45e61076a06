// The pipelines, written out: what runs, in the order in which it runs. The order is checked (schedule.ts), never computed.
//
// O0 does what code needs; O1 removes what is plainly superfluous; O2 also looks across blocks. Names are those of the
// registry (passes/index.ts). A name may stand more than once.

export type Level = 0 | 1 | 2;
/** `baseline`: straight from the bytes to code, by the target's baseline compiler; no IR, no passes. */
export type CodeLevel = Level | "baseline";

export const O0: readonly string[] = [
  "canonicalize-types",
  "unreachable-code",
  "critical-edges",
  "block-layout",
];

export const O1: readonly string[] = [
  "canonicalize-types",
  "unreachable-code",
  "simplify",
  "copy-fold",
  "block-params",
  "merge-blocks",
  "dce",
  "critical-edges",
  "block-layout",
];

export const O2: readonly string[] = [
  "canonicalize-types",
  "unreachable-code",
  "simplify",
  "copy-fold",
  "block-params",
  "merge-blocks",
  "loop-invariants",
  "gvn",
  "address-groups",
  "dce",
  "critical-edges",
  "block-layout",
];

export const pipelines: readonly (readonly string[])[] = [O0, O1, O2];
