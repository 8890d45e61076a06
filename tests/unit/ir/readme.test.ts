// The README's function is what the printer prints: documentation that a change would make untrue fails here.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseFunc } from "../../../ir/parse.js";
import { printFunc } from "../../../ir/print.js";
import { verifyFunc } from "../../../ir/verify.js";
import { projectRoot } from "../../bundle.js";

test("the function of ir/README.md prints as it stands there", () => {
  const readme = readFileSync(path.join(projectRoot, "ir", "README.md"), "utf8");
  const text = /^func @0 [^]*?^\}\n/m.exec(readme)?.[0] ?? "";
  const fn = parseFunc(text);
  assert.equal(verifyFunc(fn), []);
  assert.is(printFunc(fn), text);
});

test.run();
