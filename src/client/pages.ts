/**
 * Reads a range page by page: each page starts behind the last key of the one before, at the
 * revision of the first, and ends at so many bytes. So memory is bounded on both sides.
 */

import { type Bytes, PAGE_BYTES, type Page, type PageOptions } from '../../include/client.ts';
import type { RangeRequest } from '../../include/kvstore.ts';
import { FrameType } from '../../include/rpc.ts';
import { type Ask, pickRange } from './ask.ts';
import { rangeRequest } from './requests.ts';

const ONE_ZERO: Buffer = Buffer.from([0]);

/** Reads a range page by page. */
export async function* readPages(ask: Ask, key: Bytes, how: PageOptions): AsyncGenerator<Page> {
  const paging = { pageBytes: PAGE_BYTES, uncounted: true };
  const first = rangeRequest(key, { ...how, ...paging });
  const readPage = (request: RangeRequest) =>
    ask(how, () => ({ type: FrameType.Range, body: request }), pickRange);

  let reply = await readPage(first);
  const revision = first.revision > 0 ? first.revision : reply.revision;
  let left = first.limit - reply.kvs.length;
  yield { revision, kvs: reply.kvs };
  for (let last = reply.kvs.at(-1); last !== undefined && reply.more; last = reply.kvs.at(-1)) {
    if (first.limit > 0 && left <= 0) return;
    const start = Buffer.concat([last.key, ONE_ZERO]);
    const limit = first.limit > 0 ? left : 0;
    reply = await readPage({ ...first, key: start, limit, revision });
    left -= reply.kvs.length;
    yield { revision, kvs: reply.kvs };
  }
}
