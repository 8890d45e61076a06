// What the architecture promises about the source itself: layers, packages, no ISA in shared code, no side effects of imports.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { opInfo, Op } from "../ir/ops.js";
import { projectRoot } from "./bundle.js";

const test = suite("layers");

const folders = ["ir", "passes", "backends", "runtime", "pipeline"] as const;

/** What each folder may import from the others. */
const mayImport: Record<string, readonly string[]> = {
  ir: ["ir"],
  passes: ["passes", "ir"],
  backends: ["backends", "ir"],
  runtime: ["runtime", "ir"],
  pipeline: ["pipeline", "passes", "backends", "runtime", "ir"],
};

/** Packages by folder; `node:` modules are free but for ir and passes. */
const packages: Record<string, readonly string[]> = {
  ir: [],
  passes: ["binaryen"],
  backends: ["@alexaltea/capstone-js"],
  runtime: ["koffi"],
  pipeline: ["@viz-js/viz", "immer", "graphlib", "binaryen", "commander", "picocolors"],
};

/** What runs in a browser: bundled into dist, so these are no dependencies of the package. */
const pageFolder = "pipeline/explore/page/";
const pagePackages = ["preact", "preact/hooks", "@preact/signals", "@codemirror/view", "@codemirror/state", "@codemirror/search"];

interface Source {
  file: string;
  folder: string;
  text: string;
}

const sources: Source[] = folders.flatMap((folder) =>
  readdirSync(path.join(projectRoot, folder), { recursive: true })
    .map((name) => path.join(folder, String(name)).replaceAll("\\", "/"))
    .filter((file) => /\.tsx?$/.test(file))
    .map((file) => ({ file, folder, text: readFileSync(path.join(projectRoot, file), "utf8") })),
);

