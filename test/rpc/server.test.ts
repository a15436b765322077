import { once } from 'node:events';
import t from 'tap';
import { NO_LOG } from '../../include/log.ts';
import { MessageType, NO_NODE } from '../../include/node.ts';
import {
  CloseReason,
  ConnectionRole,
  ErrorCode,
  FrameType,
  HELLO_LENGTH_MAX,
  HELLO_TIMEOUT_MS,
  type Hello,
  KvorumError,
  PEER_SILENCE_MAX_MS,
} from '../../include/rpc.ts';
import { createRandom } from '../../src/random.ts';
import { decodeHello, writeHello, writePing } from '../../src/rpc/connection-codec.ts';
import { CONNECTION_TICK_MS } from '../../src/rpc/connection-limits.ts';
import { FlushQueue } from '../../src/rpc/flush-queue.ts';
import { decodeMessage, writeMessage } from '../../src/rpc/raft-codec.ts';
import { REFUSALS_LOG_MS } from '../../src/rpc/refusals.ts';
import { listen } from '../../src/rpc/server.ts';
import { drawMessage } from './draw.ts';
import { bytesOf, writeStatus } from './frames.ts';
import { ManualClock } from './manual-clock.ts';
import { CLIENT_HELLO, RawClient } from './raw-client.ts';
import { CLUSTER_ID, startServer } from './test-server.ts';

const PEER_HELLO: Hello = {
  ...CLIENT_HELLO,
  role: ConnectionRole.Peer,
  clusterId: CLUSTER_ID,
  nodeId: 2,
  targetId: 1,
};

t.test('a client is answered with a HELLO that names cluster and node', async (t) => {
  const { port, clients } = await startServer(t);
  const client = await RawClient.greet(port);
  const [frame] = client.frames;
  t.equal(frame?.type, FrameType.Hello);
  const hello = decodeHello(frame!.body, 0, frame!.body.length);
  t.strictSame(hello, { ...CLIENT_HELLO, clusterId: CLUSTER_ID, nodeId: 1 });
  t.equal(clients.length, 1);
  t.strictSame(clients[0]?.hello, CLIENT_HELLO);
  await client.close();
});

const http = Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n');
const goodHello = bytesOf((writer) => writeHello(writer, CLIENT_HELLO));
const wrongMagic = Buffer.from(goodHello);
wrongMagic[10] = 0;
const wrongVersion = Buffer.from(goodHello);
wrongVersion[15] = 0;
const withFlags = Buffer.from(goodHello);
withFlags[5] = 1;
const tooLong = Buffer.alloc(4);
tooLong.writeUInt32BE(HELLO_LENGTH_MAX + 1);
const helloOf = (hello: Hello): Buffer => bytesOf((writer) => writeHello(writer, hello));

const strangers: readonly (readonly [string, Buffer, ErrorCode])[] = [
  ['speaks HTTP', http, ErrorCode.FrameTooLong],
  ['sends zeros', Buffer.alloc(64), ErrorCode.FrameTooShort],
  ['announces a HELLO above its limit', tooLong, ErrorCode.FrameTooLong],
  ['asks before it says HELLO', bytesOf((w) => writeStatus(w, 1)), ErrorCode.HelloExpected],
  ['pings before it says HELLO', bytesOf((w) => writePing(w, 1)), ErrorCode.HelloExpected],
  ['says HELLO without the magic', wrongMagic, ErrorCode.HelloExpected],
  ['says HELLO of a version that nobody speaks any more', wrongVersion, ErrorCode.VersionMismatch],
  ['sets a flag that does not exist', withFlags, ErrorCode.FrameMalformed],
  ['means another cluster', helloOf({ ...CLIENT_HELLO, clusterId: 3n }), ErrorCode.ClusterMismatch],
  ['means another node', helloOf({ ...CLIENT_HELLO, targetId: 2 }), ErrorCode.NodeMismatch],
  ['was removed', helloOf({ ...PEER_HELLO, nodeId: 7 }), ErrorCode.MemberRemoved],
];
for (const [name, bytes, code] of strangers) {
  t.test(`whoever ${name} is told why and closed, and a client beside is served`, async (t) => {
    const { port, clock, signal, lines, clients } = await startServer(t);
    const beside = await RawClient.greet(port);
    const stranger = await RawClient.connect(port);
    stranger.socket.write(bytes);
    await stranger.closed;
    t.equal(stranger.lastError?.code, code);
    t.equal(stranger.frames.length, 1);
    await signal.until(() => lines.length > 0);
    t.match(lines, [{ event: 'connection refused', fields: { count: 1 } }]);

    clients[0]!.onFrame = (connection, _type, id) => {
      connection.writer.begin(FrameType.Reply, id);
      connection.writer.end();
    };
    beside.write((writer) => writeStatus(writer, 5));
    await beside.heard(2);
    t.equal(beside.frames[1]?.id, 5);
    await beside.close();
    t.equal(clock.alarmCount, 1, 'only the ticker is left');
  });
}

