// What the keys do: the list that `?` shows, and the keys themselves.
import { paneKinds } from "./open-func.js";
import type { PageState, PaneView } from "./state.js";

interface Key {
  readonly keys: readonly string[];
  readonly what: string;
  run(page: PageState, key: string): void;
}

export const keys: readonly Key[] = [
  { keys: ["f"], what: "search functions by name or index", run: () => document.getElementById("filter")?.focus() },
  { keys: ["j", "k"], what: "next, previous function", run: (page, key) => page.moveInList(key === "j" ? 1 : -1) },
  { keys: ["ArrowLeft", "ArrowRight"], what: "previous, next step that changed the function", run: (page, key) => page.moveInSteps(key === "ArrowLeft" ? -1 : 1) },
  { keys: ["d"], what: "difference to the step before", run: (page) => (page.diff.value = !page.diff.value) },
  { keys: ["g"], what: "control flow graph", run: (page) => (page.graph.value = !page.graph.value) },
  { keys: ["u"], what: "unfold the steps that changed nothing", run: (page) => (page.unfolded.value = !page.unfolded.value) },
  { keys: ["1", "2", "3", "4", "5"], what: "show or hide a pane", run: (page, key) => page.togglePane(paneKinds[Number(key) - 1]!) },
  { keys: ["/"], what: "search text in the pane that was clicked last", run: (page) => activePane(page)?.find() },
  { keys: ["n", "p"], what: "next, previous place of what is marked, in that pane", run: (page, key) => activePane(page)?.nextMarked(key === "n" ? 1 : -1) },
  { keys: ["t"], what: "light or dark", run: (page) => page.toggleTheme() },
  { keys: ["?"], what: "this list", run: (page) => (page.help.value = !page.help.value) },
  { keys: ["Escape"], what: "let go of what is pinned and highlighted", run: (page) => (page.help.value ? (page.help.value = false) : page.clear()) },
];

/** The pane that was clicked last, or the first one. */
function activePane(page: PageState): PaneView | undefined {
  return page.views.get(page.active.value) ?? [...page.views.values()][0];
}

/** Keys act unless something is being typed. */
export function listenToKeys(page: PageState): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = (event.target as Element).closest("input, select, textarea, .cm-panel");
    if (typing) return;
    const key = keys.find((one) => one.keys.includes(event.key));
    if (!key) return;
    event.preventDefault();
    key.run(page, event.key);
  });
}

const shown: Readonly<Record<string, string>> = { ArrowLeft: "←", ArrowRight: "→", Escape: "Esc" };

export function Help({ page }: { page: PageState }) {
  const meta = page.module.value!.meta;
  return (
    <div class="help" role="dialog" aria-label="Keys" onClick={() => (page.help.value = false)}>
      <div onClick={(event) => event.stopPropagation()}>
        <h2>Keys</h2>
        <dl>
          {keys.map(({ keys: names, what }) => (
            <div key={what}>
              <dt>{names.map((name) => <kbd key={name}>{shown[name] ?? name}</kbd>)}</dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
        <p>Point at a line: what came from the same Wasm instruction is tinted in every pane. Click it: the panes scroll there. Click a value or a register: it is marked wherever it is.</p>
        <p>{meta.recorded} Machine IR, registers and code are made in this page from the recorded SSA by the compiler itself.</p>
      </div>
    </div>
  );
}
