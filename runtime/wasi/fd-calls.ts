// Calls on one descriptor, but for reading and writing (streams.ts): state, attributes, offsets, directory entries.
import { constants, fdatasyncSync, fstatSync, fsyncSync, ftruncateSync } from "node:fs";
import { Dirent, Errno, Fdflags, Fdstat, Filetype, Prestat, Rights } from "./abi.js";
import type { Descriptor } from "./descriptor.js";
import { fail } from "./errno.js";
import { writeFilestat, timespecs } from "./filestat.js";
import { DirentType, libc, type HostDirent } from "./libc.js";
import type { Calls, State } from "./state.js";

const SEEK_CUR = 1;
const MAX_ADVICE = 5;
const SYNC_FLAGS = Fdflags.dsync | Fdflags.rsync | Fdflags.sync;

const filetypeOfDirent: Readonly<Record<number, Filetype>> = {
  [DirentType.character]: Filetype.character_device,
  [DirentType.block]: Filetype.block_device,
  [DirentType.directory]: Filetype.directory,
  [DirentType.regular]: Filetype.regular_file,
  [DirentType.link]: Filetype.symbolic_link,
  [DirentType.socket]: Filetype.socket_stream,
};

const encoder = new TextEncoder();

export function fdCalls({ abi, memory, fds }: State): Calls {
  const setOffset = (at: number, offset: number): number => {
    memory.setWords(at, offset % 2 ** 32, Math.floor(offset / 2 ** 32));
    return Errno.success;
  };

  const preopened = (fd: number): Uint8Array => {
    const { preopen } = fds.get(fd, Rights.none);
    return preopen === undefined ? fail(Errno.badf) : encoder.encode(preopen);
  };

  return {
    fd_advise(fd: number, offset: bigint, length: bigint, advice: number): number {
      const descriptor = fds.get(fd, Rights.fd_advise);
      if (descriptor.filetype === Filetype.directory) return Errno.badf;
      // Advice may be left unused, but not be senseless.
      return offset < 0n || length < 0n || advice < 0 || advice > MAX_ADVICE ? Errno.inval : Errno.success;
    },

    fd_allocate(fd: number, offset: bigint, length: bigint): number {
      const { hostFd } = fds.get(fd, Rights.fd_allocate);
      if (offset < 0n || length <= 0n) return Errno.inval;
      if (!libc().fallocate(hostFd, offset, length)) {
        const { size } = fstatSync(hostFd, { bigint: true });
        if (size < offset + length) ftruncateSync(hostFd, Number(offset + length));
      }
      return Errno.success;
    },

    fd_close(fd: number): number {
      fds.close(fd);
      return Errno.success;
    },

    fd_datasync(fd: number): number {
      fdatasyncSync(fds.get(fd, Rights.fd_datasync).hostFd);
      return Errno.success;
    },

    fd_sync(fd: number): number {
      fsyncSync(fds.get(fd, Rights.fd_sync).hostFd);
      return Errno.success;
    },

    fd_fdstat_get(fd: number, result: number): number {
      const descriptor = fds.get(fd, Rights.none);
      result >>>= 0;
      const view = memory.view(result, Fdstat.bytes);
      view.setUint16(result + Fdstat.filetype, descriptor.filetype, true);
      view.setUint32(result + Fdstat.flags, descriptor.flags, true);
      view.setUint16(result + Fdstat.flags + 4, 0, true);
      memory.setWords(result + Fdstat.rightsBase, descriptor.rights, 0);
      memory.setWords(result + Fdstat.rightsInheriting, descriptor.inheriting, 0);
      return Errno.success;
    },

    fd_fdstat_set_flags(fd: number, flags: number): number {
      const descriptor = fds.get(fd, Rights.fd_fdstat_set_flags);
      // Whether writes are synchronous is settled when a file is opened.
      if ((flags & ~Fdflags.all) !== 0 || ((flags ^ descriptor.flags) & SYNC_FLAGS) !== 0) return Errno.inval;
      const c = libc();
      let host = c.getFlags(descriptor.hostFd) & ~(constants.O_APPEND | constants.O_NONBLOCK);
      if ((flags & Fdflags.append) !== 0) host |= constants.O_APPEND;
      if ((flags & Fdflags.nonblock) !== 0) host |= constants.O_NONBLOCK;
      c.setFlags(descriptor.hostFd, host);
      descriptor.flags = flags;
      return Errno.success;
    },

    fd_fdstat_set_rights(fd: number, base: bigint, inheriting: bigint): number {
      const descriptor = fds.get(fd, Rights.none);
      const wanted = rightsOf(base);
      const wantedInheriting = rightsOf(inheriting);
      if ((wanted & ~descriptor.rights) !== 0 || (wantedInheriting & ~descriptor.inheriting) !== 0) return Errno.notcapable;
      descriptor.rights = wanted;
      descriptor.inheriting = wantedInheriting;
      return Errno.success;
    },

    fd_filestat_get(fd: number, result: number): number {
      const { hostFd } = fds.get(fd, Rights.fd_filestat_get);
      writeFilestat(memory, abi, result, fstatSync(hostFd, { bigint: true }));
      return Errno.success;
    },

    fd_filestat_set_size(fd: number, size: bigint): number {
      const { hostFd } = fds.get(fd, Rights.fd_filestat_set_size);
      if (size < 0n) return Errno.inval;
      if (size > BigInt(Number.MAX_SAFE_INTEGER)) return Errno.fbig;
      ftruncateSync(hostFd, Number(size));
      return Errno.success;
    },

    fd_filestat_set_times(fd: number, atim: bigint, mtim: bigint, flags: number): number {
      const { hostFd } = fds.get(fd, Rights.fd_filestat_set_times);
      libc().futimens(hostFd, timespecs(atim, mtim, flags));
      return Errno.success;
    },

    fd_prestat_get(fd: number, result: number): number {
      const name = preopened(fd);
      memory.setU32(result + Prestat.tag, Prestat.directory);
      memory.setU32(result + Prestat.nameLength, name.length);
      return Errno.success;
    },

    fd_prestat_dir_name(fd: number, path: number, length: number): number {
      const name = preopened(fd);
      if (length >>> 0 < name.length) return Errno.nametoolong;
      memory.write(path, name);
      return Errno.success;
    },

    fd_readdir(fd: number, buffer: number, length: number, cookie: bigint, result: number): number {
      const descriptor = fds.get(fd, Rights.fd_readdir);
      length >>>= 0;
      const into = memory.slice(buffer, length);
      const from = Number(BigInt.asUintN(64, cookie));
      if (from === 0 || !descriptor.entries) descriptor.entries = entriesOf(descriptor);
      const header = new DataView(new ArrayBuffer(Dirent.bytes));
      const headerBytes = new Uint8Array(header.buffer);
      let used = 0;
      // An entry that does not fit is cut off where the buffer ends, which tells the guest that there is more.
      for (let i = from; i < descriptor.entries.length && used < length; i++) {
        const entry = descriptor.entries[i]!;
        const name = encoder.encode(entry.name);
        header.setBigUint64(Dirent.next, BigInt(i + 1), true);
        header.setBigUint64(Dirent.ino, entry.ino, true);
        header.setUint32(Dirent.nameLength, name.length, true);
        header.setUint32(Dirent.type, filetypeOfDirent[entry.type] ?? Filetype.unknown, true);
        for (const part of [headerBytes, name]) {
          const fits = Math.min(part.length, length - used);
          into.set(part.subarray(0, fits), used);
          used += fits;
        }
      }
      memory.setU32(result, used);
      return Errno.success;
    },

    fd_renumber(from: number, to: number): number {
      fds.renumber(from, to);
      return Errno.success;
    },

    fd_seek(fd: number, offset: bigint, whence: number, result: number): number {
      const { hostFd } = fds.get(fd, Rights.fd_seek);
      const how = abi.whence[whence >>> 0];
      if (how === undefined) return Errno.inval;
      return setOffset(result, libc().lseek(hostFd, offset, how));
    },

    fd_tell(fd: number, result: number): number {
      const { hostFd } = fds.get(fd, Rights.fd_tell);
      return setOffset(result, libc().lseek(hostFd, 0, SEEK_CUR));
    },
  };
}

/** The interface's 64 bits as `Rights`. Bits that mean nothing are left out: programs ask for all there are by -1. */
export function rightsOf(rights: bigint): number {
  return Number(BigInt.asUintN(30, rights));
}

/** `.` and `..` first. The parent of a preopened directory is no business of the guest's: `..` has the same number as `.`. */
function entriesOf(descriptor: Descriptor): HostDirent[] {
  const { ino } = fstatSync(descriptor.hostFd, { bigint: true });
  const own = (name: string): HostDirent => ({ name, ino, type: DirentType.directory });
  return [own("."), own(".."), ...libc().list(descriptor.hostFd)];
}
