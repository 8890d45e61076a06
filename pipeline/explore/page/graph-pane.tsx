// The control flow graph of the SSA that is shown, drawn by Graphviz, which is loaded when it is first asked for.
//
// Blocks are clickable and say where the pinned line and the selected value are; loops are boxes.
import { useEffect, useRef, useState } from "preact/hooks";
import { cfgDot } from "../../dump/graph.js";
import { NONE, type Value } from "../../../ir/entity.js";
import type { Func } from "../../../ir/func.js";
import type { PageState } from "./state.js";

/** Graphs of more blocks are drawn when asked twice: the layout takes seconds. */
const MANY_BLOCKS = 300;
/** Blocks show their instructions in graphs of up to so many values. */
const FEW_VALUES = 150;

function blockCount(fn: Func): number {
  let count = 0;
  for (let b = fn.firstBlock; b !== NONE; b = fn.blockNext[b]!) count++;
  return count;
}

export function GraphPane({ page }: { page: PageState }) {
  const box = useRef<HTMLDivElement>(null);
  const [anyway, setAnyway] = useState<Func | undefined>(undefined);
  const [state, setState] = useState<"drawing" | "drawn" | string>("drawing");
  const fn = page.func.value?.ssaAt(page.step.value);
  const blocks = fn ? blockCount(fn) : 0;
  const [scale, setScale] = useState(1);
  const tooLarge = blocks > MANY_BLOCKS && anyway !== fn;

  useEffect(() => {
    if (!fn || tooLarge) return;
    let stale = false;
    setState("drawing");
    page.module.value!.graphLayout().then(
      (graphviz) => {
        if (stale) return;
        const svg = graphviz.renderSVGElement(cfgDot(fn, { instructions: fn.valueCount <= FEW_VALUES }));
        svg.removeAttribute("width");
        svg.removeAttribute("height");
        box.current!.replaceChildren(svg);
        const { width } = svg.viewBox.baseVal;
        setScale(Math.min(1.2, Math.max(0.6, (box.current!.clientWidth - 24) / width)));
        setState("drawn");
      },
      (error: unknown) => setState(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      stale = true;
    };
  }, [fn, tooLarge, page]);

  useEffect(() => {
    const svg = box.current?.querySelector("svg");
    if (!svg) return;
    svg.style.width = `${svg.viewBox.baseVal.width * scale}px`;
    svg.style.height = `${svg.viewBox.baseVal.height * scale}px`;
  }, [scale, state, fn]);

  const pinned = page.pinned.value;
  const selected = page.selected.value;
  const wanted = page.wantedBlock.value?.block;
  useEffect(() => {
    if (!fn || state !== "drawn") return;
    const lit = new Set<number>();
    if (pinned > 0) for (let v = 0; v < fn.valueCount; v++) if (fn.offset[v] === pinned && fn.block[v] !== NONE) lit.add(fn.block[v]!);
    const uses = new Set<number>();
    if (selected?.kind === "value") {
      const visit = (v: number) => {
        if (v === selected.value) uses.add(fn.block[v]!);
        for (let i = 0; i < fn.argCount[v]!; i++) if (fn.arg(v as Value, i) === selected.value) uses.add(fn.block[v]!);
      };
      for (let v = 0; v < fn.valueCount; v++) if (fn.block[v] !== NONE) visit(v);
    }
    for (const node of box.current!.querySelectorAll(".node")) {
      const block = Number(node.querySelector("title")!.textContent!.slice(1));
      node.classList.toggle("lit", lit.has(block));
      node.classList.toggle("uses", uses.has(block));
      node.classList.toggle("wanted", block === wanted);
      if (block === wanted) node.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }, [fn, state, pinned, selected, wanted]);

  const click = (event: MouseEvent) => {
    const title = (event.target as Element).closest(".node")?.querySelector("title")?.textContent;
    if (title) page.wantedBlock.value = { block: Number(title.slice(1)) };
  };
  return (
    <>
      <header>
        <b>Control flow</b>
        <small>{blocks} blocks, behind {page.module.value!.meta.steps[page.step.value]!.name}</small>
        <span class="grow" />
        <button title="Smaller" onClick={() => setScale(scale / 1.25)}>−</button>
        <button title="Larger" onClick={() => setScale(scale * 1.25)}>+</button>
        <button class="close" title="Close (g)" onClick={() => (page.graph.value = false)}>×</button>
      </header>
      {tooLarge && (
        <p class="note">
          {blocks} blocks: a drawing takes a while. <button onClick={() => setAnyway(fn)}>Draw it</button>
        </p>
      )}
      {!tooLarge && state !== "drawn" && <p class="note">{state === "drawing" ? "Drawing…" : state}</p>}
      <div class="drawing" ref={box} onClick={click} data-state={state} />
    </>
  );
}
