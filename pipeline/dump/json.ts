// IR as data: the same facts as the text dumps, for programs.
//
// Ids are numbers (the 8 of `v8`, `b8`), offsets are Wasm byte offsets or absent, `text` is the line as the printers have it.
// Registers and slots are named as in text. Linear in what is dumped; nothing recurses.
import type { Disassembler, Target } from "../../backends/target.js";
import { computeDom } from "../../ir/analysis/dom.js";
import { computeLoops, isHeader } from "../../ir/analysis/loops.js";
import type { FuncCode } from "../../ir/code.js";
import { NONE, type Block, type Edge, type Value } from "../../ir/entity.js";
import type { Func } from "../../ir/func.js";
import { trapInfo } from "../../ir/layout.js";
import { Opnd, type MFunc } from "../../ir/machine/mfunc.js";
import { locationName } from "../../ir/machine/names.js";
import { printMInst } from "../../ir/machine/print.js";
import type { Module } from "../../ir/module.js";
import { opInfo } from "../../ir/ops.js";
import { printInst } from "../../ir/print.js";
import { printFuncType, Type, typeName } from "../../ir/types.js";

export interface TargetJson {
  readonly block: number;
  readonly args: readonly number[];
}

export interface InstJson {
  /** Absent where the instruction has no result. */
  readonly value?: number;
  readonly op: string;
  readonly type?: string;
  readonly args: readonly number[];
  /** Where a terminator goes. */
  readonly targets?: readonly TargetJson[];
  readonly offset?: number;
  readonly text: string;
}

export interface BlockJson {
  readonly block: number;
  readonly params: readonly { readonly value: number; readonly type: string }[];
  readonly preds: readonly number[];
  /** Absent for the entry and for unreachable blocks. */
  readonly idom?: number;
  readonly loopDepth: number;
  readonly loopHeader: boolean;
  readonly insts: readonly InstJson[];
}

export interface FuncJson {
  readonly func: number;
  readonly name?: string;
  readonly type: string;
  readonly blocks: readonly BlockJson[];
}

/** An SSA function that verifies. */
export function funcJson(fn: Func): FuncJson {
  const dom = computeDom(fn);
  const loops = computeLoops(fn, dom);
  const blocks: BlockJson[] = [];
  for (let b = fn.firstBlock as Block; b !== NONE; b = fn.blockNext[b]! as Block) {
    const preds: number[] = [];
    for (let e = fn.firstPred[b]!; e !== NONE; e = fn.edgeNextPred[e]!) preds.push(fn.edgeFrom[e]!);
    const insts: InstJson[] = [];
    for (let v = fn.firstInst[b]! as Value; v !== NONE; v = fn.next[v]! as Value) insts.push(instJson(fn, v));
    const idom = dom.idom[b]!;
    blocks.push({
      block: b,
      params: Array.from({ length: fn.paramCount[b]! }, (_, i) => ({ value: fn.param(b, i), type: typeName(fn.type[fn.param(b, i)]! as Type) })),
      preds,
      ...(idom !== NONE && { idom }),
      loopDepth: loops.blockDepth[b]!,
      loopHeader: isHeader(loops, b),
      insts,
    });
  }
  return { func: fn.index, ...(fn.name !== undefined && { name: fn.name }), type: printFuncType(fn.sig), blocks };
}

function instJson(fn: Func, v: Value): InstJson {
  const type = fn.type[v]! as Type;
  const targets = Array.from({ length: fn.targetCount(v) }, (_, i): TargetJson => {
    const e = fn.targetEdge(v, i) as Edge;
    return { block: fn.edgeTo[e]!, args: Array.from({ length: fn.edgeArgCount[e]! }, (_, k) => fn.edgeArg(e, k)) };
  });
  return {
    ...(type !== Type.none && { value: v, type: typeName(type) }),
    op: opInfo[fn.op[v]!]!.name,
    args: Array.from({ length: fn.argCount[v]! }, (_, i) => fn.arg(v, i)),
    ...(targets.length > 0 && { targets }),
    ...(fn.offset[v] !== 0 && { offset: fn.offset[v]! >>> 0 }),
    text: printInst(fn, v),
  };
}

export interface OperandJson {
  readonly kind: "use" | "def" | "temp";
  /** A virtual register `v8`, or a register or slot. */
  readonly at: string;
}

