// `npm run spec [-- FILTER ...] [--mode native|explicit|O0|O1|baseline|baseline-explicit|nofeatures|lazy|tiers|interp|v8] [--example PASS] [--verbose]`: the official suite, levels mvp and 2.0
// without SIMD; with a pass of passes/examples over every module, if one is named.
//
// Files run in child processes; one that crashes or hangs fails alone, by name. Closes with `N passed, N failed, N skipped`.
import { engineFor, isMode, modes } from "../modes.js";
import { exampleNames, quietExample } from "../examples/passes.mjs";
import { runJobs, serveJobs } from "../pool.js";
import { runFile, type FileResult } from "./file.js";
import { suiteDirectory, suiteExists, suiteFiles } from "./suite.js";

const FILE_SECONDS = Number(process.env["TEST_SECONDS"] ?? 60);

async function main(args: readonly string[]): Promise<void> {
  let mode = "native";
  let example = "";
  let parallel = 2;
  let shown = 4;
  const filters: string[] = [];
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--mode") mode = args[++i] ?? "";
    else if (args[i] === "--example") example = args[++i] ?? "";
    else if (args[i] === "--parallel") parallel = Number(args[++i]);
    else if (args[i] === "--verbose") shown = Infinity;
    else if (args[i] !== "--") filters.push(args[i]!);
  }
  if (!isMode(mode)) {
    console.error(`unknown mode "${mode}": one of ${modes.join(", ")}`);
    process.exitCode = 2;
    return;
  }
  if (example !== "" && !exampleNames.includes(example)) {
    console.error(`unknown example "${example}": one of ${exampleNames.join(", ")}`);
    process.exitCode = 2;
    return;
  }
  if (!suiteExists()) {
    console.log(`note: the official suite is not there (${suiteDirectory}): nothing was run`);
    console.log("0 passed, 0 failed, 0 skipped");
    return;
  }
  const files = suiteFiles().filter((file) => filters.length === 0 || filters.some((part) => file.name.includes(part)));
  // The longest first: the last ones to end are short.
  files.sort((a, b) => b.total - a.total);
  const started = performance.now();
  const sum = { passed: 0, failed: 0, skipped: 0 };
  const failedFiles: string[] = [];
  await runJobs<string, FileResult>(files.map((file) => file.name), {
    parallel,
    seconds: FILE_SECONDS,
    args: ["--child", mode, ...(example === "" ? [] : [example])],
    lost: (name, reason) => ({ passed: 0, failed: files.find((file) => file.name === name)!.total, skipped: 0, failures: [reason], skips: {} }),
    done(name, result) {
      sum.passed += result.passed;
      sum.failed += result.failed;
      sum.skipped += result.skipped;
      if (result.failed === 0) return;
      failedFiles.push(name);
      console.log(`FAIL ${name}: ${result.failed} of ${result.passed + result.failed}`);
      for (const line of result.failures.slice(0, shown)) console.log(`     ${line}`);
    },
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (failedFiles.length > 0) console.log(`failed files: ${failedFiles.sort().join(" ")}`);
  console.log(`${files.length} files, mode ${mode}${example && `, pass ${example}`}, ${seconds} s; skipped: malformed text only`);
  console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
  process.exitCode = sum.failed > 0 ? 1 : 0;
}

if (process.argv[2] === "--child") {
  const [mode, example] = process.argv.slice(3);
  const engine = await engineFor(mode!, example === undefined ? [] : [await quietExample(example)]);
  serveJobs<string, FileResult>((name) => runFile(engine, name));
} else {
  await main(process.argv.slice(2));
}
