// Clocks and waiting: clock_res_get, clock_time_get, poll_oneoff.
//
// A time is computed from the host's seconds and nanoseconds without BigInt, which would allocate at every call. A poll
// is turned into one poll(2) of the host, or into a wait if it has clocks only.
import { fstatSync } from "node:fs";
import { clockNames, Errno, Event, Eventtype, Rights, Subclockflags } from "./abi.js";
import { fail, Failure } from "./errno.js";
import { libc, Poll } from "./libc.js";
import type { Calls, State } from "./state.js";

const NANOSECONDS = 1_000_000_000;
/** The longest wait of poll(2), in milliseconds; longer ones are made of several. */
const MAX_WAIT = 0x7fff_ffff;
const SEEK_CUR = 1;

interface Watched {
  /** Index of the subscription. */
  readonly index: number;
  readonly type: Eventtype;
  readonly hostFd: number;
}

function hostClock(id: number): number {
  return id >>> 0 < clockNames.length ? libc().system.clocks[id]! : fail(Errno.inval);
}

/** The time of a clock, in nanoseconds. */
function now(clock: number): bigint {
  const time = libc().clockTime(clock);
  return new BigInt64Array(time.buffer, 0, 1)[0]! * BigInt(NANOSECONDS) + BigInt(time[2]!);
}

export function clockCalls({ abi, memory, fds }: State): Calls {
  const { subscription } = abi;
  const never = new Int32Array(new SharedArrayBuffer(4));

  /** Writes seconds and nanoseconds as one u64 of nanoseconds. Exact: no product here reaches 2^53. */
  const setTime = (at: number, time: Int32Array): number => {
    const seconds = (time[0]! >>> 0) + time[1]! * 2 ** 32;
    const upper = Math.floor(seconds / 65536) * NANOSECONDS;
    const rest = (upper % 65536) * 65536 + (seconds % 65536) * NANOSECONDS + time[2]!;
    memory.setWords(at, rest % 2 ** 32, Math.floor(upper / 65536) + Math.floor(rest / 2 ** 32));
    return Errno.success;
  };

  const setEvent = (at: number, userdata: bigint, error: number, type: Eventtype, nbytes: number, flags: number): void => {
    const view = memory.view(at, Event.bytes);
    memory.setU64(at + Event.userdata, userdata);
    view.setUint32(at + Event.error, error | (type << 16), true);
    view.setUint32(at + Event.type + 2, 0, true);
    memory.setWords(at + Event.nbytes, nbytes % 2 ** 32, Math.floor(nbytes / 2 ** 32));
    memory.setWords(at + Event.flags, flags, 0);
  };

  return {
    clock_res_get(id: number, result: number): number {
      return setTime(result, libc().clockResolution(hostClock(id)));
    },

    clock_time_get(id: number, _precision: bigint, result: number): number {
      return setTime(result, libc().clockTime(hostClock(id)));
    },

    poll_oneoff(subscriptions: number, events: number, count: number, result: number): number {
      subscriptions >>>= 0;
      events >>>= 0;
      count >>>= 0;
      if (count === 0) return Errno.inval;
      const view = memory.view(subscriptions, count * subscription.bytes);
      memory.view(events, count * Event.bytes);
      const at = (index: number) => subscriptions + index * subscription.bytes;
      const userdata = (index: number) => memory.u64(at(index) + subscription.userdata);
      let emitted = 0;
      const emit = (index: number, type: Eventtype, error: number, nbytes: number, flags: number) => {
        setEvent(events + emitted++ * Event.bytes, userdata(index), error, type, nbytes, flags);
      };

      const monotonic = hostClock(1);
      const started = now(monotonic);
      const watched: Watched[] = [];
      /** Subscriptions to clocks, and when they are due by the monotonic clock. */
      const due: { index: number; time: bigint }[] = [];
      for (let index = 0; index < count; index++) {
        const type = view.getUint8(at(index) + subscription.tag) as Eventtype;
        if (type === Eventtype.clock) {
          const id = view.getUint32(at(index) + subscription.clockId, true);
          if (id >= clockNames.length) {
            emit(index, type, Errno.inval, 0, 0);
            continue;
          }
          const timeout = memory.u64(at(index) + subscription.timeout);
          const absolute = (view.getUint16(at(index) + subscription.clockFlags, true) & Subclockflags.abstime) !== 0;
          due.push({ index, time: absolute ? started + timeout - now(hostClock(id)) : started + timeout });
        } else if (type === Eventtype.fd_read || type === Eventtype.fd_write) {
          const fd = view.getUint32(at(index) + subscription.fd, true);
          try {
            const { hostFd } = fds.get(fd, type === Eventtype.fd_read ? Rights.fd_read : Rights.fd_write);
            watched.push({ index, type, hostFd });
          } catch (thrown) {
            if (!(thrown instanceof Failure)) throw thrown;
            emit(index, type, thrown.errno, 0, 0);
          }
        } else {
          return Errno.inval;
        }
      }

      const first = due.reduce<bigint | undefined>((least, { time }) => (least === undefined || time < least ? time : least), undefined);
      const pollfds = new Int32Array(watched.length * 2);
      watched.forEach(({ type, hostFd }, i) => {
        pollfds[i * 2] = hostFd;
        pollfds[i * 2 + 1] = type === Eventtype.fd_read ? Poll.in : Poll.out;
      });
      for (;;) {
        const left = emitted > 0 ? 0 : first === undefined ? -1 : Math.max(0, Number(first - now(monotonic)) / 1e6);
        if (watched.length === 0) {
          if (left > 0) Atomics.wait(never, 0, 0, left);
        } else if (libc().poll(pollfds, Math.ceil(Math.min(left, MAX_WAIT))) > 0) {
          watched.forEach(({ index, type, hostFd }, i) => {
            const found = pollfds[i * 2 + 1]! >>> 16;
            if (found === 0) return;
            const error = (found & Poll.nval) !== 0 ? Errno.badf : Errno.success;
            emit(index, type, error, type === Eventtype.fd_read ? readable(hostFd) : 0, (found & (Poll.hup | Poll.err)) !== 0 ? Event.hangup : 0);
          });
        }
        if (due.length > 0) {
          const time = now(monotonic);
          for (const clock of due) if (clock.time <= time) emit(clock.index, Eventtype.clock, Errno.success, 0, 0);
        }
        if (emitted > 0) break;
      }
      memory.setU32(result, emitted);
      return Errno.success;
    },
  };
}

/** Bytes that a read would find now. */
function readable(hostFd: number): number {
  const stat = fstatSync(hostFd);
  return stat.isFile() ? Math.max(0, stat.size - libc().lseek(hostFd, 0, SEEK_CUR)) : libc().readable(hostFd);
}
