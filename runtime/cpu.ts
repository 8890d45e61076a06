// What the CPU can do, asked by the backend's probe.
import type { RuntimeStubs } from "../ir/code.js";
import { Access } from "./native.js";
import { currentThread } from "./thread.js";

/** Names of the CPU's features as the target names them; none where there is nothing to ask. */
export function hostCpuFeatures(stubs: RuntimeStubs): readonly string[] {
  const probe = stubs.cpuProbe();
  if (!probe) return [];
  const { native } = currentThread();
  const page = native.map(native.pageBytes, Access.readWrite);
  const out = native.map(native.pageBytes, Access.readWrite);
  if (page === 0 || out === 0) throw new RangeError("out of memory");
  native.write(page, probe);
  native.protect(page, native.pageBytes, Access.readExecute);
  native.addressCall(page, 1)(out);
  const words = new BigUint64Array(native.read(out, 64).buffer);
  native.unmap(page, native.pageBytes);
  native.unmap(out, native.pageBytes);
  return stubs.cpuFeatures(words);
}
