// A module's declarations as text: all that stands outside function bodies, one line each, in the order of the binary format.
//
// Spaces have sigils: `t` types, `@` functions, `T` tables, `m` memories, `g` globals, `elem` and `data` segments.
import type { ConstExpr, GlobalType, Import, Limits, Module, SegmentMode, TableType } from "./module.js";
import { numberText, quoteBytes, quoteName } from "./text.js";
import { printFuncType, Type, typeName } from "./types.js";

/** Bytes of a data segment on one line. */
const BYTES_PER_LINE = 64;

/** Ends in a newline; "" for an empty module. */
export function printDecls(module: Module): string {
  const out: string[] = [];
  if (module.names.module !== undefined) out.push(`module ${quoteName(module.names.module)}`);
  module.types.forEach((sig, i) => out.push(`type t${i} = ${printFuncType(sig)}`));
  // Imports as the binary lists them; those that passes have added stand in their place among the own declarations.
  const added = new Map<string, Import>();
  const leading = { func: 0, table: 0, memory: 0, global: 0 };
  for (const item of module.imports) {
    if (item.index === leading[item.kind]) {
      leading[item.kind]++;
      out.push(printImport(module, item));
    } else added.set(`${item.kind}${item.index}`, item);
  }
  const printSpace = (kind: Import["kind"], space: readonly { imported: boolean }[], own: (i: number) => string) => {
    for (let i = leading[kind]; i < space.length; i++) {
      const item = added.get(`${kind}${i}`);
      if (item) out.push(printImport(module, item));
      else if (!space[i]!.imported) out.push(own(i));
    }
  };
  printSpace("func", module.funcs, (i) => `func @${i}${nameOf(module, i)}: t${module.funcs[i]!.type}`);
  printSpace("table", module.tables, (i) => `table T${i}: ${printTableType(module.tables[i]!)}`);
  printSpace("memory", module.memories, (i) => `memory m${i}: ${printLimits(module.memories[i]!.limits)}`);
  printSpace("global", module.globals, (i) => `global g${i}: ${printGlobalType(module.globals[i]!)} = ${printConstExpr(module.globals[i]!.init ?? [])}`);
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

function printImport(module: Module, item: Import): string {
  const from = `${quoteName(item.module)} ${quoteName(item.name)}`;
  switch (item.kind) {
    case "func":
      return `import @${item.index}${nameOf(module, item.index)} = ${from}: t${module.funcs[item.index]?.type}`;
    case "table":
      return `import T${item.index} = ${from}: ${printTableType(module.tables[item.index]!)}`;
    case "memory":
      return `import m${item.index} = ${from}: ${printLimits(module.memories[item.index]!.limits)}`;
    case "global":
      return `import g${item.index} = ${from}: ${printGlobalType(module.globals[item.index]!)}`;
  }
}

function nameOf(module: Module, func: number): string {
  const name = module.funcs[func]?.name;
  return name === undefined ? "" : ` ${quoteName(name)}`;
}

/** `1..10`, `1..` without a maximum. */
function printLimits(limits: Limits): string {
  return `${limits.min}..${limits.max ?? ""}`;
}

function printTableType(table: TableType): string {
  return `${typeName(table.elem)}, ${printLimits(table.limits)}`;
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
