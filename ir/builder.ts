// SSA construction on the fly for structured code: turns reads of variables into values, adding block parameters where needed.
//
// After Braun, Buchwald, Hack, Leissa, Mallon, Zwinkau, "Simple and Efficient Construction of Static Single Assignment Form"
// (CC 2013): values are looked up on demand, a loop header gets a parameter without arguments while its back edges are unknown,
// and "sealing" the loop fills them in. Different here: code is structured and the positions of all assignments are known before,
// so a lookup does not walk through blocks (in their scheme 50 k variables times 10 k blocks). Seen from a position, the last
// assignment before it tells where to look: its value holds, unless it lies inside a construct that was left since, and whose
// join then merges it (all joins that dominate a position lie on one chain, with disjoint constructs), or unless a loop
// around the position, entered since, assigns again further down. Both searches climb by jump pointers (Myers, "An
// applicative random-access stack", 1983), so a read costs O(log n), and no table is kept per block.
import { NONE, type Block, type Edge, type Value } from "./entity.js";
import type { Func } from "./func.js";
import { Op } from "./ops.js";
import { Type } from "./types.js";

/** All assignments in a function: those of variable x are `start[x] <= i < start[x + 1]`, at ascending positions `position[i]`. */
export interface Assignments {
  readonly start: Int32Array;
  readonly position: Int32Array;
}

/** A join on the chain of the joins that dominate a block; 0 is the empty chain. */
export type Chain = number;
/** A loop; 0 stands for "in no loop". */
export type Loop = number;

/** Records of up to `fields` numbers each, in one column: the ids of joins, of loops. */
const enum Join {
  parent = 0,
  jump = 1,
  depth = 2,
  /** The construct that ends in the join covers the positions from `start` up to `end`. */
  start = 3,
  end = 4,
  block = 5,
  /** Loops only: the first of the parameters that wait for the loop to be sealed; `sealed` when it has been. */
  pending = 6,
  fields = 7,
}

const sealed = -2;
const forever = 0x7fffffff;

/**
 * Positions are any numbers that ascend along the code, for example byte offsets. The caller walks the code once, in order:
 * it makes blocks, tells each one's chain and loop (`enter`), makes all edges through `newEdge`, and calls `read` and `write` as variables are
 * used. A join's block must have all its incoming edges before anything is read in it.
 */
export class SsaBuilder {
  /** `assigned[i]`: the value of assignment i, NONE until it was met (in unreachable code: never). */
  private readonly assigned: Int32Array;
  private readonly cacheBlock: Int32Array;
  private readonly cacheValue: Int32Array;
  /** By variable: behind the assignment that was looked for last. */
  private readonly near: Int32Array;
  private readonly zeros: Int32Array = new Int32Array(16).fill(NONE);

  private joins: Int32Array = new Int32Array(16 * Join.fields);
  private joinCount = 1;
  private loops: Int32Array = new Int32Array(8 * Join.fields);
  private loopCount = 1;
  private blockChain: Int32Array = new Int32Array(16);
  private blockLoop: Int32Array = new Int32Array(16);
  /** The loop a block is the header of, or 0. */
  private headerOf: Int32Array = new Int32Array(16);
  private edgePosition: Int32Array = new Int32Array(16);

  /** (block, variable, value) triples in open addressing; block NONE is a free slot. */
  private memo: Int32Array = new Int32Array(3 * 32).fill(NONE);
  private memoCount = 0;

  /** Parameters of loop headers that wait for their arguments: variable, parameter, next of the same loop. */
  private waiting: number[] = [];
  /** Waiting parameters of loops that are sealed already. */
  private ready: number[] = [];
  /** Joins being evaluated (block, variable, next edge, first operand) and the operands found so far. */
  private frames: Int32Array = new Int32Array(4 * 16);
  private framesTop = 0;
  private operands: Int32Array = new Int32Array(64);
  private operandCount = 0;

  /**
   * @param types of the variables. The first `params` of them begin as the parameters of the entry block, which must exist; the
   * others as zero or null.
   */
  constructor(
    private readonly func: Func,
    private readonly types: Uint8Array,
    private readonly params: number,
    private readonly assignments: Assignments,
  ) {
    this.assigned = new Int32Array(assignments.position.length).fill(NONE);
    this.cacheBlock = new Int32Array(types.length).fill(NONE);
    this.cacheValue = new Int32Array(types.length);
    this.near = assignments.start.slice();
    // Number 0 ends every climb.
    this.joins[Join.start] = -1;
    this.joins[Join.end] = -1;
    this.loops[Join.start] = -1;
    this.loops[Join.end] = forever;
  }

