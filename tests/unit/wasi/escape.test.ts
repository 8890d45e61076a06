// Attempts to leave a preopened directory, by every call that takes a path. None may reach what lies outside, nor change it.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync, type Stats } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import { at, inDirectory, newGuest, oflags, rights, type Guest } from "./guest.js";

const test = suite("wasi sandbox");
const SECRET = "outside of the sandbox";

/** `outside/secret` and `outside/dir/deep` beside `inside`, which is the guest's `/`. */
async function withPrison(run: (guest: Guest, inside: string, outside: string) => void | Promise<void>): Promise<void> {
  await inDirectory(async (directory) => {
    const inside = path.join(directory, "inside");
    const outside = path.join(directory, "outside");
    mkdirSync(path.join(inside, "sub/deeper"), { recursive: true });
    mkdirSync(path.join(outside, "dir"), { recursive: true });
    mkdirSync(path.join(outside, "empty"));
    writeFileSync(path.join(outside, "secret"), SECRET);
    writeFileSync(path.join(outside, "dir/deep"), SECRET);
    writeFileSync(path.join(inside, "own"), "own");
    // What a program of the host may have left in the directory.
    const links: Record<string, string> = {
      "to-outside": "../outside",
      "to-secret": "../outside/secret",
      "absolute-dir": outside,
      "absolute-secret": path.join(outside, "secret"),
      "to-root": "/",
      "to-parent": "..",
      "chain-1": "chain-2",
      "chain-2": "sub/chain-3",
      "sub/chain-3": "../../outside/secret",
      "sub/up": "../..",
      "sub/deeper/up": "../../../outside",
      "by-itself": "sub/../../outside/secret",
      "dots": "./.././outside/./secret",
      "slashes": "..//outside///secret",
      "dangling": "../outside/created",
      "dangling-absolute": path.join(outside, "created"),
      "to-link": "to-outside/secret",
      "back-and-out": "../inside/../outside/secret",
      "proc": "/proc/self/root",
      "proc-cwd": "/proc/self/cwd",
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, path.join(inside, name));
    const before = snapshot(outside);
    await run(await newGuest({ preopens: { "/": inside } }), inside, outside);
    assert.equal(snapshot(outside), before, "what is outside has not changed");
  });
}

/** Everything of a directory that an escape could change. */
function snapshot(directory: string): unknown {
  const attributes = (file: string): Pick<Stats, "ino" | "size" | "mtimeMs" | "nlink" | "mode"> => {
    const { ino, size, mtimeMs, nlink, mode } = statSync(file);
    return { ino, size, mtimeMs, nlink, mode };
  };
  return readdirSync(directory, { recursive: true }).map(String).sort().map((name) => [name, attributes(path.join(directory, name))]);
}

/** Paths that name something outside: all of them are refused by all calls. */
const ways = (outside: string): string[] => [
  "../outside/secret",
  "sub/../../outside/secret",
  "sub/deeper/../../../outside/secret",
  "./../outside/secret",
  ".//..//outside/secret",
  "sub/./.././../outside/secret",
  `${outside}/secret`,
  "/etc/passwd",
  "//etc/passwd",
  "to-outside/secret",
  "to-outside/dir/deep",
  "to-outside/./secret",
  "to-parent/outside/secret",
  "to-parent/inside/../outside/secret",
  "absolute-dir/secret",
  "absolute-dir/dir/../secret",
  `to-root${outside}/secret`,
  "to-root/etc/passwd",
  "sub/up/outside/secret",
  "sub/deeper/up/secret",
  "sub/deeper/../up/outside/secret",
  "proc/etc/passwd",
  "proc-cwd/package.json",
  "to-outside/../outside/secret",
  "..",
  "../",
  "sub/../..",
  "../inside/own",
];

/** Links whose last component leads outside: refused where a last link is followed. */
const followed = ["to-secret", "absolute-secret", "chain-1", "by-itself", "dots", "slashes", "to-link", "back-and-out", "to-outside", "absolute-dir", "to-root", "to-parent", "proc", "sub/up"];

const refusals = new Set([63, 76]); // perm, notcapable

