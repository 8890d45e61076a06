// Decoding and validation case by case: what is accepted, and for what is refused the kind, the offset and the sentence.
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { FuncIndex } from "../../../ir/entity.js";
import { Type } from "../../../ir/types.js";
import { decodeModule, validate, type WasmErrorKind } from "../../../pipeline/frontend/index.js";
import { header, leb, section } from "../../wasm-bytes.js";

const type0 = section(1, [0x60, 0, 0]);
const toI32 = section(1, [0x60, 0, 1, 0x7f]);
const func0 = section(3, [0]);
const memory = section(5, [0, 1]);
const table = section(4, [0x70, 0, 1]);

/** One body without locals; `end` is added. */
function code(...bytes: number[]): number[] {
  return section(10, [...leb(bytes.length + 2), 0, ...bytes, 0x0b]);
}

function custom(name: string, bytes: readonly number[]): number[] {
  const text = [...Buffer.from(name)];
  const body = [...leb(text.length), ...text, ...bytes];
  return [0, ...leb(body.length), ...body];
}

function module(...sections: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from([...header, ...sections.flat()]);
}

function accepted(bytes: Uint8Array): void {
  assert.is(validate(bytes)?.message, undefined);
}

function refused(bytes: Uint8Array, kind: WasmErrorKind, offset: number, sentence: RegExp): void {
  const error = validate(bytes);
  assert.ok(error, "was accepted");
  assert.match(error!.sentence, sentence);
  assert.is(error!.kind, kind);
  assert.is(error!.offset, offset, error!.message);
  assert.is(error!.message, `${error!.sentence} (at byte 0x${offset.toString(16)})`);
}

test("labels and locals around the first index of two bytes, and where there is none", () => {
  for (const depth of [126, 127, 128, 129, 300]) {
    // The condition, br_if to the outermost block or to the body, one label further.
    const nest = (label: number) => module(type0, func0, code(...new Array<number[]>(depth).fill([0x02, 0x40]).flat(), 0x41, 0, 0x0d, ...leb(label), ...new Array<number>(depth).fill(0x0b), 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01, 0x01));
    accepted(nest(depth - 1));
    accepted(nest(depth));
    assert.match(validate(nest(depth + 1))!.sentence, /label/);
  }
  for (const count of [127, 128, 129, 256, 257]) {
    const body = (index: number) => [1, ...leb(count), 0x7f, 0x20, ...leb(index), 0x21, 0, 0x20, 0, 0x22, ...leb(index), 0x1a, 0x0b];
    const local = (index: number) => module(type0, func0, section(10, [...leb(body(index).length), ...body(index)]));
    accepted(local(count - 1));
    assert.match(validate(local(count))!.sentence, new RegExp(`expected a local index below ${count} for local.get, found ${count}`));
  }
});

test("the header", () => {
  accepted(module());
  refused(Uint8Array.from([]), "malformed", 0, /^unexpected end of the module: expected the magic number/);
  refused(Uint8Array.from([0, 0x61, 0x73, 0x6e, 1, 0, 0, 0]), "malformed", 3, /^expected the magic number 00 61 73 6d, found byte 0x6e$/);
  refused(Uint8Array.from([0, 0x61, 0x73, 0x6d, 2, 0, 0, 0]), "malformed", 4, /^expected the version/);
  refused(Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), "unsupported", 4, /component/);
});

test("sections come once and in order", () => {
  refused(module(type0, type0), "malformed", 8 + type0.length, /at most one type section.*a second one/);
  refused(module(type0, func0, type0), "malformed", 8 + type0.length + func0.length, /one behind the function section/);
  refused(module(memory, table), "malformed", 8 + memory.length, /one behind the memory section/);
  refused(module([14, 0]), "malformed", 8, /^expected a section id from 0 to 12, found 14$/);
  refused(module([1, 5, 0]), "malformed", 8, /expected a section of 5 bytes, found 1/);
  refused(module([1, 2, 0, 0]), "malformed", 11, /^expected the end of the type section, found 1 more bytes/);
  refused(module(type0, func0), "malformed", 8 + type0.length + func0.length, /^expected 1 function bodies in a code section, found 0$/);
});

