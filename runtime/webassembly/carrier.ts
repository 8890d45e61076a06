// Carriers: modules of the host's own class, empty but for a custom section that holds the bytes of one of ours.
//
// A Module must survive structuredClone and postMessage. Only objects of the host's class do, so every Module of ours is one,
// with our prototype; what arrives elsewhere is compiled anew from the bytes it carries.
import { host } from "./host.js";

/** Of the section; no module of anybody else's has it. */
const SECTION = "wasmlathe.module";

/** Undefined where the host has no such class. */
export function carrierOf(bytes: Uint8Array): object | undefined {
  if (!host) return undefined;
  const name = new TextEncoder().encode(SECTION);
  const head = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0, ...leb(1 + name.length + bytes.length), name.length, ...name];
  const module = new Uint8Array(head.length + bytes.length);
  module.set(head);
  module.set(bytes, head.length);
  return new host.Module(module);
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

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}
