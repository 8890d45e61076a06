// In every emulated Node, before anything else: children run in the emulator, too, and no code is entered that was not flushed.
//
// The emulator keeps instruction fetches coherent and so never shows a missing cache flush. So it is counted: bytes copied into pages
// that become executable must have been given to the target's flush stub before native code is next entered. koffi, through
// which everything native goes, is watched: `mprotect`, `memcpy`, calls with two addresses (the flush), calls with none (entries).
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
  let flushes = 0;
  const { load, decode } = koffi;
  const roundUp = (n) => Math.ceil(n / 4096) * 4096;

  const watched = {
    mprotect: (call) => (at, bytes, protection) => {
      const result = call(at, bytes, protection);
      const [from, to] = [Number(at), Number(at) + roundUp(Number(bytes))];
      if (protection & WRITE) open.add(from, to);
      if (protection & EXECUTE) {
        for (const [a, b] of copied.within(from, to)) stale.add(a, b);
        open.remove(from, to);
        copied.remove(from, to);
      }
      return result;
    },
    memcpy: (call) => (to, from, bytes) => {
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
  koffi.decode = (value, type, ...rest) => {
    const call = decode(value, type, ...rest);
    if (typeof call !== "function") return call;
    return (...args) => {
      // The first flush flushes nothing but what comes after the stub itself: its own pages are new ones.
      if (args.length === 2) {
        if (flushes++ === 0) stale.remove(Number(value), Number(value) + 4096);
        stale.remove(Number(args[0]), Number(args[0]) + Number(args[1]));
      } else if (stale.list.length > 0) {
        console.error(`code is entered at 0x${value.toString(16)} while ${stale.list.map(([a, b]) => `0x${a.toString(16)}-0x${b.toString(16)}`).join(", ")} was not flushed`);
        process.exit(99);
      }
      return call(...args);
    };
  };
}
