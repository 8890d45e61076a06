// A module as large as asked for, of many functions that all differ: arithmetic, memory, branches, loops, calls, names.
import { Type } from "../../ir/types.js";
import { Bytes, exportName, funcType, header, leb, section, sleb } from "../wasm-bytes.js";

const LOCALS = 12;

/** Numbers in 0 .. 2**32 - 1, the same every time. */
function* numbers(seed: number): Generator<number, number> {
  for (;;) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    yield seed;
  }
}

/** Code of a body without its locals and its `end`: about `statements` statements on LOCALS locals of i32, then a result. */
function body(random: () => number, statements: number, callees: number): number[] {
  const code: number[] = [];
  const below = (n: number) => random() % n;
  const get = () => code.push(0x20, below(LOCALS));
  const set = () => code.push(0x21, below(LOCALS));
  const constant = () => code.push(0x41, ...sleb(random() >> (8 + below(20))));
  const operator = () => code.push([0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x74, 0x76][below(8)]!);
  const value = () => {
    get();
    for (let n = below(3); n >= 0; n--) {
      if (below(2) === 0) get();
      else constant();
      operator();
    }
  };
  const address = () => {
    get();
    code.push(0x41, ...sleb(0xffc), 0x71);
  };
  for (let i = 0; i < statements; i++) {
    const kind = below(10);
    if (kind < 4) {
      value();
      set();
    } else if (kind < 6) {
      address();
      code.push(0x28, 2, ...leb(below(64) * 4));
      set();
    } else if (kind === 6) {
      address();
      value();
      code.push(0x36, 2, ...leb(below(64) * 4));
    } else if (kind === 7) {
      get();
      constant();
      code.push(0x48 + below(4), 0x04, 0x40);
      value();
      set();
      code.push(0x05);
      value();
      set();
      code.push(0x0b);
    } else if (kind === 8) {
      code.push(0x03, 0x40);
      value();
      set();
      // for (x = ...; --x;)
      code.push(0x20, LOCALS, 0x41, 1, 0x6b, 0x22, LOCALS, 0x0d, 0, 0x0b);
    } else if (callees > 0) {
      get();
      get();
      code.push(0x10, ...leb(below(callees)));
      set();
    }
  }
  value();
  return code;
}

/** At least `bytes` long. Every function is (i32, i32) -> i32; `main` is the last one. */
export function largeModule(bytes: number, seed = 1): Uint8Array {
  const source = numbers(seed);
  const random = () => source.next().value;
  const bodies: number[][] = [];
  for (let size = 0; size < bytes; ) {
    const code = [1, ...leb(LOCALS - 1), 0x7f, ...body(random, 10 + (random() % 60), bodies.length), 0x0b];
    bodies.push([...leb(code.length), ...code]);
    size += code.length;
  }
  const sig = { params: [Type.i32, Type.i32], results: [Type.i32] };
  const last = bodies.length - 1;
  const names = [...leb(bodies.length), ...bodies.flatMap((_, i) => [...leb(i), ...exportName(i === last ? "main" : `function_${i}`)])];
  const custom = [...exportName("name"), 1, ...leb(names.length), ...names];
  const out = new Bytes().append(Uint8Array.from([...header, ...section(1, funcType(sig)), ...section(3, ...bodies.map(() => [0])), ...section(5, [0, 1])]));
  out.append(Uint8Array.from([...section(7, [...exportName("main"), 0, ...leb(last)]), ...section(10, ...bodies), 0, ...leb(custom.length), ...custom]));
  return out.done();
}
