// What one thread has one of: the system, the native heap, the reclaimer, the interpreter's stack, the exec-context.
//
// Opened at the first use, with the options given by `configureThread` before that. The exec-context needs a backend's
// stubs, so it comes with the first compiled module.
import type { RuntimeStubs } from "../ir/code.js";
import { InterpThread } from "../ir/interp.js";
import { Detacher } from "./detach.js";
import { ExecContext } from "./exec-context.js";
import { externTag, type Externs, type ExternThread } from "./externref.js";
import type { UnboundHost } from "./func.js";
import type { Holder } from "./holder.js";
import { Native } from "./native.js";
import { NativeHeap } from "./native-heap.js";
import { Reclaimer } from "./reclaim.js";
import { Reservations } from "./reservations.js";

export interface ThreadOptions {
  /** Bytes of the stack that Wasm code runs on. */
  stackBytes: number;
  /** Whether faults of compiled code are caught. Off: memories have no guards, and code that relies on them is refused. */
  handleSignals: boolean;
  /** Whether native code is entered through Node-API, where that can be had. Off: through koffi, which takes longer. */
  nodeApi: boolean;
}

const defaults: ThreadOptions = { stackBytes: 8 << 20, handleSignals: true, nodeApi: true };

/** Groups of handles that wait for a sweep at most: they are kept alive for that long. */
const MAX_UNSWEPT = 8;

export class Thread implements ExternThread {
  readonly native = new Native();
  readonly heap = new NativeHeap(this.native);
  readonly reclaim = new Reclaimer();
  readonly reservations = new Reservations(this.native, this.reclaim);
  readonly detacher = new Detacher();
  readonly interp = new InterpThread();
  exec: ExecContext | undefined;
  /** Who runs: the holder of the innermost function entered from JS. */
  current: Holder | undefined;
  /** Host functions that wait for the exec-context. */
  readonly unbound = new Set<UnboundHost>();
  private holders = 0;
  private hostIds = 0;
  private externTags = 0;
  private readonly unswept: Externs[] = [];

  constructor(readonly options: ThreadOptions) {}

  newHolderId(): number {
    return ++this.holders;
  }

  /** The first of `count` ids in a row. */
  newHostIds(count: number): number {
    const first = this.hostIds;
    this.hostIds += count;
    if (this.hostIds >= 0x80000000) throw new Error("out of ids for host functions");
    return first;
  }

  /** The exec-context; made with these stubs if there is none yet. @throws Error for stubs of another target. */
  withStubs(stubs: RuntimeStubs): ExecContext {
    if (this.exec) {
      if (this.exec.stubs.target !== stubs.target) throw new Error(`this thread runs ${this.exec.stubs.target} code, not ${stubs.target}`);
      return this.exec;
    }
    this.exec = new ExecContext(this, stubs);
    for (const host of this.unbound) host.bind(this.exec);
    this.unbound.clear();
    return this.exec;
  }

  newExternTag(): number {
    return externTag(this.externTags++);
  }

  sweepSoon(externs: Externs): void {
    if (this.unswept.length === 0) setImmediate(() => this.sweepAll()).unref();
    else if (this.unswept.length === MAX_UNSWEPT) this.unswept.shift()!.sweepDue(false, false);
    this.unswept.push(externs);
  }

  private sweepAll(): void {
    // An event loop that runs inside a host function finds code waiting.
    const idle = this.interp.depth === 0 && (this.exec?.idle ?? true);
    for (const externs of this.unswept.splice(0)) externs.sweepDue(idle, true);
  }

  /** Marks the externrefs that running code may hold. */
  scanStacks(externs: Externs): void {
    const { i32, slots } = this.interp.file;
    externs.scan(i32, 0, slots * 2);
    this.exec?.scan(externs);
  }
}

/** The one per JS realm there must be: signal handlers, stack and callback belong to the operating system's thread. */
class Slot {
  thread: Thread | undefined;
  options: ThreadOptions = defaults;
}

const slot = new Slot();

/** Options for this thread. @throws Error when Wasm objects have been made already. */
export function configureThread(options: Partial<ThreadOptions>): void {
  if (slot.thread) throw new Error("the runtime is in use already: configure it before the first store, memory or instance is made");
  slot.options = { ...defaults, ...options };
}

export function currentThread(): Thread {
  return (slot.thread ??= new Thread(slot.options));
}
