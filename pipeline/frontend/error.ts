// The one error of the front end: what is wrong with a module, and where.
import type { Op } from "../../ir/ops.js";
import { opInfo, opOfOpcode, opOfPrefixedOpcode } from "../../ir/ops.js";

/**
 * `malformed`: the bytes do not follow the binary format. `invalid`: they do, but break a validation rule or a limit of
 * the implementation. `unsupported`: well-known, but not part of what this compiler does; the sentence names the feature.
 */
export type WasmErrorKind = "malformed" | "invalid" | "unsupported";

export class WasmError extends Error {
  /** @param offset byte offset in the module of what the sentence is about. */
  constructor(
    readonly kind: WasmErrorKind,
    readonly offset: number,
    readonly sentence: string,
  ) {
    super(`${sentence} (at byte ${hex(offset)})`);
    this.name = "WasmError";
  }
}

export function hex(n: number): string {
  return "0x" + n.toString(16);
}

/** `0x6a`; with `prefix`, `0xfc 0x0b`. */
export function printOpcode(opcode: number, prefix = -1): string {
  const two = (n: number) => "0x" + n.toString(16).padStart(2, "0");
  return prefix < 0 ? two(opcode) : `${two(prefix)} ${two(opcode)}`;
}

const structured: Readonly<Record<number, string>> = {
  0x01: "nop", 0x02: "block", 0x03: "loop", 0x04: "if", 0x05: "else", 0x0b: "end",
  0x1a: "drop", 0x1b: "select", 0x1c: "select", 0x20: "local.get", 0x21: "local.set", 0x22: "local.tee",
};

/** The text format's name of a one-byte opcode of Wasm 2.0, or its number. */
export function opcodeName(opcode: number): string {
  const op = opOfOpcode(opcode);
  return op !== -1 ? opInfo[op as Op]!.name : (structured[opcode] ?? `opcode ${printOpcode(opcode)}`);
}

/** The same for an opcode behind 0xfc. */
export function prefixedName(opcode: number): string {
  const op = opOfPrefixedOpcode(opcode);
  return op !== -1 ? opInfo[op as Op]!.name : `opcode ${printOpcode(opcode, 0xfc)}`;
}

/** What a byte that Wasm 2.0 has no instruction for means in a later version or proposal, or undefined. */
export function laterFeature(opcode: number): string | undefined {
  if (opcode === 0x12 || opcode === 0x13) return "tail calls";
  if (opcode === 0x14 || opcode === 0x15 || (opcode >= 0xd3 && opcode <= 0xd6)) return "typed function references";
  if ((opcode >= 0x06 && opcode <= 0x0a) || opcode === 0x18 || opcode === 0x19 || opcode === 0x1f) return "exception handling";
  if (opcode === 0xfb) return "garbage collection";
  if (opcode === 0xfe) return "threads";
  return undefined;
}
