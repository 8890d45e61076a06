// Branded ids: every entity is an integer, and integers of different kinds do not mix.
//
// A module-local type index and a store's canonical type id are two brands: handing one where the other is
// wanted does not compile. That is rule 1 of the type-identity design, the bug class this project grew from.
// Relies on nothing; costs nothing at run time.

declare const brand: unique symbol;
type Id<Name extends string> = number & { readonly [brand]: Name };

/** A value of a function; a value *is* its instruction. Printed `v7`. */
export type Value = Id<"value">;
/** A basic block. Printed `b2`. */
export type Block = Id<"block">;
/** A control-flow edge. Printed `e5` where it is named at all. */
export type Edge = Id<"edge">;

/** Index into one module's function space, imports first. Printed `@3`. */
export type FuncIndex = Id<"func index">;
/** Index into one module's type section: means nothing outside that module. Printed `t1`. */
export type TypeIndex = Id<"type index">;
/** Index into one module's table space. Printed `T0`. */
export type TableIndex = Id<"table index">;
/** Index into one module's memory space. Printed `m0`. */
export type MemoryIndex = Id<"memory index">;
/** Index into one module's global space. Printed `g4`. */
export type GlobalIndex = Id<"global index">;
/** Index of an element segment. */
export type ElemIndex = Id<"elem index">;
/** Index of a data segment. */
export type DataIndex = Id<"data index">;

/** A store's id of a structurally interned type: equal ids mean equal types, across all modules of the store. */
export type CanonicalTypeId = Id<"canonical type id">;

/** No value, block, edge: ids are never negative. */
export const NONE = -1;
