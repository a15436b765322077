/**
 * The body of the thread that writes a store's file (lmdb-writer.ts): an order is an overlay's
 * records, and becomes one LMDB transaction, synced when it is reported.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { Table } from '../../include/kvstore.ts';
import { type LmdbTrees, openLmdbTrees, type Tree } from './lmdb-trees.ts';
import { type SharedRecords, visitRecords } from './records.ts';

/** What the thread is started with: the path of a file that is open in the other thread. */
export type LmdbWriterData = { readonly path: string };

/** Records to write; undefined: nothing more comes. */
export type LmdbOrder = SharedRecords | undefined;

/** Why an order was not carried out; undefined when it was. */
export type LmdbReport = string | undefined;

const { path } = workerData as LmdbWriterData;
const file = openLmdbTrees(path);
const report = (what: LmdbReport): void => parentPort?.postMessage(what);
parentPort?.on('message', (order: LmdbOrder) => {
  if (order === undefined) {
    void file.root.close().then(() => report(undefined));
    return;
  }
  try {
    writeAll(file, order);
    report(undefined);
  } catch (error) {
    report(error instanceof Error ? error.message : String(error));
  }
});

function writeAll({ root, trees }: LmdbTrees, records: SharedRecords): void {
  root.transactionSync(() => {
    const revisions = new Appender(trees[Table.Revisions]!);
    visitRecords(records, (table, key, value) => {
      if (value === undefined) trees[table]!.removeSync(key);
      else if (table === Table.Revisions) revisions.put(key, value);
      else put(trees[table]!, key, value, false);
    });
  });
}

function put(tree: Tree, key: Uint8Array, value: Uint8Array, append: boolean): void {
  const isWritten = tree.putSync(key, value, { append });
  if (!isWritten) throw new Error('LMDB did not take a pair');
}

/** Puts pairs that mostly come in ascending order: those at the end need no search. */
class Appender {
  readonly #tree: Tree;
  /** No key of the tree is behind it. */
  #last: Uint8Array | undefined;

  constructor(tree: Tree) {
    this.#tree = tree;
    for (const key of tree.getKeys({ reverse: true, limit: 1 })) this.#last = key;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    const isBehind = this.#last === undefined || Buffer.compare(key, this.#last) > 0;
    put(this.#tree, key, value, isBehind);
    if (isBehind) this.#last = key;
  }
}
