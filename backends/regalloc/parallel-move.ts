// Parallel moves: a set of moves that happen at once => a sequence of moves and swaps with the same effect.
//
// A move goes out as soon as nobody still reads its destination. What is left then are simple cycles, since every
// location is written once: two integer registers are exchanged, other cycles go through the scratch register of
// their class. A slot-to-slot move goes through a scratch register, the other class's while the first is taken.
// Values made again instead of moved (REMAT) come last: they read nothing. Linear in the number of moves.
// Relies on: slots of 8 and of 16 bytes never overlapping (slots.ts keeps them apart).
import { FIRST_FLOAT_REG, FIRST_SLOT } from "../../ir/machine/mfunc.js";
import { Type } from "../../ir/types.js";
import type { RegisterFile } from "../target.js";

/** As a source: not moved but made again, from the vreg's remat columns. */
export const REMAT = -1;

export const enum Step {
  move = 0,
  swap = 1,
  remat = 2,
}

const enum State {
  waiting = 0,
  done = 1,
}

function throughInt(type: number): number {
  return type === Type.i32 || type === Type.f32 ? Type.i32 : Type.i64;
}

function throughFloat(type: number): number {
  return type === Type.v128 ? Type.v128 : type === Type.i32 || type === Type.f32 ? Type.f32 : Type.f64;
}

function isFloat(type: number): boolean {
  return type === Type.f32 || type === Type.f64 || type === Type.v128;
}

export class ParallelMove {
  private count = 0;
  private dst = new Int32Array(32);
  private src = new Int32Array(32);
  private vreg = new Int32Array(32);
  private type = new Uint8Array(32);
  private state = new Uint8Array(32);
  private ready = new Int32Array(32);
  /** By location: moves that still read it; and 1 + the move that writes it. Zero outside `resolve`. */
  private readers = new Int32Array(256);
  private writer = new Int32Array(256);

  /** The sequence: `outStep`; locations; the type moved; the vreg of a remat. */
  outCount = 0;
  outStep = new Uint8Array(64);
  outDst = new Int32Array(64);
  outSrc = new Int32Array(64);
  outType = new Uint8Array(64);
  outVreg = new Int32Array(64);

  constructor(private readonly registers: RegisterFile) {}

  clear(): void {
    this.count = 0;
    this.outCount = 0;
  }

  /** `type`: of the value moved. `src` REMAT: `vreg` is made again in `dst`. */
  add(dst: number, src: number, vreg: number, type: number): void {
    if (dst === src) return;
    const i = this.count++;
    if (i === this.dst.length) this.growMoves();
    this.dst[i] = dst;
    this.src[i] = src;
    this.vreg[i] = vreg;
    this.type[i] = type;
    this.state[i] = State.waiting;
  }

  resolve(): void {
    const { count, dst, src } = this;
    this.outCount = 0;
    if (count === 1) {
      if (src[0] !== REMAT) this.emit(0, -1);
      else this.emitRemat(0);
      return;
    }
    let highest = 0;
    for (let i = 0; i < count; i++) {
      if (dst[i] > highest) highest = dst[i];
      if (src[i] > highest) highest = src[i];
    }
    if (highest >= this.readers.length) {
      this.readers = new Int32Array(highest * 2);
      this.writer = new Int32Array(highest * 2);
    }
    const { readers, writer, state, ready } = this;
    for (let i = 0; i < count; i++) {
      if (writer[dst[i]] !== 0) {
        const other = this.vreg[writer[dst[i]] - 1];
        this.readers.fill(0);
        this.writer.fill(0);
        throw new Error(`parallel move: location ${dst[i]} is written twice (v${other}, v${this.vreg[i]})`);
      }
      writer[dst[i]] = i + 1;
      if (src[i] !== REMAT) readers[src[i]]++;
    }
    let top = 0;
    let remats = 0;
    for (let i = count - 1; i >= 0; i--) {
      if (src[i] === REMAT) {
        // Not a waiting reader of anything; whoever frees its destination must not start it early.
        remats++;
        writer[dst[i]] = 0;
      } else if (readers[dst[i]] === 0) ready[top++] = i;
    }
    this.drain(top, -1);
    for (let i = 0; i < count; i++) {
      if (state[i] === State.waiting && src[i] !== REMAT) this.breakCycle(i);
    }
    if (remats > 0) for (let i = 0; i < count; i++) if (src[i] === REMAT) this.emitRemat(i);
    for (let i = 0; i < count; i++) {
      writer[dst[i]] = 0;
      if (src[i] >= 0) readers[src[i]] = 0;
    }
  }

