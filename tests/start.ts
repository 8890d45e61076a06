// Starts a test program from its bundle: `node --import tsx tests/start.ts tests/spec/main.ts ARGS...`.
//
// Bundled code has const enums inlined and needs no loader in its child processes, which it starts from
// `process.argv[1]`, itself.
import { spawn } from "node:child_process";
import { bundle } from "./bundle.js";

const [program, ...args] = process.argv.slice(2);
const [script] = await bundle([program!], "programs");
// Flags for Node itself (V8's) may come first in NODE_FLAGS.
const flags = (process.env["NODE_FLAGS"] ?? "").split(" ").filter(Boolean);
const child = spawn(process.env["TEST_NODE"] ?? process.execPath, [...flags, "--enable-source-maps", script!, ...args], { stdio: "inherit" });
child.on("close", (code, signal) => {
  if (signal) console.error(`${program} ended by ${signal}`);
  process.exitCode = code ?? 1;
});
