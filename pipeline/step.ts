// How a step of a compilation is named: a pass, or a step of the driver's own; `gvn#1` is the first run of a pass that runs twice.

/** Place in `names`, in the order in which the steps run, of the step meant: the last run unless one is named; -1 if there is none. */
export function placeOfStep(names: readonly string[], step: string): number {
  const [, name, run] = /^(.*?)(?:#(\d+))?$/.exec(step)!;
  if (run === undefined) return names.lastIndexOf(name!);
  let left = Number(run);
  return names.findIndex((one) => one === name && --left === 0);
}

/** The names by which every step can be meant. */
export function stepNames(names: readonly string[]): string[] {
  const total = new Map<string, number>();
  for (const name of names) total.set(name, (total.get(name) ?? 0) + 1);
  const seen = new Map<string, number>();
  return names.map((name) => {
    const run = (seen.get(name) ?? 0) + 1;
    seen.set(name, run);
    return total.get(name)! > 1 ? `${name}#${run}` : name;
  });
}
