// The block types that need no entry in the type section: no parameters, and no result or one.
import { Type, type FuncType } from "../../ir/types.js";

export const emptyBlock: FuncType = { params: [], results: [] };

/** By value type; `[Type.none]` is `emptyBlock`. */
export const valueBlocks: readonly FuncType[] = [
  emptyBlock,
  ...[Type.i32, Type.i64, Type.f32, Type.f64, Type.v128, Type.funcref, Type.externref].map((type) => ({ params: [], results: [type] })),
];
