// Decodes and validates one function body in one walk over its bytes (spec 3.3, 5.4).
//
// Nothing recurses, and time is linear in the body's length. Relies on body-state.ts for the stacks, on opcodes.ts and simd-ops.ts for
// the types of all instructions whose types are fixed.
import type { FuncIndex } from "../../ir/entity.js";
import type { Module } from "../../ir/module.js";
import { Type, isRef, typeName, type FuncType } from "../../ir/types.js";
import { emptyBlock } from "./block-type.js";
import { BodyState } from "./body-state.js";
import { laterFeature, printOpcode } from "./error.js";
import { Limit } from "./limits.js";
import { Code, CodeFc, Shape, maxAlign, shapes, shapesFc } from "./opcodes.js";
import { SimdImm, simdOps } from "./simd-ops.js";

/** Bytes of an instruction that `plain` takes, at most. */
const PLAIN_BYTES = 8;
/** The block type of a block without parameters and results. */
const EMPTY_BLOCK = 0x40;

export class BodyValidator extends BodyState {
  /** As the data count section says, -1 without one. */
  private readonly dataCount: number;
  /** `declared[f]`: f may be named by ref.func (the spec's C.refs). */
  private readonly declared: Uint8Array;

  constructor(m: Module, dataCount: number) {
    super(m);
    this.dataCount = dataCount;
    this.declared = new Uint8Array(m.funcs.length);
    for (const f of m.referencedFuncs()) this.declared[f] = 1;
  }

  /** Validates the body of a function whose byte range is known; throws a WasmError. */
  validate(func: FuncIndex): void {
    const decl = this.m.funcs[func]!;
    this.func = func;
    this.pos = decl.bodyStart;
    this.end = decl.bodyEnd;
    this.where = `the body of function ${func}`;
    const sig = this.m.funcType(func);
    this.readLocals(sig);
    this.height = 0;
    this.maxHeight = 0;
    this.depth = 0;
    this.pushFrame(Code.block, { params: [], results: sig.results });
    do {
      this.plain();
      this.instruction();
    } while (this.depth > 0);
    if (this.pos !== this.end) {
      this.fail("malformed", `expected the end of ${this.where}, found ${this.end - this.pos} bytes behind its last end`, this.pos);
    }
    decl.maxHeight = this.maxHeight;
  }

  // ---------------------------------------------------------------- instructions

  /**
   * The instructions that most of a body consists of, as far as nothing is special about them: of fixed types, locals, constants, calls, blocks and
   * branches without values. Stops in front of the first other one, and of whatever is wrong: `instruction` says so. It keeps its state in
   * variables, for in a program that starts it runs long before the engine optimizes it.
   */
  private plain(): void {
    const { bytes, stack, localTypes, frameSig } = this;
    const { funcs, types, memories } = this.m;
    const end = this.end - PLAIN_BYTES;
    // Those whose index is one byte.
    const locals = Math.min(this.localCount, localTypes.length, 0x80);
    const room = stack.length - 1;
    let { pos, height, base, depth, maxHeight } = this;
    while (pos < end) {
      const opcode = bytes[pos]!;
      let p = pos + 1;
      let h = height;
      const shape = shapes[opcode]!;
      if (shape !== 0) {
        if (opcode <= Code.last_memarg) {
          if (bytes[p++]! > maxAlign[opcode]! || memories.length === 0) break;
          if (bytes[p++]! >= 0x80 && bytes[p++]! >= 0x80 && bytes[p++]! >= 0x80) break;
        }
        const c = (shape >> 6) & 7;
        const b = (shape >> 3) & 7;
        const a = shape & 7;
        if (c !== 0 && (h === base || stack[--h] !== c)) break;
        if (b !== 0 && (h === base || stack[--h] !== b)) break;
        if (a !== 0 && (h === base || stack[--h] !== a)) break;
        const result = (shape >> Shape.result_shift) & 7;
        if (result !== 0) {
          if (h >= room) break;
          stack[h++] = result;
        }
      } else if (opcode >= Code.local_get && opcode <= Code.local_tee) {
        const local = bytes[p++]!;
        if (local >= locals) break;
        const type = localTypes[local]!;
        if (opcode === Code.local_get) {
          if (h >= room) break;
          stack[h++] = type;
        } else {
          if (h === base || stack[h - 1] !== type) break;
          if (opcode === Code.local_set) h--;
        }
      } else if (opcode === Code.i32_const || opcode === Code.i64_const) {
        // Four bytes hold nothing but what fits.
        if (bytes[p++]! >= 0x80 && bytes[p++]! >= 0x80 && bytes[p++]! >= 0x80 && bytes[p++]! >= 0x80) break;
        if (h >= room) break;
        stack[h++] = opcode === Code.i32_const ? Type.i32 : Type.i64;
      } else if (opcode === Code.end) {
        // Not the body's own: its signature is another object.
        if (frameSig[depth - 1] !== emptyBlock || h !== base) break;
        this.popFrame();
        base = this.base;
        depth--;
      } else if (opcode === Code.br_if || opcode === Code.br) {
        const label = bytes[p++]!;
        if (label >= depth || label >= 0x80 || frameSig[depth - 1 - label] !== emptyBlock) break;
        if (opcode === Code.br_if) {
          if (h === base || stack[--h] !== Type.i32) break;
        } else {
          h = base;
          this.unreachable = true;
        }
      } else if (opcode === Code.block || opcode === Code.loop || opcode === Code.if_) {
        if (bytes[p++] !== EMPTY_BLOCK) break;
        if (opcode === Code.if_ && (h === base || stack[--h] !== Type.i32)) break;
        this.height = h;
        this.pushFrame(opcode, emptyBlock);
        base = h;
        depth++;
      } else if (opcode === Code.call) {
        let index = bytes[p++]!;
        if (index >= 0x80) {
          const high = bytes[p++]!;
          if (high >= 0x80) break;
          index += (high - 1) << 7;
        }
        if (index >= funcs.length) break;
        const { params, results } = types[funcs[index]!.type]!;
        let left = params.length;
        while (left > 0 && h > base && stack[h - 1] === params[left - 1]) {
          h--;
          left--;
        }
        if (left > 0 || h + results.length > room) break;
        for (let i = 0; i < results.length; i++) stack[h++] = results[i]!;
      } else if (opcode === Code.drop) {
        if (h === base) break;
        h--;
      } else break;
      pos = p;
      height = h;
      if (h > maxHeight) maxHeight = h;
    }
    this.pos = pos;
    this.height = height;
    this.maxHeight = maxHeight;
  }

