import { readFileSync } from "node:fs";
import { done, loaded, require } from "./engine.mjs";
globalThis.ImageData ??= class ImageData {
  constructor(data, width, height) {
    Object.assign(this, { data, width, height });
  }
};
const { default: encode, init: initEncode } = await import("@jsquash/png/encode.js");
const { default: decode, init: initDecode } = await import("@jsquash/png/decode.js");
const module = new WebAssembly.Module(readFileSync(require.resolve("@jsquash/png/codec/pkg/squoosh_png_bg.wasm")));
await initEncode(module);
await initDecode(module);
loaded();
const [width, height] = [640, 480];
const data = new Uint8ClampedArray(width * height * 4).map((_, i) => ((i * 7) ^ (i >> 9)) & 255);
const png = new Uint8Array(await encode(new ImageData(data, width, height)));
const back = await decode(png.buffer);
done(png, back.width, back.data);
