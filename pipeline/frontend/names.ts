// The `name` custom section => names of the module, its functions and locals (spec appendix "Name Section").
//
// It never fails: from the first subsection on that cannot be read, and for subsections of other kinds, the bytes stay
// as they are, in a custom section called `name`.
import type { FuncIndex } from "../../ir/entity.js";
import type { Module } from "../../ir/module.js";
import { WasmError } from "./error.js";
import { Reader } from "./reader.js";

/** `r` stands behind the section's name. */
export function readNames(r: Reader, m: Module): void {
  const kept: Uint8Array[] = [];
  while (r.pos < r.end) {
    const start = r.pos;
    try {
      const id = r.byte("a subsection id");
      const size = r.u32("the size of a subsection");
      if (size > r.end - r.pos) r.failEnd("a subsection");
      const inner = new Reader(r.bytes, r.pos, r.pos + size, "a name subsection");
      r.pos += size;
      if (id === 0) readModuleName(inner, m);
      else if (id === 1) readFuncNames(inner, m);
      else if (id === 2) readLocalNames(inner, m);
      else kept.push(r.bytes.subarray(start, r.pos));
    } catch (error) {
      if (!(error instanceof WasmError)) throw error;
      kept.push(r.bytes.subarray(start, r.end));
      break;
    }
  }
  if (kept.length > 0) m.customs.push({ name: "name", bytes: concat(kept) });
}

function readModuleName(r: Reader, m: Module): void {
  m.names.module = r.name("the module's name");
}

function readFuncNames(r: Reader, m: Module): void {
  const n = r.u32("the number of names");
  for (let i = 0; i < n; i++) {
    const index = r.u32("a function index");
    const name = r.name("a function's name");
    const func = m.funcs[index];
    if (func && func.name === undefined) func.name = name;
  }
}

function readLocalNames(r: Reader, m: Module): void {
  const n = r.u32("the number of functions");
  for (let i = 0; i < n; i++) {
    const func = r.u32("a function index") as FuncIndex;
    const count = r.u32("the number of names");
    const locals = new Map<number, string>();
    for (let k = 0; k < count; k++) {
      const local = r.u32("a local index");
      locals.set(local, r.name("a local's name"));
    }
    if (func < m.funcs.length && locals.size > 0) m.names.locals.set(func, locals);
  }
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
