// The guest's descriptors: what a number of the guest stands for on the host, and what may be done with it.
//
// Rights are attenuation: a descriptor starts with all rights of its kind (read and write as it was opened, and no more
// than its directory hands on) and loses those that `fd_fdstat_set_rights` drops. So a right that is missing was either
// dropped, which is `notcapable`, or makes no sense there, which is the errno the operating system would give.
import { closeSync, fstatSync, type BigIntStats } from "node:fs";
import { isatty } from "node:tty";
import { Errno, Fdflags, Filetype, Rights } from "./abi.js";
import { fail } from "./errno.js";
import type { HostDirent } from "./libc.js";

export interface DescriptorInit {
  readonly hostFd: number;
  readonly filetype: Filetype;
  readonly rights: number;
  readonly inheriting: number;
  readonly flags: number;
  /** The guest's name of a preopened directory. */
  readonly preopen?: string | undefined;
  /** Whether the host's descriptor is closed with this one. Standard streams are not: Node would open a file in their place. */
  readonly owned: boolean;
}

export class Descriptor {
  readonly hostFd: number;
  readonly filetype: Filetype;
  readonly preopen: string | undefined;
  /** `Rights` now. */
  rights: number;
  /** `Rights` that files opened through this directory may have. */
  inheriting: number;
  /** `Fdflags`. */
  flags: number;
  /** The directory's entries as they were when it was last read from the start. */
  entries: readonly HostDirent[] | undefined;
  private readonly original: number;
  private readonly owned: boolean;

  constructor(init: DescriptorInit) {
    this.hostFd = init.hostFd;
    this.filetype = init.filetype;
    this.rights = this.original = init.rights;
    this.inheriting = init.inheriting;
    this.flags = init.flags;
    this.preopen = init.preopen;
    this.owned = init.owned;
  }

  /** Why a call that needs these rights is refused. */
  refusal(rights: number): Errno {
    if ((rights & ~this.rights & this.original) !== 0) return Errno.notcapable;
    if (this.filetype !== Filetype.directory) {
      if ((rights & Rights.path) !== 0) return Errno.notdir;
      if ((rights & (Rights.fd_seek | Rights.fd_tell)) !== 0) return Errno.spipe;
    }
    return Errno.badf;
  }

  close(): void {
    if (this.owned) closeSync(this.hostFd);
  }
}

/** Lowest free number first, like a Unix descriptor table. */
export class Descriptors {
  private readonly table: (Descriptor | undefined)[] = [];

  /** The descriptor of that number. @throws Failure `badf`, or why the rights are missing. */
  get(fd: number, rights: number): Descriptor {
    const descriptor = this.table[fd >>> 0];
    if (!descriptor) return fail(Errno.badf);
    if ((descriptor.rights & rights) !== rights) fail(descriptor.refusal(rights));
    return descriptor;
  }

  /** @returns its number. */
  add(descriptor: Descriptor): number {
    let fd = this.table.indexOf(undefined);
    if (fd < 0) fd = this.table.length;
    this.table[fd] = descriptor;
    return fd;
  }

  close(fd: number): void {
    const descriptor = this.get(fd, Rights.none);
    this.table[fd >>> 0] = undefined;
    descriptor.close();
  }

  /** Moves one number onto another that is open; what was there is closed. */
  renumber(from: number, to: number): void {
    const moved = this.get(from, Rights.none);
    const replaced = this.get(to, Rights.none);
    if (moved === replaced) return;
    this.table[to >>> 0] = moved;
    this.table[from >>> 0] = undefined;
    replaced.close();
  }

  closeAll(): void {
    for (const descriptor of this.table) descriptor?.close();
    this.table.length = 0;
  }
}

export function filetypeOf(stat: BigIntStats): Filetype {
  if (stat.isFile()) return Filetype.regular_file;
  if (stat.isDirectory()) return Filetype.directory;
  if (stat.isCharacterDevice()) return Filetype.character_device;
  if (stat.isBlockDevice()) return Filetype.block_device;
  if (stat.isSymbolicLink()) return Filetype.symbolic_link;
  if (stat.isSocket()) return Filetype.socket_stream;
  // WASI has no name for pipes.
  return Filetype.unknown;
}

/** Rights of an open file that is no directory. A terminal is told by guests from other devices by the lack of seeking. */
export function fileRights(hostFd: number, filetype: Filetype, read: boolean, write: boolean): number {
  let rights: number = Rights.file;
  if (!read) rights &= ~Rights.fd_read;
  if (!write) rights &= ~Rights.fd_write;
  if (filetype === Filetype.character_device && isatty(hostFd)) rights &= ~(Rights.fd_seek | Rights.fd_tell);
  return rights;
}

/** A descriptor that the embedder has opened, as standard stream. */
export function streamDescriptor(hostFd: number, read: boolean, write: boolean): Descriptor {
  const found = filetypeOf(fstatSync(hostFd, { bigint: true }));
  // Node makes the pipes between processes of sockets; a program need not know.
  const filetype = found === Filetype.socket_stream ? Filetype.unknown : found;
  if (filetype === Filetype.directory) throw new Error(`descriptor ${hostFd} is a directory: it cannot be a standard stream`);
  const rights = fileRights(hostFd, filetype, read, write);
  return new Descriptor({ hostFd, filetype, rights, inheriting: Rights.none, flags: 0, owned: false });
}

/** Whether a call on this descriptor may wait. */
export function blocks(descriptor: Descriptor): boolean {
  return (descriptor.flags & Fdflags.nonblock) === 0;
}
