// Carriers: modules of the host's own class, empty but for a custom section that holds the bytes of one of ours.
//
// A Module must survive structuredClone and postMessage. Only objects of the host's class do, so every Module of ours is one,
// with our prototype; what arrives elsewhere is compiled anew from the bytes it carries.
import { host } from "./host.js";

/** Of the section; no module of anybody else's has it. */
const SECTION = "wasmlathe.module";

const NAME = new TextEncoder().encode(SECTION);
/** Header of a module, id and size (5 bytes) of the section, length of its name, and the name. */
const HEAD_BYTES = 8 + 1 + 5 + 1 + NAME.length;

/** A copy with room in front for what makes a carrier of it, so that a large module is copied no more than once. */
export function copyForCarrier(bytes: Uint8Array): Uint8Array {
  const carrier = new Uint8Array(HEAD_BYTES + bytes.length);
  carrier.set(bytes, HEAD_BYTES);
  return carrier.subarray(HEAD_BYTES);
}

/** @param bytes made by `copyForCarrier`, or copied here. @returns undefined where the host has no such class. */
export function carrierOf(bytes: Uint8Array): object | undefined {
  if (!host) return undefined;
  const own = bytes.byteOffset === HEAD_BYTES && bytes.buffer.byteLength === HEAD_BYTES + bytes.length ? bytes : copyForCarrier(bytes);
  const carrier = new Uint8Array(own.buffer);
  carrier.set([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0]);
  let size = 1 + NAME.length + bytes.length;
  for (let i = 9; i < 14; i++, size = Math.floor(size / 128)) carrier[i] = (size & 0x7f) | (i < 13 ? 0x80 : 0);
  carrier[14] = NAME.length;
  carrier.set(NAME, 15);
  return new host.Module(carrier);
}

/** The bytes in a carrier; undefined for any other value. */
export function carriedBytes(value: unknown): Uint8Array | undefined {
  if (!host || typeof value !== "object" || value === null) return undefined;
  try {
    const [bytes] = host.Module.customSections(value, SECTION);
    return bytes && new Uint8Array(bytes);
  } catch {
    return undefined;
  }
}
