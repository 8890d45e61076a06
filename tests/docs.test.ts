// Every code block of every document runs (tests/docs/blocks.ts says what that means).
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { projectRoot } from "./bundle.js";
import { blocksOf, prepare, runBlock } from "./docs/blocks.js";

const test = suite("documents");
const skipped = new Set(["node_modules", "dist", ".git", ".lathe"]);

function documents(folder: string): string[] {
  return readdirSync(path.join(projectRoot, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : documents(name);
    return entry.name.endsWith(".md") ? [name] : [];
  });
}

test.before(() => {
  if (!existsSync(path.join(projectRoot, "dist/cli.js"))) execFileSync(process.execPath, ["build.mjs"], { cwd: projectRoot });
});

test("blocks are found, with their languages and names", () => {
  const blocks = blocksOf("a\n```js file=x.mjs\nf();\n```\nb\n```text\n$ no\n```\n");
  assert.equal(blocks, [
    { language: "js", file: "x.mjs", text: "f();\n", line: 3 },
    { language: "text", file: undefined, text: "$ no\n", line: 7 },
  ]);
  assert.throws(() => blocksOf("```js\nf();\n"), /has no end/);
});

for (const document of documents(".")) {
  const blocks = blocksOf(readFileSync(path.join(projectRoot, document), "utf8"));
  if (blocks.length === 0) continue;
  test(`${document}: ${blocks.length} code blocks`, async () => {
    const directory = mkdtempSync(path.join(tmpdir(), "lathe-docs-"));
    try {
      await prepare(directory, projectRoot);
      const problems: string[] = [];
      for (const [i, block] of blocks.entries()) {
        const problem = await runBlock(block, directory, i);
        if (problem !== undefined) problems.push(`${document}:${block.line}: ${problem}`);
      }
      assert.is(problems.join("\n\n"), "");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

test.run();
