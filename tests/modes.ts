// Our engines by mode, for every test program: options of the public API, seen through `Engine`.
import { v8Engine } from "./v8.js";
import type { Pass } from "../passes/pass.js";
import type { Engine } from "./engine.js";
import { latheEngine } from "./lathe.js";

export const modes = ["native", "explicit", "O0", "O1", "baseline", "baseline-explicit", "nofeatures", "lazy", "tiers", "interp", "v8"] as const;
export type Mode = (typeof modes)[number];

export function isMode(name: string): name is Mode {
  return (modes as readonly string[]).includes(name);
}

const engines = new Map<string, Engine>();

/** @param passes further passes for every module; not for V8. */
export async function engineFor(name: string, passes: readonly Pass[] = []): Promise<Engine> {
  if (!isMode(name)) throw new Error(`unknown mode "${name}"`);
  if (passes.length > 0) return name === "v8" ? v8Engine : latheEngine(name, { passes, verify: true });
  let engine = engines.get(name);
  if (!engine) engines.set(name, (engine = name === "v8" ? v8Engine : latheEngine(name)));
  return engine;
}
