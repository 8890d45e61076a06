// Moves computations that do not change inside a loop before it.
//
// Before: b1(v2): .. v5 = f64.const 0.25; v6 = i32.mul v0, v1; .. br_if v9, b1(v7), b2    (v0, v1 from outside)
// After:  v5 and v6 at the end of the block from which b1 is entered; where that block has other ways out, of a new one between.
// As far out as the operands allow. Only what can do nothing but make a value: nothing that may trap, no loads; globals that
// the loop does not write. Only from blocks every round of the loop passes (of small loops, from any block): a large switch
// in a loop would else hold a register for each of its cases. Compares stay, they are part of a branch or select, and so do
// additions that only addresses need: both cost little where they are. Linear in instructions times depth.
import { domTree, dominates, type Dom } from "../ir/analysis/dom.js";
import { State, mayTrap, readsOf, writesOf } from "../ir/analysis/effects.js";
import { loops, type Loops } from "../ir/analysis/loops.js";
import { rpo } from "../ir/analysis/rpo.js";
import { NONE, type Block, type Edge, type Value } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import { Is, Op, opFlags, opInfo } from "../ir/ops.js";
import { Type } from "../ir/types.js";
import { definePass } from "./pass.js";

export const loopInvariants = definePass({
  name: "loop-invariants",
  summary: "move computations that do not change inside a loop before it",
  stage: "ssa",
  scope: "func",
  after: [
    { pass: "block-params", why: "a parameter that never changes is invariant itself" },
    { pass: "merge-blocks", why: "it would take away the blocks before loops that are made here" },
  ],
  before: [
    { pass: "gvn", why: "equal computations that came out of one loop should become one" },
    { pass: "address-groups", why: "it counts the additions that are left" },
  ],
  run(fn, cx) {
    const found = cx.get(loops, fn);
    if (found.count > 0) cx.count("moved", new Motion(fn, found, cx.get(domTree, fn)).run(cx.get(rpo, fn).order));
  },
});

/** A loop with at most so many instructions may give up those of its conditional blocks. */
const SMALL_LOOP = 48;

const isAccess: Uint8Array = Uint8Array.from(opInfo, (info) => (info.imm === "memarg" ? 1 : 0));

class Motion {
  /** By loop: instructions, what it writes, inner loops included. */
  private readonly size: Int32Array;
  private readonly written: Uint8Array;
  /** By loop: where moved instructions go before; NONE: not asked yet; -2: there is no such place. */
  private readonly place: Int32Array;
  /** By value: has a user that is no access's address. */
  private readonly isNumber: Uint8Array;
  /** By loop at which the pass found the function; blocks made since are outside of those they stand before. */
  private readonly blocks: number;

  constructor(
    private readonly fn: Func,
    private readonly loops: Loops,
    private readonly dom: Dom,
  ) {
    this.size = new Int32Array(loops.count);
    this.written = new Uint8Array(loops.count);
    this.place = new Int32Array(loops.count).fill(NONE);
    this.isNumber = new Uint8Array(fn.valueCount);
    this.blocks = fn.blockCount;
  }

  /** Returns how many instructions moved. */
  run(order: Int32Array): number {
    const { fn, loops } = this;
    this.lookAround(order);
    let moved = 0;
    for (let i = 0; i < order.length; i++) {
      const b = order[i] as Block;
      const loop = loops.loopOf[b];
      if (loop === NONE) continue;
      for (let v = fn.firstInst[b] as Value; v !== NONE; ) {
        const next = fn.next[v] as Value;
        if (this.mayMove(v)) {
          const out = this.outermost(v, b, loop);
          if (out !== NONE) {
            fn.moveBefore(v, this.place[out] as Value);
            moved++;
          }
        }
        v = next;
      }
    }
    return moved;
  }

  private lookAround(order: Int32Array): void {
    const { fn, loops, size, written, isNumber } = this;
    for (let i = 0; i < order.length; i++) {
      const b = order[i] as Block;
      const loop = loops.loopOf[b];
      for (let v = fn.firstInst[b]; v !== NONE; v = fn.next[v]) {
        const op = fn.op[v] as Op;
        for (let k = isAccess[op]; k < fn.argCount[v]; k++) isNumber[fn.arg(v as Value, k)] = 1;
        if (loop === NONE) continue;
        size[loop]++;
        written[loop] |= writesOf(op);
      }
      for (let e = fn.firstPred[b]; e !== NONE; e = fn.edgeNextPred[e]) {
        for (let k = 0; k < fn.edgeArgCount[e]; k++) isNumber[fn.edgeArg(e as Edge, k)] = 1;
      }
    }
    // Inner loops have higher numbers.
    for (let loop = loops.count - 1; loop >= 0; loop--) {
      const outer = loops.parent[loop];
      if (outer === NONE) continue;
      size[outer] += size[loop];
      written[outer] |= written[loop];
    }
  }

