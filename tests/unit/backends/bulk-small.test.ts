// memory.copy and memory.fill of small constant lengths, done in place: same bytes as the C functions give, and a trap leaves nothing behind.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { compile, instantiate } from "../../../pipeline/index.js";
import { watToBytes } from "../../../pipeline/frontend/wat.js";

const lengths = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 33, 63, 64, 65];
const END = 65536;

test("all lengths, overlapping and at the end of memory, with guards and with explicit checks", async () => {
  const functions = lengths.map(
    (n) => `(func (export "copy${n}") (param i32 i32) (memory.copy (local.get 0) (local.get 1) (i32.const ${n})))
      (func (export "zero${n}") (param i32) (memory.fill (local.get 0) (i32.const 0) (i32.const ${n})))
      (func (export "ones${n}") (param i32) (memory.fill (local.get 0) (i32.const 255) (i32.const ${n})))
      (func (export "fill${n}") (param i32) (memory.fill (local.get 0) (i32.const 0x1a7) (i32.const ${n})))`,
  );
  const bytes = await watToBytes(`(module (memory (export "m") 1 1) ${functions.join("\n")})`);
  for (const bounds of ["guard", "explicit"] as const) {
    const exports = (await instantiate(await compile(bytes, { bounds }), {})).exports as Record<string, never> & { m: { buffer: ArrayBuffer } };
    const memory = new Uint8Array(exports.m.buffer);
    const call = (name: string, ...args: number[]) => (exports as Record<string, unknown> as Record<string, (...args: number[]) => void>)[name]!(...args);
    const reset = () => memory.forEach((_, i) => (memory[i] = i * 7 + (i >> 8)));
    for (const n of lengths) {
      for (const [d, s] of [[100, 300], [100, 101], [101, 100], [100, 100 + n], [100, 92], [92, 100], [0, END - n], [END - n, 5]] as const) {
        reset();
        const want = memory.slice();
        want.copyWithin(d, s, s + n);
        call(`copy${n}`, d, s);
        assert.equal(memory, want, `copy ${n} from ${s} to ${d}, ${bounds}`);
      }
      for (const [name, value] of [["zero", 0], ["ones", 255], ["fill", 0xa7]] as const) {
        reset();
        const want = memory.slice().fill(value, END - n, END);
        call(`${name}${n}`, END - n);
        assert.equal(memory, want, `${name} ${n}, ${bounds}`);
      }
      reset();
      const before = memory.slice();
      // One byte too far, on either side, and far away.
      for (const at of [END - n + 1, END + 1, -1, -2147483648]) {
        const traps = (name: string, ...args: number[]) => assert.throws(() => call(name, ...args), /out of bounds memory access/, `${name} ${args.join(" ")}`);
        traps(`copy${n}`, at, 0);
        traps(`copy${n}`, 0, at);
        traps(`fill${n}`, at);
        assert.equal(memory, before, `a trap of length ${n} at ${at} wrote something, ${bounds}`);
      }
    }
  }
});

test.run();
