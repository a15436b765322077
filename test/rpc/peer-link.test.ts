import { createServer } from 'node:net';
import t, { type Test } from 'tap';
import { MessageType } from '../../include/node.ts';
import {
  CloseReason,
  ERRORS,
  ErrorCode,
  PEER_QUEUED_BYTES_MAX,
  PEER_SILENCE_MAX_MS,
  RECONNECT_MAX_MS,
  RECONNECT_MIN_MS,
} from '../../include/rpc.ts';
import { createSystemClock } from '../../src/clock.ts';
import { createRandom } from '../../src/random.ts';
import { writeHello } from '../../src/rpc/connection-codec.ts';
import { CONNECTION_TICK_MS } from '../../src/rpc/connection-limits.ts';
import { FlushQueue } from '../../src/rpc/flush-queue.ts';
import { PeerLink, type PeerLinkOptions } from '../../src/rpc/peer-link.ts';
import { drawMessage } from './draw.ts';
import { ManualClock } from './manual-clock.ts';
import { RawClient } from './raw-client.ts';
import {
  CLUSTER_ID,
  createTestLog,
  type LogLine,
  Signal,
  startServer,
  type TestServer,
} from './test-server.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

type TestLink = {
  readonly link: PeerLink;
  readonly clock: ManualClock;
  readonly signal: Signal;
  /** 'online', or the reason of having gone offline. */
  readonly transitions: ('online' | CloseReason)[];
  readonly lines: LogLine[];
};

/** A link of node 2 to node 1. */
function createLink(t: Test, port: number, options: Partial<PeerLinkOptions> = {}): TestLink {
  const clock = new ManualClock();
  const signal = new Signal();
  const transitions: ('online' | CloseReason)[] = [];
  const lines: LogLine[] = [];
  const link = new PeerLink({
    clusterId: CLUSTER_ID,
    selfId: 2,
    peerId: 1,
    address: '127.0.0.1',
    port,
    clock,
    random: createRandom(1),
    flushQueue: new FlushQueue(clock),
    log: createTestLog(lines, signal),
    onMessage: () => {},
    onRefused: () => {},
    onOnline: () => {
      transitions.push('online');
      signal.fire();
    },
    onOffline: (_peerId, reason) => {
      transitions.push(reason);
      signal.fire();
    },
    ...options,
  });
  t.teardown(() => link.close());
  return { link, clock, signal, transitions, lines };
}

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address !== null && typeof address === 'object' ? address.port : 0;
}

const vote = { ...drawMessage(createRandom(1), MessageType.Vote), from: 2, to: 1 };

t.test('a link goes online, and its messages arrive in order', async (t) => {
  const server = await startServer(t);
  const { link, signal, transitions } = createLink(t, server.port);
  t.equal(link.send(vote), false, 'dropped before it is online');
  t.equal(link.droppedCount, 1);
  link.start();
  await signal.until(() => link.isOnline);
  t.strictSame(transitions, ['online']);
  t.strictSame(server.peers, [2]);
  for (let context = 0; context < 100; context += 1) t.ok(link.send({ ...vote, context }));
  await server.signal.until(() => server.messages.length === 100);
  t.strictSame(
    server.messages.map(({ context }) => context),
    Array.from({ length: 100 }, (_, slot) => slot),
  );
});

t.test('the round trip is measured on the clock of the asker, and smoothed', async (t) => {
  const server = await startServer(t);
  const { link, clock, signal } = createLink(t, server.port);
  link.start();
  await signal.until(() => link.isOnline);
  clock.advance(3);
  while (link.roundTripMicros === 0) await turn();
  t.equal(link.roundTripMicros, 3_000);
  t.equal(link.roundTripSmoothedMicros, 3_000);
  clock.advance(CONNECTION_TICK_MS - 3);
  clock.advance(11);
  while (link.roundTripMicros === 3_000) await turn();
  t.equal(link.roundTripMicros, 11_000);
  t.equal(link.roundTripSmoothedMicros, 4_000);
});

