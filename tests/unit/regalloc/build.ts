// Hand-written machine functions for the allocator's tests: blocks of instructions, in a few words.
import { MFunc, Opnd } from "../../../ir/machine/mfunc.js";
import type { Type } from "../../../ir/types.js";
import type { FuncIndex } from "../../../ir/entity.js";

/** `[vreg, info]`: see Opnd. */
export type Operand = readonly [vreg: number, info: number];

export const use = (v: number): Operand => [v, Opnd.use | Opnd.reg];
export const useAny = (v: number): Operand => [v, Opnd.use | Opnd.any];
export const useLate = (v: number): Operand => [v, Opnd.use | Opnd.reg | Opnd.flip];
export const useFixed = (v: number, r: number): Operand => [v, Opnd.use | Opnd.fixed | (r << Opnd.payloadShift)];
export const def = (v: number): Operand => [v, Opnd.def | Opnd.reg];
export const defEarly = (v: number): Operand => [v, Opnd.def | Opnd.reg | Opnd.flip];
export const defFixed = (v: number, r: number): Operand => [v, Opnd.def | Opnd.fixed | (r << Opnd.payloadShift)];
export const defSame = (v: number, k: number): Operand => [v, Opnd.def | Opnd.same | (k << Opnd.payloadShift)];
export const temp = (v: number): Operand => [v, Opnd.temp | Opnd.reg];

export class Builder {
  readonly mfn = new MFunc(0 as FuncIndex, { params: [], results: [] }, "built");
  private readonly edges: { from: number; to: number; args: number[] }[] = [];
  private readonly params: number[][] = [];

  vregs(count: number, type: Type): number[] {
    return Array.from({ length: count }, () => this.mfn.newVreg(type));
  }

  block(params: number[] = [], depth = 0, cold = false): number {
    const b = this.mfn.newBlock(this.mfn.blockCount, depth, cold);
    this.mfn.blockStart[b] = this.mfn.instCount;
    this.mfn.blockEnd[b] = this.mfn.instCount;
    this.params.push(params);
    return b;
  }

  /** Appends to the newest block. */
  inst(op: number, ...operands: Operand[]): number {
    const i = this.mfn.inst(op);
    for (const [v, info] of operands) this.mfn.operand(v, info);
    this.mfn.blockEnd[this.mfn.blockCount - 1] = this.mfn.instCount;
    return i;
  }

  /** An instruction that clobbers the registers of the masks. */
  call(op: number, ints: number, floats: number, ...operands: Operand[]): number {
    const i = this.inst(op, ...operands);
    this.mfn.clobbers[i] = this.mfn.clobberSet(ints, floats);
    this.mfn.hasCalls = true;
    return i;
  }

  edge(from: number, to: number, args: number[] = []): void {
    this.edges.push({ from, to, args });
  }

  done(): MFunc {
    const { mfn } = this;
    for (let b = 0; b < mfn.blockCount; b++) {
      mfn.paramStart[b] = mfn.newList(this.params[b].length);
      mfn.paramCount[b] = this.params[b].length;
      this.params[b].forEach((p, i) => (mfn.lists[mfn.paramStart[b] + i] = p));
    }
    const bySource: { from: number; to: number; args: number[] }[][] = Array.from({ length: mfn.blockCount }, () => []);
    for (const e of this.edges) bySource[e.from].push(e);
    for (let b = 0; b < mfn.blockCount; b++) {
      mfn.succStart[b] = mfn.newList(bySource[b].length);
      mfn.succCount[b] = bySource[b].length;
      bySource[b].forEach((e, i) => {
        const args = mfn.newList(e.args.length);
        e.args.forEach((v, k) => (mfn.lists[args + k] = v));
        mfn.lists[mfn.succStart[b] + i] = mfn.newEdge(b, e.to, args);
      });
    }
    mfn.linkPreds();
    return mfn;
  }
}
