// Every numeric op in the ways its operands may come (registers, constants on either side, the right operand in memory, both the same),
// compiled for the host's target and run, against exact arithmetic (ir/fold).
//
// Of NaNs that arithmetic makes, Wasm fixes no bits but "quiet"; `fold` has those of amd64. Where a target makes others any quiet one counts.
import * as assert from "uvu/assert";
import { Allocator } from "../../../backends/regalloc/index.js";
import { ModuleCodeBuilder } from "../../../backends/module-code.js";
import type { FuncIndex } from "../../../ir/entity.js";
import { VmLayout } from "../../../ir/layout.js";
import { opInfo } from "../../../ir/ops.js";
import { Type, typeName } from "../../../ir/types.js";
import { verifyMFunc } from "../../../ir/machine/verify.js";
import { toBytes } from "../../../pipeline/frontend/wat.js";
import { compileSync } from "../../../pipeline/index.js";
import { targetNamed } from "../../../pipeline/targets.js";
import { instantiate, Store, Table, Trap, type CompiledModule, type Memory } from "../../../runtime/index.js";
import { build, bytesOf, casesOf, expected, isArithmetic, numeric, values, type Case, type Into } from "./numeric-ops.js";

export interface NumericRun {
  readonly features: readonly string[];
  readonly level: 0 | 2 | "baseline";
  readonly bounds: "guard" | "explicit";
  /** Constants an operand takes at most. */
  readonly constants: number;
  /** `baseline` alone: where operations have their results; on the stack unless given. */
  readonly into?: Into;
  /** Whether the target's arithmetic makes NaNs of other bits than `fold` says. */
  readonly otherNans?: boolean;
}

function isQuietNan(bits: bigint, type: number): boolean {
  return type === Type.f32 ? (bits & 0x7fc00000n) === 0x7fc00000n : (bits & 0x7ff8000000000000n) === 0x7ff8000000000000n;
}

/** Operands and results, 8 bytes each, from these addresses on; the number of the call that is running at 0. */
const PLACES = [0x10000, 0x20000, 0x30000] as const;

/** Makes many calls of functions of one signature: a loop in Wasm, since each entry from JS takes far longer than an operation. */
class Caller {
  private constructor(
    private readonly run: (func: number, from: number, to: number) => unknown,
    private readonly memory: DataView,
    private readonly narrow: boolean,
  ) {}

  /** @param types names of the parameters' types and the result's. */
  static async make(types: readonly string[], table: Table, store: Store): Promise<Caller> {
    const result = types.at(-1)!;
    const at = (place: number) => `offset=${PLACES[place]!} (i32.shl (local.get $i) (i32.const 3))`;
    const operands = types.slice(0, -1).map((type, i) => `(${type}.load ${at(i)})`);
    const bytes = await toBytes(`(module (import "m" "table" (table 0 funcref)) (memory (export "memory") 4)
      (type $t (func (param ${types.slice(0, -1).join(" ")}) (result ${result})))
      (func (export "run") (param $func i32) (param $i i32) (param $end i32)
        (loop $next
          (if (i32.ge_u (local.get $i) (local.get $end)) (then (return)))
          (i32.store (i32.const 0) (local.get $i))
          (${result}.store ${at(2)} (call_indirect (type $t) ${operands.join(" ")} (local.get $func)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))))`);
    const { exports } = instantiate(compileSync(bytes), { m: { table } }, store);
    return new Caller(exports["run"] as Caller["run"], new DataView((exports["memory"] as Memory).buffer), /32/.test(result));
  }

  /** @returns result bits, or the trap's message, of each. */
  callAll(func: number, lists: readonly (readonly bigint[])[]): (bigint | string)[] {
    lists.forEach((list, n) => list.forEach((bits, i) => this.memory.setBigUint64(PLACES[i]! + 8 * n, bits, true)));
    const traps = new Map<number, string>();
    for (let from = 0; from < lists.length; ) {
      try {
        this.run(func, from, lists.length);
        break;
      } catch (error) {
        if (!(error instanceof Trap)) throw error;
        const at = this.memory.getInt32(0, true);
        traps.set(at, error.message);
        from = at + 1;
      }
    }
    return lists.map((_, n) => traps.get(n) ?? (this.narrow ? BigInt(this.memory.getUint32(PLACES[2] + 8 * n, true)) : this.memory.getBigUint64(PLACES[2] + 8 * n, true)));
  }
}

function compile({ features, level, bounds, into = "stack" }: NumericRun, cases: readonly Case[]): CompiledModule {
  if (level === "baseline") return compileSync(bytesOf(cases, into), { level, features, bounds, lazy: false });
  const target = targetNamed();
  const { module, funcs } = build(cases);
  const layout = new VmLayout(module);
  const options = { level, bounds, features: new Set(features) };
  const allocator = new Allocator(target.registers);
  const builder = new ModuleCodeBuilder(target, 0, funcs.length);
  for (const fn of funcs) {
    const mfn = target.lower(fn, { module, layout }, options);
    assert.equal(verifyMFunc(mfn, target).map(String), []);
    allocator.allocate(mfn, { level, check: true });
    builder.add(target.emit(mfn, options));
  }
  return { module, layout, code: builder.finish(), functions: (i: FuncIndex) => funcs[i]!, stubs: target.stubs, bounds };
}

export async function runNumericOps(run: NumericRun): Promise<void> {
  const { constants, otherNans = false } = run;
  const cases = numeric.flatMap((info) => casesOf(info.op, constants));
  const store = new Store();
  const { exports } = instantiate(compile(run, cases), {}, store);
  const table = new Table({ element: "funcref", initial: cases.length }, null, store);
  cases.forEach((_, n) => table.set(n, exports[n]));
  const callers = new Map<string, Caller>();
  const wrong: string[] = [];
  let calls = 0;
  let nans = 0;
  for (const [n, { op, sources }] of cases.entries()) {
    const { args, name, result } = opInfo[op]!;
    const types = [...args, result].map((type) => typeName(type as Type));
    let caller = callers.get(types.join(" "));
    if (!caller) callers.set(types.join(" "), (caller = await Caller.make(types, table, store)));
    const lefts = sources[0]!.from === "const" ? [sources[0]!.bits] : values[args[0] as Type]!;
    const rights = args.length === 1 ? [0n] : sources[1]!.from === "const" ? [sources[1]!.bits] : sources[1]!.from === "left" ? undefined : values[args[1] as Type]!;
    const lists = lefts.flatMap((x) => (rights ?? [x]).map((y) => (args.length === 1 ? [x] : [x, y])));
    caller.callAll(n, lists).forEach((got, i) => {
      const operands = lists[i]!;
      const want = expected(op, operands);
      let same = typeof want === "string" ? typeof got === "string" && got.startsWith(want) : got === want;
      calls++;
      if (otherNans && !same && typeof got === "bigint" && typeof want === "bigint" && isArithmetic(op) && isQuietNan(want, result)) {
        same = isQuietNan(got, result);
        nans++;
      }
      if (!same && wrong.length < 20) {
        const how = sources.map((source) => source.from).join(" ");
        wrong.push(`${name} (${how}) ${operands.map((z) => "0x" + z.toString(16)).join(" ")}: expected ${typeof want === "string" ? want : "0x" + want.toString(16)}, got ${typeof got === "string" ? got : "0x" + got.toString(16)}`);
      }
    });
  }
  assert.equal(wrong, []);
  assert.ok(nans < calls / 10, `${nans} of ${calls} results are NaNs of other bits`);
  console.log(`  ${cases.length} functions, ${calls} calls`);
}