/** All imports of a file: static, re-exports, dynamic. `typeOnly` ones vanish at run time. */
function importsOf(source: Source): { from: string; typeOnly: boolean; dynamic: boolean }[] {
  const found: { from: string; typeOnly: boolean; dynamic: boolean }[] = [];
  for (const match of source.text.matchAll(/^(?:import|export)\s+(type\s)?[^"';]*?\s*from\s+"([^"]+)"/gm)) {
    found.push({ from: match[2]!, typeOnly: match[1] !== undefined, dynamic: false });
  }
  for (const match of source.text.matchAll(/\bimport\(\s*"([^"]+)"\s*\)/g)) found.push({ from: match[1]!, typeOnly: false, dynamic: true });
  return found;
}

const resolved = (source: Source, from: string) => path.posix.join(path.posix.dirname(source.file), from).replace(/\.js$/, ".ts");

/** Text without comments and strings, lines kept. */
function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " ")).replace(/\/\/.*$/gm, "");
}

test("there are sources in every folder", () => {
  for (const folder of folders) assert.ok(sources.some((source) => source.folder === folder), `no source in ${folder}`);
});

test("imports respect the layers", () => {
  const broken: string[] = [];
  for (const source of sources) {
    for (const { from } of importsOf(source)) {
      if (!from.startsWith(".")) continue;
      const target = resolved(source, from).split("/")[0]!;
      if (!mayImport[source.folder]!.includes(target)) broken.push(`${source.file} imports ${from}`);
    }
  }
  assert.equal(broken, []);
});

test("packages stay where they belong", () => {
  const broken: string[] = [];
  for (const source of sources) {
    for (const { from } of importsOf(source)) {
      if (from.startsWith(".")) continue;
      const allowed = from.startsWith("node:") ? source.folder !== "ir" && source.folder !== "passes" : (source.file.startsWith(pageFolder) ? pagePackages : packages[source.folder]!).includes(from);
      if (!allowed) broken.push(`${source.file} imports ${from}`);
    }
  }
  assert.equal(broken, []);
});

test("binaryen, capstone and koffi are not loaded before they are needed", () => {
  const heavy = ["binaryen", "@alexaltea/capstone-js"];
  const broken = sources.flatMap((source) =>
    importsOf(source).filter(({ from, typeOnly, dynamic }) => heavy.includes(from) && !typeOnly && !dynamic).map(({ from }) => `${source.file} imports ${from} statically`),
  );
  assert.equal(broken, []);
});

test("imports form no cycle", () => {
  const edges = new Map(sources.map((source) => [
    source.file,
    importsOf(source).filter((i) => i.from.startsWith(".") && !i.typeOnly && !i.dynamic).map((i) => resolved(source, i.from)),
  ]));
  const done = new Set<string>();
  for (const root of edges.keys()) {
    const trail: { file: string; next: number }[] = [{ file: root, next: 0 }];
    const open = new Set([root]);
    while (trail.length > 0) {
      const top = trail.at(-1)!;
      const target = (edges.get(top.file) ?? [])[top.next++];
      if (target === undefined) {
        done.add(top.file);
        open.delete(top.file);
        trail.pop();
      } else if (open.has(target)) {
        assert.unreachable(`cycle: ${trail.map((t) => t.file).join(" -> ")} -> ${target}`);
      } else if (!done.has(target)) {
        open.add(target);
        trail.push({ file: target, next: 0 });
      }
    }
  }
});

test("shared code names no instruction set", () => {
  const isa = /amd64|(?<!0)x86|arm64|aarch64|neon\b|\b(x64|sse\d*|avx\w*|r[abcd]x|r[sd]i|r[sb]p|e[abcd]x|[xyz]mm\d*|rip|sysv|popcnt instruction)\b/i;
  const broken: string[] = [];
  for (const source of sources) {
    const parts = source.file.split("/");
    const shared = source.folder !== "backends" ? source.folder !== "runtime" : parts.length === 2 || parts[1] === "regalloc";
    if (!shared) continue;
    source.text.split("\n").forEach((line, i) => {
      // The one line each that registers a target: an import from its folder and its entry in the list.
      const registry = source.file === "pipeline/targets.ts" && /^import \{ \w+ \} from "\.\.\/backends\/\w+\/target\.js";$|^export const targets: readonly Target\[\] = \[[\w, ]+\];$/.test(line);
      if (!registry && isa.test(line)) broken.push(`${source.file}:${i + 1}: ${line.trim()}`);
    });
  }
  assert.equal(broken, []);
});

test("importing a module does nothing but define", () => {
  const broken: string[] = [];
  const entry = new Set([`${pageFolder}main.tsx`, "pipeline/cli.ts", "pipeline/register.ts", "pipeline/make-bytecode.ts", "pipeline/serve-import.ts"]);
  for (const source of sources) {
    if (entry.has(source.file)) continue;
    for (const match of source.text.matchAll(/^import\s+"[^"]+"/gm)) broken.push(`${source.file}: ${match[0]}`);
    code(source.text).split("\n").forEach((line, i) => {
      const statement = /^([A-Za-z_$][\w$]*)\b\s*(\(|\.|\[|=[^>=]|\+\+|\+=)/.exec(line);
      if (statement && !/^(export|import|const|let|function|class|type|interface|declare|async|abstract|enum)$/.test(statement[1]!)) {
        broken.push(`${source.file}:${i + 1}: ${line}`);
      }
      if (/^(for|while|do|try|throw|await)\b/.test(line)) broken.push(`${source.file}:${i + 1}: ${line}`);
    });
  }
  assert.equal(broken, []);
});

test("no module keeps state of its own", () => {
  const broken = sources.flatMap((source) =>
    code(source.text).split("\n").flatMap((line, i) => (/^(export )?(let|var) /.test(line) ? [`${source.file}:${i + 1}: ${line}`] : [])),
  );
  assert.equal(broken, []);
});

test("every file says first what it does", () => {
  const broken = sources.filter((source) => !source.text.startsWith("//") && !source.text.startsWith("/*")).map((source) => source.file);
  assert.equal(broken, []);
});

test("no default exports", () => {
  assert.equal(sources.filter((source) => /^export default\b/m.test(source.text)).map((source) => source.file), []);
});

test("the op table stands in the order of the enum", () => {
  assert.is(opInfo.length, Op.count);
  opInfo.forEach((info, i) => assert.is(info.op, i as Op, info.name));
  assert.is(new Set(opInfo.map((info) => info.name)).size, opInfo.length);
});

test("every backend has the same files", () => {
  const backend = (name: string) => sources.filter((source) => source.file.startsWith(`backends/${name}/`)).map((source) => source.file.slice(`backends/${name}/`.length));
  const first = backend("amd64");
  assert.ok(first.length > 0);
  const second = backend("arm64");
  // Only one backend so far: nothing to compare.
  if (second.length > 0) assert.equal(second.sort(), first.sort());
});

test.run();
