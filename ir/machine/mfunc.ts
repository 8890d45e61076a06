// One function in machine IR: target operations on virtual registers, then, in the same container, on registers and slots.
//
// Blocks are numbered in layout order and own a contiguous range of instructions. Every operand carries its constraint
// as data, so the register allocator, the verifier and the symbolic checker need no knowledge of any target. Block
// parameters and edge arguments remain until allocation, which turns them into moves (`MOp.move`). Critical edges are
// split: of every edge, the block it leaves has one successor or the block it enters has one predecessor.
// A slot is 8 bytes of the frame; a v128 takes two, the lower even.
import type { FuncIndex } from "../entity.js";
import type { FuncType, Type } from "../types.js";

/** Operations every target has. A target's own start at `MOp.firstTarget`. */
export const enum MOp {
  nop = 0,
  /** def <- use; each a register or a slot; the class follows the register, the width `imm` (a Type). Made by the allocator. */
  move = 1,
  /** Exchanges two registers (parallel-move cycles). Made by the allocator. Two operands, both use and def. */
  swap = 2,
  /** Defines the incoming arguments in their fixed registers. First instruction of the entry block. */
  args = 3,
  firstTarget = 16,
}

/** Bits of `opndInfo`. Timing: a use is read early and a def written late; `flip` makes a use late (its register is shared with no def) or a def early. */
export const enum Opnd {
  use = 0,
  def = 1,
  /** A register of the instruction's own, live through all of it. */
  temp = 2,
  kindMask = 3,
  flip = 4,
  /** Register or slot. */
  any = 0 << 3,
  reg = 1 << 3,
  /** The register in the payload. */
  fixed = 2 << 3,
  /** A def that must get the location of use operand number (payload): two-address forms. */
  same = 3 << 3,
  constraintMask = 7 << 3,
  payloadShift = 6,
}

/** Locations after allocation: registers 0..63 (0-31 integer, 32-63 float), then slots. */
export const FIRST_FLOAT_REG = 32;
export const FIRST_SLOT = 64;

function grown<T extends Int32Array | Uint8Array | Uint16Array>(column: T, capacity: number): T {
  const bigger = new (column.constructor as new (n: number) => T)(capacity);
  bigger.set(column);
  return bigger;
}

export class MFunc {
  // Columns start short (arrays of up to 64 bytes cost V8 little) and double; who knows sizes calls `reserve`.

  // ---- virtual registers ----
  vregCount = 0;
  /** `Type` of the value held: gives class, and width of spills and moves. */
  vregType = new Uint8Array(8);
  /** The SSA value it stands for, NONE for a temporary of lowering. For dumps. */
  vregValue = new Int32Array(8);
  /** A target op without register operands that makes the value again (0: none), with its immediates: spilled for free. */
  rematOp = new Uint16Array(8);
  rematImm = new Int32Array(8);
  rematImm2 = new Int32Array(8);

  // ---- instructions ----
  instCount = 0;
  op = new Uint16Array(8);
  /** What they mean stands in the target's op table. */
  imm = new Int32Array(8);
  imm2 = new Int32Array(8);
  imm3 = new Int32Array(8);
  /** Index into `clobberSets`; 0 is the empty set. */
  clobbers = new Uint8Array(8);
  /** Wasm byte offset, 0 if none. */
  offset = new Int32Array(8);
  opndStart = new Int32Array(8);
  opndCount = new Uint16Array(8);

  // ---- operands ----
  opndLength = 0;
  /** A virtual register; after allocation a location. */
  opndReg = new Int32Array(16);
  opndInfo = new Uint16Array(16);

  // ---- blocks, in layout order; block 0 is the entry ----
  blockCount = 0;
  blockStart = new Int32Array(8);
  blockEnd = new Int32Array(8);
  /** The SSA block it came from. For dumps. */
  blockSource = new Int32Array(8);
  blockLoopDepth = new Uint8Array(8);
  /** 1: seldom runs (ends in a trap, or marked). */
  blockCold = new Uint8Array(8);
  /** 1: header of a loop: some edge enters it from a block at or behind it. */
  blockLoopHeader = new Uint8Array(8);
  /** `lists[paramStart[b] + i]`: virtual registers. Empty after allocation. */
  paramStart = new Int32Array(8);
  paramCount = new Int32Array(8);
  /** `lists[succStart[b] + i]`: edges in the order the terminator names them, distinct. */
  succStart = new Int32Array(8);
  succCount = new Int32Array(8);
  predStart = new Int32Array(8);
  predCount = new Int32Array(8);

