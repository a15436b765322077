/** HPACK: the examples of RFC 7541, headers as node's own HTTP/2 writes them, and bad blocks. */

import { once } from 'node:events';
import { connect } from 'node:http2';
import { createServer } from 'node:net';
import t from 'tap';
import {
  HEADER_LIST_BYTES_MAX,
  type Header,
  HpackError,
  HpackReader,
  writeHeaderBlock,
} from '../../src/gateway/http2/hpack.ts';
import { createRandom } from '../../src/random.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** RFC 7541 appendix C.3, C.4: three requests on one connection. */
const EXAMPLES: readonly (readonly [plain: string, huffman: string, headers: readonly Header[]])[] =
  [
    [
      '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
      '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'www.example.com'],
      ],
    ],
    [
      '8286 84be 5808 6e6f 2d63 6163 6865',
      '8286 84be 5886 a8eb 1064 9cbf',
      [
        [':method', 'GET'],
        [':scheme', 'http'],
        [':path', '/'],
        [':authority', 'www.example.com'],
        ['cache-control', 'no-cache'],
      ],
    ],
    [
      '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      [
        [':method', 'GET'],
        [':scheme', 'https'],
        [':path', '/index.html'],
        [':authority', 'www.example.com'],
        ['custom-key', 'custom-value'],
      ],
    ],
  ];

t.test('the examples of the RFC are read, plain and Huffman coded', async (t) => {
  const [plain, huffman] = [new HpackReader(), new HpackReader()];
  for (const [plainBlock, huffmanBlock, headers] of EXAMPLES) {
    t.strictSame(plain.read(hex(plainBlock)), headers);
    t.strictSame(huffman.read(hex(huffmanBlock)), headers);
  }
});

t.test('every character is read from what node writes, and the same block again', async (t) => {
  // A server that says nothing: what the client writes is all there is.
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const client = connect(`http://127.0.0.1:${port}`);
  client.on('error', () => undefined);
  const [socket] = await once(server, 'connection');
  socket.on('error', () => undefined);
  let bytes: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
  });
  const random = createRandom(5);
  const sent: string[] = [];
  for (let round = 0; round < 60; round += 1) {
    const codes = Array.from({ length: 1 + random.below(40) }, () => 0x21 + random.below(0x5e));
    sent.push(String.fromCharCode(...codes));
  }
  for (const value of sent)
    client.request({ ':path': '/x', 'x-value': value }).on('error', () => {});
  const reader = new HpackReader();
  const seen: (string | undefined)[] = [];
  let at = 24;
  while (seen.length < sent.length) {
    if (bytes.length < at + 9 || bytes.length < at + 9 + bytes.readUIntBE(at, 3)) {
      await once(socket, 'data');
      continue;
    }
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (bytes[at + 3] === 1) {
      const headers = reader.read(bytes.subarray(at + 9, end)) ?? [];
      seen.push(headers.find(([name]) => name === 'x-value')?.[1]);
    }
    at = end;
  }
  t.strictSame(seen, sent);
  client.destroy();
  socket.destroy();
  server.close();
});

t.test('what is written is read', async (t) => {
  const headers: Header[] = [
    [':status', '200'],
    [':status', '415'],
    ['content-type', 'application/grpc'],
    ['grpc-status', '0'],
    ['grpc-message', ''],
    ['x', 'y'.repeat(300)],
  ];
  t.strictSame(new HpackReader().read(writeHeaderBlock(headers)), headers);
});

const refused: readonly (readonly [name: string, block: string])[] = [
  ['an index of 0', '80'],
  ['an index beyond the tables', 'c5'],
  ['a name beyond the tables', '7f8001 0161'],
  ['an integer that never ends', `ff${'ff'.repeat(6)}`],
  ['an integer that is cut', 'ff'],
  ['a text that is cut', '4005 6162'],
  ['a text without its length', '40'],
  ['padding of more than seven bits', '0081 61 82 ffff'],
  ['padding that is not ones', '0001 61 81 00'],
  ['the end of a Huffman string within it', '0001 61 84 ffffffff'],
  ['a table larger than ours', '3fe21f'],
  ['a table resized behind a header', '82 20'],
];
for (const [name, block] of refused) {
  t.test(`${name} is refused`, async (t) => {
    t.throws(() => new HpackReader().read(hex(block)), HpackError);
  });
}

t.test('the dynamic table drops the oldest, and all when it is resized to nothing', async (t) => {
  const reader = new HpackReader();
  const add = (name: string): Buffer =>
    Buffer.concat([
      Buffer.from([0x40, 1]),
      Buffer.from(name),
      hex('7f9907'),
      Buffer.alloc(1048, 'v'),
    ]);
  for (const name of ['a', 'b', 'c', 'd']) reader.read(add(name));
  t.equal(reader.read(hex('be'))?.[0]?.[0], 'd');
  t.equal(reader.read(hex('c0'))?.[0]?.[0], 'b');
  t.throws(() => reader.read(hex('c1')), HpackError, 'a has gone');
  reader.read(hex('20'));
  t.throws(() => reader.read(hex('be')), HpackError);
});

t.test('a list beyond the limit is told apart, and does not hurt the tables', async (t) => {
  const reader = new HpackReader();
  reader.read(Buffer.concat([hex('4001 61 7f9907'), Buffer.alloc(1048, 'v')]));
  const times = Math.floor(HEADER_LIST_BYTES_MAX / (32 + 1 + 1048));
  t.equal(reader.read(Buffer.alloc(times, 0xbe))?.length, times);
  t.equal(reader.read(Buffer.alloc(times + 1, 0xbe)), undefined);
  t.equal(reader.read(hex('be'))?.length, 1);
});

t.test('random blocks are refused or read, nothing else', async (t) => {
  const random = createRandom(9);
  for (let round = 0; round < 5_000; round += 1) {
    const block = Buffer.from(Array.from({ length: random.below(40) }, () => random.below(256)));
    try {
      new HpackReader().read(block);
    } catch (error) {
      if (!(error instanceof HpackError)) t.fail(String(error));
    }
  }
});
