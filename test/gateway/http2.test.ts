/** HTTP/2 connections: with node's own client, byte by byte, and with clients that do wrong. */

import { connect } from 'node:http2';
import t, { type Test } from 'tap';
import {
  FRAME_BYTES_MAX,
  H2Error,
  H2Flag,
  H2Frame,
  H2Setting,
  HEADER_BLOCK_BYTES_MAX,
  NUISANCE_FRAMES_MAX,
  RESETS_MAX,
  STREAM_WINDOW_BYTES,
} from '../../src/gateway/http2/frames.ts';
import { type Header, writeHeaderBlock } from '../../src/gateway/http2/hpack.ts';
import { createRandom } from '../../src/random.ts';
import { echo, frame, headersFrame, OPENING, RawClient, REQUEST, serve, u32 } from './raw-http2.ts';

const NONE = Buffer.alloc(0);

async function open(t: Test): Promise<RawClient> {
  const { port } = await serve(t, echo);
  const client = new RawClient(port);
  t.teardown(() => client.socket.destroy());
  return client;
}

t.test("node's client gets back what it sends, of every size, many at once", async (t) => {
  const { port } = await serve(t, echo);
  const client = connect(`http://127.0.0.1:${port}`);
  t.teardown(() => client.destroy());
  const random = createRandom(1);
  const sizes = [0, 1, 100, 16_383, 16_384, 16_385, 65_535, 65_536, 1_048_576, 3_000_000];
  await Promise.all(
    [...sizes, ...sizes, ...Array.from({ length: 100 }, () => random.below(50_000))].map(
      async (size) => {
        const body = Buffer.alloc(size, size % 251);
        const request = client.request({ ':method': 'POST', ':path': '/' });
        let trailer: unknown;
        request.on('trailers', (trailers) => {
          trailer = trailers['x-end'];
        });
        request.end(body);
        const parts: Buffer[] = [];
        for await (const part of request) parts.push(part);
        t.ok(Buffer.concat(parts).equals(body), `${size} bytes`);
        t.equal(trailer, '1');
      },
    ),
  );
});

t.test('a request is read however its bytes are cut', async (t) => {
  const client = await open(t);
  const block = writeHeaderBlock(REQUEST);
  const bytes = Buffer.concat([
    OPENING,
    frame(H2Frame.Headers, 0, 1, block.subarray(0, 3)),
    frame(H2Frame.Continuation, H2Flag.EndHeaders, 1, block.subarray(3)),
    frame(H2Frame.Data, H2Flag.Padded, 1, Buffer.from('\x03one\0\0\0')),
    frame(H2Frame.Priority, 0, 1, Buffer.alloc(5)),
    frame(0x77, 0, 1, Buffer.alloc(5)),
    frame(H2Frame.Data, H2Flag.EndStream, 1, Buffer.from('two')),
  ]);
  for (const byte of bytes) client.send(Buffer.from([byte]));
  await client.until(({ type, flags }) => type === H2Frame.Headers && (flags & 1) !== 0);
  const data = client.frames.filter(({ type }) => type === H2Frame.Data);
  t.equal(Buffer.concat(data.map(({ payload }) => payload)).toString(), 'onetwo');
});

t.test('what does not fit the windows waits until they are wider', async (t) => {
  const client = await open(t);
  const windows = frame(
    H2Frame.Settings,
    0,
    0,
    Buffer.from([0, H2Setting.InitialWindowSize, 0, 0, 0, 4]),
  );
  const body = (id: number): Buffer =>
    frame(H2Frame.Data, H2Flag.EndStream, id, Buffer.from('0123456789'));
  client.send(OPENING, windows, headersFrame(1, REQUEST, false), body(1));
  client.send(headersFrame(3, REQUEST, false), body(3));
  const received = (id: number): string =>
    client.frames
      .filter(({ type, streamId }) => type === H2Frame.Data && streamId === id)
      .map(({ payload }) => payload.toString())
      .join('');
  await client.until(() => received(1) === '0123' && received(3) === '0123');
  client.send(frame(H2Frame.WindowUpdate, 0, 3, u32(3)));
  await client.until(() => received(3) === '0123456');
  t.equal(received(1), '0123');
  // A smaller initial window takes back what was given; a larger one gives it again.
  const resize = (bytes: number): Buffer =>
    frame(H2Frame.Settings, 0, 0, Buffer.from([0, H2Setting.InitialWindowSize, 0, 0, 0, bytes]));
  client.send(resize(0), resize(100));
  await client.until(
    ({ streamId, flags, type }) => streamId === 3 && type === H2Frame.Headers && (flags & 1) === 1,
  );
  await client.until(
    ({ streamId, flags, type }) => streamId === 1 && type === H2Frame.Headers && (flags & 1) === 1,
  );
  t.equal(received(1), '0123456789');
  t.equal(received(3), '0123456789');
});

