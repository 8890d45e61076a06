// The text of `stack`: Wasm frames between the JavaScript frames, where they ran, in the form that V8 gives its own.
//
// JS stack of V8, and activations (backtrace.ts) => one stack. Each activation has one JS frame that drives it: `settle` for native
// code, `runInterpreted` for the interpreter. That frame, and those of this library around it, become the activation's frames.
import { createHash } from "node:crypto";
import type { Module } from "../ir/module.js";
import { suspendedActivations, type Activation, type TrapFrame } from "./backtrace.js";
import { locationsOf } from "./source-location.js";
import type { Thread } from "./thread.js";

/** The script name of the code that shims.ts makes. */
export const SHIM_SCRIPT = "lathe:shim";

/** The JS function that drives an activation. */
const drivers: Readonly<Record<string, Activation["engine"]>> = { "ExecContext.settle": "native", runInterpreted: "interpreter" };
/** Of this library, between an exported function and the driver. */
const outer: ReadonlySet<string> = new Set(["run", "invoke", "invokeInterpreted", "callFromInterp", "call", "serveInterpreted", "servedByInterpreter", "callFunc", "callRaw"]);
/** Of this library, between the driver and a host function or what has made a trap. */
const inner: ReadonlySet<string> = new Set(["pushThenRun", "callHost", "servedByHost", "callFromInterp", "runBuiltin", "reportTrap", "trapOfInterp"]);
/** The interpreter's loop and its call: names that other functions have, too, so they count only where they must stand. */
const LOOP = "run";
const LOOP_CALL = "call";

/** JS frames that this library puts into a stack, for one activation at most. */
export const LIBRARY_FRAMES = 8;

const modules = new WeakMap<Module, string>();

/** What V8 calls a module: eight hexadecimal digits of a hash of its bytes, behind its name if it has one. */
function urlOf(module: Module): string {
  let url = modules.get(module);
  if (url === undefined) {
    const hash = createHash("sha256").update(module.bytes).digest("hex").slice(0, 8);
    url = `wasm://wasm/${module.names.module ? `${module.names.module}-` : ""}${hash}`;
    modules.set(module, url);
  }
  return url;
}

/** Lines of frames: `    at name (file:line:column, wasm://wasm/hash:wasm-function[index]:0xoffset)`; without file where none is known. */
export function frameLines(frames: readonly TrapFrame[]): string[] {
  const lines = new Array<string>(frames.length);
  for (const module of new Set(frames.map((frame) => frame.module))) {
    const own = frames.flatMap((frame, i) => (frame.module === module ? [i] : []));
    const locations = locationsOf(module, own.map((i) => frames[i]!.offset));
    own.forEach((i, k) => {
      const { func, name, offset } = frames[i]!;
      const location = locations[k];
      const source = location ? `${location.file}:${location.line}${location.column > 0 ? `:${location.column}` : ""}, ` : "";
      const place = `${source}${urlOf(module)}:wasm-function[${func}]:0x${offset.toString(16)}`;
      const full = [module.names.module, name === `@${func}` ? undefined : name].filter((part) => part !== undefined).join(".");
      lines[i] = full === "" ? `    at ${place}` : `    at ${full} (${place})`;
    });
  }
  return lines;
}

const FRAME = /^ {4}at (?:async )?(?:new )?(?:(.+?) (?:\[as .+?\] )?\()?(.+?)\)?$/;

interface Frame {
  /** With the class of a method. */
  readonly full: string;
  readonly name: string;
  readonly shim: boolean;
}

/** A JS frame; undefined for other lines, and for Wasm frames. */
function frameOf(line: string | undefined): Frame | undefined {
  const match = line === undefined || line.includes("wasm://wasm/") ? null : FRAME.exec(line);
  if (!match) return undefined;
  const full = match[1] ?? "";
  return { full, name: full.slice(full.lastIndexOf(".") + 1), shim: match[2]!.startsWith(SHIM_SCRIPT) };
}

/**
 * Puts activations into a JS stack.
 * @param lines of a stack, without the header. @param activations innermost first.
 * @returns the lines; activations for which no driver is left, because the stack was cut before it, are left out.
 */
export function weave(lines: readonly string[], activations: readonly Activation[]): string[] {
  const out: string[] = [];
  const left = { native: activations.filter((a) => a.engine === "native"), interpreter: activations.filter((a) => a.engine === "interpreter") };
  let i = 0;
  while (i < lines.length) {
    const frame = frameOf(lines[i]!);
    const engine = frame && drivers[frame.full];
    if (!engine) {
      out.push(lines[i++]!);
      continue;
    }
    if (engine === "interpreter" && frameOf(out.at(-1))?.name === LOOP) {
      out.pop();
      if (frameOf(out.at(-1))?.name === LOOP_CALL) out.pop();
    }
    for (let last = frameOf(out.at(-1)); last && (last.shim || inner.has(last.name)); last = frameOf(out.at(-1))) out.pop();
    out.push(...frameLines(left[engine].shift()?.frames ?? []));
    i = afterEntry(lines, i + 1);
  }
  return out;
}

/** The line behind the exported function by which an activation was entered. */
function afterEntry(lines: readonly string[], i: number): number {
  while (outer.has(frameOf(lines[i])?.name ?? "")) i++;
  // The exported function: made for its signature, or in func.ts; then what keeps V8's objects in step (mirror.ts).
  const exported = frameOf(lines[i]);
  if (exported?.shim || exported?.name === "exportedCall") i++;
  if (frameOf(lines[i])?.name === "pullThenRun") i++;
  return i;
}

const woven = new WeakSet<Error>();

/** Writes the Wasm frames that are suspended now into the stack of an error that comes out of a host function; once an error. */
export function weaveIntoError(error: Error, thread: Thread): void {
  if (woven.has(error)) return;
  woven.add(error);
  try {
    const { stack } = error;
    if (typeof stack !== "string") return;
    const lines = stack.split("\n");
    const first = lines.findIndex((line) => FRAME.test(line));
    if (first < 0) return;
    error.stack = [...lines.slice(0, first), ...weave(lines.slice(first), suspendedActivations(thread))].join("\n");
  } catch {
    // A frozen error, a getter that throws, no JS stack left: its own stack has to do.
  }
}
