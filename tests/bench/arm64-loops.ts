// Instructions of hot loops on arm64: ours beside gcc's, of the same C.
//
// node --import tsx tests/bench/arm64-loops.ts [--source FILE.c] [--show] [FUNCTION ...]
//
// gcc makes arm64 code of each function, clang WebAssembly, of which our O2 makes arm64 code; neither vectorizes (we have no
// SIMD there yet) or unrolls. Counted is the largest of a function's innermost natural loops, every block of it once, in
// the disassembly; what has no loop is left out. Prints the table of backends/arm64/README.md; --show prints both loops, too. Exits 1 where a loop of
// ours is longer than 1.5 times gcc's, and where a tool is missing: apt-get install binutils-aarch64-linux-gnu
// gcc-aarch64-linux-gnu clang lld
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compileSync } from "../../pipeline/index.js";

const LIMIT = 1.5;
const GCC = ["-O2", "-ffp-contract=off", "-fno-tree-vectorize"];
const CLANG = ["--target=wasm32", "-O2", "-mbulk-memory", "-mnontrapping-fptoint", "-msign-ext", "-ffp-contract=off", "-fno-vectorize", "-fno-slp-vectorize", "-fno-unroll-loops"];
// A loop that copies or counts stays one in both.
const BOTH = ["-fno-builtin", "-ffreestanding"];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { source: { type: "string" }, show: { type: "boolean", default: false } } });
const source = values.source ?? fileURLToPath(new URL("arm64-loops.c", import.meta.url));
const scratch = mkdtempSync(path.join(tmpdir(), "arm64-loops-"));

function tool(name: string, ...args: string[]): string {
  const { error, status, stdout, stderr } = spawnSync(name, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (error) throw new Error(`${name} is missing`);
  if (status !== 0) throw new Error(`${name} ended with ${status}:\n${stderr}`);
  return stdout;
}

interface Inst {
  readonly address: number;
  readonly text: string;
  /** Where it branches to, -1 if it does not or cannot be said. */
  readonly target: number;
  readonly fallsThrough: boolean;
}

function parseInst(line: string): Inst | undefined {
  const match = /^\s*([0-9a-f]+):\t[0-9a-f]+ ?\t(\S+)\s*([^/]*)/.exec(line);
  if (!match) return undefined;
  const [, address, mnemonic, operands] = match;
  const branches = /^(b|b\..*|cbn?z|tbn?z)$/.test(mnemonic!);
  const target = branches ? parseInt(/(?:0x)?([0-9a-f]+)(?: <.*>)?\s*$/.exec(operands!)![1]!, 16) : -1;
  return { address: parseInt(address!, 16), text: `${mnemonic}\t${operands!.trim()}`, target, fallsThrough: !/^(b|br|ret|udf|brk)$/.test(mnemonic!) };
}

/** The instructions of each function of gcc's object file. */
function functionsOfObject(file: string): Map<string, Inst[]> {
  const functions = new Map<string, Inst[]>();
  let current: Inst[] = [];
  for (const line of tool("aarch64-linux-gnu-objdump", "-d", "--no-show-raw-insn", file).split("\n")) {
    const name = /^[0-9a-f]+ <(.*)>:$/.exec(line);
    if (name) functions.set(name[1]!, (current = []));
    const inst = parseInst(line.replace(/^(\s*[0-9a-f]+:\t)/, "$10\t"));
    if (inst) current.push(inst);
  }
  return functions;
}

/** The same of ours. */
function functionsOfWasm(file: string): Map<string, Inst[]> {
  const { module, code } = compileSync(Uint8Array.from(readFileSync(file)), { target: "arm64", features: [] });
  const raw = path.join(scratch, "ours.bin");
  writeFileSync(raw, code!.bytes);
  const all = tool("aarch64-linux-gnu-objdump", "-D", "-b", "binary", "-m", "aarch64", "--no-show-raw-insn", raw)
    .split("\n")
    .map((line) => parseInst(line.replace(/^(\s*[0-9a-f]+:\t)/, "$10\t")))
    .filter((inst) => inst !== undefined);
  const functions = new Map<string, Inst[]>();
  for (const item of module.exports) {
    if (item.kind !== "func") continue;
    const start = code!.start[item.index - code!.firstFunc]!;
    const end = start + code!.length[item.index - code!.firstFunc]!;
    functions.set(item.name, all.filter((inst) => inst.address >= start && inst.address < end));
  }
  return functions;
}

/** The largest innermost natural loop: its instructions. */
function hotLoop(insts: readonly Inst[]): Inst[] {
  const at = new Map(insts.map((inst, i) => [inst.address, i]));
  const successors = insts.map((inst, i) => {
    const next: number[] = [];
    if (inst.fallsThrough && i + 1 < insts.length) next.push(i + 1);
    const target = at.get(inst.target);
    if (target !== undefined) next.push(target);
    return next;
  });
  const predecessors: number[][] = insts.map(() => []);
  successors.forEach((list, i) => list.forEach((to) => predecessors[to]!.push(i)));
  // Dominators as sets: the functions are small.
  const every = new Set(insts.keys());
  const dominators = insts.map((_, i) => (i === 0 ? new Set([0]) : every));
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 1; i < insts.length; i++) {
      if (predecessors[i]!.length === 0) continue;
      const meet = new Set([...dominators[predecessors[i]![0]!]!].filter((d) => predecessors[i]!.every((p) => dominators[p]!.has(d))));
      meet.add(i);
      if (meet.size !== dominators[i]!.size) changed = true;
      dominators[i] = meet;
    }
  }
  const loops = new Map<number, Set<number>>();
  successors.forEach((list, from) => {
    for (const header of list) {
      if (!dominators[from]!.has(header)) continue;
      const body = loops.get(header) ?? new Set([header]);
      loops.set(header, body);
      const work = [from];
      for (let i = work.pop(); i !== undefined; i = work.pop()) {
        if (body.has(i)) continue;
        body.add(i);
        work.push(...predecessors[i]!);
      }
    }
  });
  const innermost = [...loops].filter(([header, body]) => ![...loops.keys()].some((other) => other !== header && body.has(other)));
  const largest = innermost.map(([, body]) => body).sort((a, b) => b.size - a.size)[0] ?? new Set<number>();
  return [...largest].sort((a, b) => a - b).map((i) => insts[i]!);
}

