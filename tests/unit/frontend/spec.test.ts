// The official suite through the front end: what is valid decodes and translates, what is not is refused with an offset.
//
// SIMD files are validated, too; modules that need Wasm 3.0 must be refused. Without `../shared/spec` this says so and passes.
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { FuncIndex } from "../../../ir/entity.js";
import { printVerifierError, verifyFunc } from "../../../ir/verify.js";
import { WasmError, decodeModule, translateFunction, validate } from "../../../pipeline/frontend/index.js";
import { moduleBytes, suiteCommands, suiteDirectory, suiteExists, type Command } from "../../spec/suite.js";

const later = new Set([
  "tail-call", "extended-const", "multi-memory", "memory64", "function-references", "gc", "exceptions", "relaxed-simd",
]);

interface IndexFile {
  name: string;
  level: string;
}

function files(): IndexFile[] {
  return (JSON.parse(readFileSync(path.join(suiteDirectory, "index.json"), "utf8")) as { files: IndexFile[] }).files;
}

const isBad = (command: Command) => command.type === "assert_invalid" || command.type === "assert_malformed";
const needsLater = (command: Command) => ((command as { features?: string[] }).features ?? []).some((feature) => later.has(feature));

/** Translates all functions; returns how many. SIMD is refused by name there. */
function translateAll(bytes: Uint8Array, where: string): number {
  const module = decodeModule(bytes);
  let count = 0;
  module.funcs.forEach((decl, i) => {
    if (decl.imported) return;
    try {
      const fn = translateFunction(module, i as FuncIndex);
      const errors = verifyFunc(fn, module);
      assert.is(errors.length, 0, `${where}, function ${i}: ${errors.map(printVerifierError).join("; ")}`);
      count++;
    } catch (error) {
      if (!(error instanceof WasmError) || error.kind !== "unsupported") throw error;
      assert.ok(module.features.has("simd"), `${where}, function ${i}: ${error.message}`);
    }
  });
  return count;
}

if (!suiteExists()) {
  console.log("skipped: ../shared/spec is missing, so the official suite is not checked");
  test.skip("the official suite", () => {});
} else {
  test("valid modules decode, translate and verify", () => {
    let modules = 0;
    let funcs = 0;
    for (const file of files()) {
      for (const command of suiteCommands(file.name)) {
        if (command.wasm === undefined || isBad(command) || needsLater(command)) continue;
        const where = `${file.name}:${command.line}`;
        const error = validate(moduleBytes(command));
        assert.is(error, undefined, `${where}: ${error?.message}`);
        funcs += translateAll(moduleBytes(command), where);
        modules++;
      }
    }
    assert.ok(modules > 1500, `${modules} modules`);
    assert.ok(funcs > 4000, `${funcs} functions`);
  });

  test("malformed and invalid modules are refused with an offset inside the module", () => {
    let refused = 0;
    for (const file of files()) {
      for (const command of suiteCommands(file.name)) {
        if (command.wasm === undefined || !isBad(command)) continue;
        const bytes = moduleBytes(command);
        const error = validate(bytes);
        assert.ok(error, `${file.name}:${command.line} ${command.type} (${command.text}) was accepted`);
        assert.ok(error!.offset >= 0 && error!.offset <= bytes.length, `${file.name}:${command.line}: offset ${error!.offset}`);
        assert.match(error!.message, /\(at byte 0x[0-9a-f]+\)$/);
        assert.match(error!.sentence, /expected .*found|unexpected end of .*found/s);
        refused++;
      }
    }
    assert.ok(refused > 3000, `${refused} modules`);
  });

  test("modules that need Wasm 3.0 are refused", () => {
    let unsupported = 0;
    for (const file of files()) {
      for (const command of suiteCommands(file.name)) {
        if (command.wasm === undefined || isBad(command) || !needsLater(command)) continue;
        const error = validate(moduleBytes(command));
        assert.ok(error, `${file.name}:${command.line} was accepted`);
        if (error!.kind === "unsupported") unsupported++;
      }
    }
    assert.ok(unsupported > 500, `${unsupported} were named as unsupported`);
  });
}

test.run();