  // ---- edges ----
  edgeCount = 0;
  edgeFrom = new Int32Array(8);
  edgeTo = new Int32Array(8);
  /** `lists[edgeArgStart[e] + i]`, as many as the entered block has parameters. */
  edgeArgStart = new Int32Array(8);

  listLength = 0;
  lists = new Int32Array(8);

  /** Registers clobbered, pairs (low: integer registers 0-31, high: float registers 32-63); set 0 is empty. */
  clobberSets: { ints: number; floats: number }[] = [{ ints: 0, floats: 0 }];
  /** Jump tables: each entry is an index into the block's successor list. A terminator's imm names the table. */
  jumpTables: Int32Array[] = [];
  /** Constant pool: 4, 8 or 16 bytes each, without duplicates. An instruction's imm names the entry. */
  constants: Uint8Array[] = [];

  /** Bytes for stack arguments and stack results of calls made, at the low end of the frame. */
  outgoingBytes = 0;
  /** Makes calls of any kind (needs an aligned frame and a stack check). */
  hasCalls = false;
  /** Calls into another instance's code: needs a frame slot for its own context. */
  switchesContext = false;
  /** Offset in the vm-context of the counter that entries and turns of loops take from, -1 if none (VmLayout.counters). */
  counter = -1;

  /** Columns do not grow beyond so many rows: set while a pass runs that may never end. */
  growthLimit = Infinity;

  // ---- after allocation ----
  allocated = false;
  /** Frame slots used, 8 bytes each. */
  slotCount = 0;
  /** Registers written anywhere: the frame plan saves the callee-saved among them. */
  usedInts = 0;
  usedFloats = 0;

  constructor(
    readonly index: FuncIndex,
    readonly sig: FuncType,
    readonly name: string | undefined = undefined,
  ) {}

  /** Room for so many virtual registers and blocks, before any is made. */
  reserve(vregs: number, blocks: number): void {
    this.vregType = new Uint8Array(vregs);
    this.vregValue = new Int32Array(vregs);
    this.rematOp = new Uint16Array(vregs);
    this.rematImm = new Int32Array(vregs);
    this.rematImm2 = new Int32Array(vregs);
    this.blockStart = new Int32Array(blocks);
    this.blockEnd = new Int32Array(blocks);
    this.blockSource = new Int32Array(blocks);
    this.blockLoopDepth = new Uint8Array(blocks);
    this.blockCold = new Uint8Array(blocks);
    this.blockLoopHeader = new Uint8Array(blocks);
    this.paramStart = new Int32Array(blocks);
    this.paramCount = new Int32Array(blocks);
    this.succStart = new Int32Array(blocks);
    this.succCount = new Int32Array(blocks);
    this.predStart = new Int32Array(blocks);
    this.predCount = new Int32Array(blocks);
  }

  newVreg(type: Type, value = -1): number {
    const r = this.vregCount++;
    if (r === this.vregType.length) {
      const n = this.roomFor(r * 2);
      this.vregType = grown(this.vregType, n);
      this.vregValue = grown(this.vregValue, n);
      this.rematOp = grown(this.rematOp, n);
      this.rematImm = grown(this.rematImm, n);
      this.rematImm2 = grown(this.rematImm2, n);
    }
    this.vregType[r] = type;
    this.vregValue[r] = value;
    return r;
  }

  setRemat(vreg: number, op: number, imm = 0, imm2 = 0): void {
    this.rematOp[vreg] = op;
    this.rematImm[vreg] = imm;
    this.rematImm2[vreg] = imm2;
  }

  /** Starts an instruction; `operand` adds to the newest one. Returns its index. */
  inst(op: number, imm = 0, imm2 = 0, imm3 = 0, offset = 0): number {
    const i = this.instCount++;
    if (i === this.op.length) this.growInsts();
    this.op[i] = op;
    this.imm[i] = imm;
    this.imm2[i] = imm2;
    this.imm3[i] = imm3;
    this.clobbers[i] = 0;
    this.offset[i] = offset;
    this.opndStart[i] = this.opndLength;
    this.opndCount[i] = 0;
    return i;
  }

