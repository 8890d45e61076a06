// What the baseline compiler knows while it walks a body: where each operand is, which registers are free, where locals live.
//
// The operand stack holds descriptions, not values: an operand is a constant, stands for a local, is in a register of its own, or is in
// its slot of the frame (one a height). Code is made when an operation needs the value. A local has one home for the whole function:
// a register or a slot. Rules that all code here keeps:
//   - a register is owned by one entry of the stack, or by the operation at hand, or it is free;
//   - moving values never changes the flags (or whatever a target branches on);
//   - entries from `height` on are operands of the operation at hand: they are not evicted, and each is released once.
// Relies on a target for loads, stores and moves. Model: V8's Liftoff (C. Hammacher, 2018), with slots in place of register states at merges.
import { FIRST_FLOAT_REG } from "../../ir/machine/mfunc.js";
import { RegClass, Type, regClass } from "../../ir/types.js";
import type { RegisterFile } from "../target.js";

/** Where an entry of the operand stack is. `lo` (and `hi`) mean: the bits; the local; the register; nothing. */
export const enum Held {
  slot = 0,
  constant = 1,
  local = 2,
  register = 3,
}

const NO_REG = -1;

/** Entries looked at for those that stand for a local. */
const LOOK_DEPTH = 32;

function grown<T extends Int32Array | Uint8Array>(column: T): T {
  const bigger = new (column.constructor as new (n: number) => T)(column.length * 2);
  bigger.set(column);
  return bigger;
}

export abstract class BaselineState {
  // ---- the operand stack ----
  height = 0;
  protected held = new Uint8Array(64);
  protected type = new Uint8Array(64);
  protected lo = new Int32Array(64);
  protected hi = new Int32Array(64);
  /** Entries below this height are in slots, or constants. */
  private settled = 0;

  // ---- registers, as masks: bit n is integer register n, or float register 32 + n ----
  protected freeInts = 0;
  protected freeFloats = 0;
  /** By register: the entry that owns it, where one does. */
  private readonly owner = new Int32Array(64);

  // ---- locals ----
  protected localCount = 0;
  protected localType: Uint8Array = new Uint8Array(0);
  /** By local: its register, -1 where its home is a slot. */
  protected localHome: Int8Array = new Int8Array(0);
  /** By local: how many entries of the stack stand for it. */
  private standing = new Int32Array(64);

  // ---- the frame, offsets from the stack pointer ----
  protected localSlots = 0;
  protected stackSlots = 0;
  private slotCount = 0;

  constructor(protected readonly registers: RegisterFile) {}

  // ---- the target's: none of them changes flags ----

  /** Between two registers of the type's class. */
  protected abstract move(type: Type, to: number, from: number): void;
  /** From the frame. An i32 is zero-extended. */
  protected abstract load(type: Type, to: number, offset: number): void;
  protected abstract store(type: Type, from: number, offset: number): void;
  /** May use the integer scratch register where `to` is a float register. */
  protected abstract constant(type: Type, to: number, lo: number, hi: number): void;
  protected abstract storeConstant(type: Type, lo: number, hi: number, offset: number): void;

  /** @param temporaries registers for operands, masks; @param homes by local its register, or -1; @param slotCount entries that have a slot. */
  protected beginState(types: Uint8Array, homes: Int8Array, temporaryInts: number, temporaryFloats: number, localSlots: number, slotCount: number): void {
    this.height = 0;
    this.settled = 0;
    this.freeInts = temporaryInts;
    this.freeFloats = temporaryFloats;
    this.localCount = types.length;
    this.localType = types;
    this.localHome = homes;
    if (this.standing.length < types.length) this.standing = new Int32Array(types.length * 2);
    this.standing.fill(0, 0, types.length);
    this.localSlots = localSlots;
    this.stackSlots = localSlots + 8 * types.length;
    this.slotCount = slotCount;
  }

  protected localOffset(local: number): number {
    return this.localSlots + 8 * local;
  }

  protected slotOffset(entry: number): number {
    if (entry >= this.slotCount) throw new Error(`there are ${this.slotCount} slots for operands, which entry ${entry} is beyond`);
    return this.stackSlots + 8 * entry;
  }

  // ---- registers ----

  protected takeInt(): number {
    const free = this.freeInts;
    if (free === 0) return this.evictAny(0, 31);
    this.freeInts = free & (free - 1);
    return 31 - Math.clz32(free & -free);
  }

  protected takeFloat(): number {
    const free = this.freeFloats;
    if (free === 0) return this.evictAny(FIRST_FLOAT_REG, FIRST_FLOAT_REG + 31);
    this.freeFloats = free & (free - 1);
    return FIRST_FLOAT_REG + 31 - Math.clz32(free & -free);
  }

  protected take(type: Type): number {
    return regClass(type) === RegClass.int ? this.takeInt() : this.takeFloat();
  }

