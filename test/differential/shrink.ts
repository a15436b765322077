/**
 * Makes a sequence that shows a difference smaller, as long as it still shows one: steps are left
 * out, in large pieces first, then parts of transactions (delta debugging, after Zeller and
 * Hildebrandt, 2002).
 */

import type { Condition, Operation, Transaction } from '../../include/client.ts';
import type { Sequence } from './steps.ts';

/** Runs of the sequence after which it is small enough. */
const RUNS_MAX = 2_000;

/** The smallest sequence found that `isFailing`. */
export async function shrink(
  sequence: Sequence,
  isFailing: (sequence: Sequence) => Promise<boolean>,
): Promise<Sequence> {
  let smallest = sequence;
  let runCount = 0;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const smaller of smallerOnes(smallest)) {
      runCount += 1;
      if (runCount > RUNS_MAX) return smallest;
      if (!(await isFailing(smaller))) continue;
      smallest = smaller;
      isSmaller = true;
      break;
    }
  }
  return smallest;
}

/** Sequences that are a little less, those that are least first. */
function* smallerOnes(sequence: Sequence): Generator<Sequence> {
  yield* shorterOnes(sequence);
  for (const [slot, step] of sequence.entries()) {
    if (!('txn' in step)) continue;
    for (const smaller of smallerOperations(step)) yield sequence.with(slot, smaller);
  }
}

/** Lists without some of their elements: half of them, a quarter, down to one. */
function* shorterOnes<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let size = Math.ceil(list.length / 2); size > 0; size = size > 1 ? Math.ceil(size / 2) : 0) {
    for (let slot = 0; slot < list.length; slot += size) yield list.toSpliced(slot, size);
  }
}

function* smallerOperations(operation: Operation): Generator<Operation> {
  if (!('txn' in operation)) return;
  const { when = [], then = [], otherwise = [] } = operation.txn;
  const whole = { when, then, otherwise };
  for (const inner of [...then, ...otherwise]) yield inner;
  for (const txn of smallerTransactions(whole)) yield { txn };
}

type Parts = {
  readonly when: readonly Condition[];
  readonly then: readonly Operation[];
  readonly otherwise: readonly Operation[];
};

function* smallerTransactions(whole: Parts): Generator<Transaction> {
  for (const when of shorterOnes(whole.when)) yield { ...whole, when };
  for (const branch of ['then', 'otherwise'] as const) {
    for (const shorter of shorterOnes(whole[branch])) yield { ...whole, [branch]: shorter };
    for (const [slot, inner] of whole[branch].entries()) {
      for (const smaller of smallerOperations(inner)) {
        yield { ...whole, [branch]: whole[branch].with(slot, smaller) };
      }
    }
  }
}
