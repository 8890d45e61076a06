// What emulated code must not get away with: code that was not flushed, instructions beyond ARMv8.0, a process that died.
import { spawnSync } from "node:child_process";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { stubs } from "../../backends/arm64/stubs.js";
import { Access, Native } from "../../runtime/native.js";
import { currentThread } from "../../runtime/thread.js";
import { testWithout } from "../missing.js";
import { emulateCode, hasEmulator } from "./code-only.js";

const words = (...list: number[]) => new Uint8Array(Uint32Array.from(list).buffer);
const RET = 0xd65f03c0;
/** ldadd w1, w0, [x2], of ARMv8.1. */
const LDADD = 0xb8210040;

const children: Readonly<Record<string, () => void>> = {
  unflushed() {
    const native = new Native();
    const page = native.map(native.pageBytes, Access.none);
    native.protect(page, native.pageBytes, Access.readWrite);
    native.write(page, words(RET));
    native.protect(page, native.pageBytes, Access.readExecute);
    native.voidCall(page)();
  },
  later() {
    const { memory } = currentThread().withStubs(stubs);
    const { native } = currentThread();
    native.voidCall(memory.loadStub(words(RET)))();
    console.log("ran");
    const late = native.voidCall(memory.loadStub(words(LDADD, RET)));
    for (const _ of [1, 2]) {
      try {
        late();
      } catch (error) {
        console.log((error as Error).message);
      }
    }
  },
};

const [, script, child] = process.argv;
if (child) {
  emulateCode();
  children[child]!();
} else if (hasEmulator()) {
  const run = (name: string) => spawnSync(process.execPath, [script!, name], { encoding: "utf8" });
  test("code that was published and not flushed ends the process", () => {
    const { status, stderr } = run("unflushed");
    assert.is(status, 99);
    assert.match(stderr, "code was published and not flushed");
  });
  test("an instruction that ARMv8.0 does not have ends the emulated process, and whoever calls into it hears so", () => {
    const { status, stdout } = run("later");
    assert.is(stdout, "ran\nthe emulated process has ended\nthe emulated process has ended\n");
    assert.is(status, 0);
  });
} else testWithout(test, "emulated code", "qemu-aarch64 (qemu-user)");

if (!child) test.run();