  operand(reg: number, info: number): void {
    const at = this.opndLength++;
    if (at === this.opndReg.length) {
      this.opndReg = grown(this.opndReg, this.roomFor(at * 2));
      this.opndInfo = grown(this.opndInfo, at * 2);
    }
    this.opndReg[at] = reg;
    this.opndInfo[at] = info;
    this.opndCount[this.instCount - 1]!++;
  }

  /** Index of a clobber set, shared when equal. */
  clobberSet(ints: number, floats: number): number {
    const sets = this.clobberSets;
    for (let i = 0; i < sets.length; i++) if (sets[i]!.ints === ints && sets[i]!.floats === floats) return i;
    return sets.push({ ints, floats }) - 1;
  }

  /** A block at the end of the layout, without instructions. */
  newBlock(source: number, loopDepth: number, cold: boolean): number {
    const b = this.blockCount++;
    if (b === this.blockStart.length) this.growBlocks();
    this.blockSource[b] = source;
    this.blockLoopDepth[b] = loopDepth;
    this.blockCold[b] = cold ? 1 : 0;
    return b;
  }

  newEdge(from: number, to: number, argStart: number): number {
    const e = this.edgeCount++;
    if (e === this.edgeFrom.length) {
      this.edgeFrom = grown(this.edgeFrom, this.roomFor(e * 2));
      this.edgeTo = grown(this.edgeTo, e * 2);
      this.edgeArgStart = grown(this.edgeArgStart, e * 2);
    }
    this.edgeFrom[e] = from;
    this.edgeTo[e] = to;
    this.edgeArgStart[e] = argStart;
    return e;
  }

  /** Room for `length` ids in `lists`; returns its start. */
  newList(length: number): number {
    const start = this.listLength;
    this.listLength += length;
    if (this.listLength > this.lists.length) this.lists = grown(this.lists, Math.max(this.roomFor(this.listLength), this.lists.length * 2));
    return start;
  }

  /** Fills the predecessor lists, and `blockLoopHeader`, from the edges. */
  linkPreds(): void {
    for (let b = 0; b < this.blockCount; b++) this.predCount[b] = 0;
    for (let e = 0; e < this.edgeCount; e++) this.predCount[this.edgeTo[e]!]!++;
    for (let b = 0; b < this.blockCount; b++) {
      this.predStart[b] = this.newList(this.predCount[b]!);
      this.predCount[b] = 0;
      this.blockLoopHeader[b] = 0;
    }
    for (let e = 0; e < this.edgeCount; e++) {
      const to = this.edgeTo[e]!;
      this.lists[this.predStart[to]! + this.predCount[to]!++] = e;
      if (this.edgeFrom[e]! >= to) this.blockLoopHeader[to] = 1;
    }
  }

  /** Index of an equal constant in the pool, or of a new one. `bytes`: 4, 8 or 16. */
  constant(bytes: Uint8Array): number {
    const key = String.fromCharCode(...bytes);
    const known = this.constantIndex.get(key);
    if (known !== undefined) return known;
    const index = this.constants.push(bytes) - 1;
    this.constantIndex.set(key, index);
    return index;
  }
  private constantIndex = new Map<string, number>();

  private roomFor(rows: number): number {
    if (rows > this.growthLimit) throw new Error(`@${this.index} grows beyond ${this.growthLimit} rows: does the pass end?`);
    return rows;
  }

  private growInsts(): void {
    const n = this.roomFor(this.op.length * 2);
    this.op = grown(this.op, n);
    this.imm = grown(this.imm, n);
    this.imm2 = grown(this.imm2, n);
    this.imm3 = grown(this.imm3, n);
    this.clobbers = grown(this.clobbers, n);
    this.offset = grown(this.offset, n);
    this.opndStart = grown(this.opndStart, n);
    this.opndCount = grown(this.opndCount, n);
  }

  private growBlocks(): void {
    const n = this.roomFor(this.blockStart.length * 2);
    this.blockStart = grown(this.blockStart, n);
    this.blockEnd = grown(this.blockEnd, n);
    this.blockSource = grown(this.blockSource, n);
    this.blockLoopDepth = grown(this.blockLoopDepth, n);
    this.blockCold = grown(this.blockCold, n);
    this.blockLoopHeader = grown(this.blockLoopHeader, n);
    this.paramStart = grown(this.paramStart, n);
    this.paramCount = grown(this.paramCount, n);
    this.succStart = grown(this.succStart, n);
    this.succCount = grown(this.succCount, n);
    this.predStart = grown(this.predStart, n);
    this.predCount = grown(this.predCount, n);
  }
}
