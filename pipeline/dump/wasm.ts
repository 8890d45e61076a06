// A function's Wasm instructions as text: one line each, its byte offset, names of what it refers to. For people; not parsed back.
//
// Reads a validated body. Structured instructions indent. Nothing recurses.
import type { FuncIndex, GlobalIndex, TypeIndex } from "../../ir/entity.js";
import type { Module } from "../../ir/module.js";
import { joinLines, numberText, quoteName, type Line } from "../../ir/text.js";
import { printFuncType, Type, typeName } from "../../ir/types.js";
import { opcodeName, prefixedName } from "../frontend/error.js";
import { Code, CodeFc } from "../frontend/opcodes.js";
import { Reader, typeOfCode } from "../frontend/reader.js";
import { SimdImm, simdOps } from "../frontend/simd-ops.js";

/** `@3 "sum"`. */
export function funcLabel(module: Module, index: FuncIndex): string {
  const name = module.funcs[index]?.name;
  return name === undefined ? `@${index}` : `@${index} ${quoteName(name)}`;
}

/** Text of one function; an import is one line. Ends in a newline. */
export function printWasm(module: Module, index: FuncIndex): string {
  return joinLines(printWasmLines(module, index));
}

/** The same, line by line. @param options.offsets whether instructions begin with their offset; default true. */
export function printWasmLines(module: Module, index: FuncIndex, options: { readonly offsets?: boolean } = {}): Line[] {
  const decl = module.funcs[index];
  const out: Line[] = [];
  const push = (text: string, offset = 0) => out.push({ text, block: -1, inst: -1, offset });
  if (!decl) {
    push(`; @${index} was added by a pass`);
    return out;
  }
  const head = `${funcLabel(module, index)}: t${decl.type} ${printFuncType(module.types[decl.type]!)}`;
  if (decl.imported) {
    const item = module.imports.find((one) => one.kind === "func" && one.index === index)!;
    push(`import ${head}   ; from ${quoteName(item.module)} ${quoteName(item.name)}`);
    return out;
  }
  if (decl.bodyEnd === 0) {
    push(`; ${head}   ; from text: there is no Wasm of it`);
    return out;
  }
  const r = new Reader(module.bytes, decl.bodyStart, decl.bodyEnd, "a body");
  const before = (at: string) => (options.offsets === false ? "" : at.padStart(8));
  push(`wasm ${head}`);
  const paramCount = module.types[decl.type]!.params.length;
  const localNames = module.names.locals.get(index);
  let first = paramCount;
  for (let groups = r.u32(""); groups > 0; groups--) {
    const count = r.u32("");
    const type = typeOfCode[r.byte("")] as Type;
    push(`${before("")} local ${count === 1 ? first : `${first}..${first + count - 1}`}: ${typeName(type)}`);
    first += count;
  }
  const local = (i: number) => {
    const name = localNames?.get(i);
    return name === undefined ? `${i}` : `${i}   ; ${name}`;
  };
  let depth = 1;
  while (r.pos < r.end) {
    const at = r.pos;
    const code = r.byte("");
    if (code === Code.end || code === Code.else_) depth--;
    const text = instruction(r, module, code, local);
    push(`${before(`0x${at.toString(16)}`)} ${"  ".repeat(Math.min(depth, 40))}${text}`, at);
    if (code === Code.block || code === Code.loop || code === Code.if_ || code === Code.else_) depth++;
  }
  return out;
}

function blockType(r: Reader, module: Module): string {
  const next = r.bytes[r.pos]!;
  if (next === 0x40) {
    r.pos++;
    return "";
  }
  if (next < 0x80 && typeOfCode[next] !== 0) {
    r.pos++;
    return ` (result ${typeName(typeOfCode[next] as Type)})`;
  }
  const index = r.s33("");
  return ` t${index} ${printFuncType(module.types[index as TypeIndex]!)}`;
}

function memarg(r: Reader): string {
  const align = r.u32("");
  const offset = r.u32("");
  return `${offset === 0 ? "" : ` offset=${offset}`} align=${2 ** align}`;
}

