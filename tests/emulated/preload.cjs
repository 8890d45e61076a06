// In every emulated Node, before anything else: children run in the emulator, too, and code that becomes executable is flushed at once.
//
// The emulator keeps instruction fetches coherent and so never shows a missing cache flush. So koffi is watched, through which
// everything native goes: what `memcpy` copies into pages that `mprotect` then makes executable must be given to the target's flush stub
// by the very next call. That stub is the first function with two parameters that is made; it cannot flush itself.
"use strict";
process.execPath = process.env.EMULATED_NODE;

const EXECUTE = 4;
const WRITE = 2;

/** Disjoint ranges of addresses; few at a time. */
class Ranges {
  list = [];
  add(from, to) {
    this.remove(from, to);
    this.list.push([from, to]);
  }
  remove(from, to) {
    this.list = this.list.flatMap(([a, b]) => [[a, Math.min(b, from)], [Math.max(a, to), b]].filter(([x, y]) => x < y));
  }
  within(from, to) {
    return this.list.map(([a, b]) => [Math.max(a, from), Math.min(b, to)]).filter(([x, y]) => x < y);
  }
}

watch(require("koffi"));

function watch(koffi) {
  /** Pages being written, bytes copied into them, and executable bytes that were not flushed. */
  const open = new Ranges();
  const copied = new Ranges();
  const stale = new Ranges();
  /** Prototypes with two parameters. */
  const binary = new WeakSet();
  let flush;
  const { load, decode, proto } = koffi;

  const nothingStale = () => {
    if (stale.list.length === 0) return;
    console.error(`code was published and not flushed: ${stale.list.map(([a, b]) => `0x${a.toString(16)}-0x${b.toString(16)}`).join(", ")}`);
    process.exitCode = 99;
    process.reallyExit(99);
  };
  process.on("exit", nothingStale);

  const watched = {
    mprotect: (call) => (at, bytes, protection) => {
      nothingStale();
      const result = call(at, bytes, protection);
      const [from, to] = [Number(at), Number(at) + Number(bytes)];
      if (protection & WRITE) open.add(from, to);
      if (protection & EXECUTE) {
        for (const [a, b] of copied.within(from, to)) stale.add(a, b);
        open.remove(from, to);
        copied.remove(from, to);
      }
      return result;
    },
    memcpy: (call) => (to, from, bytes) => {
      nothingStale();
      const at = Number(to);
      if (typeof to !== "object") for (const [a, b] of open.within(at, at + Number(bytes))) copied.add(a, b);
      return call(to, from, bytes);
    },
  };
  koffi.load = (...args) => {
    const library = load(...args);
    // Its properties cannot be changed.
    return new Proxy(library, {
      get(_, key) {
        const value = library[key];
        if (key === "func") return (name, ...rest) => (watched[name] ?? ((call) => call))(library.func(name, ...rest));
        return typeof value === "function" ? value.bind(library) : value;
      },
    });
  };
  koffi.proto = (...args) => {
    const type = proto(...args);
    if (args.at(-1).length === 2) binary.add(type);
    return type;
  };
  koffi.decode = (value, type, ...rest) => {
    const call = decode(value, type, ...rest);
    if (typeof call !== "function") return call;
    if (flush === undefined && binary.has(type)) {
      flush = value;
      stale.list = [];
    }
    if (value !== flush) return (...args) => (nothingStale(), call(...args));
    return (at, bytes) => {
      stale.remove(Number(at), Number(at) + Number(bytes));
      return call(at, bytes);
    };
  };
}
