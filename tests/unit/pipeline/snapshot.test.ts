// Snapshots: every column is known, what is opened equals what was kept, and is sealed.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Op } from "../../../ir/ops.js";
import { Type } from "../../../ir/types.js";
import { compileSync, Func, MFunc, printFunc, printMFunc, watToBytes, type FuncIndex, type TypeIndex } from "../../../pipeline/index.js";
import { funcColumns, mfuncColumns, Snapshot } from "../../../pipeline/snapshot.js";

const bytes = await watToBytes(`(module (memory 1)
  (func (param i32) (result i32) (local i32)
    (block $out (loop $again
      (br_table $out $again $out (i32.load8_u (local.get 0)))))
    (i32.mul (local.get 0) (i32.const 7))))`);

test("every column of both kinds of function is in the tables", () => {
  const type = { params: [], results: [] };
  const cases = [
    [new Func(0 as FuncIndex, 0 as TypeIndex, type), funcColumns],
    [new MFunc(0 as FuncIndex, type), mfuncColumns],
  ] as const;
  for (const [fn, table] of cases) {
    const columns = Object.entries(fn).filter(([, value]) => ArrayBuffer.isView(value)).map(([name]) => name);
    assert.equal(Object.values(table).flat().sort(), columns.sort());
    for (const count of Object.keys(table)) assert.type((fn as unknown as Record<string, unknown>)[count], "number", count);
  }
});

test("what is opened prints as what was kept, whatever becomes of it, and cannot be changed", () => {
  const seen: [Snapshot<Func | MFunc>, string][] = [];
  let print: (fn: Func | MFunc) => string = () => "";
  const keep = (fn: Func | MFunc) => seen.push([new Snapshot<Func | MFunc>(fn), print(fn)]);
  const { target } = compileSync(bytes);
  print = (fn) => (fn instanceof Func ? printFunc(fn) : printMFunc(fn, target));
  compileSync(bytes, { observe: { ssa: keep, machine: keep } });
  assert.ok(seen.length > 5);
  for (const [snapshot, text] of seen) assert.is(print(snapshot.open()), text);
  const first = seen[0]![0].open();
  assert.is(seen[0]![0].open(), first, "one object as long as it is held");
  assert.throws(() => (first as Func).append0((first as Func).entry, Op.i32_const, Type.i32), TypeError);
});

test("rows are compared", () => {
  const [fn] = [compileSync(bytes, { record: true }).history!.at(1).funcs[0]!.ssa!];
  assert.ok(new Snapshot(fn).sameRows(new Snapshot(fn)));
  const other = compileSync(bytes, { record: true }).history!.current.funcs[0]!.ssa!;
  assert.not(new Snapshot(fn).sameRows(new Snapshot(other)));
});

test.run();
