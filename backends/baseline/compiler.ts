// Wasm instruction by instruction => code, in one walk without IR: what of that is the same on every target.
//
// The front end (pipeline/frontend/baseline.ts) reads a validated body and calls one method an instruction. Control flow: where paths
// meet, all operands are in their slots (or constants), so a label needs to know its height only. Code behind a branch that always
// goes away is not shown to us. Calls by the convention of all compiled code (backends/abi.ts).
// Frame, from the stack pointer upwards: outgoing area, own vm-context, locals, operand slots, padding, saved registers.
// Relies on calls.ts, out-of-line.ts and state.ts; a target adds operations (backends/<isa>/baseline.ts).
import type { FuncCode } from "../../ir/code.js";
import type { FuncIndex, GlobalIndex } from "../../ir/entity.js";
import { STACK_RESERVE, TrapKind } from "../../ir/layout.js";
import { FIRST_FLOAT_REG } from "../../ir/machine/mfunc.js";
import type { Op } from "../../ir/ops.js";
import { RegClass, Type, regClass, type FuncType } from "../../ir/types.js";
import type { CallAbi } from "../abi.js";
import type { CodegenModule, RegisterFile } from "../target.js";
import { BaselineCalls } from "./calls.js";

/** What the front end knows of a body before the walk. */
export interface BodyFacts {
  readonly index: FuncIndex;
  readonly sig: FuncType;
  /** Of parameters and locals. */
  readonly types: Uint8Array;
  /** By local: how much it is used, loops counting more. */
  readonly uses: Int32Array;
  /** Operands on the stack at most. */
  readonly maxHeight: number;
  /** Whether anything is called. */
  readonly calls: boolean;
  /** Largest outgoing area of a call (`outgoingBytes`). */
  readonly outgoingBytes: number;
  /** Wasm byte offset of the first instruction. */
  readonly offset: number;
  /** The code may be long: branches must reach any distance. */
  readonly far: boolean;
}

const enum FrameKind {
  block,
  loop,
  if_,
  else_,
}

/** A frame of this size may be set up before it is compared with the limit: half of what is mapped below. */
const LARGE_FRAME = STACK_RESERVE / 2;
/** What a register of its own must save a local to be worth saving and restoring it. */
const WORTH_A_REGISTER = 3;
const NONE = -1;

export abstract class BaselineCompiler extends BaselineCalls {
  /** Whether control reaches what comes next. If not, show nothing but the `else` or `end` of the innermost construct. */
  reachable = true;
  /** How many constructs are open, the function included. */
  depth = 0;
  /** The local that the next instruction sets (`local.set`, `local.tee`), if any; -1 again when the operation has put its result there. */
  target = NONE;
  /** The condition that was compared last, by the target's number. */
  protected condition = 0;

  protected index = 0 as FuncIndex;
  protected sig: FuncType = { params: [], results: [] };
  protected frameBytes = 0;
  /** Bytes below the saved registers. */
  protected localBytes = 0;
  protected contextOffset = 0;
  protected readonly saved: number[] = [];
  protected epilogueLabel = NONE;
  private abi: CallAbi;

  // Open constructs, innermost last; the first is the function itself.
  private frameKind = new Uint8Array(16);
  private frameBase = new Int32Array(16);
  private frameLabel = new Int32Array(16);
  private frameElse = new Int32Array(16);
  private frameStub = new Int32Array(16);
  private readonly frameSig: FuncType[] = [];

  // Registers that may be a local's home: those that calls keep; in functions that call nothing others as well.
  private readonly keptHomes: readonly number[];
  private readonly leafHomes: readonly number[];

  constructor(module: CodegenModule, registers: RegisterFile, pushedByCall: number) {
    super(module, registers, pushedByCall);
    const { allocatableInts: ints, allocatableFloats: floats, calleeSavedInts, calleeSavedFloats } = registers;
    this.keptHomes = [...ints.filter((r) => (calleeSavedInts >>> r) & 1), ...floats.filter((r) => (calleeSavedFloats >>> (r & 31)) & 1)];
    this.leafHomes = [
      ...ints.filter((r) => ((this.callerSavedInts & ~this.temporaryInts) >>> r) & 1),
      ...floats.filter((r) => ((this.callerSavedFloats & ~this.temporaryFloats) >>> (r & 31)) & 1),
    ];
    this.abi = this.abiOf(this.sig);
  }

