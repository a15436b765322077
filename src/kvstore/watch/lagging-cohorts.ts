/**
 * The cohorts of ranges that lag. Each step of one reads history once for all its watches, so there
 * are few: a watch that lags joins a cohort not far behind it.
 */

import {
  CATCH_UP_COHORTS_MAX,
  CATCH_UP_STEP_REVISIONS_MAX,
  NEVER_COMPACTED,
} from '../../../include/kvstore.ts';
import { assert } from '../../assert.ts';
import type { StoreState } from '../store-state.ts';
import { addToCohort } from './grouping.ts';
import { type Cohort, createCohort, type Watch } from './watch-state.ts';

/** Whether some of what follows a revision, itself included, may be gone. */
export function isCompacted({ compactRevision }: StoreState, revision: number): boolean {
  return compactRevision !== NEVER_COMPACTED && revision < compactRevision;
}

/** The cohorts that go on by steps. */
export class LaggingCohorts {
  readonly #cohorts = new Set<Cohort>();
  #isLastsTurn = false;

  get count(): number {
    return this.#cohorts.size;
  }

  add(cohort: Cohort): void {
    this.#cohorts.add(cohort);
  }

  delete(cohort: Cohort): void {
    this.#cohorts.delete(cohort);
  }

  /** Whether watches are owed what was up to a revision. */
  owes(revision: number): boolean {
    for (const cohort of this.#cohorts) {
      if (cohort.isOwed && cohort.main <= revision) return true;
    }
    return false;
  }

  /** Puts a watch into a cohort; returns false when it has to wait until another one is done. */
  take(watch: Watch): boolean {
    const { nextMain, nextSub } = watch;
    // In the middle of a revision there is no company.
    const behind = nextSub > 0 ? undefined : this.#nearestBehind(nextMain);
    const isFull = this.#cohorts.size >= CATCH_UP_COHORTS_MAX;
    if (behind !== undefined && (isFull || isNear(behind, nextMain))) {
      addToCohort(behind, watch);
      return true;
    }
    if (isFull) return false;
    const cohort = createCohort(nextMain, nextSub);
    addToCohort(cohort, watch);
    this.#cohorts.add(cohort);
    return true;
  }

  /**
   * The cohort whose turn it is: the one furthest back, which others may meet, and the one that is
   * nearly there, in turn.
   */
  pick(): Cohort {
    this.#isLastsTurn = !this.#isLastsTurn;
    let found: Cohort | undefined;
    for (const cohort of this.#cohorts) {
      if (found === undefined || isBefore(cohort, found) === this.#isLastsTurn) found = cohort;
    }
    assert(found !== undefined, 'there is a cohort to pick');
    return found;
  }

  #nearestBehind(main: number): Cohort | undefined {
    let found: Cohort | undefined;
    for (const cohort of this.#cohorts) {
      const isBehind = cohort.main < main || (cohort.main === main && cohort.sub === 0);
      if (isBehind && (found === undefined || isBefore(found, cohort))) found = cohort;
    }
    return found;
  }
}

function isNear(cohort: Cohort, main: number): boolean {
  return main - cohort.main <= CATCH_UP_STEP_REVISIONS_MAX;
}

function isBefore(a: Cohort, b: Cohort): boolean {
  return a.main < b.main || (a.main === b.main && a.sub < b.sub);
}
