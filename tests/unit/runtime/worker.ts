// Run in worker threads by threads.test.ts: instantiates, calls both ways, traps; reports what it saw.
import { parentPort, workerData } from "node:worker_threads";
import type { Mode } from "./support.js";
import { compileModule, functions, thrown } from "./support.js";
import { configureThread, instantiate, Memory } from "../../../runtime/index.js";

const { bytes, mode, signals, rounds, nodeApi } = workerData as { bytes: Uint8Array; mode: Mode; signals: boolean; rounds: number; nodeApi: boolean };

configureThread({ handleSignals: signals, stackBytes: 1 << 20, nodeApi });
const compiled = compileModule(bytes, mode);
try {
  const error = new Error("from the host function");
  let act = (x: number): number => 2 * x;
  const h = (x: number, wide: bigint) => (wide === -1n ? act(x) : NaN);
  const e = functions(instantiate(compiled, { m: { h } }).exports);
  let sum = 0;
  let exceptions = 0;
  for (let i = 0; i < rounds; i++) sum += e.call!(i);
  act = () => {
    throw error;
  };
  for (let i = 0; i < rounds; i++) if (thrown(() => e.call!(i)) === error) exceptions++;
  const seen: Record<string, number> = {};
  for (let i = 0; i < rounds; i++) {
    for (const run of [() => e.load!(-1), () => e.div!(1, 0), ...(i === 0 ? [() => e.deep!()] : [])]) {
      const kind = thrown(run).kind as string;
      seen[kind] = (seen[kind] ?? 0) + 1;
    }
  }
  parentPort!.postMessage({ seen, sum, exceptions, guards: new Memory({ initial: 1 }).guards });
} catch (failure) {
  parentPort!.postMessage({ error: (failure as Error).message, stack: (failure as Error).stack });
}
