/**
 * Watches against a list of all that happened: random writes, compactions, snapshots, watches with
 * random starts, clients that fill up and drain. No gap, no repeat, order, whole revisions.
 */

import t from 'tap';
import {
  OpKind,
  type Store,
  type TxnOp,
  type WatchRequest,
  type WatchStream,
} from '../../../include/kvstore.ts';
import { ErrorCode, FrameType } from '../../../include/rpc.ts';
import { openStore } from '../../../src/kvstore/store.ts';
import { STORE_LIMITS, type StoreLimits } from '../../../src/kvstore/store-state.ts';
import { isHeldUp } from '../../../src/node/held-up.ts';
import { createRandom, type Random } from '../../../src/random.ts';
import { HOMES } from '../map-homes.ts';
import { createMemoryHome } from '../memory-base.ts';
import { deleteOf, putOf } from '../store-requests.ts';
import { watchOf } from '../watch-requests.ts';
import { account, replace } from '../watched-store.ts';
import { HistoryModel, WatchModel } from './watch-model.ts';

const LETTERS = ['a', 'b', 'c', '\0', '\xff', 'ab', 'abc', 'b\0', 'c\xff'];

/** What a run is made of, drawn from its seed. */
type Shape = {
  readonly keyCount: number;
  readonly valueBytes: number;
  readonly batchesUntilFull: number;
  readonly compactChance: number;
  readonly snapshotChance: number;
  readonly limits: StoreLimits;
};

/** One client. */
type Client = {
  readonly stream: WatchStream;
  readonly watches: Map<number, { readonly model: WatchModel; mayEnd: boolean }>;
  told: number;
};

class Run {
  readonly #random: Random;
  readonly #shape: Shape;
  readonly #store: Store;
  /** Another member, which is never cut off: its snapshots bring the store up to date. */
  readonly #ahead: Store;
  readonly #model = new HistoryModel();
  readonly #clients: Client[] = [];
  #isCutOff = false;
  #watchCount = 0;
  /** What went wrong first. */
  fault: string | undefined;

  constructor(random: Random, shape: Shape, store: Store, ahead: Store) {
    this.#random = random;
    this.#shape = shape;
    this.#store = store;
    this.#ahead = ahead;
    for (let count = 0; count < 3; count += 1) this.#openClient();
  }

  async step(): Promise<void> {
    const choice = this.#random.below(1000);
    if (choice < 450) this.#write();
    else if (choice < 600) this.#create();
    else if (choice < 640) this.#cancel();
    else if (choice < 700) this.#drain();
    else if (choice < 760) this.#store.watches.notify();
    else if (choice < 800) this.#step(this.#store);
    else if (choice < 900) this.#store.watches.catchUp();
    else if (choice < 905) this.#reopenClient();
    else if (choice < 910) this.#askInSync();
    else if (choice < 910 + this.#shape.compactChance) this.#compact();
    else if (choice < 960) this.#store.compactStep();
    else if (choice < 960 + this.#shape.snapshotChance) await this.#cutOff();
    else if (choice < 980) await this.#store.flush();
  }

  /** Reads all there is, on all sides. */
  async finish(): Promise<void> {
    if (this.#isCutOff) await this.#cutOff();
    while (this.#store.deletions.step());
    this.#store.watches.notify();
    for (let hasMore = true; hasMore; ) {
      while (this.#store.watches.catchUp());
      hasMore = this.#clients.some((client) => this.#isFull(client));
      this.#drain();
    }
    for (const client of this.#clients) {
      let isInSync = false;
      client.stream.whenInSync(() => {
        isInSync = true;
      });
      if (!isInSync) this.fault ??= 'a stream never came to be in sync';
      this.#checkInSync(client, this.#store.revision());
    }
    await this.#store.close();
    await this.#ahead.close();
  }

  #openClient(): void {
    const watches: Client['watches'] = new Map();
    const isFull = () => this.#isFull(client);
    const stream = this.#store.watches.open({
      isFull: () => {
        if (isFull()) for (const watch of watches.values()) watch.mayEnd = true;
        return isFull();
      },
      events: (watchId, batch) => {
        if (batch.events.length > 0) {
          if (isFull()) this.fault ??= 'told while it was full';
          client.told += 1;
        }
        const watch = watches.get(watchId);
        const compactRevision = this.#store.compactRevision();
        this.fault ??= watch === undefined ? 'unknown' : watch.model.check(batch, compactRevision);
      },
      progress: () => {},
      cancelled: (watchId, code, compactRevision) => {
        const watch = watches.get(watchId);
        const isRight = code === ErrorCode.Compacted;
        if (!isRight || compactRevision !== this.#store.compactRevision() || !watch?.mayEnd) {
          this.fault ??= 'cancelled without reason';
        }
        if (watch !== undefined) watch.model.isCancelled = true;
      },
    });
    const client: Client = { stream, watches, told: 0 };
    this.#clients.push(client);
  }

  #isFull(client: Client): boolean {
    return client.told >= this.#shape.batchesUntilFull;
  }

  #reopenClient(): void {
    const [client] = this.#clients.splice(this.#random.below(this.#clients.length), 1);
    client?.stream.close();
    client?.watches.clear();
    this.#openClient();
  }

  #key(): string {
    const { keyCount } = this.#shape;
    if (keyCount <= LETTERS.length) return LETTERS[this.#random.below(keyCount)]!;
    return `k${String(this.#random.below(keyCount)).padStart(5, '0')}`;
  }

