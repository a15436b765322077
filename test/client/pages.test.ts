/** Ranges page by page. */

import t from 'tap';
import { PAGE_BYTES, type Page } from '../../include/client.ts';
import type { KeyValue, RangeRequest } from '../../include/kvstore.ts';
import { ErrorCode, FrameType } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { headerOf, type Script, startFakeNode } from './fake-node.ts';

const KEYS = Array.from({ length: 25 }, (_, at) => `k${String(at).padStart(2, '0')}`);

function pairOf(key: string): KeyValue {
  const facts = { createRevision: 2, modRevision: 2, version: 1, lease: 0n };
  return { key: Buffer.from(key), value: Buffer.from('v'), ...facts };
}

/** A node that has KEYS and answers ten at a time; its revision grows with each read. */
function servePages(asked: RangeRequest[]): Script {
  return ({ request, reply }) => {
    if (request.type !== FrameType.Range) return;
    const { limit, rangeEnd, key } = request.body;
    asked.push({ ...request.body, key: Buffer.from(key), rangeEnd: Buffer.from(rangeEnd) });
    const isOne = rangeEnd.length === 0;
    const found = KEYS.map((each) => Buffer.from(each)).filter((each) =>
      isOne ? each.equals(key) : each.compare(key) >= 0 && each.compare(rangeEnd) < 0,
    );
    const kvs = found.slice(0, limit > 0 ? Math.min(limit, 10) : 10);
    const body = { kvs: kvs.map((each) => pairOf(each.toString())), count: 0 };
    const header = headerOf(0, 40 + asked.length);
    reply({ type: request.type, body: { ...header, ...body, more: kvs.length < found.length } });
  };
}

async function readAll(pages: AsyncIterable<Page>): Promise<readonly Page[]> {
  const all: Page[] = [];
  for await (const page of pages) all.push(page);
  return all;
}

function keysOf(pages: readonly Page[]): readonly string[] {
  return pages.flatMap(({ kvs }) => kvs.map(({ key }) => key.toString()));
}

t.test('pages follow each other at the revision of the first', async (t) => {
  const asked: RangeRequest[] = [];
  const node = await startFakeNode(0, servePages(asked));
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));

  const pages = await readAll(client.pages('k', { prefix: true, keysOnly: true }));
  t.strictSame(
    pages.map(({ kvs, revision }) => [kvs.length, revision]),
    [
      [10, 41],
      [10, 41],
      [5, 41],
    ],
  );
  t.strictSame(keysOf(pages), KEYS);
  t.match(asked[0], { revision: 0, pageBytes: PAGE_BYTES, uncounted: true, keysOnly: true });
  t.match(asked[1], { revision: 41, key: Buffer.from('k09\0'), rangeEnd: asked[0]?.rangeEnd });

  asked.length = 0;
  t.equal((await readAll(client.pages('k', { prefix: true, revision: 7 })))[0]?.revision, 7);
  t.strictSame(
    asked.map(({ revision }) => revision),
    [7, 7, 7],
  );
});

t.test('a limit is that of all pages together', async (t) => {
  const asked: RangeRequest[] = [];
  const node = await startFakeNode(0, servePages(asked));
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  for (const limit of [1, 9, 10, 11, 20, 24, 25, 26]) {
    const pages = await readAll(client.pages('k', { prefix: true, limit }));
    t.strictSame(keysOf(pages), KEYS.slice(0, limit), `limit ${limit}`);
    t.ok(pages.every(({ kvs }) => kvs.length > 0));
  }
});

t.test('a single key and an empty range are one page', async (t) => {
  const node = await startFakeNode(0, servePages([]));
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  t.strictSame(keysOf(await readAll(client.pages('k03'))), ['k03']);
  const empty = await readAll(client.pages('x', { prefix: true }));
  t.match(empty, [{ kvs: [] }]);
});

t.test('no page is asked for before the one before was taken', async (t) => {
  const asked: RangeRequest[] = [];
  const node = await startFakeNode(0, servePages(asked));
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  for await (const page of client.pages('k', { prefix: true })) {
    t.equal(page.kvs.length, 10);
    break;
  }
  t.equal(asked.length, 1);
});

t.test('a revision that is compacted meanwhile ends the reading', async (t) => {
  const asked: RangeRequest[] = [];
  const script = servePages(asked);
  const node = await startFakeNode(0, (each) => {
    if (asked.length === 1) each.refuse(ErrorCode.Compacted);
    else script(each);
  });
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  await t.rejects(readAll(client.pages('k', { prefix: true })), { code: ErrorCode.Compacted });
  await t.rejects(readAll(client.pages('k', { limit: 0.5 })), { code: ErrorCode.FrameMalformed });
});
