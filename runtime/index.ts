// What the rest of the project uses of the runtime.
export { callFunc, callRaw } from "./call.js";
export type { CompiledModule } from "./compiled.js";
export { FuncInstance, funcInstanceOf } from "./func.js";
export { Global, type GlobalDescriptor } from "./global.js";
export { Instance } from "./instance.js";
export { instantiate, LinkError, type Imports } from "./link.js";
export { Memory, type MemoryDescriptor } from "./memory.js";
export { native } from "./native-function.js";
export { defaultStore, Store } from "./store.js";
export { Table, type TableDescriptor } from "./table.js";
export { configureThread, currentThread, type ThreadOptions } from "./thread.js";
export { sourceMappingUrl } from "./source-location.js";
export { frameLines } from "./stack-text.js";
export type { TrapFrame } from "./backtrace.js";
export { Trap, type TrapName } from "./trap.js";
export { hostCpuFeatures } from "./cpu.js";
