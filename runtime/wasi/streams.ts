// Reading and writing: fd_read, fd_write, fd_pread, fd_pwrite; and the calls for sockets, of which there are none.
//
// These are the hot calls of most programs. Bytes go straight between the guest's memory and the host; what is scattered
// over several buffers is gathered before it is written, so that one call of the guest is one of the host.
import { readSync, writeSync } from "node:fs";
import { Errno, Filetype, Iovec, Rights } from "./abi.js";
import { blocks, type Descriptor } from "./descriptor.js";
import { fail } from "./errno.js";
import { libc, Poll } from "./libc.js";
import type { Calls, State } from "./state.js";

/** Scattered buffers of up to so many bytes in all are gathered. */
const GATHER_BYTES = 1 << 16;
/** What Linux moves in one call at most. */
const MAX_TRANSFER = 0x7ffff000;

export function streamCalls({ memory, fds }: State): Calls {
  const gathered = new Uint8Array(GATHER_BYTES);

  /** @returns bytes read, into as many buffers as can be filled without waiting twice. */
  function read(descriptor: Descriptor, iovs: number, count: number, position: number | null): number {
    const { bytes } = memory;
    const view = memory.view(iovs, count * Iovec.bytes);
    const regular = descriptor.filetype === Filetype.regular_file;
    let total = 0;
    for (let at = iovs, end = iovs + count * Iovec.bytes; at < end; at += Iovec.bytes) {
      const address = view.getUint32(at, true);
      const length = Math.min(view.getUint32(at + Iovec.length, true), MAX_TRANSFER);
      if (length === 0) continue;
      if (address + length > bytes.length) return total > 0 ? total : fail(Errno.fault);
      const moved = transfer(readSync, descriptor, Poll.in, bytes, address, length, position === null ? null : position + total);
      total += moved;
      if (moved < length || !regular) break;
    }
    return total;
  }

  /** @returns bytes written, which may be fewer than were asked for. */
  function write(descriptor: Descriptor, iovs: number, count: number, position: number | null): number {
    const { bytes } = memory;
    const view = memory.view(iovs, count * Iovec.bytes);
    const end = iovs + count * Iovec.bytes;
    let length = 0;
    let buffers = 0;
    let address = 0;
    for (let at = iovs; at < end; at += Iovec.bytes) {
      const part = view.getUint32(at + Iovec.length, true);
      if (part === 0) continue;
      address = view.getUint32(at, true);
      if (address + part > bytes.length) fail(Errno.fault);
      length += part;
      buffers++;
    }
    if (buffers <= 1) return buffers === 0 ? 0 : transfer(writeSync, descriptor, Poll.out, bytes, address, Math.min(length, MAX_TRANSFER), position);
    if (length <= GATHER_BYTES) {
      let filled = 0;
      for (let at = iovs; at < end; at += Iovec.bytes) {
        const from = view.getUint32(at, true);
        const part = view.getUint32(at + Iovec.length, true);
        // A copy of a few bytes is cheaper than a view.
        if (part <= 32) for (let i = 0; i < part; i++) gathered[filled + i] = bytes[from + i]!;
        else gathered.set(bytes.subarray(from, from + part), filled);
        filled += part;
      }
      return transfer(writeSync, descriptor, Poll.out, gathered, 0, length, position);
    }
    let total = 0;
    for (let at = iovs; at < end; at += Iovec.bytes) {
      const part = Math.min(view.getUint32(at + Iovec.length, true), MAX_TRANSFER);
      if (part === 0) continue;
      const moved = transfer(writeSync, descriptor, Poll.out, bytes, view.getUint32(at, true), part, position === null ? null : position + total);
      total += moved;
      if (moved < part) break;
    }
    return total;
  }

  return {
    fd_read(fd: number, iovs: number, count: number, result: number): number {
      const moved = read(fds.get(fd, Rights.fd_read), iovs >>> 0, count >>> 0, null);
      memory.setU32(result, moved);
      return Errno.success;
    },

    fd_write(fd: number, iovs: number, count: number, result: number): number {
      const moved = write(fds.get(fd, Rights.fd_write), iovs >>> 0, count >>> 0, null);
      memory.setU32(result, moved);
      return Errno.success;
    },

    fd_pread(fd: number, iovs: number, count: number, offset: bigint, result: number): number {
      const moved = read(seekable(fds.get(fd, Rights.fd_read)), iovs >>> 0, count >>> 0, fileOffset(offset));
      memory.setU32(result, moved);
      return Errno.success;
    },

    fd_pwrite(fd: number, iovs: number, count: number, offset: bigint, result: number): number {
      const moved = write(seekable(fds.get(fd, Rights.fd_write)), iovs >>> 0, count >>> 0, fileOffset(offset));
      memory.setU32(result, moved);
      return Errno.success;
    },

    // No descriptor is a socket: preview 1 cannot make one, and a standard stream is what a program expects of a pipe.
    sock_accept: (fd: number) => notSocket(fds.get(fd, Rights.none)),
    sock_recv: (fd: number) => notSocket(fds.get(fd, Rights.none)),
    sock_send: (fd: number) => notSocket(fds.get(fd, Rights.none)),
    sock_shutdown: (fd: number) => notSocket(fds.get(fd, Rights.none)),
  };
}

type Transfer = (fd: number, bytes: Uint8Array, at: number, length: number, position: number | null) => number;

/** One transfer. What would wait on a descriptor that somebody else has set to non-blocking waits here. */
function transfer(move: Transfer, descriptor: Descriptor, event: Poll, bytes: Uint8Array, at: number, length: number, position: number | null): number {
  for (;;) {
    try {
      return move(descriptor.hostFd, bytes, at, length, position);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN" || !blocks(descriptor)) throw error;
      libc().poll(Int32Array.of(descriptor.hostFd, event), -1);
    }
  }
}

/** For a descriptor that is open. */
function notSocket(_descriptor: Descriptor): Errno {
  return Errno.notsock;
}

function seekable(descriptor: Descriptor): Descriptor {
  return (descriptor.rights & Rights.fd_seek) !== 0 ? descriptor : fail(descriptor.refusal(Rights.fd_seek));
}

/** A position in a file, which node:fs takes as a number. */
function fileOffset(offset: bigint): number {
  if (offset < 0n) fail(Errno.inval);
  return offset > BigInt(Number.MAX_SAFE_INTEGER) ? fail(Errno.fbig) : Number(offset);
}
