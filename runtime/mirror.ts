// What keeps an object of the host's and one of ours equal (see webassembly/mirror.ts), as far as calls know it.

export interface Mirror {
  /** Ours becomes what the host's is. */
  pull(): void;
  /** The host's becomes what ours is. */
  push(): void;
}

/** A function that enters our code. */
export function entering(mirrors: readonly Mirror[], run: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
  return function pullThenRun(...args) {
    for (const mirror of mirrors) mirror.pull();
    try {
      return run(...args);
    } finally {
      for (const mirror of mirrors) mirror.push();
    }
  };
}

/** A function that our code calls. */
export function leaving(mirrors: readonly Mirror[], run: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
  return function pushThenRun(...args) {
    for (const mirror of mirrors) mirror.push();
    try {
      return run(...args);
    } finally {
      for (const mirror of mirrors) mirror.pull();
    }
  };
}
