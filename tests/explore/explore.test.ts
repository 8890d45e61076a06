// The explorer in a real browser: what it shows, what points and clicks and keys do, how fast it opens, that it asks nobody anything.
//
// Needs Chromium: without one a line says so, unless CI is set; then it is a failure.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { projectRoot } from "../bundle.js";
import { Chromium, findChromium, type Page } from "./chromium.js";
import { largeModule } from "./large-module.js";

const chromium = findChromium();
const test = suite("explorer");
const command = path.join(projectRoot, "dist/cli.js");
const folder = mkdtempSync(path.join(tmpdir(), "lathe-explore-"));
const at = (name: string) => path.join(folder, name);
const lathe = (...args: string[]) => execFileSync(process.execPath, [command, ...args], { cwd: folder, encoding: "utf8", stdio: "pipe" });

let browser: Chromium;
let page: Page;

const READY = "document.documentElement.dataset.ready !== undefined";
const lines = (pane: string, name: string) => `[...document.querySelectorAll('[data-pane=${pane}] .cm-line.${name}')].map((line) => line.textContent)`;
const texts = (selector: string) => `[...document.querySelectorAll(${JSON.stringify(selector)})].map((one) => one.textContent)`;

async function open(file: string, hash = "", width = 1600, dark = false): Promise<Page> {
  const opened = await browser.open(pathToFileURL(at(file)).href + hash, width, 900, dark);
  await opened.until(READY);
  return opened;
}

/** Closes a page that must have been silent. */
async function closed(opened: Page): Promise<void> {
  assert.equal(opened.errors, []);
  assert.equal(opened.requests, []);
  await opened.close();
}

test.before(async () => {
  if (!existsSync(path.join(projectRoot, "dist/explorer/page.js"))) execFileSync(process.execPath, ["build.mjs"], { cwd: projectRoot });
  writeFileSync(at("primes.wat"), readFileSync(path.join(projectRoot, "pipeline/sample/primes.wat")));
  writeFileSync(at("count.mjs"), `
    import { definePass, NONE, Op } from "wasmlathe";
    export default definePass({ name: "count-loads", summary: "counts loads", stage: "ssa", scope: "func", after: [{ pass: "dce", why: "dead ones do not count" }],
      run(fn, cx) { for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) for (let v = fn.firstInst[b]; v !== NONE; v = fn.next[v]) {
        if (fn.op[v] === Op.i32_load8_u) { cx.count("loads"); fn.insertBefore(v, Op.i32_const, 1, [], 4242); } } } });`);
  lathe("explore", "primes.wat", "--pass", "./count.mjs");
  browser = await Chromium.launch(chromium!);
  page = await open("primes.wat.html");
});
test.after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

test("panes stand side by side; the code made in the page is the code that was compiled", async () => {
  assert.equal(await page.evaluate(texts(".pane > header b")), ["Wasm", "SSA", "Registers", "Assembly"]);
  assert.equal(await page.evaluate(texts(".pane > header strong")), []);
  for (const [pane, text] of [["wasm", "i32.load8_u"], ["ssa", "i32.load8_u v"], ["alloc", "rbx"], ["asm", "push"]] as const) {
    if (process.arch === "x64" || pane === "wasm" || pane === "ssa") assert.ok((await page.evaluate<string>(`document.querySelector('[data-pane=${pane}]').textContent`)).includes(text), pane);
  }
});

test("pointing at a line tints what came from the same Wasm instruction in every pane", async () => {
  await page.move("[data-pane=wasm] .cm-line", "i32.load8_u");
  await page.until(`${lines("ssa", "hovered")}.length > 0`);
  assert.match((await page.evaluate<string[]>(lines("ssa", "hovered"))).join("\n"), /^\s*v\d+ = i32\.load8_u/m);
  assert.equal((await page.evaluate<string[]>(lines("wasm", "hovered"))).length, 1);
  assert.ok((await page.evaluate<string[]>(lines("asm", "hovered"))).length > 0);
  await page.move(".bar h1");
  await page.until(`${lines("ssa", "hovered")}.length === 0`);
});

test("a click pins a line and scrolls the others there; Escape lets go", async () => {
  await page.click("[data-pane=ssa] .cm-line", "i32.load8_u");
  await page.until(`${lines("asm", "pinned")}.length > 0`);
  assert.match((await page.evaluate<string[]>(lines("wasm", "pinned"))).join("\n"), /i32\.load8_u/);
  await page.key("Escape");
  await page.until(`${lines("asm", "pinned")}.length === 0`);
});

