// Bytes => Module: decodes and validates a whole binary module of Wasm 2.0 in a single pass, bodies included.
//
// Sections are read in their order by sections.ts, bodies by validate-body.ts. Nothing after this needs to check anything again.
// Reference: WebAssembly Core 2.0, chapters 3 (validation) and 5 (binary format).
import { Module } from "../../ir/module.js";
import { WasmError, hex, printOpcode } from "./error.js";
import { Limit } from "./limits.js";
import { readNames } from "./names.js";
import { Reader } from "./reader.js";
import {
  DecodeState, readCode, readData, readDataCount, readElems, readExports, readFuncs, readGlobals, readImports, readMemories, readStart,
  readTables, readTypes,
} from "./sections.js";

interface Section {
  readonly id: number;
  readonly name: string;
  /** Position in the required order. */
  readonly rank: number;
  /** The code section is read in steps: it is where the time goes. */
  readonly read: (r: Reader, s: DecodeState) => void | Generator<void, void>;
}

const sections: readonly Section[] = [
  { id: 1, name: "type", rank: 1, read: readTypes },
  { id: 2, name: "import", rank: 2, read: readImports },
  { id: 3, name: "function", rank: 3, read: readFuncs },
  { id: 4, name: "table", rank: 4, read: readTables },
  { id: 5, name: "memory", rank: 5, read: readMemories },
  { id: 6, name: "global", rank: 6, read: readGlobals },
  { id: 7, name: "export", rank: 7, read: readExports },
  { id: 8, name: "start", rank: 8, read: readStart },
  { id: 9, name: "element", rank: 9, read: readElems },
  { id: 10, name: "code", rank: 11, read: readCode },
  { id: 11, name: "data", rank: 12, read: readData },
  { id: 12, name: "data count", rank: 10, read: readDataCount },
];
const byId: readonly (Section | undefined)[] = Array.from({ length: 13 }, (_, id) => sections.find((s) => s.id === id));

/**
 * Decodes and validates a module, function bodies included.
 * @returns the module; `module.features` names what it uses that the compiler may not support (`simd`).
 * @throws WasmError with the byte offset of the first thing that is wrong.
 */
export function decodeModule(bytes: Uint8Array): Module {
  const steps = decodeSteps(bytes);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** As `decodeModule`, but waits for a `turn` of the event loop every few milliseconds. Nobody may change the bytes meanwhile. */
export async function decodeModuleAsync(bytes: Uint8Array, turn: () => Promise<unknown>): Promise<Module> {
  const steps = decodeSteps(bytes);
  for (let until = performance.now() + SLICE_MS; ; ) {
    const step = steps.next();
    if (step.done) return step.value;
    if (performance.now() < until) continue;
    await turn();
    until = performance.now() + SLICE_MS;
  }
}

const SLICE_MS = 5;

/** Each step is a few milliseconds at most. */
function* decodeSteps(bytes: Uint8Array): Generator<void, Module> {
  const m = new Module(bytes);
  const r = new Reader(bytes, 0, bytes.length, "the module");
  readHeader(r);
  const s = new DecodeState(m);
  let last: Section | undefined;
  const names: Reader[] = [];
  while (r.pos < bytes.length) {
    const at = r.pos;
    const id = r.byte("a section id");
    const section = byId[id];
    if (id === 13) r.unsupported("exception handling", "a tag section", at);
    if (id !== 0 && !section) r.fail("malformed", `expected a section id from 0 to 12, found ${id}`, at);
    if (section && last && section.rank <= last.rank) {
      const found = section === last ? "a second one" : `one behind the ${last.name} section`;
      r.fail("malformed", `expected at most one ${section.name} section, in its place, found ${found}`, at);
    }
    const size = r.u32("the size of a section");
    if (size > bytes.length - r.pos) {
      r.fail("malformed", `unexpected end of the module: expected a section of ${size} bytes, found ${bytes.length - r.pos}`, at);
    }
    const end = r.pos + size;
    const inner = new Reader(bytes, r.pos, end, section ? `the ${section.name} section` : "a custom section");
    if (section) {
      const steps = section.read(inner, s);
      if (steps) yield* steps;
      if (inner.pos !== end) {
        r.fail("malformed", `expected the end of the ${section.name} section, found ${end - inner.pos} more bytes in it`, inner.pos);
      }
      if (inner.simd >= 0 && !m.features.has("simd")) m.features.set("simd", inner.simd);
      last = section;
    } else readCustom(inner, m, names);
    r.pos = end;
  }
  if (s.bodies !== s.definedFuncs) {
    r.fail("malformed", `expected ${s.definedFuncs} function bodies in a code section, found ${s.bodies}`);
  }
  if (s.dataCount >= 0 && m.datas.length !== s.dataCount) {
    r.fail("malformed", `expected ${s.dataCount} data segments as the data count section says, found ${m.datas.length}`);
  }
  for (const section of names) readNames(section, m);
  return m;
}

/** The error that `decodeModule` would throw, or undefined for a valid module. */
export function validate(bytes: Uint8Array): WasmError | undefined {
  try {
    decodeModule(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof WasmError) return error;
    throw error;
  }
}

function readHeader(r: Reader): void {
  if (r.end > Limit.module_bytes) r.fail("invalid", `expected a module of at most ${Limit.module_bytes} bytes, found ${r.end}`, 0);
  const magic = [0x00, 0x61, 0x73, 0x6d];
  for (const expected of magic) {
    const b = r.byte("the magic number 00 61 73 6d");
    if (b !== expected) r.fail("malformed", `expected the magic number 00 61 73 6d, found byte ${hex(b)}`, r.pos - 1);
  }
  const version = [1, 0, 0, 0];
  for (const expected of version) {
    const b = r.byte("the version 01 00 00 00");
    if (b !== expected) {
      const component = r.bytes[6] === 1 && r.bytes[7] === 0;
      if (component) r.unsupported("the component model", "the version of a component", 4);
      r.fail("malformed", `expected the version 01 00 00 00, found byte ${printOpcode(b)}`, r.pos - 1);
    }
  }
}

/** Custom sections never make a module invalid, but for their own name. Names may come before what they name: they are kept for the end. */
function readCustom(r: Reader, m: Module, names: Reader[]): void {
  const name = r.name("the name of a custom section");
  if (name === "name") names.push(r);
  else m.customs.push({ name, bytes: r.bytes.subarray(r.pos, r.end) });
}
