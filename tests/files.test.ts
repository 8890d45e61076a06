// Every file test under files/: one test a file. FILE_TESTS=PART runs those whose path holds PART.
//
// files/fuzz/SEED-NUMBER.wasm are modules on which the fuzzer once found something: they run as it runs them, against V8, in every mode.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readdirSync } from "node:fs";
import path from "node:path";
import { projectRoot } from "./bundle.js";
import { checkText } from "./check-text.js";
import { fuzzModules, runFileTest, runFuzzModule } from "./filetest.js";

const test = suite("files");
const directory = path.join(projectRoot, "tests", "files");
const only = process.env["FILE_TESTS"] ?? "";

const files = readdirSync(directory, { recursive: true })
  .map((name) => String(name).replaceAll("\\", "/"))
  .filter((name) => /\.(wat|ssa|mir)$/.test(name) && name.includes(only))
  .sort();

test("there are file tests", () => {
  assert.ok(files.length > 0);
});

for (const file of files) {
  test(file, async () => {
    const problems = await runFileTest(path.join(directory, file));
    if (problems.length > 0) throw new Error(problems.join("\n"));
  });
}

for (const file of fuzzModules(directory).filter((name) => name.includes(only))) {
  test(file, async () => assert.equal(await runFuzzModule(path.join(directory, file)), []));
}

test("the checker itself: order, absence, counts", () => {
  const text = "a  b\nc\nd\n";
  const check = (...list: [string, string][]) => checkText(text, list.map(([kind, wanted]) => ({ kind: kind as "check", text: wanted })));
  assert.equal(check(["check", "a b"], ["check", "d"]), []);
  assert.is(check(["check", "d"], ["check", "c"]).length > 0, true);
  assert.is(check(["check", "a"], ["check-not", "c"], ["check", "d"]).length > 0, true);
  assert.equal(check(["check", "c"], ["check-not", "a"], ["check", "d"]), []);
  assert.is(check(["check-not", "d"]).length > 0, true);
  assert.equal(check(["check-count", "1 c"]), []);
  assert.is(check(["check-count", "2 c"]).length > 0, true);
  assert.is(check().length > 0, true);
});

test.run();
