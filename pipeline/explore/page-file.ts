// The page as HTML: one file that holds everything, or the shell of one that asks the server it came from.
//
// Everything large stands in script elements of a type no browser runs, deflated, in base64: a browser skips them while it parses, and
// the page unpacks what it shows. Relies on dist/explorer, which the build makes.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { deflateRawSync } from "node:zlib";
import type { Collected } from "./collect.js";

/** What the build made of page/: script, style, graph layout. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
  /** Deflated. */
  readonly graphLayout: Uint8Array;
}

/** @param directory dist/explorer. @throws Error when the build did not make it. */
export function readParts(directory: URL): PageParts {
  const read = (name: string) => {
    try {
      return readFileSync(fileURLToPath(new URL(name, directory)));
    } catch {
      throw new Error(`the explorer's page is not built (${name} is missing): run node build.mjs`);
    }
  };
  return { script: read("page.js").toString(), style: read("page.css").toString(), graphLayout: read("graph-layout.js.deflate") };
}

const escapeHtml = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

function shell(title: string, parts: PageParts, source: "embedded" | "served", data: string): string {
  // Inside a script only its own end tag ends it.
  const script = parts.script.replaceAll("</script", "<\\/script");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; img-src data:; connect-src ${source === "served" ? "'self'" : "'none'"}">
<title>${escapeHtml(title)} · lathe</title>
<link rel="icon" href="data:,">
<style>${parts.style}</style>
</head>
<body>
<div id="app" data-source="${source}"></div>
${data}<script>${script}</script>
</body>
</html>
`;
}

/** The one file. */
export function pageFile(collected: Collected, parts: PageParts): string {
  const element = (name: string, bytes: Uint8Array) => `<script type="application/octet-stream" id="data-${name}">${Buffer.from(bytes).toString("base64")}</script>\n`;
  const all: string[] = [element("meta", metaBytes(collected)), element("module", collected.module)];
  collected.decls.forEach((bytes, i) => all.push(element(`decls-${i}`, bytes)));
  collected.chunks.forEach((bytes, i) => all.push(element(`chunk-${i}`, bytes)));
  all.push(element("graph-layout", parts.graphLayout));
  return shell(collected.meta.file, parts, "embedded", all.join(""));
}

/** The page of a server: see serve.ts. */
export function pageShell(title: string, parts: PageParts): string {
  return shell(title, parts, "served", "");
}

/** Deflated. */
export function metaBytes({ meta }: Collected): Uint8Array {
  return deflateRawSync(JSON.stringify(meta), { level: 9 });
}
