// `node tests/real-world/run.mjs FOLDER [--rounds 5] [--modes default,lazy,O2,O0,baseline] [--jobs a,b]` (after `npm run build`): real packages, V8 beside ours.
//
// FOLDER holds jobs, NAME.mjs, and their packages: a copy of ../shared/real-world behind `npm install`, or what packages.mjs made. Nothing
// is written there. Each job prints one line `{ checksum, load_ms, job_ms }`; every run is a process of its own, engines take turns.
// Prints by job and mode: whether the checksum is V8's, medians of load, job and whole time (the process from start to end) and of peak
// memory, and the ratios to V8's. `main` is the processor time of the main thread: what tells on a machine that others use as well.
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const self = fileURLToPath(import.meta.url);
const register = path.join(path.dirname(self), "../../dist/register.js");
const SECONDS = 900;

/** Environment of ours by mode; `v8` has none. */
const modes = {
  v8: {},
  default: {},
  lazy: { LATHE_LEVEL: "2", LATHE_LAZY: "1" },
  O2: { LATHE_LEVEL: "2", LATHE_LAZY: "0" },
  O0: { LATHE_LEVEL: "0", LATHE_LAZY: "0" },
  baseline: { LATHE_LEVEL: "baseline", LATHE_LAZY: "0" },
};

/** Imported into every process, V8's as well: tells at its end what it has used. */
function reportUse() {
  process.on("exit", () => {
    const { maxRSS } = process.resourceUsage();
    let mainMs = NaN;
    try {
      mainMs = Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "utf8").split(" ")[0]) / 1e6;
    } catch {
      // Linux alone has that.
    }
    console.log(`\nuse ${JSON.stringify({ rssMb: maxRSS / 1024, mainMs })}`);
  });
}

/** @returns what a run told, or `{ error }`. */
function run(folder, job, mode) {
  const imports = ["--import", pathToFileURL(self).href, ...(mode === "v8" ? [] : ["--import", pathToFileURL(register).href])];
  const started = performance.now();
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [...imports, `${job}.mjs`], {
      cwd: folder,
      env: { ...process.env, WEBP_SIMD: "0", REAL_WORLD_CHILD: "1", ...modes[mode] },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    child.stdout.on("data", (text) => (out += text));
    child.stderr.on("data", (text) => (out += text));
    const timer = setTimeout(() => child.kill("SIGKILL"), SECONDS * 1000);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      const wholeMs = performance.now() - started;
      const line = /^\{.*"checksum".*\}$/m.exec(out)?.[0];
      const use = /^use (\{.*\})$/m.exec(out)?.[1];
      if (code !== 0 || !line) return resolve({ error: signal ? `ended by ${signal}` : `code ${code}: ${out.trim().split("\n").slice(-12).join("\n    ").slice(0, 1500)}` });
      const { checksum, load_ms: loadMs, job_ms: jobMs } = JSON.parse(line);
      resolve({ checksum, loadMs, jobMs, wholeMs, ...(use ? JSON.parse(use) : {}) });
    });
  });
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const medians = (runs) => Object.fromEntries(["loadMs", "jobMs", "wholeMs", "mainMs", "rssMb"].map((key) => [key, median(runs.map((one) => one[key]))]));

function option(args, name, otherwise) {
  const at = args.indexOf(name);
  return at < 0 ? otherwise : args.splice(at, 2)[1];
}

async function main(args) {
  const rounds = Number(option(args, "--rounds", "5"));
  const chosen = option(args, "--modes", "default,lazy,O2,O0,baseline").split(",");
  const only = option(args, "--jobs", "")?.split(",").filter(Boolean);
  const [folder] = args;
  const unknown = chosen.find((mode) => !(mode in modes));
  if (!folder || unknown !== undefined || !(rounds > 0)) {
    console.error(unknown ? `unknown mode "${unknown}": one of ${Object.keys(modes).join(", ")}` : "usage: node tests/real-world/run.mjs FOLDER [--rounds N] [--modes ...] [--jobs ...]");
    process.exitCode = 2;
    return;
  }
  const jobs = readdirSync(folder).filter((name) => name.endsWith(".mjs") && name !== "engine.mjs").map((name) => name.slice(0, -4));
  let failed = 0;
  console.log(`${"job".padEnd(16)} ${"mode".padEnd(8)} checksum   load ms        job ms         whole ms       main ms        peak MB`);
  for (const job of only.length > 0 ? only : jobs) {
    const runs = new Map(["v8", ...chosen].map((mode) => [mode, []]));
    for (let round = 0; round < rounds; round++) {
      for (const [mode, list] of runs) if (!list.some((one) => one.error)) list.push(await run(folder, job, mode));
    }
    const v8 = medians(runs.get("v8"));
    const checksums = new Set(runs.get("v8").map((one) => one.checksum));
    for (const [mode, list] of runs) {
      const error = list.find((one) => one.error)?.error;
      const wrong = list.find((one) => !checksums.has(one.checksum));
      if (error || wrong || checksums.size !== 1) failed++;
      if (error) {
        console.log(`${job.padEnd(16)} ${mode.padEnd(8)} FAILED     ${error}`);
        continue;
      }
      const ours = medians(list);
      const cell = (key) => `${ours[key].toFixed(0)}${mode === "v8" ? "" : ` (${(ours[key] / v8[key]).toFixed(2)})`}`.padEnd(14);
      const verdict = wrong ? `WRONG ${wrong.checksum}` : mode === "v8" ? (checksums.size === 1 ? "" : "VARIES") : "equal";
      console.log(`${job.padEnd(16)} ${mode.padEnd(8)} ${verdict.padEnd(10)} ${["loadMs", "jobMs", "wholeMs", "mainMs", "rssMb"].map(cell).join(" ")}`);
    }
  }
  console.log(`in brackets: times V8's; medians of ${rounds} ${rounds === 1 ? "round" : "rounds"}; ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

if (process.env.REAL_WORLD_CHILD) reportUse();
else await main(process.argv.slice(2));
