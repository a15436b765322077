/** A real etcd to compare with, through its JSON gateway. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  KeyValue,
  PutRequest,
  PutResult,
  RangeRequest,
  RangeResult,
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
    const reply = await this.#call('/v3/kv/put', {
      key: encode(request.key),
      value: encode(request.value),
      prev_kv: request.prevKv,
      ignore_value: request.ignoreValue,
      ignore_lease: request.ignoreLease,
    });
    if ('error' in reply) return { error: String(reply.error) };
    const prev = reply.prev_kv;
    return { revision: revisionOf(reply), prevKv: isJson(prev) ? decodePair(prev) : undefined };
  }

  async deleteRange(request: DeleteRangeRequest): Promise<DeleteRangeResult | EtcdRefusal> {
    const reply = await this.#call('/v3/kv/deleterange', {
      key: encode(request.key),
      range_end: encode(request.rangeEnd),
      prev_kv: request.prevKv,
    });
    if ('error' in reply) return { error: String(reply.error) };
    return {
      revision: revisionOf(reply),
      deleted: Number(reply.deleted ?? 0),
      prevKvs: decodePairs(reply.prev_kvs),
    };
  }

  async compact(revision: number): Promise<number | EtcdRefusal> {
    const reply = await this.#call('/v3/kv/compaction', { revision: String(revision) });
    return 'error' in reply ? { error: String(reply.error) } : revisionOf(reply);
  }

  async range(request: RangeRequest): Promise<RangeResult | EtcdRefusal> {
    const reply = await this.#call('/v3/kv/range', {
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
    });
    if ('error' in reply) return { error: String(reply.error) };
    return {
      revision: revisionOf(reply),
      kvs: decodePairs(reply.kvs),
      more: reply.more === true,
      count: Number(reply.count ?? 0),
    };
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