  // ---------------------------------------------------------------- structure

  /** Tells where a block stands, before anything is read in it or an edge leaves it. */
  enter(b: Block, chain: Chain, loop: Loop): void {
    if (b >= this.blockChain.length) {
      const n = Math.max(b + 1, this.blockChain.length * 2);
      this.blockChain = grown(this.blockChain, n);
      this.blockLoop = grown(this.blockLoop, n);
      this.headerOf = grown(this.headerOf, n);
    }
    this.blockChain[b] = chain;
    this.blockLoop[b] = loop;
  }

  /** Makes an edge that leaves at `position`: of the assignments, it sees those before. Its arguments for variables are added by the builder. */
  newEdge(from: Block, to: Block, position: number): Edge {
    const e = this.func.newEdge(from, to);
    if (e >= this.edgePosition.length) this.edgePosition = grown(this.edgePosition, Math.max(e + 1, this.edgePosition.length * 2));
    this.edgePosition[e] = position;
    return e;
  }

  /**
   * The chain of a block that control reaches only past the construct at the positions `start` to `end` (exclusive): a join, or the
   * else-arm, which passes the then-arm. @param chain of the block in which the construct begins.
   */
  newJoin(b: Block, chain: Chain, start: number, end: number): Chain {
    if ((this.joinCount + 1) * Join.fields > this.joins.length) this.joins = grown(this.joins, this.joins.length * 2);
    const join = this.joinCount++;
    link(this.joins, join, chain, start, end, b);
    return join;
  }

  /** Opens the loop at the positions `start` to `end` and enters its header `b`, which may have parameters of the caller's own. */
  newLoop(b: Block, chain: Chain, outer: Loop, start: number, end: number): Loop {
    if ((this.loopCount + 1) * Join.fields > this.loops.length) this.loops = grown(this.loops, this.loops.length * 2);
    const loop = this.loopCount++;
    link(this.loops, loop, outer, start, end, b);
    this.loops[loop * Join.fields + Join.pending] = NONE;
    this.enter(b, chain, loop);
    this.headerOf[b] = loop;
    return loop;
  }

  /** All back edges of the loop exist: gives its header's parameters their arguments. Linear in what it writes. */
  sealLoop(loop: Loop): void {
    const at = loop * Join.fields + Join.pending;
    let w = this.loops[at]!;
    this.loops[at] = sealed;
    for (; w !== NONE; w = this.waiting[w + 2]!) this.ready.push(this.waiting[w]!, this.waiting[w + 1]!);
    this.fillReady();
  }

  /** Gives an edge to a loop header, which has its own arguments already, places for those of variables. */
  padEdge(e: Edge): void {
    const func = this.func;
    const missing = func.paramCount[func.edgeTo[e]!]! - func.edgeArgCount[e]!;
    for (let i = 0; i < missing; i++) func.pushEdgeArg(e, NONE as Value);
  }

  // ---------------------------------------------------------------- variables

  /** The assignment to `variable` at `position`, met in block `b`, gives it `value`. */
  write(variable: number, b: Block, position: number, value: Value): void {
    this.assigned[this.lastBefore(variable, position + 1)] = value;
    this.cacheBlock[variable] = b;
    this.cacheValue[variable] = value;
  }

  /** The value of `variable` at `position` in block `b`. */
  read(variable: number, b: Block, position: number): Value {
    if (this.cacheBlock[variable] === b) return this.cacheValue[variable]! as Value;
    const value = this.valueAt(variable, b, position);
    if (this.ready.length > 0) this.fillReady();
    this.cacheBlock[variable] = b;
    this.cacheValue[variable] = value;
    return value;
  }

  /** Index of the last assignment of `variable` before `position`; `start[variable] - 1` if there is none. */
  private lastBefore(variable: number, position: number): number {
    const { start, position: positions } = this.assignments;
    // Queries come mostly near the one before: search outwards from it in growing steps, then by halves.
    const first = start[variable]!;
    const end = start[variable + 1]!;
    let low = this.near[variable]!;
    let high = low;
    if (low < end && positions[low]! < position) {
      for (let step = 1; high < end && positions[high]! < position; step *= 2) {
        low = high + 1;
        high += step;
      }
      if (high > end) high = end;
    } else {
      for (let step = 1; low > first && positions[low - 1]! >= position; step *= 2) {
        high = low - 1;
        low -= step;
      }
      if (low < first) low = first;
    }
    while (low < high) {
      const mid = (low + high) >> 1;
      if (positions[mid]! < position) low = mid + 1;
      else high = mid;
    }
    this.near[variable] = low;
    return low - 1;
  }

