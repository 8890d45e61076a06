// What the shape word of an instruction says, in words: for the comments of machine IR dumps.
//
//   v24: f64 = ldrd v18 imm3=1090           ; [memory + v18], traps out_of_bounds_memory
//   cmp32.br v4 imm=1984 imm3=16385         ; if ne
// Relies on the operand order that mops.ts lays down.
import { trapInfo } from "../../ir/layout.js";
import type { MFunc } from "../../ir/machine/mfunc.js";
import { locationName } from "../../ir/machine/names.js";
import { Group, opGroup } from "./mop-forms.js";
import { Base, Consumer, Form, M, Shape, consumerOf, mops } from "./mops.js";
import { condNames, extendNames, shiftNames } from "./opcodes.js";
import { registers } from "./registers.js";

const bases = ["memory", "vmctx", "", "outgoing", "incoming", ""];
const names = { registers, mops };

/** Empty where there is nothing to say. */
export function describe(mfn: MFunc, i: number): string {
  const op = mfn.op[i]!;
  if (op < M.iconst32) return "";
  const shape = mfn.imm3[i]!;
  const parts: string[] = [];
  const access = op < M.compare_first && (opGroup[op] === Group.load || opGroup[op] === Group.store);
  if (access) parts.push(memory(mfn, i, shape));
  else if ((shape & Shape.formMask) === Form.shifted) parts.push(`right ${shiftNames[mfn.imm[i]! >> 6]} ${mfn.imm[i]! & 63}`);
  else if ((shape & Shape.formMask) === Form.extended) parts.push(`right ${extendNames[mfn.imm[i]! >> 6]} ${mfn.imm[i]! & 63}`);
  if (op >= M.compare_first) parts.push(condition(op, shape));
  const fault = (shape & Shape.faultMask) >> Shape.faultShift;
  if (fault !== 0) parts.push(`traps ${trapInfo[fault]!.name}`);
  return parts.join(", ");
}

function condition(op: number, shape: number): string {
  const cond = condNames[(shape & Shape.condMask) >> Shape.condShift]!;
  if (consumerOf(op) !== Consumer.trap) return `if ${cond}`;
  return `if ${cond} trap ${trapInfo[(shape & Shape.trapMask) >> Shape.trapShift]!.name}`;
}

/** Base and index registers stand behind the op's own operands. */
function memory(mfn: MFunc, i: number, shape: number): string {
  const base = (shape & Shape.baseMask) >> Shape.baseShift;
  let at = mfn.opndStart[i]! + mfn.opndCount[i]!;
  const next = () => {
    const reg = mfn.opndReg[--at]!;
    return mfn.allocated ? locationName(names, reg) : `v${reg}`;
  };
  const index = (shape & Shape.index) !== 0 ? next() : "";
  const terms = [base === Base.reg || base === Base.pointer ? next() : bases[base]!];
  const scale = 1 << ((shape & Shape.scaleMask) >> Shape.scaleShift);
  if (index !== "") terms.push(scale === 1 ? index : `${index}*${scale}`);
  const disp = base === Base.pointer ? mfn.imm2[i]! : mfn.imm2[i]! >>> 0;
  return `[${terms.join(" + ")}${disp === 0 ? "" : disp < 0 ? ` - ${-disp}` : ` + ${disp}`}]`;
}
