// What text and verification need of a target: names of registers and machine ops. `Target` of the backends fits it.
import { FIRST_FLOAT_REG, FIRST_SLOT } from "./mfunc.js";

export interface MachineNames {
  readonly registers: { readonly names: readonly (string | undefined)[] };
  readonly mops: readonly ({ readonly name: string; readonly terminator?: boolean } | undefined)[];
}

/** A register by its name, a slot as `s2`; `r?17` for a register the target does not have. */
export function locationName(names: MachineNames, location: number): string {
  if (location >= FIRST_SLOT) return `s${location - FIRST_SLOT}`;
  return names.registers.names[location] ?? `r?${location}`;
}

/** Names of the registers in a pair of class masks. */
export function registersOf(names: MachineNames, ints: number, floats: number): string[] {
  const list: string[] = [];
  for (let r = 0; r < 32; r++) if ((ints >>> r) & 1) list.push(locationName(names, r));
  for (let r = 0; r < 32; r++) if ((floats >>> r) & 1) list.push(locationName(names, FIRST_FLOAT_REG + r));
  return list;
}
