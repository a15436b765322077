/**
 * The store against a dumb model of etcd: random entries, reads of old revisions, compactions,
 * restarts, crashes and snapshots. A seed makes a whole history again.
 */

import t from 'tap';
import type { RangeRequest, RangeResult, Reading, Store } from '../../include/kvstore.ts';
import { ErrorCode } from '../../include/rpc.ts';
import { openStore } from '../../src/kvstore/store.ts';
import { STORE_LIMITS, type StoreLimits } from '../../src/kvstore/store-state.ts';
import { createRandom, type Random } from '../../src/random.ts';
import { HOMES } from './map-homes.ts';
import { createMemoryHome } from './memory-base.ts';
import { PatientMachine } from './patient-machine.ts';
import { type Command, randomCommand, randomDeletion } from './random-commands.ts';
import { StoreModel } from './store-model.ts';
import {
  LEASES,
  randomPage,
  randomRange,
  rangeOf,
  showAnswer,
  showRange,
} from './store-requests.ts';
import { replace } from './watched-store.ts';

const CONFIGURATION = { voters: [0, 1, 2], outgoing: [], learners: [] };

/** A home that may be able to crash. */
type Place = Parameters<typeof openStore>[0] & { readonly crash?: () => void };

/** A read under way, what it must come to, and the revision that it reads. */
type Underway = {
  readonly reading: Reading<RangeResult>;
  readonly expected: string;
  readonly revision: number;
};

/** What the store says and what the model says. */
type Outcome = [string, string];

const NOTHING: Outcome = ['', ''];

/** One history: a store, its model, and the log. */
class Twin {
  store: Store;
  readonly model = new StoreModel();
  #place: Place;
  readonly #random: Random;
  readonly #limits: StoreLimits;
  /** The entries so far, and what each was answered. */
  readonly #log: { readonly command: Command; readonly answer: string }[] = [];
  /** What the deletions that were carried out in steps must come to, by revision. */
  readonly #deletions = new Map<number, { readonly answer: object; hasRestarted: boolean }>();
  #readings: Underway[] = [];
  #differences = '';

  constructor(place: Place, store: Store, random: Random, limits: StoreLimits) {
    this.#place = place;
    this.store = store;
    this.#random = random;
    this.#limits = limits;
  }