function show(title: string, loop: readonly Inst[]): void {
  console.log(`  ${title}`);
  for (const { address, text } of loop) console.log(`    ${address.toString(16)}\t${text}`);
}

try {
  const object = path.join(scratch, "gcc.o");
  const wasmObject = path.join(scratch, "clang.o");
  const wasm = path.join(scratch, "clang.wasm");
  tool("aarch64-linux-gnu-gcc", ...GCC, ...BOTH, "-c", source, "-o", object);
  tool("clang", ...CLANG, ...BOTH, "-c", source, "-o", wasmObject);
  tool("wasm-ld", "--no-entry", "--export-all", "--allow-undefined", wasmObject, "-o", wasm);
  const theirs = functionsOfObject(object);
  const ours = functionsOfWasm(wasm);
  const rows: string[] = [];
  const ratios: number[] = [];
  const long: string[] = [];
  for (const [name, insts] of theirs) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const a = hotLoop(ours.get(name) ?? []);
    const b = hotLoop(insts);
    if (a.length === 0 || b.length === 0) {
      if (a.length !== b.length) console.error(`${name}: a loop in ${a.length === 0 ? "gcc's" : "our"} code only, not counted`);
      continue;
    }
    const ratio = a.length / b.length;
    ratios.push(ratio);
    if (ratio > LIMIT) long.push(name);
    rows.push(`\`${name}\` | ${a.length} | ${b.length} | ${ratio.toFixed(2)}`);
    if (values.show) {
      console.log(name);
      show("ours", a);
      show("gcc", b);
    }
  }
  const half = (rows.length + 1) >> 1;
  console.log("| loop | ours | gcc | ratio | loop | ours | gcc | ratio |\n|---|---|---|---|---|---|---|---|");
  for (let i = 0; i < half; i++) console.log(`| ${rows[i]} | ${rows[half + i] ?? "| | |"} |`);
  console.log(`| geometric mean of ${ratios.length} | | | ${Math.exp(ratios.reduce((sum, r) => sum + Math.log(r), 0) / ratios.length).toFixed(2)} | | | | |`);
  if (long.length > 0) {
    console.error(`longer than ${LIMIT} times gcc's: ${long.join(", ")}`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error(`arm64-loops: ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true });
}
