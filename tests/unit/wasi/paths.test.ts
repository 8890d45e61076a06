// Calls on paths: what they do, which errno they give where they cannot, links on the way, slashes at the end, directories.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { execFileSync } from "node:child_process";
import { existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { at, fdflags, inDirectory, newGuest, oflags, rights, type Guest } from "./guest.js";

const test = suite("wasi paths");
const E = { busy: 10, exist: 20, ilseq: 25, inval: 28, isdir: 31, loop: 32, nametoolong: 37, noent: 44, notdir: 54, notempty: 55, perm: 63 };

interface Setting {
  guest: Guest;
  /** Of the host. */
  directory: string;
  file: (name: string) => string;
  /** Calls with one path. */
  call: (name: string, text: string) => number;
  stat: (text: string, follow?: boolean) => number;
  rename: (from: string, to: string) => number;
  link: (from: string, to: string, follow?: boolean) => number;
  symlink: (content: string, to: string) => number;
}

async function withFiles(run: (setting: Setting) => void): Promise<void> {
  await inDirectory(async (directory) => {
    const guest = await newGuest({ preopens: { "/": directory } });
    const { calls } = guest;
    run({
      guest,
      directory,
      file: (name) => path.join(directory, name),
      call: (name, text) => calls[name]!(3, ...guest.string(text)),
      stat: (text, follow = false) => calls["path_filestat_get"]!(3, follow ? 1 : 0, ...guest.string(text), at.struct),
      rename: (from, to) => calls["path_rename"]!(3, ...guest.string(from), 3, ...guest.string(to, at.otherPath)),
      link: (from, to, follow = false) => calls["path_link"]!(3, follow ? 1 : 0, ...guest.string(from), 3, ...guest.string(to, at.otherPath)),
      symlink: (content, to) => calls["path_symlink"]!(...guest.string(content), 3, ...guest.string(to, at.otherPath)),
    });
  });
}

test("directories are made and removed", () =>
  withFiles(({ call, directory, file }) => {
    assert.is(call("path_create_directory", "a"), 0);
    assert.is(call("path_create_directory", "a/b/"), 0);
    assert.is(call("path_create_directory", "a/b"), E.exist);
    assert.is(call("path_create_directory", "no/b"), E.noent);
    assert.is(call("path_create_directory", "."), E.exist);
    assert.is(call("path_remove_directory", "a"), E.notempty);
    assert.is(call("path_remove_directory", "a/./b/../b"), 0);
    writeFileSync(file("f"), "");
    assert.is(call("path_remove_directory", "f"), E.notdir);
    assert.is(call("path_remove_directory", "f/"), E.notdir);
    assert.is(call("path_remove_directory", "a/"), 0);
    assert.is(call("path_remove_directory", "a"), E.noent);
    assert.equal(readdirSync(directory), ["f"]);
  }));

test("open: creation, exclusion, truncation, kinds, flags there are none of", () =>
  withFiles(({ guest, file }) => {
    assert.is(guest.open(3, "f"), -E.noent);
    const fd = guest.open(3, "f", { oflags: oflags.creat, rights: rights.write });
    guest.write(fd, "text");
    assert.is(guest.open(3, "f", { oflags: oflags.creat | oflags.excl }), -E.exist);
    assert.is(readFileSync(file("f"), "utf8"), "text");
    assert.ok(guest.open(3, "f", { oflags: oflags.trunc, rights: 0n }) > 0);
    assert.is(readFileSync(file("f"), "utf8"), "");
    mkdirSync(file("d"));
    assert.ok(guest.open(3, "d", { oflags: oflags.directory }) > 0);
    assert.is(guest.open(3, "f", { oflags: oflags.directory }), -E.notdir);
    assert.is(guest.open(3, "d", { rights: rights.readWrite }), -E.isdir);
    assert.is(guest.open(3, "f/x"), -E.notdir);
    assert.is(guest.open(3, "f/"), -E.notdir);
    assert.is(guest.open(3, "f/."), -E.notdir);
    assert.is(guest.open(3, "new/", { oflags: oflags.creat }), -E.isdir);
    assert.is(guest.open(3, "./", { oflags: oflags.creat | oflags.excl }), -E.exist);
    assert.is(guest.open(3, "new/./", { oflags: oflags.creat }), -E.noent, "what comes before a dot is there, and a directory");
    assert.ok(guest.open(3, "d/") > 0);
    assert.is(guest.open(3, "f", { oflags: 16 }), -E.inval);
    assert.is(guest.open(3, "f", { fdflags: 32 }), -E.inval);
    assert.is(guest.open(3, "d", { oflags: oflags.directory | oflags.creat }), -E.inval);
    assert.is(guest.calls["path_open"]!(3, 2, ...guest.string("f"), 0, 0n, 0n, 0, at.result), E.inval);
    assert.ok(guest.open(3, ".", { fdflags: fdflags.nonblock }) > 0);
    assert.is(guest.open(3, ""), -E.noent);
    assert.is(guest.open(3, "f\0"), -E.inval);
    assert.is(guest.open(3, "x".repeat(300)), -E.nametoolong);
    guest.bytes.set([0x66, 0xff], at.path);
    assert.is(guest.calls["path_open"]!(3, 0, at.path, 2, 0, 0n, 0n, 0, at.result), E.ilseq);
  }));

test("an opened directory is where the paths below it begin", () =>
  withFiles(({ guest, file }) => {
    mkdirSync(file("d/e"), { recursive: true });
    writeFileSync(file("d/e/f"), "deep");
    const d = guest.open(3, "d", { oflags: oflags.directory });
    const e = guest.open(d, "e", { oflags: oflags.directory });
    assert.is(guest.read(guest.open(e, "f"), 9), "deep");
    assert.is(guest.open(e, "../e/f"), -E.perm, "not above the directory that was opened");
    // Where it is by now does not matter.
    const { calls } = guest;
    assert.is(calls["path_rename"]!(3, ...guest.string("d"), 3, ...guest.string("moved", at.otherPath)), 0);
    assert.is(guest.read(guest.open(e, "f"), 9), "deep");
  }));

test("links on the way and at the end", () =>
  withFiles(({ guest, file, stat, symlink, call }) => {
    mkdirSync(file("d/e"), { recursive: true });
    writeFileSync(file("d/e/f"), "deep");
    assert.is(symlink("d/e", "l"), 0);
    assert.is(readlinkSync(file("l")), "d/e");
    assert.is(guest.read(guest.open(3, "l/f"), 9), "deep");
    assert.is(guest.read(guest.open(3, "l/../e/f"), 9), "deep", ".. goes to where the link has led");
    assert.is(guest.open(3, "l"), -E.loop);
    assert.is(guest.open(3, "l", { oflags: oflags.directory }), -E.notdir);
    assert.ok(guest.open(3, "l", { oflags: oflags.directory, follow: true }) > 0);
    assert.ok(guest.open(3, "l/") > 0, "a slash follows");
    assert.is(symlink("../d/e/../e/f", "d/to-file"), 0);
    assert.is(guest.read(guest.open(3, "d/to-file", { follow: true }), 9), "deep");
    // A link that leads nowhere is the place of a new file.
    assert.is(symlink("d/new", "dangling"), 0);
    assert.is(guest.open(3, "dangling", { follow: true }), -E.noent);
    assert.is(guest.open(3, "dangling", { follow: true, oflags: oflags.creat | oflags.excl }), -E.exist);
    assert.ok(guest.open(3, "dangling", { follow: true, oflags: oflags.creat }) > 0);
    assert.ok(existsSync(file("d/new")));
    // Loops.
    symlink("a", "b");
    symlink("b", "a");
    assert.is(guest.open(3, "a", { follow: true }), -E.loop);
    assert.is(guest.open(3, "a/x"), -E.loop);
    assert.is(stat("a"), 0);
    assert.is(stat("a", true), E.loop);
    assert.is(symlink("/absolute", "x"), E.perm);
    assert.is(symlink("", "x"), E.noent);
    assert.is(symlink("c", "x/"), E.noent);
    assert.is(symlink("c", "d/"), E.exist);
    assert.is(symlink("c", "d/new/"), E.exist);
    assert.is(symlink("c", "d"), E.exist);
    assert.is(call("path_unlink_file", "l"), 0);
    assert.ok(existsSync(file("d/e/f")));
  }));

test("attributes and times by path, of a link or of what it leads to", () =>
  withFiles(({ guest, file, stat, symlink }) => {
    writeFileSync(file("f"), "four");
    symlink("f", "l");
    const filetype = () => guest.bytes[at.struct + 16];
    assert.is(stat("l"), 0);
    assert.is(filetype(), 7);
    assert.is(stat("l", true), 0);
    assert.is(filetype(), 4);
    assert.is(guest.u64(at.struct + 32), 4n);
    assert.is(stat("."), 0);
    assert.is(filetype(), 3);
    assert.is(stat("f/"), E.notdir);
    assert.is(stat("l/"), E.notdir);
    assert.is(stat("nothing"), E.noent);
    const times = (text: string, flags: number) => guest.calls["path_filestat_set_times"]!(3, flags, ...guest.string(text), 5_000_000_007n, 6_000_000_009n, 1 | 4);
    assert.is(times("l", 0), 0);
    assert.is(lstatSync(file("l"), { bigint: true }).mtimeNs, 6_000_000_009n);
    assert.ok(statSync(file("f"), { bigint: true }).mtimeNs > 6_000_000_009n);
    assert.is(times("l", 1), 0);
    const changed = statSync(file("f"), { bigint: true });
    assert.equal([changed.atimeNs, changed.mtimeNs], [5_000_000_007n, 6_000_000_009n]);
    assert.is(times("f/", 0), E.notdir);
    assert.is(times("f", 2), E.inval);
  }));

test("hard links, with and without following", () =>
  withFiles(({ file, link, symlink }) => {
    writeFileSync(file("f"), "x");
    mkdirSync(file("d"));
    assert.is(link("f", "d/g"), 0);
    assert.is(statSync(file("f")).ino, statSync(file("d/g")).ino);
    assert.is(link("f", "d/g"), E.exist);
    assert.is(link("f", "h/"), E.noent);
    assert.is(link("f/", "h"), E.notdir);
    assert.is(link("d", "h"), E.perm);
    symlink("f", "l");
    assert.is(link("l", "as-link"), 0);
    assert.ok(lstatSync(file("as-link")).isSymbolicLink());
    assert.is(link("l", "as-file", true), 0);
    assert.is(statSync(file("as-file")).ino, statSync(file("f")).ino);
  }));

test("renaming moves, replaces, refuses", () =>
  withFiles(({ file, rename, directory, symlink }) => {
    mkdirSync(file("d"));
    mkdirSync(file("full"));
    writeFileSync(file("full/x"), "");
    writeFileSync(file("f"), "f");
    writeFileSync(file("g"), "g");
    assert.is(rename("f", "g"), 0);
    assert.is(readFileSync(file("g"), "utf8"), "f");
    assert.is(rename("g", "d"), E.isdir);
    assert.is(rename("d", "g"), E.notdir);
    assert.is(rename("d", "full"), E.notempty);
    assert.is(rename("full/", "d/"), 0);
    assert.is(rename("g/", "h"), E.notdir);
    assert.is(rename("g", "h/"), E.notdir);
    assert.is(rename("d", "d/inside"), E.inval);
    assert.is(rename("nothing", "h"), E.noent);
    assert.is(rename("g", "d/..//"), E.busy);
    assert.is(rename("nothing", "."), E.busy);
    symlink("nowhere", "l");
    assert.is(rename("l", "d/l"), 0);
    assert.is(readlinkSync(file("d/l")), "nowhere");
    assert.equal(readdirSync(directory).sort(), ["d", "g"]);
  }));

test("files are unlinked, links are read, cut where the buffer ends", () =>
  withFiles(({ guest, file, call, symlink }) => {
    writeFileSync(file("f"), "");
    mkdirSync(file("d"));
    assert.is(call("path_unlink_file", "d"), E.isdir);
    assert.is(call("path_unlink_file", "d/"), E.isdir);
    assert.is(call("path_unlink_file", "f/"), E.notdir);
    assert.is(call("path_unlink_file", "nothing/"), E.noent);
    assert.is(call("path_unlink_file", "f"), 0);
    symlink("some/target", "l");
    const readlink = (text: string, length: number) => guest.calls["path_readlink"]!(3, ...guest.string(text), at.data, length, at.result);
    assert.is(readlink("l", 100), 0);
    assert.is(guest.text(at.data, guest.u32()), "some/target");
    assert.is(readlink("l", 4), 0);
    assert.is(guest.text(at.data, guest.u32()), "some");
    assert.is(readlink("d", 100), E.inval);
    assert.is(readlink("d/", 100), E.inval);
    assert.is(readlink("nothing", 100), E.noent);
  }));

/** All entries from a cookie on, read through a buffer of that many bytes. */
function list(guest: Guest, fd: number, bytes: number, cookie = 0n): { name: string; ino: bigint; type: number; next: bigint }[] {
  const found = [];
  for (;;) {
    assert.is(guest.calls["fd_readdir"]!(fd, at.data, bytes, cookie, at.result), 0);
    const used = guest.u32();
    let offset = 0;
    while (offset + 24 <= used) {
      const start = at.data + offset;
      const length = guest.u32(start + 16);
      if (offset + 24 + length > used) break;
      found.push({ next: guest.u64(start), ino: guest.u64(start + 8), type: guest.bytes[start + 20]!, name: guest.text(start + 24, length) });
      offset += 24 + length;
    }
    if (used < bytes) return found;
    assert.ok(offset > 0, "the buffer takes an entry");
    cookie = found.at(-1)!.next;
  }
}

test("a directory is listed through buffers of any size, from any cookie", () =>
  withFiles(({ guest, file, directory }) => {
    const names = Array.from({ length: 60 }, (_, i) => `entry-${i}${"x".repeat(i % 7)}`);
    for (const name of names) writeFileSync(file(name), "");
    mkdirSync(file("dir"));
    symlinkSync("nowhere", file("link"));
    linkSync(file("entry-0"), file("ö"));
    const expected = [".", "..", ...readdirSync(directory)].sort();
    for (const bytes of [64, 100, 4096, 60_000]) assert.equal(list(guest, 3, bytes).map((entry) => entry.name).sort(), expected, `${bytes} bytes`);
    const all = list(guest, 3, 4096);
    assert.equal(all.slice(0, 2).map((entry) => entry.name), [".", ".."]);
    const own = statSync(directory, { bigint: true }).ino;
    assert.equal(all.slice(0, 2).map((entry) => entry.ino), [own, own], "the parent of a preopened directory stays unknown");
    const of = (name: string) => all.find((entry) => entry.name === name)!;
    assert.equal([of("dir").type, of("link").type, of("ö").type], [3, 7, 4]);
    assert.is(of("ö").ino, statSync(file("entry-0"), { bigint: true }).ino);
    assert.equal(list(guest, 3, 4096, all[9]!.next).map((entry) => entry.name), all.slice(10).map((entry) => entry.name));
    assert.equal(list(guest, 3, 4096, 1_000_000n), []);
    writeFileSync(file("later"), "");
    assert.ok(list(guest, 3, 4096).some((entry) => entry.name === "later"), "cookie 0 reads anew");
    // A buffer that is too small for one entry is filled all the same.
    assert.is(guest.calls["fd_readdir"]!(3, at.data, 10, 0n, at.result), 0);
    assert.is(guest.u32(), 10);
  }));

test("a directory that may be entered but not read is no obstacle on the way", () =>
  withFiles(({ guest, file }) => {
    mkdirSync(file("d/e"), { recursive: true });
    writeFileSync(file("d/e/f"), "deep");
    execFileSync("chmod", ["111", file("d")]);
    assert.is(guest.read(guest.open(3, "d/e/f"), 9), "deep");
    execFileSync("chmod", ["755", file("d")]);
  }));

test.run();
