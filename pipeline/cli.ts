// The command `lathe`: its commands, options and exit codes. What each command does stands in cli/.
//
// Exit codes: 0 done, 1 failed, 2 called wrongly, 134 trap; of a WASI program its own. Results go to stdout, everything else to stderr. Commands are loaded when called.
import { Command, CommanderError, Option } from "commander";
import { createRequire } from "node:module";
import { addCompilerFlags, addReportFlags, collect, inputFile } from "./cli/input.js";
import { guestArgsLast } from "./cli/guest-args.js";
import { Exit, report } from "./cli/terminal.js";

/** A negative number among the arguments is no option: marked while commander looks at it. */
const MARK = "\0";
const mark = (arg: string) => (/^-(\d|\.\d|0x|inf$|nan\b)/i.test(arg) ? MARK + arg : arg);
const unmark = (arg: string) => (arg.startsWith(MARK) ? arg.slice(MARK.length) : arg);

function version(): string {
  const require = createRequire(import.meta.url);
  return (require("../package.json") as { version: string }).version;
}

/** @param ended is told the exit code of a program that has one. */
function program(ended: (code: number) => void): Command {
  const lathe = new Command("lathe")
    .description("WebAssembly to native code, every stage open")
    .version(version())
    .option("--debug", "show JavaScript stacks with errors")
    .showHelpAfterError("(lathe --help, lathe COMMAND --help)")
    .exitOverride();
  addReportFlags(addCompilerFlags(lathe.command("run")))
    .description("compile a module (wasm or wat) and run it: a WASI program, or an export, whose results are printed one a line")
    .argument("[file]")
    .argument("[args...]", "the program's arguments (all that is no option of run; behind -- everything), or the function's: numbers as Wasm's text format has them")
    .option("--invoke <name>", "exported function to call; default _start if there is one")
    .option("--dir <host[::guest]>", "a directory that a WASI program may use, and its name there; may be repeated", collect, [])
    .option("--env <name[=value]>", "an environment variable of a WASI program, without a value the one of here; may be repeated", collect, [])
    .option("--source-map <file>", "source map for backtraces; default what the module brings")
    .option("--interp", "run in the reference interpreter, not natively", false)
    .option("--time", "print times to stderr", false)
    .option("--bisect", "find the pass and the function at which the call's result turns wrong: see lathe bisect", false)
    .addOption(new Option("--against <reference>").default("interp").hideHelp())
    .addOption(new Option("--timeout <ms>").default("60000").hideHelp())
    .action(async (file: string | undefined, args: string[], flags) => {
      const input = inputFile(flags, file, args);
      const command = flags.bisect ? (await import("./cli/bisect.js")).bisectCommand : (await import("./cli/run.js")).run;
      ended(await command(input.file, input.args.map(unmark), flags));
    });
  addCompilerFlags(lathe.command("bisect"))
    .description("find the pass and the function at which the result of a call turns wrong; imports are stubs: functions give 0")
    .argument("[file]")
    .argument("[args...]", "arguments of the function")
    .option("--invoke <name>", "exported function to call")
    .option("--against <reference>", "what is right: interp (the interpreter, without passes) or v8 (Node's own engine)", "interp")
    .option("--timeout <ms>", "how long the interpreter may take for one run", "60000")
    .action(async (file: string | undefined, args: string[], flags) => {
      const input = inputFile(flags, file, args);
      ended(await (await import("./cli/bisect.js")).bisectCommand(input.file, input.args.map(unmark), flags));
    });
  addCompilerFlags(lathe.command("dump"))
    .description("show functions at a stage of their compilation, or what a pass did")
    .argument("[file]")
    .option("--func <name>", "one function: its index, its name or the name of its export; default all")
    .option("--stage <stage>", "wasm, ssa, mir, alloc, asm or all", "ssa")
    .option("--after <pass>", "the effect of this pass instead; with --graph: the graph behind it")
    .option("--stop-after <pass>", "the whole module behind this pass, as .ssa text")
    .option("--graph <graph>", "cfg, dom (dominator tree) or calls, in DOT or as a drawing")
    .addOption(new Option("--format <format>", "text, json; of a graph dot, svg").choices(["text", "json", "dot", "svg"]).default("text"))
    .action(async (file: string | undefined, flags) => (await import("./cli/dump.js")).dump(inputFile(flags, file).file, flags));
  addCompilerFlags(lathe.command("passes"))
    .description("list the passes, their order constraints and options, the pipelines, and where passes of your own go")
    .action(async (flags) => (await import("./cli/passes.js")).listPasses(flags));
  lathe
    .command("new-pass")
    .description("write a commented pass and its test, which passes")
    .argument("<name>")
    .option("--ts", "in TypeScript", false)
    .option("--stage <stage>", "wasm (bytes), ssa or machine", "ssa")
    .option("--scope <scope>", "func, or module: all functions at once; default func")
    .option("--dir <folder>", "where to", ".")
    .action(async (name: string, flags) => (await import("./cli/new-pass.js")).newPass(name, flags));
  lathe
    .command("test")
    .description("run tests of passes: Node's test runner, with `wasmlathe` and TypeScript at hand wherever they lie")
    .argument("<files...>")
    .action(async (files: string[]) => ended((await import("./cli/new-pass.js")).testPasses(files)));
  addCompilerFlags(lathe.command("verify"))
    .description("verify IR in text form (.ssa or .mir); with --pass run passes on every function and verify again: how a failed pass is replayed")
    .argument("<file>")
    .action(async (file: string, flags) => (await import("./cli/verify.js")).verify(file, flags));
  addCompilerFlags(lathe.command("diff"))
    .description("what happened to a module between two steps of its compilation")
    .argument("[file]")
    .option("--from <step>", "translate, a pass (gvn#1: its first run), lower, allocate", "translate")
    .option("--to <step>", "the later step; default the last pass")
    .option("--func <name>", "one function: its index, its name or the name of its export; default all")
    .option("--context <lines>", "unchanged lines around a change, or all", "3")
    .action(async (file: string | undefined, flags) => (await import("./cli/diff.js")).diff(inputFile(flags, file).file, flags));
  addCompilerFlags(lathe.command("explore"))
    .description("every stage of a module's compilation side by side, as a page in one file, or live")
    .argument("[file]")
    .option("-o, --output <file>", "the page; default FILE.html")
    .option("--func <name>", "only this function: its index, its name or the name of its export; may be repeated", collect, [])
    .option("--serve", "serve the page on this machine, compile again when FILE or a pass changes", false)
    .option("--port <number>", "where to serve; default a free one")
    .action(async (file: string | undefined, flags) => (await import("./cli/explore.js")).explore(inputFile(flags, file).file, flags, import.meta.url));
  addReportFlags(addCompilerFlags(lathe.command("compile")))
    .description("compile everything, run nothing")
    .argument("[file]")
    .option("--stop-after <pass>", "print the module behind this pass as .ssa text, and compile no further")
    .option("--verify", "verify the IR behind every pass", false)
    .option("--check", "prove every register allocation", false)
    .action(async (file: string | undefined, flags) => (await import("./cli/compile.js")).compileOnly(inputFile(flags, file).file, flags));
  lathe
    .command("demo")
    .description("compile the sample, show one function at each stage, run it")
    .action(async () => (await import("./cli/demo.js")).demo(import.meta.url));
  return lathe;
}

async function main(args: readonly string[]): Promise<number> {
  let exit: number = Exit.ok;
  const lathe = program((code) => (exit = code));
  try {
    await lathe.parseAsync(guestArgsLast(lathe, args).map(mark), { from: "user" });
    return exit;
  } catch (error) {
    // Commander has said what was wrong; help and version are no errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.ok : Exit.usage;
    return report(error, lathe.opts<{ debug?: boolean }>().debug === true);
  }
}

// A reader that goes away (`| head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(Exit.ok);
});
process.exitCode = await main(process.argv.slice(2));
