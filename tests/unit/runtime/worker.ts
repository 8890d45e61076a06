// Run in worker threads by threads.test.ts: instantiates, calls, traps; reports what it saw.
import { parentPort, workerData } from "node:worker_threads";
import type { Mode } from "./support.js";
import { compileModule, functions, thrown } from "./support.js";
import { configureThread, instantiate, Memory } from "../../../runtime/index.js";

const { bytes, mode, signals, rounds } = workerData as { bytes: Uint8Array; mode: Mode; signals: boolean; rounds: number };

configureThread({ handleSignals: signals, stackBytes: 1 << 20 });
const compiled = compileModule(bytes, mode);
try {
  const e = functions(instantiate(compiled).exports);
  const seen: Record<string, number> = {};
  for (let i = 0; i < rounds; i++) {
    for (const run of [() => e.load!(-1), () => e.div!(1, 0), ...(i === 0 ? [() => e.deep!()] : [])]) {
      const kind = thrown(run).kind as string;
      seen[kind] = (seen[kind] ?? 0) + 1;
    }
  }
  parentPort!.postMessage({ seen, guards: new Memory({ initial: 1 }).guards });
} catch (error) {
  parentPort!.postMessage({ error: (error as Error).message });
}
