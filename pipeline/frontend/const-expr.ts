// Constant expressions: initial values of globals, offsets and items of segments. Decoded and validated in one walk.
//
// Wasm 2.0: exactly one instruction (spec 3.3.7.2); `global.get` reaches imported, immutable globals only.
import type { FuncIndex, GlobalIndex } from "../../ir/entity.js";
import type { ConstExpr, ConstOp, Module } from "../../ir/module.js";
import { Type, typeName } from "../../ir/types.js";
import { laterFeature, opcodeName, printOpcode } from "./error.js";
import type { Reader } from "./reader.js";

/** Reads up to and including `end`; the value must have type `type`. @param what names the expression in errors. */
export function readConstExpr(r: Reader, m: Module, type: Type, what: string): ConstExpr {
  const start = r.pos;
  const ops: ConstOp[] = [];
  for (;;) {
    const at = r.pos;
    const opcode = r.byte(`an instruction of ${what}`);
    if (opcode === 0x0b) break;
    const found = readConstOp(r, m, opcode, at, what, ops);
    if (ops.length > 1) r.fail("invalid", `expected one constant instruction in ${what}, found a second one, ${opcodeName(opcode)}`, at);
    if (found !== type) r.fail("invalid", `expected a value of type ${typeName(type)} in ${what}, found ${typeName(found)}`, at);
  }
  if (ops.length === 0) r.fail("invalid", `expected a value of type ${typeName(type)} in ${what}, found an empty expression`, start);
  return ops;
}

function readConstOp(r: Reader, m: Module, opcode: number, at: number, what: string, ops: ConstOp[]): Type {
  switch (opcode) {
    case 0x41: {
      ops.push({ op: "i32.const", lo: r.s32("a constant"), hi: 0 });
      return Type.i32;
    }
    case 0x42: {
      const lo = r.s64("a constant");
      ops.push({ op: "i64.const", lo, hi: r.high });
      return Type.i64;
    }
    case 0x43: {
      ops.push({ op: "f32.const", lo: fixed32(r), hi: 0 });
      return Type.f32;
    }
    case 0x44: {
      const lo = fixed32(r);
      ops.push({ op: "f64.const", lo, hi: fixed32(r) });
      return Type.f64;
    }
    case 0x23: {
      const index = r.u32("a global index");
      const global = m.globals[index];
      if (!global) r.fail("invalid", `expected a global index below ${m.globals.length} in ${what}, found ${index}`, at);
      if (!global.imported) r.fail("invalid", `expected an imported global in ${what}, found global ${index}, which the module defines`, at);
      if (global.mutable) r.fail("invalid", `expected an immutable global in ${what}, found global ${index}, which is mutable`, at);
      ops.push({ op: "global.get", global: index as GlobalIndex });
      return global.type;
    }
    case 0xd0: {
      const type = r.refType("the type of ref.null");
      ops.push({ op: "ref.null", type });
      return type;
    }
    case 0xd2: {
      const index = r.u32("a function index");
      if (index >= m.funcs.length) r.fail("invalid", `expected a function index below ${m.funcs.length} in ${what}, found ${index}`, at);
      ops.push({ op: "ref.func", func: index as FuncIndex });
      return Type.funcref;
    }
    case 0xfd: {
      const sub = r.u32("a SIMD opcode");
      if (sub !== 12) r.fail("invalid", `expected a constant instruction in ${what}, found opcode ${printOpcode(sub, 0xfd)}`, at);
      if (r.end - r.pos < 16) r.failEnd("16 bytes of v128.const");
      ops.push({ op: "v128.const", bytes: r.bytes.slice(r.pos, r.pos + 16) });
      r.pos += 16;
      r.usesSimd(at);
      return Type.v128;
    }
    case 0x6a: case 0x6b: case 0x6c: case 0x7c: case 0x7d: case 0x7e:
      return r.unsupported("an extended constant expression", `${opcodeName(opcode)} in ${what}`, at);
    default: {
      const later = laterFeature(opcode);
      if (later !== undefined) r.unsupported(later, `opcode ${printOpcode(opcode)} in ${what}`, at);
      return r.fail("invalid", `expected a constant instruction in ${what}, found ${opcodeName(opcode)}`, at);
    }
  }
}

/** Four bytes, little-endian, as int32. */
function fixed32(r: Reader): number {
  if (r.end - r.pos < 4) r.failEnd("the bytes of a float constant");
  const b = r.bytes;
  const p = r.pos;
  r.pos += 4;
  return b[p]! | (b[p + 1]! << 8) | (b[p + 2]! << 16) | (b[p + 3]! << 24);
}
