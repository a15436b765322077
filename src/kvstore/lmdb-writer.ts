/**
 * Writes a store's file from a thread of its own, so that no flush holds up the event loop of the
 * node. The thread gets an overlay's records in shared memory; LMDB lets this one read meanwhile.
 *
 * Like an open socket, the thread keeps the process alive until it is closed.
 */

import { Worker } from 'node:worker_threads';
import { assert } from '../assert.ts';
import { WRITER_BODY } from './lmdb-writer-body.ts';
import type { LmdbOrder, LmdbReport, LmdbWriterData } from './lmdb-writer-thread.ts';
import type { SharedRecords } from './records.ts';

/** MiB of the thread's heap for new objects: it makes views of records, which die at once. */
const YOUNG_MIB_MAX = 4;

/** A running writer. */
export class LmdbWriter {
  readonly #worker: Worker;
  #settle: ((error: Error | undefined) => void) | undefined;
  #failure: Error | undefined;

  /** @param path a file that is open in this thread */
  constructor(path: string) {
    const data: LmdbWriterData = { path };
    this.#worker = new Worker(WRITER_BODY.code, {
      eval: WRITER_BODY.eval,
      workerData: data,
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB_MAX },
    });
    this.#worker.on('message', (report: LmdbReport) => {
      this.#end(report === undefined ? undefined : new Error(report));
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the thread that writes it has ended')));
  }

  /** Writes records in one transaction and syncs it. One call at a time; they are borrowed. */
  write(records: SharedRecords): Promise<void> {
    return this.#ask(records);
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    if (this.#failure === undefined) await this.#ask(undefined);
    await this.#worker.terminate();
  }

  #ask(order: LmdbOrder): Promise<void> {
    assert(this.#settle === undefined, 'one order at a time');
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(this.#failure);
        return;
      }
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
      this.#worker.postMessage(order);
    });
  }

  #end(error: Error | undefined): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(error);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#end(error);
  }
}
