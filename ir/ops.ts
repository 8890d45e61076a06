// THE table of SSA operations: name, operand and result types, effects, immediates, Wasm opcode.
//
// Every part of the compiler that needs a fact about an op reads it here: decoder, validator, builder, printer,
// parser, verifier, interpreter, passes, lowering. Names are Wasm's where the meaning is Wasm's. `Op` is the number
// that stands in columns; `opInfo[op]` is the row. Rows stand in the order of the enum (a test holds it).
import { Type } from "./types.js";

export const enum Op {
  // Structure: what has no opcode of its own in Wasm
  param = 0,
  copy = 1,
  result = 2,
  // Control: every block ends in one of these
  br = 3,
  br_if = 4,
  br_table = 5,
  return_ = 6,
  unreachable = 7,
  // Calls
  call = 8,
  call_indirect = 9,
  // Constants: `imm` low half, `imm2` high half of the bits
  i32_const = 10,
  i64_const = 11,
  f32_const = 12,
  f64_const = 13,
  ref_null = 14,
  ref_func = 15,
  ref_is_null = 16,
  select = 17,
  // Globals and tables
  global_get = 18,
  global_set = 19,
  table_get = 20,
  table_set = 21,
  table_size = 22,
  table_grow = 23,
  table_fill = 24,
  table_copy = 25,
  table_init = 26,
  elem_drop = 27,
  // Memory: `imm` static offset (unsigned), `imm2` memory index
  i32_load = 28,
  i64_load = 29,
  f32_load = 30,
  f64_load = 31,
  i32_load8_s = 32,
  i32_load8_u = 33,
  i32_load16_s = 34,
  i32_load16_u = 35,
  i64_load8_s = 36,
  i64_load8_u = 37,
  i64_load16_s = 38,
  i64_load16_u = 39,
  i64_load32_s = 40,
  i64_load32_u = 41,
  i32_store = 42,
  i64_store = 43,
  f32_store = 44,
  f64_store = 45,
  i32_store8 = 46,
  i32_store16 = 47,
  i64_store8 = 48,
  i64_store16 = 49,
  i64_store32 = 50,
  memory_size = 51,
  memory_grow = 52,
  memory_fill = 53,
  memory_copy = 54,
  memory_init = 55,
  data_drop = 56,
  // Comparisons
  i32_eqz = 57,
  i32_eq = 58,
  i32_ne = 59,
  i32_lt_s = 60,
  i32_lt_u = 61,
  i32_gt_s = 62,
  i32_gt_u = 63,
  i32_le_s = 64,
  i32_le_u = 65,
  i32_ge_s = 66,
  i32_ge_u = 67,
  i64_eqz = 68,
  i64_eq = 69,
  i64_ne = 70,
  i64_lt_s = 71,
  i64_lt_u = 72,
  i64_gt_s = 73,
  i64_gt_u = 74,
  i64_le_s = 75,
  i64_le_u = 76,
  i64_ge_s = 77,
  i64_ge_u = 78,
  f32_eq = 79,
  f32_ne = 80,
  f32_lt = 81,
  f32_gt = 82,
  f32_le = 83,
  f32_ge = 84,
  f64_eq = 85,
  f64_ne = 86,
  f64_lt = 87,
  f64_gt = 88,
  f64_le = 89,
  f64_ge = 90,
  // Integer arithmetic
  i32_clz = 91,
  i32_ctz = 92,
  i32_popcnt = 93,
  i32_add = 94,
  i32_sub = 95,
  i32_mul = 96,
  i32_div_s = 97,
  i32_div_u = 98,
  i32_rem_s = 99,
  i32_rem_u = 100,
  i32_and = 101,
  i32_or = 102,
  i32_xor = 103,
  i32_shl = 104,
  i32_shr_s = 105,
  i32_shr_u = 106,
  i32_rotl = 107,
  i32_rotr = 108,
  i64_clz = 109,
  i64_ctz = 110,
  i64_popcnt = 111,
  i64_add = 112,
  i64_sub = 113,
  i64_mul = 114,
  i64_div_s = 115,
  i64_div_u = 116,
  i64_rem_s = 117,
  i64_rem_u = 118,
  i64_and = 119,
  i64_or = 120,
  i64_xor = 121,
  i64_shl = 122,
  i64_shr_s = 123,
  i64_shr_u = 124,
  i64_rotl = 125,
  i64_rotr = 126,
  // Float arithmetic
  f32_abs = 127,
  f32_neg = 128,
  f32_ceil = 129,
  f32_floor = 130,
  f32_trunc = 131,
  f32_nearest = 132,
  f32_sqrt = 133,
  f32_add = 134,
  f32_sub = 135,
  f32_mul = 136,
  f32_div = 137,
  f32_min = 138,
  f32_max = 139,
  f32_copysign = 140,
  f64_abs = 141,
  f64_neg = 142,
  f64_ceil = 143,
  f64_floor = 144,
  f64_trunc = 145,
  f64_nearest = 146,
  f64_sqrt = 147,
  f64_add = 148,
  f64_sub = 149,
  f64_mul = 150,
  f64_div = 151,
  f64_min = 152,
  f64_max = 153,
  f64_copysign = 154,
  // Conversions
  i32_wrap_i64 = 155,
  i32_trunc_f32_s = 156,
  i32_trunc_f32_u = 157,
  i32_trunc_f64_s = 158,
  i32_trunc_f64_u = 159,
  i64_extend_i32_s = 160,
  i64_extend_i32_u = 161,
  i64_trunc_f32_s = 162,
  i64_trunc_f32_u = 163,
  i64_trunc_f64_s = 164,
  i64_trunc_f64_u = 165,
  f32_convert_i32_s = 166,
  f32_convert_i32_u = 167,
  f32_convert_i64_s = 168,
  f32_convert_i64_u = 169,
  f32_demote_f64 = 170,
  f64_convert_i32_s = 171,
  f64_convert_i32_u = 172,
  f64_convert_i64_s = 173,
  f64_convert_i64_u = 174,
  f64_promote_f32 = 175,
  i32_reinterpret_f32 = 176,
  i64_reinterpret_f64 = 177,
  f32_reinterpret_i32 = 178,
  f64_reinterpret_i64 = 179,
  i32_extend8_s = 180,
  i32_extend16_s = 181,
  i64_extend8_s = 182,
  i64_extend16_s = 183,
  i64_extend32_s = 184,
  i32_trunc_sat_f32_s = 185,
  i32_trunc_sat_f32_u = 186,
  i32_trunc_sat_f64_s = 187,
  i32_trunc_sat_f64_u = 188,
  i64_trunc_sat_f32_s = 189,
  i64_trunc_sat_f32_u = 190,
  i64_trunc_sat_f64_s = 191,
  i64_trunc_sat_f64_u = 192,
  count = 193,
}