test("opening", () =>
  withPrison((guest, _inside, outside) => {
    for (const way of ways(outside)) {
      for (const follow of [false, true]) {
        for (const flags of [0, oflags.creat, oflags.trunc, oflags.directory, oflags.creat | oflags.trunc]) {
          const result = guest.open(3, way, { follow, oflags: flags, rights: flags & oflags.directory ? rights.read : rights.readWrite });
          assert.ok(refusals.has(-result), `${way}, flags ${flags}, gave ${result}`);
        }
      }
    }
    for (const link of [...followed, "dangling", "dangling-absolute"]) {
      for (const flags of [0, oflags.creat, oflags.trunc, oflags.directory]) {
        assert.ok(refusals.has(-guest.open(3, link, { follow: true, oflags: flags })), `${link}, flags ${flags}`);
        assert.ok(guest.open(3, link, { oflags: flags }) < 0, `${link}, not followed, flags ${flags}`);
        assert.ok(guest.open(3, `${link}/`, { oflags: flags }) < 0, `${link}/, flags ${flags}`);
        assert.ok(guest.open(3, `${link}/.`, { oflags: flags }) < 0, `${link}/., flags ${flags}`);
      }
    }
    assert.is(guest.open(3, "dangling", { oflags: oflags.creat | oflags.excl }), -20);
  }));

test("looking", () =>
  withPrison((guest, _inside, outside) => {
    const { calls } = guest;
    for (const way of ways(outside)) {
      for (const flags of [0, 1]) {
        assert.ok(refusals.has(calls["path_filestat_get"]!(3, flags, ...guest.string(way), at.struct)), way);
        assert.ok(refusals.has(calls["path_filestat_set_times"]!(3, flags, ...guest.string(way), 1n, 1n, 5)), way);
      }
      assert.ok(refusals.has(calls["path_readlink"]!(3, ...guest.string(way), at.data, 100, at.result)), way);
    }
    for (const link of followed) {
      assert.ok(refusals.has(calls["path_filestat_get"]!(3, 1, ...guest.string(link), at.struct)), link);
      assert.ok(refusals.has(calls["path_filestat_get"]!(3, 0, ...guest.string(`${link}/`), at.struct)), `${link}/`);
      assert.ok(refusals.has(calls["path_filestat_set_times"]!(3, 1, ...guest.string(link), 1n, 1n, 5)), link);
      assert.ok(refusals.has(calls["path_filestat_set_times"]!(3, 0, ...guest.string(`${link}/`), 1n, 1n, 5)), `${link}/`);
    }
  }));

test("making, removing, renaming, linking", () =>
  withPrison((guest, _inside, outside) => {
    const { calls } = guest;
    const names = [...ways(outside), "../outside/empty", "to-outside/empty", "sub/up/outside/empty", "to-outside/new", "../new", "../outside/empty/", "absolute-dir/empty/"];
    for (const name of names) {
      for (const call of ["path_create_directory", "path_remove_directory", "path_unlink_file"]) {
        assert.ok(refusals.has(calls[call]!(3, ...guest.string(name))), `${call} ${name}`);
      }
      assert.ok(refusals.has(calls["path_rename"]!(3, ...guest.string(name), 3, ...guest.string("stolen", at.otherPath))), `rename from ${name}`);
      assert.ok(refusals.has(calls["path_rename"]!(3, ...guest.string("own"), 3, ...guest.string(name, at.otherPath))), `rename to ${name}`);
      assert.ok(refusals.has(calls["path_symlink"]!(...guest.string("own"), 3, ...guest.string(name, at.otherPath))), `symlink ${name}`);
      for (const flags of [0, 1]) {
        assert.ok(refusals.has(calls["path_link"]!(3, flags, ...guest.string(name), 3, ...guest.string("stolen", at.otherPath))), `link from ${name}`);
        assert.ok(refusals.has(calls["path_link"]!(3, flags, ...guest.string("own"), 3, ...guest.string(name, at.otherPath))), `link to ${name}`);
      }
    }
    // With a slash behind a link to a directory outside.
    for (const link of ["to-outside/", "absolute-dir/", "to-parent/"]) {
      for (const call of ["path_create_directory", "path_remove_directory", "path_unlink_file"]) assert.ok(calls[call]!(3, ...guest.string(link)) > 0, `${call} ${link}`);
      assert.ok(calls["path_rename"]!(3, ...guest.string("sub/"), 3, ...guest.string(link, at.otherPath)) > 0, `rename to ${link}`);
      assert.ok(calls["path_rename"]!(3, ...guest.string(link), 3, ...guest.string("stolen", at.otherPath)) > 0, `rename from ${link}`);
    }
    assert.ok(refusals.has(calls["path_link"]!(3, 1, ...guest.string("to-secret"), 3, ...guest.string("stolen", at.otherPath))));
  }));

