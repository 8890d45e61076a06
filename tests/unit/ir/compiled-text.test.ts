// Text of real functions at every stage: SSA after each pass that changed it, machine IR as lowered and as allocated, at each level.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseMFunc } from "../../../ir/machine/parse.js";
import { printMFunc } from "../../../ir/machine/print.js";
import { parseFunc } from "../../../ir/parse.js";
import { printFunc } from "../../../ir/print.js";
import { decodeModule } from "../../../pipeline/frontend/index.js";
import { compileSync } from "../../../pipeline/index.js";
import { targetNamed } from "../../../pipeline/targets.js";
import { projectRoot } from "../../bundle.js";

const folder = path.join(projectRoot, "..", "shared", "bench", "kernels");

for (const level of [0, 2] as const) {
  test(`kernels at O${level}`, () => {
    if (!existsSync(folder)) return console.log("note: ../shared/bench is not there");
    const target = targetNamed();
    const stages = new Map<string, number>();
    for (const file of readdirSync(folder).sort()) {
      const bytes = new Uint8Array(readFileSync(path.join(folder, file)));
      if (decodeModule(bytes).features.has("simd")) continue;
      const same = (stage: string, text: string, again: string) => {
        if (again === text) return;
        const lines = again.split("\n");
        const at = text.split("\n").findIndex((line, i) => line !== lines[i]);
        assert.is(lines[at], text.split("\n")[at], `${file} after ${stage}, line ${at + 1}`);
      };
      compileSync(bytes, {
        level,
        observe: {
          ssa(fn, stage, changed) {
            if (!changed) return;
            stages.set(stage, (stages.get(stage) ?? 0) + 1);
            const text = printFunc(fn);
            same(stage, text, printFunc(parseFunc(text)));
          },
          machine(mfn, stage) {
            stages.set(stage, (stages.get(stage) ?? 0) + 1);
            const text = printMFunc(mfn, target);
            same(stage, text, printMFunc(parseMFunc(text, target), target));
          },
        },
      });
    }
    for (const stage of ["translate", "lower", "allocate"]) assert.ok((stages.get(stage) ?? 0) > 30, `${stage}: ${stages.get(stage)} functions`);
  });
}

test.run();
