import * as ecc from "tiny-secp256k1";
import { done, loaded, someBytes } from "./engine.mjs";
loaded();
const out = [];
let key = someBytes(32);
for (let i = 0; i < 60; i++) {
  const message = someBytes(32).map((byte) => byte ^ i);
  const signature = ecc.sign(message, key);
  const point = ecc.pointFromScalar(key, true);
  out.push([...signature], [...point], ecc.verify(message, point, signature), [...ecc.signSchnorr(message, key)]);
  key = ecc.privateAdd(key, message) ?? key;
}
done(out);