t.test('a connection without HELLO is closed when its time is up, not before', async (t) => {
  const { port, clock, server } = await startServer(t);
  const silent = await RawClient.connect(port);
  while (server.connectionCount === 0) await new Promise(setImmediate);
  clock.advance(HELLO_TIMEOUT_MS - 1);
  await new Promise(setImmediate);
  t.equal(silent.frames.length, 0);
  clock.advance(1);
  await silent.closed;
  t.equal(silent.lastError?.code, ErrorCode.HelloExpected);
});

t.test('a client that said HELLO is not closed for saying nothing more', async (t) => {
  const { port, clock, clients } = await startServer(t);
  const idle = await RawClient.greet(port);
  clock.advance(10 * 60_000);
  t.equal(clients[0]?.isClosed, false);
  await idle.close();
});

t.test('one client above the limit is refused, and served once another has left', async (t) => {
  const connectionsMax = { inAll: 2, perAddress: 9 };
  const { port, server, signal, lines } = await startServer(t, { connectionsMax });
  const first = await RawClient.greet(port);
  const second = await RawClient.greet(port);
  const third = await RawClient.greet(port);
  await third.closed;
  t.equal(third.lastError?.code, ErrorCode.TooManyConnections);
  await signal.until(() => lines.length > 0);
  t.match(lines[0]?.fields, { cause: 'TooManyConnections' });
  await first.close();
  while (server.connectionCount > 1) await new Promise(setImmediate);
  const fourth = await RawClient.greet(port);
  await Promise.all([second.close(), fourth.close()]);
});

t.test('one address has so many clients and no more, whatever room is left', async (t) => {
  const connectionsMax = { inAll: 9, perAddress: 2 };
  const { port } = await startServer(t, { connectionsMax });
  const taken = [await RawClient.greet(port), await RawClient.greet(port)];
  const third = await RawClient.greet(port);
  await third.closed;
  t.equal(third.lastError?.code, ErrorCode.TooManyConnections);
  t.match(third.lastError?.message, '2 connections from');
  await Promise.all(taken.map((client) => client.close()));
});

t.test('a member is taken however many clients there are', async (t) => {
  const connectionsMax = { inAll: 1, perAddress: 1 };
  const { port, peers, signal } = await startServer(t, { connectionsMax });
  const client = await RawClient.greet(port);
  const peer = await RawClient.greet(port, PEER_HELLO);
  await signal.until(() => peers.length === 1);
  await Promise.all([client.close(), peer.close()]);
});

