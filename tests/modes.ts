// Our engines by mode, for every test program: options of the public API, seen through `Engine`.
import { v8Engine } from "./v8.js";
import type { Engine } from "./engine.js";
import { latheEngine } from "./lathe.js";

export const modes = ["native", "explicit", "O0", "O1", "baseline", "interp", "v8"] as const;
export type Mode = (typeof modes)[number];

export function isMode(name: string): name is Mode {
  return (modes as readonly string[]).includes(name);
}

const engines = new Map<string, Engine>();

export async function engineFor(name: string): Promise<Engine> {
  if (!isMode(name)) throw new Error(`unknown mode "${name}"`);
  let engine = engines.get(name);
  if (!engine) engines.set(name, (engine = name === "v8" ? v8Engine : latheEngine(name)));
  return engine;
}
