// What the shape word of an instruction says, in words: for the comments of machine IR dumps.
//
//   v24: f64 = addsd v10, v18 imm3=1090     ; [memory + v18], traps out_of_bounds_memory
//   cmp32.br v4? imm=1984 imm3=40961        ; right is imm; if ne
// Relies on the operand order that mops.ts lays down.
import { trapInfo } from "../../ir/layout.js";
import type { MFunc } from "../../ir/machine/mfunc.js";
import { locationName } from "../../ir/machine/names.js";
import { Base, Consumer, Form, M, Shape, compareOp, consumerOf, mops, producerOf, Producer } from "./mops.js";
import { registers } from "./registers.js";

const conditions = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g", "equal and ordered", "different or unordered"];
const bases = ["memory", "vmctx", "", "pool", "outgoing", "incoming", ""];
const names = { registers, mops };

/** Empty where there is nothing to say. */
export function describe(mfn: MFunc, i: number): string {
  const op = mfn.op[i]!;
  const shape = mfn.imm3[i]!;
  const parts: string[] = [];
  const form = shape & Shape.formMask;
  if (form === Form.rm || form === Form.mr || form === Form.mi) parts.push(memory(mfn, i, shape));
  if (op >= M.compare_first && op < compareOp(Producer.count, Consumer.br)) parts.push(condition(op, shape));
  const fault = (shape & Shape.faultMask) >> Shape.faultShift;
  if (fault !== 0) parts.push(`traps ${trapInfo[fault]!.name}`);
  return parts.join(", ");
}

function condition(op: number, shape: number): string {
  const cond = conditions[(shape & Shape.condMask) >> Shape.condShift]!;
  const isFloat = producerOf(op) >= Producer.ucomiss;
  if (consumerOf(op) !== Consumer.trap) return `if ${cond}${isFloat && cond === "a" ? " (greater)" : ""}`;
  const kind = trapInfo[(shape & Shape.trapMask) >> Shape.trapShift]!.name;
  return `if ${cond} trap ${kind}${shape & (Shape.nanCheck32 | Shape.nanCheck64) ? " or invalid_conversion" : ""}`;
}

/** Base and index registers stand behind the op's own operands, before what a trap reports. */
function memory(mfn: MFunc, i: number, shape: number): string {
  const base = (shape & Shape.baseMask) >> Shape.baseShift;
  const hasIndex = (shape & Shape.index) !== 0;
  const reports = (shape & (Shape.trapValue | Shape.nanCheck32 | Shape.nanCheck64)) !== 0 && mfn.op[i]! >= M.compare_first;
  let at = mfn.opndStart[i]! + mfn.opndCount[i]! - (reports ? 1 : 0);
  const next = () => {
    const reg = mfn.opndReg[--at]!;
    return mfn.allocated ? locationName(names, reg) : `v${reg}`;
  };
  const index = hasIndex ? next() : "";
  const terms: string[] = [];
  if (base === Base.reg) terms.push(next());
  else if (base !== Base.none) terms.push(bases[base]!);
  const scale = 1 << ((shape & Shape.scaleMask) >> Shape.scaleShift);
  if (hasIndex) terms.push(scale === 1 ? index : `${index}*${scale}`);
  const disp = mfn.imm2[i]!;
  if (base === Base.pool) return `[pool ${disp}]`;
  const sum = terms.join(" + ");
  return disp === 0 && sum !== "" ? `[${sum}]` : `[${sum}${disp < 0 ? " - " : sum === "" ? "" : " + "}${Math.abs(disp)}]`;
}
