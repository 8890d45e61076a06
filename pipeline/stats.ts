// What a compilation measures about itself: counts, bytes, and times by stage and by pass.

/** Times are milliseconds of wall clock. A pass that stands in the pipeline twice has two entries. */
export interface PassStats {
  readonly name: string;
  /** How often it ran: once a function, or once. */
  runs: number;
  /** Runs that changed their subject. */
  changed: number;
  ms: number;
  /** What the pass counted by `cx.count`. */
  readonly counts: Record<string, number>;
}

export interface CompileStats {
  /** Functions with a body that were compiled. */
  functions: number;
  /** Bytes of the module, of its function bodies, and of the code made from them. */
  moduleBytes: number;
  bodyBytes: number;
  codeBytes: number;
  /** SSA instructions as translated, machine instructions as lowered. */
  ssaInsts: number;
  machineInsts: number;
  /** Milliseconds by stage; `passes` is the sum over `passes` below plus what surrounds them (verification, records). */
  readonly ms: { decode: number; translate: number; passes: number; lower: number; allocate: number; emit: number; link: number; total: number };
  readonly passes: PassStats[];
}

export function newStats(): CompileStats {
  return {
    functions: 0,
    moduleBytes: 0,
    bodyBytes: 0,
    codeBytes: 0,
    ssaInsts: 0,
    machineInsts: 0,
    ms: { decode: 0, translate: 0, passes: 0, lower: 0, allocate: 0, emit: 0, link: 0, total: 0 },
    passes: [],
  };
}
