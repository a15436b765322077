/**
 * Reads and writes HTTP/2's header blocks (RFC 7541).
 *
 * Reading keeps the peer's dynamic table. Writing uses the static table only: what this side says
 * is short and nearly constant, and prebuilt blocks beat a table of its own.
 *
 * Limits: the dynamic table has the size of the protocol's default; a list of headers is at most
 * HEADER_LIST_BYTES_MAX, each counted with 32 bytes more.
 */

import { decodeHuffman } from './huffman.ts';

/** Most bytes of a request's headers, names, values and 32 each. */
export const HEADER_LIST_BYTES_MAX = 64 * 1024;

/** Bytes of the dynamic table: the default of SETTINGS_HEADER_TABLE_SIZE. */
export const TABLE_BYTES_MAX = 4_096;

/** What an entry counts besides its name and value. */
const ENTRY_BYTES = 32;

/** Bits of a string's first byte. */
const HUFFMAN = 0x80;

/** A symbol has at least 5 bits: a decoded string is at most this much longer. */
const HUFFMAN_GROWTH_MAX = 1.6;

/** A header's name in lower case, and its value, each a character a byte. */
export type Header = readonly [name: string, value: string];

/** A block that does not decode: the connection is lost, since the tables differ from now on. */
export class HpackError extends Error {
  override readonly name = 'HpackError';
}

const STATIC: readonly Header[] = [
  [':authority', ''],
  [':method', 'GET'],
  [':method', 'POST'],
  [':path', '/'],
  [':path', '/index.html'],
  [':scheme', 'http'],
  [':scheme', 'https'],
  ...['200', '204', '206', '304', '400', '404', '500'].map((code): Header => [':status', code]),
  ['accept-charset', ''],
  ['accept-encoding', 'gzip, deflate'],
  ...[
    ...['accept-language', 'accept-ranges', 'accept', 'access-control-allow-origin', 'age'],
    ...['allow', 'authorization', 'cache-control', 'content-disposition', 'content-encoding'],
    ...['content-language', 'content-length', 'content-location', 'content-range'],
    ...['content-type', 'cookie', 'date', 'etag', 'expect', 'expires', 'from', 'host'],
    ...['if-match', 'if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since'],
    ...['last-modified', 'link', 'location', 'max-forwards', 'proxy-authenticate'],
    ...['proxy-authorization', 'range', 'referer', 'refresh', 'retry-after', 'server'],
    ...['set-cookie', 'strict-transport-security', 'transfer-encoding', 'user-agent', 'vary'],
    ...['via', 'www-authenticate'],
  ].map((name): Header => [name, '']),
];

const STATUS_INDEX: ReadonlyMap<string, number> = new Map(
  STATIC.flatMap(([name, value], slot) => (name === ':status' ? [[value, slot + 1]] : [])),
);
const NAME_INDEX: ReadonlyMap<string, number> = new Map(
  STATIC.map(([name], slot): [string, number] => [name, slot + 1]).reverse(),
);

/** Reads header blocks of one connection, in order. */
export class HpackReader {
  /** The dynamic table, the newest last. */
  #entries: Header[] = [];
  #tableBytes = 0;
  #tableBytesMax = TABLE_BYTES_MAX;
  #scratch: Buffer = Buffer.allocUnsafeSlow(512);

  #block: Buffer = this.#scratch;
  #position = 0;
  #end = 0;

  /** The block read last, and what it said, if reading it changed nothing. */
  #lastBlock: Buffer | undefined = undefined;
  #lastHeaders: readonly Header[] = [];

