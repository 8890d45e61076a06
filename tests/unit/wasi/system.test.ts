// Calls that are about no file: arguments, environment, clocks, waiting, random numbers, the end of the program. And the class.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, readdirSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { instantiate } from "../../../runtime/index.js";
import { WASI } from "../../../runtime/wasi/index.js";
import { watToBytes } from "../../../pipeline/frontend/wat.js";
import { compileWat, modes, thrown } from "../runtime/support.js";
import { at, guestWat, Guest, inDirectory, newGuest, oflags, rights, signatures } from "./guest.js";

const test = suite("wasi system");
const E = { badf: 8, fault: 21, inval: 28, nosys: 52 };
const MILLISECOND = 1_000_000n;

/** Strings that a call has put into memory. */
function strings(guest: Guest, sizes: string, get: string): string[] {
  assert.is(guest.calls[sizes]!(at.result, at.second), 0);
  const [count, bytes] = [guest.u32(at.result), guest.u32(at.second)];
  assert.is(guest.calls[get]!(at.struct, at.data), 0);
  const found = Array.from({ length: count }, (_, i) => {
    const start = guest.u32(at.struct + i * 4);
    return guest.text(start, guest.bytes.indexOf(0, start) - start);
  });
  assert.is(bytes, found.reduce((sum, text) => sum + Buffer.byteLength(text) + 1, 0));
  return found;
}

test("every function of the interface is there", async () => {
  const { wasi } = await newGuest();
  assert.equal(Object.keys(wasi.wasiImport).sort(), Object.keys(signatures).sort());
});

test("arguments and environment, in each engine", async () => {
  for (const mode of modes) {
    const guest = await newGuest({ args: ["prog", "", "ä ö", "--x=\"y\"\n"], env: { A: "1", EMPTY: "", B: "x=y", GONE: undefined } }, mode);
    assert.equal(strings(guest, "args_sizes_get", "args_get"), ["prog", "", "ä ö", "--x=\"y\"\n"]);
    assert.equal(strings(guest, "environ_sizes_get", "environ_get"), ["A=1", "EMPTY=", "B=x=y"]);
  }
  const nothing = await newGuest();
  assert.equal(strings(nothing, "args_sizes_get", "args_get"), []);
  assert.is(nothing.calls["args_sizes_get"]!(-1, at.result), E.fault);
});

test("clocks: the time of day, one that only goes forward, the processor's", async () => {
  const guest = await newGuest();
  const time = (id: number) => {
    assert.is(guest.calls["clock_time_get"]!(id, 1n, at.result), 0);
    return guest.u64();
  };
  const before = BigInt(Date.now()) * MILLISECOND;
  const now = time(0);
  assert.ok(now >= before - 2n * MILLISECOND && now <= BigInt(Date.now() + 2) * MILLISECOND, `${now}`);
  let last = time(1);
  for (let i = 0; i < 100; i++) {
    const next = time(1);
    assert.ok(next >= last);
    last = next;
  }
  assert.ok(time(2) > 0n && time(3) > 0n);
  assert.is(guest.calls["clock_time_get"]!(4, 0n, at.result), E.inval);
  for (const id of [0, 1, 2, 3]) {
    assert.is(guest.calls["clock_res_get"]!(id, at.result), 0);
    assert.ok(guest.u64() > 0n && guest.u64() <= 10n * MILLISECOND);
  }
  assert.is(guest.calls["clock_res_get"]!(-1, at.result), E.inval);
});

test("random numbers: all of the range, nothing beside it, never the same", async () => {
  const guest = await newGuest();
  for (const length of [0, 1, 8, 64, 65, 5000]) {
    guest.bytes.fill(0, at.data, at.data + 6000);
    assert.is(guest.calls["random_get"]!(at.data, length), 0);
    if (length >= 64) assert.ok(guest.bytes.slice(at.data, at.data + length).filter((byte) => byte !== 0).length > length / 2);
    assert.ok(guest.bytes.slice(at.data + length, at.data + 6000).every((byte) => byte === 0));
  }
  const seen = new Set<bigint>();
  for (let i = 0; i < 1000; i++) {
    guest.calls["random_get"]!(at.result, 8);
    seen.add(guest.u64());
  }
  assert.is(seen.size, 1000);
});

