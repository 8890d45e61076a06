// A table by SSA op: what an operation's one instruction is, on some target.
import { Op } from "../../ir/ops.js";

/** Indexed by op; 0 where no row says otherwise. */
export function byOp(rows: readonly (readonly [Op, number])[]): Int32Array {
  const table = new Int32Array(Op.count);
  for (const [op, form] of rows) table[op] = form;
  return table;
}