  private instruction(): void {
    this.at = this.pos;
    const opcode = this.byte("an instruction, or end");
    this.opcode = opcode;
    const shape = shapes[opcode]!;
    if (shape !== 0) {
      if (opcode <= Code.last_memarg) this.memarg(maxAlign[opcode]!);
      this.simple(shape);
      return;
    }
    switch (opcode) {
      case Code.unreachable:
        return this.restUnreachable();
      case Code.nop:
        return;
      case Code.block:
      case Code.loop: {
        const sig = this.blockType();
        this.popAll(sig.params);
        return this.pushFrame(opcode, sig);
      }
      case Code.if_: {
        const sig = this.blockType();
        this.pop(Type.i32);
        this.popAll(sig.params);
        return this.pushFrame(opcode, sig);
      }
      case Code.else_: {
        if (this.frameCode[this.depth - 1] !== Code.if_) this.refuse(`expected an if around else, found none`, "malformed");
        const sig = this.leaveFrame();
        this.popFrame();
        return this.pushFrame(Code.else_, sig);
      }
      case Code.end: {
        const sig = this.leaveFrame();
        if (this.frameCode[this.depth - 1] === Code.if_) this.checkIfWithoutElse(sig);
        this.popFrame();
        return this.pushAll(sig.results);
      }
      case Code.br:
        this.popAll(this.labelTypes(this.label()));
        return this.restUnreachable();
      case Code.br_if: {
        const types = this.labelTypes(this.label());
        this.pop(Type.i32);
        this.popAll(types);
        return this.pushAll(types);
      }
      case Code.br_table:
        return this.brTable();
      case Code.return_:
        this.popAll(this.frameSig[0]!.results);
        return this.restUnreachable();
      case Code.call: {
        const index = this.u32("a function index");
        if (index >= this.m.funcs.length) this.wrongIndex("function", this.m.funcs.length, index);
        const sig = this.m.funcType(index as FuncIndex);
        this.popAll(sig.params);
        return this.pushAll(sig.results);
      }
      case Code.call_indirect:
        return this.callIndirect();
      case Code.drop:
        this.pop(Type.none);
        return;
      case Code.select:
        return this.select();
      case Code.select_typed: {
        const n = this.u32("the number of types of select");
        if (n !== 1) this.refuse(`expected one type for select, found ${n}`);
        const type = this.valueType("the type of select");
        this.pop(Type.i32);
        this.pop(type);
        this.pop(type);
        return this.push(type);
      }
      case Code.local_get:
        return this.push(this.localType());
      case Code.local_set:
        this.pop(this.localType());
        return;
      case Code.local_tee: {
        const type = this.localType();
        this.pop(type);
        return this.push(type);
      }
      case Code.global_get:
        return this.push(this.global().type);
      case Code.global_set: {
        const global = this.global();
        if (!global.mutable) this.refuse(`expected a mutable global for global.set, found an immutable one`);
        this.pop(global.type);
        return;
      }
      case Code.table_get: {
        const elem = this.table();
        this.pop(Type.i32);
        return this.push(elem);
      }
      case Code.table_set: {
        const elem = this.table();
        this.pop(elem);
        this.pop(Type.i32);
        return;
      }
      case Code.memory_size:
        this.memory();
        return this.push(Type.i32);
      case Code.memory_grow:
        this.memory();
        this.pop(Type.i32);
        return this.push(Type.i32);
      case Code.i32_const:
        this.s32("a constant");
        return this.push(Type.i32);
      case Code.i64_const:
        this.s64("a constant");
        return this.push(Type.i64);
      case Code.f32_const:
        this.skip(4, "a float constant");
        return this.push(Type.f32);
      case Code.f64_const:
        this.skip(8, "a float constant");
        return this.push(Type.f64);
      case Code.ref_null:
        return this.push(this.refType("the type of ref.null"));
      case Code.ref_is_null: {
        const type = this.pop(Type.none);
        if (type !== Type.none && !isRef(type)) {
          this.refuse(`expected a reference for ref.is_null, found ${typeName(type)}`);
        }
        return this.push(Type.i32);
      }
      case Code.ref_func: {
        const index = this.u32("a function index");
        if (index >= this.m.funcs.length) this.wrongIndex("function", this.m.funcs.length, index);
        if (this.declared[index] === 0) {
          const where = "in an element segment, an export or a global";
          this.refuse(`expected ref.func of a function that is declared ${where}, found function ${index}`);
        }
        return this.push(Type.funcref);
      }
      case Code.prefix_fc:
        return this.instructionFc();
      case Code.prefix_simd:
        return this.instructionSimd();
      default: {
        const later = laterFeature(opcode);
        if (later !== undefined) this.unsupported(later, `opcode ${printOpcode(opcode)} in function ${this.func}`, this.at);
        this.refuse(`expected an instruction, found ${printOpcode(opcode)}, which is none`, "malformed");
      }
    }
  }

