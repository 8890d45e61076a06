// The code of a module: its functions one behind the other in one blob, calls between them resolved.
//
// Functions are added in ascending order of their index, as they come out of emission, and copied at once, so that nothing
// of a function but its bytes and tables outlives it. Relocations are applied at the end, when every start is known.
import type { FuncCode, ModuleCode } from "../ir/code.js";
import { CodeTablesBuilder, PositionRows } from "../ir/code-tables.js";
import type { Target } from "./target.js";

export class ModuleCodeBuilder {
  private bytes: Uint8Array;
  private readonly tables = new CodeTablesBuilder();
  /** By defined function, as far as it has been added. */
  private readonly start: Int32Array;
  private readonly lengths: Int32Array;
  private readonly frameBytes: Int32Array;
  /** As in FuncCode, positions relative to the blob. */
  private readonly relocs = new PositionRows(3, 256);

  /**
   * @param firstFunc index of the first function with a body; @param count how many there are.
   * @param expectedBytes what the code may come to; it grows as needed.
   */
  constructor(
    private readonly target: Target,
    private readonly firstFunc: number,
    private readonly count: number,
    expectedBytes = 4096,
  ) {
    this.bytes = new Uint8Array(Math.max(64, expectedBytes));
    this.start = new Int32Array(count).fill(-1);
    this.lengths = new Int32Array(count);
    this.frameBytes = new Int32Array(count);
  }

  /** Appends a function. */
  add(code: FuncCode): void {
    const slot = code.func - this.firstFunc;
    if (slot < 0 || slot >= this.count || this.start[slot] !== -1) throw new Error(`@${code.func} has no place in this module's code`);
    const { byteLength } = this;
    const start = this.tables.nextStart(code.align);
    const end = start + code.bytes.length;
    if (end > this.bytes.length) {
      const bigger = new Uint8Array(Math.max(end, this.bytes.length * 2));
      bigger.set(this.bytes.subarray(0, byteLength));
      this.bytes = bigger;
    }
    this.bytes.fill(this.target.padding ?? 0, byteLength, start);
    this.bytes.set(code.bytes, start);
    this.start[slot] = start;
    this.lengths[slot] = code.bytes.length;
    this.frameBytes[slot] = code.frameBytes;
    this.tables.add(code, start);
    this.relocs.append(code.relocs, start);
  }

  /** Bytes so far. */
  get byteLength(): number {
    return this.tables.byteLength;
  }

  /** Imports that a pass added among the own functions have no code: empty, where the next function starts, so that starts ascend. */
  private closeGaps(): void {
    let next = this.byteLength + 1;
    for (let slot = this.count - 1; slot >= 0; slot--) {
      if (this.start[slot] === -1) this.start[slot] = next;
      else next = this.start[slot]!;
    }
  }

  /** Resolves the calls and hands the blob over. Throws when a function that is called was not added. */
  finish(): ModuleCode {
    this.closeGaps();
    const bytes = this.bytes.slice(0, this.byteLength);
    const relocs = this.relocs.rows;
    for (let i = 0; i < relocs.length; i += 3) {
      const func = relocs[i + 2]!;
      const to = this.start[func - this.firstFunc];
      if (to === undefined || this.lengths[func - this.firstFunc] === 0) throw new Error(`a call to @${func}, which has no code`);
      this.target.relocate(bytes, relocs[i]!, relocs[i + 1]!, to);
    }
    const { traps, source } = this.tables.tables;
    return {
      target: this.target.name,
      bytes,
      firstFunc: this.firstFunc,
      start: this.start,
      length: this.lengths,
      frameBytes: this.frameBytes,
      traps: traps.slice(),
      source: source.slice(),
    };
  }
}
