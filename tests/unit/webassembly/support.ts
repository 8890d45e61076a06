// For the JS API's tests: modules from text, and what was thrown.
import { watToBytes } from "../../../pipeline/index.js";
import { WebAssembly } from "../../../pipeline/webassembly.js";

export { WebAssembly };

export async function moduleOf(wat: string): Promise<object> {
  return new WebAssembly.Module(await bytesOf(wat));
}

/** Exports of an instance. */
export async function exportsOf(wat: string, imports?: object): Promise<Record<string, any>> {
  return new WebAssembly.Instance(await moduleOf(wat), imports).exports;
}

export async function bytesOf(wat: string): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await watToBytes(wat));
}

/** What was thrown; an error if nothing was. */
export function thrown(run: () => unknown): any {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}

/** What the promise was rejected with. */
export async function rejected(promise: Promise<unknown>): Promise<any> {
  const nothing = {};
  const reason = await promise.then(() => nothing, (error: unknown) => error);
  if (reason === nothing) throw new Error("nothing was thrown");
  return reason;
}
