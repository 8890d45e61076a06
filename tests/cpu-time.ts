// Time for tests of how work grows: what this process used of the processor, however many others wait for it.

/** Milliseconds of processor time of this process so far, all threads together. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
