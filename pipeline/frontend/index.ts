// The front end's public names: bytes or text in, a module and its functions in SSA out.
export { decodeModule, decodeModuleAsync, validate } from "./decode.js";
export { WasmError, type WasmErrorKind } from "./error.js";
export { translateFunction } from "./translate.js";
export { isWasm, toBytes, watToBytes } from "./wat.js";
