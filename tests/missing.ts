// A test that needs a program from outside: where that is missing it is skipped with one line, and with CI=true, where .ci/run has
// installed it, it fails.
import * as assert from "uvu/assert";

interface Tests {
  (name: string, run: () => void): void;
  skip(name: string, run: () => void): void;
}

/** @param needs what is missing, and the package that has it. */
export function testWithout(test: Tests, name: string, needs: string): void {
  console.log(`note: ${name}: skipped, ${needs} is missing`);
  if (process.env["CI"] === "true") test(name, () => assert.unreachable(`${needs} is missing, and CI installs it`));
  else test.skip(name, () => undefined);
}
