// Where a module comes from: bytes, or text of ours (`.ssa`, `.mir`); for the driver they are declarations and functions made on demand.
//
// WebAssembly's own text is bytes first (frontend/wat.ts). Text of ours is verified as a whole when it is read: what a pass, a
// backend or the processor meets is as sound as what the front end makes. Functions are made anew each time, because passes edit them.
import type { Target } from "../backends/target.js";
import type { FuncIndex } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import type { MFunc } from "../ir/machine/mfunc.js";
import { parseMachineModule } from "../ir/machine/parse.js";
import { verifyMFunc } from "../ir/machine/verify.js";
import type { Module } from "../ir/module.js";
import { parseModule } from "../ir/parse.js";
import { printVerifierError, verifyFunc, verifyModule } from "../ir/verify.js";
import { decodeModule } from "./frontend/decode.js";
import { isIrText, isMachineText } from "./frontend/text.js";
import { translateFunction, type LoopEntry } from "./frontend/translate.js";
import { isWasm, watToBytes } from "./frontend/wat.js";
import { Snapshot } from "./snapshot.js";

export interface Source {
  /** The declarations, not to be edited. */
  readonly module: Module;
  /** Of the file as it was given, of text its characters. */
  readonly byteLength: number;
  /** Functions with a body at hand, ascending. A text may lack some: it then serves to look at the others. */
  readonly funcs: readonly FuncIndex[];
  /** A function in SSA, made anew. `from`: of a body in bytes, the rest of it from a loop on. */
  ssa(index: FuncIndex, from?: LoopEntry): Func;
  /** Instead of SSA: a machine function, made anew, on virtual registers or already on real ones. */
  readonly machine?: (index: FuncIndex) => MFunc;
  /** Whether the bodies are there as WebAssembly's bytes. */
  readonly hasBytes: boolean;
}

/** What `compile` was given, read far enough to know what it is: bytes of a binary module, perhaps decoded already, or IR of ours as text. */
export type Input = { readonly bytes: Uint8Array; readonly module?: Module } | { readonly text: string };

/** @throws WasmError for text that is neither WebAssembly's nor ours. */
export async function readInput(input: Uint8Array | string): Promise<Input> {
  if (typeof input !== "string" && isWasm(input)) return { bytes: input };
  const text = typeof input === "string" ? input : new TextDecoder().decode(input);
  return isIrText(text) ? { text } : { bytes: await watToBytes(text) };
}

/** @throws WasmError for bytes that are no module; ParseError, with line and column; Error that lists what does not verify. */
export function sourceOf(input: Input, target: Target): Source {
  if ("bytes" in input) return sourceOfBytes(input.bytes, input.module);
  return isMachineText(input.text) ? sourceOfMachineText(input.text, target) : sourceOfText(input.text);
}

function sourceOfBytes(bytes: Uint8Array, module = decodeModule(bytes)): Source {
  return { module, hasBytes: true, byteLength: bytes.length, funcs: ownFuncs(module), ssa: (index, from) => translateFunction(module, index, from) };
}

function sourceOfText(text: string): Source {
  const { module, funcs } = parseModule(text);
  mustHold([...verifyModule(module).map(printVerifierError), ...funcs.flatMap((fn) => verifyFunc(fn, module).map(printVerifierError))]);
  const bodies = byIndex(funcs);
  return { module, hasBytes: false, byteLength: text.length, funcs: [...bodies.keys()], ssa: (index) => bodies.get(index)!.thaw() };
}

function sourceOfMachineText(text: string, target: Target): Source {
  const { module, funcs } = parseMachineModule(text, target);
  const undeclared = funcs.filter(({ index }) => module.funcs[index] === undefined || module.funcs[index]!.imported);
  mustHold([
    ...verifyModule(module).map(printVerifierError),
    ...undeclared.map(({ index }) => `@${index} [signature]: no declaration of a function of the module's own; declarations stand before the functions: func @${index}: t0`),
    ...funcs.flatMap((mfn) => verifyMFunc(mfn, target).map(String)),
  ]);
  const bodies = byIndex(funcs);
  return {
    module,
    hasBytes: false,
    byteLength: text.length,
    funcs: [...bodies.keys()],
    ssa: (index) => {
      throw new Error(`@${index} is machine IR: there is no SSA of it`);
    },
    machine: (index) => bodies.get(index)!.thaw(),
  };
}

function byIndex<T extends Func | MFunc>(funcs: readonly T[]): Map<FuncIndex, Snapshot<T>> {
  const bodies = new Map<FuncIndex, Snapshot<T>>();
  for (const fn of [...funcs].sort((a, b) => a.index - b.index)) {
    if (bodies.has(fn.index)) throw new Error(`@${fn.index} has two bodies`);
    bodies.set(fn.index, new Snapshot(fn));
  }
  return bodies;
}

/** Every function that is not imported. */
export function ownFuncs(module: Module): FuncIndex[] {
  return module.funcs.flatMap((func, i) => (func.imported ? [] : [i as FuncIndex]));
}

const SHOWN = 20;

function mustHold(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const more = problems.length > SHOWN ? `\n  ... and ${problems.length - SHOWN} more` : "";
  throw new Error(`the text does not verify:\n  ${problems.slice(0, SHOWN).join("\n  ")}${more}`);
}
