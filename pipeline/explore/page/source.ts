// Where a page gets its data: from script elements of its own file, or from the server that sent it.
import type { PageMeta } from "../format.js";

export interface Source {
  readonly live: boolean;
  meta(): Promise<PageMeta>;
  module(): Promise<Uint8Array>;
  decls(i: number): Promise<Uint8Array>;
  chunk(i: number): Promise<Uint8Array>;
  /** The record of a function that is in no chunk; a server compiles it. */
  func(index: number): Promise<Uint8Array>;
  /** Source text of the graph layout, a script. */
  graphLayout(): Promise<Uint8Array>;
}

async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

/** The elements that build the page: see page-file.ts. */
export const embedded: Source = named(false, async (name) => {
  const element = document.getElementById(`data-${name}`);
  if (!element) throw new Error(`this page holds no ${name}`);
  return fromBase64(element.textContent!);
});

export const served: Source = named(true, async (name) => {
  const response = await fetch(`data/${name}`);
  if (!response.ok) throw new Error(await response.text());
  return new Uint8Array(await response.arrayBuffer());
});

function named(live: boolean, load: (name: string) => Promise<Uint8Array<ArrayBuffer>>): Source {
  const get = async (name: string) => inflate(await load(name));
  return {
    live,
    meta: async () => JSON.parse(new TextDecoder().decode(await get("meta"))) as PageMeta,
    module: () => get("module"),
    decls: (i) => get(`decls-${i}`),
    chunk: (i) => get(`chunk-${i}`),
    func: (index) => get(`func-${index}`),
    graphLayout: () => get("graph-layout"),
  };
}