  protected isFree(reg: number): boolean {
    return reg < FIRST_FLOAT_REG ? ((this.freeInts >>> reg) & 1) !== 0 : ((this.freeFloats >>> (reg - FIRST_FLOAT_REG)) & 1) !== 0;
  }

  protected free(reg: number): void {
    if (reg < FIRST_FLOAT_REG) this.freeInts |= 1 << reg;
    else this.freeFloats |= 1 << (reg - FIRST_FLOAT_REG);
  }

  /** That very register, free or owned by an entry below `height`, which goes to its slot. */
  protected takeFixed(reg: number): number {
    if (this.isFree(reg)) {
      if (reg < FIRST_FLOAT_REG) this.freeInts &= ~(1 << reg);
      else this.freeFloats &= ~(1 << (reg - FIRST_FLOAT_REG));
      return reg;
    }
    if (!this.owns(this.owner[reg]!, reg)) throw new Error(`register ${reg} is in use by the operation that asks for it`);
    this.toSlot(this.owner[reg]!);
    return reg;
  }

  /** Of the registers in a range, the one whose owner is deepest in the stack. */
  private evictAny(first: number, last: number): number {
    let best = NO_REG;
    for (let r = first; r <= last; r++) {
      if (this.owns(this.owner[r]!, r) && (best === NO_REG || this.owner[r]! < this.owner[best]!)) best = r;
    }
    if (best === NO_REG) throw new Error("an operation needs more registers than there are");
    this.toSlot(this.owner[best]!);
    return best;
  }

  private owns(entry: number, reg: number): boolean {
    return entry < this.height && this.held[entry] === Held.register && this.lo[entry] === reg;
  }

  /** Stores an entry that is in a register; the register is the caller's. */
  private toSlot(entry: number): void {
    this.store(this.type[entry]!, this.lo[entry]!, this.slotOffset(entry));
    this.held[entry] = Held.slot;
  }

  // ---- pushing ----

  private grow(): void {
    this.held = grown(this.held);
    this.type = grown(this.type);
    this.lo = grown(this.lo);
    this.hi = grown(this.hi);
  }

  /** A register that was taken. */
  protected push(type: Type, reg: number): void {
    const h = this.height++;
    if (h === this.held.length) this.grow();
    this.held[h] = Held.register;
    this.type[h] = type;
    this.lo[h] = reg;
    this.owner[reg] = h;
  }

  /** What is in the entry's slot. */
  protected pushSlot(type: Type): void {
    const h = this.height++;
    if (h === this.held.length) this.grow();
    this.held[h] = Held.slot;
    this.type[h] = type;
  }

  pushConstant(type: Type, lo: number, hi: number): void {
    const h = this.height++;
    if (h === this.held.length) this.grow();
    this.held[h] = Held.constant;
    this.type[h] = type;
    this.lo[h] = lo;
    this.hi[h] = hi;
  }

  localGet(local: number): void {
    const h = this.height++;
    if (h === this.held.length) this.grow();
    this.held[h] = Held.local;
    this.type[h] = this.localType[local]!;
    this.lo[h] = local;
    this.standing[local]!++;
  }

  /** Whether an entry's value is in memory: there the low half of an i64 is the i32, and the bits of a float are those of the integer. */
  protected inFrame(entry: number): boolean {
    return this.held[entry] === Held.slot || (this.held[entry] === Held.local && this.localHome[this.lo[entry]!]! < 0);
  }

  /** The topmost entry, an i32, becomes the i64 it is. An i32 in a register is zero-extended. */
  protected zeroExtend(): void {
    const top = this.height - 1;
    if (this.held[top] === Held.constant) this.hi[top] = 0;
    else if (this.inFrame(top)) this.toOwn(top);
    this.type[top] = Type.i64;
  }

  /** Where the topmost entry's bits are those of the type already, in memory or as a constant: it is of that type now. @returns whether so. */
  protected retype(type: Type): boolean {
    const top = this.height - 1;
    if (this.held[top] !== Held.constant && !this.inFrame(top)) return false;
    this.type[top] = type;
    return true;
  }

  // ---- taking ----

  /** Takes entries off the stack: from here on they belong to the operation at hand. */
  protected pop(count: number): number {
    this.height -= count;
    if (this.settled > this.height) this.settled = this.height;
    return this.height;
  }

  /** The operation is done with an entry it has popped. */
  protected release(entry: number): void {
    if (this.held[entry] === Held.register) this.free(this.lo[entry]!);
    else if (this.held[entry] === Held.local) this.standing[this.lo[entry]!]!--;
  }

  /** Puts what an entry holds into a register, which is not to be written. */
  protected toReg(entry: number): number {
    const kind = this.held[entry]!;
    if (kind === Held.register) return this.lo[entry]!;
    if (kind === Held.local && this.localHome[this.lo[entry]!]! >= 0) return this.localHome[this.lo[entry]!]!;
    return this.toOwn(entry);
  }

