import { readFileSync } from "node:fs";
import { done, loaded, require, sourceText } from "./engine.mjs";
const hb = await import("harfbuzzjs");
loaded();
const blob = new hb.Blob(readFileSync(require.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf")));
const font = new hb.Font(new hb.Face(blob, 0));
const out = [];
for (const line of sourceText.split("\n").slice(0, 400)) {
  const buffer = new hb.Buffer();
  buffer.addText(`${line} fi ffl`);
  buffer.guessSegmentProperties();
  hb.shape(font, buffer);
  out.push(buffer.json ? buffer.json() : buffer.getGlyphInfos());
}
done(out);
