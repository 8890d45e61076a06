// One pane of code: a read-only editor that draws only the lines in sight, and links them with the other panes.
//
// Lines with the Wasm offset under the pointer are tinted in all panes, those with the clicked one stay so and are scrolled to;
// whatever holds the selected value or register is marked. Decorations are made for the lines in sight only.
import { search, openSearchPanel, searchKeymap } from "@codemirror/search";
import { EditorState, RangeSetBuilder, StateEffect } from "@codemirror/state";
import { Decoration, EditorView, GutterMarker, ViewPlugin, gutter, keymap, type DecorationSet, type ViewUpdate } from "@codemirror/view";
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { OpenFunc, PaneKind, PaneText } from "./open-func.js";
import type { PageState, PaneView, Selected } from "./state.js";
import { tokensOf, type Token, type Words } from "./tokens.js";

const relink = StateEffect.define<null>();

class Offset extends GutterMarker {
  constructor(private readonly text: string) {
    super();
  }
  override eq(other: Offset): boolean {
    return this.text === other.text;
  }
  override toDOM(): Text {
    return document.createTextNode(this.text);
  }
}

/** What a click on a token selects, if anything. */
function selectionOf(func: OpenFunc, kind: PaneKind, inst: number, token: Token, words: Words): Selected | undefined {
  if (token.kind === "value") {
    const number = Number(token.text.slice(1));
    if (kind === "ssa") return { kind: "value", value: number };
    const value = func.valueOfVreg(number);
    return value >= 0 ? { kind: "value", value } : { kind: "vreg", vreg: number };
  }
  if (token.kind === "register") return { kind: "register", name: words.registers.get(token.text)! };
  if (token.kind === "slot" && inst >= 0) {
    const value = func.valueOfOperand(inst, token.operand);
    if (value >= 0) return { kind: "value", value };
  }
  return undefined;
}

function isSelected(func: OpenFunc, kind: PaneKind, inst: number, token: Token, words: Words, selected: Selected): boolean {
  switch (selected.kind) {
    case "value":
      if (token.kind === "value") {
        const number = Number(token.text.slice(1));
        return kind === "ssa" ? number === selected.value : func.valueOfVreg(number) === selected.value;
      }
      return kind === "alloc" && token.operand >= 0 && inst >= 0 && func.valueOfOperand(inst, token.operand) === selected.value;
    case "vreg":
      return kind === "mir" && token.kind === "value" && Number(token.text.slice(1)) === selected.vreg;
    case "register":
      return token.kind === "register" && words.registers.get(token.text) === selected.name;
  }
}

class Pane implements PaneView {
  readonly view: EditorView;
  private lines: PaneText["lines"] = [];
  private marks: Int8Array | undefined;
  private func: OpenFunc | undefined;
  private readonly tokens = new Map<number, readonly Token[]>();

  constructor(
    parent: HTMLElement,
    private readonly kind: PaneKind,
    private readonly page: PageState,
    private readonly words: Words,
  ) {
    const pane = this;
    const decorations = ViewPlugin.fromClass(
      class {
        decorations: DecorationSet;
        constructor(view: EditorView) {
          this.decorations = pane.decorate(view);
        }
        update(update: ViewUpdate) {
          const linked = update.transactions.some((one) => one.effects.some((item) => item.is(relink)));
          if (update.docChanged || update.viewportChanged || linked) this.decorations = pane.decorate(update.view);
        }
      },
      { decorations: (plugin) => plugin.decorations },
    );
    this.view = new EditorView({
      parent,
      extensions: [
        EditorState.readOnly.of(true),
        EditorView.editable.of(false),
        EditorView.contentAttributes.of({ tabindex: "0", "aria-label": `${kind} of the function` }),
        search({ top: true }),
        keymap.of(searchKeymap),
        gutter({
          class: "offsets",
          lineMarker: (view, block) => {
            const line = this.lines[view.state.doc.lineAt(block.from).number - 1];
            const at = this.kind === "asm" ? (line?.inst ?? -1) : (line?.offset ?? 0);
            return this.kind === "asm" ? (at >= 0 ? new Offset(at.toString(16)) : null) : at > 0 ? new Offset(at.toString(16)) : null;
          },
          initialSpacer: () => new Offset("00000"),
        }),
        decorations,
        EditorView.domEventHandlers({
          mousemove: (event) => {
            page.hover.value = this.lineAt(event)?.offset ?? 0;
          },
          mouseleave: () => {
            page.hover.value = 0;
          },
          mousedown: (event) => this.click(event),
          focus: () => {
            page.active.value = kind;
          },
        }),
      ],
    });
  }

  private lineAt(event: MouseEvent): PaneText["lines"][number] | undefined {
    const at = this.view.posAtCoords({ x: event.clientX, y: event.clientY });
    return at === null ? undefined : this.lines[this.view.state.doc.lineAt(at).number - 1];
  }

  private click(event: MouseEvent): boolean {
    const { page, func } = this;
    page.active.value = this.kind;
    if (event.button !== 0 || !func) return false;
    const at = this.view.posAtCoords({ x: event.clientX, y: event.clientY });
    if (at === null) return false;
    const line = this.view.state.doc.lineAt(at);
    const column = at - line.from;
    const { inst, offset } = this.lines[line.number - 1]!;
    const token = this.tokensAt(line.number, line.text).findLast((one) => one.from <= column && column <= one.to);
    if (token?.kind === "func") {
      const index = Number(token.text.slice(1));
      if (index !== func.index) void page.openFunc(index);
      return false;
    }
    if (token?.kind === "block" && this.kind === "ssa") page.wantedBlock.value = { block: Number(token.text.slice(1)) };
    const selected = token && selectionOf(func, this.kind, inst, token, this.words);
    if (selected) page.selected.value = selected;
    page.pinned.value = offset === page.pinned.value && !selected ? 0 : offset;
    return false;
  }

