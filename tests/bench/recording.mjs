// What recording costs: time and peak memory of `compile(bytes, { record: true })`, against compiling all without, in processes of their own.
//
//   node tests/bench/recording.mjs FILE.wasm [--bytes 1000000] [--runs 5]
// A module smaller than --bytes gets its function bodies once more, and again, until it is as large. Needs dist (node build.mjs).
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { growModule } from "./grow-module.mjs";

const self = fileURLToPath(import.meta.url);

async function measureOne(file, record) {
  const { compileSync } = await import("../../dist/index.js");
  const bytes = Uint8Array.from(readFileSync(file));
  const started = performance.now();
  const used = process.cpuUsage();
  const { history } = compileSync(bytes, { record, lazy: false });
  const ms = performance.now() - started;
  const { user, system } = process.cpuUsage(used);
  console.log(JSON.stringify({ ms, cpuMs: (user + system) / 1000, mb: process.resourceUsage().maxRSS / 1024, revisions: history?.current.revision ?? 0 }));
}

const option = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

function main(file) {
  const dir = mkdtempSync(path.join(tmpdir(), "lathe-recording-"));
  try {
    const module = path.join(dir, "module.wasm");
    const bytes = growModule(readFileSync(file), option("--bytes", 1_000_000));
    writeFileSync(module, bytes);
    const runs = { plain: [], recorded: [] };
    for (let i = option("--runs", 5); i > 0; i--) {
      for (const kind of ["plain", "recorded"]) runs[kind].push(JSON.parse(execFileSync(process.execPath, [self, "--one", module, kind], { encoding: "utf8" })));
    }
    console.log(`${path.basename(file)}, ${(bytes.length / 1e6).toFixed(2)} MB`);
    const ms = (kind, clock) => median(runs[kind].map((run) => run[clock]));
    for (const [kind, list] of Object.entries(runs)) {
      const times = `${ms(kind, "ms").toFixed(0)} ms, ${ms(kind, "cpuMs").toFixed(0)} ms of processor time`;
      console.log(`  ${kind.padEnd(9)} ${times}, peak ${Math.max(...list.map((run) => run.mb)).toFixed(0)} MB, ${list[0].revisions} revisions`);
    }
    const ratio = (clock) => (ms("recorded", clock) / ms("plain", clock)).toFixed(2);
    console.log(`  recording takes ${ratio("ms")} x the time, ${ratio("cpuMs")} x the processor time`);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

if (process.argv[2] === "--one") await measureOne(process.argv[3], process.argv[4] === "recorded");
else if (process.argv[2] === undefined) throw new Error("usage: node tests/bench/recording.mjs FILE.wasm [--bytes N] [--runs N]");
else main(process.argv[2]);
