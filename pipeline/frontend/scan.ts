// Looks over a validated body before its translation: where locals are assigned and where loops end.
//
// Also knows how long an instruction is, for skipping unreachable code. Trusts the bytes: they were validated.
import type { Assignments } from "../../ir/builder.js";
import { NONE } from "../../ir/entity.js";
import type { Module } from "../../ir/module.js";
import { WasmError, printOpcode } from "./error.js";
import { Code, CodeFc } from "./opcodes.js";
import { simdOps } from "./simd-ops.js";

const enum Imm {
  none = 0,
  /** Numbers in LEB128, or single bytes below 0x80, which read the same. */
  one = 1,
  two = 2,
  bytes4 = 3,
  bytes8 = 4,
  br_table = 5,
  /** A counted list of bytes. */
  list = 6,
  fc = 7,
  simd = 8,
}

/** By opcode. */
const immediates: Uint8Array = immediateTable();
/** Behind 0xfc: how many numbers follow the opcode. */
const immediatesFc: Uint8Array = immediateTableFc();

function immediateTable(): Uint8Array {
  const table = new Uint8Array(256);
  table.fill(Imm.two, Code.first_memarg, Code.last_memarg + 1);
  for (const code of [
    Code.block, Code.loop, Code.if_, Code.br, Code.br_if, Code.call, Code.local_get, Code.local_set, Code.local_tee, Code.global_get, Code.global_set,
    Code.table_get, Code.table_set, Code.memory_size, Code.memory_grow, Code.i32_const, Code.i64_const, Code.ref_null, Code.ref_func,
  ]) table[code] = Imm.one;
  table[Code.call_indirect] = Imm.two;
  table[Code.f32_const] = Imm.bytes4;
  table[Code.f64_const] = Imm.bytes8;
  table[Code.br_table] = Imm.br_table;
  table[Code.select_typed] = Imm.list;
  table[Code.prefix_fc] = Imm.fc;
  table[Code.prefix_simd] = Imm.simd;
  return table;
}

function immediateTableFc(): Uint8Array {
  const table = new Uint8Array(32);
  table.fill(1, CodeFc.memory_init);
  for (const code of [CodeFc.memory_init, CodeFc.memory_copy, CodeFc.table_init, CodeFc.table_copy]) table[code] = 2;
  return table;
}

function skipLeb(bytes: Uint8Array, pos: number): number {
  while (bytes[pos++]! >= 0x80);
  return pos;
}

/** @param pos behind the opcode; returns the position behind its immediates. Throws the "unsupported" WasmError for SIMD. */
export function skipImmediates(bytes: Uint8Array, pos: number, opcode: number): number {
  switch (immediates[opcode]) {
    case Imm.one:
      return skipLeb(bytes, pos);
    case Imm.two:
      return skipLeb(bytes, skipLeb(bytes, pos));
    case Imm.bytes4:
      return pos + 4;
    case Imm.bytes8:
      return pos + 8;
    case Imm.br_table: {
      const n = leb(bytes, pos);
      pos = skipLeb(bytes, pos);
      for (let i = 0; i <= n; i++) pos = skipLeb(bytes, pos);
      return pos;
    }
    case Imm.list:
      return skipLeb(bytes, pos) + leb(bytes, pos);
    case Imm.fc: {
      const sub = leb(bytes, pos);
      pos = skipLeb(bytes, pos);
      for (let i = immediatesFc[sub]!; i > 0; i--) pos = skipLeb(bytes, pos);
      return pos;
    }
    case Imm.simd: {
      const sub = leb(bytes, pos);
      const name = simdOps[sub]?.name ?? printOpcode(sub, opcode);
      throw new WasmError("unsupported", pos - 1, `expected WebAssembly without SIMD, found ${name}: not supported yet`);
    }
    default:
      return pos;
  }
}

/** An unsigned number of at most 32 bits. */
function leb(bytes: Uint8Array, pos: number): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const b = bytes[pos++]!;
    value |= (b & 0x7f) << shift;
    if (b < 0x80) return value >>> 0;
  }
}

/** What locals and calls of a body need. */
export interface Uses {
  /** By local: how often it is read or written, eight times as much for each loop around. */
  uses: Int32Array;
  /** Whether anything is called: functions, builtins, C functions. */
  calls: boolean;
  /** The largest outgoing area of a call. */
  outgoingBytes: number;
}

/** Loops around an instruction count up to so many. */
const COUNTED_LOOPS = 5;

/**
 * Scans the instructions in [start, end) of a body with that many locals. Linear.
 * @param outgoing by type of the module: bytes of a call's outgoing area. @param into what is filled.
 */
