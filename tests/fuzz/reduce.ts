// Makes a failing module smaller: function bodies become `unreachable`, in halves, then one by one, while it fails as before.
//
// What decides is given as a function, so that each candidate can run in a process of its own.
import { decodeModule } from "../../pipeline/frontend/decode.js";
import { leb } from "../wasm-bytes.js";

/** No locals; unreachable; end. */
const stub = [0, 0x00, 0x0b];

/** The module with the bodies of `stubbed` (numbers among the defined functions) replaced. */
export function withStubs(bytes: Uint8Array, stubbed: ReadonlySet<number>): Uint8Array {
  const module = decodeModule(bytes);
  const bodies = module.funcs.filter((func) => !func.imported);
  const code: number[] = [...leb(bodies.length)];
  bodies.forEach(({ bodyStart, bodyEnd }, i) => {
    const body = stubbed.has(i) ? stub : [...bytes.subarray(bodyStart, bodyEnd)];
    code.push(...leb(body.length));
    for (const byte of body) code.push(byte);
  });
  // Everything but the code section stays; custom sections go, names may lie about nothing then.
  const out: number[] = [...bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length; ) {
    const start = at;
    const id = bytes[at++]!;
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    at += size;
    if (id === 10) {
      out.push(10, ...leb(code.length));
      for (const byte of code) out.push(byte);
    } else if (id !== 0) {
      for (let i = start; i < at; i++) out.push(bytes[i]!);
    }
  }
  return Uint8Array.from(out);
}

/** @param fails whether a candidate still fails in the way that is looked for. */
export async function reduce(bytes: Uint8Array, fails: (candidate: Uint8Array) => Promise<boolean>, say: (text: string) => void): Promise<Uint8Array> {
  const module = decodeModule(bytes);
  const count = module.funcs.length - module.importedFuncCount;
  const stubbed = new Set<number>();
  for (let size = Math.max(1, count >> 1); ; size >>= 1) {
    for (let first = 0; first < count; first += size) {
      const more = Array.from({ length: Math.min(size, count - first) }, (_, i) => first + i).filter((i) => !stubbed.has(i));
      if (more.length === 0) continue;
      if (await fails(withStubs(bytes, new Set([...stubbed, ...more])))) {
        for (const i of more) stubbed.add(i);
        say(`${count - stubbed.size} of ${count} bodies left`);
      }
    }
    if (size === 1) break;
  }
  return withStubs(bytes, stubbed);
}
