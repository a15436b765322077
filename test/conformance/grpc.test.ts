/** gRPC as etcd's server speaks it: what is wrong in a call is answered in the same words. */

import t from 'tap';
import { encode } from '../../src/gateway/protobuf/encode.ts';
import type { MessageType } from '../../src/gateway/protobuf/schema.ts';
import {
  type Compare,
  KVService,
  PutRequest,
  RangeRequest,
  type RequestOp,
  TxnRequest,
} from '../../src/gateway/schema/kv.ts';
import { LeaseGrantRequest } from '../../src/gateway/schema/lease.ts';
import { envelope, GrpcClient, type Told } from './grpc-client.ts';
import { isThere, startEtcd, startGateways } from './servers.ts';

const MIB = 1024 * 1024;

const KV = '/etcdserverpb.KV';
const key = Buffer.from('a');

function put(value: number): Buffer {
  return message(PutRequest, { key, value: Buffer.alloc(value) });
}

function message<T>(type: MessageType<T>, fields: Partial<T>): Buffer {
  return envelope(encode(type, { ...type.create(), ...fields }));
}

const NO_OP: RequestOp = {
  request_range: undefined,
  request_put: undefined,
  request_delete_range: undefined,
  request_txn: undefined,
};
const PUT: RequestOp = { ...NO_OP, request_put: { ...PutRequest.create(), key } };

const COMPARE: Compare = {
  ...{ result: 0, target: 0, key, range_end: Buffer.alloc(0), version: undefined },
  ...{ create_revision: undefined, mod_revision: undefined, value: undefined, lease: undefined },
};

type Case = {
  readonly name: string;
  readonly path: string;
  readonly body: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
};

const CASES: readonly Case[] = [
  { name: 'a put', path: `${KV}/Put`, body: put(10) },
  { name: 'no message', path: `${KV}/Put`, body: Buffer.alloc(0) },
  { name: 'half a message', path: `${KV}/Put`, body: put(100).subarray(0, 50) },
  { name: 'an empty message', path: `${KV}/Range`, body: envelope(Buffer.alloc(0)) },
  {
    name: 'no protobuf',
    path: `${KV}/Put`,
    body: envelope(Buffer.from('ffffffff', 'hex')),
  },
  {
    name: 'a wrong wire type',
    path: `${KV}/Put`,
    body: envelope(Buffer.from('0801', 'hex')),
  },
  {
    name: 'an unknown field',
    path: `${KV}/Put`,
    body: envelope(Buffer.from('0a0161a00601', 'hex')),
  },
  {
    name: 'a compressed message',
    path: `${KV}/Put`,
    body: envelope(Buffer.from('x'), 1),
    headers: { 'grpc-encoding': 'gzip' },
  },
  { name: 'an unknown method', path: `${KV}/Nothing`, body: put(1) },
  { name: 'an unknown service', path: '/etcdserverpb.Nothing/Put', body: put(1) },
  {
    name: 'a compressed message of no encoding',
    path: `${KV}/Put`,
    body: envelope(Buffer.from('x'), 1),
  },
  {
    name: 'two messages',
    path: `${KV}/Put`,
    body: Buffer.concat([put(1), put(2)]),
  },
  {
    name: 'another content type',
    path: `${KV}/Put`,
    body: put(1),
    headers: { 'content-type': 'application/grpcx' },
  },
  {
    name: 'the content type of a codec',
    path: `${KV}/Put`,
    body: put(1),
    headers: { 'content-type': 'application/grpc+proto' },
  },
  {
    name: 'a malformed timeout',
    path: `${KV}/Put`,
    body: put(1),
    headers: { 'grpc-timeout': 'abc' },
  },
  { name: 'a value just small enough', path: `${KV}/Put`, body: put(1.5 * MIB - 512) },
  { name: 'a value too large', path: `${KV}/Put`, body: put(1.5 * MIB) },
  { name: 'a message of the largest size', path: `${KV}/Put`, body: put(2 * MIB - 8) },
  { name: 'a message one byte too large', path: `${KV}/Put`, body: put(2 * MIB - 7) },
  { name: 'a message of 3 MiB', path: `${KV}/Put`, body: put(3 * MIB) },
  { name: 'a lease not found', path: `${KV}/Put`, body: message(PutRequest, { key, lease: 5n }) },
  {
    name: 'too many operations',
    path: `${KV}/Txn`,
    body: message(TxnRequest, { success: Array(129).fill(NO_OP) }),
  },
  {
    name: 'a key put twice',
    path: `${KV}/Txn`,
    body: message(TxnRequest, { success: [PUT, PUT] }),
  },
  {
    name: 'an operation of nothing',
    path: `${KV}/Txn`,
    body: message(TxnRequest, { success: [NO_OP] }),
  },
  {
    name: 'a compare without a key',
    path: `${KV}/Txn`,
    body: message(TxnRequest, { compare: [{ ...COMPARE, key: Buffer.alloc(0) }] }),
  },
  {
    name: "another target's member of the union",
    path: `${KV}/Txn`,
    body: message(TxnRequest, { compare: [{ ...COMPARE, target: 1, mod_revision: 7 }] }),
  },
  {
    name: 'a future revision',
    path: `${KV}/Range`,
    body: message(RangeRequest, { key, revision: Number.MAX_SAFE_INTEGER }),
  },
  {
    name: 'a compaction of the future',
    path: `${KV}/Compact`,
    body: envelope(Buffer.from('086f', 'hex')),
  },
  {
    name: 'a lease for too long',
    path: '/etcdserverpb.Lease/LeaseGrant',
    body: message(LeaseGrantRequest, { TTL: 9_000_000_001 }),
  },
  {
    name: 'a lease without its time',
    path: '/etcdserverpb.Lease/LeaseGrant',
    body: message(LeaseGrantRequest, { ID: 99n }),
  },
  {
    name: 'a lease twice',
    path: '/etcdserverpb.Lease/LeaseGrant',
    body: message(LeaseGrantRequest, { ID: 99n, TTL: 5 }),
  },
  {
    name: 'a leader wanted and there',
    path: `${KV}/Range`,
    body: message(RangeRequest, { key }),
    headers: { hasleader: 'true' },
  },
  { name: 'a health check', path: '/grpc.health.v1.Health/Check', body: envelope(Buffer.alloc(0)) },
  {
    name: 'a health check of nothing',
    path: '/grpc.health.v1.Health/Check',
    body: envelope(Buffer.from('0a0161', 'hex')),
  },
];

