// Bytes of memory an access touches, by SSA op. Relies on the op table alone.
import { memoryAccess, opInfo } from "../ir/ops.js";

/** 0 for what is no access of linear memory. */
export const accessBytes: Uint8Array = Uint8Array.from(opInfo, (info) => memoryAccess(info.op)?.bytes ?? 0);
