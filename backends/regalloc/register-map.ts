// What each register holds when: one ordered set of disjoint ranges a register, as skip lists in columns.
//
// Insert, remove and "first range that ends behind a position" take logarithmic time; along `next` one walks on from
// there. Levels come from a counter's bits, so the same input gives the same lists.
const LEVELS = 8;
const NIL = -1;

export class RegisterMap {
  /** Interval of a node; NONE: the instruction's own. */
  iv = new Int32Array(1024);
  from = new Int32Array(1024);
  to = new Int32Array(1024);
  /** `next[node * LEVELS + level]`; nodes 0..63 are the heads. */
  next = new Int32Array(1024 * LEVELS);
  private count = 64;
  private freeNode = NIL;
  private readonly path = new Int32Array(LEVELS);
  private seed = 1;
  /** Levels in use: those above are empty. */
  private levels = 1;

  reset(): void {
    this.count = 64;
    this.freeNode = NIL;
    this.seed = 1;
    this.levels = 1;
    this.next.fill(NIL, 0, 64 * LEVELS);
  }

  /** First node of register r whose range ends behind `position`; -1 if none. */
  find(r: number, position: number): number {
    const { next, to } = this;
    let node = r;
    for (let l = this.levels - 1; l >= 0; l--) {
      for (let n = next[node * LEVELS + l]; n >= 0 && to[n] <= position; n = next[node * LEVELS + l]) node = n;
    }
    return next[node * LEVELS];
  }

  after(node: number): number {
    return this.next[node * LEVELS];
  }

  insert(r: number, from: number, to: number, iv: number): void {
    let node = this.freeNode;
    if (node >= 0) this.freeNode = this.next[node * LEVELS];
    else {
      node = this.count++;
      if (node === this.iv.length) this.grow();
    }
    this.iv[node] = iv;
    this.from[node] = from;
    this.to[node] = to;
    let x = this.seed;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.seed = x;
    // Two zero bits a level.
    let height = 1;
    for (let bits = x >>> 1; height < LEVELS && (bits & 3) === 0; bits >>>= 2) height++;
    if (height > this.levels) this.levels = height;
    this.trace(r, from);
    const { next, path } = this;
    for (let l = 0; l < height; l++) {
      next[node * LEVELS + l] = next[path[l] * LEVELS + l];
      next[path[l] * LEVELS + l] = node;
    }
    for (let l = height; l < LEVELS; l++) next[node * LEVELS + l] = NIL;
  }

  /** Removes the range that starts at `from`. */
  remove(r: number, from: number): void {
    this.trace(r, from);
    const { next, path } = this;
    const node = next[path[0] * LEVELS];
    if (node < 0 || this.from[node] !== from) throw new Error(`register map: nothing of register ${r} starts at ${from}`);
    for (let l = 0; l < this.levels; l++) if (next[path[l] * LEVELS + l] === node) next[path[l] * LEVELS + l] = next[node * LEVELS + l];
    next[node * LEVELS] = this.freeNode;
    this.freeNode = node;
  }

  /** `path[l]`: last node of level l before `position`. */
  private trace(r: number, position: number): void {
    const { next, from, path } = this;
    let node = r;
    for (let l = this.levels - 1; l >= 0; l--) {
      for (let n = next[node * LEVELS + l]; n >= 0 && from[n] < position; n = next[node * LEVELS + l]) node = n;
      path[l] = node;
    }
  }

  private grow(): void {
    const size = this.iv.length * 2;
    const double = (column: Int32Array, length: number) => {
      const bigger = new Int32Array(length);
      bigger.set(column);
      return bigger;
    };
    this.iv = double(this.iv, size);
    this.from = double(this.from, size);
    this.to = double(this.to, size);
    this.next = double(this.next, size * LEVELS);
  }
}