/** Facts about an op, as bits of `OpInfo.flags`. */
export const enum Is {
  /** No effect, no trap: may be removed, moved, merged with an equal one. */
  pure = 1,
  /** Its value is known at compile time: the bits in `imm`/`imm2`, or null. */
  const = 2,
  commutative = 4,
  /** Ends a block. */
  terminator = 8,
  /** May end the program with a trap. */
  traps = 16,
  /** Calls: may read, write and trap anything. */
  call = 32,
  reads_memory = 64,
  writes_memory = 128,
  reads_global = 256,
  writes_global = 512,
  reads_table = 1024,
  writes_table = 2048,
  /** Stays directly behind the instruction it takes from. */
  pinned = 4096,
}

/** What `imm` and `imm2` hold, in that order. `edges`: then, else. `table_of_edges`: start and length in the edge table, the default last. */
export type ImmKind =
  | "none" | "param" | "result" | "edge" | "edges" | "table_of_edges" | "func" | "type_table" | "bits" | "global"
  | "table" | "table_table" | "elem_table" | "elem" | "memarg" | "memory" | "memory_memory" | "data_memory" | "data";

/** Stands in an operand list for "any type", and for "any reference". */
export const ANY = 254;
export const ANY_REF = 255;

export interface OpInfo {
  readonly op: Op;
  /** As printed, and as Wasm's text format has it. */
  readonly name: string;
  /** Operand types (`ANY`: any, see the verifier; `ANY_REF`). Only the fixed tail where `variadic`. */
  readonly args: readonly number[];
  /** Further operands come before `args`: calls, returns. */
  readonly variadic: boolean;
  /** Result type: a `Type`, or `ANY` where the instruction's own type column says. */
  readonly result: number;
  readonly flags: number;
  readonly imm: ImmKind;
  /** Opcode of the binary format (0xfc.. for the prefixed), -1 where Wasm has none. */
  readonly wasm: number;
}

const typeNames: Record<string, number> = {
  i32: Type.i32, i64: Type.i64, f32: Type.f32, f64: Type.f64, funcref: Type.funcref, externref: Type.externref, "*": ANY, ref: ANY_REF,
};

type Sig = Pick<OpInfo, "args" | "variadic" | "result">;