  private tokensAt(number: number, text: string): readonly Token[] {
    let tokens = this.tokens.get(number);
    if (!tokens) this.tokens.set(number, (tokens = tokensOf(text, this.kind, this.words)));
    return tokens;
  }

  private decorate(view: EditorView): DecorationSet {
    const builder = new RangeSetBuilder<Decoration>();
    const { func, page } = this;
    if (!func) return builder.finish();
    const hover = page.hover.peek();
    const pinned = page.pinned.peek();
    const selected = page.selected.peek();
    for (const { from, to } of view.visibleRanges) {
      for (let at = from; at <= to; ) {
        const line = view.state.doc.lineAt(at);
        const { offset, inst, block } = this.lines[line.number - 1] ?? { offset: 0, inst: -1, block: -1 };
        const classes = [];
        if (offset > 0 && offset === pinned) classes.push("pinned");
        if (offset > 0 && offset === hover) classes.push("hovered");
        const mark = this.marks?.[line.number - 1];
        if (mark === 1) classes.push("added");
        if (mark === -1) classes.push("removed");
        if (block >= 0 && inst < 0) classes.push("block-head");
        if (this.kind === "alloc" && inst >= 0 && func.isInserted(inst)) classes.push("inserted");
        if (classes.length > 0) builder.add(line.from, line.from, Decoration.line({ class: classes.join(" ") }));
        for (const token of this.tokensAt(line.number, line.text)) {
          if (token.kind === "comment") {
            builder.add(line.from + token.from, line.from + token.to, Decoration.mark({ class: "t-comment" }));
            continue;
          }
          const chosen = selected && mark !== -1 && isSelected(func, this.kind, inst, token, this.words, selected) ? " chosen" : "";
          builder.add(line.from + token.from, line.from + token.to, Decoration.mark({ class: `t-${token.kind}${chosen}` }));
        }
        at = line.to + 1;
      }
    }
    return builder.finish();
  }

  /** Shows a text. The place of the first line in sight is kept where the text is another step of the same function. */
  show(func: OpenFunc, text: PaneText): void {
    if (this.lines === text.lines && this.func === func) return;
    const same = this.func === func;
    const top = this.view.scrollDOM.scrollTop;
    this.func = func;
    this.lines = text.lines;
    this.marks = text.marks;
    this.tokens.clear();
    this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text.lines.map((line) => line.text).join("\n") } });
    if (same) this.view.scrollDOM.scrollTop = top;
    else this.view.scrollDOM.scrollTo(0, 0);
  }

  relink(): void {
    this.view.dispatch({ effects: relink.of(null) });
  }

  /** Brings the first line that fits into sight, unless one is already. */
  reveal(fits: (line: PaneText["lines"][number]) => boolean): void {
    const { view } = this;
    const shown = view.scrollDOM.getBoundingClientRect();
    let first = -1;
    for (let i = 0; i < this.lines.length; i++) {
      if (!fits(this.lines[i]!)) continue;
      const position = view.state.doc.line(i + 1).from;
      if (first < 0) first = position;
      const block = view.lineBlockAt(position);
      const top = block.top + view.documentTop;
      if (top >= shown.top && top + block.height <= shown.bottom) return;
    }
    if (first >= 0) view.dispatch({ effects: EditorView.scrollIntoView(first, { y: "center" }) });
  }

  /** Counted from the middle of what is in sight. */
  nextMarked(by: 1 | -1): void {
    const { view, func } = this;
    const selected = this.page.selected.peek();
    if (!func || !selected) return;
    const { top, height } = view.scrollDOM.getBoundingClientRect();
    const middle = view.state.doc.lineAt(view.lineBlockAtHeight(top + height / 2 - view.documentTop).from).number;
    for (let i = 1; i <= this.lines.length; i++) {
      const number = ((middle - 1 + by * i + this.lines.length * 2) % this.lines.length) + 1;
      const line = view.state.doc.line(number);
      if (!this.tokensAt(number, line.text).some((token) => isSelected(func, this.kind, this.lines[number - 1]!.inst, token, this.words, selected))) continue;
      view.dispatch({ effects: EditorView.scrollIntoView(line.from, { y: "center" }) });
      return;
    }
  }

  find(): void {
    openSearchPanel(this.view);
  }
}

export function CodePane({ kind, page, words }: { kind: PaneKind; page: PageState; words: Words }) {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const pane = new Pane(host.current!, kind, page, words);
    page.views.set(kind, pane);
    const stops = [
      effect(() => {
        const func = page.func.value;
        if (func) pane.show(func, func.text(kind, page.step.value, page.diff.value));
      }),
      effect(() => {
        void page.hover.value;
        void page.selected.value;
        const pinned = page.pinned.value;
        pane.relink();
        if (pinned > 0 && page.active.peek() !== kind) pane.reveal((line) => line.offset === pinned);
      }),
      effect(() => {
        const wanted = page.wantedBlock.value;
        if (wanted && kind === "ssa") pane.reveal((line) => line.block === wanted.block && line.inst < 0);
      }),
    ];
    return () => {
      for (const stop of stops) stop();
      page.views.delete(kind);
      pane.view.destroy();
    };
  }, [kind, page, words]);
  return <div class="code" ref={host} data-pane={kind} />;
}
