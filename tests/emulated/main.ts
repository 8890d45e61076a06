// `npm run arm64 [-- --quick] [-- PART ...]`: what the project runs natively, run on an emulated arm64, in two ways.
//
// Emulated code: this host's Node, whose compiled code runs in an emulated process (./code-only.ts); fast. Emulated Node: all of it is
// (./node.ts). The official suite, the fuzzer, and every test file that reaches the native runtime: found by their imports, so a new one is run
// without anybody naming it. `--quick` is what .ci/run does; it says what it leaves out. PART: only that part, of those listed at the end.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { projectRoot, testFiles } from "../bundle.js";
import { emulatedNode, missingForEmulation, nodeWithEmulatedCode } from "./node.js";

/** In a whole emulated Node under `--quick`, too: what stands on the system beneath. All else runs with emulated code there. */
const quickFolders = ["tests/unit/runtime/", "tests/unit/webassembly/", "tests/unit/wasi/", "tests/type-identity/", "tests/bench/", "tests/files.test.ts", "tests/unit/backends/"];
/** But not these. */
const slow: Readonly<Record<string, string>> = {
  "tests/unit/runtime/collect.test.ts": "memory over many rounds",
  "tests/unit/runtime/flat.test.ts": "memory over many rounds",
  "tests/unit/runtime/lifetime.test.ts": "memory over many rounds",
  "tests/unit/runtime/threads.test.ts": "threads that load the compiler from its sources",
};
/** Only in a whole emulated Node. */
const wholeOnly: Readonly<Record<string, string>> = {
  "tests/unit/runtime/flat.test.ts": "measures this process",
  "tests/unit/runtime/native-function.test.ts": "calls C functions",
  "tests/unit/runtime/threads.test.ts": "threads that share a memory",
  "tests/unit/webassembly/host-objects.test.ts": "memories on pages of the host's",
  "tests/unit/webassembly/instance.test.ts": "calls C functions",
};
/** Never run here. */
const hostOnly: Readonly<Record<string, string>> = {
  "tests/unit/backends/arm64/encode-coverage.test.ts": "makes code and runs none",
  "tests/unit/backends/arm64/loop-code.test.ts": "makes code and runs none",
  "tests/public/quick-start.test.ts": "bytecode that the build makes for this host's V8",
  "tests/unit/runtime/exec-memory.test.ts": "code memory over pages it makes up itself, which the count of flushes cannot know",
};
const SECONDS = "1800";
/** Of the fuzzer: a new one every time without. */
const seed = process.env["FUZZ_SEED"];

interface Part {
  readonly name: string;
  readonly args: readonly string[];
  /** What is emulated: a whole Node, or the compiled code of this host's. */
  readonly emulated: "Node" | "code";
  readonly quick: boolean;
}

/** Sources a file reaches by its imports, itself included. */
function reached(file: string): ReadonlySet<string> {
  const seen = new Set([file]);
  const open = [file];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const [, from] of readFileSync(path.join(projectRoot, at), "utf8").matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      const target = path.join(path.dirname(at), from!).replace(/\.js$/, ".ts");
      if (seen.has(target) || !existsSync(path.join(projectRoot, target))) continue;
      seen.add(target);
      open.push(target);
    }
  }
  return seen;
}

/** Test files that enter native code in this process; not those that start an emulator themselves. */
function nativeTests(): string[] {
  return testFiles().filter((file) => {
    if (file in hostOnly) return false;
    const sources = reached(file);
    return sources.has("runtime/exec-context.ts") && !sources.has("tests/emulated/processor.ts");
  });
}

const isQuick = (file: string): boolean => !(file in slow) && quickFolders.some((folder) => file.startsWith(folder));

function parts(): Part[] {
  const suite = (mode: string) => ["tests/start.ts", "tests/spec/main.ts", "--mode", mode];
  const tests = nativeTests();
  for (const file of [...Object.keys(slow), ...Object.keys(wholeOnly)]) {
    if (!tests.includes(file)) throw new Error(`${file} is not among the tests that run code: correct the table`);
  }
  return [
    ...["native", "explicit", "O0", "O1", "baseline", "baseline-explicit", "lazy", "tiers"].map((mode): Part => ({ name: `code-suite-${mode}`, args: suite(mode), emulated: "code", quick: true })),
    { name: "code-tests", args: ["tests/run.ts", ...tests.filter((file) => !(file in wholeOnly))], emulated: "code", quick: true },
    { name: "code-fuzz", args: ["tests/start.ts", "tests/fuzz/main.ts", "--count", "60", ...(seed === undefined ? [] : ["--seed", seed])], emulated: "code", quick: true },
    { name: "suite-native", args: suite("native"), emulated: "Node", quick: true },
    { name: "tests", args: ["tests/run.ts", ...tests.filter(isQuick)], emulated: "Node", quick: true },
    { name: "suite-explicit", args: suite("explicit"), emulated: "Node", quick: false },
    { name: "suite-baseline", args: suite("baseline"), emulated: "Node", quick: false },
    { name: "suite-O0", args: suite("O0"), emulated: "Node", quick: false },
    { name: "suite-tiers", args: suite("tiers"), emulated: "Node", quick: false },
    { name: "other-tests", args: ["tests/run.ts", ...tests.filter((file) => !isQuick(file))], emulated: "Node", quick: false },
  ];
}

function main(args: readonly string[]): void {
  const quick = args.includes("--quick");
  const names = args.filter((arg) => !arg.startsWith("--"));
  const missing = missingForEmulation();
  if (missing !== undefined) {
    console.log(`note: no emulated arm64 Node (${missing}): nothing was run`);
    console.log("0 passed, 0 failed, 1 skipped");
    process.exitCode = process.env["CI"] === "true" ? 1 : 0;
    return;
  }
  const nodes = { Node: emulatedNode(), code: nodeWithEmulatedCode() };
  const all = parts();
  const chosen = all.filter((part) => (names.length === 0 || names.includes(part.name)) && (part.quick || !quick));
  const unknown = names.find((name) => !all.some((part) => part.name === name));
  if (unknown !== undefined) {
    console.error(`there is no part "${unknown}"; there are ${all.map((part) => part.name).join(", ")}`);
    process.exitCode = 2;
    return;
  }
  const rows: string[] = [];
  let failed = chosen.length === 0;
  for (const part of chosen) {
    console.log(`\n== arm64, emulated ${part.emulated}: ${part.name}`);
    const started = performance.now();
    const { status } = spawnSync(process.execPath, ["--import", "tsx", ...part.args], { cwd: projectRoot, stdio: "inherit", env: { ...process.env, TEST_NODE: nodes[part.emulated], TEST_SECONDS: SECONDS } });
    rows.push(`${part.name}: ${status === 0 ? "passed" : "FAILED"}, ${((performance.now() - started) / 1000).toFixed(0)} s`);
    failed ||= status !== 0;
  }
  console.log(`\narm64, emulated (qemu-user, Cortex-A53; no hardware):\n  ${rows.join("\n  ")}`);
  if (quick) {
    console.log(`left out, in an emulated Node: ${all.filter((part) => !part.quick).map((part) => part.name).join(", ")}`);
    const unseen = Object.entries(wholeOnly).filter(([file]) => !isQuick(file));
    console.log(`left out in both ways: ${unseen.map(([file, why]) => `${file} (${why})`).join(", ")}`);
    console.log("all of it: npm run arm64");
  }
  process.exitCode = failed ? 1 : 0;
}

main(process.argv.slice(2));
