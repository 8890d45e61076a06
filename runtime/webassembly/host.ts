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
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports?: object) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (descriptor: { initial: number; maximum?: number | undefined; shared?: boolean }) => HostMemory;
  readonly Table: new (...args: never[]) => HostTable;
  readonly Global: new (...args: never[]) => HostGlobal;
  readonly CompileError: ErrorClass;
  readonly LinkError: ErrorClass;
  readonly RuntimeError: ErrorClass;
}

/** Undefined where the host was started without. */
export const host = (globalThis as unknown as { WebAssembly?: HostWebAssembly }).WebAssembly;