interface Subscription {
  userdata: bigint;
  clock?: { id?: number; timeout: bigint; absolute?: boolean };
  read?: number;
  write?: number;
  type?: number;
}

/** @returns the events, or the errno. */
function poll(guest: Guest, subscriptions: Subscription[]): number | { userdata: bigint; error: number; type: number; nbytes: bigint; flags: number }[] {
  const { view } = guest;
  subscriptions.forEach(({ userdata, clock, read, write, type }, i) => {
    const start = at.data + i * 48;
    guest.bytes.fill(0, start, start + 48);
    view.setBigUint64(start, userdata, true);
    view.setUint8(start + 8, type ?? (clock ? 0 : read !== undefined ? 1 : 2));
    view.setUint32(start + 16, clock ? (clock.id ?? 1) : (read ?? write ?? 0), true);
    if (clock) view.setBigUint64(start + 24, clock.timeout, true);
    if (clock?.absolute) view.setUint16(start + 40, 1, true);
  });
  const events = at.data + 4096;
  const errno = guest.calls["poll_oneoff"]!(at.data, events, subscriptions.length, at.result);
  if (errno !== 0) return errno;
  return Array.from({ length: guest.u32() }, (_, i) => {
    const start = events + i * 32;
    return { userdata: guest.u64(start), error: view.getUint16(start + 8, true), type: guest.bytes[start + 10]!, nbytes: guest.u64(start + 16), flags: view.getUint16(start + 24, true) };
  });
}

test("poll: sleeping by relative and absolute clocks, the first one wakes", async () => {
  const guest = await newGuest();
  const event = (userdata: bigint) => ({ userdata, error: 0, type: 0, nbytes: 0n, flags: 0 });
  const timed = (subscriptions: Subscription[], least: number) => {
    const started = performance.now();
    const events = poll(guest, subscriptions);
    const took = performance.now() - started;
    assert.ok(took >= least - 1, `${took} ms, at least ${least}`);
    return events;
  };
  assert.equal(timed([{ userdata: 5n, clock: { timeout: 30n * MILLISECOND } }], 30), [event(5n)]);
  assert.equal(timed([{ userdata: 1n, clock: { timeout: 3_600_000n * MILLISECOND } }, { userdata: 2n, clock: { timeout: 20n * MILLISECOND } }], 20), [event(2n)]);
  guest.calls["clock_time_get"]!(0, 0n, at.result);
  assert.equal(timed([{ userdata: 6n, clock: { id: 0, timeout: guest.u64() + 25n * MILLISECOND, absolute: true } }], 25), [event(6n)]);
  assert.equal(timed([{ userdata: 7n, clock: { id: 0, timeout: 1n, absolute: true } }], 0), [event(7n)]);
  assert.equal(timed([{ userdata: 8n, clock: { timeout: 0n } }, { userdata: 9n, clock: { timeout: 0n } }], 0), [event(8n), event(9n)]);
  assert.is(poll(guest, []), E.inval);
  assert.is(poll(guest, [{ userdata: 0n, type: 3 }]), E.inval);
  assert.equal(poll(guest, [{ userdata: 3n, clock: { id: 9, timeout: 1n } }]), [{ userdata: 3n, error: E.inval, type: 0, nbytes: 0n, flags: 0 }]);
});

test("poll: files are ready at once, descriptors that are none say so", () =>
  inDirectory(async (directory) => {
    const guest = await newGuest({ preopens: { "/": directory } });
    writeFileSync(path.join(directory, "file"), "12345");
    const fd = guest.open(3, "file", { rights: rights.readWrite });
    guest.read(fd, 2);
    assert.equal(poll(guest, [{ userdata: 1n, read: fd }, { userdata: 2n, write: fd }, { userdata: 3n, clock: { timeout: 3_600_000n * MILLISECOND } }]), [
      { userdata: 1n, error: 0, type: 1, nbytes: 3n, flags: 0 },
      { userdata: 2n, error: 0, type: 2, nbytes: 0n, flags: 0 },
    ]);
    assert.equal(poll(guest, [{ userdata: 1n, read: 99 }, { userdata: 2n, clock: { timeout: 3_600_000n * MILLISECOND } }]), [
      { userdata: 1n, error: E.badf, type: 1, nbytes: 0n, flags: 0 },
    ]);
  }));

