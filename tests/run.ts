// The test command: runs every `*.test.ts` under tests/ in a process of its own, two at a time, and sums up.
//
// `node --import tsx tests/run.ts [PART-OF-A-PATH ...]`. All files are bundled by esbuild first (one pass, fast; const
// enums are inlined as they are in dist). A file fails when a test in it fails, when it ends by a signal, when it runs past its
// time limit, and when it ends without having printed uvu's totals. The last line is `N passed, N failed, N skipped`.
import { spawn } from "node:child_process";
import path from "node:path";
import { bundle, projectRoot, testFiles } from "./bundle.js";

const LIMIT_SECONDS = Number(process.env["TEST_SECONDS"] ?? 240);
const PARALLEL = 2;

interface Outcome {
  file: string;
  passed: number;
  failed: number;
  skipped: number;
  seconds: number;
  output: string;
  /** Why the file failed as a whole, if it did. */
  reason: string | undefined;
}

function total(output: string, label: string): number | undefined {
  const found = new RegExp(`^  ${label}:\\s+(\\d+)`, "m").exec(output);
  return found ? Number(found[1]) : undefined;
}

function runFile(file: string, script: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.env["TEST_NODE"] ?? process.execPath, ["--enable-source-maps", script], {
      cwd: projectRoot,
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let late = false;
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, LIMIT_SECONDS * 1000);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const all = total(output, "Total");
      const passed = total(output, "Passed") ?? 0;
      const skipped = total(output, "Skipped") ?? 0;
      let failed = (all ?? passed) - passed;
      let reason: string | undefined;
      if (late) reason = `still running after ${LIMIT_SECONDS} s`;
      else if (signal) reason = `ended by ${signal}`;
      else if (all === undefined) reason = `ended with code ${code} before its tests were counted`;
      else if (code !== 0 && failed === 0) reason = `ended with code ${code}`;
      else if (all === 0 && skipped === 0) reason = "has no tests";
      if (reason) failed++;
      resolve({ file, passed, failed, skipped, seconds: (performance.now() - started) / 1000, output, reason });
    });
  });
}

async function main(): Promise<void> {
  const filters = process.argv.slice(2);
  const files = testFiles().filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)));
  const scripts = await bundle(files);
  const outcomes: Outcome[] = [];
  let next = 0;
  const worker = async () => {
    while (next < files.length) {
      const i = next++;
      const outcome = await runFile(files[i]!, scripts[i]!);
      outcomes.push(outcome);
      const mark = outcome.failed > 0 ? "FAIL" : "ok  ";
      const skipped = outcome.skipped > 0 ? `, ${outcome.skipped} skipped` : "";
      console.log(`${mark} ${outcome.file}  ${outcome.passed} passed${skipped}  ${outcome.seconds.toFixed(1)} s`);
      // A file may say in one line what it left out, and why.
      for (const note of outcome.output.matchAll(/^note: .*$/gm)) console.log(`     ${note[0]}`);
      if (outcome.failed > 0) {
        if (outcome.reason) console.log(`     ${path.basename(outcome.file)}: ${outcome.reason}`);
        console.log(outcome.output.split("\n").map((line) => `     | ${line}`).join("\n"));
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));

  const failures = outcomes.filter((o) => o.failed > 0);
  if (failures.length > 0) console.log(`\nFailed files:\n${failures.map((o) => `  ${o.file}`).join("\n")}`);
  const sum = (pick: (o: Outcome) => number) => outcomes.reduce((n, o) => n + pick(o), 0);
  const failed = sum((o) => o.failed);
  console.log(`${sum((o) => o.passed)} passed, ${failed} failed, ${sum((o) => o.skipped)} skipped`);
  process.exitCode = failed > 0 || outcomes.length === 0 ? 1 : 0;
}

await main();