function readSig(sig: string): Sig {
  const [left, right] = sig.split("->").map((side) => side.trim().split(/\s+/).filter(Boolean));
  const operands = left ?? [];
  const variadic = operands[0] === "...";
  const args = (variadic ? operands.slice(1) : operands).map((t) => typeNames[t]!);
  return { args, variadic, result: right?.[0] ? typeNames[right[0]]! : Type.none };
}

/** Some forty for all rows: each is read once. */
const sigs = new Map<string, Sig>();

function row(op: Op, name: string, text: string, flags: number, imm: ImmKind, wasm = -1): OpInfo {
  let sig = sigs.get(text);
  if (!sig) sigs.set(text, (sig = readSig(text)));
  return { op, name, args: sig.args, variadic: sig.variadic, result: sig.result, flags, imm, wasm };
}

// prettier-ignore
export const opInfo: readonly OpInfo[] = [
  // Structure: what has no opcode of its own in Wasm
  row(Op.param, "param", "-> *", 0, "param"),
  row(Op.copy, "copy", "* -> *", Is.pure, "none"),
  row(Op.result, "result", "* -> *", Is.pinned, "result"),
  // Control: every block ends in one of these
  row(Op.br, "br", "", Is.terminator, "edge", 0x0c),
  row(Op.br_if, "br_if", "i32", Is.terminator, "edges", 0x0d),
  row(Op.br_table, "br_table", "i32", Is.terminator, "table_of_edges", 0x0e),
  row(Op.return_, "return", "...", Is.terminator, "none", 0x0f),
  row(Op.unreachable, "unreachable", "", Is.terminator | Is.traps, "none", 0x00),
  // Calls
  row(Op.call, "call", "... -> *", Is.call, "func", 0x10),
  row(Op.call_indirect, "call_indirect", "... i32 -> *", Is.call, "type_table", 0x11),
  // Constants: `imm` low half, `imm2` high half of the bits
  row(Op.i32_const, "i32.const", "-> i32", Is.pure | Is.const, "bits", 0x41),
  row(Op.i64_const, "i64.const", "-> i64", Is.pure | Is.const, "bits", 0x42),
  row(Op.f32_const, "f32.const", "-> f32", Is.pure | Is.const, "bits", 0x43),
  row(Op.f64_const, "f64.const", "-> f64", Is.pure | Is.const, "bits", 0x44),
  row(Op.ref_null, "ref.null", "-> *", Is.pure | Is.const, "none", 0xd0),
  row(Op.ref_func, "ref.func", "-> funcref", Is.pure, "func", 0xd2),
  row(Op.ref_is_null, "ref.is_null", "ref -> i32", Is.pure, "none", 0xd1),
  row(Op.select, "select", "* * i32 -> *", Is.pure, "none", 0x1b),
  // Globals and tables
  row(Op.global_get, "global.get", "-> *", Is.reads_global, "global", 0x23),
  row(Op.global_set, "global.set", "*", Is.writes_global, "global", 0x24),
  row(Op.table_get, "table.get", "i32 -> *", Is.reads_table | Is.traps, "table", 0x25),
  row(Op.table_set, "table.set", "i32 *", Is.writes_table | Is.traps, "table", 0x26),
  row(Op.table_size, "table.size", "-> i32", Is.reads_table, "table", 0xfc10),
  row(Op.table_grow, "table.grow", "* i32 -> i32", Is.writes_table, "table", 0xfc0f),
  row(Op.table_fill, "table.fill", "i32 * i32", Is.writes_table | Is.traps, "table", 0xfc11),
  row(Op.table_copy, "table.copy", "i32 i32 i32", Is.writes_table | Is.traps, "table_table", 0xfc0e),
  row(Op.table_init, "table.init", "i32 i32 i32", Is.writes_table | Is.traps, "elem_table", 0xfc0c),
  row(Op.elem_drop, "elem.drop", "", Is.writes_table, "elem", 0xfc0d),
  // Memory: `imm` static offset (unsigned), `imm2` memory index
  row(Op.i32_load, "i32.load", "i32 -> i32", Is.reads_memory | Is.traps, "memarg", 0x28),
  row(Op.i64_load, "i64.load", "i32 -> i64", Is.reads_memory | Is.traps, "memarg", 0x29),
  row(Op.f32_load, "f32.load", "i32 -> f32", Is.reads_memory | Is.traps, "memarg", 0x2a),
  row(Op.f64_load, "f64.load", "i32 -> f64", Is.reads_memory | Is.traps, "memarg", 0x2b),
  row(Op.i32_load8_s, "i32.load8_s", "i32 -> i32", Is.reads_memory | Is.traps, "memarg", 0x2c),
  row(Op.i32_load8_u, "i32.load8_u", "i32 -> i32", Is.reads_memory | Is.traps, "memarg", 0x2d),
  row(Op.i32_load16_s, "i32.load16_s", "i32 -> i32", Is.reads_memory | Is.traps, "memarg", 0x2e),
  row(Op.i32_load16_u, "i32.load16_u", "i32 -> i32", Is.reads_memory | Is.traps, "memarg", 0x2f),
  row(Op.i64_load8_s, "i64.load8_s", "i32 -> i64", Is.reads_memory | Is.traps, "memarg", 0x30),
  row(Op.i64_load8_u, "i64.load8_u", "i32 -> i64", Is.reads_memory | Is.traps, "memarg", 0x31),
  row(Op.i64_load16_s, "i64.load16_s", "i32 -> i64", Is.reads_memory | Is.traps, "memarg", 0x32),
  row(Op.i64_load16_u, "i64.load16_u", "i32 -> i64", Is.reads_memory | Is.traps, "memarg", 0x33),
  row(Op.i64_load32_s, "i64.load32_s", "i32 -> i64", Is.reads_memory | Is.traps, "memarg", 0x34),
  row(Op.i64_load32_u, "i64.load32_u", "i32 -> i64", Is.reads_memory | Is.traps, "memarg", 0x35),
  row(Op.i32_store, "i32.store", "i32 i32", Is.writes_memory | Is.traps, "memarg", 0x36),
  row(Op.i64_store, "i64.store", "i32 i64", Is.writes_memory | Is.traps, "memarg", 0x37),
  row(Op.f32_store, "f32.store", "i32 f32", Is.writes_memory | Is.traps, "memarg", 0x38),
  row(Op.f64_store, "f64.store", "i32 f64", Is.writes_memory | Is.traps, "memarg", 0x39),
  row(Op.i32_store8, "i32.store8", "i32 i32", Is.writes_memory | Is.traps, "memarg", 0x3a),
  row(Op.i32_store16, "i32.store16", "i32 i32", Is.writes_memory | Is.traps, "memarg", 0x3b),
  row(Op.i64_store8, "i64.store8", "i32 i64", Is.writes_memory | Is.traps, "memarg", 0x3c),
  row(Op.i64_store16, "i64.store16", "i32 i64", Is.writes_memory | Is.traps, "memarg", 0x3d),
  row(Op.i64_store32, "i64.store32", "i32 i64", Is.writes_memory | Is.traps, "memarg", 0x3e),
  row(Op.memory_size, "memory.size", "-> i32", Is.reads_memory, "memory", 0x3f),
  row(Op.memory_grow, "memory.grow", "i32 -> i32", Is.writes_memory, "memory", 0x40),
  row(Op.memory_fill, "memory.fill", "i32 i32 i32", Is.writes_memory | Is.traps, "memory", 0xfc0b),
  row(Op.memory_copy, "memory.copy", "i32 i32 i32", Is.writes_memory | Is.reads_memory | Is.traps, "memory_memory", 0xfc0a),
  row(Op.memory_init, "memory.init", "i32 i32 i32", Is.writes_memory | Is.traps, "data_memory", 0xfc08),
  row(Op.data_drop, "data.drop", "", Is.writes_memory, "data", 0xfc09),
  // Comparisons
  row(Op.i32_eqz, "i32.eqz", "i32 -> i32", Is.pure, "none", 0x45),
  row(Op.i32_eq, "i32.eq", "i32 i32 -> i32", Is.pure | Is.commutative, "none", 0x46),
  row(Op.i32_ne, "i32.ne", "i32 i32 -> i32", Is.pure | Is.commutative, "none", 0x47),
  row(Op.i32_lt_s, "i32.lt_s", "i32 i32 -> i32", Is.pure, "none", 0x48),
  row(Op.i32_lt_u, "i32.lt_u", "i32 i32 -> i32", Is.pure, "none", 0x49),
  row(Op.i32_gt_s, "i32.gt_s", "i32 i32 -> i32", Is.pure, "none", 0x4a),
  row(Op.i32_gt_u, "i32.gt_u", "i32 i32 -> i32", Is.pure, "none", 0x4b),
  row(Op.i32_le_s, "i32.le_s", "i32 i32 -> i32", Is.pure, "none", 0x4c),
  row(Op.i32_le_u, "i32.le_u", "i32 i32 -> i32", Is.pure, "none", 0x4d),
  row(Op.i32_ge_s, "i32.ge_s", "i32 i32 -> i32", Is.pure, "none", 0x4e),
  row(Op.i32_ge_u, "i32.ge_u", "i32 i32 -> i32", Is.pure, "none", 0x4f),
  row(Op.i64_eqz, "i64.eqz", "i64 -> i32", Is.pure, "none", 0x50),
  row(Op.i64_eq, "i64.eq", "i64 i64 -> i32", Is.pure | Is.commutative, "none", 0x51),
  row(Op.i64_ne, "i64.ne", "i64 i64 -> i32", Is.pure | Is.commutative, "none", 0x52),
  row(Op.i64_lt_s, "i64.lt_s", "i64 i64 -> i32", Is.pure, "none", 0x53),
  row(Op.i64_lt_u, "i64.lt_u", "i64 i64 -> i32", Is.pure, "none", 0x54),
  row(Op.i64_gt_s, "i64.gt_s", "i64 i64 -> i32", Is.pure, "none", 0x55),
  row(Op.i64_gt_u, "i64.gt_u", "i64 i64 -> i32", Is.pure, "none", 0x56),
  row(Op.i64_le_s, "i64.le_s", "i64 i64 -> i32", Is.pure, "none", 0x57),
  row(Op.i64_le_u, "i64.le_u", "i64 i64 -> i32", Is.pure, "none", 0x58),
  row(Op.i64_ge_s, "i64.ge_s", "i64 i64 -> i32", Is.pure, "none", 0x59),
  row(Op.i64_ge_u, "i64.ge_u", "i64 i64 -> i32", Is.pure, "none", 0x5a),
  row(Op.f32_eq, "f32.eq", "f32 f32 -> i32", Is.pure | Is.commutative, "none", 0x5b),
  row(Op.f32_ne, "f32.ne", "f32 f32 -> i32", Is.pure | Is.commutative, "none", 0x5c),
  row(Op.f32_lt, "f32.lt", "f32 f32 -> i32", Is.pure, "none", 0x5d),
  row(Op.f32_gt, "f32.gt", "f32 f32 -> i32", Is.pure, "none", 0x5e),
  row(Op.f32_le, "f32.le", "f32 f32 -> i32", Is.pure, "none", 0x5f),
  row(Op.f32_ge, "f32.ge", "f32 f32 -> i32", Is.pure, "none", 0x60),
  row(Op.f64_eq, "f64.eq", "f64 f64 -> i32", Is.pure | Is.commutative, "none", 0x61),
  row(Op.f64_ne, "f64.ne", "f64 f64 -> i32", Is.pure | Is.commutative, "none", 0x62),
  row(Op.f64_lt, "f64.lt", "f64 f64 -> i32", Is.pure, "none", 0x63),
  row(Op.f64_gt, "f64.gt", "f64 f64 -> i32", Is.pure, "none", 0x64),
  row(Op.f64_le, "f64.le", "f64 f64 -> i32", Is.pure, "none", 0x65),
  row(Op.f64_ge, "f64.ge", "f64 f64 -> i32", Is.pure, "none", 0x66),
  // Integer arithmetic
  row(Op.i32_clz, "i32.clz", "i32 -> i32", Is.pure, "none", 0x67),
  row(Op.i32_ctz, "i32.ctz", "i32 -> i32", Is.pure, "none", 0x68),
  row(Op.i32_popcnt, "i32.popcnt", "i32 -> i32", Is.pure, "none", 0x69),
  row(Op.i32_add, "i32.add", "i32 i32 -> i32", Is.pure | Is.commutative, "none", 0x6a),
  row(Op.i32_sub, "i32.sub", "i32 i32 -> i32", Is.pure, "none", 0x6b),
  row(Op.i32_mul, "i32.mul", "i32 i32 -> i32", Is.pure | Is.commutative, "none", 0x6c),
  row(Op.i32_div_s, "i32.div_s", "i32 i32 -> i32", Is.traps, "none", 0x6d),
  row(Op.i32_div_u, "i32.div_u", "i32 i32 -> i32", Is.traps, "none", 0x6e),
  row(Op.i32_rem_s, "i32.rem_s", "i32 i32 -> i32", Is.traps, "none", 0x6f),
  row(Op.i32_rem_u, "i32.rem_u", "i32 i32 -> i32", Is.traps, "none", 0x70),
  row(Op.i32_and, "i32.and", "i32 i32 -> i32", Is.pure | Is.commutative, "none", 0x71),
  row(Op.i32_or, "i32.or", "i32 i32 -> i32", Is.pure | Is.commutative, "none", 0x72),
  row(Op.i32_xor, "i32.xor", "i32 i32 -> i32", Is.pure | Is.commutative, "none", 0x73),
  row(Op.i32_shl, "i32.shl", "i32 i32 -> i32", Is.pure, "none", 0x74),
  row(Op.i32_shr_s, "i32.shr_s", "i32 i32 -> i32", Is.pure, "none", 0x75),
  row(Op.i32_shr_u, "i32.shr_u", "i32 i32 -> i32", Is.pure, "none", 0x76),
  row(Op.i32_rotl, "i32.rotl", "i32 i32 -> i32", Is.pure, "none", 0x77),
  row(Op.i32_rotr, "i32.rotr", "i32 i32 -> i32", Is.pure, "none", 0x78),
  row(Op.i64_clz, "i64.clz", "i64 -> i64", Is.pure, "none", 0x79),
  row(Op.i64_ctz, "i64.ctz", "i64 -> i64", Is.pure, "none", 0x7a),
  row(Op.i64_popcnt, "i64.popcnt", "i64 -> i64", Is.pure, "none", 0x7b),
  row(Op.i64_add, "i64.add", "i64 i64 -> i64", Is.pure | Is.commutative, "none", 0x7c),
  row(Op.i64_sub, "i64.sub", "i64 i64 -> i64", Is.pure, "none", 0x7d),
  row(Op.i64_mul, "i64.mul", "i64 i64 -> i64", Is.pure | Is.commutative, "none", 0x7e),
  row(Op.i64_div_s, "i64.div_s", "i64 i64 -> i64", Is.traps, "none", 0x7f),
  row(Op.i64_div_u, "i64.div_u", "i64 i64 -> i64", Is.traps, "none", 0x80),
  row(Op.i64_rem_s, "i64.rem_s", "i64 i64 -> i64", Is.traps, "none", 0x81),
  row(Op.i64_rem_u, "i64.rem_u", "i64 i64 -> i64", Is.traps, "none", 0x82),
  row(Op.i64_and, "i64.and", "i64 i64 -> i64", Is.pure | Is.commutative, "none", 0x83),
  row(Op.i64_or, "i64.or", "i64 i64 -> i64", Is.pure | Is.commutative, "none", 0x84),
  row(Op.i64_xor, "i64.xor", "i64 i64 -> i64", Is.pure | Is.commutative, "none", 0x85),
  row(Op.i64_shl, "i64.shl", "i64 i64 -> i64", Is.pure, "none", 0x86),
  row(Op.i64_shr_s, "i64.shr_s", "i64 i64 -> i64", Is.pure, "none", 0x87),
  row(Op.i64_shr_u, "i64.shr_u", "i64 i64 -> i64", Is.pure, "none", 0x88),
  row(Op.i64_rotl, "i64.rotl", "i64 i64 -> i64", Is.pure, "none", 0x89),
  row(Op.i64_rotr, "i64.rotr", "i64 i64 -> i64", Is.pure, "none", 0x8a),
  // Float arithmetic
  row(Op.f32_abs, "f32.abs", "f32 -> f32", Is.pure, "none", 0x8b),
  row(Op.f32_neg, "f32.neg", "f32 -> f32", Is.pure, "none", 0x8c),
  row(Op.f32_ceil, "f32.ceil", "f32 -> f32", Is.pure, "none", 0x8d),
  row(Op.f32_floor, "f32.floor", "f32 -> f32", Is.pure, "none", 0x8e),
  row(Op.f32_trunc, "f32.trunc", "f32 -> f32", Is.pure, "none", 0x8f),
  row(Op.f32_nearest, "f32.nearest", "f32 -> f32", Is.pure, "none", 0x90),
  row(Op.f32_sqrt, "f32.sqrt", "f32 -> f32", Is.pure, "none", 0x91),
  row(Op.f32_add, "f32.add", "f32 f32 -> f32", Is.pure, "none", 0x92),
  row(Op.f32_sub, "f32.sub", "f32 f32 -> f32", Is.pure, "none", 0x93),
  row(Op.f32_mul, "f32.mul", "f32 f32 -> f32", Is.pure, "none", 0x94),
  row(Op.f32_div, "f32.div", "f32 f32 -> f32", Is.pure, "none", 0x95),
  row(Op.f32_min, "f32.min", "f32 f32 -> f32", Is.pure, "none", 0x96),
  row(Op.f32_max, "f32.max", "f32 f32 -> f32", Is.pure, "none", 0x97),
  row(Op.f32_copysign, "f32.copysign", "f32 f32 -> f32", Is.pure, "none", 0x98),
  row(Op.f64_abs, "f64.abs", "f64 -> f64", Is.pure, "none", 0x99),
  row(Op.f64_neg, "f64.neg", "f64 -> f64", Is.pure, "none", 0x9a),
  row(Op.f64_ceil, "f64.ceil", "f64 -> f64", Is.pure, "none", 0x9b),
  row(Op.f64_floor, "f64.floor", "f64 -> f64", Is.pure, "none", 0x9c),
  row(Op.f64_trunc, "f64.trunc", "f64 -> f64", Is.pure, "none", 0x9d),
  row(Op.f64_nearest, "f64.nearest", "f64 -> f64", Is.pure, "none", 0x9e),
  row(Op.f64_sqrt, "f64.sqrt", "f64 -> f64", Is.pure, "none", 0x9f),
  row(Op.f64_add, "f64.add", "f64 f64 -> f64", Is.pure, "none", 0xa0),
  row(Op.f64_sub, "f64.sub", "f64 f64 -> f64", Is.pure, "none", 0xa1),
  row(Op.f64_mul, "f64.mul", "f64 f64 -> f64", Is.pure, "none", 0xa2),
  row(Op.f64_div, "f64.div", "f64 f64 -> f64", Is.pure, "none", 0xa3),
  row(Op.f64_min, "f64.min", "f64 f64 -> f64", Is.pure, "none", 0xa4),
  row(Op.f64_max, "f64.max", "f64 f64 -> f64", Is.pure, "none", 0xa5),
  row(Op.f64_copysign, "f64.copysign", "f64 f64 -> f64", Is.pure, "none", 0xa6),
  // Conversions
  row(Op.i32_wrap_i64, "i32.wrap_i64", "i64 -> i32", Is.pure, "none", 0xa7),
  row(Op.i32_trunc_f32_s, "i32.trunc_f32_s", "f32 -> i32", Is.traps, "none", 0xa8),
  row(Op.i32_trunc_f32_u, "i32.trunc_f32_u", "f32 -> i32", Is.traps, "none", 0xa9),
  row(Op.i32_trunc_f64_s, "i32.trunc_f64_s", "f64 -> i32", Is.traps, "none", 0xaa),
  row(Op.i32_trunc_f64_u, "i32.trunc_f64_u", "f64 -> i32", Is.traps, "none", 0xab),
  row(Op.i64_extend_i32_s, "i64.extend_i32_s", "i32 -> i64", Is.pure, "none", 0xac),
  row(Op.i64_extend_i32_u, "i64.extend_i32_u", "i32 -> i64", Is.pure, "none", 0xad),
  row(Op.i64_trunc_f32_s, "i64.trunc_f32_s", "f32 -> i64", Is.traps, "none", 0xae),
  row(Op.i64_trunc_f32_u, "i64.trunc_f32_u", "f32 -> i64", Is.traps, "none", 0xaf),
  row(Op.i64_trunc_f64_s, "i64.trunc_f64_s", "f64 -> i64", Is.traps, "none", 0xb0),
  row(Op.i64_trunc_f64_u, "i64.trunc_f64_u", "f64 -> i64", Is.traps, "none", 0xb1),
  row(Op.f32_convert_i32_s, "f32.convert_i32_s", "i32 -> f32", Is.pure, "none", 0xb2),
  row(Op.f32_convert_i32_u, "f32.convert_i32_u", "i32 -> f32", Is.pure, "none", 0xb3),
  row(Op.f32_convert_i64_s, "f32.convert_i64_s", "i64 -> f32", Is.pure, "none", 0xb4),
  row(Op.f32_convert_i64_u, "f32.convert_i64_u", "i64 -> f32", Is.pure, "none", 0xb5),
  row(Op.f32_demote_f64, "f32.demote_f64", "f64 -> f32", Is.pure, "none", 0xb6),
  row(Op.f64_convert_i32_s, "f64.convert_i32_s", "i32 -> f64", Is.pure, "none", 0xb7),
  row(Op.f64_convert_i32_u, "f64.convert_i32_u", "i32 -> f64", Is.pure, "none", 0xb8),
  row(Op.f64_convert_i64_s, "f64.convert_i64_s", "i64 -> f64", Is.pure, "none", 0xb9),
  row(Op.f64_convert_i64_u, "f64.convert_i64_u", "i64 -> f64", Is.pure, "none", 0xba),
  row(Op.f64_promote_f32, "f64.promote_f32", "f32 -> f64", Is.pure, "none", 0xbb),
  row(Op.i32_reinterpret_f32, "i32.reinterpret_f32", "f32 -> i32", Is.pure, "none", 0xbc),
  row(Op.i64_reinterpret_f64, "i64.reinterpret_f64", "f64 -> i64", Is.pure, "none", 0xbd),
  row(Op.f32_reinterpret_i32, "f32.reinterpret_i32", "i32 -> f32", Is.pure, "none", 0xbe),
  row(Op.f64_reinterpret_i64, "f64.reinterpret_i64", "i64 -> f64", Is.pure, "none", 0xbf),
  row(Op.i32_extend8_s, "i32.extend8_s", "i32 -> i32", Is.pure, "none", 0xc0),
  row(Op.i32_extend16_s, "i32.extend16_s", "i32 -> i32", Is.pure, "none", 0xc1),
  row(Op.i64_extend8_s, "i64.extend8_s", "i64 -> i64", Is.pure, "none", 0xc2),
  row(Op.i64_extend16_s, "i64.extend16_s", "i64 -> i64", Is.pure, "none", 0xc3),
  row(Op.i64_extend32_s, "i64.extend32_s", "i64 -> i64", Is.pure, "none", 0xc4),
  row(Op.i32_trunc_sat_f32_s, "i32.trunc_sat_f32_s", "f32 -> i32", Is.pure, "none", 0xfc00),
  row(Op.i32_trunc_sat_f32_u, "i32.trunc_sat_f32_u", "f32 -> i32", Is.pure, "none", 0xfc01),
  row(Op.i32_trunc_sat_f64_s, "i32.trunc_sat_f64_s", "f64 -> i32", Is.pure, "none", 0xfc02),
  row(Op.i32_trunc_sat_f64_u, "i32.trunc_sat_f64_u", "f64 -> i32", Is.pure, "none", 0xfc03),
  row(Op.i64_trunc_sat_f32_s, "i64.trunc_sat_f32_s", "f32 -> i64", Is.pure, "none", 0xfc04),
  row(Op.i64_trunc_sat_f32_u, "i64.trunc_sat_f32_u", "f32 -> i64", Is.pure, "none", 0xfc05),
  row(Op.i64_trunc_sat_f64_s, "i64.trunc_sat_f64_s", "f64 -> i64", Is.pure, "none", 0xfc06),
  row(Op.i64_trunc_sat_f64_u, "i64.trunc_sat_f64_u", "f64 -> i64", Is.pure, "none", 0xfc07),
];

