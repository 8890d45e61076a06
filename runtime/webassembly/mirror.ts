// Mirrors: objects of the host's own `WebAssembly` that an instance of ours imports.
//
// Our code and the host's cannot share a global's cell or a table's elements, and a memory's size is kept twice. So each side has its
// own, made equal where control passes: pulled from the host's before our code runs, pushed to it behind. Costs time in
// proportion to the mirrored tables at every crossing; instances without mirrors pay nothing.
import { Type } from "../../ir/types.js";
import type { Global as RuntimeGlobal } from "../global.js";
import type { Memory as RuntimeMemory } from "../memory.js";
import type { Mirror } from "../mirror.js";
import type { Store } from "../store.js";
import type { Table as RuntimeTable } from "../table.js";
import { hostCounterpart } from "./host-functions.js";
import type { HostGlobal, HostTable } from "./host.js";

const mirrors = new WeakMap<object, Mirror>();

/** The mirrors among the values that an instance imports. */
export function mirrorsOf(values: readonly unknown[]): readonly Mirror[] {
  const found = new Set<Mirror>();
  for (const value of values) {
    const mirror = typeof value === "object" && value !== null ? mirrors.get(value) : undefined;
    if (mirror) found.add(mirror);
  }
  return [...found];
}

/** The pages are the same ones; only the size has to be looked at. */
export function mirrorMemory(memory: RuntimeMemory): void {
  mirrors.set(memory, { pull: () => memory.refresh(), push() {} });
}

export function mirrorGlobal(global: RuntimeGlobal, host: HostGlobal): void {
  const mirror: Mirror = {
    pull: () => {
      global.value = host.value;
    },
    push: () => {
      host.value = hostValue(global.type, global.value, global.store);
    },
  };
  mirrors.set(global, mirror);
}

export function mirrorTable(table: RuntimeTable, host: HostTable): void {
  mirrors.set(table, new TableMirror(table, host));
}

/** A value of ours as the host takes it. */
function hostValue(type: Type, value: unknown, store: Store): unknown {
  return type === Type.funcref && typeof value === "function" ? hostCounterpart(store.funcOf(value)!) : value;
}

/** Copies only what has changed since the last time: `theirs` and `ours` are the elements as they were. */
class TableMirror implements Mirror {
  private readonly theirs: unknown[] = [];
  private ours = new Int32Array(0);

  constructor(
    private readonly table: RuntimeTable,
    private readonly host: HostTable,
  ) {}

  pull(): void {
    const { table, host, theirs } = this;
    if (host.length > table.length) table.grow(host.length - table.length);
    for (let i = 0; i < host.length; i++) {
      const element = host.get(i);
      if (i < theirs.length && element === theirs[i]) continue;
      theirs[i] = element;
      table.set(i, element);
    }
    this.ours = table.words.slice(0, table.length * 2);
  }

  push(): void {
    const { table, host, theirs, ours } = this;
    if (table.length > host.length) host.grow(table.length - host.length);
    const { words } = table;
    for (let i = 0; i < table.length; i++) {
      if (words[i * 2] === ours[i * 2] && words[i * 2 + 1] === ours[i * 2 + 1]) continue;
      theirs[i] = hostValue(table.elem, table.get(i), table.store);
      host.set(i, theirs[i]);
    }
    this.ours = words.slice(0, table.length * 2);
  }
}
