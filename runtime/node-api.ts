// JS functions whose code is ours: Node-API calls the C function behind one in less than half the time koffi needs.
//
// Node-API makes a function in one C call, inside a handle scope, and the handle it gives is good only there. So a stub
// makes it and throws it, and what was thrown is caught here. The symbols are those of the running Node; the environment
// is koffi's, which lives as long as the thread.
import type { RuntimeStubs } from "../ir/code.js";
import type { Native } from "./native.js";
import { V8_MAJOR } from "./v8-version.js";

export class NodeApi {
  private constructor(
    private readonly env: number,
    private readonly throwFunction: (env: number, callback: number) => void,
  ) {}

  /** @param load makes a stub callable. @returns undefined where Node-API cannot be had. */
  static open(native: Native, stubs: RuntimeStubs, load: (code: Uint8Array) => number): NodeApi | undefined {
    // From 14 on V8 lets nobody throw on a stack that it does not know, and koffi runs the stub on its own.
    if (V8_MAJOR >= 14) return undefined;
    const env = native.nodeApiEnv();
    const createFunction = native.findSymbol("napi_create_function");
    const throwValue = native.findSymbol("napi_throw");
    if (env === 0 || createFunction === 0 || throwValue === 0) return undefined;
    const address = load(stubs.throwFunction({ createFunction: BigInt(createFunction), throwValue: BigInt(throwValue) }));
    return new NodeApi(env, native.addressCall(address, 2) as NodeApi["throwFunction"]);
  }

  /** A JS function that calls the Node-API callback at that address. @throws Error when Node-API made none. */
  functionOf(callback: number): () => void {
    try {
      this.throwFunction(this.env, callback);
    } catch (made) {
      if (typeof made === "function") return made as () => void;
      throw made;
    }
    throw new Error("Node-API made no function");
  }
}
