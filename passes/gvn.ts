// Global value numbering: a computation that an equal one dominates is replaced by it.
//
// Before: v3 = i32.add v1, v2 .. v9 = i32.add v2, v1 (in a block dominated by v3's).   After: v3 in place of v9.
// Blocks are visited in reverse postorder; a table maps op, immediates and operands to the first such instruction. What
// reads memory, globals or tables also carries the number of the state it reads: writes and calls start a new one, and
// so do merges, except loops that write nothing of the kind. An operation that may trap is replaced, too: where its
// equal has not trapped, it would not either. Within straight lines, stores are forwarded to loads, and known contents
// survive stores to the same address value at other offsets. Linear.
import { domTree, dominates, type Dom } from "../ir/analysis/dom.js";
import { loops, type Loops } from "../ir/analysis/loops.js";
import { rpo } from "../ir/analysis/rpo.js";
import { State, readsOf, writesOf } from "../ir/analysis/effects.js";
import { NONE, type Block, type Value } from "../ir/entity.js";
import type { Func } from "../ir/func.js";
import type { Module } from "../ir/module.js";
import { Is, Op, memoryAccess, opFlags, opInfo } from "../ir/ops.js";
import { definePass } from "./pass.js";

export const gvn = definePass({
  name: "gvn",
  summary: "replace computations by equal ones that dominate them; forward stores to loads",
  stage: "ssa",
  scope: "func",
  run(fn, cx) {
    const numbering = new Numbering(fn, cx.module, cx.get(domTree, fn));
    numbering.run(cx.get(rpo, fn).order, cx.get(loops, fn));
    cx.count("merged", numbering.merged);
    cx.count("forwarded", numbering.forwarded);
  },
});

/** Bytes that a store writes, a load reads, by op; 0 for others. */
const storeBytes = accessBytes(Is.writes_memory);
const loadBytes = accessBytes(Is.reads_memory);
function accessBytes(flag: Is): Uint8Array {
  return Uint8Array.from(opInfo, (info) => (info.flags & flag ? (memoryAccess(info.op)?.bytes ?? 0) : 0));
}
/** The load that reads back, unchanged, all that a store wrote; NONE where there is none. */
function loadOfStore(op: Op): Op | typeof NONE {
  switch (op) {
    case Op.i32_store:
      return Op.i32_load;
    case Op.i64_store:
      return Op.i64_load;
    case Op.f32_store:
      return Op.f32_load;
    case Op.f64_store:
      return Op.f64_load;
  }
  return NONE;
}

/** How many memory locations and globals have their contents remembered at once. */
const KNOWN = 8;

class Numbering {
  merged = 0;
  forwarded = 0;
  private replaced = false;
  /** What stands for a value, NONE for itself. */
  private readonly leader: Int32Array;
  /** Open addressing; instructions. */
  private readonly table: Int32Array;
  private readonly mask: number;
  /** The state number that a reading instruction was seen at. */
  private readonly stateAt: Int32Array;

  /** Numbers of the present states, and at the end of each block. New ones are never used twice. */
  private memory = 0;
  private globals = 0;
  private tables = 0;
  private nextState = 1;
  private readonly memoryOut: Int32Array;
  private readonly globalsOut: Int32Array;
  private readonly tablesOut: Int32Array;

  /** Known contents, a ring: the load or global.get that would read it, its address (NONE), immediates, and the value. */
  private readonly knownOp = new Uint8Array(KNOWN);
  private readonly knownAddress = new Int32Array(KNOWN);
  private readonly knownImm = new Int32Array(KNOWN);
  private readonly knownImm2 = new Int32Array(KNOWN);
  private readonly knownValue = new Int32Array(KNOWN).fill(NONE);
  private knownNext = 0;

  constructor(
    private readonly fn: Func,
    private readonly module: Module,
    private readonly dom: Dom,
  ) {
    this.leader = new Int32Array(fn.valueCount).fill(NONE);
    this.stateAt = new Int32Array(fn.valueCount);
    let capacity = 16;
    while (capacity < fn.valueCount * 2) capacity *= 2;
    this.table = new Int32Array(capacity).fill(NONE);
    this.mask = capacity - 1;
    this.memoryOut = new Int32Array(fn.blockCount);
    this.globalsOut = new Int32Array(fn.blockCount);
    this.tablesOut = new Int32Array(fn.blockCount);
  }

  run(order: Int32Array, loops: Loops): void {
    const { fn } = this;
    const written = writesOfLoops(fn, order, loops);
    let previous = NONE;
    for (let i = 0; i < order.length; i++) {
      const b = order[i] as Block;
      this.enter(b, previous, loops, written);
      for (let v = fn.firstInst[b]; v !== NONE; ) {
        const next = fn.next[v];
        this.visit(v as Value);
        v = next;
      }
      this.memoryOut[b] = this.memory;
      this.globalsOut[b] = this.globals;
      this.tablesOut[b] = this.tables;
      previous = b;
    }
    // Operands of instructions were replaced on the way, but for those of edges, and of values seen before a back edge.
    if (this.replaced) fn.substitute(this.leader);
  }

