// The registry of targets: one line each, by Node's name of the architecture they run on.
import { amd64 } from "../backends/amd64/target.js";
import type { Target } from "../backends/target.js";

const targets: Readonly<Partial<Record<NodeJS.Architecture, Target>>> = { x64: amd64 };

export const targetNames: readonly string[] = Object.values(targets).map((target) => target.name);

/** The target this process can run. Throws where there is none. */
export function hostTarget(): Target {
  const target = targets[process.arch];
  if (!target) throw new Error(`no backend for this host's architecture (${process.arch}); there are ${targetNames.join(", ")}`);
  return target;
}

/** @throws Error with the names there are. */
export function targetNamed(name: string): Target {
  const target = Object.values(targets).find((one) => one.name === name);
  if (!target) throw new Error(`there is no target "${name}"; there are ${targetNames.join(", ")}`);
  return target;
}
