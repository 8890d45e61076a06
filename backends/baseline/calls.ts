// Calls by the baseline compiler: arguments go to where the convention wants them (backends/abi.ts), results become entries.
//
// What is in registers and no argument goes to its slot, for the callee may change every register but the callee-saved, which hold locals alone.
// Arguments that are in registers move all at once; a cycle takes exchanges. The callee of an indirect call is in the scratch register by then, so nothing
// may need that any more: what does (arguments on the stack, float constants) comes first. Relies on BaselineState.
import type { FuncIndex, TypeIndex } from "../../ir/entity.js";
import { VmCtx, type Builtin } from "../../ir/layout.js";
import { FIRST_FLOAT_REG } from "../../ir/machine/mfunc.js";
import { RegClass, Type, regClass, type FuncType } from "../../ir/types.js";
import { callAbi, type CallAbi } from "../abi.js";
import type { CodegenModule, RegisterFile } from "../target.js";
import { BaselineOutOfLine } from "./out-of-line.js";
import { Held } from "./state.js";

export abstract class BaselineCalls extends BaselineOutOfLine {
  // Which registers serve for what.
  protected readonly callerSavedInts: number;
  protected readonly callerSavedFloats: number;
  protected readonly temporaryInts: number;
  protected readonly temporaryFloats: number;
  private readonly abis = new Map<FuncType, CallAbi>();

  private readonly moveTo = new Int32Array(64);
  private readonly moveFrom = new Int32Array(64);

  /** @param pushedByCall bytes that the call instruction puts on the stack. */
  constructor(
    protected readonly module: CodegenModule,
    registers: RegisterFile,
    protected readonly pushedByCall: number,
  ) {
    super(registers);
    const { allocatableInts: ints, allocatableFloats: floats, calleeSavedInts, calleeSavedFloats } = registers;
    const mask = (regs: readonly number[]) => regs.reduce((bits, r) => bits | (1 << (r & 31)), 0);
    this.callerSavedInts = mask(ints) & ~calleeSavedInts;
    this.callerSavedFloats = mask(floats) & ~calleeSavedFloats;
    this.temporaryInts = mask(registers.argInts) & this.callerSavedInts;
    this.temporaryFloats = mask(registers.argFloats) & this.callerSavedFloats;
  }

  // ---- the target's ----

  /** Exchanges two registers of a class, of the whole width. Leaves the integer scratch register alone. */
  protected abstract swap(a: number, b: number): void;
  /** Puts the FuncRef of a table's element that has this type into the integer scratch register, or traps. Changes no other register that is in use. */
  protected abstract tableElement(table: number, type: TypeIndex, element: number, offset: number): void;
  // Calls, arguments being where they should be.

  /** Of a function of this module, to be resolved by the linker. */
  protected abstract callDirect(index: FuncIndex, offset: number): void;
  /** Through the ImportedFunc at that place of the vm-context, in its own context; back in ours behind it. */
  protected abstract callImport(at: number, offset: number): void;
  /** The FuncRef in the integer scratch register. */
  protected abstract callRef(offset: number): void;
  /** A stub or C function whose address the vm-context holds. */
  protected abstract callContext(field: number, offset: number): void;

  /** Bytes of the outgoing area of a call. */
  outgoingBytes(sig: FuncType): number {
    return this.abiOf(sig).outgoingBytes;
  }

  protected abiOf(sig: FuncType): CallAbi {
    let abi = this.abis.get(sig);
    if (!abi) this.abis.set(sig, (abi = callAbi(sig, this.registers)));
    return abi;
  }

  // ---- calls ----

  call(callee: FuncIndex, offset: number): void {
    const { module } = this.module;
    const sig = module.types[module.funcs[callee]!.type]!;
    this.prepareCall(sig);
    this.moveArguments(sig);
    const { layout } = this.module;
    if (module.funcs[callee]!.imported) this.callImport(layout.importedFunc(callee), offset);
    else if (layout.lazy) this.callContext(layout.func(callee), offset);
    else this.callDirect(callee, offset);
    this.pushResults(sig);
  }

  callIndirect(type: TypeIndex, table: number, offset: number): void {
    const sig = this.module.module.types[type]!;
    const element = this.pop(1);
    this.prepareCall(sig);
    this.tableElement(table, type, element, offset);
    this.moveArguments(sig);
    this.callRef(offset);
    this.pushResults(sig);
  }

