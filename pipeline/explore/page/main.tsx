// Starts the page: state, keys, the data, and where the address says to begin.
import { render } from "preact";
import { App } from "./app.js";
import { listenToKeys } from "./help.js";
import { OpenModule } from "./open-module.js";
import { embedded, served } from "./source.js";
import { PageState } from "./state.js";
import { wordsOf, type Words } from "./tokens.js";

async function start(): Promise<void> {
  const page = new PageState();
  const root = document.getElementById("app")!;
  const source = root.dataset["source"] === "served" ? served : embedded;
  let words: Words = { registers: new Map() };
  const draw = () => render(<App page={page} words={words} />, root);
  listenToKeys(page);

  const load = async () => {
    const module = new OpenModule(await source.meta(), source);
    words = wordsOf(module.target);
    page.module.value = module;
    draw();
    const { meta } = module;
    const asked = new URLSearchParams(location.hash.slice(1));
    const lastSsa = meta.steps.findLastIndex((step) => step.stage === "ssa");
    const step = asked.has("step") ? Number(asked.get("step")) : lastSsa;
    page.step.value = step >= 0 && step < meta.steps.length ? step : lastSsa;
    const wanted = Number(asked.get("func") ?? NaN);
    const first = meta.funcs.find((func) => func.exports.length > 0 && (func.chunk >= 0 || source.live)) ?? meta.funcs[0];
    const index = module.funcs.has(wanted) ? wanted : first?.index;
    if (index !== undefined) await page.openFunc(index);
    // Drawn: effects of this frame have run.
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    document.documentElement.dataset["ready"] = "";
    performance.mark("ready");
  };
  try {
    await load();
  } catch (error) {
    page.error.value = error instanceof Error ? error.message : String(error);
    draw();
  }
  if (source.live) {
    const events = new EventSource("events");
    events.addEventListener("changed", () => void load());
    events.addEventListener("failed", (event) => {
      page.error.value = (event as MessageEvent<string>).data;
    });
  }
}

void start();
