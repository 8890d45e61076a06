import xxhash from "xxhash-wasm";
import { done, loaded, someBytes } from "./engine.mjs";
const { h32Raw, h64Raw, create64 } = await xxhash();
loaded();
const bytes = someBytes(1 << 20);
const state = create64();
for (let i = 0; i < 50; i++) state.update(bytes.subarray(i * 100));
done(h32Raw(bytes, 7), String(h64Raw(bytes, 7n)), String(state.digest()));