/** What ends a connection, and the code it is told. */
const FATAL: readonly (readonly [name: string, code: number, bytes: Buffer])[] = [
  [
    'a frame too large',
    H2Error.FrameSize,
    frame(H2Frame.Data, 0, 1, Buffer.alloc(FRAME_BYTES_MAX + 1)),
  ],
  ['DATA of the connection', H2Error.Protocol, frame(H2Frame.Data, 0, 0, NONE)],
  ['DATA of an idle stream', H2Error.Protocol, frame(H2Frame.Data, 0, 1, NONE)],
  ['a stream of the server', H2Error.Protocol, headersFrame(2)],
  ['HEADERS of the connection', H2Error.Protocol, headersFrame(0)],
  ['CONTINUATION of nothing', H2Error.Protocol, frame(H2Frame.Continuation, 4, 1, NONE)],
  [
    'a frame within a header block',
    H2Error.Protocol,
    Buffer.concat([frame(H2Frame.Headers, 0, 1, NONE), frame(H2Frame.Ping, 0, 0, Buffer.alloc(8))]),
  ],
  [
    'a block that does not decode',
    H2Error.Compression,
    frame(H2Frame.Headers, 5, 1, Buffer.from([0x80])),
  ],
  [
    'padding beyond the frame',
    H2Error.Protocol,
    frame(H2Frame.Headers, 13, 1, Buffer.from([5, 0x82])),
  ],
  ['a push', H2Error.Protocol, frame(H2Frame.PushPromise, 4, 1, Buffer.alloc(4))],
  ['SETTINGS of a stream', H2Error.Protocol, frame(H2Frame.Settings, 0, 1, NONE)],
  ['SETTINGS that are cut', H2Error.FrameSize, frame(H2Frame.Settings, 0, 0, Buffer.alloc(5))],
  [
    'SETTINGS acknowledged with settings',
    H2Error.FrameSize,
    frame(H2Frame.Settings, 1, 0, Buffer.alloc(6)),
  ],
  ['a window beyond its limit', H2Error.FlowControl, setting(H2Setting.InitialWindowSize, 2 ** 31)],
  ['a frame size below the least', H2Error.Protocol, setting(H2Setting.MaxFrameSize, 16_383)],
  ['push neither on nor off', H2Error.Protocol, setting(H2Setting.EnablePush, 2)],
  ['PING of a stream', H2Error.Protocol, frame(H2Frame.Ping, 0, 1, Buffer.alloc(8))],
  ['a PING that is cut', H2Error.FrameSize, frame(H2Frame.Ping, 0, 0, Buffer.alloc(7))],
  ['WINDOW_UPDATE of nothing', H2Error.Protocol, frame(H2Frame.WindowUpdate, 0, 0, u32(0))],
  [
    'WINDOW_UPDATE too far',
    H2Error.FlowControl,
    frame(H2Frame.WindowUpdate, 0, 0, u32(2 ** 31 - 1)),
  ],
  ['RST_STREAM of an idle stream', H2Error.Protocol, frame(H2Frame.RstStream, 0, 1, u32(8))],
  ['a RST_STREAM that is cut', H2Error.FrameSize, frame(H2Frame.RstStream, 0, 1, NONE)],
  ['a PRIORITY that is cut', H2Error.FrameSize, frame(H2Frame.Priority, 0, 1, NONE)],
  [
    'headers in many frames',
    H2Error.EnhanceYourCalm,
    Buffer.concat([
      frame(H2Frame.Headers, 0, 1, NONE),
      ...Array.from({ length: 40 }, () => frame(H2Frame.Continuation, 0, 1, NONE)),
    ]),
  ],
  [
    'headers that are too long',
    H2Error.EnhanceYourCalm,
    Buffer.concat([
      frame(H2Frame.Headers, 0, 1, Buffer.alloc(FRAME_BYTES_MAX)),
      ...Array.from({ length: HEADER_BLOCK_BYTES_MAX / FRAME_BYTES_MAX }, () =>
        frame(H2Frame.Continuation, 0, 1, Buffer.alloc(FRAME_BYTES_MAX)),
      ),
    ]),
  ],
];

