// Code that becomes executable is flushed at once: what an emulator, which keeps instruction fetches coherent, never shows.
//
// koffi is watched: what `memcpy` copies into pages that `mprotect` then makes executable must be given to the target's flush stub by the
// very next call. That stub is the first function with two parameters that is made; it cannot flush itself.
import { replaceFunctions, type NativeFunction, type PatchedKoffi } from "./patch-koffi.js";
import { Ranges } from "./ranges.js";

const WRITE = 2;
const EXECUTE = 4;
/** Of a process in which something was not flushed. */
const STALE_EXIT = 99;

export function watchFlushes(koffi: PatchedKoffi): void {
  /** Pages being written, bytes copied into them, and executable bytes that were not flushed. */
  const open = new Ranges();
  const copied = new Ranges();
  const stale = new Ranges();
  /** Prototypes with two parameters. */
  const binary = new WeakSet<object>();
  let flush: unknown;
  const { decode, proto } = koffi;

  const nothingStale = () => {
    if (stale.list.length === 0) return;
    console.error(`code was published and not flushed: ${stale.list.map(([a, b]) => `0x${a.toString(16)}-0x${b.toString(16)}`).join(", ")}`);
    (process as unknown as { reallyExit(code: number): void }).reallyExit(STALE_EXIT);
  };
  process.on("exit", nothingStale);

  replaceFunctions(koffi, {
    mprotect: (call) => (at: number, bytes: number, protection: number) => {
      nothingStale();
      const result: unknown = call(at, bytes, protection);
      if (protection & WRITE) open.add(at, at + bytes);
      if (protection & EXECUTE) {
        for (const [a, b] of copied.within(at, at + bytes)) stale.add(a, b);
        open.remove(at, at + bytes);
        copied.remove(at, at + bytes);
      }
      return result;
    },
    memcpy: (call) => (to: number | Uint8Array, from: number | Uint8Array, bytes: number) => {
      nothingStale();
      if (typeof to === "number") for (const [a, b] of open.within(to, to + bytes)) copied.add(a, b);
      return call(to, from, bytes) as unknown;
    },
  });
  koffi.proto = ((...args: unknown[]) => {
    const type = (proto as (...args: unknown[]) => object)(...args);
    if ((args.at(-1) as unknown[]).length === 2) binary.add(type);
    return type;
  }) as typeof proto;
  koffi.decode = ((value: unknown, type: object, ...rest: []) => {
    const call = decode(value, type as never, ...rest) as NativeFunction | undefined;
    if (typeof call !== "function") return call;
    if (flush === undefined && binary.has(type)) {
      flush = value;
      stale.list = [];
    }
    if (value !== flush) return (...args: unknown[]) => (nothingStale(), call(...args) as unknown);
    return (at: number, bytes: number) => {
      stale.remove(at, at + bytes);
      return call(at, bytes) as unknown;
    };
  }) as typeof decode;
}
