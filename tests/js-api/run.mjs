// The official JS API tests: `node tests/js-api/run.mjs FOLDER [--engine v8|lathe] [--filter PART]`.
//
// FOLDER is test/js-api of a checkout of WebAssembly/spec; nothing of it is kept here. Each `.any.js` file runs in a process of
// its own. Prints passed/total by folder and every failure with its reason. Exit code 1 when a file that needs nothing but
// Wasm 2.0 has a failure. Needs `node build.mjs`.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const here = path.dirname(fileURLToPath(import.meta.url));
const register = path.join(here, "../../dist/register.js");

/** Files that need more than Wasm 2.0, or more than is sensible: their failures do not count. */
const beyond = /^(gc|js-string|exception|tag)\/|memory64|^limits\./;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { engine: { type: "string", default: "lathe" }, filter: { type: "string", default: "" }, seconds: { type: "string", default: "300" } },
});
const [folder] = positionals;
if (!folder || !existsSync(path.join(folder, "wasm-module-builder.js"))) {
  console.error("usage: node tests/js-api/run.mjs FOLDER [--engine v8|lathe] [--filter PART] [--seconds N]\nFOLDER: test/js-api of WebAssembly/spec");
  process.exit(2);
}
if (values.engine !== "v8" && values.engine !== "lathe") {
  console.error(`--engine is v8 or lathe, not ${values.engine}`);
  process.exit(2);
}
if (values.engine === "lathe" && !existsSync(register)) {
  console.error("dist/register.js is missing: node build.mjs");
  process.exit(2);
}

function runFile(file) {
  const engine = values.engine === "lathe" ? ["--import", pathToFileURL(register).href] : [];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...engine, path.join(here, "run-file.mjs"), path.resolve(folder), file], { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (errors += chunk));
    const timer = setTimeout(() => child.kill("SIGKILL"), Number(values.seconds) * 1000);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      try {
        resolve(JSON.parse(output.trim().split("\n").at(-1)));
      } catch {
        resolve({ results: [], failure: `ended by ${signal ?? `code ${code}`}: ${errors.trim().split("\n").slice(0, 3).join(" | ")}` });
      }
    });
  });
}

const files = readdirSync(folder, { recursive: true })
  .map((name) => String(name).replaceAll("\\", "/"))
  .filter((name) => name.endsWith(".any.js") && name.includes(values.filter))
  .sort();
const folders = new Map();
let counted = 0;
let index = 0;
const reports = new Array(files.length);
await Promise.all(
  Array.from({ length: 2 }, async () => {
    while (index < files.length) {
      const at = index++;
      reports[at] = await runFile(files[at]);
    }
  }),
);
files.forEach((file, i) => {
  const { results, failure } = reports[i];
  const failed = results.filter(({ error }) => error !== undefined);
  const name = path.dirname(file) === "." ? "(top)" : path.dirname(file);
  const sum = folders.get(name) ?? { passed: 0, total: 0 };
  sum.passed += results.length - failed.length;
  sum.total += results.length;
  folders.set(name, sum);
  if (!beyond.test(file)) counted += failed.length + (failure ? 1 : 0);
  if (failure) console.log(`FAIL ${file} as a whole: ${failure}`);
  for (const { name: test, error } of failed) console.log(`FAIL ${file}: ${test}: ${error}`);
});
for (const [name, { passed, total }] of folders) console.log(`${String(passed).padStart(5)} / ${String(total).padEnd(5)} ${name}`);
const sum = (pick) => [...folders.values()].reduce((n, one) => n + pick(one), 0);
console.log(`${sum((one) => one.passed)} of ${sum((one) => one.total)} passed in ${files.length} files (${values.engine}); failures in files that need only Wasm 2.0: ${counted}`);
process.exitCode = counted > 0 ? 1 : 0;
