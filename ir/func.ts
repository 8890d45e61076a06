// One function in SSA form: values, blocks with parameters, edges; one typed array per field ("columns").
//
// A value *is* its instruction: one id space. A block holds a doubly linked list of instructions, the last a
// terminator, and a list of parameters (values with op `param`). An edge is an entity: it leaves a terminator,
// enters a block, and carries one argument per parameter. Constants are raw bits (lo, hi), never a JS float.
// Every mutator bumps `valueVersion` or `cfgVersion`; those stamps decide what an analysis may be reused for and
// whether a pass changed anything. Hoist a column into a local only where no row is added meanwhile: columns grow.
import { NONE, type Block, type Edge, type FuncIndex, type TypeIndex, type Value } from "./entity.js";
import { Op, Is, opFlags } from "./ops.js";
import type { FuncType } from "./types.js";
import { Type } from "./types.js";

function grown(column: Int32Array, capacity: number): Int32Array {
  const bigger = new Int32Array(capacity);
  bigger.set(column);
  return bigger;
}

function grownBytes(column: Uint8Array, capacity: number): Uint8Array {
  const bigger = new Uint8Array(capacity);
  bigger.set(column);
  return bigger;
}

export class Func {
  // ---- values ----
  valueCount = 0;
  op: Uint8Array;
  /** Type of the (first) result; `Type.none` without one. */
  type: Uint8Array;
  /** See `ImmKind` in ops.ts. */
  imm: Int32Array;
  imm2: Int32Array;
  /** Operands: `pool[argStart[v] + i]`, i < `argCount[v]`. */
  argStart: Int32Array;
  argCount: Int32Array;
  /** Owning block, NONE when removed. */
  block: Int32Array;
  next: Int32Array;
  prev: Int32Array;
  /** Byte offset in the Wasm module this came from, 0 if none. */
  offset: Int32Array;

  // ---- blocks ----
  blockCount = 0;
  entry: Block = 0 as Block;
  firstInst: Int32Array;
  lastInst: Int32Array;
  /** Parameters: `pool[paramStart[b] + i]`, i < `paramCount[b]`. */
  paramStart: Int32Array;
  paramCount: Int32Array;
  paramCapacity: Int32Array;
  /** Incoming edges, linked by `edgeNextPred`. In order of creation. */
  firstPred: Int32Array;
  lastPred: Int32Array;
  /** The order of blocks in text and in code, from `firstBlock`; NONE ends it. A removed block is in no order. */
  firstBlock = NONE;
  lastBlock = NONE;
  blockNext: Int32Array;
  blockPrev: Int32Array;

  // ---- edges ----
  edgeCount = 0;
  /** The block whose terminator the edge leaves; NONE when removed. */
  edgeFrom: Int32Array;
  edgeTo: Int32Array;
  /** Arguments: `pool[edgeArgStart[e] + i]`, as many as `edgeTo` has parameters. */
  edgeArgStart: Int32Array;
  edgeArgCount: Int32Array;
  edgeArgCapacity: Int32Array;
  edgeNextPred: Int32Array;
  edgePrevPred: Int32Array;

  /** Lists of ids: operands, parameters, edge arguments. Bump allocated. */
  pool: Int32Array;
  poolLength = 0;
  /** Edge ids of `br_table`s: `imm` start, `imm2` length, the default last. Entries with equal targets share one edge. */
  edgeTable: Int32Array;
  edgeTableLength = 0;

  /** Columns do not grow beyond so many rows: set while a pass runs that may never end. */
  growthLimit = Infinity;

  /**
   * Of code that goes on with a function from a loop on: where the parameters, which are all locals of the function, stand in the frame of
   * the code it takes over from, in bytes from that one's stack pointer, 8 each. NONE for a function that is called.
   */
  frameParams = NONE as number;

  /** Bumped by every change of values, operands, types, immediates. */
  valueVersion = 0;
  /** Bumped by every change of blocks, edges, parameters and terminators. */
  cfgVersion = 0;

