/**
 * Notes of progress: watches that asked for them, and were told nothing since the last round, are
 * told how far they are. A round of many watches goes on step by step.
 */

import { canTell } from './telling.ts';
import { type Cohort, STEP_WATCHES_MAX, type Watch } from './watch-state.ts';

/** The watches that want notes of progress. */
export class ProgressNotes {
  readonly #watches = new Set<Watch>();
  /** The round that is under way. */
  #round: Iterator<Watch, undefined> | undefined;

  /** Whether a round is under way. */
  get isUnderWay(): boolean {
    return this.#round !== undefined;
  }

  add(watch: Watch): void {
    this.#watches.add(watch);
  }

  delete(watch: Watch): void {
    this.#watches.delete(watch);
  }

  /** Begins a round, unless one is under way. */
  begin(): void {
    this.#round ??= this.#watches.values();
  }

  /** Tells some of the watches. @param live whose watches have been told all before its place */
  step(live: Cohort): void {
    for (let count = 0; count < STEP_WATCHES_MAX && this.#round !== undefined; count += 1) {
      const watch = this.#round.next().value;
      if (watch === undefined) this.#round = undefined;
      else note(watch, live);
    }
  }
}

function note(watch: Watch, live: Cohort): void {
  const { stream, group, hasNews, nextMain } = watch;
  watch.hasNews = false;
  const isInSync = group?.cohort === live && nextMain <= live.main;
  if (!isInSync || hasNews || stream.isClosed || !canTell(stream)) return;
  stream.sink.progress(watch.id, live.main - 1);
}
