// The explorer live: a page that asks this process for what it shows, and is told when a file has changed.
//
// Listens on the loopback address only, and answers only requests that name it, so that no site in the same browser can read a module
// through a name that leads here. `/` is the page, `/data/NAME` what source.ts asks for, `/events` a stream of server-sent events.
import { watch, type FSWatcher } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import path from "node:path";
import { metaBytes, pageShell, type PageParts } from "./page-file.js";
import type { Collected } from "./collect.js";

export interface Served {
  readonly collected: Collected;
  /** Deflated record of a function that is in no chunk. @throws Error where there is none. */
  func(index: number): Promise<Uint8Array>;
  /** Files to watch. */
  readonly files: readonly string[];
}

export interface Explorer {
  readonly url: string;
  /** Ends all connections. */
  close(): Promise<void>;
}

/** How long files must be quiet before they are read again, ms: editors write in steps. */
const QUIET_MS = 80;

/**
 * @param make compiles anew. Its first failure is thrown; later ones are shown in the page, and the last good state stays.
 * @param report told after each attempt: milliseconds, or the error.
 */
export async function serve(make: () => Promise<Served>, parts: PageParts, port: number, report: (outcome: number | Error) => void): Promise<Explorer> {
  let served = await make();
  const readers = new Set<ServerResponse>();
  const tell = (event: string, data: string) => {
    for (const reader of readers) reader.write(`event: ${event}\ndata: ${data.replaceAll("\n", "\ndata: ")}\n\n`);
  };

  const data = async (name: string): Promise<Uint8Array | undefined> => {
    const { collected } = served;
    if (name === "meta") return metaBytes(collected);
    if (name === "module") return collected.module;
    if (name === "graph-layout") return parts.graphLayout;
    const [, kind, number] = /^(decls|chunk|func)-(\d+)$/.exec(name) ?? [];
    if (kind === "decls") return collected.decls[Number(number)];
    if (kind === "chunk") return collected.chunks[Number(number)];
    return kind === "func" ? served.func(Number(number)) : undefined;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const host = request.headers.host?.replace(/:\d+$/, "");
    if (host !== "127.0.0.1" && host !== "localhost") return end(response, 403, "text/plain", "this server answers to 127.0.0.1 only");
    if (request.method !== "GET") return end(response, 405, "text/plain", "GET only");
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (pathname === "/") return end(response, 200, "text/html; charset=utf-8", pageShell(served.collected.meta.file, parts));
    if (pathname === "/events") {
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      response.write(": listening\n\n");
      readers.add(response);
      response.on("close", () => readers.delete(response));
      return;
    }
    const found = pathname.startsWith("/data/") ? await data(pathname.slice("/data/".length)) : undefined;
    if (found) end(response, 200, "application/octet-stream", found);
    else end(response, 404, "text/plain", `there is no ${pathname}`);
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => end(response, 500, "text/plain", error instanceof Error ? error.message : String(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });

  let watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void again(), QUIET_MS);
  };
  /** Folders are watched, not files: an editor may put a new file in the place of the old one. */
  const watchFiles = () => {
    for (const watcher of watchers) watcher.close();
    const names = new Set(served.files.map((file) => path.resolve(file)));
    watchers = [...new Set([...names].map((file) => path.dirname(file)))].map((folder) =>
      watch(folder, (_, name) => {
        if (name === null || names.has(path.join(folder, name))) changed();
      }),
    );
  };
  const again = async () => {
    if (running) return changed();
    running = true;
    const started = performance.now();
    try {
      served = await make();
      watchFiles();
      tell("changed", "");
      report(performance.now() - started);
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error));
      tell("failed", reason.message);
      report(reason);
    }
    running = false;
  };
  watchFiles();

  const address = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close: () =>
      new Promise((resolve) => {
        clearTimeout(timer);
        for (const watcher of watchers) watcher.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function end(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, { "content-type": type, "cache-control": "no-store", "x-content-type-options": "nosniff" });
  response.end(body);
}
