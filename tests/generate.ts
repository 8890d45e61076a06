// Modules of any size, for the tests that compile time grows linearly and that nothing overflows.
import { Type } from "../ir/types.js";
import { Bytes, leb, oneFunction, sleb } from "./wasm-bytes.js";

const sig = { params: [Type.i32], results: [Type.i32] };
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;
const I32_CONST = 0x41;
const BR = 0x0c;
const BR_IF = 0x0d;
const BR_TABLE = 0x0e;
const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const VOID = 0x40;

/** One function of about `count` Wasm instructions as programs have them: arithmetic on 24 locals, loads and stores, ifs, short loops. */
export function ordinary(count: number): Uint8Array {
  const code = new Bytes();
  let made = 0;
  const locals = 24;
  const arithmetic = [0x6a, 0x6b, 0x6c, 0x71, 0x72, 0x73, 0x74, 0x76];
  for (let i = 0; made < count; i++) {
    const x = i % locals;
    const y = (i * 7 + 3) % locals;
    const z = (i * 5 + 1) % locals;
    code.push(LOCAL_GET, x, LOCAL_GET, y, arithmetic[i % arithmetic.length]!, I32_CONST, ...sleb(i & 1023), 0x6a, LOCAL_SET, z);
    made += 6;
    if (i % 5 === 0) {
      // mem[(x & 0xfff) * 4] = y; z = mem[...]
      code.push(LOCAL_GET, x, I32_CONST, ...sleb(0xfff), 0x71, LOCAL_GET, y, 0x36, 2, ...leb((i % 64) * 4));
      code.push(LOCAL_GET, z, I32_CONST, ...sleb(0xfff), 0x71, 0x28, 2, ...leb((i % 32) * 4), LOCAL_SET, y);
      made += 10;
    }
    if (i % 7 === 0) {
      code.push(LOCAL_GET, x, LOCAL_GET, y, 0x48, IF, VOID, LOCAL_GET, z, I32_CONST, 1, 0x6a, LOCAL_SET, z, ELSE, LOCAL_GET, z, I32_CONST, 3, 0x73, LOCAL_SET, x, END);
      made += 13;
    }
    if (i % 31 === 0) {
      // for (n = 3; --n;) z += x, with a local of its own for n
      code.push(I32_CONST, 3, LOCAL_SET, locals, LOOP, VOID, LOCAL_GET, z, LOCAL_GET, x, 0x6a, LOCAL_SET, z, LOCAL_GET, locals, I32_CONST, 1, 0x6b, LOCAL_TEE, locals, BR_IF, 0, END);
      made += 13;
    }
  }
  code.push(LOCAL_GET, 0, LOCAL_GET, 5, 0x6a, LOCAL_GET, 11, 0x73);
  return oneFunction(sig, [{ count: locals, type: Type.i32 }], code.done());
}

/** `depth` blocks within each other; a branch out of every one. */
export function nestedBlocks(depth: number): Uint8Array {
  const code = new Bytes();
  for (let i = 0; i < depth; i++) code.push(BLOCK, VOID);
  for (let i = 0; i < depth; i++) code.push(LOCAL_GET, 0, I32_CONST, ...sleb(i), 0x46, BR_IF, 0, LOCAL_GET, 0, I32_CONST, ...sleb(3), 0x6a, LOCAL_SET, 0, END);
  code.push(LOCAL_GET, 0);
  return oneFunction(sig, [], code.done());
}

/** `depth` loops within each other, the innermost left at once. */
export function nestedLoops(depth: number): Uint8Array {
  const code = new Bytes();
  for (let i = 0; i < depth; i++) code.push(LOOP, VOID);
  code.push(LOCAL_GET, 0, I32_CONST, 1, 0x6b, LOCAL_SET, 0);
  for (let i = 0; i < depth; i++) code.push(LOCAL_GET, 0, I32_CONST, 0, 0x4a, BR_IF, 0, END);
  code.push(LOCAL_GET, 0);
  return oneFunction(sig, [], code.done());
}

/** `depth` ifs within each other. */
export function nestedIfs(depth: number): Uint8Array {
  const code = new Bytes();
  for (let i = 0; i < depth; i++) code.push(LOCAL_GET, 0, I32_CONST, ...sleb(i), 0x4a, IF, VOID, LOCAL_GET, 0, I32_CONST, 1, 0x6a, LOCAL_SET, 0);
  for (let i = 0; i < depth; i++) code.push(ELSE, LOCAL_GET, 0, I32_CONST, 2, 0x6b, LOCAL_SET, 0, END);
  code.push(LOCAL_GET, 0);
  return oneFunction(sig, [], code.done());
}

/** One br_table of `entries` entries to `targets` blocks. Result: the block taken, 1000 + number. */
export function brTable(entries: number, targets = 64): Uint8Array {
  const code = new Bytes();
  code.push(BLOCK, VOID);
  for (let i = 0; i < targets; i++) code.push(BLOCK, VOID);
  code.push(LOCAL_GET, 0, BR_TABLE, ...leb(entries));
  for (let i = 0; i < entries; i++) code.push(...leb((i * 31 + (i >> 8)) % targets));
  code.push(...leb(targets));
  for (let i = 0; i < targets; i++) code.push(END, I32_CONST, ...sleb(1000 + i), 0x0f);
  code.push(END, I32_CONST, ...sleb(7));
  return oneFunction(sig, [], code.done());
}

/** `count` locals, each written and read once, all alive over a branch. */
export function manyLocals(count: number): Uint8Array {
  const code = new Bytes();
  for (let i = 1; i <= count; i++) code.push(LOCAL_GET, 0, I32_CONST, ...sleb(i), 0x6a, LOCAL_SET, ...leb(i));
  code.push(LOCAL_GET, 0, IF, VOID, I32_CONST, 5, LOCAL_SET, 0, END);
  for (let i = 1; i <= count; i++) code.push(LOCAL_GET, 0, LOCAL_GET, ...leb(i), 0x73, LOCAL_SET, 0);
  code.push(LOCAL_GET, 0);
  return oneFunction(sig, [{ count, type: Type.i32 }], code.done());
}

/** `ways` branches to one block, each with values of its own for its result and two locals. */
export function wideJoin(ways: number): Uint8Array {
  const code = new Bytes();
  code.push(BLOCK, 0x7f);
  for (let i = 0; i < ways; i++) {
    code.push(I32_CONST, ...sleb(i), LOCAL_GET, 0, I32_CONST, ...sleb(i), 0x46, BR_IF, 0, 0x1a, LOCAL_GET, 1, I32_CONST, ...sleb(3), 0x6a, LOCAL_SET, 1);
  }
  code.push(LOCAL_GET, 1, BR, 0, END, LOCAL_GET, 1, 0x6a, LOCAL_GET, 2, 0x73);
  return oneFunction(sig, [{ count: 2, type: Type.i32 }], code.done());
}

/** A chain of `count` calls of itself guarded by an if: many call sites in one function. */
export function manyCalls(count: number): Uint8Array {
  const code = new Bytes();
  for (let i = 0; i < count; i++) code.push(LOCAL_GET, 0, IF, VOID, I32_CONST, 0, 0x10, 0, LOCAL_GET, 1, 0x6a, LOCAL_SET, 1, END);
  code.push(LOCAL_GET, 1, I32_CONST, 1, 0x6a);
  return oneFunction(sig, [{ count: 1, type: Type.i32 }], code.done());
}
