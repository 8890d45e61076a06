// `WebAssembly.Table`: a table of the runtime as the JS API shows it. One object for each, whoever asks; for one of the host's
// that a program imports, that object.
//
// Whether an argument is missing is told by the number of arguments, not by `undefined`: that is a value of an externref.
import { defaultStore, type Store } from "../store.js";
import { MAX_TABLE_ELEMENTS, Table as RuntimeTable } from "../table.js";
import { Type } from "../../ir/types.js";
import { hostTable } from "./host.js";
import { tableTypeOf } from "./host-types.js";
import { checkLimits, fromAddress, refuse, toAddress, toDictionary, toEnum, toLimits } from "./idl.js";
import { mirrorTable } from "./mirror.js";
import { internalSlot } from "./slot.js";

export interface TableDescriptor {
  element: "anyfunc" | "externref";
  initial: number;
  maximum?: number;
}

const slot = internalSlot<RuntimeTable>();

const objects = new WeakMap<RuntimeTable, object>();

export class Table {
  /** @throws RangeError for limits that make no sense; TypeError for an initial value of another type. */
  constructor(descriptor: TableDescriptor, ...init: [value?: unknown]) {
    show(fromDescriptor(descriptor, init), this);
  }

  get length(): number | bigint {
    const table = receiver(this, "WebAssembly.Table.length");
    return fromAddress(table.length, table.address);
  }

  /** @returns the length before. @throws RangeError when it cannot grow. */
  grow(delta: number | bigint, ...init: [value?: unknown]): number | bigint {
    const where = "WebAssembly.Table.grow()";
    const table = receiver(this, where);
    const count = toAddress(delta, table.address, where, "Argument 0");
    const before = table.length;
    if (before + count > Math.min(table.maximum ?? MAX_TABLE_ELEMENTS, MAX_TABLE_ELEMENTS)) {
      throw new RangeError(`${where}: a table of ${before} elements cannot grow by ${count}${table.maximum === undefined ? "" : ` (maximum ${table.maximum})`}`);
    }
    return fromAddress(table.grow(count, elementOf(table, init, where)), table.address);
  }

  /** @throws RangeError outside of the table. */
  get(index: number | bigint): unknown {
    const where = "WebAssembly.Table.get()";
    const table = receiver(this, where);
    return table.get(inside(table, index, where));
  }

  /** @throws RangeError outside of the table; TypeError for a value of another type. */
  set(index: number | bigint, ...value: [value?: unknown]): void {
    const where = "WebAssembly.Table.set()";
    const table = receiver(this, where);
    table.set(inside(table, index, where), elementOf(table, value, where));
  }
}

/** What an object stands for if it is a Table, ours or the host's. */
export function runtimeTable(value: unknown): RuntimeTable | undefined {
  return slot.get(value) ?? adopt(value);
}

/** The object that shows a table: always the same one. */
export function tableObject(table: RuntimeTable): object {
  return objects.get(table) ?? show(table, Object.create(Table.prototype) as Table);
}

function show<Shown extends object>(table: RuntimeTable, object: Shown): Shown {
  slot.set(object, table);
  objects.set(table, object);
  return object;
}

/** A table of the host's gets a mirror. */
function adopt(value: unknown): RuntimeTable | undefined {
  const type = tableTypeOf(value);
  if (!type) return undefined;
  const element = type.elem === Type.funcref ? "funcref" : "externref";
  const table = new RuntimeTable({ element, initial: type.minimum, maximum: type.maximum }, null, defaultStore());
  show(table, value as object);
  mirrorTable(table, hostTable(value as object));
  return table;
}

function receiver(object: Table, where: string): RuntimeTable {
  return slot.get(object) ?? refuse(where, "Receiver is not a WebAssembly.Table");
}

function inside(table: RuntimeTable, index: unknown, where: string): number {
  const at = toAddress(index, table.address, where, "Argument 0");
  if (at >= table.length) throw new RangeError(`${where}: there is no element ${at} in a table of ${table.length}`);
  return at;
}

/** The argument as an element of the table; where it is missing, the type's default. */
function elementOf(table: Pick<RuntimeTable, "elem" | "store">, given: readonly unknown[], where: string): unknown {
  if (table.elem !== Type.funcref) return given[0];
  if (given.length === 0) return null;
  if (!isFuncRef(given[0], table.store)) refuse(where, "Argument 1 must be null or an exported WebAssembly function");
  return given[0];
}

function isFuncRef(value: unknown, store: Store): boolean {
  return value === null || (typeof value === "function" && store.funcOf(value)?.store === store);
}

/** In the order of the specification: members by their names, then the initial value. */
function fromDescriptor(descriptor: unknown, init: readonly unknown[]): RuntimeTable {
  const where = "WebAssembly.Table()";
  const members = toDictionary(descriptor, where, "a table descriptor");
  const elementValue = members["element"];
  if (elementValue === undefined) refuse(where, "Property 'element' is required");
  const element = toEnum(elementValue, ["anyfunc", "externref"], where, "Property 'element'");
  const limits = toLimits(members, where);
  checkLimits(limits, MAX_TABLE_ELEMENTS, "elements", where);
  const { address, initial, maximum } = limits;
  const store = defaultStore();
  const elem = element === "anyfunc" ? Type.funcref : Type.externref;
  // An explicit `undefined` is a missing argument here, so says Web IDL; as an externref it is the default anyway.
  const value = elementOf({ elem, store }, init[0] === undefined ? [] : init, where);
  return new RuntimeTable({ element: element === "anyfunc" ? "funcref" : "externref", initial, maximum, address }, value, store);
}
