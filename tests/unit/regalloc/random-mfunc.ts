// Random machine functions for the allocator's tests: a seed => a valid MFunc on virtual registers.
//
// The graph is any graph (loops, irreducible ones, self loops), put in reverse postorder, critical edges split; every use
// is dominated by its definition; every instruction's operands can be satisfied with the register file given.
import { FIRST_FLOAT_REG, MFunc, MOp, Opnd } from "../../../ir/machine/mfunc.js";
import { Type } from "../../../ir/types.js";
import type { FuncIndex } from "../../../ir/entity.js";
import type { RegisterFile } from "../../../backends/target.js";

export const enum TestOp {
  ret = 16,
  jump,
  branch,
  table,
  constant,
  floatConstant,
  plain,
  call,
}

/** A register file with `ints` and `floats` allocatable registers; the last third of the integers is callee-saved. */
export function registerFile(ints: number, floats: number): RegisterFile {
  const names: (string | undefined)[] = new Array(64).fill(undefined);
  const allocatableInts: number[] = [];
  const allocatableFloats: number[] = [];
  for (let r = 0; r < ints; r++) {
    names[r] = `r${r}`;
    allocatableInts.push(r);
  }
  for (let r = 0; r < floats; r++) {
    names[FIRST_FLOAT_REG + r] = `f${r}`;
    allocatableFloats.push(FIRST_FLOAT_REG + r);
  }
  names[31] = "scratch";
  names[63] = "fscratch";
  const saved = Math.floor(ints / 3);
  return {
    names,
    allocatableInts,
    allocatableFloats,
    calleeSavedInts: ((1 << ints) - 1) & ~((1 << (ints - saved)) - 1),
    calleeSavedFloats: 0,
    scratchInt: 31,
    scratchFloat: 63,
    argInts: allocatableInts.slice(0, Math.max(1, ints - saved)),
    argFloats: allocatableFloats,
    resultInts: allocatableInts.slice(0, 2),
    resultFloats: allocatableFloats.slice(0, 2),
  };
}

export class Random {
  constructor(private state: number) {}
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }
  below(n: number): number {
    return this.next() % n;
  }
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}

export interface Shape {
  readonly blocks: number;
  readonly instsPerBlock: number;
  /** Percent of instructions that are calls. */
  readonly calls: number;
  readonly params: number;
  /** Uses prefer old values: more of them live at once. */
  readonly longLived: boolean;
  readonly wide: boolean;
}

export function randomShape(random: Random): Shape {
  return {
    blocks: 1 + random.below(random.chance(20) ? 40 : 12),
    instsPerBlock: 1 + random.below(10),
    calls: random.chance(50) ? 0 : random.below(30),
    params: random.below(random.chance(10) ? 20 : 5),
    longLived: random.chance(40),
    wide: random.chance(20),
  };
}

interface Graph {
  succs: number[][];
  preds: number[][];
  idom: number[];
}

