// A constant-time checker: says where timing can depend on secrets. It changes nothing.
//
// Secrets are annotated: `secret=sign:0+1*` means that parameter 0 of the function "sign" is a secret, and that parameter 1
// points to secrets. Two facts flow forward through values, block parameters, globals and calls until nothing changes:
// "is secret", "points to secrets" (a load through such an address gives a secret). Reported are branches and br_table on a
// secret, addresses that depend on one, divisions of one, and indirect calls by one. A select is not: it becomes a
// conditional move. With `memory=all`, storing a secret anywhere makes every load secret, which is sound and coarse.
import { definePass, Is, memoryAccess, NONE, Op, opFlags, opInfo } from "wasmlathe";

const SECRET = 1;
const POINTER = 2;

/** @returns the pass, and `findings`: `{ func, name, offset, what, op }`, in the order of the module. */
export function constantTime() {
  const findings = [];
  const pass = definePass({
    name: "constant-time",
    summary: "report branches, addresses and divisions that depend on secrets",
    stage: "ssa",
    scope: "module",
    before: [{ pass: "*", why: "findings name what the module says; optimization may turn a select into a branch only in machine code" }],
    options: {
      secret: { default: "", summary: "secret parameters: function:index, + between indices, * behind one that points to secrets, / between functions" },
      memory: { default: "pointers", summary: "pointers: loads are secret through annotated pointers; all: also once any secret was stored" },
      quiet: { default: false, summary: "findings are only counted and collected, not printed" },
      error: { default: false, summary: "refuse the module when there is a finding" },
    },
    run(funcs, cx) {
      const flow = new Flow(funcs, cx.module, cx.options.memory === "all");
      annotate(flow, cx);
      flow.solve();
      const found = flow.findings();
      findings.push(...found);
      cx.count("findings", found.length);
      const text = found.map(({ func, name, offset, what, op }) => `@${func}${name === undefined ? "" : ` "${name}"`} !0x${offset.toString(16)}: ${what} (${op})`);
      if (cx.options.error && found.length > 0) throw new Error(`${found.length} places are not constant-time:\n  ${text.join("\n  ")}`);
      if (!cx.options.quiet) for (const line of text) process.stderr.write(`${line}\n`);
    },
  });
  return { pass, findings };
}

function annotate(flow, cx) {
  if (cx.options.secret === "") return;
  for (const part of cx.options.secret.split("/")) {
    const [name, list = ""] = part.split(":");
    const exported = cx.module.exports.find((item) => item.kind === "func" && item.name === name);
    const index = exported ? exported.index : cx.module.funcs.findIndex((func) => func.name === name);
    const fn = flow.funcOf.get(index);
    if (!fn) throw new Error(`secret=${part}: the module has no function "${name}" of its own`);
    for (const item of list.split("+")) {
      const param = /^(\d+)(\*?)$/.exec(item);
      if (!param || Number(param[1]) >= fn.sig.params.length) throw new Error(`secret=${part}: "${item}" is none of the ${fn.sig.params.length} parameters`);
      flow.join(fn, fn.param(fn.entry, Number(param[1])), param[2] === "*" ? POINTER : SECRET);
    }
  }
}

/** Facts by value, per function; they only grow, so the rounds end. */
class Flow {
  constructor(funcs, module, allMemory) {
    this.funcs = funcs;
    this.module = module;
    this.allMemory = allMemory;
    this.funcOf = new Map(funcs.map((fn) => [fn.index, fn]));
    this.facts = new Map(funcs.map((fn) => [fn, new Uint8Array(fn.valueCount)]));
    this.results = new Map(funcs.map((fn) => [fn.index, new Uint8Array(fn.sig.results.length)]));
    this.globals = new Uint8Array(module.globals.length);
    this.memorySecret = false;
    this.changed = true;
  }

  join(fn, v, fact) {
    const facts = this.facts.get(fn);
    if ((facts[v] | fact) === facts[v]) return;
    facts[v] |= fact;
    this.changed = true;
  }

  solve() {
    while (this.changed) {
      this.changed = false;
      for (const fn of this.funcs) this.round(fn);
    }
  }

