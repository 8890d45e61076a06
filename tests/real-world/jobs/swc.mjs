import { done, loaded, require, sourceText } from "./engine.mjs";
const swc = require("@swc/wasm");
loaded();
const typed = `enum E { A, B = 3 }\nexport class X<T> { #p = 1; constructor(private y: T) {} async *f(@dec a?: number) { for await (const q of [1, 2]) yield q ?? this.#p; } }\n`;
const a = swc.transformSync(sourceText, { filename: "a.js", minify: true, jsc: { target: "es5", minify: { compress: true, mangle: true } }, sourceMaps: true });
const b = swc.transformSync(typed, { filename: "b.ts", jsc: { parser: { syntax: "typescript", decorators: true }, target: "es2016" } });
done(a.code, a.map, b.code);