  /**
   * @param index of the function in its module; @param sigIndex its type, module-local; @param sig that type.
   * @param capacity expected number of values (columns grow as needed).
   */
  constructor(
    readonly index: FuncIndex,
    public sigIndex: TypeIndex,
    readonly sig: FuncType,
    public name: string | undefined = undefined,
    capacity = 64,
  ) {
    const blocks = Math.max(8, capacity >> 3);
    this.op = new Uint8Array(capacity);
    this.type = new Uint8Array(capacity);
    this.imm = new Int32Array(capacity);
    this.imm2 = new Int32Array(capacity);
    this.argStart = new Int32Array(capacity);
    this.argCount = new Int32Array(capacity);
    this.block = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    this.prev = new Int32Array(capacity);
    this.offset = new Int32Array(capacity);
    this.firstInst = new Int32Array(blocks);
    this.lastInst = new Int32Array(blocks);
    this.paramStart = new Int32Array(blocks);
    this.paramCount = new Int32Array(blocks);
    this.paramCapacity = new Int32Array(blocks);
    this.firstPred = new Int32Array(blocks);
    this.lastPred = new Int32Array(blocks);
    this.blockNext = new Int32Array(blocks);
    this.blockPrev = new Int32Array(blocks);
    this.edgeFrom = new Int32Array(blocks);
    this.edgeTo = new Int32Array(blocks);
    this.edgeArgStart = new Int32Array(blocks);
    this.edgeArgCount = new Int32Array(blocks);
    this.edgeArgCapacity = new Int32Array(blocks);
    this.edgeNextPred = new Int32Array(blocks);
    this.edgePrevPred = new Int32Array(blocks);
    this.pool = new Int32Array(capacity * 2);
    this.edgeTable = new Int32Array(8);
  }

  // ---------------------------------------------------------------- values

  /** A value in no block: see `linkBefore`, `linkParam`. Operands are NONE until set. Most code wants `append` and its kin. */
  newValue(op: Op, type: Type, argCount: number, imm: number, imm2: number, offset: number): Value {
    const v = this.valueCount++ as Value;
    if (v >= this.op.length) this.growValues();
    this.op[v] = op;
    this.type[v] = type;
    this.imm[v] = imm;
    this.imm2[v] = imm2;
    this.argCount[v] = argCount;
    this.argStart[v] = argCount === 0 ? 0 : this.allocate(argCount);
    this.block[v] = NONE;
    this.next[v] = NONE;
    this.prev[v] = NONE;
    this.offset[v] = offset;
    this.valueVersion++;
    return v;
  }

  /** Creates an instruction with `argCount` operands (set them by `setArg`) at the end of block `b`. */
  append(b: Block, op: Op, type: Type, argCount: number, imm = 0, imm2 = 0, offset = 0): Value {
    const v = this.newValue(op, type, argCount, imm, imm2, offset);
    this.linkBefore(v, b, NONE as Value);
    return v;
  }

  append0(b: Block, op: Op, type: Type, imm = 0, imm2 = 0, offset = 0): Value {
    return this.append(b, op, type, 0, imm, imm2, offset);
  }

  append1(b: Block, op: Op, type: Type, x: Value, imm = 0, imm2 = 0, offset = 0): Value {
    const v = this.append(b, op, type, 1, imm, imm2, offset);
    this.pool[this.argStart[v]!] = x;
    return v;
  }

  append2(b: Block, op: Op, type: Type, x: Value, y: Value, imm = 0, imm2 = 0, offset = 0): Value {
    const v = this.append(b, op, type, 2, imm, imm2, offset);
    const at = this.argStart[v]!;
    this.pool[at] = x;
    this.pool[at + 1] = y;
    return v;
  }

