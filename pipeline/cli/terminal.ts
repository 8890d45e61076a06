// How the command speaks: text to stdout, trouble to stderr, colours only on a terminal.
import pc from "picocolors";
import { frameLines, Trap } from "../../runtime/index.js";

/** Exit codes. */
export const enum Exit {
  ok = 0,
  failed = 1,
  usage = 2,
  trap = 134,
}

/** A mistake in how the command was called: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const plain = process.env["NO_COLOR"] !== undefined;
const outColors = pc.createColors(process.stdout.isTTY === true && !plain);
const errColors = pc.createColors(process.stderr.isTTY === true && !plain);

export function print(text: string): void {
  process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);
}

export function heading(text: string): void {
  print(outColors.bold(text));
}

/** IR or code: comments dimmed, headers and diff marks coloured. */
export function printCode(text: string): void {
  if (!outColors.isColorSupported) {
    print(text);
    return;
  }
  const lines = text.split("\n").map((line) => {
    if (/^(func|mfunc|wasm|code|pass|import) /.test(line)) return outColors.bold(line);
    if (line.startsWith("+ ")) return outColors.green(line);
    if (line.startsWith("- ")) return outColors.red(line);
    const comment = line.search(/\s;/);
    return comment < 0 ? line : line.slice(0, comment) + outColors.dim(line.slice(comment));
  });
  print(lines.join("\n"));
}

/** Something beside the result, on stderr. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Reports what ended the command and returns its exit code. @param debug with JavaScript stacks. */
export function report(error: unknown, debug: boolean): Exit {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Trap) {
    note(`${errColors.red("trap:")} ${message}`);
    for (const line of frameLines(error.backtrace)) note(line);
  } else {
    note(`${errColors.red("lathe:")} ${message}`);
  }
  if (debug && error instanceof Error) note(error.stack ?? "");
  if (error instanceof Trap) return Exit.trap;
  return error instanceof UsageError ? Exit.usage : Exit.failed;
}
