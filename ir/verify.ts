// Says what is wrong with a function: every rule of the IR, in linear time, on any input however broken.
//
// Four steps, each resting on the one before: lists and links; edges against terminators; operands and types against the op
// table and the module; definitions dominate uses. A step whose ground is broken does not run. In blocks that no path
// reaches, dominance holds vacuously and only the order within the block counts. Module-wide rules: verify-module.ts.
import { NONE, type Block, type Edge, type FuncIndex, type Value } from "./entity.js";
import { computeDom, dominates } from "./analysis/dom.js";
import type { Func } from "./func.js";
import type { Module } from "./module.js";
import { ANY, ANY_REF, Is, Op, opFlags, opInfo } from "./ops.js";
import { isRef, printFuncType, sameFuncType, Type, valueTypes, type FuncType } from "./types.js";

export { verifyModule } from "./verify-module.js";

export interface VerifierError {
  /** NONE for an error in the declarations. */
  readonly func: FuncIndex;
  /** NONE where no single block, no single value is to blame. */
  readonly block: Block;
  readonly value: Value;
  /** Short name of the broken rule: `dominance`, `operand-type` ... */
  readonly rule: string;
  readonly message: string;
}

/** `@3 b1 v5 [dominance]: ...`. */
export function printVerifierError(error: VerifierError): string {
  const where: string[] = [];
  if (error.func !== NONE) where.push(`@${error.func}`);
  if (error.block !== NONE) where.push(`b${error.block}`);
  if (error.value !== NONE) where.push(`v${error.value}`);
  return `${where.join(" ")}${where.length > 0 ? " " : ""}[${error.rule}]: ${error.message}`;
}

/** After so many errors the verifier stops looking: the first ones tell. */
const MAX_ERRORS = 50;

/** All broken rules of one function, at most 50; none means it is well formed. Without a module, what it declares is not checked. */
export function verifyFunc(fn: Func, module?: Module): VerifierError[] {
  const verifier = new FuncVerifier(fn, module);
  verifier.lists();
  if (verifier.errors.length === 0) verifier.edges();
  const structureHolds = verifier.errors.length === 0;
  if (structureHolds) verifier.signature();
  if (structureHolds) verifier.operands();
  if (structureHolds && !verifier.operandMissing) verifier.dominance();
  return verifier.errors.slice(0, MAX_ERRORS);
}

class FuncVerifier {
  readonly errors: VerifierError[] = [];
  /** An operand or argument names no value of the function. */
  operandMissing = false;
  /** Place of a value in its block: parameters negative, instructions from 0; meaningless where `placed` is 0. */
  private readonly place: Int32Array;
  private readonly placed: Uint8Array;
  private readonly blockPlaced: Uint8Array;
  private refs: ReadonlySet<FuncIndex> | undefined = undefined;

  constructor(
    readonly fn: Func,
    readonly module: Module | undefined,
  ) {
    this.place = new Int32Array(fn.valueCount);
    this.placed = new Uint8Array(fn.valueCount);
    this.blockPlaced = new Uint8Array(fn.blockCount);
  }

  private fail(block: number, value: number, rule: string, message: string): void {
    if (this.errors.length < MAX_ERRORS) this.errors.push({ func: this.fn.index, block: block as Block, value: value as Value, rule, message });
  }

  // ---------------------------------------------------------------- lists and links