  append3(b: Block, op: Op, type: Type, x: Value, y: Value, z: Value, imm = 0, imm2 = 0, offset = 0): Value {
    const v = this.append(b, op, type, 3, imm, imm2, offset);
    const at = this.argStart[v]!;
    this.pool[at] = x;
    this.pool[at + 1] = y;
    this.pool[at + 2] = z;
    return v;
  }

  /** Creates an instruction before `at`, in its block, with `at`'s Wasm offset unless given. */
  insertBefore(at: Value, op: Op, type: Type, args: readonly Value[], imm = 0, imm2 = 0, offset = this.offset[at]!): Value {
    const v = this.newValue(op, type, args.length, imm, imm2, offset);
    for (let i = 0; i < args.length; i++) this.pool[this.argStart[v]! + i] = args[i]!;
    this.linkBefore(v, this.block[at]! as Block, at);
    return v;
  }

  /** Operand `i` of `v`. */
  arg(v: Value, i: number): Value {
    return this.pool[this.argStart[v]! + i]! as Value;
  }

  setArg(v: Value, i: number, x: Value): void {
    this.pool[this.argStart[v]! + i] = x;
    this.valueVersion++;
  }

  /** Turns `v` into another instruction in place: its users see the new value. Not for terminators. */
  become(v: Value, op: Op, args: readonly Value[], imm = 0, imm2 = 0): void {
    if (args.length > this.argCount[v]!) this.argStart[v] = this.allocate(args.length);
    this.argCount[v] = args.length;
    for (let i = 0; i < args.length; i++) this.pool[this.argStart[v]! + i] = args[i]!;
    this.op[v] = op;
    this.imm[v] = imm;
    this.imm2[v] = imm2;
    this.valueVersion++;
  }

  /** Turns `v` into a constant of its own type. */
  becomeConst(v: Value, lo: number, hi = 0): void {
    const type = this.type[v];
    const op = type === Type.i32 ? Op.i32_const : type === Type.i64 ? Op.i64_const : type === Type.f32 ? Op.f32_const : Op.f64_const;
    this.become(v, op, [], lo, hi);
  }

  /** Takes an instruction out of its block. Its users must be gone, or be rewritten. Edges of a terminator stay: see `removeEdge`. */
  remove(v: Value): void {
    this.unlink(v);
    this.block[v] = NONE;
    this.bump(v);
  }

  /** Moves an instruction before `at` (in `at`'s block). */
  moveBefore(v: Value, at: Value): void {
    this.unlink(v);
    this.linkBefore(v, this.block[at]! as Block, at);
  }

  /**
   * Replaces uses in all operands and edge arguments: `to[v]` stands for `v`; `to[v] === v` or NONE keeps it. Chains are not
   * followed. Linear in the function.
   */
  substitute(to: Int32Array): void {
    const pool = this.pool;
    for (let b = this.firstBlock; b !== NONE; b = this.blockNext[b]!) {
      for (let v = this.firstInst[b]!; v !== NONE; v = this.next[v]!) {
        const end = this.argStart[v]! + this.argCount[v]!;
        for (let i = this.argStart[v]!; i < end; i++) {
          const x = to[pool[i]!]!;
          if (x !== NONE) pool[i] = x;
        }
      }
      for (let e = this.firstPred[b]!; e !== NONE; e = this.edgeNextPred[e]!) {
        const end = this.edgeArgStart[e]! + this.edgeArgCount[e]!;
        for (let i = this.edgeArgStart[e]!; i < end; i++) {
          const x = to[pool[i]!]!;
          if (x !== NONE) pool[i] = x;
        }
      }
    }
    this.valueVersion++;
  }

  isTerminator(v: Value): boolean {
    return (opFlags[this.op[v]!]! & Is.terminator) !== 0;
  }

  // ---------------------------------------------------------------- blocks