t.test(
  'a peer that cannot be reached is redialled with growing pauses, and logged once',
  async (t) => {
    const { link, clock, signal, lines, transitions } = createLink(t, await freePort());
    link.start();
    await signal.until(() => lines.length === 1);
    t.match(lines, [{ event: 'peer cannot be reached', fields: { peer: 1 } }]);
    t.match(lines[0]?.fields?.reason, 'connection refused');
    let pauseMs = RECONNECT_MIN_MS;
    for (let attempt = 0; attempt < 9; attempt += 1) {
      // While an attempt is under way its time limit is the only timer that falls due once.
      while (clock.nextOnceMs - clock.nowMs() >= PEER_SILENCE_MAX_MS) await turn();
      const waitMs = clock.nextOnceMs - clock.nowMs();
      t.ok(waitMs >= pauseMs / 2 && waitMs <= pauseMs + 1, `${waitMs} of ${pauseMs} ms`);
      clock.advance(waitMs);
      pauseMs = Math.min(pauseMs * 2, RECONNECT_MAX_MS);
    }
    t.equal(lines.length, 1);
    t.strictSame(transitions, [], 'it was never online');
  },
);

t.test('a peer that dies is reported once, and found again when it is back', async (t) => {
  const server = await startServer(t);
  const { link, clock, signal, transitions } = createLink(t, server.port);
  link.start();
  await signal.until(() => link.isOnline);
  const closed = server.server.close();
  await signal.until(() => transitions.length === 2);
  t.strictSame(transitions, ['online', CloseReason.Refused]);
  t.equal(link.isOnline, false);
  t.equal(link.send(vote), false);
  server.clock.advance(10_000);
  await closed;

  const again = await startServer(t, { port: server.port });
  while (!link.isOnline) {
    clock.advance(RECONNECT_MIN_MS);
    await turn();
  }
  t.equal(transitions.length, 3);
  t.ok(link.send(vote));
  await again.signal.until(() => again.messages.length === 1);
});

t.test('a peer that was gone for long is dialled at once when it shows up', async (t) => {
  const port = await freePort();
  const { link, clock, signal, lines } = createLink(t, port);
  link.start();
  await signal.until(() => lines.length === 1);
  for (let round = 0; round < 30; round += 1) {
    clock.advance(RECONNECT_MAX_MS);
    await turn();
  }
  await startServer(t, { port });
  link.wake();
  await signal.until(() => link.isOnline);
  t.pass('without any time passing');
});

t.test('an attempt that hangs is given up for a new one when the peer shows up', async (t) => {
  let accepted = 0;
  const hanging = createServer((socket) => {
    accepted += 1;
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
  });
  await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve));
  t.teardown(() => hanging.close());
  const address = hanging.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const { link, clock } = createLink(t, port);
  link.start();
  while (accepted < 1) await turn();
  link.wake();
  for (let turns = 0; turns < 20; turns += 1) await turn();
  t.equal(accepted, 1, 'a fresh attempt is left alone');
  clock.advance(RECONNECT_MIN_MS);
  link.wake();
  while (accepted < 2) await turn();
  t.equal(clock.alarmCount, 2, 'the ticker and the time limit of the new attempt');
});

t.test('a link that is online asks for a sign of life when its peer shows up', async (t) => {
  const server = await startServer(t);
  const { link, clock, signal } = createLink(t, server.port);
  link.start();
  await signal.until(() => link.isOnline);
  clock.advance(1);
  while (link.roundTripMicros === 0) await turn();
  link.wake();
  clock.advance(2);
  while (link.roundTripMicros === 1_000) await turn();
  t.equal(link.roundTripMicros, 2_000);
});

t.test('two members find each other within milliseconds of a restart', async (t) => {
  const clock = createSystemClock();
  const links: PeerLink[] = [];
  const first = await startServer(t, { onPeer: () => links[0]!.wake() });
  const port = await freePort();
  const there = createLink(t, port, { clock, selfId: 1, peerId: 2 });
  links.push(there.link);
  there.link.start();
  await there.signal.until(() => there.lines.length === 1);
  await new Promise((resolve) => setTimeout(resolve, 500));

  const startedMs = clock.nowMs();
  await startServer(t, { port, nodeId: 2 });
  const back = createLink(t, first.port, { clock });
  back.link.start();
  await Promise.all([
    back.signal.until(() => back.link.isOnline),
    there.signal.until(() => there.link.isOnline),
  ]);
  t.ok(clock.nowMs() - startedMs < 250, `${clock.nowMs() - startedMs} ms`);
});