  /** Whether `v` is of a kind that moves. */
  private mayMove(v: Value): boolean {
    const { fn } = this;
    const op = fn.op[v] as Op;
    const flags = opFlags[op];
    if (flags & (Is.terminator | Is.pinned | Is.call) || op === Op.param || op === Op.copy) return false;
    if (writesOf(op) !== State.none || readsOf(op) & (State.memory | State.tables)) return false;
    if ((op >= Op.i32_eqz && op <= Op.f64_ge) || op === Op.ref_is_null) return false;
    if (op === Op.i32_add && this.isNumber[v] === 0 && fn.op[fn.arg(v, 1)] === Op.i32_const) return false;
    return !mayTrap(fn, v);
  }

  /** The outermost loop that `v`, which stands in block `b` of `loop`, can leave; NONE if there is none. */
  private outermost(v: Value, b: Block, loop: number): number {
    const { fn, loops } = this;
    const reads = readsOf(fn.op[v] as Op);
    let from = b;
    let found = NONE;
    for (; loop !== NONE; loop = loops.parent[loop]) {
      for (let k = 0; k < fn.argCount[v]; k++) if (this.isInside(fn.block[fn.arg(v, k)], loop)) return found;
      if (this.written[loop] & reads) return found;
      if (this.size[loop] > SMALL_LOOP && !this.passesAlways(from, loop)) return found;
      if (this.placeBefore(loop) < 0) return found;
      found = loop;
      from = loops.header[loop] as Block;
    }
    return found;
  }

  private isInside(b: number, loop: number): boolean {
    if (b >= this.blocks) return this.isInsideMade(b, loop);
    for (let l = this.loops.loopOf[b]; l !== NONE && l >= loop; l = this.loops.parent[l]) if (l === loop) return true;
    return false;
  }

  /** The same for a block made here: it goes on to the header of an inner loop, and is outside of that. */
  private isInsideMade(b: number, loop: number): boolean {
    const inner = this.loops.loopOf[this.fn.edgeTo[this.fn.imm[this.fn.lastInst[b]]]];
    for (let l = this.loops.parent[inner]; l !== NONE && l >= loop; l = this.loops.parent[l]) if (l === loop) return true;
    return false;
  }

  /** Whether each round of the loop that comes back to the header has passed `b`. */
  private passesAlways(b: Block, loop: number): boolean {
    const { fn, dom } = this;
    const header = this.loops.header[loop] as Block;
    for (let e = fn.firstPred[header]; e !== NONE; e = fn.edgeNextPred[e]) {
      const from = fn.edgeFrom[e] as Block;
      if (from < this.blocks && dominates(dom, header, from) && !dominates(dom, b, from)) return false;
    }
    return true;
  }

  /** The instruction before which to put what leaves `loop`, made when first asked for; negative if there is none. */
  private placeBefore(loop: number): number {
    const { place } = this;
    if (place[loop] === NONE) place[loop] = this.findPlace(loop);
    return place[loop];
  }

  private findPlace(loop: number): number {
    const { fn, dom } = this;
    const header = this.loops.header[loop] as Block;
    let entry: number = NONE;
    for (let e = fn.firstPred[header]; e !== NONE; e = fn.edgeNextPred[e]) {
      if (fn.edgeFrom[e] < this.blocks && dominates(dom, header, fn.edgeFrom[e] as Block)) continue;
      if (entry !== NONE) return NOWHERE;
      entry = e;
    }
    if (entry === NONE) return NOWHERE;
    const last = fn.terminator(fn.edgeFrom[entry] as Block);
    if (fn.op[last] === Op.br) return last;
    const before = fn.newBlock();
    fn.unplaceBlock(before);
    fn.placeBlock(before, header);
    const edge = fn.newEdge(before, header);
    for (let k = 0; k < fn.edgeArgCount[entry]; k++) fn.pushEdgeArg(edge, fn.edgeArg(entry as Edge, k));
    fn.clearEdgeArgs(entry as Edge);
    fn.redirectEdge(entry as Edge, before);
    return fn.append0(before, Op.br, Type.none, edge, 0, fn.offset[last]);
  }
}

const NOWHERE = -2;
