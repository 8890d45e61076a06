// Reads DWARF line programs (the custom section .debug_line), versions 2 to 5: code addresses => file, line, column.
//
// Programs are run, not tabulated: a module of megabytes has millions of rows, and a backtrace asks for a few. File tables are
// read only of units that answered. Source: DWARF Debugging Information Format, version 5, section 6.2.

export interface SourceLocation {
  readonly file: string;
  /** From 1; 0 for code that belongs to no line. */
  readonly line: number;
  /** From 1; 0 if unknown. */
  readonly column: number;
}

export interface DwarfSections {
  /** .debug_line */
  readonly line: Uint8Array;
  /** .debug_line_str and .debug_str, which version 5 refers to. */
  readonly lineStr: Uint8Array | undefined;
  readonly str: Uint8Array | undefined;
}

/** DW_LNS_ */
const enum Standard {
  copy = 1,
  advance_pc = 2,
  advance_line = 3,
  set_file = 4,
  set_column = 5,
  const_add_pc = 8,
  fixed_advance_pc = 9,
}

/** DW_LNE_ */
const enum Extended {
  end_sequence = 1,
  set_address = 2,
}

/** DW_LNCT_ */
const enum Content {
  path = 1,
  directory_index = 2,
}

/** DW_FORM_, those that a file table may use. */
const enum Form {
  block2 = 0x03,
  block4 = 0x04,
  data2 = 0x05,
  data4 = 0x06,
  data8 = 0x07,
  string = 0x08,
  block = 0x09,
  block1 = 0x0a,
  data1 = 0x0b,
  strp = 0x0e,
  udata = 0x0f,
  data16 = 0x1e,
  line_strp = 0x1f,
}

interface Row {
  readonly file: number;
  readonly line: number;
  readonly column: number;
}

class Reader {
  at = 0;
  private readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    /** Whether offsets have 64 bits. */
    public wide = false,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8(): number {
    return this.view.getUint8(this.at++);
  }

  i8(): number {
    return this.view.getInt8(this.at++);
  }

  u16(): number {
    return this.view.getUint16((this.at += 2) - 2, true);
  }

  u32(): number {
    return this.view.getUint32((this.at += 4) - 4, true);
  }

  /** A length or an offset into another section. */
  offset(): number {
    const low = this.u32();
    return this.wide ? low + this.u32() * 2 ** 32 : low;
  }

  uleb(): number {
    let result = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      result += (byte & 0x7f) * scale;
      if (byte < 0x80) return result;
    }
  }

  sleb(): number {
    let result = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      result += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return (byte & 0x40) !== 0 ? result - scale : result;
    }
  }

  string(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw new RangeError("a string without an end");
    const text = new TextDecoder().decode(this.bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }
}

/**
 * Where the code at these addresses comes from.
 * @param addresses ascending. @returns one location each; undefined where no line program knows the address. What is malformed ends the search.
 */
export function locate(sections: DwarfSections, addresses: readonly number[]): (SourceLocation | undefined)[] {
  const found: (SourceLocation | undefined)[] = new Array<undefined>(addresses.length).fill(undefined);
  const reader = new Reader(sections.line);
  try {
    while (reader.at < sections.line.length) locateInUnit(sections, reader, addresses, found);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return found;
}

/** Runs one unit's program and leaves the reader behind it. */
function locateInUnit(sections: DwarfSections, reader: Reader, addresses: readonly number[], found: (SourceLocation | undefined)[]): void {
  reader.wide = false;
  let length = reader.u32();
  if (length === 0xffff_ffff) {
    reader.wide = true;
    length = reader.offset();
  }
  const end = reader.at + length;
  const version = reader.u16();
  if (version < 2 || version > 5) {
    reader.at = end;
    return;
  }
  // Size of an address and of a segment selector.
  if (version === 5) reader.at += 2;
  const headerLength = reader.offset();
  const program = reader.at + headerLength;
  const minimumLength = reader.u8();
  if (version >= 4) reader.u8();
  reader.u8();
  const lineBase = reader.i8();
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  const operands = Array.from({ length: opcodeBase - 1 }, () => reader.u8());
  const tables = reader.at;

  const hits = new Map<number, Row>();
  const first = addresses[0]!;
  const last = addresses[addresses.length - 1]!;
  let address = 0;
  let file = 1;
  let line = 1;
  let column = 0;
  // The row before, in the same sequence.
  let from = -1;
  let fromFile = 1;
  let fromLine = 1;
  let fromColumn = 0;
  // A linker sets the sequences of functions it has left out to an address where no code is.
  let dead = true;

  const emit = () => {
    if (from >= 0 && !dead && from <= last && address > first) {
      for (let i = 0; i < addresses.length; i++) {
        if (addresses[i]! >= from && addresses[i]! < address && !hits.has(i)) hits.set(i, { file: fromFile, line: fromLine, column: fromColumn });
      }
    }
    from = address;
    fromFile = file;
    fromLine = line;
    fromColumn = column;
  };

  reader.at = program;
  while (reader.at < end) {
    const opcode = reader.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      address += Math.floor(adjusted / lineRange) * minimumLength;
      line += lineBase + (adjusted % lineRange);
      emit();
      continue;
    }
    switch (opcode) {
      case 0: {
        const size = reader.uleb();
        const next = reader.at + size;
        const extended = reader.u8();
        if (extended === Extended.end_sequence) {
          emit();
          address = 0;
          file = 1;
          line = 1;
          column = 0;
          from = -1;
          dead = true;
        } else if (extended === Extended.set_address) {
          address = reader.u32();
          dead = address === 0 || address === 0xffff_ffff;
        }
        reader.at = next;
        break;
      }
      case Standard.copy:
        emit();
        break;
      case Standard.advance_pc:
        address += reader.uleb() * minimumLength;
        break;
      case Standard.advance_line:
        line += reader.sleb();
        break;
      case Standard.set_file:
        file = reader.uleb();
        break;
      case Standard.set_column:
        column = reader.uleb();
        break;
      case Standard.const_add_pc:
        address += Math.floor((255 - opcodeBase) / lineRange) * minimumLength;
        break;
      case Standard.fixed_advance_pc:
        address += reader.u16();
        break;
      default:
        for (let i = operands[opcode - 1]!; i > 0; i--) reader.uleb();
    }
  }
  reader.at = end;
  if (hits.size === 0) return;
  const files = fileTable(sections, new Reader(sections.line.subarray(0, end), reader.wide), tables, version);
  for (const [i, { file: index, line: at, column: columnAt }] of hits) found[i] ??= { file: files(index), line: at, column: columnAt };
}