  lists(): void {
    const { fn, blockPlaced } = this;
    if (fn.firstBlock === NONE) return this.fail(NONE, NONE, "entry", "a function has at least one block");
    let prev = NONE;
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
      if (b < 0 || b >= fn.blockCount) return this.fail(prev, NONE, "block-list", `the order of blocks goes on to b${b}, which does not exist`);
      if (blockPlaced[b]) return this.fail(b, NONE, "block-list", "the block stands twice in the order");
      if (fn.blockPrev[b] !== prev) return this.fail(b, NONE, "block-list", `its predecessor in the order is ${blockText(prev)}, it says ${blockText(fn.blockPrev[b]!)}`);
      blockPlaced[b] = 1;
      prev = b;
    }
    if (fn.lastBlock !== prev) return this.fail(prev, NONE, "block-list", `the order of blocks ends here, lastBlock says ${blockText(fn.lastBlock)}`);
    if (fn.entry !== fn.firstBlock) this.fail(fn.entry, NONE, "entry", `the entry is not the first block, b${fn.firstBlock} is`);
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
      this.params(b as Block);
      this.instructions(b as Block);
    }
  }

  private params(b: Block): void {
    const { fn } = this;
    const count = fn.paramCount[b]!;
    if (!inPool(fn, fn.paramStart[b]!, count)) return this.fail(b, NONE, "param-list", "its parameters lie outside of the pool");
    for (let i = 0; i < count; i++) {
      const v = fn.param(b, i);
      if (v < 0 || v >= fn.valueCount) {
        this.fail(b, NONE, "param-list", `parameter ${i} is v${v}, which does not exist`);
        continue;
      }
      if (this.placed[v]) this.fail(b, v, "param-list", "the value stands twice in the function");
      this.placed[v] = 1;
      this.place[v] = i - count;
      if (fn.op[v] !== Op.param) this.fail(b, v, "param-list", `parameter ${i} is a ${opText(fn.op[v]!)}`);
      if (fn.block[v] !== b) this.fail(b, v, "param-list", `it is a parameter of b${b} and says it belongs to ${blockText(fn.block[v]!)}`);
      if (fn.imm[v] !== i) this.fail(b, v, "param-list", `it is parameter ${i} and says it is parameter ${fn.imm[v]}`);
      if (!isValueType(fn.type[v]!)) this.fail(b, v, "result-type", "a parameter has a value type");
    }
  }

  private instructions(b: Block): void {
    const { fn } = this;
    let prev = NONE;
    let at = 0;
    for (let v = fn.firstInst[b]!; v !== NONE; v = fn.next[v]!) {
      if (v < 0 || v >= fn.valueCount) return this.fail(b, prev, "inst-list", `the next instruction is v${v}, which does not exist`);
      if (this.placed[v]) return this.fail(b, v, "inst-list", "the value stands twice in the function");
      if (fn.prev[v] !== prev) return this.fail(b, v, "inst-list", `the instruction before it is ${valueText(prev)}, it says ${valueText(fn.prev[v]!)}`);
      if (fn.block[v] !== b) this.fail(b, v, "inst-list", `it stands in b${b} and says it belongs to ${blockText(fn.block[v]!)}`);
      if (fn.op[v]! >= opInfo.length) return this.fail(b, v, "op", `there is no operation ${fn.op[v]}`);
      if (fn.op[v] === Op.param) this.fail(b, v, "inst-list", "a parameter stands among the instructions");
      if (!inPool(fn, fn.argStart[v]!, fn.argCount[v]!)) return this.fail(b, v, "operand-list", "its operands lie outside of the pool");
      if (prev !== NONE && fn.isTerminator(prev as Value)) this.fail(b, prev, "terminator", `${opText(fn.op[prev]!)} ends a block, and ${valueText(v)} follows`);
      this.placed[v] = 1;
      this.place[v] = at++;
      prev = v;
    }
    if (fn.lastInst[b] !== prev) return this.fail(b, prev, "inst-list", `the last instruction is ${valueText(prev)}, the block says ${valueText(fn.lastInst[b]!)}`);
    if (prev === NONE) this.fail(b, NONE, "terminator", "the block is empty: it needs a terminator");
    else if (!fn.isTerminator(prev as Value)) this.fail(b, prev, "terminator", `the block ends in ${opText(fn.op[prev]!)}, which is no terminator`);
  }

  // ---------------------------------------------------------------- edges

  edges(): void {
    const { fn } = this;
    // 1: named by a terminator. 2: seen in a list of predecessors.
    const seen = new Uint8Array(fn.edgeCount);
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) {
      const t = fn.terminator(b as Block);
      const op = fn.op[t]!;
      if (op === Op.br_table) {
        const [start, length] = [fn.imm[t]!, fn.imm2[t]!];
        if (length < 1 || start < 0 || start + length > fn.edgeTableLength) {
          this.fail(b, t, "edge-table", `entries ${start} to ${start + length} do not lie in the edge table, or there is no default`);
          continue;
        }
      }
      for (let i = 0; i < fn.targetCount(t); i++) {
        const e = fn.targetEdge(t, i);
        if (e < 0 || e >= fn.edgeCount) {
          this.fail(b, t, "edge", `target ${i} is edge ${e}, which does not exist`);
          continue;
        }
        if (seen[e]) {
          if (op !== Op.br_table) this.fail(b, t, "edge", `target ${i} is edge ${e}, which another target has already: only entries of a br_table share edges`);
          continue;
        }
        seen[e] = 1;
        if (fn.edgeFrom[e] !== b) this.fail(b, t, "edge", `edge ${e} leaves b${b} and says it leaves ${blockText(fn.edgeFrom[e]!)}`);
        const to = fn.edgeTo[e]!;
        if (to < 0 || to >= fn.blockCount || !this.blockPlaced[to]) this.fail(b, t, "edge", `edge ${e} enters ${blockText(to)}, which is in no order`);
        else if (!inPool(fn, fn.edgeArgStart[e]!, fn.edgeArgCount[e]!)) this.fail(b, t, "edge-args", `the arguments of edge ${e} lie outside of the pool`);
        else if (fn.edgeArgCount[e] !== fn.paramCount[to]) {
          this.fail(b, t, "edge-args", `the edge to b${to} has ${fn.edgeArgCount[e]} arguments, the block has ${fn.paramCount[to]} parameters`);
        }
      }
    }
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) this.preds(b as Block, seen);
    for (let e = 0; e < fn.edgeCount; e++) {
      if (seen[e] === 1) this.fail(fn.edgeFrom[e]!, NONE, "preds", `edge ${e} enters ${blockText(fn.edgeTo[e]!)}, whose list of predecessors lacks it`);
    }
    if (fn.firstPred[fn.entry] !== NONE) this.fail(fn.entry, NONE, "entry", `an edge from b${fn.edgeFrom[fn.firstPred[fn.entry]!]} enters the entry`);
  }

  private preds(b: Block, seen: Uint8Array): void {
    const { fn } = this;
    let prev = NONE;
    for (let e = fn.firstPred[b]!; e !== NONE; e = fn.edgeNextPred[e]!) {
      if (e < 0 || e >= fn.edgeCount) return this.fail(b, NONE, "preds", `its list of predecessors goes on to edge ${e}, which does not exist`);
      if (seen[e] === 2) return this.fail(b, NONE, "preds", `edge ${e} stands twice in the lists of predecessors`);
      if (seen[e] === 0) this.fail(b, NONE, "preds", `edge ${e} is among its predecessors, and no terminator names it (it says it leaves ${blockText(fn.edgeFrom[e]!)})`);
      seen[e] = 2;
      if (fn.edgeTo[e] !== b) this.fail(b, NONE, "preds", `edge ${e} is among its predecessors and enters ${blockText(fn.edgeTo[e]!)}`);
      if (fn.edgePrevPred[e] !== prev) this.fail(b, NONE, "preds", `edge ${e} does not know the edge before it in the list of predecessors`);
      prev = e;
    }
    if (fn.lastPred[b] !== prev) this.fail(b, NONE, "preds", `the last edge among its predecessors is ${prev}, the block says ${fn.lastPred[b]}`);
  }

  // ---------------------------------------------------------------- operands and types

  signature(): void {
    const { fn, module } = this;
    const { params } = fn.sig;
    const count = fn.paramCount[fn.entry]!;
    if (count !== params.length) this.fail(fn.entry, NONE, "entry", `the entry has ${count} parameters, the signature ${params.length}`);
    for (let i = 0; i < Math.min(count, params.length); i++) {
      const v = fn.param(fn.entry, i);
      if (fn.type[v] !== params[i]) this.fail(fn.entry, v, "entry", `parameter ${i} is ${typeText(fn.type[v]!)}, the signature says ${typeText(params[i]!)}`);
    }
    if (!module) return;
    const decl = module.funcs[fn.index];
    if (!decl) return this.fail(NONE, NONE, "signature", `the module has no function @${fn.index}`);
    if (decl.imported) this.fail(NONE, NONE, "signature", "the function is imported and has a body");
    if (fn.frameParams !== NONE) return this.signatureOfRest(module.types[decl.type]);
    const type = module.types[fn.sigIndex];
    if (!type) this.fail(NONE, NONE, "signature", `the module has no type t${fn.sigIndex}`);
    else if (!sameFuncType(type, fn.sig)) this.fail(NONE, NONE, "signature", `t${fn.sigIndex} is ${printFuncType(type)}, the function is ${printFuncType(fn.sig)}`);
    const declared = module.types[decl.type];
    if (!declared || !sameFuncType(declared, fn.sig)) this.fail(NONE, NONE, "signature", `the module declares the function with t${decl.type}, which is not its signature`);
  }

  /** Of code that goes on with a function: its parameters are the locals, the first of them the function's own. */
  private signatureOfRest(declared: FuncType | undefined): void {
    const { fn } = this;
    const own = declared && { params: fn.sig.params.slice(0, declared.params.length), results: fn.sig.results };
    if (!own || !sameFuncType(declared, own)) this.fail(NONE, NONE, "signature", "the function goes on with one of another signature");
  }

  operands(): void {
    const { fn } = this;
    for (let b = fn.firstBlock as Block; b !== NONE; b = fn.blockNext[b]! as Block) {
      for (let v = fn.firstInst[b]! as Value; v !== NONE; v = fn.next[v]! as Value) this.instruction(b, v);
      const t = fn.terminator(b);
      // The arguments of the edges that enter, against the parameters.
      for (let e = fn.firstPred[b]! as Edge; e !== NONE; e = fn.edgeNextPred[e]! as Edge) {
        for (let i = 0; i < fn.paramCount[b]!; i++) {
          const x = fn.edgeArg(e, i);
          const want = fn.type[fn.param(b, i)]!;
          const from = fn.edgeFrom[e]! as Block;
          if (!this.exists(from, fn.terminator(from), x, `argument ${i} of the edge to b${b}`)) continue;
          if (fn.type[x] !== want) {
            this.fail(from, fn.terminator(from), "edge-args", `argument ${i} of the edge to b${b}, v${x}, is ${typeText(fn.type[x]!)}, the parameter is ${typeText(want)}`);
          }
        }
      }
      if (fn.type[t] !== Type.none) this.fail(b, t, "result-type", "a terminator has no result");
    }
  }

  private exists(b: Block, v: Value, x: number, what: string): boolean {
    if (x >= 0 && x < this.fn.valueCount && this.placed[x]) {
      if (this.fn.type[x] !== Type.none) return true;
      this.fail(b, v, "operand", `${what} is v${x}, a ${opText(this.fn.op[x]!)} without a result`);
      return false;
    }
    this.operandMissing = true;
    const gone = x >= 0 && x < this.fn.valueCount ? "which was removed" : "which does not exist";
    this.fail(b, v, "operand", x === NONE ? `${what} was never set` : `${what} is v${x}, ${gone}`);
    return false;
  }

  private instruction(b: Block, v: Value): void {
    const { fn, module } = this;
    const info = opInfo[fn.op[v]!]!;
    const count = fn.argCount[v]!;
    for (let i = 0; i < count; i++) if (!this.exists(b, v, fn.arg(v, i), `operand ${i}`)) return;
    if (info.result === ANY ? info.op !== Op.call && info.op !== Op.call_indirect && !isValueType(fn.type[v]!) : fn.type[v] !== info.result) {
      this.fail(b, v, "result-type", `the result of ${info.name} is ${info.result === ANY ? "of any value type" : typeText(info.result)}, not ${typeText(fn.type[v]!)}`);
    }
    const fixed = info.args.length;
    if (info.variadic ? count < fixed : count !== fixed) {
      this.fail(b, v, "operand-count", `${info.name} has ${info.variadic ? "at least " : ""}${fixed} operands, not ${count}`);
      return;
    }
    for (let i = 0; i < fixed; i++) this.expect(b, v, count - fixed + i, info.args[i]!);
    if (module) this.immediates(b, v, module);
    this.special(b, v, module);
  }

  /** Operand `i` is of type `want` (`ANY`, `ANY_REF`). */
  private expect(b: Block, v: Value, i: number, want: number): void {
    const { fn } = this;
    const x = fn.arg(v, i);
    const type = fn.type[x]! as Type;
    if (want === ANY || type === want || (want === ANY_REF && isRef(type))) return;
    this.fail(b, v, "operand-type", `operand ${i} of ${opText(fn.op[v]!)}, v${x}, is ${typeText(type)}, not ${want === ANY_REF ? "a reference" : typeText(want)}`);
  }

  /** Indices lie in the module's spaces. */
  private immediates(b: Block, v: Value, module: Module): void {
    const { fn } = this;
    const x = fn.imm[v]!;
    const y = fn.imm2[v]!;
    const within = (index: number, space: readonly unknown[], what: string) => {
      if (index < 0 || index >= space.length) this.fail(b, v, "index", `${opText(fn.op[v]!)} names ${what} ${index}, the module has ${space.length}`);
    };
    switch (opInfo[fn.op[v]!]!.imm) {
      case "func":
        within(x, module.funcs, "function");
        // The instance keeps references only of functions that are declared to need one.
        if (fn.op[v] === Op.ref_func && !(this.refs ??= new Set(module.referencedFuncs())).has(x as FuncIndex)) {
          this.fail(b, v, "index", `ref.func names @${x}, which no export, element segment or global names: declare it (cx.edit.declareRef)`);
        }
        return;
      case "type_table":
        within(x, module.types, "type");
        return within(y, module.tables, "table");
      case "global":
        return within(x, module.globals, "global");
      case "table":
        return within(x, module.tables, "table");
      case "table_table":
        within(x, module.tables, "table");
        return within(y, module.tables, "table");
      case "elem_table":
        within(x, module.elems, "element segment");
        return within(y, module.tables, "table");
      case "elem":
        return within(x, module.elems, "element segment");
      case "memarg":
        return within(y, module.memories, "memory");
      case "memory":
        return within(x, module.memories, "memory");
      case "memory_memory":
        within(x, module.memories, "memory");
        return within(y, module.memories, "memory");
      case "data_memory":
        within(x, module.datas, "data segment");
        return within(y, module.memories, "memory");
      case "data":
        return within(x, module.datas, "data segment");
    }
  }

  /** What the op table leaves open (`*`), op by op. */
  private special(b: Block, v: Value, module: Module | undefined): void {
    const { fn } = this;
    const own = fn.type[v]!;
    const x = fn.imm[v]!;
    const y = fn.imm2[v]!;
    switch (fn.op[v]) {
      case Op.copy:
        return this.expect(b, v, 0, own);
      case Op.select:
        this.expect(b, v, 0, own);
        return this.expect(b, v, 1, own);
      case Op.ref_null:
        if (!isRef(own as Type)) this.fail(b, v, "result-type", `ref.null makes a reference, not ${typeText(own)}`);
        return;
      case Op.return_:
        return this.expectAll(b, v, fn.sig.results, fn.argCount[v]!, "results");
      case Op.call: {
        const decl = module?.funcs[x];
        const sig = decl && module!.types[decl.type];
        if (sig) this.callee(b, v, sig, fn.argCount[v]!);
        return;
      }
      case Op.call_indirect: {
        const sig = module?.types[x];
        if (sig) this.callee(b, v, sig, fn.argCount[v]! - 1);
        if (module?.tables[y] && module.tables[y]!.elem !== Type.funcref) this.fail(b, v, "operand-type", `T${y} holds ${typeText(module.tables[y]!.elem)}, call_indirect needs funcref`);
        return;
      }
      case Op.result:
        return this.result(b, v, module);
      case Op.global_get:
      case Op.global_set: {
        const global = module?.globals[x];
        if (!global) return;
        if (fn.op[v] === Op.global_set) {
          this.expect(b, v, 0, global.type);
          if (!global.mutable) this.fail(b, v, "index", `g${x} is immutable`);
        } else if (own !== global.type) this.fail(b, v, "result-type", `g${x} is ${typeText(global.type)}, not ${typeText(own)}`);
        return;
      }
      case Op.table_get:
        if (module?.tables[x] && own !== module.tables[x]!.elem) this.fail(b, v, "result-type", `T${x} holds ${typeText(module.tables[x]!.elem)}, not ${typeText(own)}`);
        return;
      case Op.table_set:
      case Op.table_fill:
        if (module?.tables[x]) this.expect(b, v, 1, module.tables[x]!.elem);
        return;
      case Op.table_grow:
        if (module?.tables[x]) this.expect(b, v, 0, module.tables[x]!.elem);
        return;
      case Op.table_copy:
        if (module?.tables[x] && module.tables[y] && module.tables[x]!.elem !== module.tables[y]!.elem) this.fail(b, v, "operand-type", `T${x} and T${y} hold different references`);
        return;
      case Op.table_init:
        if (module?.elems[x] && module.tables[y] && module.elems[x]!.type !== module.tables[y]!.elem) this.fail(b, v, "operand-type", `elem${x} and T${y} hold different references`);
        return;
    }
  }

  private expectAll(b: Block, v: Value, types: readonly Type[], count: number, what: string): void {
    if (count !== types.length) return this.fail(b, v, "operand-count", `${opText(this.fn.op[v]!)} has ${count} ${what}, the signature ${types.length}`);
    for (let i = 0; i < count; i++) this.expect(b, v, i, types[i]!);
  }

  private callee(b: Block, v: Value, sig: FuncType, args: number): void {
    this.expectAll(b, v, sig.params, args, "arguments");
    const first = sig.results[0] ?? Type.none;
    if (this.fn.type[v] !== first) this.fail(b, v, "result-type", `the callee is ${printFuncType(sig)}, the first result is not ${typeText(this.fn.type[v]!)}`);
  }

  private result(b: Block, v: Value, module: Module | undefined): void {
    const { fn } = this;
    const call = fn.arg(v, 0);
    if (!(opFlags[fn.op[call]!]! & Is.call)) return this.fail(b, v, "result", `it takes a result of v${call}, which is a ${opText(fn.op[call]!)} and no call`);
    // Results of one call stand in a row behind it: looking one step back is enough.
    const before = fn.prev[v]! as Value;
    if (before !== call && !(before !== NONE && fn.op[before] === Op.result && fn.arg(before, 0) === call)) {
      this.fail(b, v, "result", `it must stand directly behind its call v${call}`);
    }
    const i = fn.imm[v]!;
    if (i < 1) return this.fail(b, v, "result", `result ${i} is the call itself`);
    if (!module) return;
    const type = fn.op[call] === Op.call ? module.funcs[fn.imm[call]!]?.type : fn.imm[call]!;
    const sig = type === undefined ? undefined : module.types[type];
    if (!sig) return;
    if (i >= sig.results.length) this.fail(b, v, "result", `the callee is ${printFuncType(sig)}: there is no result ${i}`);
    else if (sig.results[i] !== fn.type[v]) this.fail(b, v, "result-type", `result ${i} of ${printFuncType(sig)} is not ${typeText(fn.type[v]!)}`);
  }

  // ---------------------------------------------------------------- dominance

  dominance(): void {
    const { fn, place } = this;
    const dom = computeDom(fn);
    const check = (b: Block, user: Value, at: number, x: Value, what: string) => {
      const home = fn.block[x]! as Block;
      if (home === b) {
        if (place[x]! >= at) this.fail(b, user, "dominance", `${what}, v${x}, is defined behind its use`);
      } else if (dom.pre[b] !== NONE && !dominates(dom, home, b)) {
        this.fail(b, user, "dominance", `${what}, v${x}, is defined in b${home}, which does not dominate b${b}`);
      }
    };
    for (let b = fn.firstBlock as Block; b !== NONE; b = fn.blockNext[b]! as Block) {
      for (let v = fn.firstInst[b]! as Value; v !== NONE; v = fn.next[v]! as Value) {
        for (let i = 0; i < fn.argCount[v]!; i++) check(b, v, place[v]!, fn.arg(v, i), `operand ${i}`);
      }
      for (let e = fn.firstPred[b]! as Edge; e !== NONE; e = fn.edgeNextPred[e]! as Edge) {
        const from = fn.edgeFrom[e]! as Block;
        const t = fn.terminator(from);
        for (let i = 0; i < fn.edgeArgCount[e]!; i++) check(from, t, place[t]!, fn.edgeArg(e, i), `argument ${i} of the edge to b${b}`);
      }
    }
  }
}

function inPool(fn: Func, start: number, count: number): boolean {
  return count >= 0 && start >= 0 && start + count <= fn.poolLength;
}

function isValueType(type: number): boolean {
  return type > Type.none && type < valueTypes.length;
}

function typeText(type: number): string {
  return valueTypes[type as Type]?.name ?? `type ${type}`;
}

function opText(op: number): string {
  return opInfo[op]?.name ?? `operation ${op}`;
}

function blockText(b: number): string {
  return b === NONE ? "none" : `b${b}`;
}

function valueText(v: number): string {
  return v === NONE ? "none" : `v${v}`;
}