  // ---- the target's ----

  protected abstract jump(label: number): void;
  /** Jumps where `condition` holds. */
  protected abstract jumpIf(condition: number, label: number): void;
  protected abstract invert(condition: number): number;
  /** To entry `index` of `labels`, to the last one from its length on. The register may be changed. */
  protected abstract jumpTable(index: number, labels: Int32Array): void;
  /** Saves `saved`, makes the frame, compares it with the limit, keeps the vm-context at `contextOffset`. */
  protected abstract prologue(huge: boolean, offset: number): void;
  protected abstract epilogue(): void;
  /**
   * Takes one off the function's counter, and has it compiled again when that was the last one. `leaves`: if there is better code of the loop by
   * then, stores the locals that have registers to their slots, calls it, and returns with what it returns (backends/abi.ts, `frameAbi`).
   */
  protected abstract countDown(offset: number, leaves: boolean): void;
  protected abstract zeroFrame(from: number, to: number): void;
  /** Begins a function: clears the buffer. `far`: see `BodyFacts`. */
  protected abstract beginCode(far: boolean): void;
  /** Whether all branches reach. Always so where the code may be long. */
  protected reaches(): boolean {
    return true;
  }

  // ---- the target's operations, called by the front end ----

  /** Integer and float arithmetic, conversions: operands off the stack, the result onto it, or to a local (`target`). */
  abstract operator(op: Op, offset: number): void;
  /** A comparison (also `i32.eqz`, `ref.is_null`): leaves its result as the condition. */
  abstract compare(op: Op): void;
  /** An i32 off the stack, compared with 0, becomes the condition. */
  abstract test(): void;
  /** The condition as an i32. */
  abstract pushCondition(): void;
  /** Two operands off the stack, the one the condition says onto it. */
  abstract select(): void;
  abstract loadMemory(op: Op, displacement: number, offset: number): void;
  abstract storeMemory(op: Op, displacement: number, offset: number): void;
  abstract globalGet(index: GlobalIndex): void;
  abstract globalSet(index: GlobalIndex): void;
  abstract tableGet(table: number, offset: number): void;
  abstract tableSet(table: number, offset: number): void;
  abstract tableSize(table: number): void;
  abstract refFunc(index: FuncIndex): void;
  abstract memorySize(): void;
  abstract memoryFill(offset: number): void;
  abstract memoryCopy(offset: number): void;

  invertCondition(): void {
    this.condition = this.invert(this.condition);
  }

  // ---- the function ----

  begin(facts: BodyFacts): void {
    const { sig, types } = facts;
    this.index = facts.index;
    this.sig = sig;
    this.abi = this.abiOf(sig);
    const homes = this.chooseHomes(facts);
    this.contextOffset = facts.outgoingBytes;
    const localSlots = facts.outgoingBytes + 8;
    const used = localSlots + 8 * (types.length + facts.maxHeight);
    const around = 8 * this.saved.length + this.pushedByCall;
    this.localBytes = used + (-(used + around) & 15);
    this.frameBytes = this.localBytes + 8 * this.saved.length;
    this.beginState(types, homes, this.temporaryInts, this.temporaryFloats, localSlots, facts.maxHeight);
    this.beginCode(facts.far);
    this.reachable = true;
    this.depth = 0;
    this.epilogueLabel = this.asm.newLabel();
    this.asm.source(facts.offset);
    this.prologue(this.frameBytes > LARGE_FRAME, facts.offset);
    this.takeArguments();
    this.zeroLocals();
    this.countDown(facts.offset, false);
    this.pushFrame(FrameKind.block, sig, 0);
  }

  /** Behind the last `end`. @returns undefined when the code has become too long: once more, as `far`. */
  finish(): FuncCode | undefined {
    const { asm } = this;
    asm.bind(this.epilogueLabel);
    this.epilogue();
    this.outOfLine();
    if (!this.reaches()) return undefined;
    const bytes = asm.finishLong();
    return { func: this.index, bytes, align: asm.align, frameBytes: this.frameBytes, traps: asm.traps, source: asm.sourceMap, relocs: asm.relocs, locals: this.localSlots };
  }

