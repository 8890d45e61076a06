// Bundles test programs with esbuild into .lathe/tests (inside the project, so that packages resolve).
//
// `import.meta.url` keeps the value it has in the source file, so that tests find their data. Output names repeat the
// source path. Child processes are started from such a script: plain Node, no loader.
import { build, type Plugin } from "esbuild";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The project's root: the nearest folder above that has package.json. */
export const projectRoot: string = path.resolve(fileURLToPath(new URL("..", import.meta.url)));

/** Each file of ours gets its own URL as a constant, which stands for `import.meta.url` (see `define` below). */
const keepUrls: Plugin = {
  name: "url of the source",
  setup(context) {
    context.onLoad({ filter: /\.(ts|mjs)$/ }, (args) => {
      if (args.path.includes("node_modules")) return undefined;
      const text = readFileSync(args.path, "utf8");
      return { contents: `const __sourceUrl = ${JSON.stringify(pathToFileURL(args.path).href)};${text}`, loader: args.path.endsWith(".ts") ? "ts" : "js" };
    });
  },
};

/** Every `*.test.ts` under tests/, relative to the root, sorted. */
export function testFiles(): string[] {
  return readdirSync(path.join(projectRoot, "tests"), { recursive: true })
    .map((name) => path.join("tests", String(name)))
    .filter((name) => name.endsWith(".test.ts"))
    .sort();
}

/** Bundles programs (paths relative to the root); returns the paths of the scripts, in the same order. */
export async function bundle(files: readonly string[], outDirectory = "tests"): Promise<string[]> {
  const outdir = path.join(projectRoot, ".lathe", outDirectory);
  mkdirSync(outdir, { recursive: true });
  const output = (file: string) => file.replace(/\.m?ts$/, "");
  await build({
    absWorkingDir: projectRoot,
    entryPoints: files.map((file) => ({ in: file, out: output(file) })),
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    sourcemap: true,
    chunkNames: "chunks/[name]-[hash]",
    plugins: [keepUrls],
    define: { "import.meta.url": "__sourceUrl" },
    logLevel: "warning",
  });
  return files.map((file) => path.join(outdir, `${output(file)}.mjs`));
}
