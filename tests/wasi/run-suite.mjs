// The official suite of WASI preview 1 through `lathe run`: passed/total, and each failure with its reason.
//
//   npm run build && node tests/wasi/run-suite.mjs FOLDER [PART-OF-A-NAME] [-- COMMAND ...]
//
// FOLDER is a checkout of WebAssembly/wasi-testsuite, branch prod/testsuite-base. COMMAND stands for ours to see what another
// runtime does; it must take `--env K=V --dir HOST::GUEST FILE ARGS`. Exit code 1 if anything fails.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const SECONDS = 30;

const separator = process.argv.indexOf("--");
const [folder, part = ""] = process.argv.slice(2, separator < 0 ? undefined : separator);
const command = separator < 0 ? [process.execPath, fileURLToPath(new URL("../../dist/cli.js", import.meta.url)), "run"] : process.argv.slice(separator + 1);
if (!folder || !existsSync(folder)) {
  console.error("usage: node tests/wasi/run-suite.mjs FOLDER [PART-OF-A-NAME] [-- COMMAND ...]");
  process.exit(2);
}

/** Every `*.wasm` below a folder of modules for preview 1. */
function modules(directory) {
  return readdirSync(directory, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".wasm") && name.includes("wasm32-wasip1"))
    .map((name) => path.join(directory, name))
    .sort();
}

/** What earlier runs have left: the suite marks it by its name. */
function cleanUp(root) {
  for (const name of readdirSync(root)) if (name.endsWith(".cleanup")) rmSync(path.join(root, name), { recursive: true });
}

/** Why a module failed; undefined if it passed. */
function failure(file) {
  const specification = file.replace(/\.wasm$/, ".json");
  const { args = [], env = {}, root, exit_code: code = 0, stdout, stderr } = existsSync(specification) ? JSON.parse(readFileSync(specification, "utf8")) : {};
  const directory = root && path.join(path.dirname(file), root);
  if (directory) cleanUp(directory);
  const options = [...Object.entries(env).flatMap(([name, value]) => ["--env", `${name}=${value}`]), ...(directory ? ["--dir", `${directory}::/`] : [])];
  const ran = spawnSync(command[0], [...command.slice(1), ...options, file, ...args], { encoding: "utf8", timeout: SECONDS * 1000 });
  if (directory) cleanUp(directory);
  if (ran.error) return String(ran.error);
  const said = ran.stderr.trim();
  if (ran.status !== code) return `exit code ${ran.status ?? ran.signal}, expected ${code}${said ? `\n${said}` : ""}`;
  if (stdout !== undefined && ran.stdout !== stdout) return `stdout ${JSON.stringify(ran.stdout)}, expected ${JSON.stringify(stdout)}`;
  if (stderr !== undefined && ran.stderr !== stderr) return `stderr ${JSON.stringify(ran.stderr)}, expected ${JSON.stringify(stderr)}`;
  return undefined;
}

const files = modules(folder).filter((file) => file.includes(part));
let passed = 0;
for (const file of files) {
  const reason = failure(file);
  if (reason === undefined) passed++;
  else console.log(`FAIL ${path.relative(folder, file)}: ${reason.replaceAll("\n", "\n     ")}`);
}
console.log(`${passed}/${files.length} passed`);
process.exitCode = passed === files.length && files.length > 0 ? 0 : 1;