  /** The locals that are used most get registers. */
  private chooseHomes({ types, uses, calls }: BodyFacts): Int8Array {
    const homes = new Int8Array(types.length).fill(NONE);
    this.saved.length = 0;
    const give = (registers: readonly number[], worth: number, keep: boolean) => {
      for (const reg of registers) {
        const kind = reg < FIRST_FLOAT_REG ? RegClass.int : RegClass.float;
        let best = NONE;
        for (let i = 0; i < types.length; i++) {
          if (homes[i] === NONE && uses[i]! >= worth && regClass(types[i]!) === kind && (best === NONE || uses[i]! > uses[best]!)) best = i;
        }
        if (best === NONE) continue;
        homes[best] = reg;
        if (keep) this.saved.push(reg);
      }
    };
    if (!calls) give(this.leafHomes, 1, false);
    give(this.keptHomes, WORTH_A_REGISTER, true);
    this.saved.sort((a, b) => a - b);
    return homes;
  }

  private takeArguments(): void {
    const { args } = this.abi;
    for (let i = 0; i < args.length; i++) {
      const type: Type = this.localType[i]!;
      let from = args[i]!;
      const home = this.localHome[i]!;
      if (from < 0) {
        const incoming = this.frameBytes + this.pushedByCall + ~from;
        from = home >= 0 ? home : regClass(type) === RegClass.int ? this.registers.scratchInt : this.registers.scratchFloat;
        this.load(type, from, incoming);
      } else if (home >= 0) this.move(type, home, from);
      if (home < 0) this.store(type, from, this.localOffset(i));
    }
  }

  private zeroLocals(): void {
    let first = NONE;
    let last = NONE;
    for (let i = this.sig.params.length; i < this.localCount; i++) {
      const home = this.localHome[i]!;
      if (home >= 0) this.constant(this.localType[i]!, home, 0, 0);
      else {
        if (first === NONE) first = i;
        last = i;
      }
    }
    if (first !== NONE) this.zeroFrame(this.localOffset(first), this.localOffset(last) + 8);
  }

  // ---- constructs ----

  private pushFrame(kind: FrameKind, sig: FuncType, base: number): number {
    const d = this.depth++;
    if (d === this.frameKind.length) {
      const kinds = new Uint8Array(2 * d);
      kinds.set(this.frameKind);
      this.frameKind = kinds;
      const wider = (column: Int32Array) => {
        const bigger = new Int32Array(2 * d);
        bigger.set(column);
        return bigger;
      };
      this.frameBase = wider(this.frameBase);
      this.frameLabel = wider(this.frameLabel);
      this.frameElse = wider(this.frameElse);
      this.frameStub = wider(this.frameStub);
    }
    this.frameKind[d] = kind;
    this.frameBase[d] = base;
    this.frameLabel[d] = NONE;
    this.frameElse[d] = NONE;
    this.frameStub[d] = NONE;
    this.frameSig[d] = sig;
    return d;
  }

  block(sig: FuncType): void {
    this.settle();
    this.pushFrame(FrameKind.block, sig, this.height - sig.params.length);
  }

  loop(sig: FuncType, offset: number): void {
    this.settleTop(sig.params.length);
    const d = this.pushFrame(FrameKind.loop, sig, this.height - sig.params.length);
    this.frameLabel[d] = this.asm.newLabel();
    this.asm.bind(this.frameLabel[d]!);
    // Nothing but locals is carried over.
    this.countDown(offset, this.height === 0 && this.abi.results.every((where) => where >= 0));
  }

  /** On the condition. */
  if_(sig: FuncType): void {
    const { condition } = this;
    this.settleTop(sig.params.length);
    const d = this.pushFrame(FrameKind.if_, sig, this.height - sig.params.length);
    this.frameElse[d] = this.asm.newLabel();
    this.jumpIf(this.invert(condition), this.frameElse[d]!);
  }

