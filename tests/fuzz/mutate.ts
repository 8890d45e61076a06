// Changes random bytes of valid modules and compares our verdict with V8's validator.
//
// Two exceptions, each narrow: V8 takes features that are not in 2.0 (then our error must be of kind `unsupported`), and
// it has limits of its own (then its message must speak of one). Anything else is a failure.
import { decodeModule } from "../../pipeline/frontend/decode.js";
import { WasmError } from "../../pipeline/frontend/error.js";
import { moduleBytes, suiteCommands, suiteExists, suiteFiles } from "../spec/suite.js";
import type { Generator } from "./generate.js";
import { Random } from "./random.js";

export interface MutationResult {
  /** Same verdict; of these, accepted by both. */
  same: number;
  accepted: number;
  excepted: number;
  problems: { index: number; text: string; bytes?: Uint8Array }[];
}

const SOURCES_A_JOB = 5;

/** V8's reason to refuse is a limit of the implementation, or a feature it names as switched off. */
const limitOfV8 = /exceeds|maximum|limit|larger than|too (many|large)|out of bounds .* max|invalid (memory|table) (limits flags|size)|--experimental/;

let suiteModules: Uint8Array[] | undefined;

/** Valid modules of the official suite; empty where it is missing. */
function validSuiteModules(): Uint8Array[] {
  if (suiteModules) return suiteModules;
  suiteModules = [];
  if (!suiteExists()) return suiteModules;
  for (const file of suiteFiles()) {
    for (const command of suiteCommands(file.name)) if (command.type === "module") suiteModules.push(moduleBytes(command));
  }
  return suiteModules;
}

export function mutant(source: Uint8Array, random: Random): Uint8Array {
  let bytes = Uint8Array.from(source);
  const changes = 1 + random.below(random.below(4) === 0 ? 8 : 2);
  for (let i = 0; i < changes; i++) {
    // The header is seldom interesting.
    const at = 8 + random.below(Math.max(1, bytes.length - 8));
    switch (random.below(6)) {
      case 0:
        bytes = Uint8Array.from([...bytes.subarray(0, at), random.u32() & 255, ...bytes.subarray(at)]);
        break;
      case 1:
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1)]);
        break;
      case 2:
        bytes[at] = (bytes[at]! + (random.below(2) === 0 ? 1 : 255)) & 255;
        break;
      case 3:
        bytes[at] = bytes[at]! ^ (1 << random.below(8));
        break;
      case 4:
        bytes[at] = bytes[random.below(bytes.length)]!;
        break;
      default:
        bytes[at] = random.u32() & 255;
    }
  }
  return bytes;
}

function v8Reason(bytes: Uint8Array): string | undefined {
  try {
    new WebAssembly.Module(bytes);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

export async function mutationJob(generator: Generator, job: { first: number; count: number; seed: number }): Promise<MutationResult> {
  const result: MutationResult = { same: 0, accepted: 0, excepted: 0, problems: [] };
  const suite = validSuiteModules();
  for (let i = 0; i < job.count; i++) {
    const index = job.first + i;
    const random = new Random(job.seed, index);
    // Sources are numbered, so that a mutant can be made again alone.
    const sourceNumber = Math.floor(index / 50);
    const fromSuite = suite.length > 0 && random.below(2) === 0;
    const source = fromSuite ? random.pick(suite) : await generated(generator, job.seed, sourceNumber);
    if (!source) continue;
    const bytes = mutant(source, random);
    const takenByV8 = WebAssembly.validate(bytes);
    let error: unknown;
    try {
      decodeModule(bytes);
    } catch (caught) {
      error = caught;
    }
    if (error !== undefined && !(error instanceof WasmError)) {
      result.problems.push({ index, text: `threw ${(error as Error).stack?.split("\n").slice(0, 5).join(" | ") ?? String(error)}`, bytes });
    } else if (takenByV8 === (error === undefined)) {
      result.same++;
      if (takenByV8) result.accepted++;
    } else if (takenByV8) {
      if ((error as WasmError).kind === "unsupported") result.excepted++;
      else result.problems.push({ index, text: `V8 accepts; refused: ${(error as WasmError).message}`, bytes });
    } else {
      const reason = v8Reason(bytes) ?? "";
      if (limitOfV8.test(reason)) result.excepted++;
      else result.problems.push({ index, text: `accepted; V8: ${reason}`, bytes });
    }
  }
  return result;
}

const sources = new Map<number, Uint8Array | undefined>();

async function generated(generator: Generator, seed: number, number: number): Promise<Uint8Array | undefined> {
  if (!sources.has(number)) {
    if (sources.size >= SOURCES_A_JOB) sources.clear();
    const random = new Random(seed, 1_000_000 + number);
    sources.set(number, await generator.generate(random.bytes(100 + random.below(1500)), false));
  }
  return sources.get(number);
}

