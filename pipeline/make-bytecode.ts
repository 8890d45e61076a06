// Run by the build: draws a graph on this engine (Graphviz in WebAssembly), then keeps the bytecode V8 has by then (quick-start.ts).
//
// At level 0, level 2 and in tiers, so that a start of any kind finds what it runs.
import { writeFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { engineScript, evaluate } from "./quick-start.js";

setFlagsFromString("--no-flush-bytecode");
const engine = engineScript(import.meta.url);
if (!engine) throw new Error("the build has written no script to make bytecode of");
const { webAssembly } = evaluate(engine);
const graph = `digraph { ${Array.from({ length: 60 }, (_, i) => `n${i} -> n${(i * 7) % 60} [label="${i}"]; n${i} -> n${(i * 3 + 1) % 60};`).join(" ")} }`;
for (const options of [{}, { tierUpAfter: 0 }, { lazy: false, level: 2 }] as const) {
  Object.defineProperty(globalThis, "WebAssembly", { value: webAssembly(options), writable: true, configurable: true });
  const { instance } = await import("@viz-js/viz");
  const viz = await instance();
  viz.renderString(graph, { format: "svg" });
}
setFlagsFromString("--flush-bytecode");
writeFileSync(`${engine.stem}.bytecode`, engine.script.createCachedData());
