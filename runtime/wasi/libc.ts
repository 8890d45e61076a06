// The calls of the C library that node:fs does not have: everything relative to an open directory, offsets, flags, clocks.
//
// A failure is thrown as an errno of WASI. What differs between systems stands in one table. koffi is loaded at first use.
import { createRequire } from "node:module";
import { constants } from "node:fs";
import { constants as osConstants } from "node:os";
import type * as Koffi from "koffi";
import { Errno } from "./abi.js";
import { errnoOf, fail, Failure } from "./errno.js";

interface System {
  /** Opens a directory to walk through it, whatever its permissions let us read: O_PATH. */
  readonly O_PATH: number;
  /** Opens a file for nothing but fstat, a symbolic link as itself. */
  readonly O_STAT: number;
  readonly O_CLOEXEC: number;
  readonly AT_REMOVEDIR: number;
  readonly AT_SYMLINK_NOFOLLOW: number;
  readonly UTIME_NOW: number;
  readonly UTIME_OMIT: number;
  readonly FIONREAD: number;
  /** clockid_t by WASI's clockid. */
  readonly clocks: readonly number[];
  readonly readdir: string;
  readonly fdopendir: string;
  /** Offsets in struct dirent. */
  readonly dirent: { readonly ino: number; readonly reclen: number; readonly type: number; readonly name: number };
}

const systems: Readonly<Record<string, System>> = {
  linux: {
    O_PATH: 0o10000000,
    O_STAT: 0o10000000 | constants.O_NOFOLLOW,
    O_CLOEXEC: 0o2000000,
    AT_REMOVEDIR: 0x200,
    AT_SYMLINK_NOFOLLOW: 0x100,
    UTIME_NOW: (1 << 30) - 1,
    UTIME_OMIT: (1 << 30) - 2,
    FIONREAD: 0x541b,
    clocks: [0, 1, 2, 3],
    readdir: "readdir",
    fdopendir: "fdopendir",
    dirent: { ino: 0, reclen: 16, type: 18, name: 19 },
  },
  darwin: {
    O_PATH: 0,
    // O_SYMLINK | O_EVTONLY
    O_STAT: 0x200000 | 0x8000,
    O_CLOEXEC: 0x1000000,
    AT_REMOVEDIR: 0x80,
    AT_SYMLINK_NOFOLLOW: 0x20,
    UTIME_NOW: -1,
    UTIME_OMIT: -2,
    FIONREAD: 0x4004667f,
    clocks: [0, 6, 12, 16],
    readdir: process.arch === "x64" ? "readdir$INODE64" : "readdir",
    fdopendir: process.arch === "x64" ? "fdopendir$INODE64" : "fdopendir",
    dirent: { ino: 0, reclen: 16, type: 20, name: 21 },
  },
};

const F_GETFL = 3;
const F_SETFL = 4;

/** DT_ of dirent.h, the same on both systems. */
export const enum DirentType {
  unknown = 0,
  fifo = 1,
  character = 2,
  directory = 4,
  block = 6,
  regular = 8,
  link = 10,
  socket = 12,
}

export interface HostDirent {
  readonly name: string;
  readonly ino: bigint;
  readonly type: DirentType;
}

export const enum Poll {
  in = 1,
  out = 4,
  err = 8,
  hup = 16,
  nval = 32,
}

export type Libc = ReturnType<typeof load>;

/** Declared once a thread: a wrapper of koffi costs some kilobytes. */
class Slot {
  loaded: Libc | undefined;
}

const slot = new Slot();

/** The C library. @throws Error on a system that has no row in the table. */
export function libc(): Libc {
  return (slot.loaded ??= load());
}