test("LEB128: length and unused bits", () => {
  const constant = (...bytes: number[]) => module(toI32, func0, code(0x41, ...bytes));
  const at = 8 + toI32.length + func0.length + 6;
  accepted(constant(0xff, 0xff, 0xff, 0xff, 0x07));
  accepted(constant(0x80, 0x80, 0x80, 0x80, 0x78));
  refused(constant(0x80, 0x80, 0x80, 0x80, 0x08), "malformed", at, /fit 32 bits, found 0x8/);
  refused(constant(0x80, 0x80, 0x80, 0x80, 0x80, 0x00), "malformed", at, /at most 5 bytes, found a longer one/);
  const wide = (...bytes: number[]) => module(section(6, [0x7e, 0, 0x42, ...bytes, 0x0b]));
  const value = (bytes: Uint8Array) => decodeModule(bytes).globals[0]!.init![0];
  assert.equal(value(wide(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f)), { op: "i64.const", lo: 0, hi: -0x80000000 });
  assert.equal(value(wide(0x7f)), { op: "i64.const", lo: -1, hi: -1 });
  assert.equal(value(wide(0xff, 0xff, 0xff, 0xff, 0x0f)), { op: "i64.const", lo: -1, hi: 0 });
  assert.equal(value(wide(0xff, 0xff, 0xff, 0xff, 0x7f)), { op: "i64.const", lo: -1, hi: -1 });
  refused(wide(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01), "malformed", 14, /fit 64 bits/);
});

test("operands: missing, of the wrong type, left over", () => {
  const at = 8 + type0.length + func0.length + 5;
  refused(module(type0, func0, code(0x6a)), "invalid", at, /^expected an operand of type i32 for i32\.add, found no more on the stack/);
  refused(module(type0, func0, code(0x43, 0, 0, 0, 0, 0x45, 0x1a)), "invalid", at + 5, /^expected type i32 for i32\.eqz, found f32, in function 0$/);
  refused(module(type0, func0, code(0x41, 0)), "invalid", at + 2, /^expected 0 values at end, found 1 more \(i32 on top\)/);
  refused(module(toI32, func0, code()), "invalid", 8 + toI32.length + func0.length + 5, /^expected an operand of type i32 for end/);
});

test("unreachable code is polymorphic, but not untyped", () => {
  accepted(module(toI32, func0, code(0x00, 0x6a)));
  accepted(module(toI32, func0, code(0x00, 0x1b)));
  accepted(module(type0, func0, code(0x00, 0xd1, 0x1a)));
  accepted(module(toI32, func0, code(0x41, 0, 0x0c, 0, 0x41, 1, 0x6a)));
  const at = 8 + type0.length + func0.length + 5;
  refused(module(type0, func0, code(0x00, 0x42, 0, 0x45, 0x1a)), "invalid", at + 3, /expected type i32 for i32.eqz, found i64/);
  refused(module(type0, func0, code(0x00, 0x41, 0, 0x41, 0, 0x1b, 0x50, 0x1a)), "invalid", at + 6, /expected type i64 for i64.eqz, found i32/);
});

test("labels, br_table, if without else", () => {
  const at = 8 + type0.length + func0.length + 5;
  refused(module(type0, func0, code(0x0c, 1)), "invalid", at, /^expected a label index below 1 for br, found 1/);
  refused(module(toI32, func0, code(0x02, 0x40, 0x41, 0, 0x41, 0, 0x0e, 1, 0, 1, 0x0b, 0x41, 0)), "invalid", at + 7, /^expected labels of 0 values for br_table, found one of 1/);
  refused(module(toI32, func0, code(0x41, 0, 0x04, 0x7f, 0x41, 0, 0x0b)), "invalid", at + 7, /^expected an else/);
  refused(module(type0, func0, code(0x05)), "malformed", at, /^expected an if around else/);
});