export interface MFuncJson {
  readonly func: number;
  readonly name?: string;
  readonly type: string;
  readonly allocated: boolean;
  readonly slots: number;
  readonly blocks: readonly {
    readonly block: number;
    /** The SSA block it came from. */
    readonly source: number;
    readonly params: readonly string[];
    readonly loopDepth: number;
    readonly cold: boolean;
    readonly targets: readonly { readonly block: number; readonly args: readonly string[] }[];
    readonly insts: readonly { readonly op: string; readonly operands: readonly OperandJson[]; readonly offset?: number; readonly text: string }[];
  }[];
}

export function mfuncJson(mfn: MFunc, target: Target): MFuncJson {
  const list = (start: number, count: number) => Array.from({ length: count }, (_, i) => `v${mfn.lists[start + i]}`);
  const kinds = { [Opnd.use]: "use", [Opnd.def]: "def", [Opnd.temp]: "temp" } as const;
  return {
    func: mfn.index,
    ...(mfn.name !== undefined && { name: mfn.name }),
    type: printFuncType(mfn.sig),
    allocated: mfn.allocated,
    slots: mfn.slotCount,
    blocks: Array.from({ length: mfn.blockCount }, (_, b) => ({
      block: b,
      source: mfn.blockSource[b]!,
      params: list(mfn.paramStart[b]!, mfn.paramCount[b]!),
      loopDepth: mfn.blockLoopDepth[b]!,
      cold: mfn.blockCold[b] === 1,
      targets: Array.from({ length: mfn.succCount[b]! }, (_, i) => {
        const e = mfn.lists[mfn.succStart[b]! + i]!;
        const to = mfn.edgeTo[e]!;
        return { block: to, args: list(mfn.edgeArgStart[e]!, mfn.paramCount[to]!) };
      }),
      insts: Array.from({ length: mfn.blockEnd[b]! - mfn.blockStart[b]! }, (_, k) => {
        const i = mfn.blockStart[b]! + k;
        return {
          op: target.mops[mfn.op[i]!]!.name,
          operands: Array.from({ length: mfn.opndCount[i]! }, (_, n): OperandJson => {
            const at = mfn.opndStart[i]! + n;
            const reg = mfn.opndReg[at]!;
            return { kind: kinds[(mfn.opndInfo[at]! & Opnd.kindMask) as keyof typeof kinds], at: mfn.allocated ? locationName(target, reg) : `v${reg}` };
          }),
          ...(mfn.offset[i] !== 0 && { offset: mfn.offset[i]! >>> 0 }),
          text: printMInst(mfn, i, target),
        };
      }),
    })),
  };
}

export interface CodeJson {
  readonly func: number;
  readonly name?: string;
  readonly target: string;
  readonly bytes: number;
  readonly frameBytes: number;
  /** `position`: byte in the function's code. `offset`: Wasm byte offset that the instruction and those behind it came from. */
  readonly insts: readonly { readonly position: number; readonly text: string; readonly hex: string; readonly offset?: number; readonly trap?: string; readonly calls?: number }[];
}

export function codeJson(code: FuncCode, module: Module, target: Target, disassembler: Disassembler): CodeJson {
  const offsets = new Map<number, number>();
  for (let i = 0; i < code.source.length; i += 2) offsets.set(code.source[i]!, code.source[i + 1]!);
  const traps = new Map<number, string>();
  for (let i = 0; i < code.traps.length; i += 3) traps.set(code.traps[i]!, trapInfo[code.traps[i + 1]!]!.name);
  let reloc = 0;
  const insts = disassembler.disassemble(code.bytes).map(({ offset: position, text, bytes }) => {
    while (reloc < code.relocs.length && code.relocs[reloc]! < position) reloc += 3;
    const calls = reloc < code.relocs.length && code.relocs[reloc]! < position + bytes.length ? code.relocs[reloc + 2] : undefined;
    const offset = offsets.get(position);
    const trap = traps.get(position);
    return {
      position,
      text,
      hex: Buffer.from(bytes).toString("hex"),
      ...(offset !== undefined && offset !== 0 && { offset }),
      ...(trap !== undefined && { trap }),
      ...(calls !== undefined && { calls }),
    };
  });
  const name = module.funcs[code.func]?.name;
  return { func: code.func, ...(name !== undefined && { name }), target: target.name, bytes: code.bytes.length, frameBytes: code.frameBytes, insts };
}
