// Compares the arm64 encoder with GNU as, instruction by instruction: `node --import tsx tests/encode/arm64-against-as.ts [--write]`.
//
// Needs binutils for aarch64-linux-gnu; skips with one line where they are absent. Warnings of the assembler (unpredictable
// operands) are errors. `--write` writes the border cases' words, as the assembler has them, to arm64.hex: the table
// that tests/unit/backends/arm64/encode.test.ts compares with, without any assembler.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Assembler, INST_BYTES } from "../../backends/arm64/encode.js";
import { arm64Cases, logicalProbe, type Arm64Case } from "./arm64-cases.js";

const AS = "aarch64-linux-gnu-as";
const OBJCOPY = "aarch64-linux-gnu-objcopy";

/** The instruction's word. Branches shrink to one, so every case is one. */
export function wordOf(c: Arm64Case): string {
  const a = new Assembler();
  c.emit(a);
  const bytes = a.finish();
  if (bytes.length !== INST_BYTES) throw new Error(`${c.text}: ${bytes.length} bytes`);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true).toString(16).padStart(8, "0");
}

function inDirectory<T>(body: (dir: string) => T): T {
  const dir = mkdtempSync(join(tmpdir(), "lathe-encode-"));
  try {
    return body(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** What GNU as makes of each text. Throws with the assembler's messages. */
function assemble(texts: readonly string[]): Buffer {
  return inDirectory((dir) => {
    const source = join(dir, "a.s");
    writeFileSync(source, `.arch armv8-a\n${texts.join("\n")}\n`);
    execFileSync(AS, ["--fatal-warnings", "-o", join(dir, "a.o"), source]);
    execFileSync(OBJCOPY, ["-O", "binary", "-j", ".text", join(dir, "a.o"), join(dir, "a.bin")]);
    return readFileSync(join(dir, "a.bin"));
  });
}

/** Which lines the assembler refuses, by number from 0. */
function refused(texts: readonly string[]): Set<number> {
  return inDirectory((dir) => {
    const source = join(dir, "a.s");
    writeFileSync(source, `${texts.join("\n")}\n`);
    const { stderr } = spawnSync(AS, ["-o", join(dir, "a.o"), source], { encoding: "utf8", maxBuffer: 1 << 26 });
    return new Set([...stderr.matchAll(/a\.s:(\d+): Error/g)].map((match) => Number(match[1]) - 1));
  });
}

export function hasAssembler(): boolean {
  return !spawnSync(AS, ["--version"]).error && !spawnSync(OBJCOPY, ["--version"]).error;
}

/** The differences between us and as, as printable lines. */
export function compare(list: readonly Arm64Case[]): string[] {
  const theirs = assemble(list.map((c) => c.text));
  if (theirs.length !== list.length * INST_BYTES) return [`${list.length} instructions gave ${theirs.length} bytes`];
  const differences: string[] = [];
  list.forEach((c, i) => {
    const want = theirs.readUInt32LE(i * INST_BYTES).toString(16).padStart(8, "0");
    const got = wordOf(c);
    if (want !== got) differences.push(`${c.text}\n  as   ${want}\n  ours ${got}`);
  });
  return differences;
}

function main(): void {
  if (!hasAssembler()) {
    console.log(`arm64-against-as: skipped, no ${AS} here (apt: binutils-aarch64-linux-gnu)`);
    return;
  }
  const list = arm64Cases(true);
  const differences = compare(list);
  const probe = logicalProbe(20000);
  const not = refused(probe.map(({ lo, hi }) => `and x0, x1, #0x${((BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)).toString(16)}`));
  probe.forEach(({ lo, hi, ours }, i) => {
    if (ours === not.has(i)) differences.push(`logical immediate ${hi >>> 0}:${lo >>> 0}: as ${not.has(i) ? "refuses" : "takes"} it, we do not`);
  });
  for (const d of differences.slice(0, 40)) console.log(d);
  console.log(`arm64-against-as: ${list.length} encodings and ${probe.length} logical immediates (${not.size} refused) compared, ${differences.length} differ`);
  if (differences.length > 0) process.exitCode = 1;
  else if (process.argv.includes("--write")) {
    const border = arm64Cases(false);
    const wrong = compare(border);
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
    writeFileSync(new URL("arm64.hex", import.meta.url), `${border.map((c) => `${wordOf(c)} ${c.text}`).join("\n")}\n`);
    console.log(`arm64.hex: ${border.length} encodings`);
  }
}

if (process.argv[1] && import.meta.url.endsWith(process.argv[1].replace(/^.*\//, "/"))) main();
