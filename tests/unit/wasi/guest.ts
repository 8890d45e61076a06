// A guest for tests: a Wasm program with one exported function for each call of WASI, which it makes, and a memory.
//
// So each call goes from compiled code into the library and back, with arguments that a test chooses. Strings and structures are
// put into the guest's memory from outside.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { compileWat, type Mode } from "../runtime/support.js";
import { instantiate, type Memory } from "../../../runtime/index.js";
import { WASI, wasiModules, type WasiOptions } from "../../../runtime/wasi/index.js";

/** Parameters of every function of preview 1, `i` for i32 and `l` for i64; all but proc_exit give an i32. */
export const signatures: Readonly<Record<string, string>> = {
  args_get: "ii", args_sizes_get: "ii", environ_get: "ii", environ_sizes_get: "ii",
  clock_res_get: "ii", clock_time_get: "ili",
  fd_advise: "illi", fd_allocate: "ill", fd_close: "i", fd_datasync: "i", fd_fdstat_get: "ii", fd_fdstat_set_flags: "ii",
  fd_fdstat_set_rights: "ill", fd_filestat_get: "ii", fd_filestat_set_size: "il", fd_filestat_set_times: "illi",
  fd_pread: "iiili", fd_prestat_get: "ii", fd_prestat_dir_name: "iii", fd_pwrite: "iiili", fd_read: "iiii", fd_readdir: "iiili",
  fd_renumber: "ii", fd_seek: "ilii", fd_sync: "i", fd_tell: "ii", fd_write: "iiii",
  path_create_directory: "iii", path_filestat_get: "iiiii", path_filestat_set_times: "iiiilli", path_link: "iiiiiii",
  path_open: "iiiiillii", path_readlink: "iiiiii", path_remove_directory: "iii", path_rename: "iiiiii", path_symlink: "iiiii",
  path_unlink_file: "iii",
  poll_oneoff: "iiii", proc_exit: "i", proc_raise: "i", sched_yield: "", random_get: "ii",
  sock_accept: "iii", sock_recv: "iiiiii", sock_send: "iiiii", sock_shutdown: "ii",
};

const typeOf = { i: "i32", l: "i64" } as const;

export function guestWat(module: string): string {
  const imports: string[] = [];
  const functions: string[] = [];
  for (const [name, letters] of Object.entries(signatures)) {
    const types = [...letters].map((letter) => typeOf[letter as "i" | "l"]);
    const params = types.length > 0 ? ` (param ${types.join(" ")})` : "";
    const result = name === "proc_exit" ? "" : " (result i32)";
    imports.push(`(import "${module}" "${name}" (func $${name}${params}${result}))`);
    functions.push(`(func (export "${name}")${params}${result} (call $${name} ${types.map((_, i) => `(local.get ${i})`).join(" ")}))`);
  }
  return `(module\n${imports.join("\n")}\n(memory (export "memory") 2 4)\n(func (export "grow") (result i32) (memory.grow (i32.const 1)))\n${functions.join("\n")})`;
}

/** Where the guest's memory is used for what. */
export const at = { result: 0, second: 8, iovs: 64, struct: 256, path: 4096, otherPath: 12288, data: 65536 } as const;

export const rights = { read: 2n, write: 64n, readWrite: 66n } as const;
export const oflags = { creat: 1, directory: 2, excl: 4, trunc: 8 } as const;
export const fdflags = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 } as const;

export class Guest {
  readonly calls: Readonly<Record<string, (...args: (number | bigint)[]) => number>>;

  constructor(
    readonly exports: Readonly<Record<string, unknown>>,
    readonly wasi: WASI,
  ) {
    this.calls = exports as Guest["calls"];
  }

  get bytes(): Uint8Array {
    return new Uint8Array((this.exports["memory"] as Memory).buffer);
  }

  get view(): DataView {
    return new DataView((this.exports["memory"] as Memory).buffer);
  }

  u32(address: number = at.result): number {
    return this.view.getUint32(address, true);
  }

  u64(address: number = at.result): bigint {
    return this.view.getBigUint64(address, true);
  }

  text(address: number, length: number): string {
    return new TextDecoder().decode(this.bytes.slice(address, address + length));
  }

  /** Puts a string into the guest's memory. @returns address and length, as calls take them. */
  string(text: string, address: number = at.path): [number, number] {
    const bytes = new TextEncoder().encode(text);
    this.bytes.set(bytes, address);
    return [address, bytes.length];
  }

  /** Buffers of those lengths behind each other at `at.data`. @returns address and count. */
  iovs(...lengths: number[]): [number, number] {
    let data: number = at.data;
    lengths.forEach((length, i) => {
      this.view.setUint32(at.iovs + i * 8, data, true);
      this.view.setUint32(at.iovs + i * 8 + 4, length, true);
      data += length;
    });
    return [at.iovs, lengths.length];
  }

  /** @returns the descriptor, or minus the errno. */
  open(dir: number, name: string, options: { follow?: boolean; oflags?: number; rights?: bigint; fdflags?: number } = {}): number {
    const errno = this.calls["path_open"]!(dir, options.follow ? 1 : 0, ...this.string(name), options.oflags ?? 0, options.rights ?? rights.read, 0n, options.fdflags ?? 0, at.result);
    return errno === 0 ? this.u32() : -errno;
  }

  /** @returns what was read, or minus the errno. */
  read(fd: number, length: number): string | number {
    const errno = this.calls["fd_read"]!(fd, ...this.iovs(length), at.result);
    return errno === 0 ? this.text(at.data, this.u32()) : -errno;
  }

  /** @returns how many bytes were written, or minus the errno. */
  write(fd: number, text: string): number {
    const [, length] = this.string(text, at.data);
    const errno = this.calls["fd_write"]!(fd, ...this.iovs(length), at.result);
    return errno === 0 ? this.u32() : -errno;
  }

  close(fd: number): number {
    return this.calls["fd_close"]!(fd);
  }
}

const compiled = new Map<string, ReturnType<typeof compileWat>>();

/** @param mode engine; the module is compiled once for each. */
export async function newGuest(options: WasiOptions = {}, mode: Mode = "guard"): Promise<Guest> {
  const module = wasiModules[options.version ?? "preview1"];
  const key = `${module} ${mode}`;
  if (!compiled.has(key)) compiled.set(key, compileWat(guestWat(module), mode));
  const wasi = new WASI(options);
  const instance = instantiate(await compiled.get(key)!, wasi.getImportObject());
  wasi.initialize(instance);
  return new Guest(instance.exports, wasi);
}

/** A directory that is gone after the test. */
export async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "lathe-wasi-"));
  try {
    await run(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
