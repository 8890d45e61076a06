// `WebAssembly.Module`: a compiled module and what can be asked about it.
//
// The compiler comes from above, so the class is made for it. Descriptors are read from the declarations, custom sections
// from the bytes: the decoder keeps only what it needs of them.
import type { CompiledModule } from "../compiled.js";
import { carriedBytes, carrierOf, copyForCarrier } from "./carrier.js";
import { CompileError } from "./errors.js";
import { exposeInterface, refuse, toBytes } from "./idl.js";
import { internalSlot } from "./slot.js";

/** What the JS API needs of a compiler. Errors it throws say what is wrong with the module; their messages are handed on. */
export interface Compiler {
  /** `bytes` are nobody else's. */
  compile(bytes: Uint8Array): CompiledModule;
  /** The same without keeping the event loop waiting for long. */
  compileAsync(bytes: Uint8Array): Promise<CompiledModule>;
  /** Whether `compile` would accept the bytes. */
  validate(bytes: Uint8Array): boolean;
}

const kinds = { func: "function", table: "table", memory: "memory", global: "global" } as const;
type Kind = (typeof kinds)[keyof typeof kinds];

export interface ModuleImport {
  readonly module: string;
  readonly name: string;
  readonly kind: Kind;
}

export interface ModuleExport {
  readonly name: string;
  readonly kind: Kind;
}

/** An object of the class that `modulesOf` makes. */
export type Module = object;

export interface ModuleClass {
  new (bytes: ArrayBufferView | ArrayBuffer): Module;
  readonly prototype: Module;
  exports(module: Module): ModuleExport[];
  imports(module: Module): ModuleImport[];
  customSections(module: Module, name: string): ArrayBuffer[];
}

/** The class Module over a compiler, and the ways to and from what its objects stand for. */
export interface Modules {
  readonly Module: ModuleClass;
  /** Undefined for what is no Module. One that was posted here is compiled when it is first asked. */
  compiledOf(value: unknown): CompiledModule | undefined;
  objectOf(compiled: CompiledModule): Module;
}

const slot = internalSlot<CompiledModule>();

/** The CompileError for what a compiler threw. */
export function compileError(where: string, error: unknown): Error {
  return new CompileError(`${where}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
}

export function modulesOf(compiler: Compiler): Modules {
  const show = (compiled: CompiledModule, prototype: object, bare: () => object): Module => {
    const carrier = carrierOf(compiled.module.bytes);
    const object = carrier ? Object.setPrototypeOf(carrier, prototype) as object : bare();
    slot.set(object, compiled);
    return object;
  };
  const objectOf = (compiled: CompiledModule): Module => show(compiled, Module.prototype, () => Object.create(Module.prototype) as object);
  const compiledOf = (value: unknown): CompiledModule | undefined => {
    const known = slot.get(value);
    if (known) return known;
    const bytes = carriedBytes(value);
    if (!bytes) return undefined;
    const compiled = compiler.compile(bytes);
    slot.set(value as object, compiled);
    return compiled;
  };
  const argument = (value: unknown, where: string): CompiledModule => compiledOf(value) ?? refuse(where, "Argument 0 must be a WebAssembly.Module");

  class Module {
    constructor(bytes: unknown) {
      const where = "WebAssembly.Module()";
      const copy = copyForCarrier(toBytes(bytes, where));
      let compiled: CompiledModule;
      try {
        compiled = compiler.compile(copy);
      } catch (error) {
        throw compileError(where, error);
      }
      return show(compiled, new.target.prototype, () => this);
    }

    static exports(module: unknown): ModuleExport[] {
      const { exports } = argument(module, "WebAssembly.Module.exports()").module;
      return exports.map(({ name, kind }) => ({ name, kind: kinds[kind] }));
    }

    static imports(module: unknown): ModuleImport[] {
      const { imports } = argument(module, "WebAssembly.Module.imports()").module;
      return imports.filter((item) => item.provided === undefined).map(({ module: from, name, kind }) => ({ module: from, name, kind: kinds[kind] }));
    }

    static customSections(module: unknown, name: unknown): ArrayBuffer[] {
      const where = "WebAssembly.Module.customSections()";
      const { bytes } = argument(module, where).module;
      if (name === undefined) refuse(where, "Argument 1 is required");
      if (typeof name === "symbol") refuse(where, "Argument 1 must be convertible to a string, not a symbol");
      return customSections(bytes, String(name));
    }
  }
  exposeInterface("Module", Module, (value) => carriedBytes(value) !== undefined);
  return { Module: Module as unknown as ModuleClass, compiledOf, objectOf };
}

const HEADER_BYTES = 8;

/** Contents of the custom sections of that name; the bytes are a valid module's. */
function customSections(bytes: Uint8Array, wanted: string): ArrayBuffer[] {
  const found: ArrayBuffer[] = [];
  let at = HEADER_BYTES;
  const leb = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const id = bytes[at++]!;
    const size = leb();
    const end = at + size;
    if (id === 0) {
      const length = leb();
      const name = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(at, at + length));
      if (name === wanted) found.push(bytes.slice(at + length, end).buffer as ArrayBuffer);
    }
    at = end;
  }
  return found;
}