/** A peer that says HELLO and then nothing. */
async function startMute(t: Test): Promise<{ port: number; clients: RawClient[] }> {
  const clients: RawClient[] = [];
  const server = createServer((socket) => {
    const client = new RawClient(socket);
    clients.push(client);
    client.write((writer) =>
      writeHello(writer, { version: 1, role: 1, clusterId: CLUSTER_ID, nodeId: 1, targetId: 2 }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  return { port: address !== null && typeof address === 'object' ? address.port : 0, clients };
}

t.test('a peer that answers no PING is cut when its time is up', async (t) => {
  const { port } = await startMute(t);
  const { link, clock, signal, transitions } = createLink(t, port);
  link.start();
  await signal.until(() => link.isOnline);
  // The first tick clears what the HELLO was.
  clock.advance(PEER_SILENCE_MAX_MS);
  t.strictSame(transitions, ['online']);
  clock.advance(CONNECTION_TICK_MS);
  t.strictSame(transitions, ['online', CloseReason.Silence]);
});

t.test('a peer that does not read is cut at the limit of what may wait for it', async (t) => {
  const { port, clients } = await startMute(t);
  const { link, signal, transitions } = createLink(t, port);
  link.start();
  await signal.until(() => link.isOnline);
  clients[0]?.socket.pause();
  const data = Buffer.alloc(1024 * 1024);
  const entries = [{ index: 1, term: 1, type: 1 as const, data }];
  const append = { ...vote, type: MessageType.Append, term: 1, index: 0, logTerm: 0, entries };
  let queuedBytes = 0;
  let sent = 0;
  while (link.send(append)) {
    sent += 1;
    queuedBytes = Math.max(queuedBytes, link.queuedBytes);
    await turn();
  }
  t.ok(sent >= 63, `${sent} MiB were taken`);
  t.ok(queuedBytes <= PEER_QUEUED_BYTES_MAX);
  t.strictSame(transitions, ['online', CloseReason.SlowReader]);
  t.equal(link.queuedBytes, 0);
});

const refusals: readonly (readonly [string, Partial<PeerLinkOptions>, ErrorCode])[] = [
  ['of another cluster', { clusterId: 5n }, ErrorCode.ClusterMismatch],
  ['that is another node', { peerId: 3 }, ErrorCode.NodeMismatch],
  ['that knows this one as removed', { selfId: 9 }, ErrorCode.MemberRemoved],
];
for (const [name, options, code] of refusals) {
  t.test(`a peer ${name} never goes online, and the log says why`, async (t) => {
    const server: TestServer = await startServer(t);
    const { link, signal, lines, transitions } = createLink(t, server.port, options);
    link.start();
    await signal.until(() => lines.length > 0);
    t.match(lines, [{ event: 'peer cannot be reached' }]);
    await server.signal.until(() => server.lines.length > 0);
    t.match(server.lines[0]?.fields?.reason, lines[0]?.fields?.reason as string);
    t.strictSame(transitions, []);
    t.equal(server.lines[0]?.fields?.cause, ERRORS.get(code)?.name);
  });
}

t.test('a closed link reports nothing and dials no more', async (t) => {
  const server = await startServer(t);
  const { link, clock, signal, transitions } = createLink(t, server.port);
  link.start();
  await signal.until(() => link.isOnline);
  link.close();
  link.wake();
  link.flush();
  t.equal(link.send(vote), false);
  await server.signal.until(() => server.losses.length === 1);
  t.strictSame(transitions, ['online']);
  t.equal(clock.alarmCount, 0);
});

t.test('a link closed while it dials leaves nothing behind', async (t) => {
  const server = await startServer(t);
  const { link, clock } = createLink(t, server.port);
  link.start();
  link.close();
  for (let turns = 0; turns < 20; turns += 1) await turn();
  t.equal(clock.alarmCount, 0);
  t.equal(link.isOnline, false);
});