test("a value is marked wherever it is: SSA, machine IR, registers", async () => {
  await page.key("3");
  await page.until(`document.querySelector('[data-pane=mir]')`);
  const value = await page.evaluate<string>(`[...document.querySelectorAll('[data-pane=ssa] .cm-line')].map((line) => /(v\\d+) = i32.load8_u/.exec(line.textContent)).find(Boolean)[1]`);
  await page.click("[data-pane=ssa] .cm-line .t-value", value);
  await page.until(texts("[data-pane=ssa] .chosen") + ".length > 1");
  assert.equal([...new Set(await page.evaluate<string[]>(texts("[data-pane=ssa] .chosen")))], [value]);
  await page.key("Escape");
  // A parameter of a loop lives in a register all the time.
  const param = await page.evaluate<string>(`/b1\\((v\\d+):/.exec(document.querySelector('[data-pane=ssa]').textContent)[1]`);
  await page.click("[data-pane=ssa] .block-head .t-value", param);
  await page.until(texts("[data-pane=mir] .chosen") + ".length > 1 && " + texts("[data-pane=alloc] .chosen") + ".length > 1");
  await page.key("3");
  await page.key("Escape");
});

test("a register is marked in machine IR and assembly, under all its names", async () => {
  const name = await page.evaluate<string>(`document.querySelector('.registers button').textContent`);
  await page.click(".registers button", name);
  await page.until(texts("[data-pane=asm] .chosen") + ".length > 0");
  assert.ok((await page.evaluate<string[]>(texts("[data-pane=alloc] .chosen"))).every((text) => text === name));
  await page.key("Escape");
});

test("the timeline: user's passes too, times and counts, unchanged ones folded, arrows walk over what changed", async () => {
  const steps = await page.evaluate<string[]>(texts(".step b"));
  assert.ok(steps.includes("count-loads"), steps.join());
  assert.match((await page.evaluate<string[]>(texts(".step small")))[0]!, /^\d+ fn · [\d.]+ m?s$/);
  assert.ok((await page.evaluate<string[]>(texts(".fold"))).length > 0);
  await page.click(".step", "count-loads");
  await page.until(`document.querySelector('[data-pane=ssa]').textContent.includes('4242')`);
  await page.key("ArrowLeft");
  await page.until(`!document.querySelector('[data-pane=ssa]').textContent.includes('4242')`);
  await page.key("u");
  const all = await page.evaluate<string[]>(texts(".step b"));
  assert.ok(all.length > steps.length && all.includes("gvn"), all.join());
  await page.key("u");
});

test("passes on bytes stand first in the timeline", async () => {
  lathe("explore", "primes.wat", "--pass", "binaryen:vacuum", "-o", "vacuum.html");
  const vacuum = await open("vacuum.html", "#func=3&step=0");
  assert.equal((await vacuum.evaluate<string[]>(texts(".step b"))).slice(0, 2), ["binaryen:vacuum", "translate"]);
  assert.match(await vacuum.evaluate<string>("document.querySelector('[data-pane=ssa]').textContent"), /no SSA yet/);
  await closed(vacuum);
});

test("machine IR that a pass of the machine stage made is shown, and is what code is made from", async () => {
  writeFileSync(at("machine.mjs"), `
    import { definePass } from "wasmlathe";
    export default definePass({ name: "cold-blocks", summary: "calls the last block cold", stage: "machine", scope: "func", run(mfn) { if (mfn.blockCount > 1) mfn.blockCold[mfn.blockCount - 1] = 1; } });`);
  lathe("explore", "primes.wat", "--pass", "./machine.mjs", "-o", "machine.html");
  const machine = await open("machine.html", "#func=3");
  await machine.key("3");
  await machine.click(".step", "lower");
  await machine.until(`document.querySelector('[data-pane=mir]')?.textContent.includes('mfunc')`);
  assert.not.match(await machine.evaluate<string>("document.querySelector('[data-pane=mir]').textContent"), / cold/);
  await machine.click(".step", "cold-blocks");
  await machine.until(`document.querySelector('[data-pane=mir]').textContent.includes(' cold')`);
  assert.equal(await machine.evaluate(texts(".pane > header strong")), []);
  await closed(machine);
});

test("a module of IR as text", async () => {
  writeFileSync(at("text.ssa"), lathe("dump", "primes.wat"));
  lathe("explore", "text.ssa");
  const text = await open("text.ssa.html", "#func=3");
  assert.match(await text.evaluate<string>("document.querySelector('[data-pane=wasm]').textContent"), /there is no Wasm of it/);
  assert.match(await text.evaluate<string>("document.querySelector('[data-pane=ssa]').textContent"), /i32\.load8_u/);
  await closed(text);
});

