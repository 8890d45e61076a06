import { done, loaded, require } from "./engine.mjs";
const OpusScript = require("opusscript");
const codec = new OpusScript(48000, 2, OpusScript.Application.AUDIO, { wasm: true });
loaded();
const frame = 960;
const out = [];
for (let i = 0; i < 150; i++) {
  const pcm = Buffer.alloc(frame * 4);
  for (let k = 0; k < frame; k++) {
    pcm.writeInt16LE(Math.round(9000 * Math.sin((i * frame + k) / 17) + (((i * 7919 + k * 31) % 997) - 498)), k * 4);
    pcm.writeInt16LE(Math.round(7000 * Math.sin((i * frame + k) / 23)), k * 4 + 2);
  }
  const packet = codec.encode(pcm, frame);
  out.push([...packet]);
  if (i % 10 === 0) out.push([...codec.decode(packet)].slice(0, 200));
}
done(out);
