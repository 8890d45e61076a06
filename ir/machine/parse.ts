// Text to machine IR; the format stands at the top of `print.ts`. Errors name line and column, what was expected, what was found.
//
// Virtual registers keep their numbers, so text round-trips; a number that nothing defines has type none, which the verifier
// reports where it is used. Structure is checked only as far as reading needs it: `verifyMFunc` does the rest.
import type { FuncIndex } from "../entity.js";
import { Lexer, Tok } from "../lex.js";
import { unquoteBytes, unquoteName } from "../text.js";
import { Type, valueTypes } from "../types.js";
import { FIRST_FLOAT_REG, FIRST_SLOT, MFunc, Opnd } from "./mfunc.js";
import { Module } from "../module.js";
import { atDecl, finishDecls, parseDecl, parseFuncDecl } from "../parse-decls.js";
import type { MachineNames } from "./names.js";

/** Reads one function. Throws ParseError. */
export function parseMFunc(text: string, names: MachineNames): MFunc {
  const parser = new Parser(new Lexer(text), names);
  const mfn = parser.func();
  parser.end();
  return mfn;
}

/** Reads functions to the end of the text, which may begin with declarations. Throws ParseError. */
export function parseMFuncs(text: string, names: MachineNames): MFunc[] {
  return parseMachineModule(text, names).funcs;
}

/** A whole `.mir` file: declarations as in `.ssa`, then functions. Throws ParseError. */
export function parseMachineModule(text: string, names: MachineNames): { module: Module; funcs: MFunc[] } {
  const lexer = new Lexer(text);
  const parser = new Parser(lexer, names);
  const module = new Module();
  const funcs: MFunc[] = [];
  while (atDecl(lexer)) {
    if (lexer.at("func")) parseFuncDecl(lexer, module);
    else parseDecl(lexer, module);
  }
  finishDecls(lexer, module);
  while (!parser.atEnd()) funcs.push(parser.func());
  return { module, funcs };
}

const MAX_VREGS = 1 << 24;

class Parser {
  private mfn!: MFunc;
  private readonly opByName = new Map<string, number>();
  private readonly regByName = new Map<string, number>();
  /** Edges as read: from, to, arguments; made when all blocks are known. */
  private edges: { from: number; to: number; args: number[]; at: number }[] = [];

  constructor(
    private readonly lex: Lexer,
    names: MachineNames,
  ) {
    names.mops.forEach((info, op) => info && this.opByName.set(info.name, op));
    names.registers.names.forEach((name, reg) => name !== undefined && this.regByName.set(name, reg));
  }

  atEnd(): boolean {
    return this.lex.kind === Tok.end;
  }

  end(): void {
    if (!this.atEnd()) throw this.lex.expected("the end of the text");
  }

  func(): MFunc {
    const { lex } = this;
    lex.expect("mfunc");
    lex.expect("@");
    const index = lex.index("a function index") as FuncIndex;
    const name = lex.kind === Tok.string ? this.name() : undefined;
    const params = this.typeList();
    lex.expect("->");
    const results = lex.at("(") ? this.typeList() : [this.type()];
    this.mfn = new MFunc(index, { params, results }, name);
    this.edges = [];
    lex.expect("{");
    while (!lex.atSigil("b") && !lex.at("}")) this.header();
    while (lex.atSigil("b")) this.block();
    lex.expect("}");
    this.link();
    return this.mfn;
  }

  private header(): void {
    const { lex, mfn } = this;
    const start = lex.start;
    const what = lex.word("a header line or a block");
    switch (what) {
      case "frame":
        for (;;) {
          if (lex.accept("calls")) mfn.hasCalls = true;
          else if (lex.accept("switches_context")) mfn.switchesContext = true;
          else if (lex.accept("outgoing")) mfn.outgoingBytes = this.assigned();
          else if (lex.accept("slots")) {
            mfn.allocated = true;
            mfn.slotCount = this.assigned();
          } else return;
        }
      case "used": {
        const { ints, floats } = this.registers();
        mfn.usedInts = ints;
        mfn.usedFloats = floats;
        return;
      }
      case "clobbers": {
        this.inOrder(mfn.clobberSets.length, "clobber set");
        mfn.clobberSets.push(this.registers());
        return;
      }
      case "constant": {
        this.inOrder(mfn.constants.length, "constant");
        const bytes = lex.kind === Tok.string ? unquoteBytes(lex.text) : undefined;
        if (!bytes) throw lex.expected("bytes in quotes");
        lex.advance();
        mfn.constant(bytes);
        return;
      }
      case "table": {
        this.inOrder(mfn.jumpTables.length, "jump table");
        const entries: number[] = [];
        lex.expect("[");
        do entries.push(lex.index("a successor number"));
        while (lex.accept(","));
        lex.expect("]");
        mfn.jumpTables.push(Int32Array.from(entries));
        return;
      }
      case "remat": {
        const vreg = this.vreg();
        lex.expect("=");
        const op = this.op();
        const { imm, imm2 } = this.immediates();
        mfn.setRemat(vreg, op, imm, imm2);
        return;
      }
    }
    throw lex.error(`expected frame, used, clobbers, constant, table, remat or a block, found ${what}`, start);
  }

