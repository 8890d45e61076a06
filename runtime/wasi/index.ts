// `wasmlathe/wasi`: WASI preview 1 (and preview 0) for instances of this library and of the `WebAssembly` API.
//
// options => an object of functions for the imports, and `start` or `initialize` for what is instantiated with them. The
// shape is that of `node:wasi`; the files are a sandbox, which is not promised there.
import { constants, openSync } from "node:fs";
import { preview0, preview1, Filetype, Rights } from "./abi.js";
import { clockCalls } from "./clocks.js";
import { Descriptor, Descriptors, streamDescriptor } from "./descriptor.js";
import { errnoOfThrown } from "./errno.js";
import { fdCalls } from "./fd-calls.js";
import { GuestMemory, type MemoryLike } from "./guest-memory.js";
import { pathCalls } from "./path-calls.js";
import { processCalls } from "./process-calls.js";
import { Exit, type Call, type State } from "./state.js";
import { streamCalls } from "./streams.js";

export interface WasiOptions {
  /** Which interface the program imports: `wasi_snapshot_preview1` (default), or `wasi_unstable`. */
  readonly version?: "preview1" | "unstable" | undefined;
  /** The program's name and its arguments. */
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The guest's name of a directory => the host's path. Nothing outside of these directories can be reached. */
  readonly preopens?: Readonly<Record<string, string>> | undefined;
  /** Descriptors of the host for the standard streams. Default 0, 1, 2. They are never closed. */
  readonly stdin?: number | undefined;
  readonly stdout?: number | undefined;
  readonly stderr?: number | undefined;
  /** Whether `proc_exit` makes `start` return the exit code (default), or ends the process. */
  readonly returnOnExit?: boolean | undefined;
}

/** An `Instance` of this library, or a `WebAssembly.Instance`. */
export interface WasiInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}

/** The modules whose functions `WASI` provides, by its `version`. */
export const wasiModules = { preview1: preview1.module, unstable: preview0.module } as const;

type Import = (...args: unknown[]) => number;

/** Closes what a program has open when nothing can call it any more: its imports hold its `State`. */
const abandoned = new FinalizationRegistry<Descriptors>((fds) => fds.closeAll());

export class WASI {
  /** The functions, by name. */
  readonly wasiImport: Readonly<Record<string, Import>>;
  private readonly state: State;
  private readonly returnOnExit: boolean;
  private started = false;

  /** @throws Error for options that make no sense, or a directory that cannot be opened. */
  constructor(options: WasiOptions = {}) {
    const { version = "preview1", args = [], env = {}, preopens = {}, stdin = 0, stdout = 1, stderr = 2, returnOnExit = true } = options;
    if (version !== "preview1" && version !== "unstable") throw new TypeError(`version of WASI: "preview1" or "unstable", not ${JSON.stringify(version)}`);
    const fds = new Descriptors();
    fds.add(streamDescriptor(stdin, true, false));
    fds.add(streamDescriptor(stdout, false, true));
    fds.add(streamDescriptor(stderr, false, true));
    for (const [guest, host] of Object.entries(preopens)) fds.add(preopen(guest, host));
    this.state = {
      abi: version === "unstable" ? preview0 : preview1,
      memory: new GuestMemory(),
      fds,
      args: args.map((arg) => terminated(arg, "an argument")),
      env: Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [terminated(`${name}=${value}`, `the environment variable ${name}`)])),
    };
    abandoned.register(this.state, fds);
    this.returnOnExit = returnOnExit;
    const calls = { ...processCalls(this.state), ...clockCalls(this.state), ...streamCalls(this.state), ...fdCalls(this.state), ...pathCalls(this.state) };
    this.wasiImport = Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, guarded(call)]));
  }

  /** The imports that a program wants. */
  getImportObject(): Record<string, Readonly<Record<string, Import>>> {
    return { [this.state.abi.module]: this.wasiImport };
  }

  /**
   * Runs a command: calls its `_start`.
   * @returns the exit code.
   * @throws Error if it has been started before, or is no command; what the program throws.
   */
  start(instance: WasiInstance): number {
    const { _start: run, _initialize: initialize } = instance.exports;
    if (typeof run !== "function") throw new TypeError("the instance has no _start: it is no WASI command");
    if (initialize !== undefined) throw new TypeError("the instance has an _initialize: it is a WASI reactor, not a command");
    this.finalizeBindings(instance);
    return this.run(run as () => unknown);
  }

  /**
   * Prepares a reactor, whose exports are then called one by one: calls its `_initialize`, if it has one.
   * @throws Error if it has been initialized before, or is a command; what the program throws.
   */
  initialize(instance: WasiInstance): void {
    const { _start: run, _initialize: initialize } = instance.exports;
    if (run !== undefined) throw new TypeError("the instance has a _start: it is a WASI command, not a reactor");
    if (initialize !== undefined && typeof initialize !== "function") throw new TypeError("the instance's _initialize is no function");
    this.finalizeBindings(instance);
    if (initialize) this.run(initialize as () => unknown);
  }

  /** Connects the functions to an instance's memory without calling anything of it. @param options a memory in place of the exported one. */
  finalizeBindings(instance: WasiInstance, options: { readonly memory?: MemoryLike } = {}): void {
    if (this.started) throw new Error("a WASI object serves one instance, and it has one already");
    const memory = options.memory ?? instance.exports["memory"];
    if (!isMemory(memory)) throw new TypeError("the instance exports no memory under the name memory");
    this.started = true;
    this.state.memory.attach(memory);
  }

  /**
   * Calls into the program.
   * @returns 0, or the code it has ended with by `proc_exit`.
   */
  run(call: () => unknown): number {
    try {
      call();
      return 0;
    } catch (thrown) {
      if (!(thrown instanceof Exit)) throw thrown;
      this.state.fds.closeAll();
      return this.returnOnExit ? thrown.code : process.exit(thrown.code);
    }
  }
}

/** Failures become errnos. As many parameters as the largest call has: a rest array would be made at each call. */
function guarded(call: Call): Import {
  const untyped = call as (...args: unknown[]) => number;
  return (a, b, c, d, e, f, g, h, i) => {
    try {
      return untyped(a, b, c, d, e, f, g, h, i);
    } catch (thrown) {
      return errnoOfThrown(thrown);
    }
  };
}

function isMemory(value: unknown): value is MemoryLike {
  const buffer = typeof value === "object" && value !== null ? (value as { buffer?: unknown }).buffer : undefined;
  return buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer;
}

function preopen(guest: string, host: string): Descriptor {
  let hostFd: number;
  try {
    hostFd = openSync(host, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such directory" : code === "ENOTDIR" ? "it is no directory" : message;
    throw new Error(`the directory ${host} cannot be opened for the guest: ${why}`);
  }
  return new Descriptor({ hostFd, filetype: Filetype.directory, rights: Rights.directory, inheriting: Rights.directory | Rights.file, flags: 0, preopen: guest, owned: true });
}

function terminated(text: string, what: string): Uint8Array {
  if (text.includes("\0")) throw new TypeError(`${what} contains a NUL`);
  return new TextEncoder().encode(`${text}\0`);
}
