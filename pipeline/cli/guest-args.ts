// Arguments of `lathe run`: options of ours may stand before and behind the file; all else behind it is the program's.
//
// `run FILE a --dir d -x` => `run --dir d -- FILE a -x`, so that commander leaves alone what is behind `--`. A `--` that the user wrote
// ends our options: what follows is the program's, whatever it looks like.
import type { Command, Option } from "commander";

/** The same arguments with those of the program last. Other commands' stay as they are. */
export function guestArgsLast(program: Command, args: readonly string[]): string[] {
  const at = args.findIndex((arg) => !arg.startsWith("-"));
  const run = program.commands.find((command) => command.name() === "run")!;
  if (args[at] !== run.name()) return [...args];
  // `--help` and `--version` behind a file are questions to the program.
  const options = [...run.options, ...program.options.filter((option) => option.long !== "--version")];
  const ours = args.slice(0, at + 1);
  const rest: string[] = [];
  for (let i = at + 1; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      rest.push(...args.slice(i + 1));
      break;
    }
    const option = options.find((candidate) => spells(candidate, arg));
    if (option) {
      ours.push(arg);
      if (!option.required || (arg !== option.long && arg !== option.short)) continue;
      // Without its value it has to be the last one, for commander to see that.
      if (i + 1 === args.length) return ours;
      ours.push(args[++i]!);
    } else if (rest.length === 0 && arg.startsWith("-")) {
      // Before the file it can only be meant for us: commander says what it is.
      ours.push(arg);
    } else {
      rest.push(arg);
    }
  }
  return rest.length === 0 ? ours : [...ours, "--", ...rest];
}

/** Whether the argument is this option: `--name`, `--name=value`, `-n`, `-nvalue`. */
function spells(option: Option, arg: string): boolean {
  if (arg === option.long || arg === option.short) return true;
  if (!option.required) return false;
  return (option.long !== undefined && arg.startsWith(`${option.long}=`)) || (option.short !== undefined && !arg.startsWith("--") && arg.startsWith(option.short));
}
