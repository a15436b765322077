/** Streams of clients that go on for long, and of clients that are gone. */

import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { decode } from '../../src/gateway/protobuf/decode.ts';
import { encode } from '../../src/gateway/protobuf/encode.ts';
import { MaintenanceService } from '../../src/gateway/schema/maintenance.ts';
import { LeaderRequest } from '../../src/gateway/schema/v3election.ts';
import { LockRequest } from '../../src/gateway/schema/v3lock.ts';
import { WatchCreateRequest, WatchRequest, WatchResponse } from '../../src/gateway/schema/watch.ts';
import { envelope, GrpcClient } from '../conformance/grpc-client.ts';
import { type InProcess, startInProcess } from './in-process.ts';

/** Clients of one wave. */
const CLIENTS = 20;

/** Watches of one stream. */
const WATCHES = 20;

/** Waves before the memory is looked at, and after that. */
const WAVES = 10;

/** A client in the midst of all that holds ten times as much. */
const LEFT_BYTES_MAX = 8 * 1024;

t.setTimeout(240_000);

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

function callOf(session: ClientHttp2Session, path: string): ClientHttp2Stream {
  const headers = { ':method': 'POST', ':path': path, 'content-type': 'application/grpc' };
  const stream = session.request({ ...headers, te: 'trailers' });
  stream.on('error', () => undefined);
  return stream;
}

function create(request: Partial<WatchCreateRequest>): Buffer {
  const create_request = { ...WatchCreateRequest.create(), ...request };
  return envelope(encode(WatchRequest, { ...WatchRequest.create(), create_request }));
}

function cancel(watch_id: bigint): Buffer {
  const cancel_request = { watch_id };
  return envelope(encode(WatchRequest, { ...WatchRequest.create(), cancel_request }));
}

/** Reads a stream's messages. */
async function* responsesOf(stream: ClientHttp2Stream): AsyncGenerator<WatchResponse> {
  let bytes: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
      const end = 5 + bytes.readUInt32BE(1);
      yield decode(WatchResponse, bytes, 5, end);
      bytes = bytes.subarray(end);
    }
  }
}

/** Sockets that this process has open, of either side. */
function socketCount(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/**
 * A client that asks for much, hears that it was asked, and is gone.
 *
 * @param locks whether it waits for a lock too: that costs the node a lease and entries of its log
 */
async function vanish(port: number, locks: boolean): Promise<void> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  const watch = callOf(session, '/etcdserverpb.Watch/Watch');
  for (let made = 0; made < WATCHES; made += 1) {
    watch.write(create({ key: Buffer.from('w/'), range_end: Buffer.from('w0') }));
  }
  const name = Buffer.from('lock');
  const lock = envelope(encode(LockRequest, { ...LockRequest.create(), name }));
  if (locks) callOf(session, '/v3lockpb.Lock/Lock').end(lock);
  const post = envelope(encode(LeaderRequest, { ...LeaderRequest.create(), name }));
  callOf(session, '/v3electionpb.Election/Observe').end(post);
  callOf(session, '/etcdserverpb.KV/Put').write(Buffer.from([0, 0, 0, 1, 0, 10]));
  callOf(session, '/etcdserverpb.Lease/LeaseKeepAlive').write(envelope(Buffer.alloc(0)));
  const json = connectTcp({ host: '127.0.0.1', port });
  json.on('error', () => undefined);
  json.write('POST /v3/kv/put HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{"key"');
  const streaming = connectTcp({ host: '127.0.0.1', port });
  streaming.on('error', () => undefined);
  const body = '{"create_request":{"key":"dy8=","range_end":"dzA="}}';
  streaming.write(`POST /v3/watch HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n${body}`);
  const created = new Promise((resolve) => streaming.once('data', resolve));
  let createdCount = 0;
  for await (const response of responsesOf(watch)) {
    if (response.created) createdCount += 1;
    if (createdCount === WATCHES) break;
  }
  await created;
  session.destroy();
  json.resetAndDestroy();
  streaming.resetAndDestroy();
}

