// `node tests/bench/calls.mjs [--json] [--rounds N] [--koffi] [FILTER ...]`: what a call costs, ours beside V8's, in ns a call.
//
// Every case is one loop in both engines: in JS around an exported function, or in Wasm around an import. Rounds are short (some
// hundred microseconds, so that most of them run undisturbed on a busy machine) and alternate between the engines; medians count, the loop
// included. V8 runs its optimizing tier. Needs `npm run build`. `--koffi`: entries as where Node-API cannot be had.
import v8 from "node:v8";
import { compile, configureThread, instantiate, native, Store, watToBytes } from "../../dist/index.js";
import { cLoop } from "./c-loop.mjs";

v8.setFlagsFromString("--no-liftoff");
v8.setFlagsFromString("--no-wasm-tier-up");

let rounds = 101;
let json = false;
const filters = [];
const args = process.argv.slice(2);
for (let i = 0; i < args.length; i++) {
  if (args[i] === "--json") json = true;
  else if (args[i] === "--rounds") rounds = Number(args[++i]);
  else if (args[i] === "--koffi") configureThread({ nodeApi: false });
  else filters.push(args[i]);
}

const object = {};
const values = { i32: [1, 2, 3, 4, 5, 6, 7, 8], i64: [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n], f32: [0.5, 1.5], f64: [0.5, 1.5, 2.5, 3.5], externref: [object, object] };

/** Parameters and results of the signatures measured. */
const signatures = {
  "() -> ()": [[], []],
  "(i32) -> i32": [["i32"], ["i32"]],
  "(i32, i32) -> i32": [["i32", "i32"], ["i32"]],
  "(i64) -> i64": [["i64"], ["i64"]],
  "(f64, f64, f64) -> f64": [["f64", "f64", "f64"], ["f64"]],
  "(i32 x 8) -> i32": [new Array(8).fill("i32"), ["i32"]],
  "(i32, f64) -> i32, f64": [["i32", "f64"], ["i32", "f64"]],
  "(externref) -> externref": [["externref"], ["externref"]],
};

const argumentsOf = (params) => params.map((type, i) => values[type][i % values[type].length]);

/** A loop in JS that calls `f` with these arguments n times. Each case gets code of its own, as it would in a program. */
function loopInJs(count) {
  const names = Array.from({ length: count }, (_, i) => `a${i}`).join(", ");
  return new Function("f", "args", `const [${names}] = args; return (n) => { let x; for (let i = 0; i < n; i++) x = f(${names}); return x; };`);
}

/** A module whose `f` hands its parameters back, and whose `loop` calls the import `h` as often as it is told. */
function moduleOf([params, results]) {
  const sig = `${params.map((type) => `(param ${type})`).join(" ")} ${results.length > 0 ? `(result ${results.join(" ")})` : ""}`;
  const constant = (type, i) => (type === "externref" ? "(local.get $e)" : `(${type}.const ${String(values[type][i % values[type].length]).replace("n", "")})`);
  return `(module (import "m" "h" (func $h ${sig}))
    (func (export "f") ${sig} ${results.map((_, i) => `local.get ${i}`).join(" ")})
    (func (export "loop") (param $n i32) (param $e externref)
      (if (local.get $n) (then (loop $next
        (call $h ${params.map(constant).join(" ")}) ${results.map(() => "drop").join(" ")}
        (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))))`;
}

/** Calls of a function of the same module (too large to be inlined), and of the same function of another instance. */
const callee = `(func $f (export "f") (param i32 i32) (result i32)
  (if (i32.eq (local.get 0) (i32.const -1)) (then (return (call $f (local.get 1) (i32.const 5)))))
  (i32.add (local.get 0) (local.get 1)))`;
const loopOver = (target) => `(func (export "loop") (param $n i32) (local $x i32)
  (loop $next (local.set $x (call ${target} (local.get $x) (local.get $n)))
    (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))`;
const localWat = `(module ${callee} ${loopOver("$f")})`;
const crossWat = `(module (import "a" "f" (func $f (param i32 i32) (result i32))) ${loopOver("$f")})`;

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const time = (run, n) => {
  const started = process.hrtime.bigint();
  run(n);
  return Number(process.hrtime.bigint() - started) / n;
};