  /** A new block at the end of the order. The first one made is the entry; its parameters are the function's. */
  newBlock(): Block {
    const b = this.blockCount++ as Block;
    if (b >= this.firstInst.length) this.growBlocks();
    this.firstInst[b] = NONE;
    this.lastInst[b] = NONE;
    this.paramStart[b] = 0;
    this.paramCount[b] = 0;
    this.paramCapacity[b] = 0;
    this.firstPred[b] = NONE;
    this.lastPred[b] = NONE;
    this.placeBlock(b, NONE as Block);
    return b;
  }

  /** Puts a block that is in no order before `at`, or at the end for NONE. */
  placeBlock(b: Block, at: Block): void {
    const prev = at === NONE ? this.lastBlock : this.blockPrev[at]!;
    this.blockPrev[b] = prev;
    this.blockNext[b] = at;
    if (prev === NONE) this.firstBlock = b;
    else this.blockNext[prev] = b;
    if (at === NONE) this.lastBlock = b;
    else this.blockPrev[at] = b;
    this.cfgVersion++;
  }

  /** Takes a block out of the order. */
  unplaceBlock(b: Block): void {
    const prev = this.blockPrev[b]!;
    const next = this.blockNext[b]!;
    if (prev === NONE) this.firstBlock = next;
    else this.blockNext[prev] = next;
    if (next === NONE) this.lastBlock = prev;
    else this.blockPrev[next] = prev;
    this.blockNext[b] = NONE;
    this.blockPrev[b] = NONE;
    this.cfgVersion++;
  }

  /** Removes a block with its instructions and outgoing edges. It must have no incoming edge. */
  removeBlock(b: Block): void {
    const last = this.lastInst[b]! as Value;
    if (last !== NONE) this.forEachEdgeOf(last, (e) => this.removeEdge(e));
    for (let v = this.firstInst[b]!; v !== NONE; v = this.next[v]!) this.block[v] = NONE;
    for (let i = 0; i < this.paramCount[b]!; i++) this.block[this.pool[this.paramStart[b]! + i]!] = NONE;
    this.firstInst[b] = NONE;
    this.lastInst[b] = NONE;
    this.paramCount[b] = 0;
    this.unplaceBlock(b);
    this.valueVersion++;
  }

  /** Moves the instructions of `tail` to the end of `b`, which has no terminator, and removes `tail`, which has no incoming edge. */
  appendBlock(b: Block, tail: Block): void {
    const first = this.firstInst[tail]!;
    if (first !== NONE) {
      for (let v = first; v !== NONE; v = this.next[v]!) this.block[v] = b;
      this.forEachEdgeOf(this.lastInst[tail]! as Value, (e) => this.setEdgeFrom(e, b));
      const last = this.lastInst[b]!;
      this.prev[first] = last;
      if (last === NONE) this.firstInst[b] = first;
      else this.next[last] = first;
      this.lastInst[b] = this.lastInst[tail]!;
      this.firstInst[tail] = NONE;
      this.lastInst[tail] = NONE;
    }
    this.removeBlock(tail);
  }

  /** Moves `at` and all behind it, with the edges of their terminator, to the end of `tail`, which has no terminator. */
  moveTail(at: Value, tail: Block): void {
    const b = this.block[at]! as Block;
    const before = this.prev[at]!;
    const end = this.lastInst[b]!;
    for (let v: number = at; v !== NONE; v = this.next[v]!) this.block[v] = tail;
    if (this.isTerminator(end as Value)) this.forEachEdgeOf(end as Value, (e) => this.setEdgeFrom(e, tail));
    this.lastInst[b] = before;
    if (before === NONE) this.firstInst[b] = NONE;
    else this.next[before] = NONE;
    const last = this.lastInst[tail]!;
    this.prev[at] = last;
    if (last === NONE) this.firstInst[tail] = at;
    else this.next[last] = at;
    this.lastInst[tail] = end;
    this.cfgVersion++;
    this.valueVersion++;
  }

  terminator(b: Block): Value {
    return this.lastInst[b]! as Value;
  }

