// WebAssembly text => bytes, through binaryen, which is loaded only when there is text.
import { emitNamed, limitFeatures } from "../../passes/binaryen.js";
import { WasmError } from "./error.js";

/** Whether bytes begin with the magic number of the binary format. */
export function isWasm(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x00 && bytes[1] === 0x61 && bytes[2] === 0x73 && bytes[3] === 0x6d;
}

/** Bytes of a module: binary as it is, text (as a string or as its UTF-8 bytes) converted. Throws a WasmError for text that is none. */
export async function toBytes(input: Uint8Array | string): Promise<Uint8Array> {
  if (typeof input !== "string") {
    if (isWasm(input)) return input;
    return watToBytes(new TextDecoder().decode(input));
  }
  return watToBytes(input);
}

/**
 * Converts a module in the text format; names in the text go into the name section.
 * @throws WasmError of kind "malformed"; its offset is 0, its sentence has the parser's line and column.
 */
export async function watToBytes(text: string): Promise<Uint8Array> {
  if (!/^(\s|;;[^\n]*(\n|$)|\(;)*\(/.test(text)) {
    const expected = "expected a binary module, which begins with 00 61 73 6d, or one in the text format, which begins with a parenthesis";
    throw new WasmError("malformed", 0, `${expected}, found neither`);
  }
  const { default: binaryen } = await import("binaryen");
  let module;
  try {
    module = binaryen.parseText(text);
  } catch (error) {
    // Not an Error, but an object of binaryen's own.
    const said = String((error as { message?: unknown }).message ?? error).trim();
    const at = /^(\d+):(\d+): error: (.*)$/s.exec(said);
    throw new WasmError("malformed", 0, at ? `text format, line ${at[1]}, column ${at[2]}: ${at[3]}` : `text format: ${said}`);
  }
  try {
    // Text that needs more is still written.
    limitFeatures(binaryen, module);
    return emitNamed(binaryen, module);
  } finally {
    module.dispose();
  }
}
