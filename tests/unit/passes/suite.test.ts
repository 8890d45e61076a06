// The official suite through the passes of O1 and O2, in the interpreter, the verifier behind every pass: what fails here and not
// at O0 is a pass's fault, not the backend's.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { latheEngine } from "../../lathe.js";
import { runFile } from "../../spec/file.js";
import { suiteExists, suiteFiles } from "../../spec/suite.js";

for (const level of [1, 2] as const) {
  (suiteExists() ? test : test.skip)(`the suite after the passes of O${level}`, () => {
    const engine = latheEngine("interp", { level, verify: true });
    const failures: string[] = [];
    let passed = 0;
    for (const { name } of suiteFiles()) {
      const result = runFile(engine, name);
      passed += result.passed;
      failures.push(...result.failures.map((failure) => `${name} ${failure}`));
    }
    assert.equal(failures, []);
    assert.ok(passed > 20_000, `only ${passed} commands ran`);
  });
}

test.run();
