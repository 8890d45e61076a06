// A line diff of two texts, all lines shown: `  ` kept, `- ` gone, `+ ` new. Myers' greedy algorithm (1986), with a bound on its work.

/** Beyond so many differing lines the middle is shown as removed and added whole. */
const MAX_DISTANCE = 2000;

export function diffLines(before: string, after: string): string {
  const a = before.split("\n");
  const b = after.split("\n");
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const out = a.slice(0, start).map((line) => `  ${line}`);
  out.push(...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)));
  out.push(...a.slice(a.length - end).map((line) => `  ${line}`));
  return out.map((line) => line.trimEnd()).join("\n");
}

function middle(a: readonly string[], b: readonly string[]): string[] {
  const limit = Math.min(a.length + b.length, MAX_DISTANCE);
  // furthest[k + limit]: how far down `a` the best path of each diagonal has come; one copy a step, for the way back.
  let furthest = new Int32Array(2 * limit + 3);
  const trail: Int32Array[] = [];
  for (let d = 0; d <= limit; d++) {
    for (let k = -d; k <= d; k += 2) {
      const at = k + limit + 1;
      let x = k === -d || (k !== d && furthest[at - 1]! < furthest[at + 1]!) ? furthest[at + 1]! : furthest[at - 1]! + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x++;
        y++;
      }
      furthest[at] = x;
      if (x >= a.length && y >= b.length) return wayBack(a, b, trail, d, limit);
    }
    trail.push(furthest);
    furthest = furthest.slice();
  }
  return [...a.map((line) => `- ${line}`), ...b.map((line) => `+ ${line}`)];
}

function wayBack(a: readonly string[], b: readonly string[], trail: readonly Int32Array[], distance: number, limit: number): string[] {
  const out: string[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = distance; d > 0; d--) {
    const furthest = trail[d - 1]!;
    const k = x - y;
    const at = k + limit + 1;
    const down = k === -d || (k !== d && furthest[at - 1]! < furthest[at + 1]!);
    const fromX = down ? furthest[at + 1]! : furthest[at - 1]!;
    const fromY = fromX - (down ? k + 1 : k - 1);
    while (x > fromX && y > fromY && x > 0 && y > 0 && a[x - 1] === b[y - 1]) {
      out.push(`  ${a[--x]!}`);
      y--;
    }
    if (down) out.push(`+ ${b[--y]!}`);
    else out.push(`- ${a[--x]!}`);
  }
  while (x > 0) out.push(`  ${a[--x]!}`);
  return out.reverse();
}