  /** A builtin: its number and constants, then the topmost entries, in the argument registers. */
  callBuiltin(builtin: Builtin, constants: readonly number[], values: number, result: boolean, offset: number): void {
    const { argInts, resultInts } = this.registers;
    const first = this.pop(values);
    this.spillRegisters(this.callerSavedInts, this.callerSavedFloats);
    const before = 1 + constants.length;
    this.moveToRegisters(first, Int32Array.from({ length: values }, (_, i) => argInts[before + i]!));
    this.constant(Type.i32, argInts[0]!, builtin, 0);
    constants.forEach((n, i) => this.constant(Type.i32, argInts[1 + i]!, n, 0));
    for (let i = 0; i < values; i++) this.release(first + i);
    this.callContext(VmCtx.builtin, offset);
    if (result) this.push(Type.i32, this.takeFixed(resultInts[0]!));
  }

  /** Takes entries off and puts them into the first argument registers, for a C function; all registers are free then. @returns nothing: nothing is pushed. */
  protected popArguments(count: number): void {
    const first = this.pop(count);
    this.spillRegisters(this.callerSavedInts, this.callerSavedFloats);
    this.moveToRegisters(first, Int32Array.from({ length: count }, (_, i) => this.registers.argInts[i]!));
    for (let i = 0; i < count; i++) this.release(first + i);
  }

  /** What may need the scratch registers, before the callee is in one of them. */
  private prepareCall(sig: FuncType): void {
    const { args } = this.abiOf(sig);
    const first = this.height - args.length;
    for (let i = 0; i < args.length; i++) {
      if (args[i]! < 0) this.copyToFrame(first + i, ~args[i]!);
      else if (this.held[first + i] === Held.constant && args[i]! >= FIRST_FLOAT_REG) this.toOwn(first + i);
    }
  }

  private moveArguments(sig: FuncType): void {
    const { args } = this.abiOf(sig);
    const first = this.pop(args.length);
    this.spillRegisters(this.callerSavedInts, this.callerSavedFloats);
    this.moveToRegisters(first, args);
    for (let i = 0; i < args.length; i++) this.release(first + i);
  }

  private pushResults(sig: FuncType): void {
    const { results } = this.abiOf(sig);
    for (let i = 0; i < results.length; i++) {
      if (results[i]! >= 0) this.push(sig.results[i]!, this.takeFixed(results[i]!));
      else this.pushSlot(sig.results[i]!);
    }
    // From the outgoing area to their slots.
    const first = this.height - results.length;
    for (let i = 0; i < results.length; i++) {
      if (results[i]! >= 0) continue;
      const type = sig.results[i]!;
      const scratch = regClass(type) === RegClass.int ? this.registers.scratchInt : this.registers.scratchFloat;
      this.load(type, scratch, ~results[i]!);
      this.store(type, scratch, this.slotOffset(first + i));
    }
  }

  /**
   * Copies entries from `first` on to the registers `where` says (negative: not this one), all at once: first what is in registers, cycles by
   * exchanging, then the rest, whose sources no register here holds.
   */
  protected moveToRegisters(first: number, where: Int32Array): void {
    const { moveTo, moveFrom } = this;
    let n = 0;
    let others = false;
    for (let i = 0; i < where.length; i++) {
      if (where[i]! < 0) continue;
      if (this.held[first + i] !== Held.register) others = true;
      else if (this.lo[first + i] !== where[i]) {
        moveTo[n] = where[i]!;
        moveFrom[n++] = this.lo[first + i]!;
      }
    }
    while (n > 0) {
      let moved = false;
      for (let k = n - 1; k >= 0; k--) {
        const to = moveTo[k]!;
        let isRead = false;
        for (let j = 0; j < n; j++) if (moveFrom[j] === to) isRead = true;
        if (isRead) continue;
        this.move(to < FIRST_FLOAT_REG ? Type.i64 : Type.f64, to, moveFrom[k]!);
        n--;
        moveTo[k] = moveTo[n]!;
        moveFrom[k] = moveFrom[n]!;
        moved = true;
      }
      if (moved) continue;
      // A cycle: one exchange puts one value in place, and what was there where it came from.
      const to = moveTo[0]!;
      const from = moveFrom[0]!;
      this.swap(to, from);
      for (let j = 1; j < n; j++) if (moveFrom[j] === to) moveFrom[j] = from;
      n--;
      moveTo[0] = moveTo[n]!;
      moveFrom[0] = moveFrom[n]!;
      // The last of a cycle may be in place now.
      for (let k = n - 1; k >= 0; k--) {
        if (moveTo[k] !== moveFrom[k]) continue;
        n--;
        moveTo[k] = moveTo[n]!;
        moveFrom[k] = moveFrom[n]!;
      }
    }
    if (others) for (let i = 0; i < where.length; i++) if (where[i]! >= 0 && this.held[first + i] !== Held.register) this.copyTo(first + i, where[i]!);
  }
}
