// The example passes as a user has them: loaded from their files at run time, against the built package.
import { readdirSync } from "node:fs";

const folder = new URL("../../passes/examples/", import.meta.url);

/** Examples that collect something: how to get a pass that says nothing by itself. The others are their default export. */
const quiet = {
  "coverage": (exports) => exports.coverage().pass,
  "profiler": (exports) => exports.profiler().pass,
  "memory-trace": (exports) => exports.memoryTrace().pass,
  "entry-hooks": (exports) => exports.entryHooks(() => undefined),
  "constant-time": (exports) => exports.constantTime().pass,
};

/** Every example that leaves results as they are: all but add-to-sub, whose point is to change them. */
export const exampleNames = readdirSync(folder).flatMap((file) => (file.endsWith(".mjs") && file !== "add-to-sub.mjs" ? [file.slice(0, -4)] : []));

/** What the example's file exports. */
export function example(name) {
  return import(new URL(`${name}.mjs`, folder).href);
}

/** A fresh pass for one compilation. */
export async function quietExample(name) {
  if (!exampleNames.includes(name)) throw new Error(`there is no example "${name}"; there are ${exampleNames.join(", ")}`);
  const exports = await example(name);
  return quiet[name]?.(exports) ?? exports.default;
}