  /** ` = ` behind the number that comes next. */
  private inOrder(next: number, what: string): void {
    const start = this.lex.start;
    const found = this.lex.index(`the number of a ${what}`);
    if (found !== next) throw this.lex.error(`expected ${what} ${next}, found ${found}: they stand in order`, start);
    this.lex.expect("=");
  }

  private registers(): { ints: number; floats: number } {
    let ints = 0;
    let floats = 0;
    for (;;) {
      const reg = this.lex.kind === Tok.word ? this.regByName.get(this.lex.text) : undefined;
      if (reg === undefined) return { ints, floats };
      if (reg >= FIRST_FLOAT_REG) floats |= 1 << (reg - FIRST_FLOAT_REG);
      else ints |= 1 << reg;
      this.lex.advance();
    }
  }

  private block(): void {
    const { lex, mfn } = this;
    const start = lex.start;
    const number = lex.sigil("b", "a block");
    if (number !== mfn.blockCount) throw lex.error(`expected b${mfn.blockCount}, found b${number}: blocks stand in order`, start);
    const params: number[] = [];
    if (lex.accept("(")) {
      do {
        const v = this.vreg();
        lex.expect(":");
        mfn.vregType[v] = this.type();
        params.push(v);
      } while (lex.accept(","));
      lex.expect(")");
    }
    lex.expect("<");
    lex.expect("-");
    const source = lex.sigil("b", "an SSA block");
    lex.expect(":");
    const loopDepth = lex.accept("loop") ? this.assigned() : 0;
    const b = mfn.newBlock(source, loopDepth, lex.accept("cold"));
    mfn.paramCount[b] = params.length;
    mfn.paramStart[b] = mfn.newList(params.length);
    mfn.lists.set(params, mfn.paramStart[b]!);
    mfn.blockStart[b] = mfn.instCount;
    while (!lex.atSigil("b") && !lex.at("}")) this.inst(b);
    mfn.blockEnd[b] = mfn.instCount;
  }

  /** `defs = op operands immediates clobbers -> successors !offset`. Defs are known as such only at the `=`. */
  private inst(b: number): void {
    const { lex, mfn } = this;
    const regs: number[] = [];
    const infos: number[] = [];
    const operand = (kind: number) => {
      const { reg, info } = this.operand();
      regs.push(reg);
      infos.push(info | kind);
    };
    if (this.atOperand()) {
      do operand(Opnd.def);
      while (lex.accept(","));
      lex.expect("=");
    }
    const op = this.op();
    if (this.onLineOfOp() && (this.atOperand() || lex.at("def") || lex.at("~"))) {
      do operand(lex.accept("def") ? Opnd.def : lex.accept("~") ? Opnd.temp : Opnd.use);
      while (lex.accept(","));
    }
    const { imm, imm2, imm3, clobbers } = this.immediates();
    const i = mfn.inst(op, imm, imm2, imm3);
    mfn.clobbers[i] = clobbers;
    for (let k = 0; k < regs.length; k++) mfn.operand(regs[k]!, infos[k]!);
    if (lex.accept("->")) {
      do {
        const at = lex.start;
        const to = lex.sigil("b", "a block");
        const args: number[] = [];
        if (lex.accept("(")) {
          do args.push(this.vreg());
          while (lex.accept(","));
          lex.expect(")");
        }
        this.edges.push({ from: b, to, args, at });
      } while (lex.accept(","));
    }
    if (lex.accept("!")) mfn.offset[i] = this.hexOrDecimal();
  }

  private atOperand(): boolean {
    if (this.lex.kind !== Tok.word) return false;
    return this.mfn.allocated ? this.regByName.has(this.lex.text) || this.lex.atSigil("s") : this.lex.atSigil("v");
  }

  private operand(): { reg: number; info: number } {
    const { lex, mfn } = this;
    let reg: number;
    if (mfn.allocated) {
      reg = this.location();
    } else {
      reg = this.vreg();
      if (lex.accept(":")) mfn.vregType[reg] = this.type();
    }
    let info: number = Opnd.reg;
    if (lex.accept("?")) info = Opnd.any;
    else if (this.acceptBefore("!", false)) info = Opnd.fixed | (this.location() << Opnd.payloadShift);
    else if (this.acceptBefore("=", true)) info = Opnd.same | (lex.index("an operand number") << Opnd.payloadShift);
    if (lex.accept("'")) info |= Opnd.flip;
    return { reg, info };
  }

