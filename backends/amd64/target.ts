// The amd64 target: its parts under one name, as backends/target.ts asks for them.
import type { Target } from "../target.js";
import { Baseline } from "./baseline.js";
import { features } from "./cpu-features.js";
import { describe } from "./describe.js";
import { Disassembler } from "./disassemble.js";
import { emit } from "./emit.js";
import { relocate } from "./encode.js";
import { lower } from "./lower.js";
import { mops } from "./mops.js";
import { names64, Reg, registers } from "./registers.js";
import { stubs } from "./stubs.js";

export const amd64: Target = {
  name: "amd64",
  features: features.map((feature) => feature.name),
  registers,
  mops,
  lower,
  emit,
  baseline: (module, options) => Baseline.create(module, options),
  relocate,
  stubs,
  describe,
  // int3
  padding: 0xcc,
  contextRegister: names64[Reg.vmctx],
  loadDisassembler: () => Disassembler.load(),
};