  /** Fixed operand and result types. */
  private simple(shape: number): void {
    const c = (shape >> 6) & 7;
    if (c !== 0) this.pop(c);
    const b = (shape >> 3) & 7;
    if (b !== 0) this.pop(b);
    const a = shape & 7;
    if (a !== 0) this.pop(a);
    const result = (shape >> Shape.result_shift) & 7;
    if (result !== 0) this.push(result);
  }

  private instructionFc(): void {
    const sub = this.u32("an opcode behind 0xfc");
    this.prefixed = sub;
    const m = this.m;
    switch (sub) {
      case CodeFc.memory_init:
        this.dataIndex();
        this.memory();
        return this.popThree();
      case CodeFc.data_drop:
        return this.dataIndex();
      case CodeFc.memory_copy:
        this.memory();
        this.memory();
        return this.popThree();
      case CodeFc.memory_fill:
        this.memory();
        return this.popThree();
      case CodeFc.table_init: {
        const elem = this.elemIndex();
        const type = this.table();
        if (m.elems[elem]!.type !== type) this.mismatch(type, m.elems[elem]!.type);
        return this.popThree();
      }
      case CodeFc.elem_drop:
        this.elemIndex();
        return;
      case CodeFc.table_copy: {
        const to = this.table();
        const from = this.table();
        if (to !== from) this.mismatch(to, from);
        return this.popThree();
      }
      case CodeFc.table_grow: {
        const type = this.table();
        this.pop(Type.i32);
        this.pop(type);
        return this.push(Type.i32);
      }
      case CodeFc.table_size:
        this.table();
        return this.push(Type.i32);
      case CodeFc.table_fill: {
        const type = this.table();
        this.pop(Type.i32);
        this.pop(type);
        this.pop(Type.i32);
        return;
      }
      default:
        if (sub <= CodeFc.last_trunc_sat) return this.simple(shapesFc[sub]!);
        this.refuse(`expected an instruction, found opcode ${printOpcode(sub, 0xfc)}, which is none`, "malformed");
    }
  }

  private popThree(): void {
    this.pop(Type.i32);
    this.pop(Type.i32);
    this.pop(Type.i32);
  }