  /** The block whose merge decides the variable's value at a position of block `b`; or NONE, with the value in `found`. */
  private source(variable: number, b: Block, position: number): Block {
    const { start, position: positions } = this.assignments;
    const i = this.lastBefore(variable, position);
    const last = i < start[variable]! ? -1 : positions[i]!;
    if (i + 1 < start[variable + 1]!) {
      // The innermost loop around here that assigns further down; it merges if it was entered behind the last assignment.
      const next = positions[i + 1]!;
      const loops = this.loops;
      let at = this.blockLoop[b]! * Join.fields;
      while (loops[at + Join.end]! <= next) {
        const jump = loops[at + Join.jump]! * Join.fields;
        at = loops[jump + Join.end]! <= next ? jump : loops[at + Join.parent]! * Join.fields;
      }
      if (loops[at + Join.start]! > last) return loops[at + Join.block]! as Block;
    }
    if (last < 0) {
      this.found = this.initial(variable);
      return NONE as Block;
    }
    const joins = this.joins;
    let at = this.blockChain[b]! * Join.fields;
    while (joins[at + Join.start]! > last) {
      const jump = joins[at + Join.jump]! * Join.fields;
      at = joins[jump + Join.start]! > last ? jump : joins[at + Join.parent]! * Join.fields;
    }
    if (last < joins[at + Join.end]!) return joins[at + Join.block]! as Block;
    this.found = this.assigned[i]! as Value;
    if (this.found === NONE) {
      throw new Error(`SSA construction of function ${this.func.index}: block ${b} reads variable ${variable}, whose assignment at ${last} was not met`);
    }
    return NONE as Block;
  }
  private found = NONE as Value;

  /** The entry parameter, or a zero made at the entry's start when it is first wanted. */
  private initial(variable: number): Value {
    const func = this.func;
    if (variable < this.params) return func.param(func.entry, variable);
    const type: Type = this.types[variable]!;
    if (this.zeros[type] === NONE) {
      const v = func.newValue(zeroOp(type), type, 0, 0, 0, 0);
      func.linkBefore(v, func.entry, func.firstInst[func.entry]! as Value);
      this.zeros[type] = v;
    }
    return this.zeros[type]! as Value;
  }

  /** The variable's value at a position of block `b`, merging at joins as needed. Iterative: `frames` is the stack. */
  private valueAt(variable: number, b: Block, position: number): Value {
    const { func } = this;
    let result = this.settled(variable, b, position);
    while (this.framesTop > 0) {
      const frames = this.frames;
      const top = this.framesTop - 4;
      if (this.operandCount === this.operands.length) this.operands = grown(this.operands, 2 * this.operandCount);
      this.operands[this.operandCount++] = result;
      const e = func.edgeNextPred[frames[top + 2]!]!;
      if (e !== NONE) {
        frames[top + 2] = e;
        result = this.settled(frames[top + 1]!, func.edgeFrom[e]! as Block, this.edgePosition[e]!);
      } else {
        result = this.merge(frames[top]! as Block, frames[top + 1]!, frames[top + 3]!);
        this.framesTop = top;
      }
    }
    return result;
  }

  /** The variable's value at a position of block `b`, or, with a frame for each join on the way, on the first edge of the last of them. */
  private settled(variable: number, b: Block, position: number): Value {
    let at: Block = b;
    let where = position;
    for (;;) {
      const block = this.source(variable, at, where);
      if (block === NONE) return this.found;
      const known = this.recall(block, variable);
      if (known !== NONE) return known;
      if (this.headerOf[block] !== 0) return this.headerParam(block, variable);
      const e = this.func.firstPred[block]! as Edge;
      if (this.framesTop === this.frames.length) this.frames = grown(this.frames, 2 * this.framesTop);
      this.frames[this.framesTop] = block;
      this.frames[this.framesTop + 1] = variable;
      this.frames[this.framesTop + 2] = e;
      this.frames[this.framesTop + 3] = this.operandCount;
      this.framesTop += 4;
      at = this.func.edgeFrom[e]! as Block;
      where = this.edgePosition[e]!;
    }
  }

