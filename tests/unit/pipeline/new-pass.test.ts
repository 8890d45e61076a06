// `lathe new-pass`: what it writes passes its own test right away, in JavaScript and TypeScript, of every stage and scope.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { newPass } from "../../../pipeline/cli/new-pass.js";
import { loadPasses } from "../../../pipeline/index.js";
import { projectRoot } from "../../bundle.js";
import { commandScript } from "../../command.js";

const folder = mkdtempSync(path.join(tmpdir(), "lathe-new-pass-"));
test.after(() => rmSync(folder, { recursive: true }));

const kinds = [
  { name: "of-func", stage: "ssa", ts: false },
  { name: "of-func-ts", stage: "ssa", ts: true },
  { name: "of-module", stage: "ssa", scope: "module", ts: false },
  { name: "of-module-ts", stage: "ssa", scope: "module", ts: true },
  { name: "of-bytes", stage: "wasm", ts: false },
  { name: "of-bytes-ts", stage: "wasm", ts: true },
  { name: "of-machine", stage: "machine", ts: false },
  { name: "of-machine-ts", stage: "machine", ts: true },
] as const;

test("what is written is a pass, and passes its test", async () => {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = () => true;
  try {
    for (const { name, ...flags } of kinds) newPass(name, { ...flags, dir: folder });
  } finally {
    process.stdout.write = write;
  }
  for (const { name, stage, ts } of kinds) {
    const [pass] = await loadPasses(path.join(folder, `${name}.${ts ? "ts" : "mjs"}`));
    assert.equal([pass?.name, pass?.stage], [name, stage]);
  }
  // Two that differ in everything; the others differ from them by a template.
  const files = [kinds[1], kinds[2]].map(({ name, ts }) => path.join(folder, `${name}.test.${ts ? "ts" : "mjs"}`));
  const said = execFileSync(process.execPath, [commandScript(), "test", ...files], { cwd: projectRoot, encoding: "utf8" });
  assert.equal([...said.matchAll(/^# (pass|fail) (\d+)$/gm)].map((line) => `${line[1]} ${line[2]}`), ["pass 4", "fail 0", "pass 3", "fail 0"]);
});

test("the TypeScript of all of them is well typed", () => {
  const tsc = path.join(projectRoot, "node_modules/typescript/bin/tsc");
  const files = kinds.filter(({ ts }) => ts).flatMap(({ name }) => [path.join(folder, `${name}.ts`), path.join(folder, `${name}.test.ts`)]);
  const config = path.join(folder, "tsconfig.json");
  const declarations = path.join(projectRoot, "dist/types/pipeline/index.d.ts");
  const options = {
    strict: true, noUncheckedIndexedAccess: true, noPropertyAccessFromIndexSignature: true, noEmit: true, module: "nodenext", target: "es2023", lib: ["es2023"], skipLibCheck: true,
    types: [path.join(projectRoot, "node_modules/@types/node")], // Built by npm test.
    paths: { wasmlathe: [existsSync(declarations) ? declarations : path.join(projectRoot, "pipeline/index.ts")] },
  };
  writeFileSync(config, JSON.stringify({ compilerOptions: options, files }));
  try {
    execFileSync(process.execPath, [tsc, "-p", config], { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    // Errors in the project's own files under these options are none of the passes'.
    const lines = (error as { stdout: string }).stdout.split("\n").filter((line) => /of-[a-z-]+-ts/.test(line.split(":")[0]!));
    assert.equal(lines, []);
  }
});

test("names, stages and scopes that are none are refused, and files that exist", () => {
  const flags = { stage: "ssa", ts: false, dir: folder };
  assert.throws(() => newPass("Mine", flags), /cannot name a pass/);
  assert.throws(() => newPass("a:b", flags), /names a file, too/);
  assert.throws(() => newPass("mine", { ...flags, stage: "SSA" }), /stage is "wasm", "ssa" or "machine", not "SSA"/);
  assert.throws(() => newPass("mine", { ...flags, stage: "machine", scope: "module" }), /scope of a pass of stage machine is "func"/);
  assert.throws(() => newPass("of-func", flags), /of-func\.mjs exists already/);
  assert.ok(readFileSync(path.join(folder, "of-func.mjs"), "utf8").includes("i32.mul x, 2"));
});

test.run();
