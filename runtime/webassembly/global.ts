// `WebAssembly.Global`: a global of the runtime as the JS API shows it. One object for each, whoever asks; for one of the host's
// that a program imports, that object.
import { typeName } from "../../ir/types.js";
import { Global as RuntimeGlobal } from "../global.js";
import { hostGlobal } from "./host.js";
import { globalTypeOf } from "./host-types.js";
import { refuse, toDictionary, toEnum } from "./idl.js";
import { mirrorGlobal } from "./mirror.js";
import { internalSlot } from "./slot.js";

const valueTypeNames = ["i32", "i64", "f32", "f64", "v128", "anyfunc", "externref"] as const;

export interface GlobalDescriptor {
  value: (typeof valueTypeNames)[number];
  mutable?: boolean;
}

const slot = internalSlot<RuntimeGlobal>();

const objects = new WeakMap<RuntimeGlobal, object>();

export class Global {
  /** @param init the type's default where it is undefined. @throws TypeError for a value of another type. */
  constructor(descriptor: GlobalDescriptor, ...init: [value?: unknown]) {
    show(fromDescriptor(descriptor, init), this);
  }

  valueOf(): unknown {
    return receiver(this, "WebAssembly.Global.valueOf()").value;
  }

  get value(): unknown {
    return receiver(this, "get WebAssembly.Global.value").value;
  }

  set value(value: unknown) {
    const where = "set WebAssembly.Global.value";
    const global = receiver(this, where);
    if (!global.mutable) refuse(where, "the global is immutable");
    global.value = value;
  }
}

/** What an object stands for if it is a Global, ours or the host's. */
export function runtimeGlobal(value: unknown): RuntimeGlobal | undefined {
  return slot.get(value) ?? adopt(value);
}

/** The object that shows a global: always the same one. */
export function globalObject(global: RuntimeGlobal): object {
  return objects.get(global) ?? show(global, Object.create(Global.prototype) as Global);
}

function show<Shown extends object>(global: RuntimeGlobal, object: Shown): Shown {
  slot.set(object, global);
  objects.set(global, object);
  return object;
}

/** A global of the host's: its value, and a mirror where that may change. */
function adopt(value: unknown): RuntimeGlobal | undefined {
  const type = globalTypeOf(value);
  if (!type) return undefined;
  const theirs = hostGlobal(value as object);
  const global = RuntimeGlobal.make({ value: typeName(type.type) as "i32", mutable: type.mutable }, theirs.value);
  show(global, value as object);
  if (type.mutable) mirrorGlobal(global, theirs);
  return global;
}

function receiver(object: Global, where: string): RuntimeGlobal {
  return slot.get(object) ?? refuse(where, "Receiver is not a WebAssembly.Global");
}

/** In the order of the specification: members by their names, then the value. */
function fromDescriptor(descriptor: unknown, init: readonly unknown[]): RuntimeGlobal {
  const where = "WebAssembly.Global()";
  const members = toDictionary(descriptor, where, "a global descriptor");
  const mutable = Boolean(members["mutable"]);
  const valueType = members["value"];
  if (valueType === undefined) refuse(where, "Property 'value' is required");
  const value = toEnum(valueType, valueTypeNames, where, "Property 'value'");
  if (value === "v128") refuse(where, "globals of type v128 are not supported yet");
  return RuntimeGlobal.make({ value, mutable }, init[0]);
}
