// The official suite's files as data: where they are, what they hold, how their values compare.
//
// Format: `../shared/spec/README.md`.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { Type, typeName, valueTypes } from "../../ir/types.js";
import { isReference, type Val } from "../engine.js";
import { projectRoot } from "../bundle.js";

export const suiteDirectory: string = path.join(projectRoot, "..", "shared", "spec");

export function suiteExists(): boolean {
  return existsSync(path.join(suiteDirectory, "index.json"));
}

export interface SuiteFile {
  readonly name: string;
  readonly level: "mvp" | "2.0" | "3.0";
  readonly features: readonly string[];
  readonly total: number;
}

/** Files of levels mvp and 2.0 that need no SIMD: what this compiler has to pass. */
export function suiteFiles(): SuiteFile[] {
  const index = JSON.parse(readFileSync(path.join(suiteDirectory, "index.json"), "utf8")) as { files: SuiteFile[] };
  return index.files.filter((file) => file.level !== "3.0" && !file.features.includes("simd"));
}

export interface SpecValue {
  type: string;
  value?: string;
}

export interface Action {
  type: "invoke" | "get";
  module?: string;
  field: string;
  args?: SpecValue[];
}

export interface Command {
  type: string;
  line: number;
  name?: string;
  as?: string;
  module?: string;
  instance?: string;
  module_type?: "binary" | "text";
  wasm?: string;
  action?: Action;
  expected?: SpecValue[];
  text?: string;
}

export function suiteCommands(name: string): Command[] {
  return (JSON.parse(readFileSync(path.join(suiteDirectory, `${name}.json`), "utf8")) as { commands: Command[] }).commands;
}

export function moduleBytes(command: Command): Uint8Array {
  // A copy of exact size: Buffers from the pool share their ArrayBuffer.
  return Uint8Array.from(Buffer.from(command.wasm!, "base64"));
}

function typeNamed(name: string): Type {
  const row = valueTypes.find((info) => info.name === name);
  if (!row) throw new Error(`the suite's type ${name} is not one of 2.0`);
  return row.type as Type;
}

/** The host's references `ref.extern n`: one object each, the same for the whole file. */
export class HostRefs {
  private readonly objects = new Map<string, object>();
  get(n: string): object {
    let object = this.objects.get(n);
    if (!object) this.objects.set(n, (object = { hostReference: n }));
    return object;
  }
}

export function argument(value: SpecValue, refs: HostRefs): Val {
  const type = typeNamed(value.type);
  if (!isReference(type)) return { type, bits: BigInt(value.value!) };
  return { type, bits: 0n, ref: value.value === "null" ? null : refs.get(value.value!) };
}

/** Whether a result is what the suite expects; a NaN class counts any member. */
export function matches(expected: SpecValue, actual: Val, refs: HostRefs): boolean {
  if (expected.type === "refnull") return isReference(actual.type) && actual.ref === null;
  if (expected.type !== typeName(actual.type)) return false;
  if (isReference(actual.type)) {
    if (expected.value === undefined) return actual.ref !== null && actual.ref !== undefined;
    return expected.value === "null" ? actual.ref === null : actual.ref === refs.get(expected.value);
  }
  if (expected.value === "nan:canonical" || expected.value === "nan:arithmetic") {
    const wide = actual.type === Type.f64;
    const quiet = wide ? 0x7ff8000000000000n : 0x7fc00000n;
    const mask = expected.value === "nan:arithmetic" ? quiet : wide ? 0x7fffffffffffffffn : 0x7fffffffn;
    return (actual.bits & mask) === quiet;
  }
  return actual.bits === BigInt(expected.value!);
}