  round(fn) {
    const facts = this.facts.get(fn);
    for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) {
      for (let v = fn.firstInst[b]; v !== NONE; v = fn.next[v]) {
        const op = fn.op[v];
        const access = memoryAccess(op);
        if (access && opFlags[op] & Is.reads_memory) {
          if (facts[fn.arg(v, 0)] !== 0 || (this.allMemory && this.memorySecret)) this.join(fn, v, SECRET);
        } else if (access) {
          if (facts[fn.arg(v, 1)] & SECRET && !this.memorySecret) this.memorySecret = this.changed = true;
        } else if (op === Op.call) this.call(fn, v, fn.imm[v]);
        else if (op === Op.result) continue;
        else if (op === Op.return_) this.return(fn, v, facts);
        else if (op === Op.global_get) this.join(fn, v, this.globals[fn.imm[v]]);
        else if (op === Op.global_set) {
          const fact = this.globals[fn.imm[v]] | facts[fn.arg(v, 0)];
          if (fact !== this.globals[fn.imm[v]]) this.changed = true;
          this.globals[fn.imm[v]] = fact;
        } else {
          let fact = 0;
          for (let i = 0; i < fn.argCount[v]; i++) fact |= facts[fn.arg(v, i)];
          // Whatever is computed from a pointer by other operations than these is no address any more.
          if (!keepsPointers.has(op)) fact &= SECRET;
          if (fact !== 0) this.join(fn, v, fact);
        }
      }
      for (let e = fn.firstPred[b]; e !== NONE; e = fn.edgeNextPred[e]) {
        for (let i = 0; i < fn.edgeArgCount[e]; i++) {
          const fact = facts[fn.edgeArg(e, i)];
          if (fact !== 0) this.join(fn, fn.param(b, i), fact);
        }
      }
    }
  }

  call(fn, v, index) {
    const facts = this.facts.get(fn);
    const callee = this.funcOf.get(index);
    if (!callee) return;
    for (let i = 0; i < fn.argCount[v]; i++) {
      const fact = facts[fn.arg(v, i)];
      if (fact !== 0) this.join(callee, callee.param(callee.entry, i), fact);
    }
    const results = this.results.get(index);
    if (results.length > 0 && results[0] !== 0) this.join(fn, v, results[0]);
    for (let r = fn.next[v]; r !== NONE && fn.op[r] === Op.result; r = fn.next[r]) if (results[fn.imm[r]] !== 0) this.join(fn, r, results[fn.imm[r]]);
  }

  return(fn, v, facts) {
    const results = this.results.get(fn.index);
    for (let i = 0; i < fn.argCount[v]; i++) {
      const fact = facts[fn.arg(v, i)];
      if ((results[i] | fact) !== results[i]) this.changed = true;
      results[i] |= fact;
    }
  }

  findings() {
    const found = [];
    for (const fn of this.funcs) {
      const facts = this.facts.get(fn);
      const secret = (v, i) => (facts[fn.arg(v, i)] & SECRET) !== 0;
      const note = (v, what) => found.push({ func: fn.index, name: fn.name, offset: fn.offset[v], what, op: opInfo[fn.op[v]].name });
      for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]) {
        for (let v = fn.firstInst[b]; v !== NONE; v = fn.next[v]) {
          const op = fn.op[v];
          if ((op === Op.br_if || op === Op.br_table) && secret(v, 0)) note(v, "a branch depends on a secret");
          else if (memoryAccess(op) && secret(v, 0)) note(v, "an address depends on a secret");
          else if (divisions.has(op) && (secret(v, 0) || secret(v, 1))) note(v, "the time of a division depends on a secret");
          else if (op === Op.call_indirect && secret(v, fn.argCount[v] - 1)) note(v, "the function called depends on a secret");
        }
      }
    }
    return found;
  }
}

const keepsPointers = new Set([Op.copy, Op.select, Op.i32_add, Op.i32_sub, Op.i32_and, Op.i32_or]);
const divisions = new Set([Op.i32_div_s, Op.i32_div_u, Op.i32_rem_s, Op.i32_rem_u, Op.i64_div_s, Op.i64_div_u, Op.i64_rem_s, Op.i64_rem_u]);

export default constantTime().pass;
