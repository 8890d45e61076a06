// Records of SSA functions: what is read back prints, verifies and is linked as what was written.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { ByteReader, ByteWriter } from "../../pipeline/explore/bytes.js";
import { readFunc, writeFunc } from "../../pipeline/explore/ssa-record.js";
import { compileSync, printFunc, verifyFunc, WasmError, type Compilation, type Func } from "../../pipeline/index.js";
import { projectRoot } from "../bundle.js";
import { ordinary } from "../generate.js";

test("numbers come back", () => {
  const out = new ByteWriter();
  const numbers = [0, 1, -1, 63, 64, -65, 1 << 20, 0x7fffffff, -0x80000000];
  numbers.forEach((n) => out.signed(n));
  const rows = [5, 5, 5, 0, 0, 0, 0, 7, -9, -9];
  out.differences(rows.length, (row) => rows[row]!, (row) => (row === 0 ? 5 : rows[row - 1]!));
  out.text("größer ☃");
  const input = new ByteReader(out.finish());
  assert.equal(numbers.map(() => input.signed()), numbers);
  const back: number[] = [];
  input.differences(rows.length, (row, x) => (back[row] = x), (row) => (row === 0 ? 5 : back[row - 1]!));
  assert.equal(back, rows);
  assert.is(input.text(), "größer ☃");
  assert.throws(() => input.count(), /ends early/);
});

function roundTrip({ history }: Compilation): void {
  for (const index of Object.keys(history!.current.funcs).map(Number)) {
    const out = new ByteWriter();
    const written: { fn: Func; revision: number }[] = [];
    for (const { revision, changed } of history!.current.records) {
      const fn = history!.at(revision).funcs[index]!.ssa!;
      if (!changed.includes(index) || fn === written.at(-1)?.fn) continue;
      writeFunc(out, fn, written.at(-1)?.fn);
      written.push({ fn, revision });
    }
    const input = new ByteReader(out.finish());
    let before: Func | undefined;
    for (const { fn, revision } of written) {
      const { module } = history!.at(revision);
      const read = readFunc(input, fn.index, module, before);
      assert.is(printFunc(read, module), printFunc(fn, module));
      assert.equal(verifyFunc(read, module), []);
      before = read;
    }
  }
}

test("functions come back, step by step", () => {
  const folder = path.join(projectRoot, "tests/files/fuzz");
  let modules = 0;
  for (const file of readdirSync(folder)) {
    try {
      roundTrip(compileSync(Uint8Array.from(readFileSync(path.join(folder, file))), { record: true }));
      modules++;
    } catch (error) {
      if (!(error instanceof WasmError && error.kind === "unsupported")) throw error;
    }
  }
  assert.ok(modules > 10);
  roundTrip(compileSync(ordinary(3000), { record: true }));
});

test.run();
