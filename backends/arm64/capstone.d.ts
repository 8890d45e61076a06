// What of @alexaltea/capstone-js this backend uses beyond what is declared for the other: the constants of its architecture.
declare module "@alexaltea/capstone-js" {
  interface Capstone {
    ARCH_ARM64: number;
    MODE_ARM: number;
  }
}