  /**
   * Reads a block.
   *
   * @returns undefined when the list is too long; the tables are kept right all the same
   * @throws HpackError
   */
  read(block: Buffer): readonly Header[] | undefined {
    if (this.#lastBlock?.equals(block)) return this.#lastHeaders;
    this.#block = block;
    this.#position = 0;
    this.#end = block.length;
    const headers: Header[] = [];
    let listBytes = 0;
    let isPure = true;
    while (this.#position < this.#end) {
      const first = block[this.#position]!;
      if (first >= 0x80) {
        const header = this.#entry(this.#integer(7));
        headers.push(header);
        listBytes += sizeOf(header);
      } else if ((first & 0xe0) === 0x20) {
        isPure = false;
        if (headers.length > 0) throw new HpackError('the table is resized behind a header');
        this.#resize(this.#integer(5));
      } else {
        const isKept = first >= 0x40;
        const index = this.#integer(isKept ? 6 : 4);
        const name = index === 0 ? this.#text() : this.#entry(index)[0];
        const header: Header = [name, this.#text()];
        listBytes += sizeOf(header);
        if (listBytes <= HEADER_LIST_BYTES_MAX) headers.push(header);
        if (isKept) this.#add(header);
        if (isKept) isPure = false;
      }
      // An index may stand for much: what is beyond the limit is not even gathered.
      if (listBytes > HEADER_LIST_BYTES_MAX) headers.length = 0;
    }
    if (!isPure) this.#lastBlock = undefined;
    if (listBytes > HEADER_LIST_BYTES_MAX) return undefined;
    if (isPure) {
      this.#lastBlock = Buffer.from(block);
      this.#lastHeaders = headers;
    }
    return headers;
  }

  #entry(index: number): Header {
    if (index === 0) throw new HpackError('no header has index 0');
    const fixed = STATIC[index - 1];
    if (fixed !== undefined) return fixed;
    const entry = this.#entries[this.#entries.length - (index - STATIC.length)];
    if (entry === undefined) throw new HpackError(`no header has index ${index}`);
    return entry;
  }

  #add(header: Header): void {
    this.#tableBytes += sizeOf(header);
    this.#entries.push(header);
    this.#evict();
  }

  #resize(bytes: number): void {
    if (bytes > TABLE_BYTES_MAX) throw new HpackError(`a table of ${bytes} bytes is too large`);
    this.#tableBytesMax = bytes;
    this.#evict();
  }

  #evict(): void {
    let count = 0;
    while (this.#tableBytes > this.#tableBytesMax) {
      this.#tableBytes -= sizeOf(this.#entries[count]!);
      count += 1;
    }
    if (count > 0) this.#entries.splice(0, count);
  }

  #integer(prefixBits: number): number {
    const mask = (1 << prefixBits) - 1;
    let value = this.#byte() & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new HpackError('an integer is too long');
  }

  #byte(): number {
    if (this.#position >= this.#end) throw new HpackError('the block ends too early');
    const byte = this.#block[this.#position]!;
    this.#position += 1;
    return byte;
  }

  #text(): string {
    const isHuffman = (this.#block[this.#position] ?? 0) >= HUFFMAN;
    const count = this.#integer(7);
    const start = this.#position;
    const end = start + count;
    if (end > this.#end) throw new HpackError('the block ends too early');
    this.#position = end;
    if (!isHuffman) return this.#block.toString('latin1', start, end);

    const most = Math.ceil(count * HUFFMAN_GROWTH_MAX);
    if (most > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(most * 2);
    const decodedEnd = decodeHuffman(this.#block, start, end, this.#scratch, 0);
    if (decodedEnd < 0) throw new HpackError('a string is not Huffman coded');
    return this.#scratch.toString('latin1', 0, decodedEnd);
  }
}

/** Writes a header block: names in lower case, values a character a byte. */
export function writeHeaderBlock(headers: readonly Header[]): Buffer {
  return Buffer.concat(headers.map(writeHeader));
}

function writeHeader([name, value]: Header): Buffer {
  const status = name === ':status' ? STATUS_INDEX.get(value) : undefined;
  if (status !== undefined) return Buffer.from([0x80 | status]);
  // A literal that no table keeps.
  const index = NAME_INDEX.get(name) ?? 0;
  const head = index === 0 ? [writeInteger(0, 4), writeText(name)] : [writeInteger(index, 4)];
  return Buffer.concat([...head, writeText(value)]);
}

function writeText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([writeInteger(bytes.length, 7), bytes]);
}

function writeInteger(value: number, prefixBits: number): Buffer {
  const mask = (1 << prefixBits) - 1;
  if (value < mask) return Buffer.from([value]);
  const bytes = [mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function sizeOf([name, value]: Header): number {
  return ENTRY_BYTES + name.length + value.length;
}
