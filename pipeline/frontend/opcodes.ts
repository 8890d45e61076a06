// Facts about the binary format's opcodes that decoding a body needs in its loop, as flat tables.
//
// Derived from the op table (ir/ops.ts); only the opcodes without an op of their own (block, local.get ...) are named here.
import { memoryAccess, ANY, ANY_REF, opInfo, type OpInfo } from "../../ir/ops.js";

export const enum Code {
  unreachable = 0x00,
  nop = 0x01,
  block = 0x02,
  loop = 0x03,
  if_ = 0x04,
  else_ = 0x05,
  end = 0x0b,
  br = 0x0c,
  br_if = 0x0d,
  br_table = 0x0e,
  return_ = 0x0f,
  call = 0x10,
  call_indirect = 0x11,
  drop = 0x1a,
  select = 0x1b,
  select_typed = 0x1c,
  local_get = 0x20,
  local_set = 0x21,
  local_tee = 0x22,
  global_get = 0x23,
  global_set = 0x24,
  table_get = 0x25,
  table_set = 0x26,
  first_memarg = 0x28,
  last_memarg = 0x3e,
  memory_size = 0x3f,
  memory_grow = 0x40,
  i32_const = 0x41,
  i64_const = 0x42,
  f32_const = 0x43,
  f64_const = 0x44,
  i32_eqz = 0x45,
  ref_null = 0xd0,
  ref_is_null = 0xd1,
  ref_func = 0xd2,
  prefix_fc = 0xfc,
  prefix_simd = 0xfd,
}

export const enum CodeFc {
  last_trunc_sat = 7,
  memory_init = 8,
  data_drop = 9,
  memory_copy = 10,
  memory_fill = 11,
  table_init = 12,
  elem_drop = 13,
  table_copy = 14,
  table_grow = 15,
  table_size = 16,
  table_fill = 17,
}

/** Bits of a shape: up to three operand types, a result type (3 bits each), and whether the opcode has a shape at all. */
export const enum Shape {
  result_shift = 9,
  known = 1 << 15,
}

/** Operand types a, b, c from bit 0, 3, 6 (`Type.none` where there are fewer), the result from bit 9. */
export function shapeOf(args: readonly number[], result: number): number {
  let shape: number = Shape.known | (result << Shape.result_shift);
  args.forEach((type, i) => (shape |= type << (3 * i)));
  return shape;
}

function simpleShape(info: OpInfo): number {
  const fixed = (type: number) => type !== ANY && type !== ANY_REF;
  const simple = !info.variadic && info.args.every(fixed) && fixed(info.result);
  return simple && (info.imm === "none" || info.imm === "memarg") ? shapeOf(info.args, info.result) : 0;
}

/** Of the one-byte opcodes whose types are fixed and whose immediate is nothing or a memarg; 0 for all others. */
export const shapes: Uint16Array = shapeTable(Code.drop, 0, 256);
/** The same for opcodes behind 0xfc. */
export const shapesFc: Uint16Array = shapeTable(0xfc00, 0xfc00, 32);
/** Largest alignment exponent of a memory access, by opcode: log2 of its width. */
export const maxAlign: Uint8Array = alignTable();

/** Shapes of the opcodes from `first` on, at `opcode - base`. */
function shapeTable(first: number, base: number, length: number): Uint16Array {
  const table = new Uint16Array(length);
  for (const info of opInfo) if (info.wasm >= first && info.wasm - base < length) table[info.wasm - base] = simpleShape(info);
  return table;
}

function alignTable(): Uint8Array {
  const table = new Uint8Array(256);
  for (const info of opInfo) {
    const access = memoryAccess(info.op);
    if (access) table[info.wasm] = Math.log2(access.bytes);
  }
  return table;
}

