// Changed bytes: our verdict on a few hundred damaged modules is V8's; what both accept translates to SSA that verifies.
//
// `npm run fuzz -- --mutate` does the same at length. SEED=n repeats a run.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { FuncIndex } from "../../../ir/entity.js";
import { Type } from "../../../ir/types.js";
import { printVerifierError, verifyFunc } from "../../../ir/verify.js";
import { decodeModule, translateFunction, validate } from "../../../pipeline/frontend/index.js";
import { projectRoot } from "../../bundle.js";
import { mutant } from "../../fuzz/mutate.js";
import { Random } from "../../fuzz/random.js";
import { moduleBytes, suiteCommands, suiteExists, suiteFiles } from "../../spec/suite.js";
import { Bytes, leb, oneFunction } from "../../wasm-bytes.js";

/** Modules to damage: of the suite and of the kernels, where they are; and one that is always here. */
function sources(): Uint8Array[] {
  const list: Uint8Array[] = [everyOpcode()];
  if (suiteExists()) {
    for (const file of suiteFiles().filter((f) => f.total === undefined || f.total < 2000)) {
      for (const command of suiteCommands(file.name)) {
        if (command.type === "module" && command.wasm !== undefined && command.wasm.length < 8000) list.push(moduleBytes(command));
      }
    }
  }
  const kernels = path.join(projectRoot, "..", "shared", "bench", "kernels");
  if (existsSync(kernels)) for (const file of readdirSync(kernels)) list.push(Uint8Array.from(readFileSync(path.join(kernels, file))));
  return list.filter((bytes) => bytes.length > 12);
}

/** A function with control of all kinds and many a numeric instruction. */
function everyOpcode(): Uint8Array {
  const code = new Bytes();
  const get = (x: number) => code.push(0x20, ...leb(x));
  for (let op = 0x6a; op <= 0x78; op++) {
    get(0);
    get(1);
    code.push(op, 0x21, 2);
  }
  for (let op = 0x92; op <= 0x98; op++) {
    get(4);
    get(4);
    code.push(op, 0x21, 4);
  }
  code.push(0x02, 0x40, 0x03, 0x40, 0x20, 0, 0x0d, 1, 0x20, 1, 0x0e, 2, 0, 1, 2, 0x0b, 0x0b);
  code.push(0x20, 0, 0x04, 0x7f, 0x41, 1, 0x05, 0x41, 2, 0x0b, 0x1a, 0x20, 0, 0x28, 2, 4, 0x1a, 0x42, 3, 0xa7, 0x20, 0, 0x36, 0, 0);
  code.push(0x20, 0, 0x20, 1, 0x20, 2, 0x1b, 0x0f, 0x6a);
  const locals = [{ count: 2, type: Type.i32 }, { count: 2, type: Type.f32 }];
  return oneFunction({ params: [Type.i32, Type.i32], results: [] }, locals, code.push(0x1a).done());
}

test("damaged modules are accepted and refused as V8 does", () => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}`);
  const random = new Random(seed);
  const from = sources();
  let accepted = 0;
  let unsupported = 0;
  const count = 800;
  for (let i = 0; i < count; i++) {
    const bytes = mutant(random.pick(from), random);
    const error = validate(bytes);
    const taken = WebAssembly.validate(bytes);
    const where = `seed ${seed}, mutant ${i}`;
    if (taken && error?.kind === "unsupported") {
      // A feature of Node 20 that is not in Wasm 2.0.
      unsupported++;
      continue;
    }
    assert.is(error === undefined, taken, `${where}: ${error ? error.message : "accepted"}\n${Buffer.from(bytes).toString("base64")}`);
    if (!taken) continue;
    accepted++;
    const module = decodeModule(bytes);
    if (module.features.has("simd")) continue;
    module.funcs.forEach((decl, f) => {
      if (decl.imported) return;
      const errors = verifyFunc(translateFunction(module, f as FuncIndex), module);
      assert.is(errors.length, 0, `${where}, function ${f}: ${errors.map(printVerifierError).join("; ")}`);
    });
  }
  assert.ok(accepted > 10, `only ${accepted} mutants were valid`);
  assert.ok(unsupported < count / 50, `${unsupported} mutants use unsupported features`);
});

test.run();
