// `check:` lines of file tests against a text: in order, runs of blanks counting as one.

export interface Check {
  readonly kind: "check" | "check-not" | "check-count";
  readonly text: string;
}

const squeeze = (text: string) => text.replace(/[ \t]+/g, " ");

/** @returns what is not as the checks say, with the text; empty when all hold. */
export function checkText(text: string, checks: readonly Check[]): string[] {
  if (checks.length === 0) return ["there are no `check:` lines"];
  const where = squeeze(text);
  const problems: string[] = [];
  let at = 0;
  /** `check-not`s since the last match. */
  let forbidden: string[] = [];
  const checkForbidden = (end: number) => {
    const between = where.slice(at, end);
    for (const one of forbidden) if (between.includes(one)) problems.push(`check-not: "${one}" stands there`);
    forbidden = [];
  };
  for (const check of checks) {
    if (check.kind === "check-count") {
      const [, count, wanted] = /^(\d+)\s+(.*)$/.exec(check.text) ?? [];
      if (wanted === undefined) {
        problems.push(`check-count: "${check.text}" does not begin with a number`);
        continue;
      }
      const found = where.split(squeeze(wanted)).length - 1;
      if (found !== Number(count)) problems.push(`check-count: "${wanted}" stands there ${found} times, not ${count}`);
    } else if (check.kind === "check-not") {
      forbidden.push(squeeze(check.text));
    } else {
      const wanted = squeeze(check.text);
      const found = where.indexOf(wanted, at);
      if (found < 0) {
        problems.push(`check: "${check.text}" does not stand behind the previous match`);
        forbidden = [];
        break;
      }
      checkForbidden(found);
      at = found + wanted.length;
    }
  }
  checkForbidden(where.length);
  return problems.length > 0 ? [...problems, `the text:\n${text}`] : [];
}
