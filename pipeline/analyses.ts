// The cache of analysis results of one function.
//
// A result lives by the version stamps it was computed at: whoever edits the function moves them, so nothing has to be
// invalidated by hand and nothing can be forgotten. A function has few analyses: a linear search beats a map.
import type { Analysis } from "../ir/analysis/analysis.js";
import type { Func } from "../ir/func.js";

interface Entry {
  readonly analysis: Analysis<unknown>;
  cfgVersion: number;
  valueVersion: number;
  result: unknown;
}

export class FuncAnalyses {
  private readonly entries: Entry[] = [];

  constructor(readonly fn: Func) {}

  get<T>(analysis: Analysis<T>): T {
    const { cfgVersion, valueVersion } = this.fn;
    let entry = this.entries.find((known) => known.analysis === analysis);
    if (entry && entry.cfgVersion === cfgVersion && (analysis.depends === "cfg" || entry.valueVersion === valueVersion)) {
      return entry.result as T;
    }
    const result = analysis.run(this.fn);
    if (this.fn.cfgVersion !== cfgVersion || this.fn.valueVersion !== valueVersion) {
      throw new Error(`the analysis "${analysis.name}" changed the function @${this.fn.index}`);
    }
    if (!entry) {
      entry = { analysis, cfgVersion, valueVersion, result };
      this.entries.push(entry);
    }
    entry.cfgVersion = cfgVersion;
    entry.valueVersion = valueVersion;
    entry.result = result;
    return result;
  }
}
