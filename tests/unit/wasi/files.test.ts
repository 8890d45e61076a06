// Calls on open files: reading, writing, offsets, flags, sizes, times, rights, the descriptor table.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { at, fdflags, inDirectory, newGuest, oflags, rights, type Guest } from "./guest.js";

const test = suite("wasi files");
const E = { badf: 8, fault: 21, fbig: 22, inval: 28, notcapable: 76, notdir: 54, notsock: 57, spipe: 70 };

/** A guest whose descriptor 3 is a fresh directory. */
async function withGuest(run: (guest: Guest, directory: string) => void | Promise<void>): Promise<void> {
  await inDirectory(async (directory) => run(await newGuest({ preopens: { "/": directory } }), directory));
}

test("what is written is read again, scattered and gathered, at offsets and in order", () =>
  withGuest((guest, directory) => {
    const fd = guest.open(3, "file", { oflags: oflags.creat, rights: rights.readWrite });
    assert.is(fd, 4);
    guest.string("abcdefghij", at.data);
    assert.is(guest.calls["fd_write"]!(fd, ...guest.iovs(3, 0, 5, 2), at.result), 0);
    assert.is(guest.u32(), 10);
    assert.is(readFileSync(path.join(directory, "file"), "utf8"), "abcdefghij");

    guest.string("XY", at.data);
    assert.is(guest.calls["fd_pwrite"]!(fd, ...guest.iovs(1, 1), 4n, at.result), 0);
    assert.is(guest.calls["fd_tell"]!(fd, at.result), 0);
    assert.is(guest.u64(), 10n, "pwrite leaves the offset");
    assert.is(guest.calls["fd_pread"]!(fd, ...guest.iovs(2, 4), 3n, at.result), 0);
    assert.is(guest.text(at.data, guest.u32()), "dXYghi");
    assert.is(guest.read(fd, 5), "", "at the end there is nothing to read");

    assert.is(guest.calls["fd_seek"]!(fd, -4n, 2, at.result), 0);
    assert.is(guest.u64(), 6n);
    assert.is(guest.read(fd, 2), "gh");
    assert.is(guest.calls["fd_seek"]!(fd, 1n, 1, at.result), 0);
    assert.is(guest.read(fd, 100), "j");
    assert.is(guest.calls["fd_seek"]!(fd, 5_000_000_000n, 0, at.result), 0);
    assert.is(guest.u64(), 5_000_000_000n);
    assert.is(guest.calls["fd_seek"]!(fd, -1n, 0, at.result), E.inval);
    assert.is(guest.calls["fd_seek"]!(fd, 0n, 3, at.result), E.inval);
    assert.is(guest.calls["fd_pread"]!(fd, ...guest.iovs(1), -1n, at.result), E.inval);
    assert.is(guest.close(fd), 0);
    assert.is(guest.close(fd), E.badf);
  }));

test("large transfers, scattered over more than is gathered", () =>
  withGuest((guest, directory) => {
    guest.calls["grow"]!();
    const fd = guest.open(3, "file", { oflags: oflags.creat, rights: rights.readWrite });
    const total = 100_000;
    for (let i = 0; i < total; i++) guest.bytes[at.data + i] = i % 251;
    const expected = guest.bytes.slice(at.data, at.data + total);
    assert.is(guest.calls["fd_write"]!(fd, ...guest.iovs(1, 59_999, 40_000), at.result), 0);
    assert.is(guest.u32(), total);
    assert.equal(new Uint8Array(readFileSync(path.join(directory, "file"))), expected);
    guest.bytes.fill(0, at.data, at.data + total);
    assert.is(guest.calls["fd_pread"]!(fd, ...guest.iovs(50_000, 50_000), 0n, at.result), 0);
    assert.is(guest.u32(), total);
    assert.equal(guest.bytes.slice(at.data, at.data + total), expected);
  }));

test("appending goes to the end wherever the offset is, and can be switched", () =>
  withGuest((guest, directory) => {
    writeFileSync(path.join(directory, "log"), "one ");
    const fd = guest.open(3, "log", { rights: rights.readWrite, fdflags: fdflags.append });
    guest.write(fd, "two ");
    guest.calls["fd_seek"]!(fd, 0n, 0, at.result);
    guest.write(fd, "three");
    assert.is(readFileSync(path.join(directory, "log"), "utf8"), "one two three");
    assert.is(guest.calls["fd_fdstat_get"]!(fd, at.struct), 0);
    assert.is(guest.view.getUint16(at.struct + 2, true), fdflags.append);
    assert.is(guest.calls["fd_fdstat_set_flags"]!(fd, fdflags.nonblock), 0);
    guest.calls["fd_seek"]!(fd, 0n, 0, at.result);
    guest.write(fd, "ONE");
    assert.is(readFileSync(path.join(directory, "log"), "utf8"), "ONE two three");
    assert.is(guest.calls["fd_fdstat_set_flags"]!(fd, fdflags.sync), E.inval);
    assert.is(guest.calls["fd_fdstat_set_flags"]!(fd, 32), E.inval);
    const synced = guest.open(3, "log", { rights: rights.write, fdflags: fdflags.sync | fdflags.dsync | fdflags.rsync });
    assert.is(guest.write(synced, "1"), 1);
    assert.is(guest.calls["fd_sync"]!(synced), 0);
    assert.is(guest.calls["fd_datasync"]!(synced), 0);
  }));