test("a pipe: waiting for data with a time limit, reading although others have made it non-blocking", () =>
  inDirectory(async (directory) => {
    const fifo = path.join(directory, "fifo");
    execFileSync("mkfifo", [fifo]);
    const stdin = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const guest = await newGuest({ stdin });
    const waiting = (): Subscription[] => [{ userdata: 1n, read: 0 }, { userdata: 2n, clock: { timeout: 20n * MILLISECOND } }];
    assert.equal(poll(guest, waiting()), [{ userdata: 2n, error: 0, type: 0, nbytes: 0n, flags: 0 }]);
    writeSync(stdin, "now");
    assert.equal(poll(guest, waiting()), [{ userdata: 1n, error: 0, type: 1, nbytes: 3n, flags: 0 }]);
    // Two buffers, the first of them filled: that is all there is, and no reason to wait.
    assert.is(guest.calls["fd_read"]!(0, ...guest.iovs(3, 10), at.result), 0);
    assert.is(guest.text(at.data, guest.u32()), "now");
    const writer = spawn("sh", ["-c", `sleep 0.2; printf later > "${fifo}"`], { stdio: "inherit" });
    assert.is(guest.read(0, 100), "later");
    await once(writer, "close");
    // What the guest itself wants not to wait does not.
    assert.is(guest.calls["fd_fdstat_set_flags"]!(0, 4), 0);
    assert.is(guest.read(0, 100), -6);
    closeSync(stdin);
  }));

