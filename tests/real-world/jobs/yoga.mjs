import Yoga, { FlexDirection, Wrap, Edge } from "yoga-layout";
import { done, loaded, random } from "./engine.mjs";
loaded();
const next = random();
const nodes = [];
function tree(depth) {
  const node = Yoga.Node.create();
  nodes.push(node);
  node.setFlexDirection(next() % 2 ? FlexDirection.Row : FlexDirection.Column);
  node.setFlexWrap(next() % 3 ? Wrap.NoWrap : Wrap.Wrap);
  node.setPadding(Edge.All, next() % 9);
  node.setFlexGrow(next() % 3);
  if (depth === 0) {
    node.setWidth(next() % 120);
    node.setHeight(next() % 60);
  } else for (let i = 0; i < 6; i++) node.insertChild(tree(depth - 1), i);
  return node;
}
const root = tree(4);
const out = [];
for (const width of [320, 500, 1280]) {
  root.calculateLayout(width, undefined);
  for (const node of nodes) out.push(node.getComputedLeft(), node.getComputedTop(), node.getComputedWidth(), node.getComputedHeight());
}
done(out);