test("the difference to the step before", async () => {
  await page.click(".step", "count-loads");
  await page.key("d");
  await page.until(`${lines("ssa", "added")}.length > 0`);
  assert.match((await page.evaluate<string[]>(lines("ssa", "added"))).join("\n"), /i32\.const 4242/);
  assert.equal(await page.evaluate(lines("ssa", "removed")), []);
  await page.key("d");
  await page.until(`${lines("ssa", "added")}.length === 0`);
});

test("the control flow graph: blocks, loops, and a click that leads to a block", async () => {
  await page.key("g");
  await page.until(`document.querySelector('.drawing')?.dataset.state === 'drawn'`, 60_000);
  const blocks = await page.evaluate<string[]>(texts(".drawing .node title"));
  assert.ok(blocks.includes("b0") && blocks.length > 3, blocks.join());
  assert.ok((await page.evaluate<string[]>(texts(".drawing .cluster text"))).some((text) => text.startsWith("loop b")));
  await page.click(".drawing .node", "b1");
  await page.until(`document.querySelector('.drawing .node.wanted')`);
  await page.key("g");
  await page.until(`!document.querySelector('.drawing')`);
});

test("functions are found by name and by index; text is found in a pane", async () => {
  await page.key("f");
  await page.type("siev");
  await page.until(`${texts(".row span")}.join() === 'sieve'`);
  await page.key("Enter");
  await page.until(`document.querySelector('[data-pane=ssa]').textContent.includes('"sieve"')`);
  await page.evaluate(`(() => { const input = document.getElementById('filter'); input.value = '@3'; input.dispatchEvent(new Event('input', { bubbles: true })); })()`);
  await page.until(`${texts(".row i")}.join() === '3'`);
  await page.evaluate(`(() => { const input = document.getElementById('filter'); input.value = ''; input.dispatchEvent(new Event('input', { bubbles: true })); input.blur(); })()`);
  await page.click("[data-pane=wasm] .cm-line", "local.get");
  await page.key("/");
  await page.until(`document.querySelector('[data-pane=wasm] .cm-search')`);
  for (const letter of "get") await page.key(letter);
  await page.until(`document.querySelectorAll('[data-pane=wasm] .cm-searchMatch').length > 0`);
  await page.key("Escape");
});

test("keys are explained by ?, panes come and go by numbers, j and k walk through functions", async () => {
  await page.evaluate("document.activeElement.blur()");
  await page.key("?");
  await page.until(`document.querySelector('.help')`);
  assert.match(await page.evaluate<string>(`document.querySelector('.help').textContent`), /control flow graph/);
  await page.key("Escape");
  await page.until(`!document.querySelector('.help')`);
  await page.key("1");
  await page.until(`!document.querySelector('[data-pane=wasm]')`);
  await page.key("1");
  await page.until(`document.querySelector('[data-pane=wasm]')`);
  const index = () => page.evaluate<string>(`document.querySelector('.row.chosen i').textContent`);
  const before = await index();
  await page.key("k");
  await page.until(`document.querySelector('.row.chosen i').textContent !== '${before}'`);
  await page.key("j");
  await page.until(`document.querySelector('.row.chosen i').textContent === '${before}'`);
});

test("a call leads to the function called", async () => {
  await page.click(".row", "fold");
  await page.until(`document.querySelector('[data-pane=wasm]').textContent.includes('"fold"')`);
  await page.click("[data-pane=wasm] .t-func", "@2");
  await page.until(`document.querySelector('.row.chosen').textContent.includes('sieve')`);
});

test("light and dark: as the system says, and by a switch that is remembered", async () => {
  const theme = (one: Page) => one.evaluate<string>("document.documentElement.dataset.theme");
  const colour = (one: Page) => one.evaluate<string>("getComputedStyle(document.querySelector('.pane')).backgroundColor");
  assert.is(await theme(page), "light");
  const light = await colour(page);
  const dark = await open("primes.wat.html", "", 1280, true);
  assert.is(await theme(dark), "dark");
  assert.is.not(await colour(dark), light);
  await dark.key("t");
  await dark.until("document.documentElement.dataset.theme === 'light'");
  assert.is(await colour(dark), light);
  await closed(dark);
});

test("an address leads to a function and a step", async () => {
  const other = await open("primes.wat.html", "#func=2&step=0");
  assert.match(await other.evaluate<string>("document.querySelector('.step.chosen').textContent"), /^translate/);
  assert.match(await other.evaluate<string>("document.querySelector('.row.chosen').textContent"), /sieve/);
  await closed(other);
});

test("all this without an error, and without asking anybody anything", () => closed(page));

