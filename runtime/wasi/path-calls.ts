// Calls on paths below an open directory. Each resolves its paths (resolve.ts) and acts on the name they end in.
import { closeSync, constants, fstatSync, type BigIntStats } from "node:fs";
import { Errno, Fdflags, Filetype, Lookupflags, Oflags, Rights } from "./abi.js";
import { Descriptor, fileRights, filetypeOf } from "./descriptor.js";
import { fail } from "./errno.js";
import { rightsOf } from "./fd-calls.js";
import { timespecs, writeFilestat } from "./filestat.js";
import { libc } from "./libc.js";
import { noFollow, resolve, type Walk } from "./resolve.js";
import type { Calls, State } from "./state.js";

const NEW_FILE_MODE = 0o666;
const NEW_DIRECTORY_MODE = 0o777;

const withFollow: Walk = { follow: true, slashFollows: true };
const slashFollows: Walk = { follow: false, slashFollows: true };

/** The walk for calls that look at what is there. @throws Failure `inval` for flags there are none of. */
function lookup(flags: number): Walk {
  if ((flags & ~Lookupflags.symlink_follow) !== 0) fail(Errno.inval);
  return (flags & Lookupflags.symlink_follow) !== 0 ? withFollow : slashFollows;
}

/** Attributes of a name in a directory; of a symbolic link itself. */
function statAt(dir: number, name: string): BigIntStats {
  const c = libc();
  const fd = c.openat(dir, name, c.system.O_STAT);
  try {
    return fstatSync(fd, { bigint: true });
  } finally {
    closeSync(fd);
  }
}

function requireDirectory(dir: number, name: string): void {
  if (!statAt(dir, name).isDirectory()) fail(Errno.notdir);
}

export function pathCalls({ abi, memory, fds }: State): Calls {
  return {
    path_create_directory(fd: number, path: number, length: number): number {
      const { hostFd } = fds.get(fd, Rights.path_create_directory);
      resolve(hostFd, memory.string(path, length), noFollow, (dir, name) => libc().mkdirat(dir, name, NEW_DIRECTORY_MODE));
      return Errno.success;
    },

    path_filestat_get(fd: number, flags: number, path: number, length: number, result: number): number {
      const { hostFd } = fds.get(fd, Rights.path_filestat_get);
      const stat = resolve(hostFd, memory.string(path, length), lookup(flags), (dir, name, slash) => {
        const found = statAt(dir, name);
        return slash && !found.isDirectory() ? fail(Errno.notdir) : found;
      });
      writeFilestat(memory, abi, result, stat);
      return Errno.success;
    },

    path_filestat_set_times(fd: number, flags: number, path: number, length: number, atim: bigint, mtim: bigint, fstFlags: number): number {
      const { hostFd } = fds.get(fd, Rights.path_filestat_set_times);
      const times = timespecs(atim, mtim, fstFlags);
      resolve(hostFd, memory.string(path, length), lookup(flags), (dir, name, slash) => {
        if (slash) requireDirectory(dir, name);
        libc().utimensat(dir, name, times);
      });
      return Errno.success;
    },

    path_link(oldFd: number, oldFlags: number, oldPath: number, oldLength: number, newFd: number, newPath: number, newLength: number): number {
      const source = fds.get(oldFd, Rights.path_link_source);
      const target = fds.get(newFd, Rights.path_link_target);
      const newName = memory.string(newPath, newLength);
      resolve(source.hostFd, memory.string(oldPath, oldLength), lookup(oldFlags), (oldDir, old, oldSlash) => {
        if (oldSlash) requireDirectory(oldDir, old);
        resolve(target.hostFd, newName, noFollow, (dir, name, slash) => {
          if (slash) refuseNew(dir, name);
          libc().linkat(oldDir, old, dir, name);
        });
      });
      return Errno.success;
    },

    path_open(
      fd: number, dirFlags: number, path: number, length: number, oflags: number,
      base: bigint, _inheriting: bigint, fdflags: number, result: number,
    ): number {
      const parent = fds.get(fd, Rights.path_open | (oflags & Oflags.creat ? Rights.path_create_file : 0) | (oflags & Oflags.trunc ? Rights.path_filestat_set_size : 0));
      const walk = lookup(dirFlags);
      // Before anything is opened.
      memory.view(result >>> 0, 4);
      if ((oflags & ~Oflags.all) !== 0 || (fdflags & ~Fdflags.all) !== 0) return Errno.inval;
      const directory = (oflags & Oflags.directory) !== 0;
      if (directory && (oflags & Oflags.creat) !== 0) return Errno.inval;
      const read = (rightsOf(base) & Rights.fd_read) !== 0;
      const write = (rightsOf(base) & Rights.fd_write) !== 0;
      if ((rightsOf(base) & (Rights.fd_read | Rights.fd_write) & ~parent.inheriting) !== 0) return Errno.notcapable;
      const hostFlags = openFlags(oflags, fdflags, read, write);
      // The exclusive creation of a file does not follow a link that is in its place.
      const exclusive = (oflags & (Oflags.creat | Oflags.excl)) === (Oflags.creat | Oflags.excl);
      const hostFd = resolve(parent.hostFd, memory.string(path, length), exclusive ? noFollow : walk, (dir, name, slash) => {
        // `.` is a directory, and the host says what cannot be done with it.
        const mustBeDirectory = slash && name !== ".";
        if (mustBeDirectory && (oflags & Oflags.creat) !== 0) fail(Errno.isdir);
        return libc().openat(dir, name, mustBeDirectory ? hostFlags | constants.O_DIRECTORY : hostFlags, NEW_FILE_MODE);
      });
      memory.setU32(result, fds.add(openedDescriptor(hostFd, parent, fdflags, read, write)));
      return Errno.success;
    },

    path_readlink(fd: number, path: number, length: number, buffer: number, bufferLength: number, result: number): number {
      const { hostFd } = fds.get(fd, Rights.path_readlink);
      const target = resolve(hostFd, memory.string(path, length), slashFollows, (dir, name, slash) => {
        if (slash) requireDirectory(dir, name);
        return libc().readlinkat(dir, name);
      });
      const cut = target.subarray(0, Math.min(target.length, bufferLength >>> 0));
      memory.write(buffer, cut);
      memory.setU32(result, cut.length);
      return Errno.success;
    },

    path_remove_directory(fd: number, path: number, length: number): number {
      const { hostFd } = fds.get(fd, Rights.path_remove_directory);
      resolve(hostFd, memory.string(path, length), noFollow, (dir, name) => libc().rmdirat(dir, name));
      return Errno.success;
    },

    path_rename(fd: number, oldPath: number, oldLength: number, newFd: number, newPath: number, newLength: number): number {
      const source = fds.get(fd, Rights.path_rename_source);
      const target = fds.get(newFd, Rights.path_rename_target);
      const newName = memory.string(newPath, newLength);
      resolve(source.hostFd, memory.string(oldPath, oldLength), noFollow, (oldDir, old, oldSlash) =>
        resolve(target.hostFd, newName, noFollow, (dir, name, slash) => {
          // Of `.` the host has its own opinion.
          if ((oldSlash || slash) && old !== "." && name !== ".") requireDirectory(oldDir, old);
          libc().renameat(oldDir, old, dir, name);
        }),
      );
      return Errno.success;
    },

    path_symlink(oldPath: number, oldLength: number, fd: number, newPath: number, newLength: number): number {
      const { hostFd } = fds.get(fd, Rights.path_symlink);
      const content = memory.string(oldPath, oldLength);
      if (content.includes("\0")) return Errno.inval;
      // No walk would follow it, but a program of the host might.
      if (content.startsWith("/")) return Errno.perm;
      resolve(hostFd, memory.string(newPath, newLength), noFollow, (dir, name, slash) => {
        if (slash) refuseNew(dir, name);
        libc().symlinkat(content, dir, name);
      });
      return Errno.success;
    },

    path_unlink_file(fd: number, path: number, length: number): number {
      const { hostFd } = fds.get(fd, Rights.path_unlink_file);
      resolve(hostFd, memory.string(path, length), noFollow, (dir, name, slash) => {
        if (slash) fail(statAt(dir, name).isDirectory() ? Errno.isdir : Errno.notdir);
        libc().unlinkat(dir, name);
      });
      return Errno.success;
    },
  };
}