test("host descriptors are closed when the program has ended, or nothing holds it any more", () =>
  inDirectory(async (directory) => {
    const open = () => readdirSync("/dev/fd").length;
    const before = open();
    const guest = await newGuest({ preopens: { "/": directory } });
    guest.open(3, "file", { oflags: oflags.creat });
    assert.is(open(), before + 2);
    assert.is(guest.wasi.run(() => guest.calls["proc_exit"]!(7)), 7);
    assert.is(open(), before);
    for (let i = 0; i < 100; i++) new WASI({ preopens: { "/": directory } });
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    for (let i = 0; i < 50 && open() > before + 10; i++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.ok(open() <= before + 10, `${open()} open, ${before} before`);
  }));

test("standard streams may be any descriptors of the host, and are never closed", () =>
  inDirectory(async (directory) => {
    const file = path.join(directory, "stream");
    writeFileSync(file, "input");
    const stdin = openSync(file, "r");
    const stdout = openSync(path.join(directory, "out"), "w");
    const guest = await newGuest({ stdin, stdout, stderr: stdout });
    assert.is(guest.read(0, 3), "inp");
    assert.is(guest.calls["fd_seek"]!(0, 0n, 0, at.result), 0, "a file as standard input can be sought");
    assert.is(guest.read(0, 9), "input");
    assert.is(guest.write(1, "out"), 3);
    assert.is(guest.write(2, "err"), 3);
    assert.is(guest.write(0, "x"), -E.badf);
    assert.is(guest.close(1), 0);
    assert.is(writeSync(stdout, "still open"), 10);
    closeSync(stdin);
    closeSync(stdout);
    assert.is(guest.read(0, 1), -E.badf, "the host closed it");
  }));

const exitWat = `(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (global (export "reached") (mut i32) (i32.const 0))
  (func (export "_start") (call $exit (i32.const 42)) (unreachable)))`;

test("proc_exit ends the program with its code, in each engine and in V8", async () => {
  for (const mode of modes) {
    const wasi = new WASI();
    assert.is(wasi.start(instantiate(await compileWat(exitWat, mode), wasi.getImportObject())), 42);
  }
  const wasi = new WASI();
  const module = new WebAssembly.Module(await watToBytes(exitWat));
  assert.is(wasi.start(new WebAssembly.Instance(module, wasi.getImportObject())), 42);
});

test("proc_raise ends the program, not the process around it; sched_yield does nothing", async () => {
  const guest = await newGuest();
  assert.is(guest.wasi.run(() => guest.calls["proc_raise"]!(6)), 134);
  assert.is(guest.wasi.run(() => guest.calls["proc_raise"]!(15)), 143);
  assert.is(guest.calls["proc_raise"]!(16), 0);
  assert.is(guest.calls["proc_raise"]!(18), E.nosys);
  assert.is(guest.calls["proc_raise"]!(99), E.inval);
  assert.is(guest.calls["sched_yield"]!(), 0);
});

test("what is no failure of a call comes out as it is", async () => {
  const guest = await newGuest();
  const error = new Error("mine");
  assert.is(thrown(() => guest.wasi.run(() => { throw error; })), error);
});

test("the class refuses what it cannot serve, with a reason", async () => {
  assert.match(thrown(() => new WASI({ version: "preview2" as "preview1" })).message, /"preview1" or "unstable"/);
  assert.match(thrown(() => new WASI({ preopens: { "/": "/no/such/directory" } })).message, /\/no\/such\/directory cannot be opened.*no such directory/);
  assert.match(thrown(() => new WASI({ args: ["a\0b"] })).message, /NUL/);
  const wasi = new WASI();
  assert.match(thrown(() => wasi.start({ exports: {} })).message, /no _start/);
  assert.match(thrown(() => wasi.start({ exports: { _start() {} } })).message, /no memory/);
  assert.match(thrown(() => wasi.initialize({ exports: { _start() {} } })).message, /a WASI command/);
  assert.match(thrown(() => wasi.wasiImport["sched_yield"] && wasi.wasiImport["random_get"]!(0, 1)).message, /before start/);
  const guest = await newGuest();
  assert.match(thrown(() => guest.wasi.initialize({ exports: guest.exports })).message, /one instance/);
});

test("instances of the WebAssembly API are served, too", () =>
  inDirectory(async (directory) => {
    const wasi = new WASI({ args: ["v8"], preopens: { "/": directory } });
    const module = new WebAssembly.Module(await watToBytes(guestWat("wasi_snapshot_preview1")));
    const instance = new WebAssembly.Instance(module, wasi.getImportObject());
    wasi.initialize(instance);
    const guest = new Guest(instance.exports, wasi);
    const fd = guest.open(3, "file", { oflags: oflags.creat, rights: rights.readWrite });
    assert.is(guest.write(fd, "from V8"), 7);
    guest.calls["fd_seek"]!(fd, 0n, 0, at.result);
    assert.is(guest.read(fd, 9), "from V8");
    assert.equal(strings(guest, "args_sizes_get", "args_get"), ["v8"]);
  }));

test("wasi_unstable: its own order of whence, its own layout of attributes and subscriptions", () =>
  inDirectory(async (directory) => {
    const guest = await newGuest({ version: "unstable", preopens: { "/": directory } });
    writeFileSync(path.join(directory, "file"), "0123456789");
    const fd = guest.open(3, "file");
    const seek = (offset: bigint, whence: number) => (guest.calls["fd_seek"]!(fd, offset, whence, at.result), guest.u64());
    assert.equal([seek(4n, 2), seek(2n, 0), seek(-1n, 1)], [4n, 6n, 9n]);
    guest.bytes.fill(0xee, at.struct, at.struct + 64);
    assert.is(guest.calls["fd_filestat_get"]!(fd, at.struct), 0);
    assert.equal([guest.bytes[at.struct + 16], guest.u32(at.struct + 20), guest.u64(at.struct + 24)], [4, 1, 10n]);
    assert.is(guest.bytes[at.struct + 56], 0xee, "56 bytes");
    // A subscription has 56 bytes, its clock comes 8 bytes later.
    guest.bytes.fill(0, at.data, at.data + 56);
    guest.view.setBigUint64(at.data, 77n, true);
    guest.view.setUint32(at.data + 24, 1, true);
    guest.view.setBigUint64(at.data + 32, 5n * MILLISECOND, true);
    assert.is(guest.calls["poll_oneoff"]!(at.data, at.data + 4096, 1, at.result), 0);
    assert.equal([guest.u32(), guest.u64(at.data + 4096)], [1, 77n]);
  }));

test.run();