  param(b: Block, i: number): Value {
    return this.pool[this.paramStart[b]! + i]! as Value;
  }

  /** Adds a parameter at the end of the list. Incoming edges that exist already get the argument NONE: set it by `setEdgeArg`. */
  addParam(b: Block, type: Type, offset = 0): Value {
    const v = this.newValue(Op.param, type, 0, 0, 0, offset);
    this.linkParam(v, b);
    return v;
  }

  /** Makes a `param` that is in no block the last parameter of `b`; otherwise as `addParam`. */
  linkParam(v: Value, b: Block): void {
    const n = this.paramCount[b]!;
    this.block[v] = b;
    this.imm[v] = n;
    if (n === this.paramCapacity[b]!) {
      this.paramCapacity[b] = Math.max(2, n * 2);
      this.paramStart[b] = this.reallocate(this.paramStart[b]!, n, this.paramCapacity[b]!);
    }
    this.pool[this.paramStart[b]! + n] = v;
    this.paramCount[b] = n + 1;
    for (let e = this.firstPred[b]!; e !== NONE; e = this.edgeNextPred[e]!) this.pushEdgeArg(e as Edge, NONE as Value);
    this.cfgVersion++;
  }

  /** Keeps the parameters for which `keep` says true and their arguments on all incoming edges; renumbers `imm`. */
  filterParams(b: Block, keep: (param: Value, i: number) => boolean): void {
    const count = this.paramCount[b]!;
    const start = this.paramStart[b]!;
    const kept: number[] = [];
    for (let i = 0; i < count; i++) {
      const v = this.pool[start + i]! as Value;
      if (keep(v, i)) kept.push(i);
      else this.block[v] = NONE;
    }
    if (kept.length === count) return;
    for (let k = 0; k < kept.length; k++) {
      const v = this.pool[start + kept[k]!]!;
      this.pool[start + k] = v;
      this.imm[v] = k;
    }
    this.paramCount[b] = kept.length;
    for (let e = this.firstPred[b]!; e !== NONE; e = this.edgeNextPred[e]!) {
      const args = this.edgeArgStart[e]!;
      for (let k = 0; k < kept.length; k++) this.pool[args + k] = this.pool[args + kept[k]!]!;
      this.edgeArgCount[e] = kept.length;
    }
    this.cfgVersion++;
    this.valueVersion++;
  }

  // ---------------------------------------------------------------- edges

  /** An edge without arguments yet: push one per parameter of `to`, in order. A terminator of `from` must name it. */
  newEdge(from: Block, to: Block): Edge {
    const e = this.edgeCount++ as Edge;
    if (e >= this.edgeFrom.length) this.growEdges();
    this.edgeFrom[e] = from;
    this.edgeTo[e] = to;
    this.edgeArgStart[e] = 0;
    this.edgeArgCount[e] = 0;
    this.edgeArgCapacity[e] = 0;
    this.linkPred(e, to);
    return e;
  }

  pushEdgeArg(e: Edge, x: Value): void {
    const n = this.edgeArgCount[e]!;
    if (n === this.edgeArgCapacity[e]!) {
      this.edgeArgCapacity[e] = Math.max(2, n * 2);
      this.edgeArgStart[e] = this.reallocate(this.edgeArgStart[e]!, n, this.edgeArgCapacity[e]!);
    }
    this.pool[this.edgeArgStart[e]! + n] = x;
    this.edgeArgCount[e] = n + 1;
    this.valueVersion++;
  }

  edgeArg(e: Edge, i: number): Value {
    return this.pool[this.edgeArgStart[e]! + i]! as Value;
  }

  setEdgeArg(e: Edge, i: number, x: Value): void {
    this.pool[this.edgeArgStart[e]! + i] = x;
    this.valueVersion++;
  }

  clearEdgeArgs(e: Edge): void {
    this.edgeArgCount[e] = 0;
    this.valueVersion++;
  }

