/** The two kinds of home that every contract of the store is held to. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreHome } from '../../include/kvstore.ts';
import { createLmdbHome } from '../../src/kvstore/lmdb-home.ts';
import { createMemoryHome } from './memory-base.ts';

/** Something that can be asked to clean up after a test. */
type Test = { readonly teardown: (run: () => Promise<void>) => void };

/** Makes a directory that goes away with the test. */
export async function temporaryDirectory(test: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'kvorum-store-'));
  test.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Each kind of home: a name for titles and how to make an empty one. */
export const HOMES: readonly {
  readonly name: string;
  readonly create: (test: Test) => Promise<StoreHome>;
}[] = [
  { name: 'lmdb', create: async (test) => createLmdbHome(await temporaryDirectory(test)) },
  { name: 'memory', create: async () => createMemoryHome() },
];
