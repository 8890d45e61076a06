// What `lathe new-pass` writes: a commented pass that does something small, and its test; one of each stage and scope.
//
// JavaScript and TypeScript differ in annotations only: `t(": number")` stands in the latter.
import type { Scope, Stage } from "../../passes/pass.js";

export interface Template {
  readonly name: string;
  readonly stage: Stage;
  readonly scope: Scope;
  readonly typescript: boolean;
}

/** `my-pass` => `myPass`. */
const camel = (name: string) => name.replace(/[-:]([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());

export function passText(template: Template): string {
  const t = (annotation: string) => (template.typescript ? annotation : "");
  const { name, stage, scope } = template;
  const extension = template.typescript ? "ts" : "mjs";
  const show = {
    wasm: `lathe dump FILE --pass ./${name}.${extension}                 shows what is made of its bytes`,
    ssa: `lathe dump FILE --pass ./${name}.${extension} --after ${name}     shows what it changed`,
    machine: `lathe dump FILE --pass ./${name}.${extension} --stage mir     shows the code behind it`,
  };
  const head = `// ${name}: say in a line what it does, IR before => after.
//
//   lathe run FILE --pass ./${name}.${extension} --invoke f 1 2     runs the changed module
//   ${show[stage]}
//   lathe test ./${name}.test.${extension}                          runs its test
`;
  const declaration = (lines: string) => `export default definePass({
  name: "${name}",
  summary: "one line for lathe passes",
  stage: "${stage}",
  scope: "${scope}",
${lines}});
`;
  if (stage === "wasm") {
    return `${head}import { definePass } from "wasmlathe";

${declaration(`  // The module's bytes in, the bytes of a valid module out. May be asynchronous.
  run(bytes, cx) {
    cx.count("bytes", bytes.length);
    return bytes;
  },
`)}`;
  }
  if (stage === "machine") {
    return `${head}import { definePass } from "wasmlathe";

${declaration(`  // One function behind lowering: target instructions on virtual registers. See ir/machine in the project.
  run(mfn, cx) {
    for (let b = 0; b < mfn.blockCount; b++) {
      for (let i = mfn.blockStart[b]${t("!")}; i < mfn.blockEnd[b]${t("!")}; i++) {
        // Its operands: mfn.opndReg[at], mfn.opndInfo[at], for at from mfn.opndStart[i], mfn.opndCount[i] of them.
        const { name } = cx.target.mops[mfn.op[i]${t("!")}]${t("!")};
        cx.count(name === "ret" ? "returns" : "others");
      }
    }
  },
`)}`;
  }
  if (scope === "module") {
    return `${head}import { definePass, endWithReturn, Op, Type${t(", type Value")} } from "wasmlathe";

${declaration(`  // All functions at once; cx.edit adds types, imports, globals, functions and exports. Here every function counts its calls.
  run(funcs, { edit, count }) {
    const calls = edit.addGlobal({ type: Type.i32, mutable: true }, 0);
    for (const fn of funcs) {
      const first = fn.firstInst[fn.entry]${t("! as Value")};
      const old = fn.insertBefore(first, Op.global_get, Type.i32, [], calls);
      const one = fn.insertBefore(first, Op.i32_const, Type.i32, [], 1);
      const sum = fn.insertBefore(first, Op.i32_add, Type.i32, [old, one]);
      fn.insertBefore(first, Op.global_set, Type.none, [sum], calls);
      count("functions");
    }
    const read = edit.addFunc("${camel(name)}", { params: [], results: [Type.i32] });
    endWithReturn(read, read.entry, [read.append0(read.entry, Op.global_get, Type.i32, calls)]);
    edit.addExport("${name}", "func", read.index);
  },
`)}`;
  }
  return `${head}import { definePass, NONE, Op${t(", type Func, type Value")} } from "wasmlathe";

${declaration(`  // Options have a default, which gives the type: --pass ./${name}.${extension},limit=10
  options: { limit: { default: 1000, summary: "changes in a function at most" } },
  // Where it goes: before or after other passes, each with its reason. Without, it comes early.
  before: [{ pass: "gvn", why: "equal sums are found there" }],

  // Called once a function; edits it in place and returns nothing. Here i32.mul x, 2 becomes i32.add x, x.
  run(fn${t(": Func")}, cx) {
    let changes = 0;
    for (let b${t(": number")} = fn.firstBlock; b !== NONE; b = fn.blockNext[b]${t("!")}) {
      for (let v${t(": number")} = fn.firstInst[b]${t("!")}; v !== NONE; v = fn.next[v]${t("!")}) {
        if (fn.op[v] !== Op.i32_mul || changes >= ${template.typescript ? 'Number(cx.options["limit"])' : "cx.options.limit"}) continue;
        // A value is its instruction: v names both. arg(v, i) is its operand, imm[x] the number of a constant.
        const x = fn.arg(v${t(" as Value")}, 0);
        const factor = fn.arg(v${t(" as Value")}, 1);
        if (fn.op[factor] !== Op.i32_const || fn.imm[factor] !== 2) continue;
        fn.become(v${t(" as Value")}, Op.i32_add, [x, x]);
        changes++;
      }
    }
    cx.count("multiplications", changes);   // shown by lathe compile --stats
  },
`)}`;
}

export function testText({ name, stage, scope, typescript }: Template): string {
  const extension = typescript ? "ts" : "mjs";
  const t = (annotation: string) => (typescript ? annotation : "");
  const variable = camel(name);
  const head = `// The test of ${name}: run it by \`lathe test ./${name}.test.${extension}\`${typescript ? "" : `, or, where wasmlathe is installed, by \`node --test\``}.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compile, instantiate${stage === "ssa" && scope === "func" ? ", printFunc" : ""}${t(", type CompileOptions")} } from "wasmlathe";
import ${variable} from "./${name}.${typescript ? "js" : "mjs"}";

const wat = \`(module
  (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))\`;

`;
  const levels = (body: string) => `for (const level of [0, 1, 2]${t(" as const")}) {
  test(\`what the module computes stays as it was, at O\${level}\`, async () => {
    const options${t(": CompileOptions")} = { level, passes: [${variable}], verify: true, check: true };
${body}  });
}
`;
  const run = `    const compiled = await compile(wat, options);
    const f = instantiate(compiled).exports${t("[")}${typescript ? '"f"' : ".f"}${t("]")}${t(" as (x: number) => number")};
    assert.equal(f(21), 42);
`;
  if (stage === "ssa" && scope === "func") {
    const gone = [
      'test("the multiplication is gone", async () => {',
      '  let text = "";',
      `  const observe = { ssa: (fn${t(": Parameters<typeof printFunc>[0]")}, pass${t(": string")}) => { if (pass === "${name}") text = printFunc(fn); } };`,
      `  await compile(wat, { level: 0, passes: [${variable}], observe });`,
      "  assert.match(text, /i32\\.add v0, v0/);",
      "  assert.doesNotMatch(text, /i32\\.mul/);",
      "});",
    ];
    return `${head}${levels(run)}\n${gone.join("\n")}\n`;
  }
  if (scope === "module" && stage === "ssa") {
    return `${head}${levels(`    const { exports } = instantiate(await compile(wat, options))${t(" as unknown as { exports: Record<string, (x?: number) => number> }")};
    assert.equal(exports${typescript ? '["f"]!' : ".f"}(21), 42);
    assert.equal(exports["${name}"]${t("!")}(), 1);
`)}`;
  }
  const stat = stage === "wasm" ? "bytes" : "others";
  return `${head}${levels(`${run}    assert.ok(compiled.stats.passes.find((pass) => pass.name === "${name}")${t("!")}.counts${typescript ? `["${stat}"]!` : `.${stat}`} > 0);
`)}`;
}