test("a module of 1 MB: the page is below 10 MB, opens within a second, takes functions as they are asked for", async () => {
  writeFileSync(at("large.wasm"), largeModule(1_000_000));
  lathe("explore", "large.wasm");
  const size = statSync(at("large.wasm.html")).size;
  console.log(`\nnote: explorer page of a module of ${(statSync(at("large.wasm")).size / 1e6).toFixed(2)} MB: ${(size / 1e6).toFixed(2)} MB`);
  assert.ok(size < 10_000_000, `${size} bytes`);
  const times: number[] = [];
  const work: number[] = [];
  let large: Page;
  for (let i = 0; i < 3; i++) {
    large = await open("large.wasm.html");
    times.push(await large.evaluate<number>("performance.getEntriesByName('ready')[0].startTime"));
    work.push(await large.workMs());
    if (i < 2) await closed(large);
  }
  const all = (list: readonly number[]) => list.map((ms) => ms.toFixed(0)).join(", ");
  console.log(`\nnote: it opens in ${all(times)} ms, of which the page works ${all(work)} ms`);
  assert.ok(Math.min(...work) < 1000, `${all(work)} ms of processor time`);
  // Of a machine that is busy with other things wall clock says nothing about the page.
  if (loadavg()[0]! < availableParallelism()) assert.ok(Math.min(...times) < 1000, `${all(times)} ms`);
  assert.is(await large!.evaluate("document.querySelectorAll('.row').length < 100"), true, "rows out of sight are not drawn");
  const opened = await large!.evaluate<number>(`(() => { const started = performance.now(); return new Promise((resolve) => {
    const row = document.querySelectorAll('.row')[3];
    row.click();
    const look = () => document.querySelector('[data-pane=asm]')?.textContent.includes('@' + row.querySelector('i').textContent + ' ') ? resolve(performance.now() - started) : setTimeout(look, 2); look(); }); })()`);
  console.log(`\nnote: a function opens in ${opened.toFixed(0)} ms`);
  assert.equal(await large!.evaluate(texts(".pane > header strong")), []);
  await closed(large!);
});

test("functions chosen by --func: the others are named, and said to be missing", async () => {
  lathe("explore", "primes.wat", "--func", "max", "-o", "one.html");
  const one = await open("one.html");
  assert.equal(await one.evaluate(texts(".row.missing span")), ["add", "sieve", "fold"]);
  await one.click(".row", "sieve");
  await one.until("document.querySelector('.note.error')");
  assert.match(await one.evaluate<string>("document.querySelector('.note.error').textContent"), /--func/);
  await closed(one);
});

function serve(...args: string[]): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [command, "explore", ...args, "--serve"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    child.stdout!.on("data", (text) => {
      const url = /http:\S+/.exec(String(text))?.[0];
      if (url) resolve({ child, url });
    });
    child.once("exit", (code) => reject(new Error(`lathe explore --serve ended with ${code}`)));
  });
}

test("--serve: asks its own server only, follows the module and the pass, survives a broken one, ends cleanly", async () => {
  writeFileSync(at("live.wat"), readFileSync(at("primes.wat")));
  writeFileSync(at("live.mjs"), readFileSync(at("count.mjs"), "utf8"));
  const { child, url } = await serve("live.wat", "--pass", "./live.mjs", "--func", "max");
  const live = await browser.open(url, 1600, 900);
  await live.until(READY);
  await live.click(".row", "fold");
  await live.until(`document.querySelector('[data-pane=ssa]').textContent.includes('4242')`);
  writeFileSync(at("live.mjs"), readFileSync(at("count.mjs"), "utf8").replace("4242", "4343"));
  await live.until(`document.querySelector('[data-pane=ssa]')?.textContent.includes('4343')`);
  writeFileSync(at("live.wat"), "(module (func $max (export \"max\") (result i32) i32.const 7)");
  await live.until("document.querySelector('.note.error')");
  writeFileSync(at("live.wat"), "(module (func $max (export \"max\") (result i32) i32.const 7))");
  await live.until(`!document.querySelector('.note.error') && document.querySelector('[data-pane=ssa]')?.textContent.includes('i32.const 7')`);
  assert.ok(live.requests.every((request) => request.startsWith(url)), live.requests.join());
  assert.equal(live.errors, []);
  const foreign = await new Promise((resolve) => get(url, { headers: { host: "example.org" } }, (answer) => resolve(answer.resume().statusCode)));
  assert.is(foreign, 403, "a name that leads here is refused");
  await live.close();
  const code = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  assert.is(await code, 0);
});

if (chromium === undefined) {
  if (process.env["CI"]) throw new Error("chromium is missing: the explorer's tests need it");
  console.log("note: no chromium: the explorer's tests in a browser are skipped");
  const skipped = suite("explorer");
  skipped.skip("in a browser", () => {});
  skipped.run();
} else test.run();
