// A module of at least so many bytes from a smaller one: its functions stand in it once more, and again. Indices stay what they were.

/** Unsigned LEB128 at `at`: [value, position behind it]. */
function leb(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function encoded(value) {
  const out = [];
  do {
    const low = value % 128;
    value = Math.floor(value / 128);
    out.push(value > 0 ? low + 128 : low);
  } while (value > 0);
  return Buffer.from(out);
}

const FUNCTIONS = 3;
const CODE = 10;

/** @returns the module itself when it is large enough. */
export function growModule(bytes, atLeast) {
  const sections = [];
  for (let at = 8; at < bytes.length; ) {
    const [size, start] = leb(bytes, at + 1);
    sections.push({ id: bytes[at], body: bytes.subarray(start, start + size) });
    at = start + size;
  }
  const code = sections.find((section) => section.id === CODE);
  const copies = code ? Math.ceil((atLeast - bytes.length) / code.body.length) : 0;
  if (copies <= 0) return bytes;
  const parts = [bytes.subarray(0, 8)];
  for (const { id, body } of sections) {
    let grown = body;
    if (id === FUNCTIONS || id === CODE) {
      const [count, start] = leb(body, 0);
      const items = body.subarray(start);
      grown = Buffer.concat([encoded(count * (copies + 1)), ...Array(copies + 1).fill(items)]);
    }
    parts.push(Buffer.of(id), encoded(grown.length), grown);
  }
  return Buffer.concat(parts);
}