  /** Finds the states at the start of a block. */
  private enter(b: Block, previous: number, loops: Loops, written: Uint8Array): void {
    const { fn } = this;
    const single = fn.singlePred(b);
    if (single !== NONE && b !== fn.entry) {
      const from = fn.edgeFrom[single];
      this.memory = this.memoryOut[from];
      this.globals = this.globalsOut[from];
      this.tables = this.tablesOut[from];
      if (from !== previous) this.forget(State.all);
      return;
    }
    this.forget(State.all);
    const loop = loops.loopOf[b];
    const back = loop !== NONE && loops.header[loop] === b;
    const writes = back ? written[loop] : State.none;
    let memory = NONE;
    let globals = NONE;
    let tables = NONE;
    let sources = 0;
    for (let e = b === fn.entry ? NONE : fn.firstPred[b]; e !== NONE; e = fn.edgeNextPred[e]) {
      const from = fn.edgeFrom[e] as Block;
      if (back && dominates(this.dom, b, from)) continue;
      // A block not visited yet (irreducible flow) has state 0 of all kinds, which equals no other.
      const m = this.memoryOut[from];
      const g = this.globalsOut[from];
      const t = this.tablesOut[from];
      memory = m === 0 || (sources > 0 && memory !== m) ? 0 : m;
      globals = g === 0 || (sources > 0 && globals !== g) ? 0 : g;
      tables = t === 0 || (sources > 0 && tables !== t) ? 0 : t;
      sources++;
    }
    this.memory = memory <= 0 || writes & State.memory ? this.nextState++ : memory;
    this.globals = globals <= 0 || writes & State.globals ? this.nextState++ : globals;
    this.tables = tables <= 0 || writes & State.tables ? this.nextState++ : tables;
  }

  private visit(v: Value): void {
    const { fn, leader } = this;
    const { pool } = fn;
    const start = fn.argStart[v];
    const end = start + fn.argCount[v];
    for (let i = start; i < end; i++) {
      const x = leader[pool[i]];
      if (x !== NONE) pool[i] = x;
    }
    const op = fn.op[v] as Op;
    const flags = opFlags[op];
    if (flags & (Is.terminator | Is.pinned) || op === Op.param) return;
    if (op === Op.copy) return this.replace(v, pool[start]);
    const writes = writesOf(op);
    if (writes !== State.none) return this.write(v, op, writes);

    const reads = readsOf(op);
    let state = 0;
    if (reads !== State.none) {
      if (op === Op.global_get && !this.module.globals[fn.imm[v]].mutable) state = 0;
      else {
        state = reads === State.memory ? this.memory : reads === State.globals ? this.globals : this.tables;
        const known = this.lookUpKnown(op, loadBytes[op] > 0 ? pool[start] : NONE, fn.imm[v], fn.imm2[v]);
        if (known !== NONE) {
          this.forwarded++;
          return this.replace(v, known);
        }
      }
    }
    const twin = this.lookUp(v, op, state);
    if (twin !== NONE) {
      this.merged++;
      return this.replace(v, twin);
    }
    if (loadBytes[op] > 0) this.know(op, pool[start], fn.imm[v], fn.imm2[v], v);
    else if (op === Op.global_get && state !== 0) this.know(op, NONE, fn.imm[v], 0, v);
  }

  private replace(v: Value, by: number): void {
    this.leader[v] = by;
    this.replaced = true;
    this.fn.remove(v);
  }

  /** The order of a commutative operation's operands: by number, constants last as simplify has them. */
  private isBehind(x: number, y: number): boolean {
    const { op } = this.fn;
    const constX = opFlags[op[x]] & Is.const;
    const constY = opFlags[op[y]] & Is.const;
    return constX === constY ? x > y : constX !== 0;
  }