  /** All operands of a join are known, from `first` on: the one value they agree on, or a new parameter. */
  private merge(join: Block, variable: number, first: number): Value {
    const { func, operands } = this;
    let value = operands[first]! as Value;
    for (let i = first + 1; i < this.operandCount; i++) {
      if (operands[i] === value) continue;
      value = func.addParam(join, this.types[variable]!);
      const index = func.imm[value]!;
      let k = first;
      for (let e = func.firstPred[join]!; e !== NONE; e = func.edgeNextPred[e]!) func.setEdgeArg(e as Edge, index, operands[k++]! as Value);
      break;
    }
    this.operandCount = first;
    this.remember(join, variable, value);
    return value;
  }

  /** A new parameter of a loop header; its arguments come when the loop is sealed. */
  private headerParam(header: Block, variable: number): Value {
    const value = this.func.addParam(header, this.types[variable]!);
    this.remember(header, variable, value);
    const at = this.headerOf[header]! * Join.fields + Join.pending;
    if (this.loops[at] === sealed) this.ready.push(variable, value);
    else {
      this.waiting.push(variable, value, this.loops[at]!);
      this.loops[at] = this.waiting.length - 3;
    }
    return value;
  }

  private fillReady(): void {
    const func = this.func;
    while (this.ready.length > 0) {
      const param = this.ready.pop()!;
      const variable = this.ready.pop()!;
      const index = func.imm[param]!;
      for (let e = func.firstPred[func.block[param]!]!; e !== NONE; e = func.edgeNextPred[e]!) {
        const value = this.valueAt(variable, func.edgeFrom[e]! as Block, this.edgePosition[e]!);
        func.setEdgeArg(e as Edge, index, value);
      }
    }
  }

  // ---------------------------------------------------------------- what merges gave

  private slot(block: Block, variable: number): number {
    const mask = this.memo.length / 3 - 1;
    let i = (Math.imul(block, 0x9e3779b1) ^ Math.imul(variable, 0x85ebca6b)) >>> 0;
    i = (i ^ (i >>> 15)) & mask;
    while (this.memo[3 * i] !== NONE && (this.memo[3 * i] !== block || this.memo[3 * i + 1] !== variable)) i = (i + 1) & mask;
    return 3 * i;
  }

  private recall(block: Block, variable: number): Value {
    return this.memo[this.slot(block, variable) + 2]! as Value;
  }

  private remember(block: Block, variable: number, value: Value): void {
    if (++this.memoCount * 6 > this.memo.length) {
      const old = this.memo;
      this.memo = new Int32Array(old.length * 2).fill(NONE);
      for (let i = 0; i < old.length; i += 3) if (old[i] !== NONE) this.memo.set(old.subarray(i, i + 3), this.slot(old[i]! as Block, old[i + 1]!));
    }
    const at = this.slot(block, variable);
    this.memo[at] = block;
    this.memo[at + 1] = variable;
    this.memo[at + 2] = value;
  }
}

/** Fills in a record with its jump pointer: one step, or twice as far as the parent's jump where two equal jumps can be joined. */
function link(records: Int32Array, id: number, parent: number, start: number, end: number, block: Block): void {
  const at = id * Join.fields;
  const up = parent * Join.fields;
  const jump = records[up + Join.jump]! * Join.fields;
  const far = records[jump + Join.jump]!;
  const even = records[up + Join.depth]! - records[jump + Join.depth]! === records[jump + Join.depth]! - records[far * Join.fields + Join.depth]!;
  records[at + Join.parent] = parent;
  records[at + Join.jump] = even ? far : parent;
  records[at + Join.depth] = records[up + Join.depth]! + 1;
  records[at + Join.start] = start;
  records[at + Join.end] = end;
  records[at + Join.block] = block;
}

function zeroOp(type: Type): Op {
  switch (type) {
    case Type.i32: return Op.i32_const;
    case Type.i64: return Op.i64_const;
    case Type.f32: return Op.f32_const;
    case Type.f64: return Op.f64_const;
    case Type.funcref: case Type.externref: return Op.ref_null;
    default: throw new Error(`no zero of type ${type}`);
  }
}

function grown(column: Int32Array, capacity: number): Int32Array {
  const bigger = new Int32Array(capacity);
  bigger.set(column);
  return bigger;
}