/** What both must have in common. Heads of answers differ in ids and terms. */
function comparable({ messages, ...told }: Told): object {
  return { ...told, count: messages.length };
}

function compareAll(): void {
  t.test('every call is answered as etcd answers it', async (t) => {
    const [etcd, { clientEndpoints }] = await Promise.all([startEtcd(t), startGateways(t)]);
    const clients = [clientEndpoints[0] ?? '', etcd].map((endpoint) => new GrpcClient(endpoint));
    for (const each of CASES) {
      const [ours, theirs] = await Promise.all(
        clients.map((client) => client.ask(each.path, each.body, each.headers)),
      );
      t.strictSame(comparable(ours!), comparable(theirs!), each.name);
    }
    for (const client of clients) client.close();
  });

  t.test('a deadline ends a call, and a cancelled wait leaves nothing behind', async (t) => {
    const { clientEndpoints } = await startGateways(t);
    const client = new GrpcClient(clientEndpoints[0] ?? '');
    const body = envelope(Buffer.from('0a0161', 'hex'));
    const path = '/v3lockpb.Lock/Lock';
    const first = await client.ask(path, body);
    t.equal(first.code, '0');
    const second = await client.ask(path, body, { 'grpc-timeout': '200m' });
    t.equal(second.code, '4');
    t.equal(second.message, 'context deadline exceeded');
    const prefix = { key: Buffer.from('a/'), range_end: Buffer.from('a0') };
    for (;;) {
      const { count } = await client.call(KVService.Range, prefix);
      if (count === 1) break;
    }
    client.close();
  });
}

t.setTimeout(120_000);
if (isThere('etcd')) compareAll();
else t.comment('etcd is not on the PATH: kvorum was not compared with it');
