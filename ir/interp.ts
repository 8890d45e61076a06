// The reference interpreter over SSA: `decode` a function once, `run` it against an `InterpEnv`. The second opinion in every test.
//
// interp-env.ts is what it asks of the world, interp-decode.ts makes straight code of blocks and edges, interp-run.ts executes it.
export { decode } from "./interp-decode.js";
export { InterpThread, run, suspendedFrames } from "./interp-run.js";
export { InterpTrap, RegFile, type InterpCallee, type InterpCode, type InterpEnv, type InterpFrame, type InterpMemory } from "./interp-env.js";
