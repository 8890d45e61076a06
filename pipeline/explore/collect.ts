// A recorded compilation => what an explorer page holds: meta data, the module, declarations, chunks of function records.
//
// Chunks of some hundred functions compress better than functions and still unpack in milliseconds. Where a module is too large for
// one page, the functions that come first in it are taken, and the page says which are missing.
import { deflateRawSync } from "node:zlib";
import type { Disassembler } from "../../backends/target.js";
import type { FuncIndex } from "../../ir/entity.js";
import type { Module } from "../../ir/module.js";
import { printDecls } from "../../ir/print-decls.js";
import { passes as registry } from "../../passes/index.js";
import type { Recorded } from "../dump/stages.js";
import { ByteWriter } from "./bytes.js";
import { hashOf, writeRecord, type FuncMeta, type FuncRecord, type PageMeta, type StepMeta } from "./format.js";

/** All but `meta` is deflated (raw). */
export interface Collected {
  readonly meta: PageMeta;
  readonly module: Uint8Array;
  /** `.ssa` texts without data and custom sections: see `StepMeta.decls`. */
  readonly decls: readonly Uint8Array[];
  readonly chunks: readonly Uint8Array[];
}

/** Bytes of records in a chunk, before compression. */
const CHUNK_BYTES = 200_000;

const deflated = (bytes: Uint8Array | string) => deflateRawSync(bytes, { level: 9 });

/** @param file name to show; @param limit bytes that chunks may take together, compressed. */
export function collect(compilation: Recorded, disassembler: Disassembler, file: string, limit = Infinity): Collected {
  const { history, settings, stats, target } = compilation;
  const decoded = history.at(0).module;
  const { steps, decls } = collectSteps(compilation);

  const indices = Object.keys(history.current.funcs).map(Number);
  const places = new Map<number, { chunk: number; at: number }>();
  const chunks: Uint8Array[] = [];
  let out = new ByteWriter();
  let open: number[] = [];
  let size = 0;
  const close = () => {
    const chunk = deflated(out.finish());
    size += chunk.length;
    if (size <= limit) chunks.push(chunk);
    else for (const index of open) places.delete(index);
    out = new ByteWriter();
    open = [];
  };
  for (const index of indices) {
    places.set(index, { chunk: chunks.length, at: out.length });
    open.push(index);
    writeRecord(out, recordOf(compilation, index, disassembler));
    if (out.length >= CHUNK_BYTES) close();
    if (size > limit) break;
  }
  if (out.length > 0) close();

  const module = history.current.module;
  const exportsOf = new Map<number, string[]>();
  for (const item of module.exports) if (item.kind === "func") exportsOf.set(item.index, [...(exportsOf.get(item.index) ?? []), item.name]);
  const funcs = module.funcs.flatMap((decl, index): FuncMeta[] => {
    if (decl.imported) return [];
    const code = places.has(index) ? history.current.funcs[index]?.code : undefined;
    const place = places.get(index) ?? { chunk: -1, at: 0 };
    return [{
      index, name: decl.name, exports: exportsOf.get(index) ?? [], wasmBytes: decl.bodyEnd - decl.bodyStart,
      codeBytes: code?.bytes.length ?? 0, codeHash: code ? hashOf(code.bytes) : 0, ...place,
    }];
  });
  return {
    meta: {
      file,
      source: decoded.bytes.length > 0 ? "wasm" : "text",
      target: target.name,
      level: settings.codegen.level,
      bounds: settings.codegen.bounds,
      features: [...settings.codegen.features],
      moduleBytes: stats.moduleBytes,
      codeBytes: stats.codeBytes,
      steps,
      funcs,
      imports: module.imports.flatMap((item) => (item.kind === "func" ? [{ index: item.index, name: `${item.module}.${item.name}` }] : [])),
      recorded: recordedText(places.size, funcs.length),
      machinePasses: settings.schedule.machine.length > 0,
    },
    module: deflated(decoded.bytes.length > 0 ? decoded.bytes : declsText(decoded)),
    decls,
    chunks,
  };
}

function recordedText(here: number, all: number): string {
  const every = "every pass that changed it";
  return here === all
    ? `All ${all} functions are here, each behind ${every}.`
    : `${here} of ${all} functions are here, each behind ${every}. For others: lathe explore FILE --func NAME, or --serve.`;
}

/** Steps with their times, passes on bytes first, and the declarations behind those that changed them. */
function collectSteps({ history, settings, stats }: Recorded): { steps: StepMeta[]; decls: Uint8Array[] } {
  const summaries = new Map([...registry, ...settings.schedule.ssa, ...settings.schedule.machine].map((pass) => [pass.name, pass.summary]));
  const own: Readonly<Record<string, string>> = {
    translate: "Wasm to SSA",
    lower: "SSA to machine IR on virtual registers",
    allocate: "registers and slots for virtual registers",
    emit: "machine IR to code",
  };
  const before = settings.schedule.wasm.map(({ name, summary }, i): StepMeta => {
    const { changed, ms, counts } = stats.passes[i]!;
    return { name, stage: "decoded", changed: changed > 0 ? stats.functions : 0, ms, summary, counts, decls: -1 };
  });
  const runs = new Map<string, number>();
  const decls: Uint8Array[] = [];
  let text = declsText(history.at(0).module);
  let module = history.at(0).module;
  const steps = history.current.records.map(({ name, revision, changed, ms }): StepMeta => {
    const state = history.at(revision);
    let place = -1;
    if (state.module !== module) {
      module = state.module;
      const now = declsText(module);
      if (now !== text) place = decls.push(deflated((text = now))) - 1;
    }
    const run = runs.get(name) ?? 0;
    runs.set(name, run + 1);
    const counts = stats.passes.filter((pass) => pass.name === name)[run]?.counts ?? {};
    return { name, stage: state.stage, changed: changed.length, ms, summary: own[name] ?? summaries.get(name) ?? "", counts, decls: place };
  });
  return { steps: [...before, ...steps], decls };
}

function declsText(module: Module): string {
  const copy = module.clone();
  copy.datas = module.datas.map((data) => ({ ...data, bytes: new Uint8Array(0) }));
  copy.customs = [];
  return printDecls(copy);
}

/** What a page holds of one function. Passes on bytes are the first steps, and have no revision. */
export function recordOf({ history, settings }: Recorded, index: number, disassembler: Disassembler): FuncRecord {
  const ssa: FuncRecord["ssa"][number][] = [];
  const machine: FuncRecord["machine"][number][] = [];
  history.current.records.forEach(({ revision }, i) => {
    const step = settings.schedule.wasm.length + i;
    const { stage, funcs } = history.at(revision);
    const before = history.at(revision - 1).funcs as Readonly<Record<number, (typeof funcs)[number] | undefined>>;
    if (!funcs[index as FuncIndex] || funcs[index] === before[index]) return;
    if (stage === "ssa") ssa.push({ step, fn: funcs[index].ssa! });
    else if (stage === "machine" && settings.schedule.machine.length > 0) machine.push({ step, mfn: funcs[index].machine! });
  });
  const code = history.current.funcs[index]?.code;
  const rows = code ? disassembler.disassemble(code.bytes).map(({ text, bytes }) => ({ text, length: bytes.length })) : [];
  return { ssa, machine, rows };
}
