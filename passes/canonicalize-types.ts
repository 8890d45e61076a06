// Gives one module one index per function type: duplicates in its type section fold into their first occurrence.
//
// Before: t0 and t2 both `(i32) -> i32`; an import declared at t2; `call_indirect t2`.
// After: every reference says t0: declarations of own and imported functions, and every body. A body then speaks only
// indices of its own module, and equal types have equal indices. Rule 2 of the type-identity design (see README.md);
// idempotent; code is right without it, because canonical ids are compared, not indices.
import type { TypeIndex } from "../ir/entity.js";
import { NONE } from "../ir/entity.js";
import type { Module } from "../ir/module.js";
import { Op } from "../ir/ops.js";
import { funcTypeKey, type FuncType } from "../ir/types.js";
import { definePass } from "./pass.js";

export const canonicalizeTypes = definePass({
  name: "canonicalize-types",
  summary: "fold duplicate function types into one module-local index each",
  stage: "ssa",
  scope: "func",
  required: { why: "every pass may compare types of one module by index", canDisable: true },
  before: [{ pass: "*", why: "they may compare types of one module by index" }],
  begin(module, cx) {
    const remap = foldTypes(module);
    cx.count("types", remap ? remap.length - module.types.length : 0);
    return remap;
  },
  run(fn, cx, remap) {
    if (!remap) return;
    let rewritten = 0;
    if (remap[fn.sigIndex] !== fn.sigIndex) {
      fn.sigIndex = remap[fn.sigIndex];
      rewritten++;
    }
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) {
      for (let v = fn.firstInst[b]; v !== NONE; v = fn.next[v]) {
        if (fn.op[v] !== Op.call_indirect || remap[fn.imm[v]] === fn.imm[v]) continue;
        fn.imm[v] = remap[fn.imm[v]];
        rewritten++;
      }
    }
    if (rewritten > 0) fn.valueVersion++;
    cx.count("references", rewritten);
  },
});

/** Folds the types of the declarations. Returns the new index by old index, undefined if nothing was to do. */
function foldTypes(module: Module): TypeIndex[] | undefined {
  const known = new Map<string, TypeIndex>();
  const types: FuncType[] = [];
  const remap: TypeIndex[] = [];
  for (const type of module.types) {
    const key = funcTypeKey(type);
    let index = known.get(key);
    if (index === undefined) {
      index = (types.push(type) - 1) as TypeIndex;
      known.set(key, index);
    }
    remap.push(index);
  }
  if (types.length === module.types.length) return undefined;
  module.types = types;
  for (const func of module.funcs) func.type = remap[func.type];
  return remap;
}
