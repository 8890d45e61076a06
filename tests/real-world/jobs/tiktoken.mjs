import { done, loaded, require, sourceText } from "./engine.mjs";
const { get_encoding } = require("tiktoken");
const encoding = get_encoding("cl100k_base");
loaded();
const tokens = encoding.encode(sourceText.repeat(4));
done(tokens, encoding.decode(tokens.subarray(0, 5000)));
