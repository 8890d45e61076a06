// The passes as a row of steps: what each took, how many functions it changed; those that left this function alone are folded.
import { useEffect, useRef } from "preact/hooks";
import type { StepMeta } from "../format.js";
import type { PageState } from "./state.js";

const milliseconds = (ms: number) => (ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : ms >= 10 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(1)} ms`);

export function Timeline({ page }: { page: PageState }) {
  const module = page.module.value;
  if (!module) return null;
  const { steps, funcs } = module.meta;
  const func = page.func.value;
  const unchanged = (i: number) => func !== undefined && i !== page.step.value && !func.changedAt(i);
  const items = [];
  for (let i = 0; i < steps.length; i++) {
    if (page.unfolded.value || !unchanged(i)) {
      items.push(<StepButton key={i} step={steps[i]!} funcs={funcs.length} chosen={i === page.step.value} quiet={unchanged(i)} onClick={() => (page.step.value = i)} />);
      continue;
    }
    const first = i;
    while (i + 1 < steps.length && unchanged(i + 1)) i++;
    const names = steps.slice(first, i + 1).map((step) => step.name);
    items.push(
      <button key={`fold-${first}`} class="fold" title={`Left this function as it was: ${names.join(", ")}. Click to show.`} onClick={() => (page.unfolded.value = true)}>
        {names.length} unchanged
      </button>,
    );
  }
  if (page.unfolded.value) items.push(<button key="refold" class="fold" onClick={() => (page.unfolded.value = false)}>fold</button>);
  return <nav class="timeline" aria-label="Steps of the compilation">{items}</nav>;
}

function StepButton({ step, funcs, chosen, quiet, onClick }: { step: StepMeta; funcs: number; chosen: boolean; quiet: boolean; onClick: () => void }) {
  const counts = Object.entries(step.counts).map(([name, n]) => `${name} ${n}`).join(", ");
  const element = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (chosen) element.current!.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [chosen]);
  const title = [step.summary, `changed ${step.changed} of ${funcs} functions in ${milliseconds(step.ms)}`, counts].filter((part) => part !== "").join("\n");
  return (
    <button ref={element} class={`step ${step.stage}${chosen ? " chosen" : ""}${quiet ? " quiet" : ""}`} aria-pressed={chosen} title={title} onClick={onClick}>
      <b>{step.name}</b>
      <small>{step.changed} fn · {milliseconds(step.ms)}</small>
    </button>
  );
}