/** A random graph in reverse postorder without critical edges. */
function randomGraph(random: Random, wanted: number): Graph {
  const raw: number[][] = [];
  for (let b = 0; b < wanted; b++) {
    const out = random.below(10);
    const count = b === wanted - 1 ? 0 : out < 1 ? 0 : out < 5 ? 1 : out < 9 ? 2 : 3;
    const targets = new Set<number>();
    if (count > 0 && random.chance(70)) targets.add(Math.min(wanted - 1, b + 1));
    // Never to the entry.
    while (targets.size < Math.min(count, wanted - 1)) targets.add(random.chance(65) ? Math.min(wanted - 1, b + 1 + random.below(4)) : 1 + random.below(wanted - 1));
    raw.push([...targets]);
  }
  const order: number[] = [];
  const seen = new Array<boolean>(wanted).fill(false);
  const stack: [number, number][] = [[0, 0]];
  seen[0] = true;
  while (stack.length > 0) {
    const top = stack[stack.length - 1];
    if (top[1] < raw[top[0]].length) {
      const s = raw[top[0]][top[1]++];
      if (!seen[s]) {
        seen[s] = true;
        stack.push([s, 0]);
      }
    } else {
      order.push(top[0]);
      stack.pop();
    }
  }
  order.reverse();
  const predCount = new Array<number>(wanted).fill(0);
  for (const b of order) for (const s of raw[b]) predCount[s]++;
  // Edge blocks go right behind the block they leave.
  const layout: ([number] | [number, number])[] = [];
  for (const b of order) {
    layout.push([b]);
    for (const s of raw[b]) if (raw[b].length > 1 && predCount[s] > 1) layout.push([b, s]);
  }
  const number = new Map<string, number>();
  layout.forEach((l, i) => number.set(l.join(), i));
  const succs = layout.map((l) => (l.length === 2 ? [number.get(`${l[1]}`)!] : raw[l[0]].map((s) => number.get(`${l[0]},${s}`) ?? number.get(`${s}`)!)));
  const preds: number[][] = succs.map(() => []);
  succs.forEach((list, b) => list.forEach((s) => preds[s].push(b)));
  const idom = new Array<number>(succs.length).fill(-1);
  idom[0] = 0;
  for (let changed = true; changed; ) {
    changed = false;
    for (let b = 1; b < succs.length; b++) {
      let dom = -1;
      for (const p of preds[b]) {
        if (idom[p] < 0) continue;
        let x: number = p;
        let y = dom < 0 ? p : dom;
        while (x !== y) {
          if (x > y) x = idom[x];
          else y = idom[y];
        }
        dom = x;
      }
      if (dom !== idom[b]) {
        idom[b] = dom;
        changed = true;
      }
    }
  }
  return { succs, preds, idom };
}

