// Machine IR to text. `parse.ts` reads it back; `print(parse(print(x)))` is `print(x)`, byte for byte.
//
//   mfunc @3 "sum" (i32) -> i32 {
//     clobbers 1 = ra rb fa              sets of registers, numbered as instructions name them
//     constant 0 = "\00\00\80?"            the pool
//     table 0 = [0, 1, 0]                  successor numbers; the default last
//     remat v4 = iconst32 imm=7            how to make a value again
//   b0 <- b0: loop=1 cold                  block, the SSA block it came from
//     v3: i32 = add32 v1, v2? imm3=1       defs left, other operands right
//     jmp -> b1(v3)                        successors with arguments
// Operands: `v2` must be in a register, `v2?` may be in a slot, `v2!rb` is fixed, `=0` ties a def to operand 0, `v2'` has the
// timing flipped, `~v5` is a temporary, `def v6` a def that does not stand first. After allocation locations stand for `v`s.
import type { MFunc } from "./mfunc.js";
import { Opnd } from "./mfunc.js";
import { locationName, registersOf, type MachineNames } from "./names.js";
import { printFuncType, typeName, type Type } from "../types.js";
import { joinLines, quoteBytes, quoteName, type Line } from "../text.js";

export interface MachinePrintOptions {
  /** `!0x31`: Wasm byte offsets. Default true. */
  offsets?: boolean;
  /** What to say behind `;` of instruction `i`: a target or a dump knows more than this file. */
  comment?(mfn: MFunc, i: number): string;
}

const OFFSET_COLUMN = 56;
const COMMENT_COLUMN = 66;

/** One function. Ends in a newline. */
export function printMFunc(mfn: MFunc, names: MachineNames, options: MachinePrintOptions = {}): string {
  return joinLines(printMFuncLines(mfn, names, options));
}

/** The same, line by line. */
export function printMFuncLines(mfn: MFunc, names: MachineNames, options: MachinePrintOptions = {}): Line[] {
  const out: Line[] = [];
  const push = (text: string, block = -1, inst = -1, offset = 0) => out.push({ text, block, inst, offset });
  const name = mfn.name === undefined ? "" : ` ${quoteName(mfn.name)}`;
  push(`mfunc @${mfn.index}${name} ${printFuncType(mfn.sig)} {`);
  for (const line of headerLines(mfn, names)) push(line);
  for (let b = 0; b < mfn.blockCount; b++) {
    push(blockLine(mfn, b), b);
    for (let i = mfn.blockStart[b]!; i < mfn.blockEnd[b]!; i++) {
      const offset = mfn.offset[i]! >>> 0;
      let line = "  " + printMInst(mfn, i, names);
      if (i === mfn.blockEnd[b]! - 1 && mfn.succCount[b]! > 0) line += ` -> ${successors(mfn, b)}`;
      if (options.offsets !== false && offset !== 0) line = `${line.padEnd(OFFSET_COLUMN)} !0x${offset.toString(16)}`;
      const comment = options.comment?.(mfn, i) ?? "";
      push(comment === "" ? line : `${line.padEnd(COMMENT_COLUMN)} ; ${comment}`, b, i, offset);
    }
  }
  push("}");
  return out;
}

function headerLines(mfn: MFunc, names: MachineNames): string[] {
  const out: string[] = [];
  const facts: string[] = [];
  if (mfn.hasCalls) facts.push("calls");
  if (mfn.switchesContext) facts.push("switches_context");
  if (mfn.outgoingBytes > 0) facts.push(`outgoing=${mfn.outgoingBytes}`);
  if (mfn.allocated) facts.push(`slots=${mfn.slotCount}`);
  if (facts.length > 0) out.push(`  frame ${facts.join(" ")}`);
  if (mfn.allocated) out.push(`  used ${registersOf(names, mfn.usedInts, mfn.usedFloats).join(" ")}`.trimEnd());
  for (let i = 1; i < mfn.clobberSets.length; i++) {
    const { ints, floats } = mfn.clobberSets[i]!;
    out.push(`  clobbers ${i} = ${registersOf(names, ints, floats).join(" ")}`);
  }
  for (let i = 0; i < mfn.constants.length; i++) out.push(`  constant ${i} = ${quoteBytes(mfn.constants[i]!)}`);
  for (let i = 0; i < mfn.jumpTables.length; i++) out.push(`  table ${i} = [${mfn.jumpTables[i]!.join(", ")}]`);
  if (mfn.allocated) return out;
  for (let v = 0; v < mfn.vregCount; v++) {
    const op = mfn.rematOp[v]!;
    if (op !== 0) out.push(`  remat v${v} = ${opName(names, op)}${immediates(mfn.rematImm[v]!, mfn.rematImm2[v]!, 0)}`);
  }
  return out;
}

