// `WebAssembly.Global`: a global of the runtime as the JS API shows it. One object for each, whoever asks.
import { Global as RuntimeGlobal } from "../global.js";
import { refuse, toDictionary, toEnum } from "./idl.js";
import { internalSlot } from "./slot.js";

const valueTypeNames = ["i32", "i64", "f32", "f64", "v128", "anyfunc", "externref"] as const;

export interface GlobalDescriptor {
  value: (typeof valueTypeNames)[number];
  mutable?: boolean;
}

/** What a Global stands for. */
export const runtimeGlobal = internalSlot<RuntimeGlobal>();

const objects = new WeakMap<RuntimeGlobal, Global>();

export class Global {
  /** @param init the type's default where it is undefined. @throws TypeError for a value of another type. */
  constructor(descriptor: GlobalDescriptor, ...init: [value?: unknown]) {
    adopt(this, fromDescriptor(descriptor, init));
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

/** The object that shows a global: always the same one. */
export function globalObject(global: RuntimeGlobal): Global {
  return objects.get(global) ?? adopt(Object.create(Global.prototype) as Global, global);
}

function adopt(object: Global, global: RuntimeGlobal): Global {
  runtimeGlobal.set(object, global);
  objects.set(global, object);
  return object;
}

function receiver(object: Global, where: string): RuntimeGlobal {
  return runtimeGlobal.get(object) ?? refuse(where, "Receiver is not a WebAssembly.Global");
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
