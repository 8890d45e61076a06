// Internal slots: what an object of the JS API stands for, out of sight and out of reach.
//
// A private field that is put on any object (the constructor of the base class returns it), so that reading one costs a
// property's read, and no class needs a public way in.

class Given {
  constructor(object: object) {
    return object;
  }
}

export interface InternalSlot<T> {
  /** Once an object. */
  set(object: object, value: T): void;
  /** Undefined for what has no such slot. */
  get(object: unknown): T | undefined;
}

/** A slot of its own: only what was set through it has it. */
export function internalSlot<T>(): InternalSlot<T> {
  return class Slotted extends Given {
    #value: T;

    private constructor(object: object, value: T) {
      super(object);
      this.#value = value;
    }

    static set(object: object, value: T): void {
      new Slotted(object, value);
    }

    static get(object: unknown): T | undefined {
      return ((typeof object === "object" && object !== null) || typeof object === "function") && #value in object ? object.#value : undefined;
    }
  };
}