async function wave({ port, client }: InProcess, restingSockets: number): Promise<void> {
  await Promise.all(Array.from({ length: CLIENTS }, (_, slot) => vanish(port, slot < 2)));
  await until(() => socketCount() <= restingSockets);
  // Each that waited for the lock has taken its key away.
  await until(async () => (await client.range('lock/', { prefix: true })).count <= 1);
}

t.test('clients that vanish in the midst of everything leave nothing behind', async (t) => {
  const started = await startInProcess(t);
  const { port, client, toldBytes } = started;
  await client.put('warm', 'up');
  const resting = socketCount();
  for (let round = 0; round < WAVES; round += 1) await wave(started, resting + 2);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let round = 0; round < WAVES; round += 1) await wave(started, resting + 2);
  collectGarbage();
  const grownBytes = process.memoryUsage().heapUsed - before;
  const eachBytes = Math.round(grownBytes / (WAVES * CLIENTS));
  t.ok(eachBytes < LEFT_BYTES_MAX, `${eachBytes} bytes of heap for each client that is gone`);

  // Nobody watches any more: the node has nothing to tell.
  const session = connect(`http://127.0.0.1:${port}`);
  const witness = callOf(session, '/etcdserverpb.Watch/Watch');
  witness.write(create({ key: Buffer.from('witness') }));
  const seen = responsesOf(witness);
  await seen.next();
  const told = toldBytes();
  const value = 'x'.repeat(10_000);
  for (let count = 0; count < 10; count += 1) await client.put('w/a', value);
  await client.put('witness', '');
  await seen.next();
  t.ok(toldBytes() - told < value.length, `${toldBytes() - told} bytes were told`);
  session.destroy();
});

/** Asks for a page on a socket of its own, which stays open. */
async function getPage(socket: Socket, path: string): Promise<string> {
  let text = '';
  socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  for (;;) {
    const [chunk]: Buffer[] = await once(socket, 'data');
    text += chunk?.toString() ?? '';
    const [head = '', body] = text.split('\r\n\r\n');
    const length = Number(/content-length: (\d+)/.exec(head)?.[1]);
    if (body !== undefined && Buffer.byteLength(body) >= length) return body;
  }
}

