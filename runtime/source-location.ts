// Where Wasm code comes from: module and byte offset => file, line, column, by what the module brings or was given.
//
// In this order: the source map that was given with the module, DWARF line tables in its custom sections, the source map that
// its section `sourceMappingURL` names. Nothing is read before somebody asks, and no failure to read is an error.
import { readFileSync } from "node:fs";
import { SourceMap } from "node:module";
import { fileURLToPath } from "node:url";
import type { Module } from "../ir/module.js";
import { locate, type SourceLocation } from "./dwarf-lines.js";

const CODE_SECTION = 10;

class Locator {
  private readonly known = new Map<number, SourceLocation | undefined>();
  private readonly map: SourceMap | undefined;
  private readonly codeStart: number;

  constructor(private readonly module: Module) {
    const given = module.sourceMap === undefined ? undefined : sourceMapOf(module.sourceMap);
    this.map = given ?? (this.section(".debug_line") ? undefined : sourceMapOf(sourceMappingUrl(module)));
    this.codeStart = codeStart(module.bytes);
  }

  locate(offsets: readonly number[]): (SourceLocation | undefined)[] {
    const missing = [...new Set(offsets)].filter((offset) => !this.known.has(offset)).sort((a, b) => a - b);
    if (missing.length > 0) {
      const found = this.find(missing);
      missing.forEach((offset, i) => this.known.set(offset, found[i]));
    }
    return offsets.map((offset) => this.known.get(offset));
  }

  private find(offsets: readonly number[]): (SourceLocation | undefined)[] {
    if (this.map) return offsets.map((offset) => mapped(this.map!, offset));
    const line = this.section(".debug_line");
    if (!line) return [];
    // DWARF counts from the contents of the code section.
    return locate({ line, lineStr: this.section(".debug_line_str"), str: this.section(".debug_str") }, offsets.map((offset) => offset - this.codeStart));
  }

  private section(name: string): Uint8Array | undefined {
    return this.module.customs.find((custom) => custom.name === name)?.bytes;
  }
}

/** What a module's section `sourceMappingURL` holds. */
export function sourceMappingUrl(module: Module): string | undefined {
  const bytes = module.customs.find((custom) => custom.name === "sourceMappingURL")?.bytes;
  if (!bytes) return undefined;
  // A string of the binary format: its length as LEB128, then UTF-8.
  let start = 0;
  while (start < bytes.length && bytes[start]! >= 0x80) start++;
  return new TextDecoder().decode(bytes.subarray(start + 1));
}

const locators = new WeakMap<Module, Locator>();

/** Locations of byte offsets in a module; undefined for what nothing is known of. */
export function locationsOf(module: Module, offsets: readonly number[]): (SourceLocation | undefined)[] {
  let locator = locators.get(module);
  if (!locator) locators.set(module, (locator = new Locator(module)));
  return locator.locate(offsets);
}

/** @param source a source map: the object, its JSON text, a path, a `file:` or a `data:` URL. */
function sourceMapOf(source: unknown): SourceMap | undefined {
  try {
    const payload = typeof source === "string" ? JSON.parse(sourceMapText(source)) : source;
    return payload === undefined || payload === null ? undefined : new SourceMap(payload as ConstructorParameters<typeof SourceMap>[0]);
  } catch {
    return undefined;
  }
}

function sourceMapText(source: string): string {
  if (source.trimStart().startsWith("{")) return source;
  const data = /^data:[^,]*?(;base64)?,(.*)$/s.exec(source);
  if (data) return data[1] ? Buffer.from(data[2]!, "base64").toString("utf8") : decodeURIComponent(data[2]!);
  return readFileSync(source.startsWith("file:") ? fileURLToPath(source) : source, "utf8");
}

/** The columns of a source map for Wasm are byte offsets in line 1. */
function mapped(map: SourceMap, offset: number): SourceLocation | undefined {
  const entry = map.findEntry(0, offset);
  return "originalSource" in entry && entry.originalSource ? { file: entry.originalSource, line: entry.originalLine + 1, column: entry.originalColumn + 1 } : undefined;
}

/** Offset of the contents of the code section; 0 if there is none. */
function codeStart(bytes: Uint8Array): number {
  let at = 8;
  while (at < bytes.length) {
    const id = bytes[at++]!;
    let size = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      size += (byte & 0x7f) * scale;
      if (!(byte >= 0x80)) break;
    }
    if (id === CODE_SECTION) return at;
    at += size;
  }
  return 0;
}
