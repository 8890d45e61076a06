// `node --import .../serve-import.js FILE`: in the file, and in what it imports, `wasmlathe` is this package, and TypeScript is read.
import { registerHooks } from "./user-passes.js";

await registerHooks();
