// The functions of the `WebAssembly` object: validate, compile, instantiate, and the two that read a Response.
//
// Whatever is wrong becomes a rejected promise. Bytes are copied at the call. With a Module, imports are read at once and
// the instance is made later; with bytes, both come after compilation.
import type { CompiledModule } from "../compiled.js";
import { copyForCarrier } from "./carrier.js";
import { refuse, toBytes } from "./idl.js";
import { readImports } from "./imports.js";
import type { Instance, Instances } from "./instance.js";
import { compileError, type Compiler, type Module, type Modules } from "./module.js";

type BufferSource = ArrayBufferView | ArrayBuffer;

export interface InstantiatedSource {
  module: Module;
  instance: Instance;
}

export interface CompileFunctions {
  validate(bytes: BufferSource): boolean;
  /** @throws (rejects) CompileError */
  compile(bytes: BufferSource): Promise<Module>;
  /** @throws (rejects) CompileError, LinkError, TypeError, RuntimeError, or what the start function threw. */
  instantiate(bytes: BufferSource, importObject?: object): Promise<InstantiatedSource>;
  instantiate(module: Module, importObject?: object): Promise<Instance>;
  compileStreaming(source: ResponseLike | PromiseLike<ResponseLike>): Promise<Module>;
  instantiateStreaming(source: ResponseLike | PromiseLike<ResponseLike>, importObject?: object): Promise<InstantiatedSource>;
}

/** What is used of a Response. */
interface ResponseLike {
  readonly ok: boolean;
  readonly status: number;
  readonly bodyUsed: boolean;
  readonly headers: { get(name: string): string | null };
  arrayBuffer(): Promise<ArrayBuffer>;
}

export function compileFunctions(compiler: Compiler, { compiledOf, objectOf }: Modules, { instanceOf }: Instances): CompileFunctions {
  const compileBytes = async (bytes: Uint8Array, where: string): Promise<CompiledModule> => {
    try {
      return await compiler.compileAsync(bytes);
    } catch (error) {
      throw compileError(where, error);
    }
  };
  const instantiateBytes = async (bytes: Uint8Array, importObject: unknown, where: string): Promise<InstantiatedSource> => {
    const compiled = await compileBytes(bytes, where);
    const module = objectOf(compiled);
    return { module, instance: instanceOf(compiled, readImports(compiled.module, importObject, where), where) };
  };

  const instantiate = async (source: unknown, imports: unknown): Promise<unknown> => {
    const where = "WebAssembly.instantiate()";
    const compiled = compiledOf(source);
    const bytes = compiled ? undefined : copyForCarrier(toBytes(source, where));
    const importObject = importArgument(imports, where);
    if (bytes) return instantiateBytes(bytes, importObject, where);
    const values = readImports(compiled!.module, importObject, where);
    await undefined;
    return instanceOf(compiled!, values, where);
  };
  const compile = async (bytes: unknown): Promise<Module> => {
    const where = "WebAssembly.compile()";
    return objectOf(await compileBytes(copyForCarrier(toBytes(bytes, where)), where));
  };
  const compileStreaming = async (source: unknown): Promise<Module> => {
    const where = "WebAssembly.compileStreaming()";
    return objectOf(await compileBytes(await bytesOfResponse(source, where), where));
  };
  const instantiateStreaming = async (source: unknown, imports: unknown): Promise<InstantiatedSource> => {
    const where = "WebAssembly.instantiateStreaming()";
    const importObject = importArgument(imports, where);
    return instantiateBytes(await bytesOfResponse(source, where), importObject, where);
  };

  // Methods of a literal, not async: their names, lengths and prototypes are what the interface has.
  const functions = {
    validate(bytes: unknown): boolean {
      return compiler.validate(toBytes(bytes, "WebAssembly.validate()"));
    },
    compile(bytes: unknown) {
      return compile(bytes);
    },
    instantiate(source: unknown, ...imports: [importObject?: unknown]) {
      return instantiate(source, imports[0]);
    },
    compileStreaming(source: unknown) {
      return compileStreaming(source);
    },
    instantiateStreaming(source: unknown, ...imports: [importObject?: unknown]) {
      return instantiateStreaming(source, imports[0]);
    },
  };
  return functions as unknown as CompileFunctions;
}

function importArgument(value: unknown, where: string): unknown {
  if (value !== undefined && (typeof value !== "object" || value === null) && typeof value !== "function") refuse(where, "Argument 1 must be an object");
  return value;
}

/** "Compile a potential WebAssembly response" of the Web API, as far as Node has its parts. */
async function bytesOfResponse(source: unknown, where: string): Promise<Uint8Array> {
  const response = (await source) as ResponseLike;
  if (!isResponse(response)) refuse(where, "Argument 0 must be a Response or a promise of one");
  const type = response.headers.get("Content-Type");
  if (type?.trim().toLowerCase() !== "application/wasm") refuse(where, `the response has Content-Type '${type ?? ""}', not 'application/wasm'`);
  if (!response.ok) refuse(where, `the response has status ${response.status}`);
  if (response.bodyUsed) refuse(where, "the body of the response has been read already");
  return copyForCarrier(new Uint8Array(await response.arrayBuffer()));
}

/** By its class string, so that a Response of a package passes, too; Node's own class would be loaded to be asked. */
function isResponse(value: unknown): value is ResponseLike {
  return typeof value === "object" && value !== null && Object.prototype.toString.call(value) === "[object Response]";
}