/** Nanoseconds a call of each loop, rounds interleaved. */
function measure(runs) {
  const names = Object.keys(runs);
  const counts = names.map((name) => {
    for (let i = 0; i < 30; i++) runs[name](2000);
    return Math.max(1000, Math.round(300_000 / Math.min(...Array.from({ length: 5 }, () => time(runs[name], 2000)))));
  });
  const times = names.map(() => []);
  for (let round = 0; round < rounds; round++) names.forEach((name, i) => times[i].push(time(runs[name], counts[i])));
  return Object.fromEntries(names.map((name, i) => [name, median(times[i])]));
}

async function both(wat, imports, store) {
  const bytes = await watToBytes(wat);
  const ours = instantiate(await compile(bytes), imports.ours ?? imports, store).exports;
  const theirs = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports.v8 ?? imports).exports;
  return { ours, theirs };
}

const rows = [];
const report = (group, name, ours, theirs, bound) => {
  const row = { group, name, ours, v8: theirs, ratio: theirs === undefined ? undefined : ours / theirs, ...bound };
  rows.push(row);
  if (json) return;
  const ratio = row.ratio === undefined ? "" : `${row.ratio.toFixed(1).padStart(8)}`;
  console.log(`${group.padEnd(22)} ${name.padEnd(26)} ${ours.toFixed(1).padStart(8)} ${theirs === undefined ? "".padStart(8) : theirs.toFixed(1).padStart(8)}${ratio}${bound ? `   ${Object.entries(bound).map(([key, x]) => `${key} ${x.toFixed(1)}`).join(", ")}` : ""}`);
};

const wanted = (group) => filters.length === 0 || filters.some((part) => group.includes(part));
if (!json) console.log(`${"".padEnd(49)}  ours ns    V8 ns   ratio   (medians of ${rounds})`);

for (const [name, signature] of Object.entries(signatures)) {
  const [params, results] = signature;
  const given = argumentsOf(params);
  const result = results.length > 1 ? given.slice(0, results.length) : given[0];
  const host = [() => {}, (a) => a, (a, b) => result][Math.min(params.length, 2)];
  const { ours, theirs } = await both(moduleOf(signature), { m: { h: results.length > 1 ? () => result : host } });
  if (wanted("JS to Wasm")) {
    const times = measure({ ours: loopInJs(params.length)(ours.f, given), v8: loopInJs(params.length)(theirs.f, given) });
    report("JS to Wasm", name, times.ours, times.v8);
  }
  if (wanted("Wasm to JS")) {
    const times = measure({ ours: (n) => ours.loop(n, object), v8: (n) => theirs.loop(n, object) });
    report("Wasm to JS", name, times.ours, times.v8);
  }
}

if (wanted("Wasm to Wasm")) {
  const local = await both(localWat, {});
  const store = new Store();
  const callees = await both(localWat, {}, store);
  const cross = await both(crossWat, { ours: { a: callees.ours }, v8: { a: callees.theirs } }, store);
  const times = measure({ local: local.ours.loop, localV8: local.theirs.loop, cross: cross.ours.loop, crossV8: cross.theirs.loop });
  report("Wasm to Wasm", "same module", times.local, times.localV8);
  report("Wasm to Wasm", "other instance", times.cross, times.crossV8, { "over the same module's": times.cross - times.local });
}

const inC = cLoop("libc.so.6", "abs");
if (wanted("native import") && inC) {
  const wat = `(module (import "c" "abs" (func $abs (param i32) (result i32)))
    (func (export "loop") (param $n i32) (loop $next (drop (call $abs (local.get $n))) (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))`;
  const { ours, theirs } = await both(wat, { ours: { c: { abs: native("libc.so.6", "abs", "i32(i32)") } }, v8: { c: { abs: Math.abs } } });
  const times = measure({ ours: ours.loop, v8: theirs.loop, c: inC });
  report("native import", "abs of the C library", times.ours, times.v8, { "from a loop in C": times.c, "over that": times.ours - times.c });
}

if (json) console.log(JSON.stringify({ rounds, node: process.version, arch: process.arch, rows }, undefined, 1));