function instruction(r: Reader, module: Module, code: number, local: (i: number) => string): string {
  const name = opcodeName(code);
  if (code >= Code.first_memarg && code <= Code.last_memarg) return name + memarg(r);
  switch (code) {
    case Code.block:
    case Code.loop:
    case Code.if_:
      return name + blockType(r, module);
    case Code.br:
    case Code.br_if:
      return `${name} ${r.u32("")}`;
    case Code.br_table: {
      const targets = Array.from({ length: r.u32("") + 1 }, () => r.u32(""));
      const shown = targets.length > 64 ? [...targets.slice(0, 32), "...", targets.at(-1)!] : targets;
      return `${name} ${shown.join(" ")}`;
    }
    case Code.call:
    case Code.ref_func:
      return `${name} ${funcLabel(module, r.u32("") as FuncIndex)}`;
    case Code.call_indirect: {
      const type = r.u32("");
      return `${name} T${r.u32("")} t${type} ${printFuncType(module.types[type]!)}`;
    }
    case Code.select_typed: {
      const count = r.u32("");
      return `select ${Array.from({ length: count }, () => typeName(typeOfCode[r.byte("")] as Type)).join(" ")}`;
    }
    case Code.local_get:
    case Code.local_set:
    case Code.local_tee:
      return `${name} ${local(r.u32(""))}`;
    case Code.global_get:
    case Code.global_set:
      return `${name} g${r.u32("") as GlobalIndex}`;
    case Code.table_get:
    case Code.table_set:
      return `${name} T${r.u32("")}`;
    case Code.memory_size:
    case Code.memory_grow:
      return `${name} m${r.u32("")}`;
    case Code.ref_null:
      return `${name} ${typeName(typeOfCode[r.byte("")] as Type)}`;
    case Code.i32_const:
      return `${name} ${r.s32("")}`;
    case Code.i64_const: {
      const lo = r.s64("");
      return `${name} ${numberText(Type.i64, lo, r.high)}`;
    }
    case Code.f32_const:
    case Code.f64_const: {
      const wide = code === Code.f64_const;
      const view = new DataView(r.bytes.buffer, r.bytes.byteOffset + r.pos, wide ? 8 : 4);
      r.pos += wide ? 8 : 4;
      return `${name} ${numberText(wide ? Type.f64 : Type.f32, view.getInt32(0, true), wide ? view.getInt32(4, true) : 0)}`;
    }
    case Code.prefix_fc:
      return prefixed(r);
    case Code.prefix_simd:
      return simd(r);
    default:
      return name;
  }
}

function prefixed(r: Reader): string {
  const code = r.u32("");
  const name = prefixedName(code);
  switch (code) {
    case CodeFc.memory_init: {
      const data = r.u32("");
      return `${name} data ${data}, m${r.u32("")}`;
    }
    case CodeFc.data_drop:
      return `${name} data ${r.u32("")}`;
    case CodeFc.memory_copy:
      return `${name} m${r.u32("")}, m${r.u32("")}`;
    case CodeFc.memory_fill:
      return `${name} m${r.u32("")}`;
    case CodeFc.table_init: {
      const elem = r.u32("");
      return `${name} elem ${elem}, T${r.u32("")}`;
    }
    case CodeFc.elem_drop:
      return `${name} elem ${r.u32("")}`;
    case CodeFc.table_copy:
      return `${name} T${r.u32("")}, T${r.u32("")}`;
    case CodeFc.table_grow:
    case CodeFc.table_size:
    case CodeFc.table_fill:
      return `${name} T${r.u32("")}`;
    default:
      return name;
  }
}

function simd(r: Reader): string {
  const code = r.u32("");
  const row = simdOps[code];
  if (!row) return `simd 0x${code.toString(16)}`;
  const bytes = (n: number) => Array.from({ length: n }, () => r.byte(""));
  switch (row.imm) {
    case SimdImm.memarg:
      return row.name + memarg(r);
    case SimdImm.lane:
      return `${row.name} ${r.byte("")}`;
    case SimdImm.memarg_lane:
      return `${row.name}${memarg(r)} ${r.byte("")}`;
    case SimdImm.bytes:
      return `${row.name} ${bytes(16).map((b) => b.toString(16).padStart(2, "0")).join(" ")}`;
    case SimdImm.shuffle:
      return `${row.name} ${bytes(16).join(" ")}`;
    default:
      return row.name;
  }
}
