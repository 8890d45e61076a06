// Failures inside of a call: thrown where they are found, turned into an errno where the call returns to the guest.
//
// A `Failure` is no `Error`: no stack is captured, since programs probe for files all the time.
import { Errno, errnoOfName } from "./abi.js";

export class Failure {
  constructor(readonly errno: number) {}
}

/** @throws Failure always. */
export function fail(errno: number): never {
  throw new Failure(errno);
}

/** The errno of the host's name of an error, like "ENOENT". */
export function errnoOf(name: string | undefined): number {
  return name === undefined ? Errno.io : (errnoOfName[name === "EOPNOTSUPP" ? "ENOTSUP" : name === "EWOULDBLOCK" ? "EAGAIN" : name] ?? Errno.io);
}

/** What a call returns for something thrown inside of it. @throws what is no failure of the host or the guest. */
export function errnoOfThrown(thrown: unknown): number {
  if (thrown instanceof Failure) return thrown.errno;
  const { code, syscall } = thrown as NodeJS.ErrnoException;
  if (typeof code === "string" && typeof syscall === "string") return errnoOf(code);
  throw thrown;
}
