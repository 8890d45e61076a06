// Valid modules from random bytes: binaryen's `wasm-opt --translate-to-fuzz`, loaded once, run afresh for each module.
//
// The program is a script with its wasm inside; starting a process for each module costs eight times as much as giving
// the script a new scope with the compiled module kept. It works on files, so it gets a temporary folder.
import { createRequire } from "node:module";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/** Wasm 2.0 without SIMD. */
const features = [
  "--mvp-features",
  "--enable-mutable-globals",
  "--enable-sign-ext",
  "--enable-nontrapping-float-to-int",
  "--enable-bulk-memory",
  "--enable-bulk-memory-opt",
  "--enable-reference-types",
  "--enable-multivalue",
];

interface Program {
  (require: NodeRequire, process: unknown, WebAssembly: unknown, Module: unknown, filename: string, dirname: string): void;
}

export class Generator {
  private readonly require = createRequire(import.meta.url);
  private readonly directory = mkdtempSync(path.join(tmpdir(), "lathe-fuzz-"));
  private readonly file = path.join(path.dirname(this.require.resolve("binaryen/package.json")), "bin", "wasm-opt");
  private readonly program: Program;
  private module: WebAssembly.Module | undefined;

  constructor() {
    const text = readFileSync(this.file, "utf8").replace(/^#!.*/, "");
    this.program = new Function("require", "process", "WebAssembly", "Module", "__filename", "__dirname", text) as Program;
  }

  /** A module made from `seed`'s bytes; `optimize` adds random optimization passes, for other shapes of code. Undefined when binaryen fails. */
  async generate(seed: Uint8Array, optimize: boolean): Promise<Uint8Array | undefined> {
    const input = path.join(this.directory, "seed");
    const output = path.join(this.directory, "out.wasm");
    writeFileSync(input, seed);
    rmSync(output, { force: true });
    const args = ["-ttf", input, "--denan", ...features, ...(optimize ? ["--fuzz-passes"] : []), "-o", output];
    const errors = await this.run(args);
    try {
      return Uint8Array.from(readFileSync(output));
    } catch {
      if (errors) return undefined;
      throw new Error("wasm-opt wrote no module and said nothing");
    }
  }

  private run(args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      let errors = "";
      const wasm = Object.assign(Object.create(WebAssembly) as typeof WebAssembly, {
        instantiate: async (binary: Uint8Array, imports: WebAssembly.Imports) => {
          this.module ??= await WebAssembly.compile(binary);
          return { module: this.module, instance: await WebAssembly.instantiate(this.module, imports) };
        },
      });
      // The program sets exit codes and handlers on `process`: it gets a copy.
      const fakeProcess = Object.assign(Object.create(process) as object, { argv: ["node", "wasm-opt", ...args], exitCode: 0, on() {}, exit() {} });
      const Module = {
        print() {},
        printErr: (line: string) => (errors += `${line}\n`),
        onAbort: (why: unknown) => reject(new Error(`wasm-opt: ${String(why)}`)),
        onExit: () => resolve(errors),
        postRun: [() => resolve(errors)],
      };
      this.program(this.require, fakeProcess, wasm, Module, this.file, path.dirname(this.file));
    });
  }

  dispose(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
