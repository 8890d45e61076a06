// Words of a line by kind, for colours and for what can be clicked.
import type { Target } from "../../../backends/target.js";
import { valueTypes } from "../../../ir/types.js";
import type { PaneKind } from "./open-func.js";

export type TokenKind = "comment" | "string" | "op" | "value" | "block" | "func" | "register" | "slot" | "type" | "number";

export interface Token {
  readonly from: number;
  readonly to: number;
  readonly kind: TokenKind;
  readonly text: string;
  /** Of a register or slot in allocated machine IR: which operand of the instruction it is, -1 for none (a constraint, a comment). */
  readonly operand: number;
}

/** Words by which a pane's text is read: what no regular expression knows. */
export interface Words {
  readonly registers: ReadonlyMap<string, string>;
}

/** Every name of a register => the name the allocator has for it. */
export function wordsOf(target: Target): Words {
  const registers = new Map<string, string>();
  target.registers.names.forEach((name, number) => {
    if (name === undefined) return;
    registers.set(name, name);
    for (const alias of target.registers.aliases?.[number] ?? []) registers.set(alias, name);
  });
  return { registers };
}

const types: ReadonlySet<string> = new Set(valueTypes.map((type) => type.name));
const word = /;.*$|"(?:[^"\\]|\\.)*"|[A-Za-z_][\w.$]*|[@]\d+|-?\b\d[\w.]*|->|<-/g;

/** Linear in the line. */
export function tokensOf(text: string, kind: PaneKind, words: Words): Token[] {
  const out: Token[] = [];
  let operand = 0;
  let sawOp = kind !== "wasm" && /^(func|mfunc|code|[bL]\d|})/.test(text);
  const push = (from: number, to: number, token: TokenKind, n = -1) => out.push({ from, to, kind: token, text: text.slice(from, to), operand: n });
  word.lastIndex = 0;
  for (let found = word.exec(text); found; found = word.exec(text)) {
    const from = found.index;
    const to = from + found[0].length;
    const is = found[0];
    if (is.startsWith(";")) {
      push(from, to, "comment");
      // What a comment says of registers and values may be clicked, too.
      const inside = /\b(?:[A-Za-z]+\d*|v\d+|s\d+)\b/g;
      inside.lastIndex = 0;
      for (let part = inside.exec(is); part; part = inside.exec(is)) {
        const register = words.registers.has(part[0]) && (kind === "alloc" || kind === "asm");
        const value = /^v\d+$/.test(part[0]) && (kind === "ssa" || kind === "mir");
        if (register || value) push(from + part.index, from + part.index + part[0].length, register ? "register" : "value");
      }
      break;
    }
    if (is.startsWith('"')) push(from, to, "string");
    else if (is.startsWith("@")) push(from, to, "func");
    else if (is === "->" || is === "<-") continue;
    else if (/^-?\d/.test(is)) push(from, to, "number");
    else if ((kind === "ssa" || kind === "mir") && /^v\d+$/.test(is)) push(from, to, "value");
    else if (/^[bL]\d+$/.test(is) && kind !== "wasm") push(from, to, "block");
    else if (kind === "alloc" && (words.registers.has(is) || /^s\d+$/.test(is))) {
      const fixed = text[from - 1] === "!";
      push(from, to, is.startsWith("s") && /^s\d+$/.test(is) ? "slot" : "register", fixed ? -1 : operand);
      if (!fixed) operand++;
    } else if (kind === "asm" && words.registers.has(is)) push(from, to, "register");
    else if (types.has(is)) push(from, to, "type");
    else if (!sawOp) {
      sawOp = true;
      push(from, to, "op");
    }
  }
  return out;
}
