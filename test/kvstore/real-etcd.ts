/** A real etcd to compare with, through its JSON gateway. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import {
  type CompactResult,
  type Compare,
  type DeleteRangeRequest,
  type DeleteRangeResult,
  type KeyValue,
  type LeaseGrantRequest,
  type LeaseGrantResult,
  type LeaseRevokeRequest,
  type LeaseRevokeResult,
  OpKind,
  type PutRequest,
  type PutResult,
  type RangeRequest,
  type RangeResult,
  type TxnOp,
  type TxnOpResult,
  type TxnRequest,
  type TxnResult,
} from '../../include/kvstore.ts';

/** Whether an etcd is on the PATH. */
export function isEtcdThere(): boolean {
  return spawnSync('etcd', ['--version']).status === 0;
}

/** A refusal, by its text. */
export type EtcdRefusal = { readonly error: string };

type Json = { readonly [field: string]: unknown };

/** One etcd of its own, empty. */
export class RealEtcd {
  readonly #process: ChildProcess;
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.#port = port;
  }

  /** Starts an etcd in a directory and waits until it answers. */
  static async start(directory: string): Promise<RealEtcd> {
    const port = await freePort();
    const client = `http://127.0.0.1:${port}`;
    const peer = `http://127.0.0.1:${await freePort()}`;
    const child = spawn(
      'etcd',
      [
        ...['--data-dir', directory, '--log-level', 'error'],
        ...['--listen-client-urls', client, '--advertise-client-urls', client],
        ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
        ...['--initial-cluster', `default=${peer}`],
      ],
      { stdio: 'ignore' },
    );
    const etcd = new RealEtcd(child, port);
    for (;;) {
      try {
        await etcd.#call('/v3/kv/range', { key: encode(Buffer.from('a')) });
        return etcd;
      } catch (error) {
        if (child.exitCode !== null) throw new Error('etcd ended', { cause: error });
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    this.#process.kill('SIGKILL');
    if (this.#process.exitCode === null) await once(this.#process, 'exit');
  }

  async put(request: PutRequest): Promise<PutResult | EtcdRefusal> {
    const reply = await this.#call('/v3/kv/put', encodePut(request));
    if ('error' in reply) return { error: String(reply.error) };
    return decodePut(reply, revisionOf(reply));
  }

  async deleteRange(request: DeleteRangeRequest): Promise<DeleteRangeResult | EtcdRefusal> {
    const reply = await this.#call('/v3/kv/deleterange', encodeDeleteRange(request));
    if ('error' in reply) return { error: String(reply.error) };
    return decodeDeleteRange(reply, revisionOf(reply));
  }

  async compact(revision: number): Promise<CompactResult | EtcdRefusal> {
    const reply = await this.#call('/v3/kv/compaction', { revision: String(revision) });
    return 'error' in reply ? { error: String(reply.error) } : { revision: revisionOf(reply) };
  }

  async range(request: RangeRequest): Promise<RangeResult | EtcdRefusal> {
    const reply = await this.#call('/v3/kv/range', encodeRange(request));
    if ('error' in reply) return { error: String(reply.error) };
    return decodeRange(reply, revisionOf(reply));
  }

  /** Every revision of the answer is the one of its header: etcd tells others within it. */
  async txn(request: TxnRequest): Promise<TxnResult | EtcdRefusal> {
    const reply = await this.#call('/v3/kv/txn', encodeTxn(request));
    if ('error' in reply) return { error: String(reply.error) };
    return decodeTxn(reply, revisionOf(reply));
  }

  async leaseGrant(request: LeaseGrantRequest): Promise<LeaseGrantResult | EtcdRefusal> {
    const { id, ttlSeconds } = request;
    const reply = await this.#call('/v3/lease/grant', { ID: String(id), TTL: String(ttlSeconds) });
    if ('error' in reply && reply.error !== '') return { error: String(reply.error) };
    return {
      revision: revisionOf(reply),
      id: BigInt(String(reply.ID)),
      ttlSeconds: Number(reply.TTL),
    };
  }

  async leaseRevoke(request: LeaseRevokeRequest): Promise<LeaseRevokeResult | EtcdRefusal> {
    const reply = await this.#call('/v3/lease/revoke', { ID: String(request.id) });
    return 'error' in reply ? { error: String(reply.error) } : { revision: revisionOf(reply) };
  }

  #call(path: string, body: Json): Promise<Json> {
    return new Promise((resolve, reject) => {
      const options = { port: this.#port, host: '127.0.0.1', path, method: 'POST' };
      const call = httpRequest({ ...options, agent: this.#agent }, (reply) => {
        const chunks: Buffer[] = [];
        reply.on('data', (chunk: Buffer) => chunks.push(chunk));
        reply.on('error', reject);
        reply.on('end', () => {
          const parsed: unknown = JSON.parse(Buffer.concat(chunks).toString());
          if (isJson(parsed)) resolve(parsed);
          else reject(new Error('etcd answered with something else than an object'));
        });
      });
      call.on('error', reject);
      call.end(JSON.stringify(body));
    });
  }
}

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}

function encodePut(request: PutRequest): Json {
  return {
    key: encode(request.key),
    value: encode(request.value),
    lease: String(request.lease),
    prev_kv: request.prevKv,
    ignore_value: request.ignoreValue,
    ignore_lease: request.ignoreLease,
  };
}

function encodeDeleteRange(request: DeleteRangeRequest): Json {
  return {
    key: encode(request.key),
    range_end: encode(request.rangeEnd),
    prev_kv: request.prevKv,
  };
}

function encodeRange(request: RangeRequest): Json {
  return {
    key: encode(request.key),
    range_end: encode(request.rangeEnd),
    limit: String(request.limit),
    revision: String(request.revision),
    sort_order: ['NONE', 'ASCEND', 'DESCEND'][request.sortOrder],
    sort_target: ['KEY', 'VERSION', 'CREATE', 'MOD', 'VALUE'][request.sortTarget],
    serializable: request.serializable,
    keys_only: request.keysOnly,
    count_only: request.countOnly,
    min_mod_revision: String(request.minModRevision),
    max_mod_revision: String(request.maxModRevision),
    min_create_revision: String(request.minCreateRevision),
    max_create_revision: String(request.maxCreateRevision),
  };
}

function encodeTxn(request: TxnRequest): Json {
  return {
    compare: request.compares.map(encodeCompare),
    success: request.success.map(encodeOp),
    failure: request.failure.map(encodeOp),
  };
}

function encodeCompare(compare: Compare): Json {
  const operands: readonly Json[] = [
    { version: String(compare.counter) },
    { create_revision: String(compare.counter) },
    { mod_revision: String(compare.counter) },
    { value: encode(compare.value) },
    { lease: String(compare.lease) },
  ];
  return {
    key: encode(compare.key),
    range_end: encode(compare.rangeEnd),
    target: ['VERSION', 'CREATE', 'MOD', 'VALUE', 'LEASE'][compare.target],
    result: ['EQUAL', 'GREATER', 'LESS', 'NOT_EQUAL'][compare.result],
    ...operands[compare.target],
  };
}

function encodeOp(op: TxnOp): Json {
  switch (op.kind) {
    case OpKind.Range:
      return { request_range: encodeRange(op.request) };
    case OpKind.Put:
      return { request_put: encodePut(op.request) };
    case OpKind.DeleteRange:
      return { request_delete_range: encodeDeleteRange(op.request) };
    case OpKind.Txn:
      return { request_txn: encodeTxn(op.request) };
  }
}

function decodePut(reply: Json, revision: number): PutResult {
  const prev = reply.prev_kv;
  return { revision, prevKv: isJson(prev) ? decodePair(prev) : undefined };
}

function decodeDeleteRange(reply: Json, revision: number): DeleteRangeResult {
  return {
    revision,
    deleted: Number(reply.deleted ?? 0),
    prevKvs: decodePairs(reply.prev_kvs),
  };
}

function decodeRange(reply: Json, revision: number): RangeResult {
  return {
    revision,
    kvs: decodePairs(reply.kvs),
    more: reply.more === true,
    count: Number(reply.count ?? 0),
  };
}

function decodeTxn(reply: Json, revision: number): TxnResult {
  const responses = Array.isArray(reply.responses) ? reply.responses.filter(isJson) : [];
  const results = responses.map((each) => decodeOpResult(each, revision));
  return { revision, succeeded: reply.succeeded === true, results };
}

function decodeOpResult(each: Json, revision: number): TxnOpResult {
  const { response_range, response_put, response_delete_range, response_txn } = each;
  if (isJson(response_range)) {
    return { kind: OpKind.Range, result: decodeRange(response_range, revision) };
  }
  if (isJson(response_put)) return { kind: OpKind.Put, result: decodePut(response_put, revision) };
  if (isJson(response_delete_range)) {
    const result = decodeDeleteRange(response_delete_range, revision);
    return { kind: OpKind.DeleteRange, result };
  }
  if (isJson(response_txn)) return { kind: OpKind.Txn, result: decodeTxn(response_txn, revision) };
  throw new Error(`etcd answered an operation with ${JSON.stringify(each)}`);
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64');
}

function decode(text: unknown): Buffer {
  return Buffer.from(typeof text === 'string' ? text : '', 'base64');
}

function revisionOf(reply: Json): number {
  return isJson(reply.header) ? Number(reply.header.revision) : 0;
}

function decodePairs(list: unknown): KeyValue[] {
  return Array.isArray(list) ? list.filter(isJson).map(decodePair) : [];
}

function decodePair(kv: Json): KeyValue {
  return {
    key: decode(kv.key),
    value: decode(kv.value),
    createRevision: Number(kv.create_revision),
    modRevision: Number(kv.mod_revision),
    version: Number(kv.version),
    lease: BigInt(String(kv.lease ?? 0)),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