function load() {
  const found = systems[process.platform];
  if (!found) throw new Error(`WASI is not supported on ${process.platform} yet: there are ${Object.keys(systems).join(", ")}`);
  const system = found;
  const koffi = createRequire(import.meta.url)("koffi") as typeof Koffi;
  const library = koffi.load(null);
  const declare = (name: string, result: string, params: string[]) => library.func(name, result, params) as (...args: unknown[]) => number | bigint;
  const names = new Map<number, string>();
  for (const [name, value] of Object.entries(osConstants.errno)) if (!names.has(value)) names.set(value, name);

  const openat = declare("openat", "int", ["int", "str", "int", "..."]);
  const mkdirat = declare("mkdirat", "int", ["int", "str", "uint32_t"]);
  const unlinkat = declare("unlinkat", "int", ["int", "str", "int"]);
  const renameat = declare("renameat", "int", ["int", "str", "int", "str"]);
  const linkat = declare("linkat", "int", ["int", "str", "int", "str", "int"]);
  const symlinkat = declare("symlinkat", "int", ["str", "int", "str"]);
  const readlinkat = declare("readlinkat", "int64_t", ["int", "str", "void *", "size_t"]);
  const utimensat = declare("utimensat", "int", ["int", "str", "const void *", "int"]);
  const futimens = declare("futimens", "int", ["int", "const void *"]);
  const lseek = declare("lseek", "int64_t", ["int", "int64_t", "int"]);
  const fcntl = declare("fcntl", "int", ["int", "int", "..."]);
  const ioctl = declare("ioctl", "int", ["int", "unsigned long", "..."]);
  const poll = declare("poll", "int", ["void *", "unsigned long", "int"]);
  const fdopendir = declare(system.fdopendir, "uintptr_t", ["int"]);
  const readdir = declare(system.readdir, "uintptr_t", ["uintptr_t"]);
  const closedir = declare("closedir", "int", ["uintptr_t"]);
  const memcpy = declare("memcpy", "uintptr_t", ["void *", "uintptr_t", "size_t"]);
  const clockGettime = declare("clock_gettime", "int", ["int", "void *"]);
  const clockGetres = declare("clock_getres", "int", ["int", "void *"]);
  const fallocate = process.platform === "linux" ? declare("posix_fallocate", "int", ["int", "int64_t", "int64_t"]) : undefined;

  const timespec = new Int32Array(4);
  const link = new Uint8Array(4096);
  const entry = new Uint8Array(512);
  const entryView = new DataView(entry.buffer);

  const errno = () => errnoOf(names.get(koffi.errno()));
  const check = (result: number | bigint): number => (result as number) < 0 ? fail(errno()) : Number(result);

  return {
    system,

    /** @returns a descriptor of the host that does not outlive an exec. */
    openat: (dir: number, name: string, flags: number, mode = 0): number => check(openat(dir, name, flags | system.O_CLOEXEC, "int", mode)),
    mkdirat: (dir: number, name: string, mode: number) => check(mkdirat(dir, name, mode)),
    unlinkat: (dir: number, name: string) => check(unlinkat(dir, name, 0)),
    rmdirat: (dir: number, name: string) => check(unlinkat(dir, name, system.AT_REMOVEDIR)),
    renameat: (dir: number, name: string, newDir: number, newName: string) => check(renameat(dir, name, newDir, newName)),
    /** A symbolic link as source is linked itself. */
    linkat: (dir: number, name: string, newDir: number, newName: string) => check(linkat(dir, name, newDir, newName, 0)),
    symlinkat: (target: string, dir: number, name: string) => check(symlinkat(target, dir, name)),

    /** What a symbolic link holds; undefined where there is none, be it that the file is another or that nothing is there. */
    linkTarget(dir: number, name: string): Uint8Array | undefined {
      const length = Number(readlinkat(dir, name, link, link.length));
      if (length >= 0) return link.slice(0, length);
      const failure = errno();
      return failure === Errno.inval || failure === Errno.noent ? undefined : fail(failure);
    },

    /** @throws Failure `inval` for what is no symbolic link. */
    readlinkat(dir: number, name: string): Uint8Array {
      return link.slice(0, check(readlinkat(dir, name, link, link.length)));
    },

    /** @param times two timespecs as eight words. Does not follow a symbolic link. */
    utimensat: (dir: number, name: string, times: Int32Array) => check(utimensat(dir, name, times, system.AT_SYMLINK_NOFOLLOW)),
    futimens: (fd: number, times: Int32Array) => check(futimens(fd, times)),

    /** @returns the offset from the start of the file. */
    lseek: (fd: number, offset: bigint | number, whence: number): number => check(lseek(fd, offset, whence)),
    getFlags: (fd: number) => check(fcntl(fd, F_GETFL, "int", 0)),
    setFlags: (fd: number, flags: number) => check(fcntl(fd, F_SETFL, "int", flags)),

    /** Bytes that can be read at once; 0 where the host does not know. */
    readable(fd: number): number {
      return ioctl(fd, system.FIONREAD, "void *", timespec) === 0 ? timespec[0]! >>> 0 : 0;
    },

    /**
     * Waits for descriptors.
     * @param fds struct pollfd: for each, a word for the descriptor and one of events (lower half) and results (upper half).
     * @param timeout milliseconds, -1 for ever.
     */
    poll(fds: Int32Array, timeout: number): number {
      for (;;) {
        const ready = poll(fds, fds.length / 2, timeout);
        if (Number(ready) >= 0) return Number(ready);
        if (names.get(koffi.errno()) !== "EINTR") throw new Failure(errno());
      }
    },

    /** All entries of a directory but `.` and `..`. */
    list(fd: number): HostDirent[] {
      // A descriptor of its own: closedir closes it, and its offset is at the start.
      const stream = Number(fdopendir(check(openat(fd, ".", constants.O_RDONLY | constants.O_DIRECTORY | system.O_CLOEXEC, "int", 0))));
      if (stream === 0) fail(errno());
      const { dirent } = system;
      const found: HostDirent[] = [];
      for (;;) {
        const at = Number(readdir(stream));
        if (at === 0) break;
        memcpy(entry, at, dirent.name);
        const length = entryView.getUint16(dirent.reclen, true);
        memcpy(entry, at, Math.min(length, entry.length));
        const end = entry.indexOf(0, dirent.name);
        const name = Buffer.from(entry.buffer, dirent.name, end - dirent.name).toString("utf8");
        if (name === "." || name === "..") continue;
        found.push({ name, ino: entryView.getBigUint64(dirent.ino, true), type: entry[dirent.type]! });
      }
      closedir(stream);
      return found;
    },

    /** The time of a clock of the host, as a timespec: seconds in words 0 and 1, nanoseconds in word 2. Overwritten by the next call. */
    clockTime(clock: number): Int32Array {
      check(clockGettime(clock, timespec));
      return timespec;
    },
    clockResolution(clock: number): Int32Array {
      check(clockGetres(clock, timespec));
      return timespec;
    },

    /** Makes sure that a file has that many bytes. @returns false where the system has no such call. */
    fallocate(fd: number, offset: bigint, length: bigint): boolean {
      if (!fallocate) return false;
      const result = Number(fallocate(fd, offset, length));
      return result === 0 || fail(errnoOf(names.get(result)));
    },
  };
}
