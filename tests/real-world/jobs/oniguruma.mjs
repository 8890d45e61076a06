import { readFileSync } from "node:fs";
import { done, loaded, require, sourceText } from "./engine.mjs";
const oniguruma = require("vscode-oniguruma");
await oniguruma.loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")));
loaded();
const scanner = oniguruma.createOnigScanner(["\\b(?:const|let|var|function|return|if|for)\\b", "[A-Za-z_$][\\w$]*(?=\\()", "\"(?:[^\"\\\\]|\\\\.)*\"", "//.*$", "\\d+(?:\\.\\d+)?", "(?<=\\.)\\w+"]);
const matches = [];
for (let round = 0; round < 3; round++)
  for (const line of sourceText.split("\n")) {
    for (let at = 0; at < line.length; ) {
      const match = scanner.findNextMatchSync(line, at);
      if (!match) break;
      const { start, end } = match.captureIndices[0];
      matches.push(match.index, start, end);
      at = Math.max(end, at + 1);
    }
  }
done(matches);
