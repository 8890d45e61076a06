// Checks the written order of passes against their constraints, and finds the place of a user's pass.
//
// Constraints are edges of a graph over passes (graphlib): `after` speaks of last runs, `before` of first ones. The written
// list is law: it is compared with the graph, and a broken constraint is reported with its reason. Only a pass that was asked
// for without a place gets one here: as early as its constraints allow, so that the passes behind it clean up after it.
import { Graph, alg } from "graphlib";
import type { Order, Pass, Stage } from "../passes/pass.js";
import { placeOfStep, stepNames } from "./step.js";

/** A pipeline that cannot run as written: a cycle, a broken constraint, an unknown name, a required pass that is missing. */
export class ScheduleError extends Error {
  override readonly name = "ScheduleError";
}

export interface ScheduleRequest {
  /** Every pass that may be named: the registry, and the user's. Names must be unique. */
  readonly passes: readonly Pass[];
  /** The written list. */
  readonly pipeline: readonly string[];
  /** Names of passes to be placed, in the order asked for. */
  readonly extra?: readonly string[];
  /** Names of passes to be left out. */
  readonly disable?: readonly string[];
  /** The list is one of pipelines.ts and nothing is asked for besides: its order holds in any process, as tests say. */
  readonly checked?: boolean;
}

export interface Schedule {
  readonly wasm: readonly Pass[];
  readonly ssa: readonly Pass[];
  readonly machine: readonly Pass[];
  /** Required passes that were switched off. */
  readonly missing: readonly Pass[];
}

const stageOrder: readonly Stage[] = ["wasm", "ssa", "machine"];

/** @throws ScheduleError with one line per problem. */
export function schedule(request: ScheduleRequest): Schedule {
  const byName = new Map<string, Pass>();
  for (const pass of request.passes) {
    if (byName.has(pass.name)) throw new ScheduleError(`two passes are named "${pass.name}"`);
    byName.set(pass.name, pass);
  }
  const named = (name: string): Pass => {
    const pass = byName.get(name);
    if (!pass) throw new ScheduleError(`there is no pass "${name}"; there are ${[...byName.keys()].join(", ")}`);
    return pass;
  };
  const disabled = new Set((request.disable ?? []).map((name) => named(name).name));
  for (const name of disabled) {
    const required = named(name).required;
    if (required && !required.canDisable) throw new ScheduleError(`"${name}" cannot be switched off: ${required.why}`);
  }

  const list = request.pipeline.map(named).filter((pass) => !disabled.has(pass.name));
  for (const pass of request.passes) {
    if (pass.required && !disabled.has(pass.name) && !list.includes(pass)) {
      throw new ScheduleError(`the pipeline lacks "${pass.name}": ${pass.required.why}`);
    }
  }
  const extra = (request.extra ?? []).map(named).filter((pass) => !disabled.has(pass.name));
  if (!request.checked) {
    const graph = constraintGraph([...new Set([...list, ...extra])]);
    checkCycles(graph);
    const sorted = alg.topsort(graph);
    extra.sort((a, b) => sorted.indexOf(a.name) - sorted.indexOf(b.name));
    for (const pass of extra) place(list, pass, graph);
    checkOrder(list, graph);
  }
  const ofStage = (stage: Stage) => list.filter((pass) => pass.stage === stage);
  return { wasm: ofStage("wasm"), ssa: ofStage("ssa"), machine: ofStage("machine"), missing: request.passes.filter((pass) => pass.required && disabled.has(pass.name)) };
}

/**
 * What is left to do behind an SSA pass: the passes after its last run, or after its first, second ... run (`gvn#1`); all of them behind
 * `translate`. @throws ScheduleError that lists the passes there are.
 */
export function scheduleBehind(whole: Schedule, step: string): Schedule {
  if (step === "translate") return { ...whole, wasm: [] };
  const names = whole.ssa.map((pass) => pass.name);
  const at = placeOfStep(names, step);
  if (at < 0) throw new ScheduleError(`there is no SSA pass "${step}" to start behind; there are translate, ${stepNames(names).join(", ")}`);
  return { ...whole, wasm: [], ssa: whole.ssa.slice(at + 1) };
}

/** The label of an edge from `a` to `b`: whether a's first run comes before b's first, or a's last before b's last; and why. */
interface Constraint {
  readonly runs: "first" | "last";
  readonly text: string;
}

