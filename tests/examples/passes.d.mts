import type { Pass } from "../../pipeline/index.js";

export const exampleNames: readonly string[];
export function example(name: string): Promise<any>;
export function quietExample(name: string): Promise<Pass>;