/** The names of a unit's files by index. Files of the directory that was compiled in have no directory before them. */
function fileTable(sections: DwarfSections, reader: Reader, tables: number, version: number): (index: number) => string {
  reader.at = tables;
  const named = ({ path, directory }: FileEntry, directories: readonly string[]) => {
    const name = directories[directory];
    return directory === 0 || name === undefined || path.startsWith("/") ? path : `${name.replace(/^\.\//, "")}/${path}`;
  };
  if (version === 5) {
    const directories = entries(sections, reader).map(({ path }) => path);
    const files = entries(sections, reader);
    return (index) => (files[index] ? named(files[index], directories) : `file ${index}`);
  }
  const directories = [""];
  for (let name = reader.string(); name !== ""; name = reader.string()) directories.push(name);
  const files: FileEntry[] = [];
  for (let path = reader.string(); path !== ""; path = reader.string()) {
    files.push({ path, directory: reader.uleb() });
    reader.uleb();
    reader.uleb();
  }
  return (index) => (files[index - 1] ? named(files[index - 1]!, directories) : `file ${index}`);
}

interface FileEntry {
  path: string;
  directory: number;
}

/** A table of version 5: what its entries consist of, then the entries. */
function entries(sections: DwarfSections, reader: Reader): FileEntry[] {
  const format = Array.from({ length: reader.u8() }, () => ({ content: reader.uleb() as Content, form: reader.uleb() as Form }));
  const found: FileEntry[] = [];
  // Entries of nothing can be any number.
  for (let count = format.length === 0 ? 0 : reader.uleb(); count > 0; count--) {
    const entry: FileEntry = { path: "", directory: 0 };
    for (const { content, form } of format) {
      const value = read(sections, reader, form);
      if (content === Content.path) entry.path = String(value);
      else if (content === Content.directory_index) entry.directory = Number(value);
    }
    found.push(entry);
  }
  return found;
}

function read(sections: DwarfSections, reader: Reader, form: Form): string | number {
  switch (form) {
    case Form.string:
      return reader.string();
    case Form.line_strp:
      return stringAt(sections.lineStr, reader.offset());
    case Form.strp:
      return stringAt(sections.str, reader.offset());
    case Form.data1:
      return reader.u8();
    case Form.data2:
      return reader.u16();
    case Form.data4:
      return reader.u32();
    case Form.udata:
      return reader.uleb();
    case Form.data8:
      return skip(reader, 8);
    case Form.data16:
      return skip(reader, 16);
    case Form.block:
      return skip(reader, reader.uleb());
    case Form.block1:
      return skip(reader, reader.u8());
    case Form.block2:
      return skip(reader, reader.u16());
    case Form.block4:
      return skip(reader, reader.u32());
    default:
      throw new RangeError(`a file table with form ${form as number}`);
  }
}

function skip(reader: Reader, bytes: number): number {
  reader.at += bytes;
  return 0;
}

function stringAt(section: Uint8Array | undefined, offset: number): string {
  if (!section) return "";
  const reader = new Reader(section);
  reader.at = offset;
  return reader.string();
}