  /** Applies a random entry to both. */
  apply(): Outcome {
    const isDeletion = this.#random.below(6) === 0;
    const draw = isDeletion ? randomDeletion : randomCommand;
    const command = draw(this.#random, this.model);
    const result = this.#applyToStore(command);
    const expected = command(this.model);
    this.model.index += 1;
    const revision = revisionUnderWay(result);
    if (revision !== undefined && typeof expected === 'object' && expected !== null) {
      this.#deletions.set(revision, { answer: expected, hasRestarted: false });
      this.model.forgetPairs(expected);
    }
    const answer = this.#show(result);
    this.#log.push({ command, answer });
    return [answer, this.#show(expected)];
  }

  read(): Outcome {
    const page = this.#randomPage();
    return [showRange(this.store.range(page)), showRange(this.model.range(page))];
  }

  /** Begins a read that may take several turns. */
  beginRead(): Outcome {
    const page = this.#randomPage();
    const expected = showRange(this.model.range(page));
    const begun = this.store.beginRange(page);
    if (typeof begun === 'number' || !('step' in begun)) return [showRange(begun), expected];
    const revision = page.revision > 0 ? page.revision : this.model.revision;
    this.#readings.push({ reading: begun, expected, revision });
    return NOTHING;
  }

  /** Goes on with one of the reads under way. */
  goOnReading(): Outcome {
    const slot = this.#random.below(this.#readings.length + 1);
    const underway = this.#readings[slot];
    const result = underway?.reading.step();
    if (underway === undefined || result === undefined) return NOTHING;
    this.#readings.splice(slot, 1);
    const isCompacted = result === ErrorCode.Compacted;
    if (isCompacted && underway.revision < this.model.compactRevision) return NOTHING;
    return [showRange(result), underway.expected];
  }

  /** Goes on with the deletions under way. */
  step(): void {
    this.store.deletions.step();
    for (const { revision, answer } of this.store.deletions.takeEnded()) {
      const expected = this.#deletions.get(revision);
      const isForgotten = answer === ErrorCode.AnswerForgotten && expected?.hasRestarted === true;
      const [got, wanted] = [showAnswer(answer), showAnswer(expected?.answer)];
      if (!isForgotten && got !== wanted) this.#differences += `${got} instead of ${wanted};`;
    }
  }

  /** What the store says of leases and sessions, and what the model does. */
  lookAround(): Outcome {
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
    const differences = this.#differences;
    return [`${showAnswer([leases, sessions])}${differences}`, showAnswer([expected, open])];
  }

  /** A step of a compaction changes nothing that can be seen. */
  compactStep(): Outcome {
    const isHashed = this.#random.below(2) === 0;
    const hash = isHashed ? this.store.hash() : 0;
    this.store.compactStep();
    return [`hash ${isHashed ? this.store.hash() : 0}`, `hash ${hash}`];
  }

  /** Closes and opens the store, or crashes and replays the log: nothing may have changed. */
  async restart(): Promise<Outcome> {
    // A hash ends the deletions under way: at times they are to be found after the restart.
    const isHashed = this.#random.below(2) === 0;
    const hash = isHashed ? this.store.hash() : 0;
    const applied = this.store.applied().index;
    if (this.#place.crash !== undefined && this.#random.below(3) > 0) {
      void this.store.flush();
      this.#place.crash();
    } else {
      await this.store.close();
    }
    this.store = await openStore(this.#place, this.#limits);
    const differences = this.#catchUp(applied);
    return [`hash ${isHashed ? this.store.hash() : 0} ${differences}`, `hash ${hash} `];
  }

  /** Goes on with a store that a snapshot of this one made. */
  async move(): Promise<void> {
    const applied = this.store.applied().index;
    const place = createMemoryHome();
    const moved = await openStore(place, this.#limits);
    await replace(moved, this.store);
    await this.store.close();
    this.#place = place;
    this.store = moved;
    this.#differences += this.#catchUp(applied);
  }

  /** Replays what a store that was opened anew lacks. */
  #catchUp(applied: number): string {
    this.#readings = [];
    for (const deletion of this.#deletions.values()) deletion.hasRestarted = true;
    let differences = '';
    while (this.store.applied().index < applied) {
      const { command, answer } = this.#log[this.store.applied().index]!;
      const again = this.#show(this.#applyToStore(command));
      if (again !== answer) differences += `${again} instead of ${answer};`;
    }
    return differences;
  }

  #applyToStore(command: Command): unknown {
    const { store } = this;
    const result = command(new PatientMachine(store, () => this.step()));
    store.setApplied({ index: store.applied().index + 1, term: 1, configuration: CONFIGURATION });
    return result;
  }

  #randomPage(): RangeRequest {
    return randomPage(this.#random, randomRange(this.#random, this.model.revision));
  }

  /** An answer as text: of a deletion carried out in steps only its revision. */
  #show(result: unknown): string {
    const underWay = revisionUnderWay(result);
    if (underWay !== undefined && !this.store.deletions.has(underWay)) return 'is not under way';
    const revision = underWay ?? revisionOfDeletion(result);
    const isInSteps = revision !== undefined && this.#deletions.has(revision);
    return isInSteps ? `deletes @${revision}` : showAnswer(result);
  }
}

function revisionUnderWay(result: unknown): number | undefined {
  const isUnderWay = typeof result === 'object' && result !== null && 'isUnderWay' in result;
  return isUnderWay && 'revision' in result ? Number(result.revision) : undefined;
}

function revisionOfDeletion(result: unknown): number | undefined {
  if (typeof result !== 'object' || result === null || !('deleted' in result)) return undefined;
  return Number(result.deleted) > 0 && 'revision' in result ? Number(result.revision) : undefined;
}

/** So small that few keys make large deletions, and long reads. */
function smallLimits(random: Random): StoreLimits {
  return {
    deleteAtOnceKeysMax: random.below(3),
    deleteStepKeysMax: 1 + random.below(2),
    readVisitsMax: 1 + random.below(4),
  };
}

t.test(
  'members agree on the hash however far each is with deletions, compaction and flushes',
  async (t) => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const random = createRandom(seed);
      const model = new StoreModel();
      const limits = smallLimits(random);
      const eager = await openStore(createMemoryHome(), limits);
      const lazy = await openStore(createMemoryHome(), limits);
      for (let step = 0; step < 300; step += 1) {
        const draw = random.below(6) === 0 ? randomDeletion : randomCommand;
        const command = draw(random, model);
        for (const store of [eager, lazy]) {
          command(new PatientMachine(store, () => store.deletions.step()));
          store.setApplied({ index: model.index, term: 1, configuration: CONFIGURATION });
        }
        command(model);
        model.index += 1;
        while (eager.deletions.step() || eager.compactStep());
        if (random.below(8) === 0) lazy.deletions.step();
        if (random.below(20) === 0) lazy.compactStep();
        if (random.below(5) === 0) await eager.flush();
        // A hash ends the deletions under way.
        if (random.below(20) > 0 || eager.hash() === lazy.hash()) continue;
        t.fail(`the hashes differ at seed ${seed} step ${step}`);
        return;
      }
      while (lazy.deletions.step() || lazy.compactStep());
      t.equal(lazy.compactedPhysically(), eager.compactedPhysically());
    }
  },
);

for (const home of HOMES) {
  const seeds = home.name === 'memory' ? 150 : 16;
  t.test(`${home.name}: the store answers as a dumb model of etcd does`, async (t) => {
    for (let seed = 1; seed <= seeds; seed += 1) {
      const random = createRandom(seed);
      const place = await home.create(t);
      const limits = random.below(4) === 0 ? STORE_LIMITS : smallLimits(random);
      const twin = new Twin(place, await openStore(place, limits), random, limits);
      for (let step = 0; step < 400; step += 1) {
        const [got, expected] = await goOn(twin, random.below(1000), home.name);
        if (got === expected) continue;
        t.equal(got, expected, `seed ${seed} step ${step}`);
        return;
      }
      const { store, model } = twin;
      while (store.deletions.step() || store.compactStep());
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

/** One step of a history, as chance has it. */
async function goOn(twin: Twin, choice: number, home: string): Promise<Outcome> {
  if (choice < 450) return twin.apply();
  if (choice < 530) {
    twin.step();
    return NOTHING;
  }
  if (choice < 560) return twin.compactStep();
  if (choice < 570) {
    void twin.store.flush();
    return NOTHING;
  }
  if (choice < 580) {
    await twin.store.flush();
    return NOTHING;
  }
  if (choice < 595) return twin.restart();
  if (choice < 600) {
    if (home === 'memory') await twin.move();
    return NOTHING;
  }
  if (choice < 660) return twin.lookAround();
  if (choice < 720) return twin.beginRead();
  return choice < 850 ? twin.goOnReading() : twin.read();
}
