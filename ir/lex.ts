// The lexer of .ssa and .mir text: tokens with their place, and errors that say what was expected and what was found.
//
// Tokens: words (`i32.const`, `v3`, `br_if`), numbers (`-5`, `0x1f`, `1.5e-7`, `inf`, `-nan:0x1`), strings, and
// punctuation, each single but for `->` and `..`. White space and comments from `;` to the end of the line separate.

export class ParseError extends Error {
  override readonly name = "ParseError";
  constructor(
    /** From 1. */
    readonly line: number,
    /** From 1, in UTF-16 units. */
    readonly column: number,
    problem: string,
  ) {
    super(`line ${line}, column ${column}: ${problem}`);
  }
}

export const enum Tok {
  end = 0,
  word = 1,
  number = 2,
  string = 3,
  punct = 4,
}

const SPACE = /(?:[ \t\r\n]+|;[^\n]*)+/y;
const TOKEN = /(-?(?:0x[0-9a-fA-F]+|inf\b|nan:0x[0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?))|([A-Za-z_$][\w.$/]*)|("(?:[^"\\\n]|\\[^\n])*")|(->|\.\.|[-(){}[\],:=!@#<>*+&|~%^?'])/y;

export class Lexer {
  kind: Tok = Tok.end;
  /** The token's own characters. */
  text = "";
  /** Where it starts in the source. */
  start = 0;
  /** Whether a line begins with it. */
  firstOnLine = true;
  private position = 0;

  constructor(readonly source: string) {
    this.advance();
  }

  /** Goes on to the next token. */
  advance(): void {
    SPACE.lastIndex = this.position;
    this.firstOnLine = this.position === 0;
    if (SPACE.test(this.source)) {
      this.firstOnLine ||= this.source.slice(this.position, SPACE.lastIndex).includes("\n");
      this.position = SPACE.lastIndex;
    }
    this.start = this.position;
    if (this.position === this.source.length) {
      this.kind = Tok.end;
      this.text = "";
      return;
    }
    TOKEN.lastIndex = this.position;
    const match = TOKEN.exec(this.source);
    if (!match) {
      const string = this.source[this.position] === '"';
      throw this.error(string ? "the string does not end on its line" : `expected a token, found ${JSON.stringify(this.source[this.position])}`);
    }
    this.text = match[0];
    this.kind = match[1] !== undefined ? Tok.number : match[2] !== undefined ? Tok.word : match[3] !== undefined ? Tok.string : Tok.punct;
    this.position += this.text.length;
  }

  /** An error at the current token, or at a given place. */
  error(problem: string, at = this.start): ParseError {
    let line = 1;
    let lineStart = 0;
    for (let i = this.source.indexOf("\n"); i !== -1 && i < at; i = this.source.indexOf("\n", i + 1)) {
      line++;
      lineStart = i + 1;
    }
    return new ParseError(line, at - lineStart + 1, problem);
  }

  /** `expected X, found Y` at the current token. */
  expected(what: string): ParseError {
    const found = this.kind === Tok.end ? "the end of the text" : this.text.length > 40 ? this.text.slice(0, 40) + "..." : this.text;
    return this.error(`expected ${what}, found ${found}`);
  }

  /** Whether the current token is this punctuation or word. */
  at(text: string): boolean {
    return this.text === text && (this.kind === Tok.punct || this.kind === Tok.word);
  }

  /** Takes the token if it is this one. */
  accept(text: string): boolean {
    if (!this.at(text)) return false;
    this.advance();
    return true;
  }

  /** Takes exactly this token. */
  expect(text: string): void {
    if (!this.accept(text)) throw this.expected(`"${text}"`);
  }

  /** Takes a word; `what` names it in the error. */
  word(what: string): string {
    if (this.kind !== Tok.word) throw this.expected(what);
    const text = this.text;
    this.advance();
    return text;
  }

  /** Takes a non-negative decimal integer, at most 2^32 - 1. */
  index(what: string): number {
    if (this.kind !== Tok.number || !/^[0-9]+$/.test(this.text) || Number(this.text) > 0xffffffff) throw this.expected(what);
    const n = Number(this.text);
    this.advance();
    return n;
  }

  /** Takes an id with its sigil: `sigil("v", "a value")` takes `v12` and gives 12. Ids reach 2^31 - 1. */
  sigil(sigil: string, what: string): number {
    const digits = this.kind === Tok.word && this.text.startsWith(sigil) ? this.text.slice(sigil.length) : "";
    if (!/^[0-9]+$/.test(digits) || Number(digits) > 0x7fffffff) throw this.expected(`${what} such as ${sigil}0`);
    this.advance();
    return Number(digits);
  }

  /** Whether the current token is an id with that sigil. */
  atSigil(sigil: string): boolean {
    return this.kind === Tok.word && this.text.startsWith(sigil) && /^[0-9]+$/.test(this.text.slice(sigil.length));
  }
}