t.test('refusals of one cause are one line a period, with their count', async (t) => {
  const { port, clock, signal, lines, server } = await startServer(t);
  const refuse = async (): Promise<void> => {
    const stranger = await RawClient.connect(port);
    stranger.socket.write(http);
    await stranger.closed;
    while (server.connectionCount > 0) await new Promise(setImmediate);
  };
  for (let count = 0; count < 4; count += 1) await refuse();
  await signal.until(() => lines.length > 0);
  t.equal(lines.length, 1);
  clock.advance(REFUSALS_LOG_MS);
  await refuse();
  await signal.until(() => lines.length > 1);
  t.match(lines[1]?.fields, { cause: 'FrameTooLong', count: 4 });
});

t.test('messages of a peer arrive in order', async (t) => {
  const { port, signal, peers, messages } = await startServer(t);
  const peer = await RawClient.greet(port, PEER_HELLO);
  t.strictSame(peers, [2]);
  const random = createRandom(1);
  const types = Object.values(MessageType).filter((type) => type !== MessageType.Snapshot);
  const sent = types.map((type) => ({ ...drawMessage(random, type), from: 2, to: 1 }));
  peer.write((writer) => {
    for (const message of sent) writeMessage(writer, message);
  });
  await signal.until(() => messages.length === sent.length);
  t.strictSame(messages, sent);
  await peer.close();
});

t.test('a peer is answered on the connection that it opened', async (t) => {
  const { port, server } = await startServer(t);
  const peer = await RawClient.greet(port, PEER_HELLO);
  const answer = { ...drawMessage(createRandom(1), MessageType.AppendReply), from: 1, to: 2 };
  server.answerPeer(answer);
  server.answerPeer({ ...answer, to: 3 }); // To one that is not there: dropped.
  await peer.heard(2);
  const { type, body } = peer.frames[1]!;
  t.strictSame(decodeMessage(type, body, 0, body.length), answer);
  await peer.close();
});

t.test('a peer that is removed while it is connected is told so, and no other', async (t) => {
  const removed = new Set<number>();
  const { port, server, signal, losses } = await startServer(t, {
    wasRemoved: (id) => removed.has(id),
  });
  const stays = await RawClient.greet(port, PEER_HELLO);
  const goes = await RawClient.greet(port, { ...PEER_HELLO, nodeId: 3 });
  removed.add(3);
  server.dropRemoved();
  await goes.closed;
  t.equal(goes.lastError?.code, ErrorCode.MemberRemoved);
  await signal.until(() => losses.length > 0);
  t.match(losses, [{ nodeId: 3 }]);
  while (server.connectionCount > 1) await new Promise(setImmediate);
  t.equal(stays.socket.closed, false);
  await stays.close();
});

const impostors = [
  ['of another member', { from: 3, to: 1 }],
  ['to another member', { from: 2, to: 3 }],
] as const;
for (const [name, ends] of impostors) {
  t.test(`a peer that sends a message ${name} is cut`, async (t) => {
    const { port, signal, messages, losses } = await startServer(t);
    const peer = await RawClient.greet(port, PEER_HELLO);
    const message = { ...drawMessage(createRandom(2), MessageType.Vote), ...ends };
    peer.write((writer) => writeMessage(writer, message));
    await peer.closed;
    t.equal(peer.lastError?.code, ErrorCode.FrameMalformed);
    await signal.until(() => losses.length > 0);
    t.match(losses, [{ nodeId: 2, reason: CloseReason.Protocol }]);
    t.equal(messages.length, 0);
  });
}

t.test('a peer whose process dies is lost at once', async (t) => {
  const { port, signal, losses } = await startServer(t);
  const polite = await RawClient.greet(port, PEER_HELLO);
  polite.socket.end();
  await signal.until(() => losses.length === 1);
  t.match(losses[0], { nodeId: 2, reason: CloseReason.Remote });
  const killed = await RawClient.greet(port, { ...PEER_HELLO, nodeId: 3 });
  killed.socket.resetAndDestroy();
  await signal.until(() => losses.length === 2);
  t.match(losses[1], { nodeId: 3, reason: CloseReason.Lost, error: KvorumError });
});

