// The functions of the module: filtered by name or index, drawn as far as they are in sight.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Order, PageState } from "./state.js";

const ROW = 26;

const bytes = (n: number) => (n >= 10_000 ? `${(n / 1000).toFixed(0)}k` : n >= 1000 ? `${(n / 1000).toFixed(1)}k` : String(n));

export function FunctionList({ page }: { page: PageState }) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const list = page.listed.value;
  const current = page.index.value;
  useEffect(() => {
    const observer = new ResizeObserver(() => setHeight(box.current!.clientHeight));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const at = list.findIndex((func) => func.index === current);
    const element = box.current!;
    if (at < 0) return;
    if (at * ROW < element.scrollTop) element.scrollTop = at * ROW;
    else if ((at + 1) * ROW > element.scrollTop + element.clientHeight) element.scrollTop = (at + 1) * ROW - element.clientHeight;
  }, [current, list]);
  const first = Math.max(0, Math.floor(top / ROW) - 5);
  const last = Math.min(list.length, Math.ceil((top + height) / ROW) + 5);
  const total = page.module.value?.meta.funcs.length ?? 0;
  return (
    <aside class="functions">
      <input
        id="filter" type="search" placeholder="Name or index (f)" aria-label="Search functions" spellcheck={false}
        value={page.filter.value}
        onInput={(event) => (page.filter.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            event.preventDefault();
            page.moveInList(event.key === "ArrowDown" ? 1 : -1);
          } else if (event.key === "Enter") {
            if (!list.some((func) => func.index === current) && list[0]) void page.openFunc(list[0].index);
            event.currentTarget.blur();
          } else if (event.key === "Escape") {
            page.filter.value = "";
            event.currentTarget.blur();
          }
        }}
      />
      <div class="order">
        <span>{list.length === total ? `${total} functions` : `${list.length} of ${total}`}</span>
        <select aria-label="Order" value={page.order.value} onChange={(event) => (page.order.value = event.currentTarget.value as Order)}>
          <option value="index">by index</option>
          <option value="wasm">by Wasm bytes</option>
          <option value="code">by code bytes</option>
        </select>
      </div>
      <div class="rows" ref={box} onScroll={(event) => setTop(event.currentTarget.scrollTop)} role="listbox" aria-label="Functions">
        <div style={{ height: `${list.length * ROW}px` }}>
          {list.slice(first, last).map((func, i) => (
            <button
              key={func.index} role="option" aria-selected={func.index === current}
              class={`row${func.index === current ? " chosen" : ""}${func.chunk < 0 && !page.module.value!.source.live ? " missing" : ""}`}
              style={{ top: `${(first + i) * ROW}px` }}
              title={`@${func.index} ${func.name ?? ""}${func.exports.length > 0 ? `\nexported as ${func.exports.join(", ")}` : ""}\n${func.wasmBytes} bytes of Wasm, ${func.codeBytes} of code`}
              onClick={() => void page.openFunc(func.index)}
            >
              <i>{func.index}</i>
              <span class={func.exports.length > 0 ? "exported" : ""}>{func.name ?? func.exports[0] ?? ""}</span>
              <small>{bytes(page.order.value === "code" ? func.codeBytes : func.wasmBytes)}</small>
            </button>
          ))}
        </div>
      </div>
      {page.module.value?.source.live === false && page.module.value.meta.funcs.some((func) => func.chunk < 0) && <p class="recorded">{page.module.value.meta.recorded}</p>}
    </aside>
  );
}
