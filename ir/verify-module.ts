// Says what is wrong with a module's declarations: indices that lead nowhere, constants of the wrong type, doubled exports.
//
// What the validator guarantees for a decoded module, checked again after passes over modules and for modules from text.
import { NONE, type Block, type FuncIndex, type Value } from "./entity.js";
import type { ConstExpr, Limits, Module } from "./module.js";
import { printFuncType, Type, typeName } from "./types.js";
import type { VerifierError } from "./verify.js";

/** All broken rules of the declarations; `func` is NONE in each. */
export function verifyModule(module: Module): VerifierError[] {
  const errors: VerifierError[] = [];
  const fail = (rule: string, message: string) => {
    errors.push({ func: NONE as FuncIndex, block: NONE as Block, value: NONE as Value, rule, message });
  };
  const spaces = { func: module.funcs, table: module.tables, memory: module.memories, global: module.globals } as const;

  module.types.forEach((sig, i) => {
    for (const type of [...sig.params, ...sig.results]) if (type <= Type.none || type > Type.externref) fail("type", `t${i} holds ${type}, which is no value type`);
  });
  module.funcs.forEach((func, i) => {
    if (!module.types[func.type]) fail("index", `@${i} has type t${func.type}, the module has ${module.types.length} types`);
  });

  // Imports ascend within their kind. Those of functions and globals may stand behind own ones (module-edit.ts).
  const last = { func: -1, table: -1, memory: -1, global: -1 };
  const listed = { func: new Set<number>(), table: new Set<number>(), memory: new Set<number>(), global: new Set<number>() };
  for (const item of module.imports) {
    const what = `import ${item.module}.${item.name}`;
    if (item.index <= last[item.kind]) fail("import", `${what} is ${item.kind} ${item.index} and stands behind ${item.kind} ${last[item.kind]}: imports ascend`);
    else if (!spaces[item.kind][item.index]) fail("import", `${what} is ${item.kind} ${item.index}, which does not exist`);
    else if (!spaces[item.kind][item.index]!.imported) fail("import", `${item.kind} ${item.index} is in the list of imports and not marked as imported`);
    last[item.kind] = item.index;
    listed[item.kind].add(item.index);
  }
  for (const kind of ["func", "table", "memory", "global"] as const) {
    let own = false;
    spaces[kind].forEach((decl, i) => {
      own ||= !decl.imported;
      if (!decl.imported) return;
      if (!listed[kind].has(i)) fail("import", `${kind} ${i} is marked as imported and not in the list of imports`);
      else if (own && (kind === "table" || kind === "memory")) fail("import", `${kind} ${i} is imported and stands behind one that is not`);
    });
  }

  const limits = (what: string, { min, max }: Limits, most: number) => {
    if (min > most || (max !== undefined && max > most)) fail("limits", `${what} has more than ${most} of its units`);
    if (max !== undefined && max < min) fail("limits", `${what} has minimum ${min} and maximum ${max}`);
  };
  module.tables.forEach((table, i) => limits(`T${i}`, table.limits, 0xffffffff));
  module.memories.forEach((memory, i) => limits(`m${i}`, memory.limits, 65536));

  /** The expression is one constant of type `want`; globals it reads come before `globals`. */
  const constant = (what: string, expr: ConstExpr, want: Type, globals: number) => {
    if (expr.length !== 1) return fail("constant", `${what} has ${expr.length} instructions, and should have one`);
    const op = expr[0]!;
    let type: Type;
    switch (op.op) {
      case "i32.const":
        type = Type.i32;
        break;
      case "i64.const":
        type = Type.i64;
        break;
      case "f32.const":
        type = Type.f32;
        break;
      case "f64.const":
        type = Type.f64;
        break;
      case "v128.const":
        type = Type.v128;
        break;
      case "ref.null":
        type = op.type;
        break;
      case "ref.func":
        type = Type.funcref;
        if (!module.funcs[op.func]) fail("index", `${what} names @${op.func}, which does not exist`);
        break;
      case "global.get": {
        const global = module.globals[op.global];
        if (!global || op.global >= globals) return fail("index", `${what} reads g${op.global}, which does not exist or is declared later`);
        if (global.mutable) fail("constant", `${what} reads g${op.global}, which is mutable`);
        type = global.type;
        break;
      }
    }
    if (type !== want) fail("constant", `${what} is ${typeName(type)}, and should be ${typeName(want)}`);
  };
  module.globals.forEach((global, i) => {
    if (global.imported !== (global.init === undefined)) fail("constant", `g${i} ${global.imported ? "is imported and has" : "has no"} initial value`);
    if (global.init) constant(`the initial value of g${i}`, global.init, global.type, i);
  });
  module.elems.forEach((elem, i) => {
    elem.init.forEach((expr, k) => constant(`element ${k} of elem${i}`, expr, elem.type, module.globals.length));
    if (elem.mode.mode !== "active") return;
    const table = module.tables[elem.mode.target];
    if (!table) fail("index", `elem${i} goes into T${elem.mode.target}, which does not exist`);
    else if (table.elem !== elem.type) fail("type", `elem${i} holds ${typeName(elem.type)}, T${elem.mode.target} ${typeName(table.elem)}`);
    constant(`the offset of elem${i}`, elem.mode.offset, Type.i32, module.globals.length);
  });
  module.datas.forEach((data, i) => {
    if (data.mode.mode !== "active") return;
    if (!module.memories[data.mode.target]) fail("index", `data${i} goes into m${data.mode.target}, which does not exist`);
    constant(`the offset of data${i}`, data.mode.offset, Type.i32, module.globals.length);
  });

  const names = new Set<string>();
  for (const item of module.exports) {
    if (names.has(item.name)) fail("export", `two exports have the name ${JSON.stringify(item.name)}`);
    names.add(item.name);
    if (!spaces[item.kind][item.index]) fail("index", `export ${JSON.stringify(item.name)} names ${item.kind} ${item.index}, which does not exist`);
  }
  if (module.start !== undefined) {
    const sig = module.types[module.funcs[module.start]?.type ?? NONE];
    if (!sig) fail("index", `the start function is @${module.start}, which does not exist`);
    else if (sig.params.length + sig.results.length > 0) fail("type", `the start function is ${printFuncType(sig)}, and should be () -> ()`);
  }
  return errors;
}
