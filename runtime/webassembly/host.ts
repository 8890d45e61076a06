// The host's own `WebAssembly`, as it was when this file was loaded: before anybody replaced the global.
//
// The errors of both engines are of its classes, it backs shared memories, and its objects are recognized among imports.

export type ErrorClass = new (message?: string, options?: { cause?: unknown }) => Error;

export interface HostMemory {
  readonly buffer: ArrayBuffer | SharedArrayBuffer;
  grow(delta: number): number;
}

export interface HostTable {
  readonly length: number;
  get(index: number): unknown;
  set(index: number, value: unknown): void;
  grow(delta: number, value?: unknown): number;
}

export interface HostGlobal {
  value: unknown;
}

/** What is used of it. */
export interface HostWebAssembly {
  readonly Module: (new (bytes: Uint8Array) => object) & { customSections(module: object, name: string): ArrayBuffer[] };
  readonly Instance: new (module: object, imports?: object) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: (new (descriptor: { initial: number; maximum?: number | undefined; shared?: boolean }) => HostMemory) & { readonly prototype: HostMemory };
  readonly Table: { readonly prototype: HostTable };
  readonly Global: { readonly prototype: HostGlobal };
  readonly CompileError: ErrorClass;
  readonly LinkError: ErrorClass;
  readonly RuntimeError: ErrorClass;
}

/** Under this key an object of ours keeps the host's: another copy of this code may have replaced the global already. */
export const HOST: unique symbol = Symbol.for("wasmlathe.host") as never;

const global = (globalThis as unknown as { WebAssembly?: HostWebAssembly & { readonly [HOST]?: HostWebAssembly } }).WebAssembly;

/** Undefined where the host was started without. */
export const host: HostWebAssembly | undefined = global?.[HOST] ?? global;

/** A memory of the host's by the methods of its class, whatever has become of its prototype. */
export function hostMemory(object: object): HostMemory {
  const { prototype } = host!.Memory;
  const buffer = getter(prototype, "buffer");
  const { grow } = prototype;
  return {
    get buffer() {
      return buffer.call(object) as ArrayBuffer;
    },
    grow: (delta) => grow.call(object, delta),
  };
}

export function hostTable(object: object): HostTable {
  const { prototype } = host!.Table;
  const length = getter(prototype, "length");
  const { get, set, grow } = prototype;
  return {
    get length() {
      return length.call(object) as number;
    },
    get: (index) => get.call(object, index),
    set: (index, value) => set.call(object, index, value),
    grow: (delta) => grow.call(object, delta),
  };
}

export function hostGlobal(object: object): HostGlobal {
  const { get, set } = Object.getOwnPropertyDescriptor(host!.Global.prototype, "value")!;
  return {
    get value() {
      return get!.call(object) as unknown;
    },
    set value(value) {
      set!.call(object, value);
    },
  };
}

function getter(prototype: object, name: string): () => unknown {
  return Object.getOwnPropertyDescriptor(prototype, name)!.get!;
}