function blockLine(mfn: MFunc, b: number): string {
  let line = `b${b}`;
  const start = mfn.paramStart[b]!;
  const params: string[] = [];
  for (let i = 0; i < mfn.paramCount[b]!; i++) {
    const v = mfn.lists[start + i]!;
    params.push(`v${v}: ${typeName(mfn.vregType[v]! as Type)}`);
  }
  if (params.length > 0) line += `(${params.join(", ")})`;
  line += ` <- b${mfn.blockSource[b]}:`;
  if (mfn.blockLoopDepth[b]! > 0) line += ` loop=${mfn.blockLoopDepth[b]}`;
  if (mfn.blockCold[b]) line += " cold";
  return line;
}

function successors(mfn: MFunc, b: number): string {
  const texts: string[] = [];
  for (let i = 0; i < mfn.succCount[b]!; i++) {
    const e = mfn.lists[mfn.succStart[b]! + i]!;
    const to = mfn.edgeTo[e]!;
    const args: string[] = [];
    for (let k = 0; k < mfn.paramCount[to]!; k++) args.push(`v${mfn.lists[mfn.edgeArgStart[e]! + k]}`);
    texts.push(args.length > 0 ? `b${to}(${args.join(", ")})` : `b${to}`);
  }
  return texts.join(", ");
}

/** One instruction without indentation, offset and successors. */
export function printMInst(mfn: MFunc, i: number, names: MachineNames): string {
  const start = mfn.opndStart[i]!;
  const end = start + mfn.opndCount[i]!;
  let at = start;
  const defs: string[] = [];
  while (at < end && (mfn.opndInfo[at]! & Opnd.kindMask) === Opnd.def) defs.push(operandText(mfn, at++, names));
  const rest: string[] = [];
  for (; at < end; at++) {
    const kind = mfn.opndInfo[at]! & Opnd.kindMask;
    rest.push((kind === Opnd.def ? "def " : kind === Opnd.temp ? "~" : "") + operandText(mfn, at, names));
  }
  const left = defs.length > 0 ? `${defs.join(", ")} = ` : "";
  const clobbers = mfn.clobbers[i] === 0 ? "" : ` clobbers=${mfn.clobbers[i]}`;
  return `${left}${opName(names, mfn.op[i]!)}${rest.length > 0 ? " " + rest.join(", ") : ""}${immediates(mfn.imm[i]!, mfn.imm2[i]!, mfn.imm3[i]!)}${clobbers}`;
}

/** `v3`, with `: i32` where it is made, and its constraint. */
function operandText(mfn: MFunc, at: number, names: MachineNames): string {
  const reg = mfn.opndReg[at]!;
  const info = mfn.opndInfo[at]!;
  let text = mfn.allocated ? locationName(names, reg) : `v${reg}`;
  if (!mfn.allocated && (info & Opnd.kindMask) !== Opnd.use) text += `: ${typeName(mfn.vregType[reg]! as Type)}`;
  const payload = info >> Opnd.payloadShift;
  switch (info & Opnd.constraintMask) {
    case Opnd.any:
      text += "?";
      break;
    case Opnd.fixed:
      text += `!${locationName(names, payload)}`;
      break;
    case Opnd.same:
      text += `=${payload}`;
      break;
  }
  return info & Opnd.flip ? text + "'" : text;
}

function immediates(imm: number, imm2: number, imm3: number): string {
  return (imm === 0 ? "" : ` imm=${imm}`) + (imm2 === 0 ? "" : ` imm2=${imm2}`) + (imm3 === 0 ? "" : ` imm3=${imm3}`);
}

function opName(names: MachineNames, op: number): string {
  return names.mops[op]?.name ?? `op?${op}`;
}
