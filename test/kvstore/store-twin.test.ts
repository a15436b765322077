/**
 * The store against a dumb model of etcd: random entries, reads of old revisions, compactions,
 * restarts and crashes. A seed makes a whole history again.
 */

import t from 'tap';
import type { Store } from '../../include/kvstore.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { createRandom, type Random } from '../../src/random.ts';
import { HOMES } from './map-homes.ts';
import { createMemoryHome } from './memory-base.ts';
import { type Command, randomCommand } from './random-commands.ts';
import { StoreModel } from './store-model.ts';
import {
  LEASES,
  randomPage,
  randomRange,
  rangeOf,
  showAnswer,
  showRange,
} from './store-requests.ts';

const CONFIGURATION = { voters: [0, 1, 2], outgoing: [], learners: [] };

/** A home that may be able to crash. */
type Place = Parameters<typeof openStore>[0] & { readonly crash?: () => void };

/** One history: a store, its model, and the log. */
class Twin {
  store: Store;
  readonly model = new StoreModel();
  readonly #place: Place;
  readonly #random: Random;
  /** The entries so far, and what each was answered. */
  readonly #log: { readonly command: Command; readonly answer: string }[] = [];

  constructor(place: Place, store: Store, random: Random) {
    this.#place = place;
    this.store = store;
    this.#random = random;
  }

  /** Applies a random entry to both. Returns what the store and what the model says. */
  apply(): [string, string] {
    const command = randomCommand(this.#random, this.model);
    const answer = this.#applyToStore(command);
    this.#log.push({ command, answer });
    const expected = showAnswer(command(this.model));
    this.model.index += 1;
    return [answer, expected];
  }

  read(): [string, string] {
    const request = randomRange(this.#random, this.model.revision);
    const page = randomPage(this.#random, request);
    return [showRange(this.store.range(page)), showRange(this.model.range(page))];
  }

  /** What the store says of leases and sessions, and what the model does. */
  lookAround(): [string, string] {
    const { store, model } = this;
    const leases = LEASES.map((id) => {
      const keys = store.leaseKeys(id).map((key) => key.toString('latin1'));
      return [store.lease(id), keys];
    });
    const expected = LEASES.map((id) => {
      const lease = model.leases.get(id);
      return [lease === undefined ? undefined : { id, ...lease }, model.leaseKeys(id)];
    });
    const sessions: [number, number][] = [];
    store.visitSessions(({ session, lastIndex }) => sessions.push([session, lastIndex]));
    const open = [...model.sessions].map(([id, { lastIndex }]) => [id, lastIndex]);
    return [showAnswer([leases, sessions]), showAnswer([expected, open])];
  }

  /** Closes and opens the store, or crashes and replays the log: nothing may have changed. */
  async restart(): Promise<[string, string]> {
    const hash = this.store.hash();
    const applied = this.store.applied().index;
    if (this.#place.crash !== undefined && this.#random.below(3) > 0) {
      void this.store.flush();
      this.#place.crash();
    } else {
      await this.store.close();
    }
    this.store = await openStore(this.#place);
    let differences = '';
    while (this.store.applied().index < applied) {
      const { command, answer } = this.#log[this.store.applied().index]!;
      const again = this.#applyToStore(command);
      if (again !== answer) differences += `${again} instead of ${answer};`;
    }
    return [`hash ${this.store.hash()} ${differences}`, `hash ${hash} `];
  }

  #applyToStore(command: Command): string {
    const { store } = this;
    const answer = showAnswer(command(store));
    store.setApplied({ index: store.applied().index + 1, term: 1, configuration: CONFIGURATION });
    return answer;
  }
}

t.test('members agree on the hash however far each is with compaction and flushes', async (t) => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = createRandom(seed);
    const model = new StoreModel();
    const eager = await openStore(createMemoryHome());
    const lazy = await openStore(createMemoryHome());
    for (let step = 0; step < 300; step += 1) {
      const command = randomCommand(random, model);
      for (const store of [eager, lazy]) {
        command(store);
        store.setApplied({ index: model.index, term: 1, configuration: CONFIGURATION });
      }
      command(model);
      model.index += 1;
      while (eager.compactStep());
      if (random.below(20) === 0) lazy.compactStep();
      if (random.below(5) === 0) await eager.flush();
      if (eager.hash() === lazy.hash()) continue;
      t.fail(`the hashes differ at seed ${seed} step ${step}`);
      return;
    }
    while (lazy.compactStep());
    t.equal(lazy.compactedPhysically(), eager.compactedPhysically());
  }
});

for (const home of HOMES) {
  const seeds = home.name === 'memory' ? 100 : 12;
  t.test(`${home.name}: the store answers as a dumb model of etcd does`, async (t) => {
    for (let seed = 1; seed <= seeds; seed += 1) {
      const random = createRandom(seed);
      const place = await home.create(t);
      const twin = new Twin(place, await openStore(place), random);
      for (let step = 0; step < 400; step += 1) {
        const choice = random.below(1000);
        let outcome: [string, string] = ['', ''];
        if (choice < 500) {
          outcome = twin.apply();
        } else if (choice < 550) {
          const hash = twin.store.hash();
          twin.store.compactStep();
          outcome = [`hash ${twin.store.hash()}`, `hash ${hash}`];
        } else if (choice < 560) {
          void twin.store.flush();
        } else if (choice < 570) {
          await twin.store.flush();
        } else if (choice < 585) {
          outcome = await twin.restart();
        } else if (choice < 650) {
          outcome = twin.lookAround();
        } else {
          outcome = twin.read();
        }
        const [got, expected] = outcome;
        if (got === expected) continue;
        t.equal(got, expected, `seed ${seed} step ${step}`);
        return;
      }
      const { store, model } = twin;
      while (store.compactStep());
      for (let revision = 0; revision <= model.revision; revision += 1) {
        const request = rangeOf('\0', '\0', { revision });
        const [got, expected] = [showRange(store.range(request)), showRange(model.range(request))];
        if (got === expected) continue;
        t.equal(got, expected, `seed ${seed} at revision ${revision} after all`);
        return;
      }
      await store.close();
    }
    t.pass('no difference found');
  });
}
