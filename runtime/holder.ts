// What keeps what alive: instances, tables, globals and host functions as nodes, with JS references as edges.
//
// Native memory refers to native memory (a table's element to a function record, an import to a context) where the
// garbage collector does not look. The invariant that makes freeing by collection safe: whatever native code running in a
// node can reach, JS reaches from that node through `links`. Links are made where access is given (import, definition,
// a reference that crosses from JS) and are never taken away, so a table keeps every instance that ever could write to it.
import type { InterpCallee } from "../ir/interp-env.js";
import type { FuncInstance } from "./func.js";
import { Externs } from "./externref.js";
import type { Instance } from "./instance.js";
import type { Thread } from "./thread.js";
import type { Mirror } from "./mirror.js";

export abstract class Holder {
  /** By id. Includes tables and globals, and instances whose functions this one may come to hold. */
  readonly links = new Map<number, Holder>();
  /** Objects of the host's that this instance imports: its functions are entered from JS through them. */
  mirrors: readonly Mirror[] | undefined;
  /** Host functions of others that were called from here, by dispatch id. */
  private reached: Map<number, FuncInstance> | undefined;

  /** Unique in the thread; native contexts and records carry it. */
  readonly id: number;
  /** Handles for externrefs that this holder and all it is linked with may hold. */
  readonly externs: Externs;

  constructor(thread: Thread) {
    this.id = thread.newHolderId();
    this.externs = new Externs(thread);
  }

  /** The function that native code running on behalf of this holder calls by that id. */
  reachHostFunc(id: number): FuncInstance | undefined {
    let func = this.hostFunc(id) ?? this.reached?.get(id);
    if (!func) {
      func = findHolder(this, (holder) => holder.hostFunc(id) !== undefined)?.hostFunc(id);
      if (func) (this.reached ??= new Map<number, FuncInstance>()).set(id, func);
    }
    return func;
  }

  keep(other: Holder): void {
    if (other === this) return;
    this.links.set(other.id, other);
    this.externs.join(other.externs);
  }

  /** This holder, if it is an instance. */
  get instance(): Instance | undefined {
    return undefined;
  }

  /** The function with that index among this holder's, for records that point here. */
  func(index: number): FuncInstance {
    throw new Error(`holder ${this.id} has no function ${index}`);
  }

  /** Whether this holder's Wasm functions run in the interpreter. */
  get interpreted(): boolean {
    return false;
  }

  /** A Wasm function as the interpreter runs it. */
  interpret(index: number): InterpCallee {
    throw new Error(`function ${index} of holder ${this.id} is not interpreted`);
  }

  /** The function (host, or interpreted) that native code calls by that id, if it is this holder's. */
  hostFunc(id: number): FuncInstance | undefined {
    void id;
    return undefined;
  }
}

/** The nearest holder that `match` accepts; it becomes a direct link. Linear in the graph when it is far. */
export function findHolder(from: Holder, match: (holder: Holder) => boolean): Holder | undefined {
  if (match(from)) return from;
  const seen = new Set<Holder>([from]);
  for (const holder of seen) {
    for (const next of holder.links.values()) {
      if (seen.has(next)) continue;
      if (match(next)) {
        from.keep(next);
        return next;
      }
      seen.add(next);
    }
  }
  return undefined;
}

export function holderById(from: Holder, id: number): Holder | undefined {
  return from.id === id ? from : (from.links.get(id) ?? findHolder(from, (holder) => holder.id === id));
}

/** A node that is nothing but its links: its members keep each other. */
export class Group extends Holder {}
