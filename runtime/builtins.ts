// The operations compiled code leaves to JS: arguments in slots, the result in slot 0. A trap has the backtrace of the call site.
import type { FuncIndex } from "../ir/entity.js";
import { InterpTrap } from "../ir/interp-env.js";
import { Builtin, Exec, trapInfo, VmCtx } from "../ir/layout.js";
import { suspendedActivations } from "./backtrace.js";
import type { ExecContext } from "./exec-context.js";
import { holderById } from "./holder.js";
import type { Instance } from "./instance.js";
import { writeWord } from "./native-heap.js";
import { Trap } from "./trap.js";
import { SLOT_WORDS } from "./values.js";

/** @throws Trap */
export function runBuiltin(exec: ExecContext, builtin: Builtin): void {
  const { thread } = exec;
  const id = thread.heap.readU32(exec.field(Exec.callCtx) + VmCtx.instance);
  const instance = thread.current && holderById(thread.current, id)?.instance;
  if (!instance) throw new Error(`builtin ${builtin} was called by something that is no instance (${id})`);
  try {
    perform(exec, instance, builtin);
  } catch (error) {
    throw error instanceof InterpTrap ? new Trap(trapInfo[error.kind].name, error.detail, suspendedActivations(thread)) : error;
  }
}

function perform(exec: ExecContext, instance: Instance, builtin: Builtin): void {
  const { i32, slots } = exec;
  const arg = (i: number) => i32[slots + i * SLOT_WORDS]! >>> 0;
  switch (builtin) {
    case Builtin.memory_grow:
      i32[slots] = instance.memoryGrow(arg(0), arg(1));
      return;
    case Builtin.memory_init:
      instance.memoryInit(arg(0), arg(1), arg(2), arg(3), arg(4));
      return;
    case Builtin.data_drop:
      instance.dataDrop(arg(0));
      return;
    case Builtin.table_grow:
      i32[slots] = instance.tableGrow(arg(0), arg(2), i32[slots + SLOT_WORDS]!, i32[slots + SLOT_WORDS + 1]!);
      return;
    case Builtin.table_fill:
      instance.tableFill(arg(0), arg(1), arg(3), i32[slots + 2 * SLOT_WORDS]!, i32[slots + 2 * SLOT_WORDS + 1]!);
      return;
    case Builtin.table_copy:
      instance.tableCopy(arg(0), arg(1), arg(2), arg(3), arg(4));
      return;
    case Builtin.table_init:
      instance.tableInit(arg(0), arg(1), arg(2), arg(3), arg(4));
      return;
    case Builtin.elem_drop:
      instance.elemDrop(arg(0));
      return;
    case Builtin.compile:
      writeWord(i32, slots, instance.lazyCode.compile(arg(0) as FuncIndex));
      return;
    case Builtin.optimize:
      instance.lazyCode.optimize(arg(0) as FuncIndex);
      return;
    case Builtin.optimize_loop:
      writeWord(i32, slots, instance.lazyCode.optimizeLoop(arg(0)));
      return;
    default:
      throw new Error(`there is no builtin ${builtin as number}`);
  }
}