test("size, allocation, advice, attributes and times to the nanosecond", () =>
  withGuest((guest, directory) => {
    const fd = guest.open(3, "file", { oflags: oflags.creat, rights: rights.readWrite });
    const { calls } = guest;
    assert.is(calls["fd_filestat_set_size"]!(fd, 100n), 0);
    assert.is(statSync(path.join(directory, "file")).size, 100);
    assert.is(calls["fd_filestat_set_size"]!(fd, -1n), E.inval);
    assert.is(calls["fd_allocate"]!(fd, 50n, 150n), 0);
    assert.is(statSync(path.join(directory, "file")).size, 200);
    assert.is(calls["fd_allocate"]!(fd, 0n, 10n), 0);
    assert.is(statSync(path.join(directory, "file")).size, 200, "allocation never cuts");
    assert.is(calls["fd_allocate"]!(fd, 0n, 0n), E.inval);
    assert.is(calls["fd_advise"]!(fd, 0n, 10n, 5), 0);
    assert.is(calls["fd_advise"]!(fd, 0n, 10n, 6), E.inval);

    assert.is(calls["fd_filestat_set_times"]!(fd, 1_500_000_000_123_456_789n, 1_600_000_000_000_000_001n, 1 | 4), 0);
    assert.is(calls["fd_filestat_get"]!(fd, at.struct), 0);
    const stat = statSync(path.join(directory, "file"), { bigint: true });
    const field = (offset: number) => guest.u64(at.struct + offset);
    assert.equal([field(0), field(8), field(24), field(32)], [stat.dev, stat.ino, stat.nlink, 200n]);
    assert.is(guest.bytes[at.struct + 16], 4);
    assert.equal([field(40), field(48)], [1_500_000_000_123_456_789n, 1_600_000_000_000_000_001n]);
    assert.is(field(56), stat.ctimeNs);
    assert.is(calls["fd_filestat_set_times"]!(fd, 0n, 0n, 8), 0);
    assert.is(calls["fd_filestat_get"]!(fd, at.struct), 0);
    assert.is(field(40), 1_500_000_000_123_456_789n, "what is not named stays");
    assert.ok(field(48) > 1_700_000_000_000_000_000n);
    for (const flags of [1 | 2, 4 | 8, 16]) assert.is(calls["fd_filestat_set_times"]!(fd, 0n, 0n, flags), E.inval);
  }));

test("rights: reading and writing as opened; what is dropped is gone for good", () =>
  withGuest((guest, directory) => {
    writeFileSync(path.join(directory, "file"), "text");
    const reader = guest.open(3, "file", { rights: rights.read });
    assert.is(guest.write(reader, "x"), -E.badf);
    const writer = guest.open(3, "file", { rights: rights.write });
    assert.is(guest.read(writer, 1), -E.badf);
    assert.is(guest.calls["fd_filestat_set_size"]!(reader, 0n), E.inval, "the host says so for a descriptor that only reads");

    assert.is(guest.calls["fd_fdstat_get"]!(reader, at.struct), 0);
    const base = guest.u64(at.struct + 8);
    assert.is(guest.calls["fd_fdstat_set_rights"]!(reader, base & ~2n, 0n), 0);
    assert.is(guest.read(reader, 1), -E.notcapable);
    assert.is(guest.calls["fd_fdstat_set_rights"]!(reader, base, 0n), E.notcapable);
    // A directory that hands on no writing opens nothing for writing.
    assert.is(guest.calls["fd_fdstat_get"]!(3, at.struct), 0);
    const [own, inheriting] = [guest.u64(at.struct + 8), guest.u64(at.struct + 16)];
    assert.is(guest.calls["fd_fdstat_set_rights"]!(3, own, inheriting & ~64n), 0);
    assert.is(guest.open(3, "file", { rights: rights.readWrite }), -E.notcapable);
    assert.ok(guest.open(3, "file", { rights: rights.read }) > 0);
  }));

