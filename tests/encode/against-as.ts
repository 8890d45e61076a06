// Compares the encoder with GNU as, instruction by instruction: `node --import tsx tests/encode/against-as.ts [--write]`.
//
// Needs `as` and `objcopy`; skips with one line where they are absent. Every instruction is padded to a 16-byte cell, so
// one run of the assembler gives all boundaries. `--write` writes the border cases' bytes, as the assembler has them,
// to amd64.hex: the table that tests/unit/backends/encode.test.ts compares with, without any assembler.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Assembler } from "../../backends/amd64/encode.js";
import { cases, type Case } from "./cases.js";

const CELL = 16;
const FILL = 0xcc;

export function bytesOf(c: Case): Uint8Array {
  const a = new Assembler();
  const end = c.emit(a) ?? a.length;
  return a.finish().slice(0, end);
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
}

/** What GNU as makes of each text, cells of 16 bytes. Throws with the assembler's messages. */
function assemble(texts: readonly string[]): Uint8Array {
  const dir = mkdtempSync(join(tmpdir(), "lathe-encode-"));
  try {
    const source = join(dir, "a.s");
    writeFileSync(source, `.intel_syntax noprefix\n${texts.map((t) => `${t}\n.balign ${CELL}, ${FILL}`).join("\n")}\n`);
    execFileSync("as", ["--64", "-o", join(dir, "a.o"), source]);
    execFileSync("objcopy", ["-O", "binary", "-j", ".text", join(dir, "a.o"), join(dir, "a.bin")]);
    return readFileSync(join(dir, "a.bin"));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function padded(bytes: Uint8Array): string {
  return hex(bytes).padEnd(CELL * 2, FILL.toString(16));
}

/** The differences between us and as, as printable lines; undefined without as. */
export function compare(list: readonly Case[]): string[] | undefined {
  if (spawnSync("as", ["--version"]).error || spawnSync("objcopy", ["--version"]).error) return undefined;
  const theirs = assemble(list.map((c) => c.text));
  if (theirs.length !== list.length * CELL) return [`${list.length} instructions gave ${theirs.length} bytes`];
  const differences: string[] = [];
  list.forEach((c, i) => {
    const want = hex(theirs.subarray(i * CELL, (i + 1) * CELL));
    const got = padded(bytesOf(c));
    if (want !== got) differences.push(`${c.text}\n  as   ${want}\n  ours ${got}`);
  });
  return differences;
}

function main(): void {
  const list = cases(true);
  const differences = compare(list);
  if (differences === undefined) {
    console.log("against-as: skipped, no GNU as here");
    return;
  }
  for (const d of differences.slice(0, 40)) console.log(d);
  console.log(`against-as: ${list.length} encodings compared, ${differences.length} differ`);
  if (differences.length > 0) process.exitCode = 1;
  else if (process.argv.includes("--write")) {
    const border = cases(false);
    const wrong = compare(border)!;
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
    const table = border.map((c) => `${hex(bytesOf(c)).padEnd(24)} ${c.text}`).join("\n");
    writeFileSync(new URL("amd64.hex", import.meta.url), `${table}\n`);
    console.log(`amd64.hex: ${border.length} encodings`);
  }
}

if (process.argv[1] && import.meta.url.endsWith(process.argv[1].replace(/^.*\//, "/"))) main();
