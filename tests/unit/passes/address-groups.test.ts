// address-groups: what it rewrites, and that folded addresses trap and read as the plain ones do, around both ends of the address space.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { TypeIndex } from "../../../ir/entity.js";
import { parseFunc } from "../../../ir/parse.js";
import { printFunc } from "../../../ir/print.js";
import { Module } from "../../../ir/module.js";
import { groupAddresses } from "../../../passes/address-groups.js";
import { compile, instantiate } from "../../../pipeline/index.js";
import { watToBytes } from "../../../pipeline/frontend/wat.js";
import { Type } from "../../../ir/types.js";

function grouped(body: string): { text: string; count: number } {
  const module = new Module();
  module.types.push({ params: [Type.i32], results: [] });
  module.funcs.push({ type: 0 as TypeIndex, imported: false, bodyStart: 0, bodyEnd: 0 });
  module.memories.push({ imported: false, limits: { min: 1, max: undefined } });
  const fn = parseFunc(`func @0: t0 (i32) -> () {\nb0(v0: i32):\n${body}\n  return\n}`, module);
  const count = groupAddresses(fn);
  return { text: printFunc(fn), count };
}

test("two additions or more start from the largest, wherever it stands", () => {
  const { text, count } = grouped(`
    v1 = i32.const 8
    v2 = i32.add v0, v1
    v3 = i32.load v2, m0
    v4 = i32.const 24
    v5 = i32.add v0, v4
    i32.store v5, m0, v3
    v6 = i32.const 16
    v7 = i32.add v0, v6
    i32.store v7, m0, v3`);
  assert.is(count, 2);
  assert.match(text, /v5 = i32\.add v0, v\d+[^]*v2 = i32\.add v5, v\d+[^]*v7 = i32\.add v5, v\d+/);
  assert.match(text, "i32.const -16");
  assert.match(text, "i32.const -8");
});

test("the largest may stand first: what starts from it comes behind it", () => {
  const { text, count } = grouped(`
    v1 = i32.mul v0, v0
    v2 = i32.const 4
    v3 = i32.add v1, v2
    i32.store v3, m0, v0
    v4 = i32.load v1, m0`);
  assert.is(count, 1);
  assert.match(text, /v3 = i32\.add v1, v\d+[^]*i32\.const -4[^]*v(\d+) = i32\.add v3, v\d+[^]*v4 = i32\.load v\1, m0/);
});

test("accesses at a base that serves nothing else start from the largest, too", () => {
  const body = (more: string) => `
    v1 = i32.mul v0, v0
    v2 = i32.load v1, m0
    v3 = i32.const 4
    v4 = i32.add v1, v3
    i32.store v4, m0, ${more}`;
  const { text, count } = grouped(body("v2"));
  assert.is(count, 1);
  assert.match(text, /v4 = i32\.add v1, v\d+[^]*i32\.const -4[^]*v(\d+) = i32\.add v4, v\d+[^]*v2 = i32\.load v\1, m0/);
  assert.is(grouped(body("v1")).count, 0, "the base is wanted for itself");
});

test("not with an offset, not from afar, not for one addition, not below the base", () => {
  const pair = (a: number, b: number, offset = "") => grouped(`
    v1 = i32.const ${a}
    v2 = i32.add v0, v1
    v3 = i32.load v2, m0${offset}
    v4 = i32.const ${b}
    v5 = i32.add v0, v4
    i32.store v5, m0, v3${offset}`).count;
  assert.is(pair(8, 16), 1);
  assert.is(pair(8, 16, ", offset=4"), 0);
  assert.is(pair(8, 65545), 0);
  assert.is(pair(8, 65544), 1);
  assert.is(pair(-8, 16), 0);
  assert.is(pair(-8, -16), 0);
});

test("natively: results and traps around 0, the memory's end and 2^32 are those of explicit checks", async () => {
  const bytes = await watToBytes(`(module
    (memory (export "m") 2)
    (func (export "sum") (param i32) (result i64)
      (i64.add
        (i64.add (i64.load (i32.add (local.get 0) (i32.const 8))) (i64.load (i32.add (local.get 0) (i32.const 40))))
        (i64.add (i64.load (i32.add (local.get 0) (i32.const -24))) (i64.load (i32.add (local.get 0) (i32.const 16))))))
    (func (export "two") (param i32) (result i32)
      (local $b i32)
      (local.set $b (i32.sub (local.get 0) (i32.const 7777)))
      (i32.add
        (i32.add (i32.load (local.get $b)) (i32.load (i32.add (local.get $b) (i32.const 30000))))
        (i32.add (i32.load8_u (i32.add (local.get 0) (i32.const 65000))) (i32.load8_u (i32.add (local.get 0) (i32.const 1))))))
    (func (export "put") (param i32)
      (i32.store8 (i32.add (local.get 0) (i32.const 100)) (i32.const 1))
      (i32.store8 (i32.add (local.get 0) (i32.const 90)) (i32.const 2))
      (i32.store8 (i32.add (local.get 0) (i32.const 300)) (i32.const 3))))`);
  type Exports = { m: { buffer: ArrayBuffer }; sum(x: number): bigint; two(x: number): number; put(x: number): void };
  const make = async (bounds: "guard" | "explicit") => (await instantiate(await compile(bytes, { bounds }), {})).exports as unknown as Exports;
  const [folded, plain] = [await make("guard"), await make("explicit")];
  for (const { m } of [folded, plain]) new Uint8Array(m.buffer).forEach((_, i, all) => (all[i] = i * 37 + (i >> 8)));
  const end = 2 * 65536;
  const edges = [0, 24, 100, 65000, 65536, end, end - 65000, 2 ** 31, 2 ** 32 - 65000, 2 ** 32 - 65536, 2 ** 32 - 300];
  const outcome = (f: () => unknown) => {
    try {
      return String(f());
    } catch (error) {
      return (error as Error).message.replace(/:.*/s, "");
    }
  };
  let traps = 0;
  let returns = 0;
  for (const edge of edges) {
    for (let d = -320; d <= 60; d += d > -110 && d < 45 ? 3 : 11) {
      const x = (edge + d) | 0;
      for (const name of ["sum", "two", "put"] as const) {
        const got = outcome(() => folded[name](x));
        assert.is(got, outcome(() => plain[name](x)), `${name}(${x})`);
        if (/out of bounds/.test(got)) traps++;
        else returns++;
      }
    }
  }
  assert.ok(traps > 300 && returns > 300, `${traps} traps, ${returns} returns`);
  assert.equal(new Uint8Array(folded.m.buffer), new Uint8Array(plain.m.buffer));
});

test.run();
