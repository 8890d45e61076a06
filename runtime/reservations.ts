// Address space for linear memories, reserved in one piece so that a memory never moves.
//
// With guards: 2 GiB in front of the base (where folded addresses may point), 8 GiB from it and a little more, which is
// as far as a 32-bit index plus a 32-bit offset plus an access reaches. Reservations are reused: the system finds it
// expensive to make them, and there are only some 12,000.
import { Access, type Native } from "./native.js";
import type { Reclaimer } from "./reclaim.js";

const GIB = 2 ** 30;
const FRONT_BYTES = 2 * GIB;
const REACH_BYTES = 8 * GIB;
const BACK_BYTES = 65536;
const GUARDED_BYTES = FRONT_BYTES + REACH_BYTES + BACK_BYTES;
const MAX_IDLE = 64;

export interface Reservation {
  /** Where the memory starts. */
  readonly base: number;
  readonly guards: boolean;
  /** Bytes that may be committed from `base`. */
  readonly capacity: number;
}

export class Reservations {
  private readonly idle: Reservation[] = [];
  /** Reservations in use: for tests. */
  inUse = 0;

  constructor(
    private readonly native: Native,
    private readonly reclaim: Reclaimer,
  ) {}

  /** @returns undefined where there is not enough address space. */
  take(capacity: number, guards: boolean): Reservation | undefined {
    const reservation = (guards ? this.idle.pop() : undefined) ?? this.reserve(capacity, guards);
    if (reservation) this.inUse++;
    return reservation;
  }

  /** @param used bytes that have been committed. */
  giveBack(reservation: Reservation, used: number): void {
    this.inUse--;
    if (!reservation.guards) {
      this.native.unmap(reservation.base, reservation.capacity);
    } else if (this.idle.length < MAX_IDLE) {
      if (used > 0) this.native.remap(reservation.base, used, Access.none);
      this.idle.push(reservation);
    } else {
      this.native.unmap(reservation.base - FRONT_BYTES, GUARDED_BYTES);
    }
  }

  private reserve(capacity: number, guards: boolean): Reservation | undefined {
    const front = guards ? FRONT_BYTES : 0;
    const bytes = guards ? GUARDED_BYTES : Math.max(this.native.pageBytes, capacity);
    let at = this.native.map(bytes, Access.none);
    if (at === 0 && this.reclaim.collectNow()) at = this.native.map(bytes, Access.none);
    return at === 0 ? undefined : { base: at + front, guards, capacity: guards ? 4 * GIB : bytes };
  }
}