test("descriptors: the lowest free number, renumbering, preopened directories", () =>
  withGuest((guest, directory) => {
    writeFileSync(path.join(directory, "a"), "A");
    writeFileSync(path.join(directory, "b"), "B");
    const a = guest.open(3, "a");
    const b = guest.open(3, "b");
    assert.equal([a, b], [4, 5]);
    assert.is(guest.calls["fd_renumber"]!(b, a), 0);
    assert.is(guest.read(a, 9), "B");
    assert.is(guest.read(b, 9), -E.badf);
    assert.is(guest.calls["fd_renumber"]!(a, 77), E.badf);
    assert.is(guest.calls["fd_renumber"]!(a, a), 0);
    assert.is(guest.open(3, "a"), 5);
    assert.is(guest.calls["fd_prestat_get"]!(3, at.struct), 0);
    assert.equal([guest.u32(at.struct), guest.u32(at.struct + 4)], [0, 1]);
    assert.is(guest.calls["fd_prestat_dir_name"]!(3, at.data, 1), 0);
    assert.is(guest.text(at.data, 1), "/");
    assert.is(guest.calls["fd_prestat_dir_name"]!(3, at.data, 0), 37);
    assert.is(guest.calls["fd_prestat_get"]!(4, at.struct), E.badf);
    assert.is(guest.calls["fd_prestat_get"]!(99, at.struct), E.badf);
    assert.is(guest.close(3), 0);
    assert.is(guest.open(3, "a"), -E.badf);
  }));

test("what a directory, a file and a stream cannot do", () =>
  withGuest((guest, directory) => {
    writeFileSync(path.join(directory, "file"), "");
    const { calls } = guest;
    assert.is(guest.read(3, 1), -E.badf);
    assert.is(guest.write(3, "x"), -E.badf);
    assert.is(calls["fd_seek"]!(3, 0n, 0, at.result), E.badf);
    assert.is(calls["fd_tell"]!(3, at.result), E.badf);
    assert.is(calls["fd_allocate"]!(3, 0n, 1n), E.badf);
    assert.is(calls["fd_advise"]!(3, 0n, 1n, 0), E.badf);
    assert.is(calls["fd_filestat_set_size"]!(3, 0n), E.badf);
    const file = guest.open(3, "file");
    assert.is(guest.open(file, "x", { oflags: oflags.creat }), -E.notdir);
    assert.is(calls["fd_readdir"]!(file, at.data, 100, 0n, at.result), E.notdir);
    for (const name of ["sock_accept", "sock_recv", "sock_send", "sock_shutdown"]) {
      const args = (fd: number) => [fd, ...new Array<number>(5).fill(at.struct)];
      assert.is(calls[name]!(...args(file)), E.notsock, name);
      assert.is(calls[name]!(...args(99)), E.badf, name);
    }
  }));

test("addresses outside of the memory are an errno, whatever the call, and nothing is left behind", () =>
  withGuest((guest, directory) => {
    writeFileSync(path.join(directory, "file"), "text");
    const fd = guest.open(3, "file", { rights: rights.readWrite });
    const beyond = 4 * 65536 - 2;
    const { calls } = guest;
    assert.is(calls["fd_read"]!(fd, beyond, 1, at.result), E.fault);
    assert.is(calls["fd_read"]!(fd, at.iovs, 0x1fffffff, at.result), E.fault);
    assert.is(calls["fd_write"]!(fd, -8, 1, at.result), E.fault);
    guest.iovs(0);
    guest.view.setUint32(at.iovs, 0xffff_fff0, true);
    guest.view.setUint32(at.iovs + 4, 0x20, true);
    assert.is(calls["fd_read"]!(fd, at.iovs, 1, at.result), E.fault);
    assert.is(calls["fd_write"]!(fd, at.iovs, 1, at.result), E.fault);
    assert.is(calls["fd_filestat_get"]!(fd, beyond), E.fault);
    assert.is(calls["fd_fdstat_get"]!(fd, -1), E.fault);
    assert.is(calls["fd_tell"]!(fd, beyond), E.fault);
    assert.is(calls["path_open"]!(3, 0, at.path, -1, 0, 0n, 0n, 0, at.result), E.fault);
    const [address, length] = guest.string("new");
    assert.is(calls["path_open"]!(3, 0, address, length, oflags.creat, 0n, 0n, 0, beyond), E.fault);
    assert.not.ok(existsSync(path.join(directory, "new")), "no file was made");
    assert.is(calls["random_get"]!(beyond, 10), E.fault);
    assert.is(calls["clock_time_get"]!(0, 0n, beyond), E.fault);
    assert.is(calls["poll_oneoff"]!(beyond, at.data, 1, at.result), E.fault);
    assert.is(calls["fd_prestat_dir_name"]!(3, -1, 10), E.fault);
  }));

test("a memory that grows while a program runs is seen as it is then", () =>
  withGuest((guest, directory) => {
    const fd = guest.open(3, "file", { oflags: oflags.creat, rights: rights.write });
    guest.calls["grow"]!();
    const address = 2 * 65536 + 100;
    guest.string("grown", address);
    guest.view.setUint32(at.iovs, address, true);
    guest.view.setUint32(at.iovs + 4, 5, true);
    assert.is(guest.calls["fd_write"]!(fd, at.iovs, 1, at.result), 0);
    assert.is(readFileSync(path.join(directory, "file"), "utf8"), "grown");
  }));

test.run();
