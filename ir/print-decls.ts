// A module's declarations as text: all that stands outside function bodies, one line each, in the order of the binary format.
//
// Spaces have sigils: `t` types, `@` functions, `T` tables, `m` memories, `g` globals, `elem` and `data` segments.
import type { ConstExpr, GlobalType, Limits, Module, SegmentMode } from "./module.js";
import { numberText, quoteBytes, quoteName } from "./text.js";
import { printFuncType, Type, typeName } from "./types.js";

/** Bytes of a data segment on one line. */
const BYTES_PER_LINE = 64;

/** Ends in a newline; "" for an empty module. */
export function printDecls(module: Module): string {
  const out: string[] = [];
  if (module.names.module !== undefined) out.push(`module ${quoteName(module.names.module)}`);
  module.types.forEach((sig, i) => out.push(`type t${i} = ${printFuncType(sig)}`));
  for (const item of module.imports) {
    const from = `${quoteName(item.module)} ${quoteName(item.name)}`;
    switch (item.kind) {
      case "func":
        out.push(`import @${item.index}${nameOf(module, item.index)} = ${from}: t${module.funcs[item.index]!.type}`);
        break;
      case "table": {
        const table = module.tables[item.index]!;
        out.push(`import T${item.index} = ${from}: ${typeName(table.elem)}, ${printLimits(table.limits)}`);
        break;
      }
      case "memory":
        out.push(`import m${item.index} = ${from}: ${printLimits(module.memories[item.index]!.limits)}`);
        break;
      case "global":
        out.push(`import g${item.index} = ${from}: ${printGlobalType(module.globals[item.index]!)}`);
        break;
    }
  }
  module.funcs.forEach((func, i) => {
    if (!func.imported) out.push(`func @${i}${nameOf(module, i)}: t${func.type}`);
  });
  module.tables.forEach((table, i) => {
    if (!table.imported) out.push(`table T${i}: ${typeName(table.elem)}, ${printLimits(table.limits)}`);
  });
  module.memories.forEach((memory, i) => {
    if (!memory.imported) out.push(`memory m${i}: ${printLimits(memory.limits)}`);
  });
  module.globals.forEach((global, i) => {
    if (!global.imported) out.push(`global g${i}: ${printGlobalType(global)} = ${printConstExpr(global.init ?? [])}`);
  });
  const sigils = { func: "@", table: "T", memory: "m", global: "g" } as const;
  for (const item of module.exports) out.push(`export ${quoteName(item.name)} = ${sigils[item.kind]}${item.index}`);
  if (module.start !== undefined) out.push(`start @${module.start}`);
  module.elems.forEach((elem, i) => {
    const init = elem.init.map(printConstExpr).join(", ");
    out.push(`elem elem${i}: ${typeName(elem.type)}, ${printMode(elem.mode, "T")}, [${init}]`);
  });
  module.datas.forEach((data, i) => {
    const lines: string[] = [];
    for (let at = 0; at < data.bytes.length; at += BYTES_PER_LINE) lines.push(quoteBytes(data.bytes.subarray(at, at + BYTES_PER_LINE)));
    const separator = lines.length > 1 ? "\n  " : " ";
    out.push(`data data${i}: ${printMode(data.mode, "m")},${separator}${lines.length === 0 ? '""' : lines.join(separator)}`);
  });
  for (const [func, locals] of module.names.locals) {
    for (const [local, name] of locals) out.push(`local @${func} ${local} ${quoteName(name)}`);
  }
  for (const custom of module.customs) out.push(`custom ${quoteName(custom.name)} ${quoteBytes(custom.bytes)}`);
  for (const [feature, offset] of module.features) out.push(`feature ${quoteName(feature)} !0x${offset.toString(16)}`);
  return out.length === 0 ? "" : out.join("\n") + "\n";
}

function nameOf(module: Module, func: number): string {
  const name = module.funcs[func]!.name;
  return name === undefined ? "" : ` ${quoteName(name)}`;
}

/** `1..10`, `1..` without a maximum. */
function printLimits(limits: Limits): string {
  return `${limits.min}..${limits.max ?? ""}`;
}

function printGlobalType(global: GlobalType): string {
  return (global.mutable ? "mut " : "") + typeName(global.type);
}

function printMode(mode: SegmentMode<number>, sigil: string): string {
  return mode.mode === "active" ? `active ${sigil}${mode.target} ${printConstExpr(mode.offset)}` : mode.mode;
}

const constTypes = { "i32.const": Type.i32, "i64.const": Type.i64, "f32.const": Type.f32, "f64.const": Type.f64 } as const;

/** `(i32.const 5)`: instructions in postfix order. */
export function printConstExpr(expr: ConstExpr): string {
  const ops = expr.map((op) => {
    switch (op.op) {
      case "v128.const":
        return `v128.const ${quoteBytes(op.bytes)}`;
      case "global.get":
        return `global.get g${op.global}`;
      case "ref.null":
        return `ref.null ${typeName(op.type)}`;
      case "ref.func":
        return `ref.func @${op.func}`;
      default:
        return `${op.op} ${numberText(constTypes[op.op], op.lo, op.hi)}`;
    }
  });
  return `(${ops.join(" ")})`;
}
