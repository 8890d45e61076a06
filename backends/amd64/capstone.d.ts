// What we use of @alexaltea/capstone-js, which ships no types.
declare module "@alexaltea/capstone-js" {
  interface Row {
    address: number | bigint;
    size: number;
    mnemonic: string;
    op_str: string;
  }
  interface Engine {
    disasm(bytes: Uint8Array, address: number): Row[];
    close(): void;
  }
  interface Capstone {
    ARCH_X86: number;
    MODE_64: number;
    Capstone: new (arch: number, mode: number) => Engine;
  }
  export default function load(): Promise<Capstone>;
}
