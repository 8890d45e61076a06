// SSA construction: random structured code gives what V8 gives, joins get no parameter that all their edges agree on.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { NONE, type Block, type Edge, type FuncIndex, type Value } from "../../../ir/entity.js";
import type { Func } from "../../../ir/func.js";
import { Op, opInfo } from "../../../ir/ops.js";
import { printFunc } from "../../../ir/print.js";
import { Type } from "../../../ir/types.js";
import { printVerifierError, verifyFunc } from "../../../ir/verify.js";
import { decodeModule, translateFunction } from "../../../pipeline/frontend/index.js";
import { Random } from "../../fuzz/random.js";
import { Bytes, leb, oneFunction, sleb } from "../../wasm-bytes.js";

const locals = 6;
/** The last local counts down at every loop header, so that all programs end. */
const fuel = locals - 1;
const sig = { params: [Type.i32, Type.i32], results: [Type.i32] };

/** Random code of locals, constructs and branches; labels carry nothing, one value, or (blocks of type 0) two in, one out. */
class Program {
  readonly code = new Bytes();
  /** Values that a branch to each open label takes, innermost last. */
  private readonly labels: number[] = [1];
  private budget: number;

  constructor(private readonly random: Random) {
    this.budget = 20 + random.below(120);
    this.code.push(0x41, ...sleb(40), 0x21, fuel);
    this.statements(0);
    this.value();
  }

  private variable(): number {
    return this.random.below(locals - 1);
  }

  private value(): void {
    if (this.random.below(4) === 0) this.code.push(0x41, ...sleb(this.random.below(9) - 4));
    else if (this.random.below(4) === 0) this.code.push(0x20, this.variable(), 0x20, this.variable(), this.random.below(2) === 0 ? 0x6a : 0x73);
    else this.code.push(0x20, this.variable());
  }

  private values(n: number): void {
    for (let i = 0; i < n; i++) this.value();
  }

  private statements(depth: number): void {
    for (let n = 1 + this.random.below(6); n > 0 && this.budget-- > 0; n--) this.statement(depth);
  }

  private statement(depth: number): void {
    const { code, random } = this;
    const kind = random.below(depth > 6 ? 6 : 12);
    if (kind < 3) {
      this.value();
      code.push(0x21, this.variable());
    } else if (kind === 3) {
      this.value();
      code.push(0x22, this.variable(), 0x21, this.variable());
    } else if (kind === 4) {
      const label = random.below(this.labels.length);
      const arity = this.labels[this.labels.length - 1 - label]!;
      this.values(arity);
      this.value();
      code.push(0x0d, ...leb(label));
      for (let i = 0; i < arity; i++) code.push(0x1a);
    } else if (kind === 5) this.leave();
    else this.construct(depth, random.below(3), random.below(3));
  }

  /** br, br_table or return; what follows is unreachable. Always inside a construct, or the program would end there mostly. */
  private leave(): void {
    const { code, random } = this;
    if (this.labels.length < 2) return;
    if (random.below(5) === 0) {
      this.value();
      code.push(0x0f);
    } else {
      const label = random.below(this.labels.length);
      const arity = this.labels[this.labels.length - 1 - label]!;
      this.values(arity);
      if (random.below(2) === 0) code.push(0x0c, ...leb(label));
      else {
        const fitting = this.labels.map((_, i) => i).filter((i) => this.labels[this.labels.length - 1 - i] === arity);
        this.value();
        const targets = Array.from({ length: random.below(4) }, () => random.pick(fitting));
        code.push(0x0e, ...leb(targets.length), ...targets.flatMap(leb), ...leb(label));
      }
    }
    // Unreachable code that assigns and opens constructs of its own.
    if (random.below(2) === 0) code.push(0x41, 5, 0x21, this.variable());
    if (random.below(3) === 0) code.push(0x03, 0x40, 0x41, 6, 0x21, this.variable(), 0x0b);
  }

  /** @param form block, loop, if; @param type nothing, one result, or two parameters and one result. */
  private construct(depth: number, form: number, type: number): void {
    const { code, random } = this;
    const [params, results] = type === 0 ? [0, 0] : type === 1 ? [0, 1] : [2, 1];
    this.values(params);
    if (form === 2) this.value();
    code.push(form === 0 ? 0x02 : form === 1 ? 0x03 : 0x04, type === 0 ? 0x40 : type === 1 ? 0x7f : 0x00);
    this.labels.push(form === 1 ? params : results);
    const arm = () => {
      for (let i = 0; i < params; i++) code.push(0x21, this.variable());
      this.statements(depth + 1);
      this.values(results);
    };
    if (form === 1) code.push(0x20, fuel, 0x41, 1, 0x6b, 0x22, fuel, 0x41, 0, 0x48, 0x04, 0x40, 0x20, 0, 0x0f, 0x0b);
    arm();
    if (form === 2 && (results > 0 || random.below(2) === 0)) {
      code.push(0x05);
      arm();
    }
    code.push(0x0b);
    this.labels.pop();
    for (let i = 0; i < results; i++) code.push(0x21, this.variable());
  }
}