function setting(name: number, value: number): Buffer {
  return frame(H2Frame.Settings, 0, 0, Buffer.concat([Buffer.from([0, name]), u32(value)]));
}

for (const [name, code, bytes] of FATAL) {
  t.test(`${name} ends the connection, and says why`, async (t) => {
    const client = await open(t);
    client.send(OPENING, bytes);
    const goAway = await client.until(({ type }) => type === H2Frame.GoAway);
    t.equal(goAway.payload.readUInt32BE(4), code);
    await client.closed();
  });
}

t.test('another preface is no HTTP/2', async (t) => {
  const client = await open(t);
  client.send(Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'));
  await client.until(({ type }) => type === H2Frame.GoAway);
  await client.closed();
});

/** What ends a stream only. */
const HEADERS_REFUSED: readonly (readonly [name: string, headers: readonly Header[]])[] = [
  ['no path', REQUEST.filter(([name]) => name !== ':path')],
  ['two paths', [...REQUEST, [':path', '/']]],
  ['an unknown pseudo-header', [...REQUEST, [':x', '/']]],
  ['a pseudo-header behind others', [['a', 'b'], ...REQUEST]],
  ['a name in upper case', [...REQUEST, ['A', 'b']]],
  ['an empty name', [...REQUEST, ['', 'b']]],
  ['a header of the connection', [...REQUEST, ['connection', 'close']]],
  ['a te that is not trailers', [...REQUEST, ['te', 'gzip']]],
];
for (const [name, headers] of HEADERS_REFUSED) {
  t.test(`a request with ${name} is reset, and the next one answered`, async (t) => {
    const client = await open(t);
    client.send(OPENING, headersFrame(1, headers), headersFrame(3));
    const reset = await client.until(({ type }) => type === H2Frame.RstStream);
    t.equal(reset.streamId, 1);
    t.equal(reset.payload.readUInt32BE(0), H2Error.Protocol);
    await client.until(({ type, streamId }) => type === H2Frame.Headers && streamId === 3);
  });
}

t.test('a stream that sends beyond its window is reset', async (t) => {
  const { port } = await serve(t, () => undefined);
  const client = new RawClient(port);
  t.teardown(() => client.socket.destroy());
  client.send(OPENING, headersFrame(1, REQUEST, false), headersFrame(3, REQUEST, false));
  client.send(frame(H2Frame.WindowUpdate, 0, 3, u32(0)));
  const none = await client.until(({ type }) => type === H2Frame.RstStream);
  t.equal(none.streamId, 3);
  t.equal(none.payload.readUInt32BE(0), H2Error.Protocol);
  client.send(frame(H2Frame.WindowUpdate, 0, 1, u32(2 ** 31 - 1)));
  const tooFar = await client.until(
    ({ type, streamId }) => type === H2Frame.RstStream && streamId === 1,
  );
  t.equal(tooFar.payload.readUInt32BE(0), H2Error.FlowControl);
});

t.test('windows are given again as bytes come', async (t) => {
  const client = await open(t);
  client.send(OPENING, headersFrame(1, REQUEST, false));
  const part = frame(H2Frame.Data, 0, 1, Buffer.alloc(FRAME_BYTES_MAX));
  for (let sent = 0; sent < STREAM_WINDOW_BYTES; sent += FRAME_BYTES_MAX) client.send(part);
  await client.until(({ type, streamId }) => type === H2Frame.WindowUpdate && streamId === 1);
  t.notOk(client.frames.some(({ type }) => type === H2Frame.RstStream));
});

t.test('a flood of resets, and of frames that do nothing, is cut', async (t) => {
  const floods: readonly (readonly [name: string, parts: Buffer[]])[] = [
    [
      'resets',
      Array.from({ length: 2 * RESETS_MAX + 2 }, (_, at) =>
        Buffer.concat([
          headersFrame(2 * at + 1, REQUEST, false),
          frame(H2Frame.RstStream, 0, 2 * at + 1, u32(8)),
        ]),
      ),
    ],
    ['settings', Array(2 * NUISANCE_FRAMES_MAX + 2).fill(frame(H2Frame.Settings, 0, 0, NONE))],
    [
      'priorities',
      Array(2 * NUISANCE_FRAMES_MAX + 2).fill(frame(H2Frame.Priority, 0, 1, Buffer.alloc(5))),
    ],
    [
      'empty data',
      [
        headersFrame(1, REQUEST, false),
        ...Array(2 * NUISANCE_FRAMES_MAX + 2).fill(frame(H2Frame.Data, 0, 1, NONE)),
      ],
    ],
  ];
  for (const [name, parts] of floods) {
    const client = await open(t);
    client.send(OPENING, ...parts);
    const goAway = await client.until(({ type }) => type === H2Frame.GoAway);
    t.equal(goAway.payload.readUInt32BE(4), H2Error.EnhanceYourCalm, name);
    await client.closed();
  }
});

t.test('pings that come too often are too many', async (t) => {
  const client = await open(t);
  const ping = frame(H2Frame.Ping, 0, 0, Buffer.from('12345678'));
  client.send(OPENING, ping, ping, ping);
  await client.until(({ type, flags }) => type === H2Frame.Ping && flags === H2Flag.Ack);
  t.notOk(client.isClosed);
  client.send(ping, ping);
  const goAway = await client.until(({ type }) => type === H2Frame.GoAway);
  t.equal(goAway.payload.subarray(8).toString(), 'too_many_pings');
});

t.test('streams of a connection that breaks are told so, and nothing is left', async (t) => {
  let closedCount = 0;
  const { port, connections } = await serve(t, (stream) => {
    stream.listener = {
      onData: () => undefined,
      onEnd: () => undefined,
      onClosed: () => {
        closedCount += 1;
      },
      onDrain: () => undefined,
    };
  });
  const client = new RawClient(port);
  client.send(OPENING, ...Array.from({ length: 100 }, (_, at) => headersFrame(2 * at + 1)));
  client.send(frame(H2Frame.RstStream, 0, 1, u32(8)));
  while (closedCount < 1) await new Promise((resolve) => setImmediate(resolve));
  const [connection] = connections;
  t.equal(connection?.streamCount, 99);
  client.socket.resetAndDestroy();
  while (connections.size > 0) await new Promise((resolve) => setImmediate(resolve));
  t.equal(closedCount, 100);
  t.equal(connection?.streamCount, 0);
});

t.test('a client that does not read holds up nobody but itself', async (t) => {
  const body = Buffer.alloc(8 * 1024 * 1024);
  let waitingBytes = 0;
  const { port } = await serve(t, (stream) => {
    stream.respond(writeHeaderBlock([[':status', '200']]));
    stream.write(body);
    stream.end();
    waitingBytes += stream.queuedBytes;
  });
  const client = new RawClient(port);
  t.teardown(() => client.socket.destroy());
  client.send(OPENING, setting(H2Setting.InitialWindowSize, 2 ** 30));
  client.send(frame(H2Frame.WindowUpdate, 0, 0, u32(2 ** 30)));
  client.socket.pause();
  client.send(headersFrame(1), headersFrame(3));
  while (waitingBytes === 0) await new Promise((resolve) => setImmediate(resolve));
  client.socket.resume();
  await client.until(
    ({ type, streamId, flags }) => type === H2Frame.Data && streamId === 1 && flags === 1,
  );
  await client.until(
    ({ type, streamId, flags }) => type === H2Frame.Data && streamId === 3 && flags === 1,
  );
  const bytes = client.frames
    .filter(({ type, streamId }) => type === H2Frame.Data && streamId === 3)
    .reduce((sum, { payload }) => sum + payload.length, 0);
  t.equal(bytes, body.length);
});

t.test('a connection that leaves answers what it was asked, and takes no more', async (t) => {
  let answer = (): void => {};
  const { port, connections } = await serve(t, (stream) => {
    answer = () => echo(stream);
    stream.listener = undefined;
  });
  const client = new RawClient(port);
  client.send(OPENING, headersFrame(1, REQUEST, false));
  while (connections.size === 0 || [...connections][0]?.streamCount !== 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (const connection of connections) connection.leave();
  await client.until(({ type }) => type === H2Frame.GoAway);
  answer();
  client.send(headersFrame(3), frame(H2Frame.Data, H2Flag.EndStream, 1, Buffer.from('x')));
  await client.until(({ type, streamId }) => type === H2Frame.RstStream && streamId === 3);
  await client.until(
    ({ type, streamId, flags }) => type === H2Frame.Headers && streamId === 1 && flags === 5,
  );
  await client.closed();
});
