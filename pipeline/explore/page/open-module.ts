// A module in the page: its declarations behind every step, and its functions, opened one by one.
import type { FuncIndex } from "../../../ir/entity.js";
import { VmLayout } from "../../../ir/layout.js";
import type { Module } from "../../../ir/module.js";
import { parseModule } from "../../../ir/parse.js";
import type { Target } from "../../../backends/target.js";
import { decodeModule } from "../../frontend/decode.js";
import { targetNamed } from "../../targets.js";
import { ByteReader } from "../bytes.js";
import { readRecord, type FuncMeta, type PageMeta } from "../format.js";
import { OpenFunc } from "./open-func.js";
import type { Source } from "./source.js";

/** Graphviz. */
export interface GraphLayout {
  renderSVGElement(dot: string): SVGSVGElement;
}

export class OpenModule {
  readonly funcs: ReadonlyMap<number, FuncMeta>;
  readonly target: Target;
  private readonly chunks = new Map<number, Promise<Uint8Array>>();
  private decls: Promise<readonly Module[]> | undefined = undefined;

  private layout: Promise<GraphLayout> | undefined = undefined;

  constructor(
    readonly meta: PageMeta,
    readonly source: Source,
  ) {
    this.funcs = new Map(meta.funcs.map((func) => [func.index, func]));
    this.target = targetNamed(meta.target);
  }

  /** The name to show for a function. */
  label(index: number): string {
    const func = this.funcs.get(index);
    return func?.name ?? func?.exports[0] ?? this.meta.imports.find((item) => item.index === index)?.name ?? `@${index}`;
  }

  /** @throws Error for a function that is not in the page. */
  async open(index: number): Promise<OpenFunc> {
    const func = this.funcs.get(index)!;
    const [decls, bytes] = await Promise.all([this.declsByStep(), this.record(func)]);
    const record = readRecord(new ByteReader(bytes, func.chunk < 0 ? 0 : func.at), index as FuncIndex, (step) => decls[step + 1]!);
    const last = decls.at(-1)!;
    return new OpenFunc(this.meta, func, record, { decoded: decls[0]!, final: last, layout: new VmLayout(last) }, this.target);
  }

  private async record(func: FuncMeta): Promise<Uint8Array> {
    if (func.chunk < 0) {
      if (this.source.live) return this.source.func(func.index);
      throw new Error(`@${func.index} is not in this page. \`lathe explore ${this.meta.file} --func ${func.index}\` makes one with it; --serve shows every function.`);
    }
    let chunk = this.chunks.get(func.chunk);
    if (!chunk) this.chunks.set(func.chunk, (chunk = this.source.chunk(func.chunk)));
    return chunk;
  }

  /** Loads what draws graphs; once. */
  graphLayout(): Promise<GraphLayout> {
    return (this.layout ??= (async () => {
      const script = document.createElement("script");
      script.textContent = new TextDecoder().decode(await this.source.graphLayout());
      document.head.append(script);
      return (globalThis as unknown as { Viz: { instance(): Promise<GraphLayout> } }).Viz.instance();
    })());
  }

  /** Declarations as decoded, then behind each step. */
  private declsByStep(): Promise<readonly Module[]> {
    return (this.decls ??= (async () => {
      const text = (bytes: Uint8Array) => parseModule(new TextDecoder().decode(bytes)).module;
      const first = await this.source.module();
      const all = [this.meta.source === "wasm" ? decodeModule(first) : text(first)];
      for (const step of this.meta.steps) {
        if (step.decls < 0) all.push(all.at(-1)!);
        else all.push(text(await this.source.decls(step.decls)));
      }
      return all;
    })());
  }
}
