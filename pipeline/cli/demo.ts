// `lathe demo`, what `npm start` runs: the sample that ships with the project, one function at each stage, run natively.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { instantiate } from "../../runtime/index.js";
import { loadDisassembler } from "../dump/asm.js";
import { dumpStage, isRecorded, stages } from "../dump/stages.js";
import { compile } from "../index.js";
import { findFunc, readInput } from "./input.js";
import { heading, print, printCode } from "./terminal.js";

const SHOWN = "max";
const LIMIT = 60_000;

/** @param base URL of the command's own file: the sample stands beside the sources, and dist beside those. */
export async function demo(base: string): Promise<void> {
  const places = ["./sample/primes.wat", "../pipeline/sample/primes.wat"].map((place) => fileURLToPath(new URL(place, base)));
  const file = places.find((place) => existsSync(place)) ?? places[0]!;
  const bytes = readInput(file);
  const recorded = await compile(bytes, { record: true });
  if (!isRecorded(recorded)) throw new Error("the compilation was not recorded");
  const index = findFunc(recorded.module, SHOWN);
  heading(`The function "${SHOWN}" of the sample (${file.split(/[\\/]/).slice(-3).join("/")}), stage by stage`);
  const disassembler = await loadDisassembler(recorded.target);
  for (const stage of stages) {
    heading(`\n; ---- ${stage}`);
    printCode(dumpStage(recorded, index, stage, disassembler));
  }
  disassembler.close();

  const started = performance.now();
  const compiled = await compile(bytes);
  const compiledAt = performance.now();
  const { exports } = instantiate(compiled);
  const fold = exports["fold"] as (limit: number, how: number) => number;
  const readyAt = performance.now();
  const sum = fold(LIMIT, 0);
  const largest = fold(LIMIT, 1);
  const ranAt = performance.now();
  heading(`\nRun natively (${compiled.target.name})`);
  print(`sum of the primes below ${LIMIT}: ${sum}`);
  print(`largest of them: ${largest}`);
  const ms = (from: number, to: number) => `${(to - from).toFixed(2)} ms`;
  print(`compile ${ms(started, compiledAt)} (${compiled.stats.functions} functions, ${compiled.stats.codeBytes} bytes of code), instantiate ${ms(compiledAt, readyAt)}, run ${ms(readyAt, ranAt)}`);
}
