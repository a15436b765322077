/** Runs a sequence on both sides and finds the first difference. */

import { isDeepStrictEqual } from 'node:util';
import type { Side, Watching } from './side.ts';
import { type Answer, type Sequence, type Step, show, type WatchStep } from './steps.ts';

/** Leases shorter than this are revoked at once, so that time plays no role. */
const TTL_SECONDS_MIN = 60;

/** The sides differ. */
export type Difference = {
  /** Which step, from 0; the sequence's length for what comes after the last one. */
  readonly slot: number;
  /** What was asked. */
  readonly what: string;
  readonly answers: readonly Answer[];
};

type Watch = { readonly step: WatchStep; readonly watchings: readonly Watching[] };

/** Two sides in the course of a sequence. */
class Run {
  readonly #sides: readonly Side[];
  readonly #watches: Watch[] = [];
  /** Ids of leases that were not chosen by a server. */
  readonly #leases = new Set<bigint>();
  #revision = 1;

  constructor(sides: readonly Side[]) {
    this.#sides = sides;
  }

  /** Does a step on both sides. */
  async step(step: Step | WatchStep): Promise<Omit<Difference, 'slot'> | undefined> {
    if ('watch' in step) return this.#watch(step);
    if ('compact' in step || 'restart' in step) {
      const difference = await this.sync();
      if (difference !== undefined) return difference;
    }
    return this.#ask(step);
  }

  /**
   * Compares what all watches were told. A last write that each must tell of shows that it is in
   * sync. Before a compaction too: an event that still waits may lose its previous pair by it. And
   * before a restart: the watch goes on behind the last event it was told of, which may be long
   * ago, and compacted (etcd's clients do the same).
   */
  async sync(): Promise<Omit<Difference, 'slot'> | undefined> {
    const ends: [Watch, number][] = [];
    for (const watch of this.#watches) {
      const difference = await this.#mark(watch.step);
      if (difference !== undefined) return difference;
      ends.push([watch, this.#revision]);
    }
    const told = await Promise.all(
      ends.map(async ([{ step, watchings }, revision]) => {
        const answers = await Promise.all(watchings.map(({ until }) => until(revision)));
        return { what: `events of ${show(step)}`, answers };
      }),
    );
    return told.find(({ answers }) => areDifferent(answers));
  }

  /** Makes an event for a watch, at or behind the revision it starts from. */
  async #mark(step: WatchStep): Promise<Omit<Difference, 'slot'> | undefined> {
    const key = step.watch === '' ? '\0' : step.watch;
    do {
      const put = { put: key, value: 'mark' };
      const difference =
        (await this.#ask(put)) ??
        (step.noPut === true ? await this.#ask({ delete: key }) : undefined);
      if (difference !== undefined) return difference;
    } while (this.#revision < (step.startRevision ?? 0));
    return undefined;
  }

  async #ask(step: Step): Promise<Omit<Difference, 'slot'> | undefined> {
    if ('grant' in step && step.grant !== 0n) this.#leases.add(step.grant);
    const answers = await Promise.all(
      this.#sides.map(async (side) => {
        const answer = await side.ask(step);
        const isShort = 'grant' in step && step.ttlSeconds < TTL_SECONDS_MIN;
        if (isShort && typeof answer.id === 'bigint') await side.ask({ revoke: answer.id });
        return this.#normalise(step, answer);
      }),
    );
    const revision = answers[0]?.revision;
    if (typeof revision === 'number') this.#revision = revision;
    return areDifferent(answers) ? { what: show(step), answers } : undefined;
  }

  async #watch(step: WatchStep): Promise<Omit<Difference, 'slot'> | undefined> {
    const opened = await Promise.all(this.#sides.map((side) => side.watch(step)));
    const answers = opened.map((each) => ('until' in each ? { from: each.from } : each));
    if (areDifferent(answers)) return { what: show(step), answers };
    const watchings = opened.filter((each) => 'until' in each);
    // One that tells of nothing could not be told from one that has stopped.
    const isMute = step.noPut === true && step.noDelete === true;
    if (watchings.length > 0 && !isMute) this.#watches.push({ step, watchings });
    return undefined;
  }

  /**
   * What is not compared:
   * - an id that the server chose.
   * - the order of a lease's keys and of the list of leases, which etcd does not promise.
   * - the seconds that went by since a grant.
   */
  #normalise(step: Step, answer: Answer): Answer {
    if ('error' in answer) return answer;
    if ('grant' in step && step.grant === 0n) return { ...answer, id: 'chosen' };
    if ('leases' in step && Array.isArray(answer.ids)) {
      const ids = answer.ids.map((id) => (this.#leases.has(id) ? String(id) : 'chosen'));
      return { ...answer, ids: ids.sort() };
    }
    if (!('timeToLive' in step)) return answer;
    const { ttlSeconds, grantedTtlSeconds, keys } = answer;
    const elapsedSeconds = Number(grantedTtlSeconds) - Number(ttlSeconds);
    const isRecent = Number(ttlSeconds) >= 0 && elapsedSeconds >= 0 && elapsedSeconds < 300;
    return {
      ...answer,
      ...(isRecent ? { ttlSeconds: 'just granted' } : {}),
      keys: Array.isArray(keys) ? [...keys].sort() : keys,
    };
  }
}

/** Runs a sequence on both sides, from an empty store; undefined when they do not differ. */
export async function findDifference(
  sides: readonly Side[],
  sequence: Sequence,
): Promise<Difference | undefined> {
  await Promise.all(sides.map((side) => side.reset()));
  return runSequence(sides, sequence);
}

/** Runs a sequence on both sides as they are. */
export async function runSequence(
  sides: readonly Side[],
  sequence: Sequence,
): Promise<Difference | undefined> {
  const run = new Run(sides);
  for (const [slot, step] of sequence.entries()) {
    const difference = await run.step(step);
    if (difference !== undefined) return { slot, ...difference };
  }
  const difference = await run.sync();
  return difference === undefined ? undefined : { slot: sequence.length, ...difference };
}

function areDifferent([ours, ...others]: readonly Answer[]): boolean {
  return others.some((theirs) => !isDeepStrictEqual(ours, theirs));
}
