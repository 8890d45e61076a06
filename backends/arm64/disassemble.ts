// Machine code => text, through capstone, which is loaded when it is first asked for.
//
// One row an instruction. Words capstone does not know (tables, constants) become rows of their own, so that no byte is
// left out. Names for addresses and fields are the dump's business.

import type { Engine, Row } from "@alexaltea/capstone-js";

export interface DisassembledInst {
  /** Position of the first byte in what was given. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Capstone, loaded. Takes some 100 ms once; `close` frees its memory. */
export class Disassembler {
  private constructor(private readonly engine: Engine) {}

  /** Throws if capstone cannot be loaded. */
  static async load(): Promise<Disassembler> {
    const capstone = await (await import("@alexaltea/capstone-js")).default();
    return new Disassembler(new capstone.Capstone(capstone.ARCH_ARM64, capstone.MODE_ARM));
  }

  close(): void {
    this.engine.close();
  }

  /** Disassembles `code` from `start` to `end` (default: all). Direct branches show the target's position in `code`. */
  disassemble(code: Uint8Array, start = 0, end = code.length): DisassembledInst[] {
    const out: DisassembledInst[] = [];
    for (let at = start; at < end; ) {
      for (const row of rows(this.engine, code.subarray(at, end), at)) {
        const offset = Number(row.address);
        out.push({ offset, bytes: code.slice(offset, offset + row.size), text: row.op_str === "" ? row.mnemonic : `${row.mnemonic} ${row.op_str}` });
        at = offset + row.size;
      }
      if (at >= end) break;
      // What is left starts with no instruction.
      const bytes = code.slice(at, Math.min(at + 4, end));
      const digits = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).reverse().join("");
      out.push({ offset: at, bytes, text: `.word 0x${digits}` });
      at += bytes.length;
    }
    return out;
  }
}

/** Capstone throws where the first bytes are no instruction. */
function rows(engine: Engine, bytes: Uint8Array, address: number): Row[] {
  try {
    return engine.disasm(bytes, address);
  } catch {
    return [];
  }
}