  /** Emits the `top` moves on the ready stack and all they free. `busy`: a scratch register that holds something. */
  private drain(top: number, busy: number): void {
    const { src, state, ready, readers, writer } = this;
    while (top > 0) {
      const i = ready[--top];
      this.emit(i, busy);
      state[i] = State.done;
      const from = src[i];
      if (from === busy) continue;
      if (--readers[from] === 0 && writer[from] !== 0) {
        const next = writer[from] - 1;
        if (state[next] === State.waiting) ready[top++] = next;
      }
    }
  }

  private breakCycle(first: number): void {
    const { dst, src, type, state, readers, writer } = this;
    // A slot-to-slot move needs the scratch anyway: breaking the cycle there is free.
    let at = first;
    let length = 0;
    let intRegs = true;
    for (let i = first; ; ) {
      length++;
      if (dst[i] >= FIRST_FLOAT_REG) intRegs = false;
      if (dst[i] >= FIRST_SLOT && src[i] >= FIRST_SLOT) at = i;
      i = writer[src[i]] - 1;
      if (i === first) break;
    }
    if (length === 2 && intRegs) {
      this.push(Step.swap, dst[first], src[first], Type.i64, -1);
      state[first] = State.done;
      state[writer[src[first]] - 1] = State.done;
      return;
    }
    const scratch = isFloat(type[at]) ? this.registers.scratchFloat : this.registers.scratchInt;
    const freed = src[at];
    this.push(Step.move, scratch, freed, type[at], -1);
    readers[freed] = 0;
    src[at] = scratch;
    this.ready[0] = writer[freed] - 1;
    this.drain(1, scratch);
  }

  private emit(i: number, busy: number): void {
    const dst = this.dst[i];
    const src = this.src[i];
    const type = this.type[i];
    if (dst < FIRST_SLOT || src < FIRST_SLOT) {
      this.push(Step.move, dst, src, type, -1);
      return;
    }
    const { scratchInt, scratchFloat } = this.registers;
    if (type === Type.v128 && busy === scratchFloat) {
      for (let half = 0; half < 2; half++) {
        this.push(Step.move, scratchInt, src + half, Type.i64, -1);
        this.push(Step.move, dst + half, scratchInt, Type.i64, -1);
      }
    } else if (type === Type.v128 || busy === scratchInt || (isFloat(type) && busy !== scratchFloat)) {
      this.push(Step.move, scratchFloat, src, throughFloat(type), -1);
      this.push(Step.move, dst, scratchFloat, throughFloat(type), -1);
    } else {
      this.push(Step.move, scratchInt, src, throughInt(type), -1);
      this.push(Step.move, dst, scratchInt, throughInt(type), -1);
    }
  }

  private emitRemat(i: number): void {
    const dst = this.dst[i];
    const type = this.type[i];
    if (dst < FIRST_SLOT) {
      this.push(Step.remat, dst, REMAT, type, this.vreg[i]);
      return;
    }
    const scratch = isFloat(type) ? this.registers.scratchFloat : this.registers.scratchInt;
    this.push(Step.remat, scratch, REMAT, type, this.vreg[i]);
    this.push(Step.move, dst, scratch, type, -1);
  }

  private push(step: number, dst: number, src: number, type: number, vreg: number): void {
    const n = this.outCount++;
    if (n === this.outDst.length) this.growOut();
    this.outStep[n] = step;
    this.outDst[n] = dst;
    this.outSrc[n] = src;
    this.outType[n] = type;
    this.outVreg[n] = vreg;
  }

  private growMoves(): void {
    const n = this.dst.length * 2;
    const int = (column: Int32Array) => {
      const bigger = new Int32Array(n);
      bigger.set(column);
      return bigger;
    };
    const byte = (column: Uint8Array) => {
      const bigger = new Uint8Array(n);
      bigger.set(column);
      return bigger;
    };
    this.dst = int(this.dst);
    this.src = int(this.src);
    this.vreg = int(this.vreg);
    this.type = byte(this.type);
    this.state = byte(this.state);
    this.ready = int(this.ready);
  }

  private growOut(): void {
    const n = this.outDst.length * 2;
    const int = (column: Int32Array) => {
      const bigger = new Int32Array(n);
      bigger.set(column);
      return bigger;
    };
    const byte = (column: Uint8Array) => {
      const bigger = new Uint8Array(n);
      bigger.set(column);
      return bigger;
    };
    this.outStep = byte(this.outStep);
    this.outType = byte(this.outType);
    this.outDst = int(this.outDst);
    this.outSrc = int(this.outSrc);
    this.outVreg = int(this.outVreg);
  }
}
