// Limits of the implementation: what a module may have at most.
//
// The Wasm spec leaves them open (appendix "Implementation Limitations"). These are the numbers of the JS API's
// section "Limits", so that a module is accepted here if engines accept it; `br_table` may be longer than theirs.

export const enum Limit {
  module_bytes = 1 << 30,
  types = 1_000_000,
  functions = 1_000_000,
  imports = 1_000_000,
  exports = 1_000_000,
  globals = 1_000_000,
  tables = 100_000,
  /** Fewer than theirs: here each is an object. */
  elem_segments = 1_000_000,
  elem_segment_length = 10_000_000,
  data_segments = 100_000,
  params = 1_000,
  results = 1_000,
  /** Parameters included. */
  locals = 50_000,
  function_bytes = 7_654_321,
  /** Pages of 64 KiB; the spec's own bound for 32-bit memories. */
  memory_pages = 65_536,
}
