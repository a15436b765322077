import t from 'tap';
import { NO_RANGE_END } from '../../include/kvstore.ts';
import {
  CLIENT_STALL_MAX_MS,
  ErrorCode,
  FrameType,
  type Request,
  WATCHER_STALL_MAX_MS,
} from '../../include/rpc.ts';
import { serveClient } from '../../src/node/client-port.ts';
import { encodeCommand } from '../../src/rpc/command-codec.ts';
import { decodeReply } from '../../src/rpc/reply-codec.ts';
import { writeRequest } from '../../src/rpc/request-codec.ts';
import { decodeWatchEvents } from '../../src/rpc/watch-codec.ts';
import { RawClient } from '../rpc/raw-client.ts';
import { startServer } from '../rpc/test-server.ts';
import { LoneMember } from './lone-member.ts';

const MIB = 1024 * 1024;

function put(key: string, value: Buffer) {
  const flags = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
  return { type: FrameType.Put, body: { key: Buffer.from(key), value, ...flags } } as const;
}

function watch(watchId: number, key: string): Request {
  return {
    type: FrameType.WatchCreate,
    body: {
      watchId,
      key: Buffer.from(key),
      rangeEnd: NO_RANGE_END,
      startRevision: 0,
      prevKv: false,
      noPut: false,
      noDelete: false,
      progressNotify: false,
    },
  };
}

function ask(client: RawClient, id: number, request: Request): void {
  client.write((writer) => writeRequest(writer, id, request));
}

t.test('what only a leader may propose is no request, alone or in a session', async (t) => {
  const lone = await LoneMember.start(t);
  const { port } = await startServer(t, { onClient: (each) => serveClient(lone.member, each) });
  const expire = { type: FrameType.Expire, body: { leases: [], sessions: [] } } as const;
  const data = encodeCommand(expire);
  const mark = Buffer.alloc(24);
  mark.writeBigUInt64BE(4n, 0);
  mark.writeBigUInt64BE(1n, 8);
  const bodies = [
    [FrameType.Expire, data.subarray(1)],
    [FrameType.Once, Buffer.concat([mark, data])],
  ] as const;
  for (const [type, body] of bodies) {
    const client = await RawClient.greet(port);
    client.write((writer) => {
      writer.begin(type, 7);
      writer.bytes(body);
      writer.end();
    });
    await client.closed;
    t.equal(client.lastError?.code, ErrorCode.FrameUnknown);
  }
});

t.test('a watcher that stands still for a while is not cut, and misses nothing', async (t) => {
  const lone = await LoneMember.start(t);
  const { port, clock, clients } = await startServer(t, {
    onClient: (each) => {
      clients.push(each);
      serveClient(lone.member, each);
    },
  });
  const client = await RawClient.greet(port);
  ask(client, 1, watch(5, 'a'));
  await client.heard(2);
  client.socket.pause();
  for (let i = 0; i < 24; i += 1) await lone.write(put('a', Buffer.alloc(MIB, i)));
  const [connection] = clients;
  t.ok((connection?.queuedBytes ?? 0) > 0, 'it has more to read than fits');
  t.ok((connection?.queuedBytes ?? 0) < 6 * MIB, 'the rest waits on disk');
  clock.advance(2 * CLIENT_STALL_MAX_MS);
  t.equal(connection?.isClosed, false);

  client.socket.resume();
  await client.heard(26);
  const events = client.frames.slice(2).flatMap(({ type, body }) => {
    t.equal(type, FrameType.WatchEvents);
    return decodeWatchEvents(body, 0, body.length).events;
  });
  const values = events.map(({ kv }) => kv.value[0]);
  t.strictSame(values, [...Array(24).keys()]);
  await client.close();
});

t.test('a watcher that stands still for too long is cut', async (t) => {
  const lone = await LoneMember.start(t);
  const { port, clock, clients, signal } = await startServer(t, {
    onClient: (each) => {
      clients.push(each);
      serveClient(lone.member, each);
    },
  });
  const client = await RawClient.greet(port);
  ask(client, 1, watch(5, 'a'));
  await client.heard(2);
  client.socket.pause();
  for (let i = 0; i < 24; i += 1) await lone.write(put('a', Buffer.alloc(MIB, i)));
  clock.advance(2 * WATCHER_STALL_MAX_MS);
  t.equal(clients[0]?.isClosed, true);
  signal.fire();
  await client.close();
});

t.test('a lost connection takes its watches along', async (t) => {
  const lone = await LoneMember.start(t);
  const { port } = await startServer(t, { onClient: (each) => serveClient(lone.member, each) });
  const client = await RawClient.greet(port);
  for (let watchId = 1; watchId <= 1_000; watchId += 1) ask(client, watchId, watch(watchId, 'a'));
  await client.heard(1_001);
  await lone.write(put('a', Buffer.from('1')));
  await client.heard(2_001);
  t.equal(client.frames.filter(({ type }) => type === FrameType.WatchEvents).length, 1_000);
  await client.close();
  await lone.write(put('a', Buffer.from('2')));
  t.equal(client.frames.length, 2_001);
});

t.test('all kinds of requests go through one connection', async (t) => {
  const lone = await LoneMember.start(t);
  const { port } = await startServer(t, { onClient: (each) => serveClient(lone.member, each) });
  const client = await RawClient.greet(port);
  const requests = [
    { type: FrameType.SessionOpen, body: { ttlSeconds: 60 } },
    { type: FrameType.LeaseGrant, body: { id: 7n, ttlSeconds: 60 } },
    { type: FrameType.LeaseKeepAlive, body: { id: 7n } },
    { type: FrameType.LeaseTimeToLive, body: { id: 7n, keys: true } },
    { type: FrameType.LeaseList },
    { type: FrameType.Txn, body: { compares: [], success: [], failure: [] } },
    { type: FrameType.WatchProgress },
    { type: FrameType.WatchCancel, body: { watchId: 9 } },
    { type: FrameType.Status },
    { type: FrameType.LeaseRevoke, body: { id: 7n } },
  ] as const satisfies readonly Request[];
  for (const [slot, request] of requests.entries()) {
    ask(client, slot + 1, request);
    await client.heard(slot + 2);
    const frame = client.frames.at(-1);
    t.equal(frame?.type, FrameType.Reply);
    t.equal(frame?.id, slot + 1);
    t.ok(decodeReply(request.type, frame?.body ?? Buffer.alloc(0), 0, frame?.body.length ?? 0));
  }
  await client.close();
});
