import { connect as dial, type Socket } from 'node:net';
import t from 'tap';
import { NO_NODE } from '../../include/node.ts';
import { ConnectionRole, FrameType, PROTOCOL_VERSION } from '../../include/rpc.ts';
import { startHostileStream } from '../chaos/hostile-stream.ts';
import { startCluster } from './processes.ts';

function frame(type: number, id: number, body: Buffer): Buffer {
  const bytes = Buffer.alloc(10 + body.length);
  bytes.writeUInt32BE(6 + body.length, 0);
  bytes.writeUInt8(type, 4);
  bytes.writeUInt32BE(id, 6);
  body.copy(bytes, 10);
  return bytes;
}

/** Written by hand from docs/PROTOCOL.md, so that the codec is not its own judge. */
function hello(version: number, clusterId: bigint): Buffer {
  const body = Buffer.alloc(23);
  body.write('KVRM', 0);
  body.writeUInt16BE(version, 4);
  body.writeUInt8(ConnectionRole.Client, 6);
  body.writeBigUInt64BE(clusterId, 7);
  body.writeInt32BE(NO_NODE, 15);
  body.writeInt32BE(NO_NODE, 19);
  return frame(FrameType.Hello, 0, body);
}

const greeting = hello(PROTOCOL_VERSION, 0n);

/** What only a leader proposes, as the first write of session 1. */
function expiryOnce(): Buffer {
  const body = Buffer.alloc(25 + 8);
  body.writeBigUInt64BE(1n, 0);
  body.writeBigUInt64BE(1n, 8);
  body.writeUInt8(FrameType.Expire, 24);
  return body;
}

/** So many transactions within each other, the innermost empty. */
function nested(depth: number): Buffer {
  const around = depth - 1;
  const bytes = Buffer.alloc(13 * around + 12 + 4 * around);
  for (let level = 0; level < around; level += 1) {
    const offset = 13 * level;
    bytes.writeUInt32BE(1, offset + 4);
    bytes.writeUInt8(3, offset + 8);
    bytes.writeUInt32BE(12 + 17 * (around - level - 1), offset + 9);
  }
  return bytes;
}

const attacks: readonly (readonly [name: string, bytes: Buffer])[] = [
  ['text', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ['zeros', Buffer.alloc(4096)],
  ['a frame of 4 GiB', Buffer.concat([greeting, Buffer.from('ffffffff', 'hex')])],
  ['a frame of length 0', Buffer.concat([greeting, Buffer.alloc(10)])],
  ['an unknown frame', Buffer.concat([greeting, frame(0x7f, 1, Buffer.alloc(3))])],
  ['a put cut short', Buffer.concat([greeting, frame(FrameType.Put, 1, Buffer.alloc(3))])],
  ['a peer message from a client', Buffer.concat([greeting, frame(0x22, 1, Buffer.alloc(40))])],
  ['a transaction cut short', Buffer.concat([greeting, frame(FrameType.Txn, 1, Buffer.alloc(3))])],
  [
    'a watch numbered 0',
    Buffer.concat([greeting, frame(FrameType.WatchCreate, 1, Buffer.alloc(17))]),
  ],
  ['an expiry', Buffer.concat([greeting, frame(FrameType.Expire, 1, Buffer.alloc(8))])],
  ['an expiry in a session', Buffer.concat([greeting, frame(FrameType.Once, 1, expiryOnce())])],
  ['a hello of version 0', hello(0, 0n)],
  ['a hello of another cluster', hello(PROTOCOL_VERSION, 0x1234n)],
];

function open(endpoint: string): Promise<Socket> {
  const [host = '', port = ''] = endpoint.split(':');
  return new Promise((resolve, reject) => {
    const socket = dial({ host, port: Number(port) }, () => {
      socket.off('error', reject);
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

function closed(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((done) => socket.once('close', () => done()));
}

t.test('garbage ends its own connection, and the node goes on serving others', async (t) => {
  const cluster = await startCluster(t, { size: 1 });
  await cluster.leader();
  const client = cluster.client();
  await client.put('a', '1');
  for (const [name, bytes] of attacks) {
    const socket = await open(cluster.endpoints[0] ?? '');
    const answer: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => answer.push(chunk));
    socket.write(bytes);
    await closed(socket);
    t.ok(Buffer.concat(answer).length > 10, `${name} is answered before the end`);
    t.equal((await client.get('a'))?.value.toString(), '1', `${name} harms nobody else`);
  }
});

t.test('a transaction that is too deep is refused, and its connection serves on', async (t) => {
  const cluster = await startCluster(t, { size: 1 });
  await cluster.leader();
  const socket = await open(cluster.endpoints[0] ?? '');
  const asked = [frame(FrameType.Txn, 1, nested(60_000)), frame(FrameType.Txn, 2, nested(16))];
  socket.write(Buffer.concat([greeting, ...asked]));
  let answer = Buffer.alloc(0);
  const ids: (readonly [type: number, id: number])[] = [];
  for await (const chunk of socket) {
    answer = Buffer.concat([answer, chunk]);
    while (answer.length >= 10 && answer.length >= 4 + answer.readUInt32BE(0)) {
      ids.push([answer.readUInt8(4), answer.readUInt32BE(6)]);
      answer = answer.subarray(4 + answer.readUInt32BE(0));
    }
    if (ids.length === 3) break;
  }
  t.strictSame(ids, [
    [FrameType.Hello, 0],
    [FrameType.Error, 1],
    [FrameType.Reply, 2],
  ]);
});

t.test('the same cause a thousand times is not a thousand log lines', async (t) => {
  const cluster = await startCluster(t, { size: 1 });
  await cluster.leader();
  const before = cluster.node(0).lines.length;
  for (let round = 0; round < 20; round += 1) {
    const opening = Array.from({ length: 50 }, () => open(cluster.endpoints[0] ?? ''));
    const sockets = await Promise.all(opening);
    for (const socket of sockets) socket.write('not a frame of kvorum');
    await Promise.all(sockets.map(closed));
  }
  t.ok(cluster.node(0).lines.length - before < 20);
  t.equal((await cluster.client().put('a', '1')).revision, 2);
});

t.test('a node with ten thousand idle connections serves others', async (t) => {
  const cluster = await startCluster(t, { size: 1 });
  await cluster.leader();
  const sockets: Socket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let round = 0; round < 100; round += 1) {
    const opening = Array.from({ length: 100 }, () => open(cluster.endpoints[0] ?? ''));
    const batch = await Promise.all(opening);
    for (const socket of batch) socket.write(greeting);
    sockets.push(...batch);
  }
  const client = cluster.client();
  for (let i = 0; i < 100; i += 1) await client.put(`k${i}`, 'v');
  t.equal((await client.range('k', { prefix: true, countOnly: true })).count, 100);
  t.notOk(sockets.some((socket) => socket.destroyed));
});

t.test('under a stream of hostile connections every request is answered', async (t) => {
  const cluster = await startCluster(t, { size: 1 });
  await cluster.leader();
  const [host = '', port = ''] = (cluster.endpoints[0] ?? '').split(':');
  const hostile = startHostileStream({ host, port: Number(port) }, 20_260, 8);
  const client = cluster.client();
  let written = 0;
  while (hostile.count() < 500 || written < 200) {
    await client.put(`k${written}`, 'v');
    written += 1;
    t.equal((await client.get(`k${written - 1}`))?.value.toString(), 'v');
  }
  await hostile.stop();
  const { count } = await client.range('k', { prefix: true, countOnly: true });
  t.equal(count, written);
  t.ok(cluster.node(0).isRunning);
});