  else_(): void {
    const d = this.depth - 1;
    if (this.reachable) {
      this.moveToLabel(d);
      this.jump(this.label(d));
    }
    this.asm.bind(this.frameElse[d]!);
    this.frameKind[d] = FrameKind.else_;
    this.enterAt(d, this.frameSig[d]!.params);
  }

  end(): void {
    const d = this.depth - 1;
    const kind = this.frameKind[d]! as FrameKind;
    if (d === 0) {
      if (this.reachable) this.moveResults();
      this.depth = 0;
      return;
    }
    this.depth = d;
    if (kind === FrameKind.loop) return;
    const label = this.frameLabel[d]!;
    if (label === NONE && kind !== FrameKind.if_) return;
    if (this.reachable) this.moveToLabel(d);
    if (kind === FrameKind.if_) this.asm.bind(this.frameElse[d]!);
    if (label !== NONE) this.asm.bind(label);
    this.enterAt(d, this.frameSig[d]!.results);
  }

  /** Goes on with these values in their slots. */
  private enterAt(d: number, types: readonly Type[]): void {
    this.dropTo(this.frameBase[d]!);
    for (let i = 0; i < types.length; i++) this.pushSlot(types[i]!);
    this.settle();
    this.reachable = true;
  }

  private leave(): void {
    this.dropTo(this.frameBase[this.depth - 1]!);
    this.reachable = false;
  }

  // ---- branches ----

  private label(d: number): number {
    if (d === 0) return this.epilogueLabel;
    if (this.frameLabel[d] === NONE) this.frameLabel[d] = this.asm.newLabel();
    return this.frameLabel[d]!;
  }

  private arity(d: number): number {
    const sig = this.frameSig[d]!;
    return this.frameKind[d] === FrameKind.loop ? sig.params.length : sig.results.length;
  }

  /** Copies the values of a label to where it expects them; what we know of them stays as it is, for the path that does not branch. */
  private moveToLabel(d: number): void {
    if (d === 0) return this.moveResults();
    const count = this.arity(d);
    const base = this.frameBase[d]!;
    // Ascending: no slot is written before it is read, for none moves up.
    for (let i = 0; i < count; i++) this.copyToFrame(this.height - count + i, this.slotOffset(base + i));
  }

  private moveResults(): void {
    const { results } = this.abi;
    const first = this.height - results.length;
    for (let i = 0; i < results.length; i++) {
      if (results[i]! < 0) this.copyToFrame(first + i, this.frameBytes + this.pushedByCall + ~results[i]!);
    }
    this.moveToRegisters(first, results);
  }

  /** @param label counted from the innermost construct. */
  br(label: number): void {
    const d = this.depth - 1 - label;
    this.moveToLabel(d);
    this.jump(this.label(d));
    this.leave();
  }

  /** On the condition. */
  brIf(label: number): void {
    const d = this.depth - 1 - label;
    if (this.arity(d) === 0) return this.jumpIf(this.condition, this.label(d));
    const over = this.asm.newLabel();
    this.jumpIf(this.invert(this.condition), over);
    this.moveToLabel(d);
    this.jump(this.label(d));
    this.asm.bind(over);
  }

  /** @param labels the default last; changed. */
  brTable(labels: Int32Array): void {
    const { asm } = this;
    const entry = this.pop(1);
    // Changed by the jump, so a register of its own.
    const index = this.toOwn(entry);
    const stubs: number[] = [];
    for (let i = 0; i < labels.length; i++) {
      const d = this.depth - 1 - labels[i]!;
      if (this.arity(d) === 0) {
        labels[i] = this.label(d);
        continue;
      }
      if (this.frameStub[d] === NONE) {
        this.frameStub[d] = asm.newLabel();
        stubs.push(d);
      }
      labels[i] = this.frameStub[d]!;
    }
    this.jumpTable(index, labels);
    this.release(entry);
    for (const d of stubs) {
      asm.bind(this.frameStub[d]!);
      this.frameStub[d] = NONE;
      this.moveToLabel(d);
      this.jump(this.label(d));
    }
    this.leave();
  }

  return_(): void {
    this.moveResults();
    this.jump(this.epilogueLabel);
    this.leave();
  }

  unreachable(offset: number): void {
    this.trap(TrapKind.unreachable, offset);
    this.leave();
  }
}
