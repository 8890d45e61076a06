// CompileError, LinkError, RuntimeError: the host's own classes, so that an error is `instanceof` in both engines' eyes.
import { host, type ErrorClass } from "./host.js";

export const CompileError: ErrorClass = host?.CompileError ?? errorClass("CompileError");
export const LinkError: ErrorClass = host?.LinkError ?? errorClass("LinkError");
export const RuntimeError: ErrorClass = host?.RuntimeError ?? errorClass("RuntimeError");

function errorClass(name: string): ErrorClass {
  const made = { [name]: class extends Error {} }[name]!;
  Object.defineProperty(made.prototype, "name", { value: name, writable: true, configurable: true });
  return made;
}
