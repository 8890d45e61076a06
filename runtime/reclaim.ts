// Native memory follows the garbage collector: what belonged to an object is released after the object is collected.
//
// FinalizationRegistry alone runs its callbacks from the event loop, so a loop that never yields would pile up native
// memory that the collector does not see. Therefore owners report what they hold, and past a limit we collect and run
// the callbacks at once. Where the engine has no way to do that, reclamation waits for the event loop.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { V8_MAJOR } from "./v8-version.js";

/** What an owner's native side holds. Must not refer to the owner. */
export interface Resource {
  /** Committed bytes, roughly. */
  readonly bytes: number;
  release(): void;
}

const LAST_CLEANUP_SOME = 12;
const MIN_COUNT = 2048;
const MIN_BYTES = 64 << 20;

interface Registry {
  register(owner: object, resource: Resource, token: object): void;
  unregister(token: object): void;
  cleanupSome?(): void;
}

export class Reclaimer {
  private readonly registry: Registry;
  /** Made at the first use. */
  private collect: (() => void) | undefined;
  private count = 0;
  private bytes = 0;
  private countLimit = MIN_COUNT;
  private bytesLimit = MIN_BYTES;

  constructor() {
    // V8 11 to 12: a context made under this flag has `cleanupSome`, which runs pending callbacks synchronously. Others complain of the flag.
    const newer = V8_MAJOR > LAST_CLEANUP_SOME;
    const Registry =
      (newer ? undefined : withFlag("--harmony-weak-refs-with-cleanup-some", () => {
        const found = runInNewContext("FinalizationRegistry") as typeof FinalizationRegistry;
        return "cleanupSome" in found.prototype ? found : undefined;
      })) ?? FinalizationRegistry;
    this.registry = new Registry((resource: Resource) => this.release(resource)) as unknown as Registry;
  }

  /** Releases `resource` when `owner` is collected. May collect before, so call it before the resource is made. */
  own(owner: object, resource: Resource): void {
    this.registry.register(owner, resource, resource);
    this.count++;
    this.bytes += resource.bytes;
  }

  /** Releases now; the owner must not use it any more. */
  releaseNow(resource: Resource): void {
    this.registry.unregister(resource);
    this.release(resource);
  }

  /** A resource has grown by so many bytes (the caller updates `resource.bytes` itself). */
  grew(bytes: number): void {
    this.bytes += bytes;
  }

  /** To be called before new resources are made: collects when those that may be garbage have become many. */
  makeRoom(): void {
    if (this.count < this.countLimit && this.bytes < this.bytesLimit) return;
    this.collectNow();
    this.countLimit = Math.max(MIN_COUNT, this.count * 2);
    this.bytesLimit = Math.max(MIN_BYTES, this.bytes * 2);
  }

  /** Collects garbage and releases what belonged to it. False where the engine releases from the event loop alone. */
  collectNow(): boolean {
    this.collect ??= withFlag("--expose-gc", () => runInNewContext("globalThis.gc") as (() => void) | undefined) ?? (() => undefined);
    this.collect();
    if (!this.registry.cleanupSome) return false;
    // One callback a call in some versions, all of them in others.
    for (let before = -1; before !== this.count; ) {
      before = this.count;
      this.registry.cleanupSome();
    }
    return true;
  }

  private release(resource: Resource): void {
    this.count--;
    this.bytes -= resource.bytes;
    resource.release();
  }
}

/** How often a flag is tried. */
const ATTEMPTS = 1000;

/**
 * What `make` finds with a V8 flag on; undefined where it finds nothing. Flags are the process's: another thread that does the same may
 * switch ours off before it had its effect, so it is tried again.
 */
function withFlag<T>(flag: string, make: () => T | undefined): T | undefined {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    setFlagsFromString(flag);
    const made = make();
    setFlagsFromString(flag.replace("--", "--no-"));
    if (made !== undefined) return made;
  }
  return undefined;
}
