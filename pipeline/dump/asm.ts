// One function's machine code as a disassembly: labels, Wasm offsets, and beside each line what its numbers mean.
//
// The disassembler is the target's, loaded on demand; names come from the code's own tables (relocations, traps, source map)
// and from the vm-context's layout. Branch targets within the function become labels.
import type { DisassembledInst, Disassembler, Target } from "../../backends/target.js";
import type { FuncCode } from "../../ir/code.js";
import type { FuncIndex } from "../../ir/entity.js";
import { trapInfo, type VmLayout } from "../../ir/layout.js";
import type { Module } from "../../ir/module.js";
import { joinLines, type Line } from "../../ir/text.js";
import { contextFields } from "./fields.js";
import { funcLabel } from "./wasm.js";

const TEXT_COLUMN = 46;

/** The target's disassembler, loaded. Throws where the target has none. */
export async function loadDisassembler(target: Target): Promise<Disassembler> {
  if (!target.loadDisassembler) throw new Error(`there is no disassembler for ${target.name}`);
  return target.loadDisassembler();
}

export function printAsm(code: FuncCode, module: Module, layout: VmLayout, target: Target, disassembler: Disassembler): string {
  return joinLines(printAsmLines(code, module, layout, target, disassembler));
}

export interface AsmOptions {
  /** Whether comments say the Wasm offsets. Default true. */
  readonly offsets?: boolean;
  /** Whether lines begin with their position in the code. Default true. */
  readonly positions?: boolean;
}

/** The same, line by line; every instruction has the offset that its range of code came from. */
export function printAsmLines(
  code: FuncCode,
  module: Module,
  layout: VmLayout,
  target: Target,
  disassembler: Disassembler,
  options: AsmOptions = {},
): Line[] {
  const rows = disassembler.disassemble(code.bytes);
  const comments = new Comments(code, module, layout, target, options.offsets !== false);
  const jumps = (row: DisassembledInst) => isBranch.test(row.text) && comments.callee(row) === undefined;
  const labels = branchTargets(rows.filter(jumps), new Set(rows.map((row) => row.offset)));
  const out: Line[] = [];
  const push = (text: string, inst = -1, offset = 0) => out.push({ text, block: -1, inst, offset });
  push(`code ${funcLabel(module, code.func as FuncIndex)}   ; ${target.name}, ${code.bytes.length} bytes, frame of ${code.frameBytes}`);
  let offset = 0;
  let source = 0;
  rows.forEach((row, i) => {
    for (; source < code.source.length && code.source[source]! <= row.offset; source += 2) offset = code.source[source + 1]! >>> 0;
    const label = labels.get(row.offset);
    if (label !== undefined) push(`${label}:`);
    const text = row.text.replace(branch, (whole, head: string, address: string) => {
      const name = jumps(row) ? labels.get(Number(address)) : undefined;
      return name === undefined ? whole : head + name;
    });
    const comment = comments.of(row, rows[i - 1], rows[i + 1]);
    const line = options.positions === false ? `  ${text}` : `  ${row.offset.toString(16).padStart(5)}  ${text}`;
    push(comment === "" ? line : `${line.padEnd(TEXT_COLUMN)} ; ${comment}`, row.offset, offset);
  });
  return out;
}

/** A branch with one absolute target as its last operand. */
const branch = /^([a-z][a-z.]*\s+(?:[^[\]]*,\s*)?#?)(0x[0-9a-f]+|\d+)$/;
/** Of these mnemonics the last operand is a position: j.., b.., cb.., tb.., loop... */
const isBranch = /^(j|b|cb|tb|loop)/;

/** Labels in order of position. @param starts positions of instructions: a number that is none is no target. */
function branchTargets(branches: readonly DisassembledInst[], starts: ReadonlySet<number>): Map<number, string> {
  const targets = new Set<number>();
  for (const row of branches) {
    const found = branch.exec(row.text);
    if (found && starts.has(Number(found[2]))) targets.add(Number(found[2]));
  }
  return new Map([...targets].sort((a, b) => a - b).map((offset, i) => [offset, `L${i}`]));
}

class Comments {
  private readonly fields: ReadonlyMap<number, string>;
  private readonly context: RegExp | undefined;
  private readonly trapAt = new Map<number, string>();
  private readonly offsetAt = new Map<number, number>();
  /** Ascending by position. */
  private readonly relocs: Int32Array;

  constructor(
    code: FuncCode,
    private readonly module: Module,
    layout: VmLayout,
    target: Target,
    private readonly offsets: boolean,
  ) {
    this.relocs = code.relocs;
    this.fields = contextFields(module, layout);
    const register = target.contextRegister;
    this.context = register === undefined ? undefined : new RegExp(`\\[${register}(?:(?: \\+ |, #)(0x[0-9a-f]+|\\d+))?\\]`);
    for (let i = 0; i < code.traps.length; i += 3) {
      const at = code.traps[i + 2]!;
      this.trapAt.set(code.traps[i]!, `traps ${trapInfo[code.traps[i + 1]!]!.name}${at === 0 ? "" : ` !0x${at.toString(16)}`}`);
    }
    for (let i = 0; i < code.source.length; i += 2) this.offsetAt.set(code.source[i]!, code.source[i + 1]!);
  }

  /** The function an instruction calls directly. */
  callee(row: DisassembledInst): number | undefined {
    let low = 0;
    let high = this.relocs.length / 3;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.relocs[middle * 3]! < row.offset) low = middle + 1;
      else high = middle;
    }
    return low * 3 < this.relocs.length && this.relocs[low * 3]! < row.offset + row.bytes.length ? this.relocs[low * 3 + 2] : undefined;
  }

  of(row: DisassembledInst, before: DisassembledInst | undefined, next: DisassembledInst | undefined): string {
    const parts: string[] = [];
    const offset = this.offsetAt.get(row.offset);
    if (this.offsets && offset !== undefined && offset !== 0) parts.push(`!0x${offset.toString(16)}`);
    const callee = this.callee(row);
    if (callee !== undefined) parts.push(funcLabel(this.module, callee as FuncIndex));
    const field = this.field(row);
    if (field !== undefined) parts.push(field);
    // A trap that code reports by a call is known by that call's return address.
    const reported = field === "trap exit";
    const trap = reported ? this.trapAt.get(next?.offset ?? row.offset + row.bytes.length) : this.fieldIsTrapExit(before) ? undefined : this.trapAt.get(row.offset);
    if (trap !== undefined) parts.push(trap);
    return parts.join("  ");
  }

  private field(row: DisassembledInst): string | undefined {
    const found = this.context?.exec(row.text);
    return found ? this.fields.get(Number(found[1] ?? 0)) : undefined;
  }

  private fieldIsTrapExit(row: DisassembledInst | undefined): boolean {
    return row !== undefined && this.field(row) === "trap exit";
  }
}
