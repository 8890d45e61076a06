// Machine functions in few bytes, for pages whose machine IR passes of the user have changed: those cannot be made again there.
import type { FuncIndex } from "../../ir/entity.js";
import { MFunc } from "../../ir/machine/mfunc.js";
import type { FuncType } from "../../ir/types.js";
import { mfuncShape, type Column } from "../snapshot.js";
import type { ByteReader, ByteWriter } from "./bytes.js";

type Fields = Record<string, unknown>;
const counts = [...new Set(mfuncShape.columns.map((column) => column.count))];
const flags = ["outgoingBytes", "hasCalls", "switchesContext"] as const;

/** A function before allocation. */
export function writeMFunc(out: ByteWriter, mfn: MFunc): void {
  const fields = mfn as unknown as Fields;
  for (const count of counts) out.count(fields[count] as number);
  for (const { name, count } of mfuncShape.columns) {
    const column = fields[name] as Column;
    out.differences(fields[count] as number, (row) => column[row]!, (row) => (row === 0 ? 0 : column[row - 1]!));
  }
  for (const flag of flags) out.count(Number(mfn[flag]));
  out.text(JSON.stringify([mfn.clobberSets, mfn.jumpTables.map((table) => [...table]), mfn.constants.map((bytes) => [...bytes])]));
}

export function readMFunc(input: ByteReader, index: FuncIndex, sig: FuncType, name: string | undefined): MFunc {
  const mfn = new MFunc(index, sig, name);
  const fields = mfn as unknown as Fields;
  for (const count of counts) fields[count] = input.count();
  for (const { name: column, count, kind } of mfuncShape.columns) {
    const rows = new kind(fields[count] as number);
    input.differences(rows.length, (row, x) => (rows[row] = x), (row) => (row === 0 ? 0 : rows[row - 1]!));
    fields[column] = rows;
  }
  mfn.outgoingBytes = input.count();
  mfn.hasCalls = input.count() === 1;
  mfn.switchesContext = input.count() === 1;
  const [clobberSets, jumpTables, constants] = JSON.parse(input.text()) as [MFunc["clobberSets"], number[][], number[][]];
  mfn.clobberSets = clobberSets;
  mfn.jumpTables = jumpTables.map((table) => Int32Array.from(table));
  mfn.constants = constants.map((bytes) => Uint8Array.from(bytes));
  return mfn;
}