  #write(): void {
    const ops: TxnOp[] = [];
    // A key may change several times in one revision, as nested transactions do it.
    const opCount = this.#random.below(3) === 0 ? 1 + this.#random.below(8) : 1;
    for (let count = 0; count < opCount; count += 1) {
      const key = this.#key();
      if (this.#random.below(100) < 75) {
        const value = `${this.#random.below(100)}`.padEnd(this.#shape.valueBytes, 'v');
        ops.push({ kind: OpKind.Put, request: putOf(key, value) });
      } else {
        ops.push({ kind: OpKind.DeleteRange, request: deleteOf(key, this.#end(key)) });
      }
    }
    this.#apply((store) => {
      const [op] = ops;
      const body = { compares: [], success: ops, failure: [] };
      while (isHeldUp(store, { type: FrameType.Txn, body })) this.#step(store);
      // By itself a deletion may be carried out in steps.
      if (op?.kind === OpKind.DeleteRange && ops.length === 1) store.deleteRange(op.request);
      else store.txn(body);
    });
    this.#model.apply(ops);
  }

  /** Goes on with the deletions under way; the other member is never as far. */
  #step(store: Store): void {
    store.deletions.step();
    if (this.#random.below(2) === 0) this.#ahead.deletions.step();
  }

  #apply(run: (store: Store) => unknown): void {
    for (const store of this.#isCutOff ? [this.#ahead] : [this.#store, this.#ahead]) {
      run(store);
      account(store);
    }
  }

  #end(key: string): string {
    const choice = this.#random.below(10);
    return choice < 7 ? '' : choice === 7 ? '\0' : `${key}${choice === 8 ? '\xff' : 'b'}`;
  }

  #compact(): void {
    const revision = this.#ahead.revision() - this.#random.below(6);
    this.#apply((store) => store.compact({ revision, physical: false }));
  }

  #create(): void {
    const random = this.#random;
    const client = this.#clients[random.below(this.#clients.length)]!;
    const revision = this.#store.revision();
    const key = this.#key();
    const isEarly = random.below(2) === 0;
    const request: WatchRequest = watchOf(key, this.#end(key), {
      startRevision: isEarly ? random.below(revision + 5) : 0,
      prevKv: random.below(2) === 0,
      noPut: random.below(6) === 0,
      noDelete: random.below(6) === 0,
    });
    this.#watchCount += 1;
    if (client.stream.create(this.#watchCount, request) !== 0) this.fault ??= 'not created';
    const model = new WatchModel(this.#model, request, revision);
    client.watches.set(this.#watchCount, { model, mayEnd: isEarly || this.#isFull(client) });
  }

  #cancel(): void {
    const client = this.#clients[this.#random.below(this.#clients.length)]!;
    const ids = [...client.watches.keys()];
    const id = ids[this.#random.below(ids.length)];
    if (id === undefined) return;
    const isThere = !client.watches.get(id)?.model.isCancelled;
    client.watches.delete(id);
    if (client.stream.cancel(id) !== isThere) this.fault ??= 'cancel knows of another watch';
  }

  #drain(): void {
    for (const client of this.#clients) {
      client.told = 0;
      client.stream.drained();
    }
  }

  #askInSync(): void {
    const client = this.#clients[this.#random.below(this.#clients.length)]!;
    client.stream.whenInSync((revision) => this.#checkInSync(client, revision));
  }

  #checkInSync(client: Client, revision: number): void {
    for (const { model } of client.watches.values()) this.fault ??= model.checkInSync(revision);
  }

  /** Loses touch with the log, or is brought up to date by a snapshot. */
  async #cutOff(): Promise<void> {
    this.#isCutOff = !this.#isCutOff;
    if (this.#isCutOff) return;
    await replace(this.#store, this.#ahead);
    for (const { watches } of this.#clients) {
      for (const watch of watches.values()) watch.mayEnd = true;
    }
  }
}

function drawShape(random: Random): Shape {
  return {
    keyCount: [2, 9, 9, 3000][random.below(4)]!,
    valueBytes: [0, 0, 0, 150_000][random.below(4)]!,
    batchesUntilFull: [1, 3, 20, Number.POSITIVE_INFINITY][random.below(4)]!,
    compactChance: [0, 5, 30][random.below(3)]!,
    snapshotChance: [0, 0, 10][random.below(3)]!,
    limits: [STORE_LIMITS, { ...STORE_LIMITS, deleteAtOnceKeysMax: 1, deleteStepKeysMax: 1 }][
      random.below(2)
    ]!,
  };
}

for (const home of HOMES) {
  t.test(`${home.name}: watches are told what a list of all events says`, async (t) => {
    const seeds = home.name === 'memory' ? 150 : 20;
    for (let seed = 1; seed <= seeds; seed += 1) {
      const random = createRandom(seed);
      const shape = drawShape(random);
      const store = await openStore(await home.create(t), shape.limits);
      const ahead = await openStore(createMemoryHome(), shape.limits);
      const run = new Run(random, shape, store, ahead);
      const steps = shape.valueBytes > 0 ? 150 : 600;
      for (let step = 0; step < steps && run.fault === undefined; step += 1) await run.step();
      await run.finish();
      if (run.fault === undefined) continue;
      t.fail(`${run.fault}, seed ${seed}`);
      return;
    }
    t.pass('no difference found');
  });
}
