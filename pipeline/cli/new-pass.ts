// `lathe new-pass NAME` writes a pass and its test; `lathe test FILE` runs tests of passes, to which `wasmlathe` is this package.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { definePass, type Scope, type Stage } from "../../passes/pass.js";
import { packageRoot } from "../user-passes.js";
import { passText, testText, type Template } from "./pass-templates.js";
import { Exit, print, UsageError } from "./terminal.js";

export interface NewPassFlags {
  stage: string;
  scope?: string;
  ts: boolean;
  dir: string;
}

/** @throws UsageError for a name that is none, a stage or scope that is none, files that exist. */
export function newPass(name: string, flags: NewPassFlags): void {
  const scope = flags.scope ?? (flags.stage === "wasm" ? "module" : "func");
  const template: Template = { name, stage: flags.stage as Stage, scope: scope as Scope, typescript: flags.ts };
  try {
    definePass({ name, summary: "", stage: template.stage, scope: template.scope, run: () => undefined } as unknown as Parameters<typeof definePass>[0]);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (name.includes(":")) throw new UsageError(`"${name}" names a file, too: words joined by hyphens are expected`);
  const extension = flags.ts ? "ts" : "mjs";
  const files = [
    { file: path.join(flags.dir, `${name}.${extension}`), text: passText(template) },
    { file: path.join(flags.dir, `${name}.test.${extension}`), text: testText(template) },
  ];
  const taken = files.find(({ file }) => existsSync(file));
  if (taken) throw new UsageError(`${taken.file} exists already`);
  mkdirSync(flags.dir, { recursive: true });
  for (const { file, text } of files) {
    writeFileSync(file, text);
    print(`wrote ${file}`);
  }
  print(`now: lathe test ${dotted(files[1]!.file)}`);
}

function dotted(file: string): string {
  return path.isAbsolute(file) || file.startsWith(".") ? file : `./${file}`;
}

/** Each file in a process of its own. @returns the exit code: failed when one failed. */
export function testPasses(files: readonly string[]): number {
  const root = packageRoot();
  // From the sources it needs the loader that this process was started with.
  const inherited = existsSync(fileURLToPath(import.meta.url)) && import.meta.url.endsWith(".ts") ? process.execArgv : [];
  const serve = ["dist/serve-import.js", "pipeline/serve-import.ts"].map((name) => path.join(root, name)).find((file) => existsSync(file) && (inherited.length > 0) === file.endsWith(".ts"));
  if (serve === undefined) throw new Error("the package is incomplete: serve-import is missing");
  let failed = false;
  for (const file of files) {
    if (!existsSync(file)) throw new UsageError(`there is no file ${file}`);
    const { status, error } = spawnSync(process.execPath, [...inherited, "--import", new URL(`file://${serve}`).href, path.resolve(file)], { stdio: "inherit" });
    if (error) throw error;
    failed ||= status !== 0;
  }
  return failed ? Exit.failed : Exit.ok;
}