  /** Puts what an entry holds into a register of its own. */
  protected toOwn(entry: number): number {
    if (this.held[entry] === Held.register) return this.lo[entry]!;
    const reg = this.take(this.type[entry]!);
    this.copyTo(entry, reg);
    this.own(entry, reg);
    return reg;
  }

  /** The entry is in that register now, which was taken for it. */
  protected own(entry: number, reg: number): void {
    if (this.held[entry] === Held.local) this.standing[this.lo[entry]!]!--;
    this.held[entry] = Held.register;
    this.lo[entry] = reg;
    this.owner[reg] = entry;
  }

  /** Copies what an entry holds to a register; the entry stays what it is. */
  protected copyTo(entry: number, reg: number): void {
    const type: Type = this.type[entry]!;
    const lo = this.lo[entry]!;
    switch (this.held[entry]! as Held) {
      case Held.register:
        if (lo !== reg) this.move(type, reg, lo);
        return;
      case Held.constant:
        return this.constant(type, reg, lo, this.hi[entry]!);
      case Held.local:
        if (this.localHome[lo]! >= 0) this.move(type, reg, this.localHome[lo]!);
        else this.load(type, reg, this.localOffset(lo));
        return;
      case Held.slot:
        return this.load(type, reg, this.slotOffset(entry));
    }
  }

  /** Copies what an entry holds to a place of the frame; the entry stays what it is. */
  protected copyToFrame(entry: number, offset: number): void {
    const type: Type = this.type[entry]!;
    const kind = this.held[entry]!;
    if (kind === Held.constant) return this.storeConstant(type, this.lo[entry]!, this.hi[entry]!, offset);
    let reg = kind === Held.register ? this.lo[entry]! : kind === Held.local ? this.localHome[this.lo[entry]!]! : NO_REG;
    if (reg < 0) {
      if (kind === Held.slot && offset === this.slotOffset(entry)) return;
      reg = regClass(type) === RegClass.int ? this.registers.scratchInt : this.registers.scratchFloat;
      this.copyTo(entry, reg);
    }
    this.store(type, reg, offset);
  }

  drop(): void {
    this.release(this.pop(1));
  }

  /** Takes entries off down to a height. */
  protected dropTo(height: number): void {
    for (let i = height; i < this.height; i++) this.release(i);
    this.pop(this.height - height);
  }

  // ---- locals ----

  localSet(local: number): void {
    const entry = this.pop(1);
    if (this.held[entry] === Held.local && this.lo[entry] === local) return this.release(entry);
    this.preserve(local);
    this.setHome(local, entry);
    this.release(entry);
  }

  localTee(local: number): void {
    const entry = this.height - 1;
    if (this.held[entry] === Held.local && this.lo[entry] === local) return;
    this.preserve(local);
    this.setHome(local, entry);
    // A value in a register stays at hand where the local's home is none.
    if (this.localHome[local]! < 0 && this.held[entry] === Held.register) return;
    this.drop();
    this.localGet(local);
  }

  private setHome(local: number, entry: number): void {
    const home = this.localHome[local]!;
    if (home >= 0) this.copyTo(entry, home);
    else this.copyToFrame(entry, this.localOffset(local));
  }

  /** The local changes: entries that stand for it take its value now. Looks no deeper than a few entries before it settles all of them. */
  protected preserve(local: number): void {
    for (let i = this.height - 1; this.standing[local]! > 0; i--) {
      if (i < this.height - LOOK_DEPTH) return this.settle();
      if (this.held[i] === Held.local && this.lo[i] === local) this.toOwn(i);
    }
  }

  /** How many entries stand for a local, those of the operation at hand included. */
  protected standingFor(local: number): number {
    return this.standing[local]!;
  }

  // ---- where control flow meets ----

  /** Brings all entries but constants into their slots, so that all paths find them there. */
  protected settle(): void {
    for (let i = this.settled; i < this.height; i++) {
      if (this.held[i] === Held.constant) continue;
      this.copyToFrame(i, this.slotOffset(i));
      this.release(i);
      this.held[i] = Held.slot;
    }
    this.settled = this.height;
  }

  /** The same for the topmost entries, constants included. */
  protected settleTop(count: number): void {
    this.settle();
    for (let i = this.height - count; i < this.height; i++) {
      if (this.held[i] !== Held.constant) continue;
      this.copyToFrame(i, this.slotOffset(i));
      this.held[i] = Held.slot;
    }
  }

  /** Brings what is in registers into slots: a call changes them all. */
  protected spillRegisters(temporaryInts: number, temporaryFloats: number): void {
    for (let busy = temporaryInts & ~this.freeInts; busy !== 0; busy &= busy - 1) this.spill(31 - Math.clz32(busy & -busy));
    for (let busy = temporaryFloats & ~this.freeFloats; busy !== 0; busy &= busy - 1) this.spill(FIRST_FLOAT_REG + 31 - Math.clz32(busy & -busy));
  }

  private spill(reg: number): void {
    if (!this.owns(this.owner[reg]!, reg)) return;
    this.toSlot(this.owner[reg]!);
    this.free(reg);
  }
}