export function randomFunction(seed: number, registers: RegisterFile, shape?: Shape): MFunc {
  const random = new Random(seed);
  const { blocks, instsPerBlock, calls, params, longLived, wide } = shape ?? randomShape(random);
  const graph = randomGraph(random, blocks);
  const n = graph.succs.length;
  const mfn = new MFunc(0 as FuncIndex, { params: [], results: [] }, `seed ${seed}`);
  const intTypes = [Type.i32, Type.i64, Type.externref];
  const floatTypes = wide ? [Type.f64, Type.v128, Type.f32] : [Type.f64, Type.f32];
  const anyType = () => (random.chance(65) ? intTypes[random.below(3)] : floatTypes[random.below(floatTypes.length)]);
  const isFloat = (type: number) => type === Type.f32 || type === Type.f64 || type === Type.v128;
  const clobberSet = mfn.clobberSet(
    registers.allocatableInts.reduce((m, r) => (((registers.calleeSavedInts >>> r) & 1) !== 0 ? m : m | (1 << r)), 0),
    registers.allocatableFloats.reduce((m, r) => m | (1 << (r & 31)), 0),
  );

  // Values known at the end of each block, own and dominating ones.
  const known: number[][] = [];
  const blockParams: number[][] = [];
  for (let b = 0; b < n; b++) {
    mfn.newBlock(b, 0, false);
    const own: number[] = [];
    if (b > 0) for (let i = random.below(params + 1); i > 0; i--) own.push(mfn.newVreg(anyType()));
    blockParams.push(own);
  }
  // Loop depth: how many backward edges of the layout span the block.
  for (let b = 0; b < n; b++) {
    for (const s of graph.succs[b]) if (s <= b) for (let x = s; x <= b; x++) mfn.blockLoopDepth[x] = Math.min(4, mfn.blockLoopDepth[x] + 1);
    if (graph.succs[b].length === 0 && random.chance(60)) mfn.blockCold[b] = 1;
  }

  const pickOf = (values: number[], float: boolean | undefined): number => {
    for (let tries = 0; tries < 6 && values.length > 0; tries++) {
      const recent = Math.min(values.length, 6);
      const v = longLived || random.chance(30) ? values[random.below(values.length)] : values[values.length - 1 - random.below(recent)];
      if (float === undefined || isFloat(mfn.vregType[v]) === float) return v;
    }
    return -1;
  };

  const constant = (type: Type): number => {
    const v = mfn.newVreg(type);
    const op = isFloat(type) ? TestOp.floatConstant : TestOp.constant;
    const imm = random.below(1000);
    if (random.chance(80)) mfn.setRemat(v, op, imm);
    mfn.inst(op, imm);
    mfn.operand(v, Opnd.def | Opnd.reg);
    return v;
  };

  const plain = (values: number[]): void => {
    // How many registers each class still has for operands of this instruction.
    const left = [registers.allocatableInts.length, registers.allocatableFloats.length];
    const usable = [registers.allocatableInts.slice(), registers.allocatableFloats.slice()];
    const fixed = (cls: number): number => {
      const list = usable[cls];
      return list.splice(random.below(list.length), 1)[0];
    };
    mfn.inst(TestOp.plain, random.below(100));
    const operands: [number, number][] = [];
    const tieable: number[] = [];
    for (let u = random.below(4); u > 0; u--) {
      const v = pickOf(values, undefined);
      if (v < 0) break;
      const cls = isFloat(mfn.vregType[v]) ? 1 : 0;
      const late = random.chance(20) ? Opnd.flip : 0;
      const kind = random.below(10);
      if (kind < 4) operands.push([v, Opnd.use | Opnd.any | late]);
      else if (left[cls] > 1) {
        left[cls]--;
        if (kind < 8) {
          tieable.push(operands.length);
          operands.push([v, Opnd.use | Opnd.reg | late]);
        } else {
          if (late === 0) tieable.push(operands.length);
          operands.push([v, Opnd.use | Opnd.fixed | late | (fixed(cls) << Opnd.payloadShift)]);
        }
      }
    }
    if (random.chance(20)) {
      const type = anyType();
      const cls = isFloat(type) ? 1 : 0;
      if (left[cls] > 1) {
        left[cls]--;
        operands.push([mfn.newVreg(type), random.chance(60) ? Opnd.temp | Opnd.reg : Opnd.temp | Opnd.fixed | (fixed(cls) << Opnd.payloadShift)]);
      }
    }
    const defs: number[] = [];
    for (let d = random.below(10) < 8 ? 1 : random.below(3); d > 0; d--) {
      const early = random.chance(15) ? Opnd.flip : 0;
      const tie = tieable.length > 0 && random.chance(50) ? tieable.splice(random.below(tieable.length), 1)[0] : -1;
      if (tie >= 0 && (operands[tie][1] & Opnd.flip) === 0) {
        const source = operands[tie][0];
        const v = mfn.newVreg(mfn.vregType[source]);
        // Two-address: an early definition cannot share with its own input.
        operands.push([v, Opnd.def | Opnd.same | (tie << Opnd.payloadShift)]);
        defs.push(v);
        continue;
      }
      const type = anyType();
      const cls = isFloat(type) ? 1 : 0;
      if (left[cls] <= 1) continue;
      left[cls]--;
      const v = mfn.newVreg(type);
      const kind = random.below(10);
      const constraint = kind < 6 ? Opnd.reg : kind < 8 ? Opnd.any : Opnd.fixed | (fixed(cls) << Opnd.payloadShift);
      operands.push([v, Opnd.def | constraint | early]);
      defs.push(v);
    }
    for (const [v, info] of operands) mfn.operand(v, info);
    values.push(...defs);
  };

  const call = (values: number[]): void => {
    const i = mfn.inst(TestOp.call, random.below(100));
    mfn.clobbers[i] = clobberSet;
    mfn.hasCalls = true;
    const used = [0, 0];
    for (let a = random.below(5); a > 0; a--) {
      const v = pickOf(values, undefined);
      if (v < 0) break;
      const cls = isFloat(mfn.vregType[v]) ? 1 : 0;
      const list = cls === 1 ? registers.argFloats : registers.argInts;
      if (used[cls] >= list.length) continue;
      mfn.operand(v, Opnd.use | Opnd.fixed | (list[used[cls]++] << Opnd.payloadShift));
    }
    if (used[0] < registers.argInts.length && random.chance(30)) {
      const v = pickOf(values, false);
      if (v >= 0) mfn.operand(v, Opnd.use | Opnd.any);
    }
    const results = [0, 0];
    for (let r = random.below(3); r > 0; r--) {
      const type = anyType();
      const cls = isFloat(type) ? 1 : 0;
      const list = cls === 1 ? registers.resultFloats : registers.resultInts;
      if (results[cls] >= list.length) continue;
      const v = mfn.newVreg(type);
      mfn.operand(v, Opnd.def | Opnd.fixed | (list[results[cls]++] << Opnd.payloadShift));
      values.push(v);
    }
  };

  for (let b = 0; b < n; b++) {
    const values = b === 0 ? [] : known[graph.idom[b]].slice();
    values.push(...blockParams[b]);
    mfn.blockStart[b] = mfn.instCount;
    if (b === 0) {
      mfn.inst(MOp.args);
      for (const list of [registers.argInts, registers.argFloats]) {
        for (let a = 0; a < list.length; a++) {
          if (random.chance(40)) continue;
          const float = list[a] >= FIRST_FLOAT_REG;
          const v = mfn.newVreg(float ? floatTypes[random.below(floatTypes.length)] : intTypes[random.below(3)]);
          mfn.operand(v, Opnd.def | Opnd.fixed | (list[a] << Opnd.payloadShift));
          values.push(v);
        }
      }
    }
    for (let i = random.below(instsPerBlock + 1); i > 0; i--) {
      if (random.chance(calls)) call(values);
      else if (random.chance(12)) values.push(constant(anyType()));
      else plain(values);
    }
    // What the successors' parameters take must exist before the terminator.
    const edgeArgs = graph.succs[b].map((s) =>
      blockParams[s].map((p) => {
        const type = mfn.vregType[p];
        const fitting = values.filter((v) => mfn.vregType[v] === type);
        if (fitting.length > 0 && random.chance(85)) return fitting[random.below(fitting.length)];
        const v = constant(type);
        values.push(v);
        return v;
      }),
    );
    const succs = graph.succs[b];
    if (succs.length === 0) {
      mfn.inst(TestOp.ret);
      const v = pickOf(values, false);
      if (v >= 0) mfn.operand(v, Opnd.use | Opnd.fixed | (registers.resultInts[0] << Opnd.payloadShift));
    } else if (succs.length === 1) mfn.inst(TestOp.jump);
    else {
      mfn.inst(succs.length === 2 ? TestOp.branch : TestOp.table);
      for (let u = random.below(3); u > 0; u--) {
        const v = pickOf(values, false);
        if (v >= 0) mfn.operand(v, Opnd.use | (random.chance(50) ? Opnd.any : Opnd.reg));
      }
      if (succs.length > 2 && registers.allocatableInts.length > 3) mfn.operand(mfn.newVreg(Type.i64), Opnd.temp | Opnd.reg);
    }
    mfn.blockEnd[b] = mfn.instCount;
    known.push(values);
    mfn.succStart[b] = mfn.newList(succs.length);
    mfn.succCount[b] = succs.length;
    succs.forEach((s, i) => {
      const start = mfn.newList(edgeArgs[i].length);
      edgeArgs[i].forEach((v, k) => (mfn.lists[start + k] = v));
      mfn.lists[mfn.succStart[b] + i] = mfn.newEdge(b, s, start);
    });
  }
  for (let b = 0; b < n; b++) {
    mfn.paramStart[b] = mfn.newList(blockParams[b].length);
    mfn.paramCount[b] = blockParams[b].length;
    blockParams[b].forEach((p, i) => (mfn.lists[mfn.paramStart[b] + i] = p));
  }
  mfn.linkPreds();
  return mfn;
}