export function scanUses(module: Module, start: number, end: number, locals: number, outgoing: Int32Array, into: Uses): void {
  const { bytes, funcs } = module;
  if (into.uses.length < locals) into.uses = new Int32Array(2 * locals);
  else into.uses.fill(0, 0, locals);
  const { uses } = into;
  into.calls = false;
  into.outgoingBytes = 0;
  /** Open constructs: 1 for a loop. */
  let open: Uint8Array = new Uint8Array(64);
  let depth = 0;
  let loops = 0;
  let pos = start;
  while (pos < end) {
    const opcode = bytes[pos++]!;
    switch (opcode as Code) {
      case Code.local_get:
      case Code.local_set:
      case Code.local_tee: {
        const index = leb(bytes, pos);
        uses[index] = uses[index]! + (1 << (3 * Math.min(loops, COUNTED_LOOPS)));
        break;
      }
      case Code.loop:
        loops++;
      // falls through
      case Code.block:
      case Code.if_:
        if (depth === open.length) {
          const bigger = new Uint8Array(2 * depth);
          bigger.set(open);
          open = bigger;
        }
        open[depth++] = opcode === Code.loop ? 1 : 0;
        break;
      case Code.end:
        if (depth > 0 && open[--depth] === 1) loops--;
        break;
      case Code.call:
        into.calls = true;
        into.outgoingBytes = Math.max(into.outgoingBytes, outgoing[funcs[leb(bytes, pos)]!.type]!);
        break;
      case Code.call_indirect:
        into.calls = true;
        into.outgoingBytes = Math.max(into.outgoingBytes, outgoing[leb(bytes, pos)]!);
        break;
      case Code.memory_grow:
        into.calls = true;
        break;
      case Code.prefix_fc:
        if (leb(bytes, pos) > CodeFc.last_trunc_sat) into.calls = true;
        break;
    }
    pos = skipImmediates(bytes, pos, opcode);
  }
}

export interface BodyScan {
  instructions: number;
  assignments: Assignments;
  /** Position of the `end` of each loop, in the order of their beginnings. */
  loopEnds: Int32Array;
}

/**
 * Scans the instructions in [start, end) of a body with that many locals. Linear.
 * @param entryLoop position of a loop that counts as an assignment of every local, NONE for none.
 */
export function scanBody(bytes: Uint8Array, start: number, end: number, locals: number, entryLoop: number = NONE): BodyScan {
  let instructions = 0;
  /** (local, position) pairs as they come. */
  let sets = new Int32Array(64);
  let setCount = 0;
  let loopEnds = new Int32Array(16);
  let loopCount = 0;
  /** Open constructs: the loop's number, NONE for others. */
  let open = new Int32Array(32);
  let depth = 0;
  let pos = start;
  const assign = (local: number, at: number) => {
    if (setCount * 2 === sets.length) sets = doubled(sets);
    sets[2 * setCount] = local;
    sets[2 * setCount + 1] = at;
    setCount++;
  };
  while (pos < end) {
    const at = pos;
    if (at === entryLoop) for (let i = 0; i < locals; i++) assign(i, at);
    const opcode = bytes[pos++]!;
    instructions++;
    if (opcode === Code.local_set || opcode === Code.local_tee) assign(leb(bytes, pos), at);
    else if (opcode === Code.block || opcode === Code.if_ || opcode === Code.loop) {
      if (depth === open.length) open = doubled(open);
      open[depth++] = opcode === Code.loop ? loopCount++ : NONE;
    } else if (opcode === Code.end && depth > 0) {
      const loop = open[--depth]!;
      if (loop !== NONE) {
        while (loop >= loopEnds.length) loopEnds = doubled(loopEnds);
        loopEnds[loop] = at;
      }
    }
    pos = skipImmediates(bytes, pos, opcode);
  }
  return { instructions, assignments: sortByLocal(sets, setCount, locals), loopEnds };
}

/** A counting sort: keeps the order of positions within a local. */
function sortByLocal(sets: Int32Array, count: number, locals: number): Assignments {
  const start = new Int32Array(locals + 1);
  for (let i = 0; i < count; i++) start[sets[2 * i]!]!++;
  let sum = 0;
  for (let x = 0; x <= locals; x++) {
    sum += start[x]!;
    start[x] = sum;
  }
  const position = new Int32Array(count);
  for (let i = count - 1; i >= 0; i--) position[--start[sets[2 * i]!]!] = sets[2 * i + 1]!;
  return { start, position };
}

function doubled(column: Int32Array): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(column.length * 2);
  bigger.set(column);
  return bigger;
}
