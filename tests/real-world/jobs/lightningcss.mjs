import init, { transform } from "lightningcss-wasm";
import { readFileSync } from "node:fs";
import { done, loaded, require } from "./engine.mjs";
await init(readFileSync(require.resolve("lightningcss-wasm/lightningcss_node.wasm")));
loaded();
let css = "";
for (let i = 0; i < 800; i++) css += `.a${i} > .b:is(:hover, .c) { color: rgb(${i % 256} 3 9 / 50%); margin: calc(${i}px + 2em * 3) auto; & .x { inset: 0; background: linear-gradient(red, color-mix(in srgb, blue, red ${i % 100}%)) } }\n@media (width >= ${i}px) { .m${i} { display: grid; grid-template-areas: "a b" "c d" } }\n`;
const { code, map } = transform({ filename: "x.css", code: Buffer.from(css), minify: true, sourceMap: true, targets: { safari: 13 << 16 } });
done(code, map);
