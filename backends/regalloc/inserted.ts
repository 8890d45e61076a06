// The moves an allocator wants inserted, by place: four buckets at each instruction, each one parallel move.
//
// Locations are registers, or FIRST_SLOT + a slot id of the allocator's choosing (`rewrite` maps ids to final slots, and
// only then puts each bucket in sequence, when it is known which ids share a slot). A source REMAT makes the value again.
import { REMAT } from "./parallel-move.js";

/** Where at an instruction, in order of execution. */
export const enum At {
  /** At the start of a block: moves of the edge that enters it. Only at a block's first instruction. */
  entry = 0,
  before = 1,
  /** At the end of a block: moves of the edge that leaves it. Only at a block's last instruction. */
  exit = 2,
  after = 3,
}

export class InsertedMoves {
  /** `head[4 * instruction + At]`: newest move of the bucket, -1 if none; then along `next`. */
  head = new Int32Array(1024);
  count = 0;
  dst = new Int32Array(256);
  src = new Int32Array(256);
  vreg = new Int32Array(256);
  next = new Int32Array(256);

  reset(instCount: number): void {
    this.count = 0;
    if (this.head.length < instCount * 4) this.head = new Int32Array(instCount * 6);
    this.head.fill(-1, 0, instCount * 4);
  }

  /** `src`: a location, or REMAT. Nothing is added where the two are the same. */
  add(inst: number, at: At, dst: number, src: number, vreg: number): void {
    if (dst === src) return;
    const m = this.count++;
    if (m === this.dst.length) this.grow();
    const bucket = inst * 4 + at;
    this.dst[m] = dst;
    this.src[m] = src;
    this.vreg[m] = vreg;
    this.next[m] = this.head[bucket];
    this.head[bucket] = m;
  }

  addRemat(inst: number, at: At, dst: number, vreg: number): void {
    this.add(inst, at, dst, REMAT, vreg);
  }

  private grow(): void {
    const double = (column: Int32Array) => {
      const bigger = new Int32Array(column.length * 2);
      bigger.set(column);
      return bigger;
    };
    this.dst = double(this.dst);
    this.src = double(this.src);
    this.vreg = double(this.vreg);
    this.next = double(this.next);
  }
}
