// The page as a whole: bar, list of functions, timeline, panes.
import { CodePane } from "./code-pane.js";
import { FunctionList } from "./function-list.js";
import { GraphPane } from "./graph-pane.js";
import { Help } from "./help.js";
import { paneKinds, type PaneKind } from "./open-func.js";
import type { PageState } from "./state.js";
import { Timeline } from "./timeline.js";
import type { Words } from "./tokens.js";

const titles: Readonly<Record<PaneKind, string>> = { wasm: "Wasm", ssa: "SSA", mir: "Machine IR", alloc: "Registers", asm: "Assembly" };

export function App({ page, words }: { page: PageState; words: Words }) {
  const module = page.module.value;
  if (!module) return <p class="note">{page.error.value || "Loading…"}</p>;
  const { meta } = module;
  const kb = (n: number) => `${(n / 1000).toFixed(1)} kB`;
  return (
    <>
      <header class="bar">
        <h1>{meta.file}</h1>
        <small title={meta.recorded}>
          {kb(meta.moduleBytes)} of Wasm, {kb(meta.codeBytes)} of {meta.target} code, O{meta.level}
          {meta.bounds === "explicit" ? ", explicit bounds" : ""}
        </small>
        <span class="grow" />
        <span class="toggles" role="group" aria-label="Panes">
          {paneKinds.map((kind, i) => (
            <button key={kind} aria-pressed={page.panes.value.has(kind)} title={`${titles[kind]} (${i + 1})`} onClick={() => page.togglePane(kind)}>{titles[kind]}</button>
          ))}
          <button aria-pressed={page.graph.value} title="Control flow graph (g)" onClick={() => (page.graph.value = !page.graph.value)}>Graph</button>
        </span>
        <button class="icon" id="diff" aria-pressed={page.diff.value} title="Difference to the step before (d)" onClick={() => (page.diff.value = !page.diff.value)}>±</button>
        <button class="icon" id="theme" title="Light or dark (t)" onClick={() => page.toggleTheme()}>{page.theme.value === "dark" ? "☾" : "☀"}</button>
        <button class="icon" id="help" title="Keys (?)" onClick={() => (page.help.value = !page.help.value)}>?</button>
      </header>
      <Timeline page={page} />
      <main>
        <FunctionList page={page} />
        <Panes page={page} words={words} />
      </main>
      {page.help.value && <Help page={page} />}
    </>
  );
}

function Panes({ page, words }: { page: PageState; words: Words }) {
  if (page.error.value) return <p class="note error">{page.error.value}</p>;
  if (!page.func.value) return <p class="note">{page.module.value!.meta.funcs.length === 0 ? "The module has no functions of its own." : "Opening…"}</p>;
  const kinds = paneKinds.filter((kind) => page.panes.value.has(kind));
  return (
    <div class="panes">
      {kinds.map((kind, i) => (
        <section key={kind} class={`pane${page.active.value === kind ? " active" : ""}`} style={{ flexGrow: page.widths.value[kind] ?? 1 }}>
          {i > 0 && <Divider page={page} left={kinds[i - 1]!} right={kind} />}
          <header>
            <b>{titles[kind]}</b>
            <PaneFacts kind={kind} page={page} />
          </header>
          <CodePane kind={kind} page={page} words={words} />
        </section>
      ))}
      {page.graph.value && (
        <section class="pane graph" style={{ flexGrow: page.widths.value["graph"] ?? 1.3 }}>
          {kinds.length > 0 && <Divider page={page} left={kinds.at(-1)!} right="graph" />}
          <GraphPane page={page} />
        </section>
      )}
    </div>
  );
}

/** The line between two panes: dragged, it moves width from one to the other; a double click makes all equal again. */
function Divider({ page, left, right }: { page: PageState; left: string; right: string }) {
  const drag = (event: PointerEvent) => {
    const handle = event.currentTarget as HTMLElement;
    const pane = handle.parentElement!;
    const neighbour = pane.previousElementSibling as HTMLElement;
    const [a, b] = [neighbour.offsetWidth, pane.offsetWidth];
    const share = (Number(neighbour.style.flexGrow) + Number(pane.style.flexGrow)) / (a + b);
    const start = event.clientX;
    handle.setPointerCapture(event.pointerId);
    handle.onpointermove = (move) => {
      const by = Math.max(80 - a, Math.min(b - 80, move.clientX - start));
      page.widths.value = { ...page.widths.value, [left]: (a + by) * share, [right]: (b - by) * share };
    };
    handle.onpointerup = () => (handle.onpointermove = null);
  };
  return <div class="divider" onPointerDown={drag} onDblClick={() => (page.widths.value = {})} />;
}

function PaneFacts({ kind, page }: { kind: PaneKind; page: PageState }) {
  const func = page.func.value!;
  const module = page.module.value!;
  const step = module.meta.steps[page.step.value]!;
  switch (kind) {
    case "wasm":
      return <small>{func.meta.wasmBytes} bytes</small>;
    case "ssa": {
      const shown = step.stage === "ssa" ? step.name : module.meta.steps.findLast((one) => one.stage === "ssa")!.name;
      return <small>behind {shown}{page.diff.value && step.stage === "ssa" ? ", with what it changed" : ""}</small>;
    }
    case "mir":
      return <small>on virtual registers</small>;
    case "alloc": {
      const { used, slots, spills, reloads } = func.registers;
      const chosen = page.selected.value;
      return (
        <small class="registers">
          {slots} slots, {spills} spills, {reloads} reloads{" "}
          {used.map((name) => (
            <button
              key={name} class={chosen?.kind === "register" && chosen.name === name ? "chosen" : ""}
              onClick={() => (page.selected.value = chosen?.kind === "register" && chosen.name === name ? undefined : { kind: "register", name })}
            >{name}</button>
          ))}
        </small>
      );
    }
    case "asm":
      return (
        <small>
          {func.code.bytes.length} bytes{func.sameCode ? "" : <strong title="The code made in this page is not the code that was compiled."> (differs)</strong>}
        </small>
      );
  }
}
