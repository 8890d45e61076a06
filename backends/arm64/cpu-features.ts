// CPU features of arm64 that change what we emit: none so far, the code is for every ARMv8.0 processor.
//
// User code cannot ask the processor itself: the identification registers are the kernel's. When the first feature is used
// (LSE atomics, say), its bit comes from the auxiliary vector's AT_HWCAP, which the C library's getauxval reads.
/** By name; empty: nothing depends on the processor. */
export const features: readonly { readonly name: string }[] = [];

/** Nothing to run. */
export function cpuProbe(): undefined {
  return undefined;
}

export function cpuFeatures(_words: BigUint64Array): string[] {
  return features.map((feature) => feature.name);
}
