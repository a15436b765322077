/**
 * What all answers together must say, once the truth is known: nothing acknowledged is lost, each
 * write took effect at most once, and every read saw one state.
 */

import type { Action, Answer, History, Operation } from './history.ts';
import { tellAction, tellValue } from './history.ts';
import { checkLinearizability, Verdict } from './linearizability.ts';
import { historiesOf, REGISTER } from './register.ts';
import { isSamePair, type Truth } from './truth.ts';
import { must } from './violation.ts';

/**
 * Checks the answers of all clients.
 *
 * @returns how many keys were too much to search
 */
export function checkHistory(history: History, truth: Truth): number {
  const effects = effectsOf(truth);
  const written = new Set<number>();
  for (const operation of history.operations) {
    checkEffects(operation, effects);
    const { answer } = operation;
    if (answer === undefined) continue;
    if (answer.hasWritten) {
      const isFirst = !written.has(answer.revision);
      must(isFirst, 'a revision has one writer', () => `${answer.revision}`);
      written.add(answer.revision);
      checkWrite(operation, answer, truth);
    }
    checkSeen(operation, answer, truth);
  }
  return checkKeys(history);
}

/** Knows nothing of revisions: what clients were told of each key must by itself make sense. */
function checkKeys(history: History): number {
  let undecided = 0;
  for (const [key, intervals] of historiesOf(history.operations)) {
    const verdict = checkLinearizability(REGISTER, intervals);
    if (verdict === Verdict.Undecided) undecided += 1;
    must(verdict !== Verdict.NotLinearizable, 'each key is linearizable', () => key);
  }
  return undecided;
}

/** The revisions in which each value was put. Every value is written by one request only. */
function effectsOf(truth: Truth): ReadonlyMap<string, readonly number[]> {
  const effects = new Map<string, number[]>();
  for (const { number, changes } of truth.revisions) {
    for (const value of new Set(changes.map(({ pair }) => pair?.value))) {
      if (value === undefined) continue;
      const revisions = effects.get(value);
      if (revisions === undefined) effects.set(value, [number]);
      else revisions.push(number);
    }
  }
  return effects;
}

function checkEffects(operation: Operation, effects: ReadonlyMap<string, readonly number[]>): void {
  const { action, isVoid } = operation;
  if (!('value' in action)) return;
  const revisions = effects.get(action.value) ?? [];
  const tell = (): string => `${tellAction(action)}: revisions ${revisions.join(', ')}`;
  must(revisions.length < 2, 'a write takes effect once', tell);
  must(!isVoid || revisions.length === 0, 'what failed has no effect', tell);
}

function checkWrite({ action }: Operation, { revision }: Answer, truth: Truth): void {
  const changes = truth.at(revision)?.changes ?? [];
  const keys = 'keys' in action ? action.keys : [action.key];
  const value = 'value' in action ? action.value : undefined;
  const isThere = keys.every((key) =>
    changes.some((change) => change.key === key && change.pair?.value === value),
  );
  const isAll = isThere && changes.length === keys.length;
  must(isAll, 'what is acknowledged is there', () => `${tellAction(action)} @${revision}`);
}

function checkSeen({ action }: Operation, answer: Answer, truth: Truth): void {
  const { revision } = answer;
  const at = revisionSeen(action, answer);
  for (const [key, pair] of answer.seen) {
    const isSame = isSamePair(pair, truth.pairAt(key, at));
    must(isSame, 'a read sees one state', () => {
      return `${tellAction(action)} @${revision} saw ${key}=${tellValue(pair?.value)}`;
    });
  }
}

/** The revision that an answer shows. A deletion saw what was before it. */
function revisionSeen(action: Action, { revision, hasWritten }: Answer): number {
  if (action.kind === 'look back') return action.revision;
  return hasWritten ? revision - 1 : revision;
}
