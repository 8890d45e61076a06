// Function-entry hooks: every function calls JavaScript when it is entered.
//
// Before: b0(...): ...              After: b0(...): call @enter(index of the function); ...
// The hook is an import that the pass adds and provides itself, so whoever instantiates the module needs to know nothing.
import { definePass, firstOf, insertCall, Op, Type } from "wasmlathe";

/** @param enter called with the index and the name (undefined: none) of the function that is entered. */
export function entryHooks(enter) {
  return definePass({
    name: "entry-hooks",
    summary: "call a function of the embedder's at every function entry",
    stage: "ssa",
    scope: "func",
    before: [{ pass: "*", why: "functions are seen as the module has them" }],
    options: { func: { default: "", summary: "only functions of this name; default all" } },
    begin(module, cx) {
      const hook = cx.edit.addImportFunc("lathe:entry-hooks", "enter", { params: [Type.i32], results: [] });
      cx.edit.provide(hook, (index) => enter(index, module.funcs[index].name));
      return hook;
    },
    run(fn, cx, hook) {
      if (cx.options.func !== "" && cx.options.func !== fn.name) return;
      const first = firstOf(fn, fn.entry);
      const index = fn.insertBefore(first, Op.i32_const, Type.i32, [], fn.index);
      insertCall(fn, first, cx.module, hook, [index]);
      cx.count("hooks");
    },
  });
}

/** On the command line: a line on stderr for each entry. */
export default entryHooks((index, name) => process.stderr.write(`enter @${index}${name === undefined ? "" : ` "${name}"`}\n`));
