/** Disjoint ranges of addresses, ascending. Few at a time. */
export type Range = readonly [from: number, to: number];

export class Ranges {
  list: readonly Range[] = [];

  add(from: number, to: number): void {
    this.remove(from, to);
    const before = this.list.filter(([a]) => a < from);
    const behind = this.list.slice(before.length);
    if (before.at(-1)?.[1] === from) [from] = before.pop()!;
    if (behind[0]?.[0] === to) [, to] = behind.shift()!;
    this.list = [...before, [from, to], ...behind];
  }

  remove(from: number, to: number): void {
    const cut = this.list.flatMap(([a, b]): Range[] => [[a, Math.min(b, from)], [Math.max(a, to), b]]);
    this.list = cut.filter(([a, b]) => a < b);
  }

  /** What of [from, to) is in here. */
  within(from: number, to: number): Range[] {
    return this.list.map(([a, b]): Range => [Math.max(a, from), Math.min(b, to)]).filter(([a, b]) => a < b);
  }
}