  /** Lets the edge enter another block. Its arguments stay as they are: make them fit. */
  redirectEdge(e: Edge, to: Block): void {
    this.unlinkPred(e);
    this.edgeTo[e] = to;
    this.linkPred(e, to);
  }

  /** Lets the edge leave another block (whose terminator is about to name it). */
  setEdgeFrom(e: Edge, from: Block): void {
    this.edgeFrom[e] = from;
    this.cfgVersion++;
  }

  /** Takes an edge away. The terminator that names it must go, or be rewritten. */
  removeEdge(e: Edge): void {
    this.unlinkPred(e);
    this.edgeFrom[e] = NONE;
  }

  /** Calls `visit` once per distinct edge of a terminator, in the order of its immediates. */
  forEachEdgeOf(terminator: Value, visit: (e: Edge) => void): void {
    const op = this.op[terminator];
    if (op === Op.br) visit(this.imm[terminator]! as Edge);
    else if (op === Op.br_if) {
      visit(this.imm[terminator]! as Edge);
      visit(this.imm2[terminator]! as Edge);
    } else if (op === Op.br_table) {
      const start = this.imm[terminator]!;
      const end = start + this.imm2[terminator]!;
      // A shared edge is visited at its first entry: marked by flipping it while we walk.
      for (let i = start; i < end; i++) {
        const e = this.edgeTable[i]!;
        if (this.edgeMark[e] !== terminator) {
          this.edgeMark[e] = terminator;
          visit(e as Edge);
        }
      }
      for (let i = start; i < end; i++) this.edgeMark[this.edgeTable[i]!] = NONE;
    }
  }
  private edgeMark: Int32Array = new Int32Array(0);

  /** How many targets a terminator names: 0, 1, 2, or the length of a `br_table`'s list (a shared edge more than once). */
  targetCount(terminator: Value): number {
    const op = this.op[terminator];
    return op === Op.br ? 1 : op === Op.br_if ? 2 : op === Op.br_table ? this.imm2[terminator]! : 0;
  }

  /** The edge of target `i`; for loops that must stop and go on, where `forEachEdgeOf` cannot. */
  targetEdge(terminator: Value, i: number): Edge {
    if (this.op[terminator] === Op.br_table) return this.edgeTable[this.imm[terminator]! + i]! as Edge;
    return (i === 0 ? this.imm[terminator]! : this.imm2[terminator]!) as Edge;
  }

  /** Room for a `br_table` of `length` entries; returns its start in `edgeTable`. */
  newEdgeTable(length: number): number {
    const start = this.edgeTableLength;
    this.edgeTableLength += length;
    if (this.edgeTableLength > this.edgeTable.length) {
      this.edgeTable = grown(this.edgeTable, Math.max(this.edgeTableLength, this.edgeTable.length * 2));
    }
    if (this.edgeMark.length < this.edgeFrom.length) this.edgeMark = new Int32Array(this.edgeFrom.length).fill(NONE);
    return start;
  }

  predCount(b: Block): number {
    let n = 0;
    for (let e = this.firstPred[b]!; e !== NONE; e = this.edgeNextPred[e]!) n++;
    return n;
  }

  /** The edge into `b` if there is exactly one, else NONE. */
  singlePred(b: Block): Edge {
    const e = this.firstPred[b]!;
    return (e !== NONE && this.edgeNextPred[e] === NONE ? e : NONE) as Edge;
  }

  // ---------------------------------------------------------------- storage

  /** Puts a value that is in no block before `at` in block `b`, or at the end for NONE. */
  linkBefore(v: Value, b: Block, at: Value): void {
    const prev = at === NONE ? this.lastInst[b]! : this.prev[at]!;
    this.block[v] = b;
    this.prev[v] = prev;
    this.next[v] = at;
    if (prev === NONE) this.firstInst[b] = v;
    else this.next[prev] = v;
    if (at === NONE) this.lastInst[b] = v;
    else this.prev[at] = v;
    this.bump(v);
  }

