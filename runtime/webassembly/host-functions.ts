// Exported functions of the host's own `WebAssembly` among ours, and ours among its.
//
// A function of the host's becomes a host function of ours with the type it really has, and remains the same object for JS:
// tables, references and imports hand it on as they hand on any. The other way round it needs a function of the host's class.
import { exportAs, HostModule, type FuncInstance } from "../func.js";
import type { Store } from "../store.js";
import { funcTypeOf, hostFunction } from "./host-types.js";

/** What an exported function is called: its index. */
const INDEX = /^\d+$/;

/** The function instance for an exported function of the host's; undefined for any other value. */
export function adoptHostFunction(value: Function, store: Store): FuncInstance | undefined {
  // Nearly every function that comes here is not one: look before asking, which throws inside.
  if (!INDEX.test(value.name) || Object.hasOwn(value, "prototype")) return undefined;
  const sig = funcTypeOf(value);
  if (!sig) return undefined;
  const func = new HostModule(store, sig, { fn: value as (...args: unknown[]) => unknown, raw: false }).func(0);
  exportAs(func, value);
  return func;
}

const counterparts = new WeakMap<FuncInstance, Function>();

/** A function object that the host takes for an exported one of its own. */
export function hostCounterpart(func: FuncInstance): Function {
  if (func.host && funcTypeOf(func.object)) return func.object;
  let counterpart = counterparts.get(func);
  if (!counterpart) {
    counterparts.set(func, (counterpart = hostFunction(func.sig, func.object)));
    exportAs(func, counterpart);
  }
  return counterpart;
}
