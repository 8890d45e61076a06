// What one pass did: types of the module as a table where it changed them, and each function before and after it, as a line diff.
import type { FuncIndex } from "../../ir/entity.js";
import type { Func } from "../../ir/func.js";
import type { Module } from "../../ir/module.js";
import { printFunc } from "../../ir/print.js";
import { funcTypeKey, printFuncType } from "../../ir/types.js";
import type { FuncState } from "../state.js";
import { diffLines } from "./diff.js";
import type { Recorded } from "./stages.js";
import { funcLabel } from "./wasm.js";

/**
 * The effect of the last run of a pass.
 * @param only functions to show; default: all that it changed.
 * @throws Error when no pass of that name ran.
 */
export function dumpPassEffect(compilation: Recorded, pass: string, only?: readonly FuncIndex[]): string {
  const { history } = compilation;
  const after = history.after(pass);
  if (!after) {
    const ran = history.current.records.map((record) => record.name);
    throw new Error(`no pass "${pass}" ran; these did: ${[...new Set(ran)].join(", ")}`);
  }
  const before = history.at(after.revision - 1);
  const record = after.records.at(-1)!;
  const out = [`pass ${pass}: changed ${record.changed.length} of ${Object.keys(after.funcs).length} functions, ${record.ms.toFixed(2)} ms`];
  const types = typeTable(history.at(0).module, after.module, pass);
  if (types !== undefined) out.push(types);
  for (const index of only ?? (record.changed as readonly FuncIndex[])) {
    const old = ssaOf(before.funcs, index);
    const now = ssaOf(after.funcs, index);
    if (!now) throw new Error(`@${index} has no SSA behind ${pass}`);
    const text = printFunc(now, after.module, { facts: false });
    if (!old || !record.changed.includes(index)) {
      out.push(`; ${pass} left this function as it was`, text);
      continue;
    }
    out.push(diffLines(printFunc(old, before.module, { facts: false }), text));
  }
  return out.join("\n") + (out.at(-1)!.endsWith("\n") ? "" : "\n");
}

function ssaOf(funcs: Readonly<Record<number, FuncState>>, index: number): Func | undefined {
  return (funcs as Readonly<Record<number, FuncState | undefined>>)[index]?.ssa;
}

/** The type section before and after, for a pass about types: which index became which, and what imports and functions say now. */
function typeTable(before: Module, after: Module, pass: string): string | undefined {
  if (pass !== "canonicalize-types") return undefined;
  const now = new Map(after.types.map((type, i) => [funcTypeKey(type), i]));
  const lines = [`types: ${before.types.length} before, ${after.types.length} after`];
  before.types.forEach((type, i) => {
    const to = now.get(funcTypeKey(type));
    lines.push(`  t${i} -> ${to === undefined ? "(gone)" : `t${to}`}${to === i ? " " : "*"} ${printFuncType(type)}`);
  });
  const moved = before.funcs.flatMap((func, i) => {
    const type = after.funcs[i]!.type;
    const kind = func.imported ? "import" : "function";
    return type === func.type ? [] : [`  ${kind} ${funcLabel(after, i as FuncIndex)}: t${func.type} -> t${type}`];
  });
  if (moved.length > 0) lines.push(`declarations rewritten:`, ...moved.slice(0, 50), ...(moved.length > 50 ? [`  ... and ${moved.length - 50} more`] : []));
  return lines.join("\n");
}
