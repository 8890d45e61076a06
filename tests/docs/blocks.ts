// The code blocks of a Markdown file, and what it means to run one.
//
//   ```js  ```ts             a module, run by Node where `wasmlathe` resolves to the built package; `file=NAME` behind the language names it
//   ```console               `$ COMMAND` lines, each with what it prints below it; a line `...` stands for any number of lines, and `...`
//                            within a line for anything; what a command prints on stderr comes behind its stdout
//   ```sh                    commands that must end well; what they print is not looked at; `npm` is left out: it is how this test was started
//   ```wat ```ssa ```json    must be well-formed
//   ```text                  no code
// Blocks of one file share a directory, in order. It holds the samples (tests/docs/samples, and sum.wat as m.wat), each .wat as .wasm,
// too, and the folders of the project that documents name.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseFunc, parseModule } from "../../ir/parse.js";
import { verifyFunc, verifyModule } from "../../ir/verify.js";
import { watToBytes } from "../../pipeline/frontend/wat.js";

export interface Block {
  readonly language: string;
  readonly file: string | undefined;
  readonly text: string;
  /** Of the line behind the opening fence, from 1. */
  readonly line: number;
}

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: { language: string; file: string | undefined; lines: string[]; line: number } | undefined;
  markdown.split("\n").forEach((line, i) => {
    const fence = /^```(\S*)\s*(.*)$/.exec(line);
    if (open && line === "```") {
      blocks.push({ language: open.language, file: open.file, text: `${open.lines.join("\n")}\n`, line: open.line });
      open = undefined;
    } else if (open) open.lines.push(line);
    else if (fence) open = { language: fence[1]!, file: /\bfile=(\S+)/.exec(fence[2]!)?.[1], lines: [], line: i + 2 };
  });
  if (open) throw new Error(`the code block of line ${open.line} has no end`);
  return blocks;
}

/** Fills a directory so that blocks can run in it. */
export async function prepare(directory: string, root: string): Promise<void> {
  mkdirSync(path.join(directory, "node_modules"));
  writeFileSync(path.join(directory, "package.json"), '{ "name": "documentation", "type": "module" }');
  for (const [name, to] of [["wasmlathe", root], ["tsx", path.join(root, "node_modules/tsx")]] as const) symlinkSync(to, path.join(directory, "node_modules", name), "dir");
  mkdirSync(path.join(directory, ".bin"));
  writeFileSync(path.join(directory, ".bin/lathe"), `#!/bin/sh\nexec "${process.execPath}" "${path.join(root, "dist/cli.js")}" "$@"\n`);
  chmodSync(path.join(directory, ".bin/lathe"), 0o755);
  // In a clone the command goes by npx.
  writeFileSync(path.join(directory, ".bin/npx"), '#!/bin/sh\nexec "$@"\n');
  chmodSync(path.join(directory, ".bin/npx"), 0o755);
  const samples = path.join(root, "tests/docs/samples");
  const sources = new Map(readdirSync(samples).map((name) => [name, path.join(samples, name)]));
  sources.set("m.wat", path.join(root, "pipeline/sample/sum.wat"));
  for (const [name, source] of sources) {
    copyFileSync(source, path.join(directory, name));
    if (name.endsWith(".wat")) writeFileSync(path.join(directory, name.replace(/wat$/, "wasm")), await watToBytes(readFileSync(source, "utf8")));
  }
  // Paths as the documents name them from the project's root.
  for (const folder of ["passes/examples", "pipeline/sample"]) {
    mkdirSync(path.join(directory, path.dirname(folder)));
    symlinkSync(path.join(root, folder), path.join(directory, folder), "dir");
  }
}

/** @returns what is wrong with the block, undefined if nothing is. */
export async function runBlock(block: Block, directory: string, number: number): Promise<string | undefined> {
  switch (block.language) {
    case "js":
    case "ts": {
      const file = block.file ?? `block-${number}.${block.language === "js" ? "mjs" : "mts"}`;
      writeFileSync(path.join(directory, file), block.text);
      // A pass file is used by the commands behind it; by itself it only has to load.
      const { status, output } = shell(`"${process.execPath}" ${block.language === "ts" ? "--import tsx " : ""}"${file}"`, directory);
      return status === 0 ? undefined : `ended with ${status}:\n${output}`;
    }
    case "sh":
      for (const command of commandsOf(block.text)) {
        const { status, output } = shell(command, directory);
        if (status !== 0) return `${command}\nended with ${status}:\n${output}`;
      }
      return undefined;
    case "console":
      return transcript(block.text, directory);
    case "wat":
      return failureOf(() => watToBytes(block.text));
    case "ssa":
      return failureOf(() => {
        const errors = /^func @[^]*?\{$/m.test(block.text) && !/^type /m.test(block.text) ? verifyFunc(parseFunc(block.text)) : verifyText(block.text);
        if (errors.length > 0) throw new Error(errors.map(String).join("\n"));
      });
    case "json":
      return failureOf(() => JSON.parse(block.text));
    case "text":
      return undefined;
    default:
      return `a code block says what it is (js, ts, console, sh, wat, ssa, json, text), not "${block.language}"`;
  }
}

function verifyText(text: string) {
  const { module, funcs } = parseModule(text);
  return [...verifyModule(module), ...funcs.flatMap((fn) => verifyFunc(fn, module))];
}

async function failureOf(run: () => unknown): Promise<string | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function commandsOf(text: string): string[] {
  return text.split("\n").map((line) => line.replace(/\s+#.*$/, "").trim()).filter((line) => line !== "" && !line.startsWith("#") && !/^(git|cd|npm)\b/.test(line));
}

function shell(command: string, cwd: string): { status: number | null; output: string } {
  const env = { ...process.env, PATH: `${path.join(cwd, ".bin")}${path.delimiter}${process.env["PATH"]}`, NO_COLOR: "1" };
  const run = spawnSync("sh", ["-c", command], { cwd, encoding: "utf8", env, timeout: 60_000, maxBuffer: 1 << 26 });
  return { status: run.status, output: run.stdout + run.stderr };
}

function transcript(text: string, directory: string): string | undefined {
  const steps = text.split(/^\$ /m).slice(1);
  if (steps.length === 0) return "a console block has lines that begin with `$ `";
  for (const step of steps) {
    const [command, ...rest] = step.trimEnd().split("\n");
    if (/^(git|cd|npm)\b/.test(command!)) continue;
    const { output } = shell(command!.replace(/\s+#.*$/, ""), directory);
    if (!matches(output.trimEnd(), rest.join("\n"))) return `$ ${command}\nprinted:\n${output}\nthe document says:\n${rest.join("\n")}`;
  }
  return undefined;
}

/** Runs of blanks count as one. */
function matches(output: string, expected: string): boolean {
  const escape = (part: string) => part.trim().replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/[ \t]+/g, "[ \\t]+");
  const lines = expected.split("\n").map((line) => (line.trim() === "..." ? "(?:.*\\n)*?.*" : line.split("...").map(escape).join(".*")));
  return new RegExp(`^${lines.join("\\s*\\n\\s*")}\\s*$`).test(output);
}