test("links that the guest makes, moves and links again", () =>
  withPrison((guest, inside) => {
    const { calls } = guest;
    const symlink = (content: string, name: string) => calls["path_symlink"]!(...guest.string(content), 3, ...guest.string(name, at.otherPath));
    assert.ok(refusals.has(symlink("/etc/passwd", "mine")), "absolute ones are not made");
    assert.is(symlink("../outside/secret", "mine"), 0);
    assert.ok(refusals.has(-guest.open(3, "mine", { follow: true })));
    // Harmless where it is made, not where it is moved to.
    assert.is(symlink("../../outside/secret", "sub/deeper/mine"), 0);
    assert.is(calls["path_rename"]!(3, ...guest.string("sub/deeper/mine"), 3, ...guest.string("sub/mine", at.otherPath)), 0);
    assert.ok(refusals.has(-guest.open(3, "sub/mine", { follow: true })));
    assert.is(calls["path_link"]!(3, 0, ...guest.string("sub/mine"), 3, ...guest.string("sub/again", at.otherPath)), 0);
    assert.ok(refusals.has(-guest.open(3, "sub/again", { follow: true })));
    // A directory is entered, then moved up: its `..` by then would be outside.
    const deeper = guest.open(3, "sub/deeper", { oflags: oflags.directory });
    assert.is(calls["path_rename"]!(3, ...guest.string("sub/deeper"), 3, ...guest.string("moved", at.otherPath)), 0);
    assert.ok(refusals.has(-guest.open(deeper, "../own")));
    assert.ok(refusals.has(-guest.open(deeper, "../../outside/secret")));
    // Where it leads depends on the host; it is not looked for.
    rmSync(path.join(inside, "sub"), { recursive: true });
    symlinkSync("../outside", path.join(inside, "sub"));
    assert.ok(refusals.has(-guest.open(3, "sub/secret")));
  }));

test("what a descriptor stands for stays when its name becomes a link", () =>
  withPrison((guest, inside) => {
    const sub = guest.open(3, "sub", { oflags: oflags.directory });
    rmSync(path.join(inside, "sub"), { recursive: true });
    symlinkSync("../outside", path.join(inside, "sub"));
    assert.is(guest.open(sub, "secret"), -44);
    assert.ok(guest.calls["path_create_directory"]!(sub, ...guest.string("new")) > 0);
  }));

test("a directory that another process exchanges for a link all the time", () =>
  withPrison(async (guest, inside) => {
    // `flip` is by turns a directory of ours with a file `secret`, and a link to the directory outside.
    mkdirSync(path.join(inside, "harmless"));
    writeFileSync(path.join(inside, "harmless/secret"), "harmless");
    const script = `
      const { renameSync, symlinkSync, mkdirSync } = require("node:fs");
      symlinkSync("../outside", "link");
      process.stdout.write("ready");
      for (;;) {
        renameSync("harmless", "flip"); renameSync("flip", "harmless");
        renameSync("link", "flip"); renameSync("flip", "link");
      }`;
    const child = spawn(process.execPath, ["-e", script], { cwd: inside, stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    const seen = new Set<string | number>();
    // Some time, and as long as it takes until both have been met on a busy machine.
    const started = Date.now();
    while (Date.now() < started + 500 || (seen.size < 2 && Date.now() < started + 20_000)) {
      for (let i = 0; i < 50; i++) {
        const fd = guest.open(3, "flip/secret");
        if (fd >= 0) {
          seen.add(guest.read(fd, 100));
          guest.close(fd);
        } else {
          seen.add(fd);
        }
        guest.calls["path_create_directory"]!(3, ...guest.string("flip/made"));
      }
    }
    child.kill();
    await once(child, "close");
    assert.not.ok(seen.has(SECRET));
    assert.ok(seen.size > 1, `the race was run: ${[...seen].join(", ")}`);
  }));

test("the secret can be read where it belongs, so that the attempts above could have succeeded", () =>
  withPrison(async (_guest, _inside, outside) => {
    const guest = await newGuest({ preopens: { "/": path.dirname(outside) } });
    assert.is(guest.read(guest.open(3, "outside/secret"), 100), SECRET);
    assert.is(guest.read(guest.open(3, "inside/chain-1", { follow: true }), 100), SECRET);
    assert.is(readFileSync(path.join(outside, "secret"), "utf8"), SECRET);
  }));

test.run();
