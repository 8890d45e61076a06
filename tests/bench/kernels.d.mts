// Types of kernels.mjs.
export interface Expected {
  type: "i32" | "i64" | "f64";
  value: string;
  bits?: string;
}
export interface Kernel {
  name: string;
  file: string;
  export: string;
  args: number[];
  expected: Expected;
  quick: { args: number[]; expected: Expected };
  features: string[];
}
export const benchDirectory: string;
export function kernelsExist(): boolean;
export function kernels(filters?: string[]): Kernel[];
export function kernelBytes(kernel: Kernel): Uint8Array;
export function isExpected(expected: Expected, result: unknown): boolean;
