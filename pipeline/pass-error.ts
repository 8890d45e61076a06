// The report of a failed pass: who, where, which rule, the IR before it in a file, and the command that shows it again.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { NONE } from "../ir/entity.js";
import type { OptionValue, Pass } from "../passes/pass.js";
import { isUserPass } from "./pass-slot.js";

/** A pass threw, or left IR that does not verify. A bug of the pass (or of a pass before it), never of the input. */
export class PassError extends Error {
  override readonly name = "PassError";
  /** Where the IR before the pass was written, if it could be. */
  file: string | undefined = undefined;
  /** The command that runs the pass on that file, if there is one. */
  replay: string | undefined = undefined;
  /** Short name of the rule that was broken first: the verifier's, or one of how passes behave; undefined where the pass threw. */
  rule: string | undefined = undefined;
  /** Where, if at one place. */
  block: number | undefined = undefined;
  value: number | undefined = undefined;

  constructor(
    message: string,
    readonly pass: string,
    readonly func: number | undefined,
    override readonly cause: unknown,
  ) {
    super(message);
  }
}

/** One reason for a failure, already in words. */
export interface Fault {
  readonly text: string;
  readonly rule?: string | undefined;
  readonly block?: number;
  readonly value?: number;
}

export interface Failure {
  readonly pass: Pass;
  readonly options: Readonly<Record<string, OptionValue>>;
  readonly func?: { readonly index: number; readonly name: string | undefined };
  /** Above the faults, where they are those of a verifier. */
  readonly headline?: string;
  readonly faults: readonly Fault[];
  readonly cause: unknown;
  /** What the pass was given, as a file: its extension, and its text or bytes; undefined when it cannot be had any more. */
  readonly before?: { readonly extension: "ssa" | "mir" | "wasm"; contents(): string | Uint8Array | undefined };
}

export interface FailureSettings {
  /** Directory for the file; a new one under the OS's temporary directory by default. `false`: no file, as in a replay. */
  readonly dumpDir?: string | false | undefined;
  /** Files that passes came from, by name. */
  readonly passFiles?: Readonly<Record<string, string>> | undefined;
}

const SHOWN = 5;

export function passError(failure: Failure, settings: FailureSettings): PassError {
  const { pass, func, faults } = failure;
  const where = func === undefined ? "" : ` on @${func.index}${func.name === undefined ? "" : ` "${func.name}"`}`;
  const kind = pass.stage === "machine" ? "machine pass" : "pass";
  const lines = faults.slice(0, SHOWN).map((fault) => fault.text);
  if (faults.length > SHOWN) lines.push(`... and ${faults.length - SHOWN} more`);
  const what = failure.headline !== undefined ? [`${failure.headline}:`, ...lines] : lines;
  let message = `${kind} ${pass.name} failed${where}: ${what.join("\n  ")}`;
  let file: string | undefined;
  let replay: string | undefined;
  if (failure.before && settings.dumpDir !== false) {
    try {
      const contents = failure.before.contents();
      if (contents !== undefined) {
        const dir = settings.dumpDir ?? mkdtempSync(path.join(tmpdir(), "lathe-"));
        file = path.join(dir, `before-${pass.name.replaceAll(":", "-")}${func === undefined ? "" : `-${func.index}`}.${failure.before.extension}`);
        writeFileSync(file, contents);
        message += `\nThe IR before the pass: ${file}`;
        const spec = passSpec(failure, settings);
        if (spec !== undefined) {
          replay = `lathe ${failure.before.extension === "wasm" ? "compile" : "verify"} ${quoted(file)} --pass ${quoted(spec)}`;
          message += `\nTo see it fail again: ${replay}`;
        } else message += `\nTo see it fail again, put the pass into a file: lathe verify ${quoted(file)} --pass ./FILE.mjs`;
      }
    } catch (second) {
      message += `\n(The IR before the pass could not be written: ${(second as Error).message})`;
    }
  }
  const error = new PassError(message, pass.name, func?.index, failure.cause);
  error.file = file;
  error.replay = replay;
  error.rule = faults[0]?.rule;
  error.block = faults[0]?.block === NONE ? undefined : faults[0]?.block;
  error.value = faults[0]?.value === NONE ? undefined : faults[0]?.value;
  return error;
}

/** The pass as `--pass` takes it, with the options that are not its defaults; undefined for one that is in no file. */
function passSpec({ pass, options }: Failure, { passFiles }: FailureSettings): string | undefined {
  const head = isUserPass(pass) ? passFiles?.[pass.name] : pass.name;
  if (head === undefined) return undefined;
  const given = Object.entries(options).filter(([key, value]) => pass.options?.[key]?.default !== value);
  return [head, ...given.map(([key, value]) => `${key}=${String(value)}`)].join(",");
}

/** A word of a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
