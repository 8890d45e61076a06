// A store: where function types get their canonical ids.
//
// Instances, tables and ref-typed globals belong to one store and link only within it. A store holds no instance: they
// live as long as JS, or something linked, holds them. Type ids are structural: equal types, equal ids, whatever module
// or order they came from (rule 4 of the type-identity design).
import type { CanonicalTypeId } from "../ir/entity.js";
import { FuncRef } from "../ir/layout.js";
import { funcTypeKey, type FuncType } from "../ir/types.js";
import { funcInstanceOf, HostModule, RECORD_HOLDER, type FuncInstance, type HostCode } from "./func.js";
import { Group, holderById, type Holder } from "./holder.js";
import { currentThread, type Thread } from "./thread.js";
import { adoptHostFunction } from "./webassembly/host-functions.js";

export class Store {
  readonly thread: Thread;
  private readonly ids = new Map<string, CanonicalTypeId>();
  /** By the object that describes the type: a module's are the same at every instantiation. */
  private readonly seen = new WeakMap<FuncType, CanonicalTypeId>();
  /** By canonical id; 0 is no type. */
  private readonly types: FuncType[] = [{ params: [], results: [] }];
  private refTakers: WeakRef<Group> | undefined;

  constructor() {
    this.thread = currentThread();
  }

  intern(sig: FuncType): CanonicalTypeId {
    const known = this.seen.get(sig);
    if (known !== undefined) return known;
    const key = funcTypeKey(sig);
    let id = this.ids.get(key);
    if (id === undefined) {
      id = this.types.length as CanonicalTypeId;
      this.types.push(sig);
      this.ids.set(key, id);
    }
    this.seen.set(sig, id);
    return id;
  }

  /** The type with that id; undefined for a number that is none. */
  typeOf(id: CanonicalTypeId): FuncType | undefined {
    return id > 0 ? this.types[id] : undefined;
  }

  /** The function instance behind a function object, if there is one. An exported function of the host's gets one when it is first seen. */
  funcOf(object: Function): FuncInstance | undefined {
    return funcInstanceOf(object) ?? adoptHostFunction(object, this);
  }

  /** ToWebAssemblyValue for funcref: a function of this store, or null. @throws TypeError for anything else. */
  funcRef(value: unknown): FuncInstance | undefined {
    if (value === null) return undefined;
    const func = typeof value === "function" ? this.funcOf(value) : undefined;
    if (!func) throw new TypeError("a funcref takes null or an exported WebAssembly function");
    if (func.store !== this) throw new TypeError("the function belongs to another store");
    return func;
  }

  /** The function behind a record; `near` is the holder whose native memory held it. */
  funcOfRecord(record: number, near: Holder): FuncInstance {
    const heap = this.thread.heap;
    const holder = holderById(near, heap.readU32(record + RECORD_HOLDER));
    if (!holder) throw new Error("a function reference to something unreachable");
    return holder.func(heap.readU32(record + FuncRef.id));
  }

  /** The canonical id a record carries: its definition's. */
  typeOfRecord(record: number): CanonicalTypeId {
    return this.thread.heap.readU32(record + FuncRef.typeId) as CanonicalTypeId;
  }

  /**
   * A host function with a type of its own (a plain JS function takes the type its importer declares).
   * @param raw the JS function gets and gives raw bits (BigInt) for numbers, which keeps NaN payloads.
   * @returns an exported function object: may be imported, put in tables, called.
   */
  hostFunction(sig: FuncType, fn: (...args: never[]) => unknown, raw = false): (...args: unknown[]) => unknown {
    const code: HostCode = { fn: fn as HostCode["fn"], raw };
    return new HostModule(this, sig, code).func(0).object;
  }

  /**
   * Joins those that may be handed references as arguments or hand them on, by a call through a table that no link
   * shows: whoever takes part keeps all who take part.
   */
  joinRefTakers(holder: Holder): void {
    let group = this.refTakers?.deref();
    if (!group) {
      group = new Group(this.thread);
      this.refTakers = new WeakRef(group);
    }
    group.keep(holder);
    holder.keep(group);
  }
}

const defaults = new WeakMap<Thread, Store>();

/** The store that things made without one belong to. */
export function defaultStore(): Store {
  const thread = currentThread();
  let store = defaults.get(thread);
  if (!store) defaults.set(thread, (store = new Store()));
  return store;
}
