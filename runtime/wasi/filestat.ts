// Attributes of files: stat to the guest's layout, times from the guest to the host's.
import type { BigIntStats } from "node:fs";
import { Errno, Fstflags, type Abi } from "./abi.js";
import { filetypeOf } from "./descriptor.js";
import { fail } from "./errno.js";
import type { GuestMemory } from "./guest-memory.js";
import { libc } from "./libc.js";

export function writeFilestat(memory: GuestMemory, { filestat }: Abi, at: number, stat: BigIntStats): void {
  at >>>= 0;
  const view = memory.view(at, filestat.bytes);
  view.setBigUint64(at + filestat.dev, stat.dev, true);
  view.setBigUint64(at + filestat.ino, stat.ino, true);
  // The padding behind it, too.
  view.setUint32(at + filestat.filetype, filetypeOf(stat), true);
  view.setUint32(at + filestat.filetype + 4, 0, true);
  if (filestat.nlinkBytes === 8) view.setBigUint64(at + filestat.nlink, stat.nlink, true);
  else view.setUint32(at + filestat.nlink, Number(stat.nlink), true);
  view.setBigUint64(at + filestat.size, stat.size, true);
  view.setBigUint64(at + filestat.atim, nanoseconds(stat.atimeNs), true);
  view.setBigUint64(at + filestat.mtim, nanoseconds(stat.mtimeNs), true);
  view.setBigUint64(at + filestat.ctim, nanoseconds(stat.ctimeNs), true);
}

/** WASI has no time before 1970. */
function nanoseconds(time: bigint): bigint {
  return time < 0n ? 0n : time;
}

/**
 * Two timespecs, as utimensat takes them, of what a guest has asked for.
 * @param atim nanoseconds. @param mtim nanoseconds.
 * @throws Failure `inval` for flags that contradict each other.
 */
export function timespecs(atim: bigint, mtim: bigint, flags: number): Int32Array {
  if ((flags & ~Fstflags.all) !== 0) fail(Errno.inval);
  const times = new Int32Array(8);
  writeTime(times, 0, atim, (flags & Fstflags.atim) !== 0, (flags & Fstflags.atim_now) !== 0);
  writeTime(times, 4, mtim, (flags & Fstflags.mtim) !== 0, (flags & Fstflags.mtim_now) !== 0);
  return times;
}

function writeTime(times: Int32Array, at: number, time: bigint, set: boolean, now: boolean): void {
  const { UTIME_NOW, UTIME_OMIT } = libc().system;
  if (set && now) fail(Errno.inval);
  const words = new BigInt64Array(times.buffer, at * 4, 2);
  if (set) {
    const unsigned = BigInt.asUintN(64, time);
    words[0] = unsigned / 1_000_000_000n;
    words[1] = unsigned % 1_000_000_000n;
  } else {
    words[1] = BigInt(now ? UTIME_NOW : UTIME_OMIT);
  }
}