/** Executes the few ops that these programs have. */
function evaluate(fn: Func, args: readonly number[]): number {
  const values = new Int32Array(fn.valueCount);
  let block = fn.entry;
  args.forEach((x, i) => (values[fn.param(block, i)] = x));
  for (let steps = 0; steps < 100_000; steps++) {
    let edge = NONE as Edge;
    for (let v = fn.firstInst[block]! as Value; v !== NONE; v = fn.next[v]! as Value) {
      const x = fn.argCount[v]! > 0 ? values[fn.arg(v, 0)]! : 0;
      const y = fn.argCount[v]! > 1 ? values[fn.arg(v, 1)]! : 0;
      switch (fn.op[v]! as Op) {
        case Op.i32_const: values[v] = fn.imm[v]!; break;
        case Op.i32_add: values[v] = x + y; break;
        case Op.i32_sub: values[v] = x - y; break;
        case Op.i32_xor: values[v] = x ^ y; break;
        case Op.i32_lt_s: values[v] = x < y ? 1 : 0; break;
        case Op.br: edge = fn.targetEdge(v, 0); break;
        case Op.br_if: edge = fn.targetEdge(v, x !== 0 ? 0 : 1); break;
        case Op.br_table: edge = fn.targetEdge(v, Math.min(x >>> 0, fn.targetCount(v) - 1)); break;
        case Op.return_: return x;
        default: throw new Error(`${opInfo[fn.op[v]!]!.name} was not expected`);
      }
    }
    const to = fn.edgeTo[edge]! as Block;
    const passed = Array.from({ length: fn.paramCount[to]! }, (_, i) => values[fn.edgeArg(edge, i)]!);
    passed.forEach((x, i) => (values[fn.param(to, i)] = x));
    block = to;
  }
  throw new Error("no end");
}

/** Parameters of blocks that are no loop headers and that get the same value on all edges. */
function trivialParams(fn: Func): Value[] {
  const found: Value[] = [];
  const index = new Map<number, number>();
  for (let b = fn.firstBlock, i = 0; b !== NONE; b = fn.blockNext[b]!) index.set(b, i++);
  for (let b = fn.firstBlock as Block; b !== NONE; b = fn.blockNext[b]! as Block) {
    for (let i = 0; i < fn.paramCount[b]!; i++) {
      const args = new Set<number>();
      let back = false;
      for (let e = fn.firstPred[b]! as Edge; e !== NONE; e = fn.edgeNextPred[e]! as Edge) {
        args.add(fn.edgeArg(e, i));
        back ||= index.get(fn.edgeFrom[e]!)! >= index.get(b)!;
      }
      if (!back && fn.firstPred[b] !== NONE && args.size === 1) found.push(fn.param(b, i));
    }
  }
  return found;
}

test("random structured code computes what V8 computes", () => {
  const seed = Number(process.env["SEED"] ?? 20240607);
  let executed = 0;
  for (let n = 0; n < 600; n++) {
    const program = new Program(new Random(seed, n));
    const bytes = oneFunction(sig, [{ count: locals - 2, type: Type.i32 }], program.code.done());
    const module = decodeModule(bytes);
    const fn = translateFunction(module, 0 as FuncIndex);
    const where = () => `seed ${seed}, program ${n}:\n${printFunc(fn, module)}`;
    const errors = verifyFunc(fn, module);
    assert.is(errors.length, 0, `${errors.map(printVerifierError).join("; ")}, ${where()}`);
    const run = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports["run"] as (a: number, b: number) => number;
    for (const args of [[0, 0], [1, -3], [7, 2]] as const) {
      assert.is(evaluate(fn, args), run(args[0], args[1]), `run(${args.join()}), ${where()}`);
      executed++;
    }
  }
  assert.is(executed, 1800);
});

/** A block that all of `edges` leave with different values of local 1. */
test("a join of edges that agree gets no parameter, one of edges that differ gets one", () => {
  const arms = (then: number, other: number) => {
    const code = new Bytes();
    // local 2 = run's argument 1; if argument 0: local 2 = `then`; else local 2 = `other`
    code.push(0x20, 0, 0x04, 0x40, 0x20, then, 0x21, 2, 0x05, 0x20, other, 0x21, 2, 0x0b, 0x20, 2);
    return translateFunction(decodeModule(oneFunction(sig, [{ count: 1, type: Type.i32 }], code.done())), 0 as FuncIndex);
  };
  assert.is(countParams(arms(1, 1)), 2);
  assert.is(countParams(arms(0, 1)), 3);
  assert.equal(trivialParams(arms(0, 1)), []);
});

test("a loop gives a parameter only to what it assigns, also further down", () => {
  const code = new Bytes();
  // loop: reads locals 0, 1, 2; then assigns 2 = 2 + 0; repeats while 1
  code.push(0x03, 0x40, 0x20, 0, 0x20, 1, 0x6a, 0x20, 2, 0x6a, 0x1a, 0x20, 2, 0x20, 0, 0x6a, 0x21, 2, 0x20, 1, 0x0d, 0, 0x0b, 0x20, 2);
  const fn = translateFunction(decodeModule(oneFunction(sig, [{ count: 1, type: Type.i32 }], code.done())), 0 as FuncIndex);
  assert.is(countParams(fn), 3);
});

test("unassigned locals share one zero per type, made in the entry block", () => {
  const code = new Bytes();
  code.push(0x20, 2, 0x20, 3, 0x6a, 0x20, 4, 0x6a);
  const fn = translateFunction(decodeModule(oneFunction(sig, [{ count: 3, type: Type.i32 }], code.done())), 0 as FuncIndex);
  let zeros = 0;
  for (let v = 0; v < fn.valueCount; v++) if (fn.op[v] === Op.i32_const) zeros++;
  assert.is(zeros, 1);
});

function countParams(fn: Func): number {
  let n = 0;
  for (let v = 0; v < fn.valueCount; v++) if (fn.op[v] === Op.param && fn.block[v] !== NONE) n++;
  return n;
}

test.run();