test("references: select, ref.func, ref.is_null, tables", () => {
  const at = 8 + type0.length + func0.length + 5;
  refused(module(type0, func0, code(0xd2, 0, 0x1a)), "invalid", at, /^expected ref.func of a function that is declared/);
  accepted(module(type0, func0, section(9, [3, 0, 1, 0]), code(0xd2, 0, 0x1a)));
  refused(module(type0, func0, code(0xd0, 0x70, 0xd0, 0x70, 0x41, 0, 0x1b, 0x1a)), "invalid", at + 6, /select without a type, found funcref/);
  accepted(module(type0, func0, code(0xd0, 0x70, 0xd0, 0x70, 0x41, 0, 0x1c, 1, 0x70, 0x1a)));
  refused(module(type0, func0, code(0x41, 0, 0xd1, 0x1a)), "invalid", at + 2, /^expected a reference for ref.is_null, found i32/);
  const externs = section(4, [0x6f, 0, 1]);
  refused(module(type0, func0, externs, code(0x41, 0, 0x11, 0, 0)), "invalid", at + externs.length + 2, /^expected a table of funcref/);
});

test("memory: alignment, index, limits, data count", () => {
  const load = (...bytes: number[]) => module(toI32, func0, memory, code(0x41, 0, 0x28, ...bytes));
  const at = 8 + toI32.length + func0.length + memory.length + 5;
  accepted(load(2, 0));
  refused(load(3, 0), "invalid", at + 2, /^expected an alignment of at most 2\^2 bytes for i32.load, found 2\^3/);
  refused(module(toI32, func0, code(0x3f, 0)), "invalid", at - memory.length, /^expected a memory index below 0/);
  refused(module(toI32, func0, memory, code(0x3f, 0x80, 0)), "malformed", at, /^expected 0 as the memory of memory.size, found 0x80/);
  refused(module(section(5, [0, ...leb(65537)])), "invalid", 12, /at most 65536 pages, found a minimum of 65537/);
  refused(module(section(5, [1, 2, 1])), "invalid", 13, /^expected a maximum of at least the minimum 2 pages/);
  const init = code(0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 8, 0, 0);
  accepted(module(type0, func0, memory, [12, 1, 1], init, section(11, [1, 0])));
  refused(module(type0, func0, memory, init, section(11, [1, 0])), "malformed", at - 1 + 6, /^expected a data count section, needed for memory.init/);
  refused(module([12, 1, 2], section(11, [1, 0])), "malformed", 13, /^expected 2 data segments as the data count section says, found 1/);
});

test("limits on locals count runs, not locals", () => {
  const body = (...groups: number[][]) => {
    const bytes = [...leb(groups.length), ...groups.flat(), 0x20, ...leb(49_999), 0x1a, 0x0b];
    return module(type0, func0, section(10, [...leb(bytes.length), ...bytes]));
  };
  accepted(body([...leb(49_999), 0x7f], [0, 0x7e], [1, 0x7d]));
  refused(body([...leb(49_999), 0x7f], [2, 0x7e]), "invalid", 8 + type0.length + func0.length + 9, /^expected at most 50000 locals in function 0, found 50001$/);
});

test("later features are named", () => {
  const at = 8 + type0.length + func0.length + 5;
  const named = (bytes: Uint8Array, offset: number, feature: RegExp) => refused(bytes, "unsupported", offset, feature);
  named(module(type0, func0, code(0x12, 0)), at, /tail calls/);
  named(module(type0, func0, code(0x06, 0x40, 0x0b)), at, /exception handling/);
  named(module(type0, func0, code(0xfe, 3, 0)), at, /threads/);
  named(module(type0, func0, code(0xfb, 0)), at, /garbage collection/);
  named(module(section(5, [3, 1, 1])), 11, /threads/);
  named(module(section(5, [4, 1])), 11, /64-bit memories/);
  named(module(section(5, [0, 1], [0, 1])), 13, /several memories/);
  named(module(section(1, [0x5f, 0, 0])), 11, /garbage collection/);
  named(module([13, 1, 0]), 8, /exception handling/);
  named(module(section(6, [0x7f, 0, 0x41, 0, 0x6a, 0x0b])), 15, /extended constant/);
});