function constraintGraph(passes: readonly Pass[]): Graph {
  const graph = new Graph({ directed: true });
  for (const pass of passes) graph.setNode(pass.name, pass);
  const here = (order: Order) => order.pass !== "*" && graph.hasNode(order.pass);
  for (const pass of passes) {
    for (const order of pass.after ?? []) {
      if (here(order)) {
        graph.setEdge(order.pass, pass.name, { runs: "last", text: `${pass.name} comes after ${order.pass}: ${order.why}` });
      }
    }
    for (const order of pass.before ?? []) {
      if (here(order)) {
        graph.setEdge(pass.name, order.pass, { runs: "first", text: `${pass.name} comes before ${order.pass}: ${order.why}` });
      }
    }
  }
  addStarred(graph, passes);
  return graph;
}

/** `"*"` stands for all passes of the same stage that no explicit constraint, direct or not, puts on the other side. */
function addStarred(graph: Graph, passes: readonly Pass[]): void {
  const starred: [string, string, Constraint][] = [];
  for (const pass of passes) {
    const before = pass.before?.find((order) => order.pass === "*");
    const after = pass.after?.find((order) => order.pass === "*");
    if (before) {
      const earlier = reachable(graph, pass.name, "predecessors");
      for (const other of passes) {
        if (other.stage === pass.stage && !earlier.has(other.name)) {
          starred.push([pass.name, other.name, { runs: "first", text: `${pass.name} comes before ${other.name}: ${before.why}` }]);
        }
      }
    }
    if (after) {
      const later = reachable(graph, pass.name, "successors");
      for (const other of passes) {
        if (other.stage === pass.stage && !later.has(other.name)) {
          starred.push([other.name, pass.name, { runs: "last", text: `${pass.name} comes after ${other.name}: ${after.why}` }]);
        }
      }
    }
  }
  for (const [from, to, constraint] of starred) {
    if (!graph.hasEdge(from, to) && !graph.hasEdge(to, from)) graph.setEdge(from, to, constraint);
  }
}

function reachable(graph: Graph, from: string, direction: "predecessors" | "successors"): Set<string> {
  const seen = new Set([from]);
  for (const name of seen) for (const next of graph[direction](name) ?? []) seen.add(next);
  return seen;
}

function checkCycles(graph: Graph): void {
  const lines: string[] = [];
  for (const cycle of alg.findCycles(graph)) {
    const names = new Set(cycle);
    lines.push(`the order constraints of ${cycle.join(", ")} contradict each other:`);
    for (const { v, w } of graph.edges()) if (names.has(v) && names.has(w)) lines.push(`  ${(graph.edge(v, w) as Constraint).text}`);
  }
  if (lines.length > 0) throw new ScheduleError(lines.join("\n"));
}

/** Puts `pass` behind everything that must come before it, or first in its stage. */
function place(list: Pass[], pass: Pass, graph: Graph): void {
  let at = list.findIndex((other) => stageOrder.indexOf(other.stage) >= stageOrder.indexOf(pass.stage));
  if (at < 0) at = list.length;
  for (const { v, w } of graph.inEdges(pass.name) ?? []) {
    const names = list.map((other) => other.name);
    const last = (graph.edge(v, w) as Constraint).runs === "last";
    at = Math.max(at, 1 + (last ? names.lastIndexOf(v) : names.indexOf(v)));
  }
  list.splice(at, 0, pass);
}

function checkOrder(list: readonly Pass[], graph: Graph): void {
  const names = list.map((pass) => pass.name);
  const lines: string[] = [];
  for (const { v, w } of graph.edges()) {
    if (!names.includes(v) || !names.includes(w)) continue;
    const { runs, text } = graph.edge(v, w) as Constraint;
    const broken = runs === "last" ? names.lastIndexOf(v) > names.lastIndexOf(w) : names.indexOf(v) > names.indexOf(w);
    if (broken) lines.push(text);
  }
  for (let i = 1; i < list.length; i++) {
    if (stageOrder.indexOf(list[i]!.stage) < stageOrder.indexOf(list[i - 1]!.stage)) {
      lines.push(`${list[i]!.name} (stage ${list[i]!.stage}) stands behind ${list[i - 1]!.name} (stage ${list[i - 1]!.stage})`);
    }
  }
  if (lines.length > 0) throw new ScheduleError(`the pipeline ${names.join(", ")} breaks its order constraints:\n  ${lines.join("\n  ")}`);
}
