// Memories: the buffer aliases the pages and is detached by growth, and native pages follow the collector.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { currentThread, Memory } from "../../../runtime/index.js";

const PAGE = 65536;

test("the buffer aliases the memory and is detached when it grows", () => {
  const memory = new Memory({ initial: 1, maximum: 3 });
  const { buffer } = memory;
  const bytes = new Uint8Array(buffer);
  assert.is(buffer.byteLength, PAGE);
  assert.is(memory.buffer, buffer);
  bytes[PAGE - 1] = 7;
  assert.is(memory.grow(2), 1);
  assert.is(buffer.byteLength, 0);
  assert.is(bytes.length, 0);
  const grown = new Uint8Array(memory.buffer);
  assert.is(grown.length, 3 * PAGE);
  assert.is(grown[PAGE - 1], 7);
  assert.is(grown[3 * PAGE - 1], 0);
  assert.is(memory.grow(1), -1);
  assert.is(memory.pages, 3);
});

test("growth by nothing detaches, too", () => {
  const memory = new Memory({ initial: 1 });
  const { buffer } = memory;
  assert.is(memory.grow(0), 1);
  assert.is(buffer.byteLength, 0);
  assert.is(memory.buffer.byteLength, PAGE);
});

test("a memory without pages", () => {
  const memory = new Memory({ initial: 0 });
  assert.is(memory.buffer.byteLength, 0);
  assert.is(memory.grow(1), 0);
  assert.is(memory.buffer.byteLength, PAGE);
});

test("all 4 GiB", () => {
  const unguarded = new Memory({ initial: 0, guards: false });
  assert.is(unguarded.grow(65536), 0);
  for (const memory of [unguarded, new Memory({ initial: 65536 })]) {
    const bytes = new Uint8Array(memory.buffer);
    assert.is(bytes.length, 2 ** 32);
    bytes[2 ** 32 - 1] = 9;
    assert.is(bytes[2 ** 32 - 1], 9);
    assert.is(memory.grow(1), -1);
  }
  // With guards growth ends a page earlier: see MAX_GROWN_PAGES.
  const grown = new Memory({ initial: 1 });
  assert.is(grown.grow(65535), -1);
  assert.is(grown.grow(65534), 1);
});

test("limits that make no sense are refused", () => {
  assert.throws(() => new Memory({ initial: -1 }), /0 to 65536 pages/);
  assert.throws(() => new Memory({ initial: 2, maximum: 1 }), /below its initial size/);
  assert.throws(() => new Memory({ initial: 65537 }), /0 to 65536 pages/);
});

test("memories without guards reserve no more than their maximum", () => {
  const memory = new Memory({ initial: 1, maximum: 2, guards: false });
  assert.not(memory.guards);
  new Uint8Array(memory.buffer)[5] = 1;
  assert.is(memory.grow(1), 1);
  assert.is(new Uint8Array(memory.buffer)[5], 1);
});

test("memories that are dropped in a loop that never yields give everything back", () => {
  const { reservations, reclaim } = currentThread();
  // An emulator keeps a record of every page that is reserved.
  const rounds = process.env["EMULATED_NODE"] === undefined ? 5000 : 50;
  for (let i = 0; i < rounds; i++) new Uint8Array(new Memory({ initial: 2 }).buffer).fill(1, 0, 2 * PAGE);
  assert.ok(reservations.inUse < 2500, `${reservations.inUse} in use`);
  assert.ok(reclaim.collectNow());
  assert.ok(reservations.inUse < 10, `${reservations.inUse} in use after a collection`);
});

test("a reused reservation is zero", () => {
  const { reclaim } = currentThread();
  const dirty = () => new Uint8Array(new Memory({ initial: 1 }).buffer).fill(255);
  for (let i = 0; i < 20; i++) dirty();
  reclaim.collectNow();
  for (let i = 0; i < 20; i++) {
    const words = new Float64Array(new Memory({ initial: 1 }).buffer);
    assert.ok(words.every((word) => word === 0));
  }
});

test("a buffer keeps its memory", () => {
  const { reclaim } = currentThread();
  const bytes = new Uint8Array(new Memory({ initial: 1 }).buffer);
  bytes.fill(42);
  for (let i = 0; i < 3; i++) {
    reclaim.collectNow();
    new Uint8Array(new Memory({ initial: 1 }).buffer).fill(1);
  }
  assert.ok(bytes.every((byte) => byte === 42));
});

test.run();