test("SIMD is validated and noted with the offset of its first use", () => {
  const at = 8 + type0.length + func0.length + 5;
  const zero = [0xfd, 12, ...Array<number>(16).fill(0)];
  assert.equal([...decodeModule(module(type0, func0, code(...zero, 0x1a))).features], [["simd", at]]);
  assert.equal([...decodeModule(module(section(1, [0x60, 1, 0x7b, 0]))).features], [["simd", 13]]);
  assert.equal([...decodeModule(module(type0, func0, code())).features], []);
  refused(module(type0, func0, code(...zero, 0x45, 0x1a)), "invalid", at + 18, /expected type i32 for i32.eqz, found v128/);
  refused(module(type0, func0, code(...zero, 0xfd, 27, 4, 0x1a)), "invalid", at + 18, /^expected a lane index below 4 for i32x4.extract_lane, found 4/);
  refused(module(type0, func0, code(...zero, 0xfd, 162, 1)), "malformed", at + 18, /which is none/);
});

test("names and custom sections are kept, and never refused for what they hold", () => {
  const names = [
    ...[0, 3, 2, 0x6d, 0x6d],
    ...[1, 4, 1, 0, 1, 0x66],
    ...[2, 6, 1, 0, 1, 0, 1, 0x78],
    ...[7, 1, 0],
  ];
  // In front of what it names: still attached.
  const m = decodeModule(module(custom("name", names), custom("mine", [1, 2, 3]), type0, func0, code()));
  assert.is(m.names.module, "mm");
  assert.is(m.funcs[0]!.name, "f");
  assert.is(m.names.locals.get(0 as FuncIndex)!.get(0), "x");
  assert.equal(m.customs.map((c) => [c.name, [...c.bytes]]), [["mine", [1, 2, 3]], ["name", [7, 1, 0]]]);
  const broken = decodeModule(module(type0, func0, code(), custom("name", [1, 9, 1, 0])));
  assert.is(broken.funcs[0]!.name, undefined);
  assert.equal(broken.customs.map((c) => [...c.bytes]), [[1, 9, 1, 0]]);
  refused(module([0, 2, 1, 0xff]), "malformed", 11, /^expected the name of a custom section in UTF-8/);
});

test("segments, imports, exports and globals arrive as declared", () => {
  const m = decodeModule(module(
    type0,
    section(2, [1, 0x61, 1, 0x62, 3, 0x7f, 0], [0, 0, 1, 0x6f, 1, 2, 3]),
    func0,
    table,
    memory,
    section(6, [0x7d, 1, 0x43, 0, 0, 0xc0, 0x7f, 0x0b], [0x7f, 0, 0x23, 0, 0x0b]),
    section(7, [1, 0x66, 0, 0], [2, 0xc3, 0xa9, 2, 0]),
    [8, 1, 0],
    section(9, [2, 1, 0x41, 0, 0x0b, 0, 1, 0], [5, 0x6f, 1, 0xd0, 0x6f, 0x0b]),
    code(),
    section(11, [0, 0x23, 0, 0x0b, 2, 8, 9]),
  ));
  assert.equal(m.imports, [{ module: "a", name: "b", kind: "global", index: 0 }, { module: "", name: "", kind: "table", index: 0 }]);
  assert.equal(m.tables, [
    { elem: Type.externref, limits: { min: 2, max: 3 }, imported: true },
    { elem: Type.funcref, limits: { min: 1, max: undefined }, imported: false },
  ]);
  assert.equal(m.globals[1], { type: Type.f32, mutable: true, imported: false, init: [{ op: "f32.const", lo: 0x7fc00000, hi: 0 }] });
  assert.equal(m.globals[2]!.init, [{ op: "global.get", global: 0 }]);
  assert.equal(m.exports, [{ name: "f", kind: "func", index: 0 }, { name: "é", kind: "memory", index: 0 }]);
  assert.is(m.start, 0);
  assert.equal(m.elems, [
    { type: Type.funcref, mode: { mode: "active", target: 1, offset: [{ op: "i32.const", lo: 0, hi: 0 }] }, init: [[{ op: "ref.func", func: 0 }]] },
    { type: Type.externref, mode: { mode: "passive" }, init: [[{ op: "ref.null", type: Type.externref }]] },
  ]);
  assert.equal(m.datas[0]!.mode, { mode: "active", target: 0, offset: [{ op: "global.get", global: 0 }] });
  assert.equal([...m.datas[0]!.bytes], [8, 9]);
  refused(module(type0, func0, section(7, [1, 0x66, 0, 0], [1, 0x66, 0, 0]), code()), "invalid", 8 + type0.length + func0.length + 7, /a second one called "f"/);
});

test.run();
