// What the folder offers: the allocator and its checker.
export { allocate, Allocator } from "./allocate.js";
export type { AllocateOptions } from "./allocate.js";
export { checkAllocation, recordBefore } from "./check.js";
