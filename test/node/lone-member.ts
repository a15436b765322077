/** For tests: a cluster of one member in this process, asked without a socket. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { WatchBatch, WatchSink } from '../../include/kvstore.ts';
import { NO_LOG } from '../../include/log.ts';
import { Role } from '../../include/node.ts';
import {
  type Command,
  type ErrorCode,
  FrameType,
  KvorumError,
  type OnceCommand,
  PROTOCOL_VERSION,
  type Redirect,
  type Reply,
} from '../../include/rpc.ts';
import { createSystemClock } from '../../src/clock.ts';
import type { Asker } from '../../src/node/asker.ts';
import { requestLeaseList, requestRead, requestWrite } from '../../src/node/client-requests.ts';
import { ClientWatches, type WatchOperation } from '../../src/node/client-watches.ts';
import type { Member } from '../../src/node/member.ts';
import { type Node, type NodeOptions, startNode } from '../../src/node/node.ts';
import { parseNodesConf } from '../../src/node/nodes-conf.ts';
import type { ReadRequest } from '../../src/node/reads.ts';
import { encodeCommand } from '../../src/rpc/command-codec.ts';
import { nextTick } from '../cluster/processes.ts';
import { freePorts } from '../free-ports.ts';

/** The body of a reply to a request of a type. */
export type BodyOf<T extends Reply['type']> = Extract<Reply, { readonly type: T }>['body'];

/** One member alone, in a directory of its own. */
export class LoneMember {
  readonly #options: NodeOptions;
  #node: Node;

  constructor(options: NodeOptions, node: Node) {
    this.#options = options;
    this.#node = node;
  }

  /** Where it listens, `host:port`. */
  get endpoint(): string {
    const { address, port } = this.#options.cluster.nodes[0]!;
    return `${address}:${port}`;
  }

  get member(): Member {
    return this.#node.member;
  }

  /** Stops the member and starts it on what its disk holds; resolves when it leads. */
  async restart(): Promise<void> {
    await this.#node.stop();
    this.#node = await startNode(this.#options);
    await this.#lead();
  }

  async stop(): Promise<void> {
    await this.#node.stop();
  }

  /** Asks for a write. Rejects with what it is refused with. */
  write<C extends Command>(command: C): Promise<BodyOf<C['type']>> {
    return this.#ask<C['type']>(command.type, (asker) =>
      requestWrite(this.member, asker, 1, encodeCommand(command), command),
    );
  }

  /** The same, as write `sequence` of a session. */
  once<C extends Command>(
    session: number,
    sequence: number,
    command: C,
    acknowledged = 0,
  ): Promise<BodyOf<C['type']>> {
    const mark = { session, sequence, acknowledged };
    const once: OnceCommand = { type: FrameType.Once, mark, command };
    return this.#ask<C['type']>(command.type, (asker) =>
      requestWrite(this.member, asker, 1, encodeCommand(once), once),
    );
  }

  read<R extends ReadRequest>(request: R): Promise<BodyOf<R['type']>> {
    return this.#ask<R['type']>(request.type, (asker) =>
      requestRead(this.member, asker, 1, request),
    );
  }

  leases(): Promise<BodyOf<typeof FrameType.LeaseList>> {
    return this.#ask(FrameType.LeaseList, (asker) => requestLeaseList(this.member, asker, 1));
  }

  watcher(): LoneWatcher {
    return new LoneWatcher(this.member);
  }

  /** Waits until it leads and has put the version of its cluster into the log. */
  async #lead(): Promise<void> {
    while (this.member.raft.role !== Role.Leader) await nextTick();
    while (this.member.store.clusterVersion() < PROTOCOL_VERSION) await nextTick();
  }

  #ask<T extends Reply['type']>(type: T, ask: (asker: Asker) => void): Promise<BodyOf<T>> {
    const { promise, resolve, reject } = Promise.withResolvers<BodyOf<T>>();
    ask(askerOf(type, resolve, reject));
    return promise;
  }

  /** Starts one; removed with the test. */
  static async start(t: Test, more: Partial<NodeOptions> = {}): Promise<LoneMember> {
    const directory = await mkdtemp(join(tmpdir(), 'kvorum-lone-'));
    const [port] = await freePorts(1);
    const options: NodeOptions = {
      id: 0,
      cluster: parseNodesConf('nodes.conf', `0 127.0.0.1 ${port}`),
      dataDir: join(directory, 'data'),
      version: 'test',
      clock: createSystemClock(),
      log: NO_LOG,
      onFatal: (cause) => t.fail(`the node failed: ${cause}`),
      ...more,
    };
    const lone = new LoneMember(options, await startNode(options));
    t.teardown(async () => {
      await lone.stop();
      await rm(directory, { recursive: true, force: true });
    });
    await lone.#lead();
    return lone;
  }
}

/** A client that watches, and remembers all it is told, in order. */
export class LoneWatcher {
  /** `answered 1`, `refused 52`, `put a=1 @2`, `delete a @3`, `progress @3`, `cancelled 35 @5`. */
  readonly told: string[] = [];
  isFull = false;
  readonly watches: ClientWatches;
  #onTold: () => void = () => {};

  constructor(member: Member) {
    const sink: WatchSink = {
      isFull: () => this.isFull,
      events: (watchId, batch) => this.#tellAll(watchId, batch),
      progress: (watchId, revision) => this.#tell(`${watchId} progress @${revision}`),
      cancelled: (watchId, code, revision) => this.#tell(`${watchId} ended ${code} @${revision}`),
    };
    this.watches = new ClientWatches(member, sink);
  }

  request(id: number, operation: WatchOperation): void {
    const asker: Asker = {
      answer: () => this.#tell(`answer ${id}`),
      refuse: (_id, code) => this.#tell(`refused ${code}`),
      redirect: () => this.#tell('redirected'),
    };
    this.watches.request(asker, id, operation);
  }

  /** Settles when so much was told. */
  async heard(count: number): Promise<readonly string[]> {
    while (this.told.length < count) {
      await new Promise<void>((resolve) => {
        this.#onTold = resolve;
      });
    }
    return this.told;
  }

  #tellAll(watchId: number, { events }: WatchBatch): void {
    for (const { kind, kv } of events) {
      const what = kind === 0 ? `put ${kv.key}=${kv.value}` : `delete ${kv.key}`;
      this.#tell(`${watchId} ${what} @${kv.modRevision}`);
    }
  }

  #tell(what: string): void {
    this.told.push(what);
    this.#onTold();
  }
}

function askerOf<B extends Reply['body']>(
  type: Reply['type'],
  resolve: (body: B | PromiseLike<B>) => void,
  reject: (error: KvorumError) => void,
): Asker {
  return {
    answer: (_id, reply) => {
      if (reply.type === type) resolve(reply.body as B);
      else throw new Error(`a reply of type ${reply.type}, asked was ${type}`);
    },
    refuse: (_id: number, code: ErrorCode) => reject(new KvorumError(code)),
    redirect: (_id: number, to: Redirect) => {
      throw new Error(`redirected to ${to.leaderId}`);
    },
  };
}
