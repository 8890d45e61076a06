// What jobs share: a checksum, numbers that are the same every time, and the line that run.mjs reads.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";

export const require = createRequire(import.meta.url);

const started = performance.now();
let loadedAt = 0;

/** To be called when the package is ready. */
export function loaded() {
  loadedAt = performance.now();
}

/** To be called at the end, with all that came out. */
export function done(...results) {
  const end = performance.now();
  const hash = createHash("sha256");
  for (const one of results) hash.update(typeof one === "string" || ArrayBuffer.isView(one) ? one : JSON.stringify(one));
  console.log(JSON.stringify({ checksum: hash.digest("hex").slice(0, 16), load_ms: loadedAt - started, job_ms: end - loadedAt }));
}

/** Numbers below 2^32, the same every time. */
export function random(seed = 12345) {
  let s = seed;
  return () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return s >>> 0;
  };
}

/** `length` bytes that repeat themselves now and then. */
export function someBytes(length) {
  const next = random();
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = next() % 5 === 0 ? next() : i;
  return bytes;
}

/** A program text of a package, as input. */
export const sourceText = (require("node:fs")).readFileSync(require.resolve("source-map/lib/source-map-consumer.js"), "utf8");
