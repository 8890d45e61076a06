// Selection for arm64: the entry point, and the dispatch from SSA ops to the files with the rules.
//
// SSA (critical edges split, block order final) => machine IR on virtual registers. The walk over the function is the shared
// driver's (backends/lower.ts); rules look at producers to take them in (see selection.ts).
import type { Block, Edge, Value } from "../../ir/entity.js";
import type { Func } from "../../ir/func.js";
import { Op } from "../../ir/ops.js";
import { Type } from "../../ir/types.js";
import type { MFunc } from "../../ir/machine/mfunc.js";
import { Lowering, type Selector } from "../lower.js";
import type { CodegenModule, CodegenOptions } from "../target.js";
import { lowerCall, lowerCallIndirect } from "./lower-call.js";
import { Condition } from "./lower-compare.js";
import { lowerCompare, lowerIncrement, lowerSelect, lowerTerminator } from "./lower-control.js";
import { lowerConversion, lowerFloat } from "./lower-float.js";
import { lowerInt } from "./lower-int.js";
import { lowerGlobalGet, lowerGlobalSet, lowerLoad, lowerMemoryCopy, lowerMemoryFill, lowerMemorySize, lowerStore, lowerTable } from "./lower-memory.js";
import { M } from "./mops.js";
import { registers } from "./registers.js";
import { Selection, U } from "./selection.js";

export function lower(fn: Func, module: CodegenModule, options: CodegenOptions): MFunc {
  const lowering = new Lowering(fn, module, options, registers);
  return lowering.run(new Arm64Selector(lowering));
}

class Arm64Selector implements Selector {
  private readonly s: Selection;
  private readonly condition: Condition;

  constructor(private readonly low: Lowering) {
    this.s = new Selection(low);
    this.condition = new Condition(this.s);
  }

  terminator(v: Value): void {
    this.s.atEnd(this.low.rootBlock);
    lowerTerminator(this.s, this.condition, v);
  }

  constant(v: Value): number {
    const { fn } = this.low;
    const r = this.low.temp(fn.type[v]! as Type);
    this.makeConstant(v, r);
    return r;
  }

  stackArg(vreg: number, offset: number, type: Type): void {
    const { s } = this;
    this.low.inst(M.stack_arg, offset, type, 0, 0);
    s.add(vreg, U.def);
    s.mfn.setRemat(vreg, M.stack_arg, offset, type);
  }

  behind(v: Value): void {
    this.s.behind(v);
  }

  drops(param: Value): boolean {
    return this.s.plan()?.inductions?.drops(param) === true;
  }

  carried(b: Block): readonly number[] {
    return this.s.carried(b);
  }

  carriedOn(e: Edge): readonly number[] {
    return this.s.carriedOn(e);
  }

  entry(): void {
    this.s.entry();
  }

  private makeConstant(v: Value, r: number): void {
    const { s } = this;
    const { fn } = this.low;
    const lo = fn.imm[v]!;
    const hi = fn.imm2[v]!;
    switch (fn.op[v]! as Op) {
      case Op.i32_const: return this.define(r, M.iconst32, lo, 0);
      case Op.i64_const: return this.define(r, M.iconst64, lo, hi);
      case Op.ref_null: return this.define(r, M.iconst64, 0, 0);
      case Op.ref_func: return this.define(r, M.ctx_load, s.layout.ref(lo as never), 0);
      case Op.f32_const: case Op.f64_const: {
        const mop = s.floatConstant(lo, hi, fn.type[v]! as Type);
        return this.define(r, mop, s.constImm, s.constImm2);
      }
      default: throw new Error(`v${v}: no constant`);
    }
  }

  /** An instruction without register uses: the allocator may make the value again anywhere. */
  private define(r: number, mop: number, imm: number, imm2: number): void {
    this.s.mfn.setRemat(r, mop, imm, imm2);
    this.s.inst(mop, imm, imm2);
    this.s.add(r, U.def);
  }

  value(v: Value): void {
    const { s } = this;
    const op = this.low.fn.op[v]! as Op;
    if (op >= Op.i32_eqz && op <= Op.f64_ge) return lowerCompare(s, this.condition, v);
    if ((op === Op.i32_add || op === Op.i64_add) && lowerIncrement(s, this.condition, v, op === Op.i64_add ? 64 : 32)) return;
    if ((op === Op.i32_and || op === Op.i32_or) && this.condition.joins(v)) return lowerCompare(s, this.condition, v);
    if (op >= Op.i32_clz && op <= Op.i64_rotr) return lowerInt(s, v, op);
    if (op >= Op.f32_abs && op <= Op.f64_copysign) return lowerFloat(s, v, op);
    if (op >= Op.i32_wrap_i64 && op < Op.count) return lowerConversion(s, v, op);
    if (op >= Op.i32_load && op <= Op.i64_load32_u) return lowerLoad(s, v);
    if (op >= Op.i32_store && op <= Op.i64_store32) return lowerStore(s, v, op);
    switch (op) {
      case Op.i32_const: case Op.i64_const: case Op.f32_const: case Op.f64_const: case Op.ref_null: case Op.ref_func:
        return this.makeConstant(v, s.result());
      case Op.select: return lowerSelect(s, this.condition, v);
      case Op.ref_is_null: return lowerCompare(s, this.condition, v);
      case Op.call: return lowerCall(s, v);
      case Op.call_indirect: return lowerCallIndirect(s, v);
      case Op.global_get: return lowerGlobalGet(s, v);
      case Op.global_set: return lowerGlobalSet(s, v);
      case Op.memory_size: return lowerMemorySize(s, v);
      case Op.memory_fill: return lowerMemoryFill(s, v);
      case Op.memory_copy: return lowerMemoryCopy(s, v);
      case Op.table_get: case Op.table_set: case Op.table_size: case Op.table_grow: case Op.table_fill: case Op.table_copy: case Op.table_init:
      case Op.elem_drop: case Op.memory_grow: case Op.memory_init: case Op.data_drop:
        return lowerTable(s, v, op);
      default:
        throw new Error(`@${this.low.fn.index}: v${v} has op ${op}, which lowering does not know`);
    }
  }
}
