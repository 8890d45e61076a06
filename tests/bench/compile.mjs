// `node tests/bench/compile.mjs DIRECTORY|FILE... [--check] [--levels 0,2]`: compile throughput on real modules, beside V8's.
//
// DIRECTORY is searched for .wasm files (the copy of ../shared/real-world with its packages installed). Each file and engine runs in a
// process of its own; V8's compiles everything eagerly with `--no-liftoff --single-threaded`. Prints MB of code section a second and peak memory.
import { spawnSync } from "node:child_process";
import { readFileSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const self = fileURLToPath(import.meta.url);

function codeSectionBytes(bytes) {
  const view = new Uint8Array(bytes);
  let at = 8;
  while (at < view.length) {
    const id = view[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = view[at++];
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    if (id === 10) return size;
    at += size;
  }
  return 0;
}

async function child(engine, file, check) {
  const bytes = Uint8Array.from(readFileSync(file));
  const started = performance.now();
  let extra = {};
  if (engine === "v8") {
    new WebAssembly.Module(bytes);
  } else {
    const { compile } = await import("../../dist/index.js");
    const level = Number(engine.slice(1));
    const begun = performance.now();
    const compiled = await compile(bytes, { level, check, lazy: false });
    extra = { loadMs: begun - started, stats: compiled.stats };
    const ms = performance.now() - begun;
    console.log(JSON.stringify({ ms, rssMb: process.resourceUsage().maxRSS / 1024, ...extra }));
    return;
  }
  console.log(JSON.stringify({ ms: performance.now() - started, rssMb: process.resourceUsage().maxRSS / 1024 }));
}

function wasmFiles(place) {
  if (statSync(place).isFile()) return [place];
  return readdirSync(place, { recursive: true }).map((name) => path.join(place, String(name))).filter((name) => name.endsWith(".wasm"));
}

function main(args) {
  const check = args.includes("--check");
  const at = args.indexOf("--levels");
  const levels = at < 0 ? ["0", "2"] : args[at + 1].split(",");
  const places = args.filter((arg, i) => !arg.startsWith("--") && (at < 0 || i !== at + 1));
  if (places.length === 0) {
    console.error("usage: node tests/bench/compile.mjs DIRECTORY|FILE... [--check] [--levels 0,2]");
    process.exitCode = 2;
    return;
  }
  let failed = 0;
  let ran = 0;
  const files = places.flatMap(wasmFiles).sort((a, b) => statSync(a).size - statSync(b).size);
  console.log(`${"module".padEnd(34)} code MB  ${levels.map((level) => `O${level} MB/s`.padStart(9)).join(" ")} ${"V8 MB/s".padStart(9)}  peak MB`);
  for (const file of files) {
    const mb = codeSectionBytes(readFileSync(file)) / 1e6;
    const cells = [];
    let peak = 0;
    let note = "";
    for (const engine of [...levels.map((level) => `O${level}`), "v8"]) {
      const flags = engine === "v8" ? ["--no-liftoff", "--single-threaded", "--no-wasm-lazy-compilation"] : [];
      const run = spawnSync(process.execPath, [...flags, self, "--child", engine, file, check ? "check" : ""], { encoding: "utf8", maxBuffer: 1 << 26 });
      if (run.status !== 0) {
        const message = run.stderr.split("\n").find((line) => /Error/.test(line)) ?? run.signal ?? "failed";
        // SIMD is refused by the compiler for now, and says so.
        if (/SIMD is not supported/.test(run.stderr)) note = "skipped: SIMD";
        else {
          failed++;
          note = `${engine}: ${message.slice(0, 200)}`;
        }
        cells.push("-".padStart(9));
        continue;
      }
      const { ms, rssMb } = JSON.parse(run.stdout);
      ran++;
      cells.push((mb / (ms / 1000)).toFixed(2).padStart(9));
      if (engine !== "v8") peak = Math.max(peak, rssMb);
    }
    console.log(`${path.basename(file).padEnd(34)} ${mb.toFixed(2).padStart(7)}  ${cells.join(" ")}  ${peak.toFixed(0).padStart(7)}  ${note}`);
  }
  console.log(`${ran} passed, ${failed} failed, 0 skipped`);
  process.exitCode = failed > 0 ? 1 : 0;
}

if (process.argv[2] === "--child") await child(process.argv[3], process.argv[4], process.argv[5] === "check");
else main(process.argv.slice(2));
