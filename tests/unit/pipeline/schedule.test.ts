// The schedule: what is checked, what is refused and with which words, where a user's pass goes.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { passes as registry } from "../../../passes/index.js";
import { definePass, type FuncPass, type Order } from "../../../passes/pass.js";
import { O2, pipelines } from "../../../pipeline/pipelines.js";
import { schedule, ScheduleError } from "../../../pipeline/schedule.js";

function pass(name: string, order: { after?: Order[]; before?: Order[] } = {}): FuncPass {
  return definePass({ name, summary: name, stage: "ssa", scope: "func", run: () => undefined, ...order });
}

const because = (name: string): Order => ({ pass: name, why: `reason of ${name}` });
const names = (plan: { ssa: readonly { name: string }[] }) => plan.ssa.map((one) => one.name);

function refused(request: Parameters<typeof schedule>[0], ...texts: string[]): void {
  try {
    schedule(request);
  } catch (error) {
    assert.instance(error, ScheduleError);
    for (const text of texts) assert.ok((error as Error).message.includes(text), `"${text}" is not in: ${(error as Error).message}`);
    return;
  }
  assert.unreachable("the schedule was accepted");
}

test("names in the registry are unique, every pipeline is in order, every name has a pass", () => {
  assert.is(new Set(registry.map((one) => one.name)).size, registry.length);
  for (const pipeline of pipelines) assert.equal(names(schedule({ passes: registry, pipeline })), pipeline);
});

test("a broken constraint is reported with its reason", () => {
  const a = pass("a", { after: [because("b")] });
  const b = pass("b");
  refused({ passes: [a, b], pipeline: ["a", "b"] }, "a comes after b: reason of b", "a, b");
  assert.equal(names(schedule({ passes: [a, b], pipeline: ["a", "b", "a"] })), ["a", "b", "a"], "after speaks of last runs");
  const c = pass("c", { before: [because("b")] });
  refused({ passes: [b, c], pipeline: ["b", "c"] }, "c comes before b: reason of b");
  assert.equal(names(schedule({ passes: [b, c], pipeline: ["c", "b", "c"] })), ["c", "b", "c"], "before speaks of first runs");
});

test("a cycle is reported with all its reasons", () => {
  const a = pass("a", { after: [because("b")] });
  const b = pass("b", { after: [because("a")] });
  refused({ passes: [a, b], pipeline: ["a", "b"] }, "contradict each other", "a comes after b: reason of b", "b comes after a: reason of a");
});

test("unknown names, double names and missing passes are refused", () => {
  refused({ passes: registry, pipeline: [...O2, "no-such"] }, '"no-such"', "gvn");
  refused({ passes: [...registry, pass("gvn")], pipeline: O2 }, 'two passes are named "gvn"');
  refused({ passes: registry, pipeline: O2.filter((name) => name !== "critical-edges") }, 'lacks "critical-edges"', "moves of an edge");
  refused({ passes: registry, pipeline: O2, disable: ["critical-edges"] }, "cannot be switched off", "moves of an edge");
  const without = names(schedule({ passes: registry, pipeline: O2, disable: ["canonicalize-types", "gvn"] }));
  assert.not(without.includes("canonicalize-types"));
  assert.not(without.includes("gvn"));
});

test("a user's pass without constraints comes early: behind what comes before everything", () => {
  const plan = names(schedule({ passes: [...registry, pass("mine")], pipeline: O2, extra: ["mine"] }));
  assert.equal(plan.slice(0, 2), ["canonicalize-types", "mine"]);
});

test("a user's pass goes behind the last run of what it cleans up after, two of them in their own order", () => {
  const late = pass("late", { after: [because("gvn")] });
  const later = pass("later", { after: [because("late")] });
  const plan = names(schedule({ passes: [...registry, later, late], pipeline: O2, extra: ["later", "late"] }));
  assert.is(plan.indexOf("late"), plan.lastIndexOf("gvn") + 1);
  assert.is(plan.indexOf("later"), plan.indexOf("late") + 1);
});

test("an explicit constraint beats one on everything", () => {
  const types = pass("types", { before: [because("canonicalize-types")] });
  const plan = names(schedule({ passes: [...registry, types], pipeline: O2, extra: ["types"] }));
  assert.equal(plan.slice(0, 2), ["types", "canonicalize-types"]);
});

test("a place that cannot be is refused", () => {
  const torn = pass("torn", { after: [because("dce")], before: [because("gvn")] });
  refused({ passes: [...registry, torn], pipeline: O2, extra: ["torn"] }, "torn");
});

test("stages stay in order", () => {
  const bytes = definePass({ name: "bytes", summary: "bytes", stage: "wasm", scope: "module", run: (input) => input });
  const plan = schedule({ passes: [...registry, bytes], pipeline: O2, extra: ["bytes"] });
  assert.equal(plan.wasm, [bytes]);
  refused({ passes: [...registry, bytes], pipeline: [...O2, "bytes"] }, "bytes (stage wasm) stands behind");
});

test("names of passes are checked", () => {
  assert.throws(() => pass("My Pass"), /cannot name a pass/);
});

test.run();
