// One test file in a process of its own: `node run-file.mjs FOLDER FILE`. Prints `{ results, failure }` as one line of JSON:
// `failure` is set when the file as a whole could not run to its end.
//
// Scripts run one after the other in the global scope, as a browser runs them; `// META: script=` names those that come first.
import { readFileSync } from "node:fs";
import path from "node:path";
import vm from "node:vm";
import { newHarness } from "./shim.mjs";

const [folder, file] = process.argv.slice(2);
const harness = newHarness();
Object.assign(globalThis, harness.globals, { self: globalThis });

function run(name) {
  const text = readFileSync(path.join(folder, name), "utf8");
  vm.runInThisContext(text, { filename: name });
}

let failure;
try {
  for (const [, script] of readFileSync(path.join(folder, file), "utf8").matchAll(/^\/\/ META: script=(.*)$/gm)) {
    const absolute = script.startsWith("/wasm/jsapi/");
    run(absolute ? script.slice("/wasm/jsapi/".length) : path.join(path.dirname(file), script));
  }
  run(file);
} catch (error) {
  failure = `${error?.name}: ${error?.message}`;
}
const results = await harness.finish();
process.stdout.write(`${JSON.stringify({ results, failure })}\n`, () => process.exit(0));
