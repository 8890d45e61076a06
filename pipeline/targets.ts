// The registry of targets: one import and one entry each.
import { amd64 } from "../backends/amd64/target.js";
import { arm64 } from "../backends/arm64/target.js";
import type { Target } from "../backends/target.js";

export const targets: readonly Target[] = [amd64, arm64];

export const targetNames: readonly string[] = targets.map((target) => target.name);

/** The target whose code this process can run, if there is one. */
export function hostTarget(): Target | undefined {
  return targets.find((target) => target.stubs.architecture === process.arch);
}

/**
 * A target by its name; the host's without one.
 * @throws Error with the names there are.
 */
export function targetNamed(name?: string): Target {
  const target = name === undefined ? hostTarget() : targets.find((one) => one.name === name);
  if (!target) throw new Error(`${name === undefined ? `no target runs on this host (${process.arch})` : `there is no target "${name}"`}; there are ${targetNames.join(", ")}`);
  return target;
}