  /** The equal instruction that dominates `v`, or NONE, and then `v` is the one for those to come. */
  private lookUp(v: Value, op: Op, state: number): number {
    const { fn, table, mask } = this;
    const { pool } = fn;
    const args = fn.argCount[v];
    const at = fn.argStart[v];
    const imm = fn.imm[v];
    const imm2 = fn.imm2[v];
    if (args === 2 && opFlags[op] & Is.commutative && this.isBehind(pool[at], pool[at + 1])) {
      const x = pool[at];
      pool[at] = pool[at + 1];
      pool[at + 1] = x;
    }
    this.stateAt[v] = state;
    let hash = Math.imul(op ^ (state << 8), 0x9e3779b1) ^ Math.imul(imm, 0x85ebca6b) ^ Math.imul(imm2, 0xc2b2ae35);
    for (let i = 0; i < args; i++) hash = Math.imul((hash ^ pool[at + i]) | 0, 0x27d4eb2f) ^ (hash >>> 15);
    hash ^= hash >>> 13;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const w = table[slot];
      if (w === NONE) {
        table[slot] = v;
        return NONE;
      }
      if (fn.op[w] !== op || fn.imm[w] !== imm || fn.imm2[w] !== imm2 || fn.type[w] !== fn.type[v]) continue;
      if (this.stateAt[w] !== state || fn.argCount[w] !== args) continue;
      const other = fn.argStart[w];
      let same = true;
      for (let i = 0; i < args && same; i++) same = pool[at + i] === pool[other + i];
      if (!same) continue;
      if (dominates(this.dom, fn.block[w] as Block, fn.block[v] as Block)) return w;
      // The other one's part of the function lies behind us, or runs beside us: the newer serves what follows.
      table[slot] = v;
      return NONE;
    }
  }

  /** Instructions that write: the states they change get new numbers; what a store wrote is known. */
  private write(v: Value, op: Op, writes: number): void {
    const { fn } = this;
    if (writes & State.memory) this.memory = this.nextState++;
    if (writes & State.globals) this.globals = this.nextState++;
    if (writes & State.tables) this.tables = this.nextState++;
    if (storeBytes[op] > 0) {
      const address = fn.arg(v, 0);
      this.forgetOverwritten(address, fn.imm[v], fn.imm2[v], storeBytes[op]);
      const load = loadOfStore(op);
      if (load !== NONE) this.know(load as Op, address, fn.imm[v], fn.imm2[v], fn.arg(v, 1));
    } else if (op === Op.global_set) {
      // Two imported globals may be one; an own one is nobody else's.
      const g = fn.imm[v];
      const imported = this.module.globals[g].imported;
      for (let i = 0; i < KNOWN; i++) {
        if (this.knownOp[i] !== Op.global_get) continue;
        if (this.knownImm[i] === g || (imported && this.module.globals[this.knownImm[i]].imported)) this.knownValue[i] = NONE;
      }
      this.know(Op.global_get, NONE, g, 0, fn.arg(v, 0));
    } else this.forget(writes);
  }

  private know(op: Op, address: number, imm: number, imm2: number, value: number): void {
    const i = this.knownNext;
    this.knownNext = (i + 1) % KNOWN;
    this.knownOp[i] = op;
    this.knownAddress[i] = address;
    this.knownImm[i] = imm;
    this.knownImm2[i] = imm2;
    this.knownValue[i] = value;
  }

  private lookUpKnown(op: Op, address: number, imm: number, imm2: number): number {
    for (let i = 0; i < KNOWN; i++) {
      if (this.knownValue[i] !== NONE && this.knownOp[i] === op && this.knownAddress[i] === address && this.knownImm[i] === imm && this.knownImm2[i] === imm2) {
        return this.knownValue[i];
      }
    }
    return NONE;
  }

  private forget(writes: number): void {
    for (let i = 0; i < KNOWN; i++) {
      if (writes & (this.knownOp[i] === Op.global_get ? State.globals : State.memory)) this.knownValue[i] = NONE;
    }
  }

  /** Address values never wrap when an offset is added, so equal ones with disjoint ranges of offsets are disjoint places. */
  private forgetOverwritten(address: number, offset: number, memory: number, bytes: number): void {
    const from = offset >>> 0;
    for (let i = 0; i < KNOWN; i++) {
      if (this.knownOp[i] === Op.global_get) continue;
      const known = this.knownImm[i] >>> 0;
      const apart = this.knownAddress[i] === address && (known + loadBytes[this.knownOp[i]] <= from || from + bytes <= known);
      // Two imported memories may be one.
      const elsewhere = this.knownImm2[i] !== memory && !(this.module.memories[memory].imported && this.module.memories[this.knownImm2[i]].imported);
      if (!apart && !elsewhere) this.knownValue[i] = NONE;
    }
  }
}

/** By loop: what state any of its blocks may write, inner loops included. */
function writesOfLoops(fn: Func, order: Int32Array, loops: Loops): Uint8Array {
  const written = new Uint8Array(loops.count);
  if (loops.count === 0) return written;
  for (let i = 0; i < order.length; i++) {
    const loop = loops.loopOf[order[i]];
    if (loop === NONE) continue;
    let writes = 0;
    for (let v = fn.firstInst[order[i]]; v !== NONE; v = fn.next[v]) writes |= writesOf(fn.op[v] as Op);
    written[loop] |= writes;
  }
  // Inner loops have higher numbers.
  for (let loop = loops.count - 1; loop >= 0; loop--) if (loops.parent[loop] !== NONE) written[loops.parent[loop]] |= written[loop];
  return written;
}