/** `opFlags[op]`: the flags alone, for hot loops. */
export const opFlags: Uint16Array = Uint16Array.from(opInfo, (info) => info.flags);

const byName: ReadonlyMap<string, Op> = new Map(opInfo.map((info) => [info.name, info.op]));
const byOpcode: Int16Array = opcodeTable(0x00, 0x100);
const byPrefixedOpcode: Int16Array = opcodeTable(0xfc00, 0x20);

function opcodeTable(first: number, length: number): Int16Array {
  const table = new Int16Array(length).fill(-1);
  for (const info of opInfo) if (info.wasm >= first && info.wasm < first + length) table[info.wasm - first] = info.op;
  return table;
}

/** The op of that printed name, or undefined. */
export function opNamed(name: string): Op | undefined {
  return byName.get(name);
}

/** The op of a one-byte Wasm opcode, -1 where there is none in SSA (block, local.get ...). */
export function opOfOpcode(opcode: number): Op | -1 {
  return byOpcode[opcode]!;
}

/** The op of a 0xfc-prefixed opcode, -1 where there is none. */
export function opOfPrefixedOpcode(opcode: number): Op | -1 {
  return opcode < byPrefixedOpcode.length ? byPrefixedOpcode[opcode]! : -1;
}

export interface MemoryAccess {
  /** In memory. */
  readonly bytes: number;
  /** A narrow load extends by sign. */
  readonly signed: boolean;
}

const accesses: readonly (MemoryAccess | undefined)[] = opInfo.map(({ imm, name }) => {
  if (imm !== "memarg") return undefined;
  const narrow = /(\d+)(_s|_u)?$/.exec(name.slice(4));
  const full = name.slice(1, 3) === "32" ? 4 : 8;
  return { bytes: narrow ? Number(narrow[1]) / 8 : full, signed: narrow?.[2] === "_s" };
});

/** Facts about a load or store; undefined for other ops. */
export function memoryAccess(op: Op): MemoryAccess | undefined {
  return accesses[op];
}
