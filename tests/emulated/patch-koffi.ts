// koffi with functions of the C library replaced: everything native of the runtime goes through it.
import type * as Koffi from "koffi";

/** koffi's exports, which can be assigned. */
export type PatchedKoffi = { -readonly [key in keyof typeof Koffi]: (typeof Koffi)[key] };

export type NativeFunction = (...args: any[]) => any;

/** From now on, what stands in `replacements` is handed out in place of the function of that name, which it is given. */
export function replaceFunctions(koffi: PatchedKoffi, replacements: Readonly<Record<string, (original: NativeFunction) => NativeFunction>>): void {
  const { load } = koffi;
  koffi.load = ((...args: Parameters<typeof load>) => {
    // A library's own properties cannot be changed.
    const library = load(...args);
    const func = (name: string, ...rest: [string, string[]]) => {
      const original: NativeFunction = library.func(name, ...rest);
      return replacements[name]?.(original) ?? original;
    };
    return { func, symbol: (name: string) => library.symbol(name) as unknown };
  }) as typeof load;
}
