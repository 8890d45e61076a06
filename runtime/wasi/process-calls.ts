// Calls about the program itself: arguments, environment, random numbers, the end.
import { randomFillSync } from "node:crypto";
import { Errno } from "./abi.js";
import { Exit, type Calls, type State } from "./state.js";

/** Random numbers are fetched in blocks of so many bytes: what a guest asks for is often four or eight. */
const POOL_BYTES = 1024;
/** At most so many bytes come from the pool. */
const POOLED_BYTES = 64;

/** By WASI's signal: none, chld, cont, urg and winch do nothing to a program that has no handler. */
const harmless: ReadonlySet<number> = new Set([0, 16, 17, 22, 27]);
/** stop, tstp, ttin, ttou. */
const stopping: ReadonlySet<number> = new Set([18, 19, 20, 21]);
const MAX_SIGNAL = 30;
/** As a shell has it: a program that a signal ended. */
const SIGNAL_EXIT = 128;

export function processCalls({ memory, args, env }: State): Calls {
  const pool = new Uint8Array(POOL_BYTES);
  let left = 0;

  /** Pointers at `pointers`, the strings behind each other at `strings`. */
  const list = (items: readonly Uint8Array[], pointers: number, strings: number): number => {
    pointers >>>= 0;
    strings >>>= 0;
    for (const item of items) {
      memory.setU32(pointers, strings);
      memory.write(strings, item);
      pointers += 4;
      strings += item.length;
    }
    return Errno.success;
  };

  const sizes = (items: readonly Uint8Array[], count: number, bytes: number): number => {
    memory.setU32(count, items.length);
    memory.setU32(bytes, items.reduce((sum, item) => sum + item.length, 0));
    return Errno.success;
  };

  return {
    args_get: (pointers: number, strings: number) => list(args, pointers, strings),
    args_sizes_get: (count: number, bytes: number) => sizes(args, count, bytes),
    environ_get: (pointers: number, strings: number) => list(env, pointers, strings),
    environ_sizes_get: (count: number, bytes: number) => sizes(env, count, bytes),

    random_get(buffer: number, length: number): number {
      buffer >>>= 0;
      length >>>= 0;
      memory.view(buffer, length);
      const { bytes } = memory;
      if (length > POOLED_BYTES) {
        // Node refuses to fill shared memory.
        if (bytes.buffer instanceof ArrayBuffer) randomFillSync(bytes, buffer, length);
        else bytes.set(randomFillSync(new Uint8Array(length)), buffer);
        return Errno.success;
      }
      if (left < length) {
        randomFillSync(pool);
        left = POOL_BYTES;
      }
      for (let i = 0; i < length; i++) {
        bytes[buffer + i] = pool[--left]!;
        // Nobody else shall see it.
        pool[left] = 0;
      }
      return Errno.success;
    },

    sched_yield: () => Errno.success,

    proc_exit(code: number): number {
      throw new Exit(code >>> 0);
    },

    /** Signals end the guest, not the process it is in. */
    proc_raise(signal: number): number {
      if (signal < 0 || signal > MAX_SIGNAL) return Errno.inval;
      if (harmless.has(signal)) return Errno.success;
      if (stopping.has(signal)) return Errno.nosys;
      throw new Exit(SIGNAL_EXIT + signal);
    },
  };
}
