// What the page shows, as signals: components read them, keys and clicks write them.
import { computed, effect, signal, type Signal } from "@preact/signals";
import type { FuncMeta } from "../format.js";
import type { OpenFunc, PaneKind } from "./open-func.js";
import type { OpenModule } from "./open-module.js";

/** What is highlighted everywhere. */
export type Selected =
  | { readonly kind: "value"; readonly value: number }
  /** A virtual register that stands for no SSA value. */
  | { readonly kind: "vreg"; readonly vreg: number }
  | { readonly kind: "register"; readonly name: string };

export type Theme = "light" | "dark";
export type Order = "index" | "wasm" | "code";

/** What keys may ask of a pane of code. */
export interface PaneView {
  /** Opens the search for text. */
  find(): void;
  /** Brings the next (or the last) place of what is selected into sight. */
  nextMarked(by: 1 | -1): void;
}

export class PageState {
  readonly module: Signal<OpenModule | undefined> = signal(undefined);
  readonly func: Signal<OpenFunc | undefined> = signal(undefined);
  /** Index of the function asked for, while it is being opened, too. */
  readonly index: Signal<number> = signal(-1);
  readonly error: Signal<string> = signal("");
  /** Place among `meta.steps`. */
  readonly step: Signal<number> = signal(0);
  readonly panes: Signal<ReadonlySet<PaneKind>>;
  /** Shares of the width by pane; 1 where not said. */
  readonly widths: Signal<Readonly<Record<string, number>>> = signal({});
  readonly active: Signal<PaneKind> = signal("ssa");
  readonly diff: Signal<boolean> = signal(false);
  readonly graph: Signal<boolean> = signal(false);
  readonly help: Signal<boolean> = signal(false);
  readonly unfolded: Signal<boolean> = signal(false);
  readonly theme: Signal<Theme>;
  readonly filter: Signal<string> = signal("");
  readonly order: Signal<Order> = signal("index");
  /** Wasm offset under the pointer, 0 for none. */
  readonly hover: Signal<number> = signal(0);
  /** Wasm offset that was clicked, 0 for none; other panes scroll to it. */
  readonly pinned: Signal<number> = signal(0);
  readonly selected: Signal<Selected | undefined> = signal(undefined);
  /** SSA block to scroll to; a new object each time. */
  readonly wantedBlock: Signal<{ readonly block: number } | undefined> = signal(undefined);

  /** The panes there are now, for keys that act on one. */
  readonly views = new Map<PaneKind, PaneView>();

  /** Functions of the list, filtered and in order. */
  readonly listed = computed<readonly FuncMeta[]>(() => {
    const module = this.module.value;
    if (!module) return [];
    const words = this.filter.value.trim().toLowerCase();
    const number = /^@?(\d+)$/.exec(words)?.[1];
    const found = module.meta.funcs.filter(
      (func) =>
        words === "" ||
        (number !== undefined && String(func.index) === number) ||
        func.name?.toLowerCase().includes(words) === true ||
        func.exports.some((name) => name.toLowerCase().includes(words)),
    );
    const order = this.order.value;
    if (order === "wasm") return found.toSorted((a, b) => b.wasmBytes - a.wasmBytes);
    if (order === "code") return found.toSorted((a, b) => b.codeBytes - a.codeBytes);
    return found;
  });

  constructor() {
    const wide = window.innerWidth >= 1600;
    this.panes = signal(new Set<PaneKind>(wide ? ["wasm", "ssa", "alloc", "asm"] : ["wasm", "ssa", "asm"]));
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    this.theme = signal(stored("lathe-theme") ?? (dark.matches ? "dark" : "light"));
    dark.addEventListener("change", () => {
      if (stored("lathe-theme") === undefined) this.theme.value = dark.matches ? "dark" : "light";
    });
    effect(() => {
      document.documentElement.dataset["theme"] = this.theme.value;
    });
    effect(() => {
      const step = this.module.value?.meta.steps[this.step.value];
      if (this.index.value >= 0 && step) history.replaceState(null, "", `#func=${this.index.value}&step=${this.step.value}`);
    });
  }

  /** Opens a function; the latest call wins. */
  async openFunc(index: number): Promise<void> {
    const module = this.module.value!;
    if (!module.funcs.has(index)) return;
    this.index.value = index;
    try {
      const func = await module.open(index);
      if (this.index.value !== index) return;
      this.clear();
      this.error.value = "";
      this.func.value = func;
    } catch (error) {
      if (this.index.value !== index) return;
      this.func.value = undefined;
      this.error.value = error instanceof Error ? error.message : String(error);
    }
  }

  /** The next function in the list, or the one before. */
  moveInList(by: number): void {
    const list = this.listed.value;
    const at = list.findIndex((func) => func.index === this.index.value);
    const next = list[at < 0 ? 0 : Math.max(0, Math.min(list.length - 1, at + by))];
    if (next) void this.openFunc(next.index);
  }

  /** The next step that changed the function, or the one before. */
  moveInSteps(by: 1 | -1): void {
    const func = this.func.value;
    const count = this.module.value?.meta.steps.length ?? 0;
    for (let step = this.step.value + by; step >= 0 && step < count; step += by) {
      if (func && !func.changedAt(step)) continue;
      this.step.value = step;
      return;
    }
  }

  togglePane(kind: PaneKind): void {
    const panes = new Set(this.panes.value);
    if (!panes.delete(kind)) panes.add(kind);
    if (panes.size > 0) this.panes.value = panes;
  }

  toggleTheme(): void {
    this.theme.value = this.theme.value === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("lathe-theme", this.theme.value);
    } catch {
      // A page from a file may have no storage: the choice lasts as long as the page.
    }
  }

  /** Nothing pinned, nothing highlighted. */
  clear(): void {
    this.pinned.value = 0;
    this.hover.value = 0;
    this.selected.value = undefined;
  }
}

function stored(name: string): Theme | undefined {
  try {
    const value = localStorage.getItem(name);
    return value === "dark" || value === "light" ? value : undefined;
  } catch {
    return undefined;
  }
}
