// A user's pass for T20: adds types nobody uses, turns the order round, and puts every type there twice; references take turns.
import { definePass, Op, type FuncType, type TypeIndex } from "../../pipeline/index.js";

/** @param order where it stands: before canonicalize-types, which then folds it all again, or after, so that code is made of it. */
export function shuffleTypes(order: "before" | "after") {
  const constraint = [{ pass: "canonicalize-types", why: "the scenario wants it so" }];
  return definePass({
    name: `shuffle-types-${order}`,
    summary: "add, reorder and duplicate types",
    stage: "ssa",
    scope: "func",
    ...(order === "before" ? { before: constraint } : { after: constraint }),
    begin(module) {
      const old = module.types;
      const unused: FuncType = { params: [1, 1, 1, 2], results: [4] };
      module.types = [unused, ...[...old].reverse(), unused, ...old];
      const first = (index: number) => (1 + (old.length - 1 - index)) as TypeIndex;
      const second = (index: number) => (old.length + 2 + index) as TypeIndex;
      module.funcs.forEach((func, i) => (func.type = i % 2 === 0 ? first(func.type) : second(func.type)));
      return { first, second };
    },
    run(fn, cx, remap) {
      fn.sigIndex = cx.module.funcs[fn.index]!.type;
      fn.valueVersion++;
      let turn = 0;
      for (let b = fn.firstBlock; b !== -1; b = fn.blockNext[b]!) {
        for (let v = fn.firstInst[b]!; v !== -1; v = fn.next[v]!) {
          if (fn.op[v] !== Op.call_indirect) continue;
          fn.imm[v] = (turn++ % 2 === 0 ? remap.first : remap.second)(fn.imm[v]!);
          fn.valueVersion++;
        }
      }
    },
  });
}