  private unlink(v: Value): void {
    const b = this.block[v]!;
    const prev = this.prev[v]!;
    const next = this.next[v]!;
    if (prev === NONE) this.firstInst[b] = next;
    else this.next[prev] = next;
    if (next === NONE) this.lastInst[b] = prev;
    else this.prev[next] = prev;
  }

  private bump(v: Value): void {
    this.valueVersion++;
    if (this.isTerminator(v)) this.cfgVersion++;
  }

  private linkPred(e: Edge, to: Block): void {
    const last = this.lastPred[to]!;
    this.edgePrevPred[e] = last;
    this.edgeNextPred[e] = NONE;
    if (last === NONE) this.firstPred[to] = e;
    else this.edgeNextPred[last] = e;
    this.lastPred[to] = e;
    this.cfgVersion++;
  }

  private unlinkPred(e: Edge): void {
    const to = this.edgeTo[e]!;
    const prev = this.edgePrevPred[e]!;
    const next = this.edgeNextPred[e]!;
    if (prev === NONE) this.firstPred[to] = next;
    else this.edgeNextPred[prev] = next;
    if (next === NONE) this.lastPred[to] = prev;
    else this.edgePrevPred[next] = prev;
    this.cfgVersion++;
  }

  private allocate(length: number): number {
    const start = this.poolLength;
    this.poolLength += length;
    if (this.poolLength > this.pool.length) this.pool = grown(this.pool, Math.max(this.roomFor(this.poolLength), this.pool.length * 2));
    this.pool.fill(NONE, start, this.poolLength);
    return start;
  }

  private reallocate(start: number, length: number, capacity: number): number {
    const fresh = this.allocate(capacity);
    this.pool.copyWithin(fresh, start, start + length);
    return fresh;
  }

  private roomFor(rows: number): number {
    if (rows > this.growthLimit) throw new Error(`@${this.index} grows beyond ${this.growthLimit} rows: does the pass end?`);
    return rows;
  }

  private growValues(): void {
    const n = this.roomFor(this.op.length * 2);
    this.op = grownBytes(this.op, n);
    this.type = grownBytes(this.type, n);
    this.imm = grown(this.imm, n);
    this.imm2 = grown(this.imm2, n);
    this.argStart = grown(this.argStart, n);
    this.argCount = grown(this.argCount, n);
    this.block = grown(this.block, n);
    this.next = grown(this.next, n);
    this.prev = grown(this.prev, n);
    this.offset = grown(this.offset, n);
  }

  private growBlocks(): void {
    const n = this.roomFor(this.firstInst.length * 2);
    this.firstInst = grown(this.firstInst, n);
    this.lastInst = grown(this.lastInst, n);
    this.paramStart = grown(this.paramStart, n);
    this.paramCount = grown(this.paramCount, n);
    this.paramCapacity = grown(this.paramCapacity, n);
    this.firstPred = grown(this.firstPred, n);
    this.lastPred = grown(this.lastPred, n);
    this.blockNext = grown(this.blockNext, n);
    this.blockPrev = grown(this.blockPrev, n);
  }

  private growEdges(): void {
    const n = this.roomFor(this.edgeFrom.length * 2);
    this.edgeFrom = grown(this.edgeFrom, n);
    this.edgeTo = grown(this.edgeTo, n);
    this.edgeArgStart = grown(this.edgeArgStart, n);
    this.edgeArgCount = grown(this.edgeArgCount, n);
    this.edgeArgCapacity = grown(this.edgeArgCapacity, n);
    this.edgeNextPred = grown(this.edgeNextPred, n);
    this.edgePrevPred = grown(this.edgePrevPred, n);
    if (this.edgeMark.length > 0) {
      const marked = this.edgeMark.length;
      this.edgeMark = grown(this.edgeMark, n).fill(NONE, marked);
    }
  }
}
