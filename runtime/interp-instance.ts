// An instance as the reference interpreter sees it: `InterpEnv` over the same memories, tables and globals.
import type { DataIndex, ElemIndex, FuncIndex, GlobalIndex, MemoryIndex, TableIndex, TypeIndex } from "../ir/entity.js";
import { InterpTrap, type InterpCallee, type InterpEnv, type InterpMemory, type RegFile } from "../ir/interp-env.js";
import { TrapKind } from "../ir/layout.js";
import { calleeOf } from "./call.js";
import type { Instance } from "./instance.js";
import { readWord } from "./native-heap.js";
import type { Table } from "./table.js";
import { indirectDetail } from "./trap.js";

export class InstanceEnv implements InterpEnv {
  private readonly callees: (InterpCallee | undefined)[] = [];

  constructor(readonly instance: Instance) {}

  memory(index: MemoryIndex): InterpMemory {
    return this.instance.memories[index]!.views;
  }

  memoryGrow(index: MemoryIndex, delta: number): number {
    return this.instance.memoryGrow(index, delta >>> 0);
  }

  memoryInit(data: DataIndex, memory: MemoryIndex, dst: number, src: number, length: number): void {
    this.instance.memoryInit(data, memory, dst >>> 0, src >>> 0, length >>> 0);
  }

  dataDrop(data: DataIndex): void {
    this.instance.dataDrop(data);
  }

  globalGet(index: GlobalIndex, file: RegFile, at: number): void {
    this.instance.readGlobal(index, file.i32, at * 2);
  }

  globalSet(index: GlobalIndex, file: RegFile, at: number): void {
    this.instance.writeGlobal(index, file.i32, at * 2);
  }

  tableGet(index: TableIndex, element: number, file: RegFile, at: number): void {
    const word = this.element(index, element);
    const { words } = this.table(index);
    file.i32[at * 2] = words[word]!;
    file.i32[at * 2 + 1] = words[word + 1]!;
  }

  tableSet(index: TableIndex, element: number, file: RegFile, at: number): void {
    const word = this.element(index, element);
    const { words } = this.table(index);
    words[word] = file.i32[at * 2]!;
    words[word + 1] = file.i32[at * 2 + 1]!;
  }

  tableSize(index: TableIndex): number {
    return this.table(index).length;
  }

  tableGrow(index: TableIndex, delta: number, file: RegFile, at: number): number {
    return this.instance.tableGrow(index, delta >>> 0, file.i32[at * 2]!, file.i32[at * 2 + 1]!);
  }

  tableFill(index: TableIndex, dst: number, length: number, file: RegFile, at: number): void {
    this.instance.tableFill(index, dst >>> 0, length >>> 0, file.i32[at * 2]!, file.i32[at * 2 + 1]!);
  }

  tableCopy(dstTable: TableIndex, srcTable: TableIndex, dst: number, src: number, length: number): void {
    this.instance.tableCopy(dstTable, srcTable, dst >>> 0, src >>> 0, length >>> 0);
  }

  tableInit(elem: ElemIndex, table: TableIndex, dst: number, src: number, length: number): void {
    this.instance.tableInit(elem, table, dst >>> 0, src >>> 0, length >>> 0);
  }

  elemDrop(elem: ElemIndex): void {
    this.instance.elemDrop(elem);
  }

  refFunc(index: FuncIndex, file: RegFile, at: number): void {
    this.instance.evaluate([{ op: "ref.func", func: index }], file.i32, at * 2);
  }

  callee(index: FuncIndex): InterpCallee {
    return (this.callees[index] ??= calleeOf(this.instance.func(index)));
  }

  indirectCallee(type: TypeIndex, tableIndex: TableIndex, element: number): InterpCallee {
    const { instance } = this;
    const { store } = instance;
    const table = this.table(tableIndex);
    const index = element >>> 0;
    const record = index < table.length ? readWord(table.words, index * 2) : 0;
    let kind: TrapKind;
    if (index >= table.length) kind = TrapKind.undefined_element;
    else if (record === 0) kind = TrapKind.uninitialized_element;
    else if (store.typeOfRecord(record) !== store.intern(instance.module.types[type]!)) kind = TrapKind.indirect_call_type_mismatch;
    else return calleeOf(store.funcOfRecord(record, table));
    throw new InterpTrap(kind, indirectDetail(instance, kind, instance.module.types[type], tableIndex, index));
  }

  private table(index: TableIndex): Table {
    return this.instance.tables[index]!;
  }

  /** Word index of an element. */
  private element(index: TableIndex, element: number): number {
    const { length } = this.table(index);
    if (element >>> 0 >= length) throw new InterpTrap(TrapKind.out_of_bounds_table, `element ${element >>> 0} of table ${index}, which has ${length}`);
    return (element >>> 0) * 2;
  }
}
