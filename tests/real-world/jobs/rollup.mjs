import { rollup } from "@rollup/wasm-node";
import { done, loaded, sourceText } from "./engine.mjs";
loaded();
const files = { entry: "import { f } from 'a'; import * as b from 'b'; export default () => f(b.two);", a: `export function f(x) { return x + g(); } function g() { return 7; } export const unused = 1;`, b: `export const one = 1, two = 2;\n${"export function pad(x) { if (x) { return { x, y: [1, 2, ...x] }; } }\n"}`, c: sourceText };
const build = await rollup({ input: ["entry", "c"], external: () => false, onwarn() {}, plugins: [{ name: "memory", resolveId: (id) => (id in files ? id : false), load: (id) => files[id] }] });
const { output } = await build.generate({ format: "es", entryFileNames: "[name].js", sourcemap: true });
done(output.map((file) => file.code ?? file.source));