/** Resolves when a socket has closed, however. */
function closeOf(socket: Socket): Promise<void> {
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

t.test('connections beyond the limit are closed, and those before go on', async (t) => {
  const { port } = await startInProcess(t, { connectionsMax: { inAll: 2, perAddress: 2 } });
  const open = (): Socket => connectTcp({ host: '127.0.0.1', port });
  const [first, second] = [open(), open()];
  t.teardown(() => first.destroy());
  await Promise.all([first, second].map((socket) => getPage(socket, '/version')));
  await closeOf(open());
  second.destroy();
  for (let isServed = false; !isServed; ) {
    const next = open();
    const closed = closeOf(next).then(() => false);
    const answered = getPage(next, '/version').then(() => true);
    isServed = await Promise.race([answered.catch(() => false), closed]);
    next.destroy();
  }
  const metrics = await getPage(first, '/metrics');
  t.match(metrics, /^kvorum_gateway_connections_refused_total [1-9]/m);
});

t.test('a watch of a node that turns out to be corrupt is cancelled with the reason', async (t) => {
  const { port } = await startInProcess(t);
  const session = connect(`http://127.0.0.1:${port}`);
  t.teardown(() => session.destroy());
  const watch = callOf(session, '/etcdserverpb.Watch/Watch');
  watch.write(create({ key: Buffer.from('k'), watch_id: 5n }));
  const responses = responsesOf(watch);
  t.match((await responses.next()).value, { watch_id: 5n, created: true });
  const grpc = new GrpcClient(`127.0.0.1:${port}`);
  t.teardown(() => grpc.close());
  const { header } = await grpc.call(MaintenanceService.Status, {});
  const alarm = { action: 1, memberID: header?.member_id ?? 0n, alarm: 2 };
  t.match(await grpc.call(MaintenanceService.Alarm, alarm), { alarms: [{ alarm: 2 }] });
  t.match((await responses.next()).value, {
    ...{ watch_id: 5n, created: false, canceled: true },
    cancel_reason: 'etcdserver: corrupt cluster',
  });
  watch.write(create({ key: Buffer.from('k') }));
  t.match((await responses.next()).value, {
    ...{ watch_id: -1n, created: true, canceled: true },
    cancel_reason: 'etcdserver: corrupt cluster',
  });
});

t.test('on a stream that is not read, new watches are held too, and lose nothing', async (t) => {
  const { port, client } = await startInProcess(t);
  const keys = 20;
  for (let key = 0; key < keys; key += 1) await client.put(`k/${key}`, 'x'.repeat(300_000));
  const session = connect(`http://127.0.0.1:${port}`);
  t.teardown(() => session.destroy());
  const metrics = connectTcp({ host: '127.0.0.1', port });
  t.teardown(() => metrics.destroy());
  const watch = callOf(session, '/etcdserverpb.Watch/Watch');
  const range = { key: Buffer.from('k/'), range_end: Buffer.from('k0'), start_revision: 2 };

  /** Resolves when the node has taken the watches, and tells none of them any more. */
  const held = async (): Promise<void> => {
    // Answered behind what was asked before it; the metrics are asked of the node behind that.
    await new Promise((resolve) => session.ping(resolve));
    await until(async () => {
      const page = await getPage(metrics, '/metrics');
      return /^etcd_debugging_mvcc_watcher_total 0$/m.test(page);
    });
  };
  watch.write(create(range));
  await held();
  const others = 5;
  for (let made = 0; made < others; made += 1) watch.write(create(range));
  await held();

  const told = new Map<bigint, number[]>();
  let count = 0;
  for await (const { watch_id, events } of responsesOf(watch)) {
    const revisions = told.get(watch_id) ?? [];
    told.set(watch_id, revisions);
    for (const { kv } of events) revisions.push(kv?.mod_revision ?? 0);
    count += events.length;
    if (count >= keys * (1 + others)) break;
  }
  const all = Array.from({ length: keys }, (_, key) => key + 2);
  t.equal(told.size, 1 + others);
  for (const revisions of told.values()) t.strictSame(revisions, all);
});

t.test('a watch of 10,000 keys is cancelled and resumed without a gap or a repeat', async (t) => {
  const { port, client } = await startInProcess(t);
  const keys = 10_000;
  const writeAll = async (value: string): Promise<void> => {
    for (let from = 0; from < keys; from += 500) {
      const batch = Array.from({ length: 500 }, (_, slot) => client.put(`k/${from + slot}`, value));
      await Promise.all(batch);
    }
  };
  const session = connect(`http://127.0.0.1:${port}`);
  t.teardown(() => session.destroy());
  const range = { key: Buffer.from('k/'), range_end: Buffer.from('k0') };
  const revisions: number[] = [];
  let next = 2;
  for (const stop of [0.3, 0.6, 2]) {
    const watch = callOf(session, '/etcdserverpb.Watch/Watch');
    watch.write(create({ ...range, start_revision: next }));
    const writing = stop === 0.3 ? writeAll('1') : stop === 0.6 ? writeAll('2') : undefined;
    let isCancelled = false;
    for await (const response of responsesOf(watch)) {
      if (response.canceled) break;
      for (const { kv } of response.events) {
        revisions.push(kv?.mod_revision ?? 0);
        next = revisions.at(-1)! + 1;
      }
      if (revisions.length >= 2 * keys) break;
      if (!isCancelled && revisions.length > stop * keys) {
        isCancelled = true;
        watch.write(cancel(0n));
      }
    }
    watch.close();
    await writing;
  }
  t.equal(revisions.length, 2 * keys);
  t.ok(revisions.every((revision, slot) => slot === 0 || revision === revisions[slot - 1]! + 1));
});
