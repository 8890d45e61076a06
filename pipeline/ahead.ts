// Functions of a module that starts at level 0, compiled before they are called: what there is room for while the program waits anyway.
//
// A module of moderate size is compiled as a whole when it is made, at the level that costs least; its functions still count, and
// those that run much are compiled again. Compiling can stop and go on, so that an event loop is not kept waiting.
import type { FuncCode } from "../ir/code.js";
import type { FuncIndex } from "../ir/entity.js";

export class AheadCode {
  private readonly codes: FuncCode[] = [];

  /** @param firstFunc index of the first function with a body; @param count how many there are; @param compileFunc makes the code of one. */
  constructor(
    private readonly firstFunc: number,
    private readonly count: number,
    private readonly compileFunc: (index: FuncIndex) => FuncCode,
  ) {}

  /** Compiles in the order of the module until all is done, or until `stop` says so. @returns whether all is done. */
  run(stop: () => boolean = () => false): boolean {
    while (this.codes.length < this.count) {
      this.codes.push(this.compileFunc((this.firstFunc + this.codes.length) as FuncIndex));
      if (stop()) break;
    }
    return this.codes.length === this.count;
  }

  /** The code of a function, made now if it is not there yet. */
  code(index: FuncIndex): FuncCode {
    return this.codes[index - this.firstFunc] ?? this.compileFunc(index);
  }
}
