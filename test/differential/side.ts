/**
 * One of the two that are compared: a server that lives on, made to look empty before each
 * sequence. All keys are deleted, all leases revoked, all history compacted; what its revision is
 * then is taken for revision 1, in what is asked and in what is answered.
 */

import { type Answer, mapFields, type Step, show, type WatchStep } from './steps.ts';

/** A server, asked in real revisions. */
export type Subject = {
  readonly ask: (step: Step) => Promise<Answer>;
  /** Resolves when the server has accepted the watch, or refused it. */
  readonly watch: (step: WatchStep) => Promise<Watching | Refusal>;
};

/** Why a server did not do what it was asked. */
export type Refusal = {
  readonly error: string;
  /** The class: a gRPC code. */
  readonly code: number;
};

/** A watch that a server has accepted. */
export type Watching = {
  /** From which revision on it tells. */
  readonly from: number;
  /** All that it told up to a revision, which must be one that it tells of; or how it ended. */
  readonly until: (revision: number) => Promise<Answer>;
  readonly close: () => void;
};

/** Milliseconds a server may take to answer; beyond, the run ends with an error. */
const ANSWER_MS = 30_000;

/** Fields of requests and answers that are revisions. */
const REVISIONS: ReadonlySet<string> = new Set([
  ...['revision', 'createRevision', 'modRevision', 'startRevision', 'compactRevision'],
  ...['minModRevision', 'maxModRevision', 'minCreateRevision', 'maxCreateRevision'],
  ...['compact', 'from', 'tornRevision'],
]);

/** The same data with other revisions. Revision 0 and what is below have a meaning of their own. */
function shiftRevisions<T>(data: T, by: number): T {
  return mapFields(data, (leaf, field) =>
    typeof leaf === 'number' && leaf > 0 && REVISIONS.has(field) ? leaf + by : leaf,
  );
}

/** What a promise resolves to, unless that takes too long. */
async function inTime<T>(promise: Promise<T>, step: Step | WatchStep): Promise<T> {
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    deadline.reject(new Error(`no answer in ${ANSWER_MS / 1_000} s to ${show(step)}`));
  }, ANSWER_MS);
  try {
    return await Promise.race([promise, deadline.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A server in the course of a sequence. */
export class Side {
  readonly #subject: Subject;
  /** What is taken for revision 1. */
  #first = 1;
  #watchings: Watching[] = [];

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** Makes it look empty. */
  async reset(): Promise<void> {
    for (const watching of this.#watchings) watching.close();
    this.#watchings = [];
    const { ids } = await this.#subject.ask({ leases: true });
    for (const id of Array.isArray(ids) ? ids : []) await this.#subject.ask({ revoke: id });
    const { revision } = await this.#subject.ask({ delete: '\0', rangeEnd: '\0' });
    if (typeof revision !== 'number') throw new Error('the keys cannot be deleted');
    await this.#subject.ask({ compact: revision });
    this.#first = revision;
  }

  /** Asks in the revisions of the sequence. */
  async ask(step: Step): Promise<Answer> {
    return this.#fromReal(await inTime(this.#subject.ask(this.#toReal(step)), step));
  }

  /** Watches in the revisions of the sequence. */
  async watch(step: WatchStep): Promise<Watching | Refusal> {
    const watching = await inTime(this.#subject.watch(this.#toReal(step)), step);
    if (!('until' in watching)) return watching;
    this.#watchings.push(watching);
    return {
      from: this.#fromReal({ from: watching.from }).from,
      until: async (revision) =>
        this.#fromReal(await watching.until(this.#toReal({ revision }).revision)),
      close: watching.close,
    };
  }

  #toReal<T>(data: T): T {
    return shiftRevisions(data, this.#first - 1);
  }

  #fromReal<T>(data: T): T {
    return shiftRevisions(data, 1 - this.#first);
  }
}