/** No file but a directory can be made under a name with a slash behind it: there is something, or there is nothing. */
function refuseNew(dir: number, name: string): never {
  statAt(dir, name);
  return fail(Errno.exist);
}

/** open(2)'s flags. A last symbolic link is never followed by the host: the walk has done that. */
function openFlags(oflags: number, fdflags: number, read: boolean, write: boolean): number {
  // What is cut to no bytes needs a descriptor that may write, whatever the guest may do with it.
  const writes = write || (oflags & Oflags.trunc) !== 0;
  let flags = constants.O_NOFOLLOW | constants.O_NOCTTY | (writes ? (read || !write ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY);
  if ((oflags & Oflags.creat) !== 0) flags |= constants.O_CREAT;
  if ((oflags & Oflags.directory) !== 0) flags |= constants.O_DIRECTORY;
  if ((oflags & Oflags.excl) !== 0) flags |= constants.O_EXCL;
  if ((oflags & Oflags.trunc) !== 0) flags |= constants.O_TRUNC;
  if ((fdflags & Fdflags.append) !== 0) flags |= constants.O_APPEND;
  if ((fdflags & Fdflags.nonblock) !== 0) flags |= constants.O_NONBLOCK;
  if ((fdflags & Fdflags.dsync) !== 0) flags |= constants.O_DSYNC;
  if ((fdflags & (Fdflags.sync | Fdflags.rsync)) !== 0) flags |= constants.O_SYNC;
  return flags;
}

function openedDescriptor(hostFd: number, parent: Descriptor, flags: number, read: boolean, write: boolean): Descriptor {
  const filetype = filetypeOf(fstatSync(hostFd, { bigint: true }));
  if (filetype === Filetype.directory) {
    return new Descriptor({ hostFd, filetype, rights: Rights.directory & parent.inheriting, inheriting: parent.inheriting, flags: 0, owned: true });
  }
  // Opened for neither, it can be read, as on the host.
  const rights = fileRights(hostFd, filetype, read || !write, write) & parent.inheriting;
  return new Descriptor({ hostFd, filetype, rights, inheriting: Rights.none, flags, owned: true });
}