  private instructionSimd(): void {
    const sub = this.u32("an opcode behind 0xfd");
    this.prefixed = sub;
    const row = simdOps[sub];
    if (!row) {
      if (sub >= 0x100 && sub <= 0x12f) this.unsupported("relaxed SIMD", `opcode ${printOpcode(sub, 0xfd)} in function ${this.func}`, this.at);
      this.refuse(`expected an instruction, found opcode ${printOpcode(sub, 0xfd)}, which is none`, "malformed");
    }
    this.usesSimd(this.at);
    if (row.imm === SimdImm.memarg || row.imm === SimdImm.memarg_lane) this.memarg(row.align);
    if (row.imm === SimdImm.lane || row.imm === SimdImm.memarg_lane) this.lane(row.lanes);
    else if (row.imm === SimdImm.bytes) this.skip(16, "the bytes of v128.const");
    else if (row.imm === SimdImm.shuffle) for (let i = 0; i < 16; i++) this.lane(32);
    this.simple(row.shape);
  }

  private lane(lanes: number): void {
    const lane = this.byte("a lane index");
    if (lane >= lanes) this.refuse(`expected a lane index below ${lanes} for ${this.operator()}, found ${lane}`);
  }

  /** `else` may be missing only where parameters serve as results. */
  private checkIfWithoutElse(sig: FuncType): void {
    const { params, results } = sig;
    if (params === results) return;
    let same = params.length === results.length;
    for (let i = 0; same && i < params.length; i++) same = params[i] === results[i];
    if (!same) this.refuse(`expected an else, as the results of the if are not its parameters, found end`);
  }

  private brTable(): void {
    this.pop(Type.i32);
    const n = this.count("labels", Limit.function_bytes);
    const serial = ++this.tables;
    let arity = -1;
    for (let i = 0; i <= n; i++) {
      const frame = this.label();
      if (this.frameSeen[frame] === serial) continue;
      this.frameSeen[frame] = serial;
      const types = this.labelTypes(frame);
      if (arity >= 0 && types.length !== arity) {
        this.refuse(`expected labels of ${arity} values for br_table, found one of ${types.length}`);
      }
      arity = types.length;
      this.peekAll(types);
    }
    this.restUnreachable();
  }

  private callIndirect(): void {
    const type = this.u32("a type index");
    const sig = this.m.types[type];
    if (!sig) this.wrongIndex("type", this.m.types.length, type);
    const elem = this.table();
    if (elem !== Type.funcref) this.refuse(`expected a table of funcref for call_indirect, found one of ${typeName(elem)}`);
    this.pop(Type.i32);
    this.popAll(sig.params);
    this.pushAll(sig.results);
  }

  private select(): void {
    this.pop(Type.i32);
    const b = this.pop(Type.none);
    const a = this.pop(b);
    const type = a === Type.none ? b : a;
    if (isRef(type)) this.refuse(`expected operands of a number or vector type for select without a type, found ${typeName(type)}`);
    this.push(type);
  }

  // ---------------------------------------------------------------- immediates

  private skip(n: number, what: string): void {
    if (n > this.end - this.pos) this.failEnd(what);
    this.pos += n;
  }

  private memarg(max: number): void {
    const align = this.u32("an alignment");
    if (align > max) {
      const found = align < 32 ? `2^${align}` : align;
      this.refuse(`expected an alignment of at most 2^${max} bytes for ${this.operator()}, found ${found}`);
    }
    this.u32("an offset");
    if (this.m.memories.length === 0) this.wrongIndex("memory", 0, 0);
  }

  private memory(): void {
    const index = this.byte("a memory index");
    if (index !== 0) this.refuse(`expected 0 as the memory of ${this.operator()}, found ${printOpcode(index)}`, "malformed");
    if (this.m.memories.length === 0) this.wrongIndex("memory", 0, 0);
  }

  private global(): { type: Type; mutable: boolean } {
    const index = this.u32("a global index");
    return this.m.globals[index] ?? this.wrongIndex("global", this.m.globals.length, index);
  }

  /** Reads a table index; the type of its elements. */
  private table(): Type {
    const index = this.u32("a table index");
    return (this.m.tables[index] ?? this.wrongIndex("table", this.m.tables.length, index)).elem;
  }

  private elemIndex(): number {
    const index = this.u32("an element segment's index");
    if (index >= this.m.elems.length) this.wrongIndex("element segment", this.m.elems.length, index);
    return index;
  }

  private dataIndex(): void {
    const index = this.u32("a data segment's index");
    if (this.dataCount < 0) this.refuse(`expected a data count section, needed for ${this.operator()}, found none`, "malformed");
    if (index >= this.dataCount) this.wrongIndex("data segment", this.dataCount, index);
  }
}
