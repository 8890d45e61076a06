// A loop in C's place: machine code of a few instructions that calls a C function `int (int)` n times, for calls.mjs.
import koffi from "koffi";

// push rbx; push r12; sub rsp, 8; mov rbx, rdi; mov r12, rsi
// next: mov edi, ebx; call r12; dec rbx; jnz next
// add rsp, 8; pop r12; pop rbx; ret
const amd64 = [0x53, 0x41, 0x54, 0x48, 0x83, 0xec, 0x08, 0x48, 0x89, 0xfb, 0x49, 0x89, 0xf4, 0x89, 0xdf, 0x41, 0xff, 0xd4, 0x48, 0xff, 0xcb, 0x75, 0xf6, 0x48, 0x83, 0xc4, 0x08, 0x41, 0x5c, 0x5b, 0xc3];

/** (n) => void around a function of the C library; undefined on another architecture or system. */
export function cLoop(library, name) {
  if (process.arch !== "x64" || process.platform !== "linux") return undefined;
  const libc = koffi.load(library);
  const mmap = libc.func("mmap", "uintptr_t", ["uintptr_t", "size_t", "int", "int", "int", "int64_t"]);
  const [readWrite, readExecute, privateAnonymous] = [3, 5, 0x22];
  const page = mmap(0, 4096, readWrite, privateAnonymous, -1, 0);
  libc.func("memcpy", "uintptr_t", ["uintptr_t", "const void *", "size_t"])(page, Uint8Array.from(amd64), amd64.length);
  libc.func("mprotect", "int", ["uintptr_t", "size_t", "int"])(page, 4096, readExecute);
  const loop = koffi.decode(BigInt(page), koffi.proto("void", ["uintptr_t", "uintptr_t"]));
  const address = koffi.address(libc.symbol(name));
  return (n) => loop(n, address);
}