  /** `=3` ties and ` = op` ends the defs; `!r` fixes and ` !0x31` is the offset: told apart by whether a number follows. */
  private acceptBefore(mark: string, number: boolean): boolean {
    const { lex } = this;
    if (!lex.at(mark) || /[0-9]/.test(lex.source[lex.start + 1] ?? "") !== number) return false;
    lex.advance();
    return true;
  }

  private location(): number {
    const { lex } = this;
    if (lex.atSigil("s")) return FIRST_SLOT + lex.sigil("s", "a slot");
    const reg = lex.kind === Tok.word ? this.regByName.get(lex.text) : undefined;
    if (reg === undefined) throw lex.expected("a register or a slot");
    lex.advance();
    return reg;
  }

  private vreg(): number {
    const { mfn, lex } = this;
    const start = lex.start;
    const v = lex.sigil("v", "a virtual register");
    if (v >= MAX_VREGS) throw lex.error(`v${v} is beyond the ${MAX_VREGS} virtual registers a function may have`, start);
    while (mfn.vregCount <= v) mfn.newVreg(Type.none);
    return v;
  }

  private op(): number {
    const op = this.lex.kind === Tok.word ? this.opByName.get(this.lex.text) : undefined;
    if (op === undefined) throw this.lex.expected("a machine op");
    this.opEnd = this.lex.start + this.lex.text.length;
    this.lex.advance();
    return op;
  }
  private opEnd = 0;

  /** Operands stand on the line of their op: `nop` and a next line that begins with a def are two instructions. */
  private onLineOfOp(): boolean {
    return !this.lex.source.slice(this.opEnd, this.lex.start).includes("\n");
  }

  private immediates(): { imm: number; imm2: number; imm3: number; clobbers: number } {
    const { lex } = this;
    const imm = lex.accept("imm") ? this.assigned() : 0;
    const imm2 = lex.accept("imm2") ? this.assigned() : 0;
    const imm3 = lex.accept("imm3") ? this.assigned() : 0;
    const clobbers = lex.accept("clobbers") ? this.assigned() : 0;
    return { imm, imm2, imm3, clobbers };
  }

  /** `=5`, `=-5`. */
  private assigned(): number {
    const { lex } = this;
    lex.expect("=");
    if (lex.kind !== Tok.number || !/^-?[0-9]+$/.test(lex.text)) throw lex.expected("an integer");
    const n = Number(lex.text);
    lex.advance();
    return n;
  }

  private hexOrDecimal(): number {
    const { lex } = this;
    if (lex.kind !== Tok.number || !/^(0x[0-9a-f]+|[0-9]+)$/i.test(lex.text)) throw lex.expected("a byte offset");
    const n = Number(lex.text);
    lex.advance();
    return n;
  }

  private name(): string {
    const name = unquoteName(this.lex.text);
    if (name === undefined) throw this.lex.error("this name holds an escape that does not exist");
    this.lex.advance();
    return name;
  }

  private type(): Type {
    const word = this.lex.kind === Tok.word ? this.lex.text : "";
    const row = valueTypes.find((each) => each.name === word && each.type !== Type.none);
    if (!row) throw this.lex.expected("a value type");
    this.lex.advance();
    return row.type;
  }

  private typeList(): Type[] {
    const { lex } = this;
    const types: Type[] = [];
    lex.expect("(");
    if (!lex.at(")")) {
      do types.push(this.type());
      while (lex.accept(","));
    }
    lex.expect(")");
    return types;
  }

  /** Edges in order of their blocks, then predecessor lists. */
  private link(): void {
    const { mfn, edges } = this;
    let k = 0;
    for (let b = 0; b < mfn.blockCount; b++) {
      let end = k;
      while (end < edges.length && edges[end]!.from === b) end++;
      mfn.succCount[b] = end - k;
      mfn.succStart[b] = mfn.newList(end - k);
      for (let n = 0; k < end; k++, n++) {
        const { from, to, args, at } = edges[k]!;
        if (to >= mfn.blockCount) throw this.lex.error(`b${to} does not exist`, at);
        const expected = mfn.paramCount[to]!;
        if (args.length !== expected) throw this.lex.error(`b${to} has ${expected} parameters, found ${args.length} arguments`, at);
        const start = mfn.newList(args.length);
        mfn.lists.set(args, start);
        mfn.lists[mfn.succStart[b]! + n] = mfn.newEdge(from, to, start);
      }
    }
    mfn.linkPreds();
  }
}