t.test('a newer connection of a peer replaces the older one, which is no loss', async (t) => {
  const { port, signal, losses, peers } = await startServer(t);
  const older = await RawClient.greet(port, PEER_HELLO);
  const newer = await RawClient.greet(port, PEER_HELLO);
  await older.closed;
  t.strictSame(peers, [2, 2]);
  t.strictSame(losses, []);
  await newer.close();
  await signal.until(() => losses.length > 0);
  t.equal(losses.length, 1);
});

t.test('a peer that falls silent is cut after its time, a talking one is not', async (t) => {
  const { port, clock, signal, losses } = await startServer(t);
  const silent = await RawClient.greet(port, PEER_HELLO);
  const talking = await RawClient.greet(port, { ...PEER_HELLO, nodeId: 3 });
  const ticks = PEER_SILENCE_MAX_MS / CONNECTION_TICK_MS;
  for (let tick = 0; tick < ticks; tick += 1) {
    t.equal(losses.length, 0, `tick ${tick}`);
    talking.write((writer) => writePing(writer, tick));
    await talking.heard(2 + tick);
    clock.advance(CONNECTION_TICK_MS);
  }
  // The first tick only clears what the HELLO was.
  clock.advance(CONNECTION_TICK_MS);
  await signal.until(() => losses.length > 0);
  t.match(losses, [{ nodeId: 2, reason: CloseReason.Silence }]);
  await silent.closed;
  await talking.close();
});

t.test('closing tells every connection that the node stops', async (t) => {
  const { port, server, losses } = await startServer(t);
  const client = await RawClient.greet(port);
  const peer = await RawClient.greet(port, PEER_HELLO);
  const closed = server.close();
  await Promise.all([client.closed, peer.closed, closed]);
  t.equal(client.lastError?.code, ErrorCode.Stopped);
  t.equal(peer.lastError?.code, ErrorCode.Stopped);
  t.match(losses, [{ reason: CloseReason.Local }]);
  t.equal(server.connectionCount, 0);
});

const wrongPlaces = [
  ['a busy port', '127.0.0.1', undefined, 'in use'],
  ['an address of another machine', '192.0.2.1', 0, 'no such address on this machine'],
  ['a host that does not exist', 'no-such-host.invalid', 0, 'name'],
] as const;
for (const [name, address, port, text] of wrongPlaces) {
  t.test(`listening on ${name} fails with what, where and what to do`, async (t) => {
    const busy = await startServer(t);
    const attempt = listen({
      address,
      port: port ?? busy.port,
      clusterId: CLUSTER_ID,
      nodeId: NO_NODE,
      clock: new ManualClock(),
      flushQueue: new FlushQueue(new ManualClock()),
      log: NO_LOG,
      wasRemoved: () => true,
      onClient: () => {},
      onPeer: () => {},
      onMessage: () => {},
      onReport: () => {},
      onPeerLost: () => {},
      onSnapshot: () => {},
    });
    const error = await attempt.catch((cause: unknown) => cause);
    t.match(error, { code: ErrorCode.BadEndpoint });
    t.match((error as Error).message, text);
    t.match((error as Error).message, `cannot listen on ${address}:`);
    t.ok((error as Error).cause instanceof Error);
  });
}

t.test('ten thousand bytes of noise in any pieces harm nobody', async (t) => {
  const { port, server } = await startServer(t);
  const random = createRandom(9);
  for (let round = 0; round < 30; round += 1) {
    const stranger = await RawClient.connect(port);
    const noise = Buffer.alloc(1 + random.below(10_000));
    for (let offset = 0; offset < noise.length; offset += 1) noise[offset] = random.below(256);
    if (random.below(2) === 0) goodHello.copy(noise);
    const cut = random.below(noise.length);
    stranger.socket.write(noise.subarray(0, cut));
    stranger.socket.end(noise.subarray(cut));
    if (!stranger.socket.destroyed) await once(stranger.socket, 'close');
  }
  while (server.connectionCount > 0) await new Promise(setImmediate);
});
