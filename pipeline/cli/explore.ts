// `lathe explore`: a module at every stage of its compilation as a page, in one file or served live.
import { writeFileSync } from "node:fs";
import path from "node:path";
import { deflateRawSync } from "node:zlib";
import type { Disassembler } from "../../backends/target.js";
import type { FuncIndex } from "../../ir/entity.js";
import type { Module } from "../../ir/module.js";
import { loadDisassembler } from "../dump/asm.js";
import { isRecorded, type Recorded } from "../dump/stages.js";
import { ByteWriter } from "../explore/bytes.js";
import { collect, recordOf, type Collected } from "../explore/collect.js";
import { writeRecord } from "../explore/format.js";
import { pageFile, readParts } from "../explore/page-file.js";
import { serve, type Served } from "../explore/serve.js";
import { compile } from "../index.js";
import type { CompileOptions } from "../options.js";
import { readInput as readModule, sourceOf, type Source } from "../source.js";
import { targetNamed } from "../targets.js";
import { compileOptions } from "./compile-options.js";
import { findFunc, readInput, type CompilerFlags } from "./input.js";
import { note, print, UsageError } from "./terminal.js";

export interface ExploreFlags extends CompilerFlags {
  output?: string;
  func: string[];
  serve: boolean;
  port?: string;
}

/** A file stays below so many bytes. */
const FILE_BYTES = 10_000_000;
/** What the page itself, the graph layout and function names may take of them. */
const PAGE_BYTES = 1_600_000;
/** Compressed records take about so many bytes for one of a function's body: more functions are not even compiled for a file. */
const RECORD_RATIO = 3;

/** @param base URL of the command's own file: dist/explorer stands beside it, or beside the sources. */
export async function explore(file: string, flags: ExploreFlags, base: string): Promise<void> {
  const parts = readParts(new URL(base.endsWith(".ts") ? "../dist/explorer/" : "./explorer/", base));
  if (flags.serve) {
    if (flags.output !== undefined) throw new UsageError("--serve writes no file: leave -o away");
    await serveUntilInterrupted(file, flags, parts);
    return;
  }
  if (flags.port !== undefined) throw new UsageError("--port is for --serve");
  const started = performance.now();
  const { collected, missing } = await compileAndCollect(file, flags);
  const output = flags.output ?? `${file}.html`;
  const html = pageFile(collected, parts);
  writeFileSync(output, html);
  print(`${output}: ${(Buffer.byteLength(html) / 1e6).toFixed(2)} MB in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  if (missing > 0 && flags.func.length === 0) note(`${missing} functions are not in the file, which stays below ${FILE_BYTES / 1e6} MB: choose some by --func, or use --serve`);
}

interface Made {
  readonly collected: Collected;
  /** Functions that are not in chunks. */
  readonly missing: number;
  readonly input: Uint8Array;
  readonly options: CompileOptions;
}

async function compileAndCollect(file: string, flags: ExploreFlags): Promise<Made> {
  const options = await compileOptions(flags);
  const input = readInput(file);
  const source = sourceOf(await readModule(input), targetNamed(options.target));
  if (source.machine) throw new UsageError(`${file} holds machine IR: there is nothing before it to explore; lathe dump shows what becomes of it`);
  const { module } = source;
  const limit = ((FILE_BYTES - PAGE_BYTES) * 3) / 4 - deflateRawSync(module.bytes).length;
  const chosen = flags.func.length > 0 ? flags.func.map((name) => bodyOf(module, name)) : fitting(source, limit);
  const recorded = await record(input, { ...options, ...(chosen && { only: chosen }) });
  const disassembler = await loadDisassembler(recorded.target);
  const collected = collect(recorded, disassembler, path.basename(file), limit);
  disassembler.close();
  return { collected, missing: collected.meta.funcs.filter((func) => func.chunk < 0).length, input, options };
}

async function record(input: Uint8Array, options: CompileOptions): Promise<Recorded> {
  const compilation = await compile(input, { ...options, engine: "native", record: true });
  if (!isRecorded(compilation)) throw new Error("the compilation was not recorded");
  return compilation;
}

function bodyOf(module: Module, name: string): FuncIndex {
  const index = findFunc(module, name);
  if (module.funcs[index]!.imported) throw new UsageError(`@${index} is imported: it has no body to show`);
  return index;
}

/** The first functions whose records are likely to fit; undefined when all are. */
function fitting({ module, funcs }: Source, limit: number): readonly FuncIndex[] | undefined {
  let bytes = 0;
  for (const [i, index] of funcs.entries()) {
    bytes += module.funcs[index]!.bodyEnd - module.funcs[index]!.bodyStart;
    if (bytes * RECORD_RATIO > limit) return funcs.slice(0, i);
  }
  return undefined;
}

async function serveUntilInterrupted(file: string, flags: ExploreFlags, parts: ReturnType<typeof readParts>): Promise<void> {
  const port = flags.port === undefined ? 0 : Number(flags.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new UsageError(`--port wants a number up to 65535, not "${flags.port}"`);
  let disassembler: Disassembler | undefined;
  const make = async (): Promise<Served> => {
    const { collected, input, options } = await compileAndCollect(file, flags);
    return {
      collected,
      files: [file, ...new Set(Object.values(options.passFiles ?? {}))],
      async func(index) {
        const recorded = await record(input, { ...options, only: [index] });
        disassembler ??= await loadDisassembler(recorded.target);
        const out = new ByteWriter();
        writeRecord(out, recordOf(recorded, index, disassembler));
        return deflateRawSync(out.finish());
      },
    };
  };
  const explorer = await serve(make, parts, port, (outcome) => {
    if (outcome instanceof Error) note(`lathe: ${outcome.message}`);
    else note(`compiled again in ${outcome.toFixed(0)} ms`);
  });
  print(`${explorer.url}  (Ctrl+C ends it)`);
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
  await explorer.close();
}
