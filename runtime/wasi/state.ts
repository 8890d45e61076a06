// What the calls of one program share, and the shape of a call.
import type { Abi } from "./abi.js";
import type { Descriptors } from "./descriptor.js";
import type { GuestMemory } from "./guest-memory.js";

export interface State {
  readonly abi: Abi;
  readonly memory: GuestMemory;
  readonly fds: Descriptors;
  /** Each ends in a NUL. */
  readonly args: readonly Uint8Array[];
  /** `NAME=VALUE`, each ends in a NUL. */
  readonly env: readonly Uint8Array[];
}

/** A function of the interface: Wasm's i32 as a number, i64 as a BigInt. Returns an errno, or throws a `Failure`. */
export type Call = (...args: never[]) => number;
export type Calls = Readonly<Record<string, Call>>;

/** How `proc_exit` leaves the program: thrown through it, and caught by `start`. */
export class Exit {
  constructor(readonly code: number) {}
}
