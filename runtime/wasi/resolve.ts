// The sandbox: a path of the guest becomes an open directory of the host and one name in it, and nothing else ever
// reaches the operating system.
//
// path => one component after the other, each opened relative to the one before it, never following a symbolic link;
// links are read and their contents walked in the same way. `..` goes back to a directory that this walk has come through,
// never to the one that is the parent by then, so no race with another process leads out. What ends the walk is handed to
// calls that do not follow a last symbolic link either.
import { closeSync, constants } from "node:fs";
import { Errno } from "./abi.js";
import { fail, Failure } from "./errno.js";
import { libc } from "./libc.js";

/** Links followed in one walk at most, as in Linux. */
const MAX_LINKS = 40;

export interface Walk {
  /** Whether a symbolic link at the end is followed, too. */
  readonly follow: boolean;
  /** Whether a slash at the end makes the walk follow a link there, as it does for opening. */
  readonly slashFollows: boolean;
}

export const noFollow: Walk = { follow: false, slashFollows: false };

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Components of a path from last to first; `.` and empty ones stay out, but for a last one, which is `.`. */
function split(path: string, into: string[]): void {
  const parts = path.split("/");
  for (let i = parts.length - 1; i >= 0; i--) {
    const part = parts[i]!;
    if (part !== "" && (part !== "." || into.length === 0)) into.push(part);
  }
}

/**
 * Walks a path below a directory and hands what it ends in to `use`: an open directory of the host, a name in it (never
 * with a slash, never `..`; `.` for a path that ends in a directory come to by `.` or `..`) and whether the path ended in a slash.
 * The directory is closed afterwards.
 * @param base descriptor of the host.
 * @throws Failure `perm` for a path that leads out of the directory.
 */
export function resolve<T>(base: number, path: string, walk: Walk, use: (dir: number, name: string, slash: boolean) => T): T {
  if (path === "") fail(Errno.noent);
  if (path.includes("\0")) fail(Errno.inval);
  if (path.startsWith("/")) fail(Errno.perm);
  const c = libc();
  const slash = path.endsWith("/");
  const follow = walk.follow || (slash && walk.slashFollows);
  const pending: string[] = [];
  split(path, pending);
  // The directories below `base` that lead to where the walk is.
  const opened: number[] = [];
  let links = 0;

  const expand = (target: Uint8Array): void => {
    if (++links > MAX_LINKS) fail(Errno.loop);
    const text = decodeLink(target);
    if (text.startsWith("/")) fail(Errno.perm);
    if (text.endsWith("/") && pending.length === 0) pending.push(".");
    split(text, pending);
  };

  try {
    for (;;) {
      const dir = opened.length > 0 ? opened[opened.length - 1]! : base;
      const name = pending.pop();
      if (name === undefined || name === ".") {
        if (pending.length > 0) continue;
        return use(dir, ".", slash);
      }
      if (name === "..") {
        const left = opened.pop();
        if (left === undefined) fail(Errno.perm);
        closeSync(left!);
        continue;
      }
      if (pending.length === 0) {
        const target = follow ? c.linkTarget(dir, name) : undefined;
        if (!target) return use(dir, name, slash);
        expand(target);
        continue;
      }
      const next = enter(dir, name);
      if (typeof next === "number") opened.push(next);
      else expand(next);
    }
  } finally {
    for (const dir of opened) closeSync(dir);
  }
}

/** A directory on the way, opened; or what the symbolic link there holds. */
function enter(dir: number, name: string): number | Uint8Array {
  const c = libc();
  try {
    return c.openat(dir, name, c.system.O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (thrown) {
    if (!(thrown instanceof Failure) || (thrown.errno !== Errno.notdir && thrown.errno !== Errno.loop)) throw thrown;
    return c.linkTarget(dir, name) ?? fail(Errno.notdir);
  }
}

function decodeLink(target: Uint8Array): string {
  if (target.length === 0) fail(Errno.noent);
  try {
    return decoder.decode(target);
  } catch {
    return fail(Errno.ilseq);
  }
}
