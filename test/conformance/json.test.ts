/** The JSON gateway against etcd's: the same requests to both, the same answers. */

import { request as httpRequest } from 'node:http';
import t, { type Test } from 'tap';
import { isThere, startEtcd, startGateways } from './servers.ts';

type Asked = {
  readonly path: string;
  /** Sent as it is; an object as JSON. */
  readonly body?: string | object;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is not the same, since kvorum follows later releases of etcd: not compared. */
  readonly ignores?: readonly string[];
};

type Told = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
};

const encode = (text: string): string => Buffer.from(text).toString('base64');

const [a, b, w, x] = [encode('a'), encode('b'), encode('w'), encode('x')];

const REQUESTS: readonly Asked[] = [
  { path: '/v3/kv/put', body: { key: a, value: b } },
  { path: '/v3/kv/put', body: { key: a, value: b, prevKv: true } },
  { path: '/v3/kv/put', body: { key: a, value: b, prev_kv: true, unknown: 1 } },
  { path: '/v3beta/kv/put', body: { key: b, value: a } },
  { path: '/v3alpha/kv/put', body: { key: b, value: a } },
  { path: '/v3/kv/range', body: { key: a } },
  { path: '/v3/kv/range', body: { key: encode('nothing') } },
  { path: '/v3/kv/range', body: { key: a, rangeEnd: encode('z'), limit: '1' } },
  { path: '/v3/kv/range', body: { key: a, range_end: encode('z'), count_only: true } },
  { path: '/v3/kv/range', body: { key: a, revision: 2 } },
  { path: '/v3/kv/range', body: { key: a, revision: '99' } },
  { path: '/v3/kv/range', body: { key: a, range_end: encode('z'), sort_order: 'DESCEND' } },
  { path: '/v3/kv/range', body: { key: a, range_end: encode('z'), sort_order: 2 } },
  { path: '/v3/kv/range', body: {} },
  { path: '/v3/kv/range', body: '' },
  { path: '/v3/kv/range', body: '{', ignores: ['text'] },
  { path: '/v3/kv/range', body: '[]', ignores: ['text'] },
  { path: '/v3/kv/range', body: '"a"', ignores: ['text'] },
  { path: '/v3/kv/range', body: { key: 'a' }, ignores: ['text'] },
  { path: '/v3/kv/range', body: { key: 1 }, ignores: ['text'] },
  { path: '/v3/kv/range', body: { key: a, limit: 2.5 }, ignores: ['text'] },
  { path: '/v3/kv/range', body: { key: a, limit: true }, ignores: ['text'] },
  { path: '/v3/kv/range', body: { key: a, sort_order: 'UP' }, ignores: ['text'] },
  { path: '/v3/kv/range', body: { key: null, range_end: null } },
  {
    path: '/v3/kv/txn',
    body: {
      compare: [{ target: 'CREATE', key: a, create_revision: '2' }],
      success: [
        { request_put: { key: a, value: x } },
        { requestRange: { key: a } },
        { request_delete_range: { key: b, prev_kv: true } },
        { request_txn: { success: [{ request_range: { key: a } }] } },
      ],
      failure: [{ request_range: { key: a } }],
    },
  },
  { path: '/v3/kv/txn', body: { success: [{}] } },
  { path: '/v3/kv/txn', body: {} },
  { path: '/v3/kv/deleterange', body: { key: a, prev_kv: true } },
  { path: '/v3/kv/deleterange', body: { key: a } },
  { path: '/v3/kv/compaction', body: { revision: '3' } },
  { path: '/v3/kv/compaction', body: { revision: '3' } },
  { path: '/v3/lease/grant', body: { TTL: 60, ID: 77 } },
  { path: '/v3/lease/grant', body: { TTL: 60, ID: '77' }, ignores: ['status'] },
  { path: '/v3/lease/grant', body: { TTL: '60', ID: '7587862072907233798' } },
  { path: '/v3/lease/grant', body: '{"TTL":60,"ID":7587862072907233799}' },
  { path: '/v3/lease/grant', body: { TTL: '9000000001' } },
  { path: '/v3/lease/timetolive', body: { ID: 7 } },
  { path: '/v3/kv/lease/timetolive', body: { ID: 7 } },
  { path: '/v3/lease/keepalive', body: { ID: 77 } },
  { path: '/v3/lease/keepalive', body: { ID: 7 } },
  { path: '/v3/lease/keepalive', body: '{"ID":77}{"ID":7} {"ID":"77"}' },
  { path: '/v3/lease/revoke', body: { ID: 77 } },
  { path: '/v3/lease/revoke', body: { ID: 77 } },
  { path: '/v3/lease/leases', method: 'GET' },
  { path: '/v3/nothing', body: {} },
  { path: '/nothing', method: 'GET' },
  { path: '/v3/kv/put', method: 'OPTIONS' },
  { path: '/v3/kv/range', body: { key: a }, headers: { 'Grpc-Timeout': '5S' } },
  { path: '/v3/kv/range', body: { key: a }, headers: { 'Content-Type': 'text/plain' } },
  { path: '/v3/auth/authenticate', body: { name: 'a', password: 'b' }, ignores: ['status'] },
  { path: '/v3/maintenance/alarm', body: {}, ignores: ['text'] },
  { path: '/v3/maintenance/defragment', body: {} },
  { path: '/v3/cluster/member/remove', body: { ID: 1 } },
  { path: '/v3/lock/lock', body: { name: encode('lk'), lease: '7587862072907233798' } },
  { path: '/v3/lock/lock', body: { name: encode('lk'), lease: '7587862072907233798' } },
  { path: '/v3/lock/unlock', body: { key: encode('lk/694d7f0d00000006') } },
  { path: '/v3/lock/lock', body: { name: encode('lk'), lease: '12345' } },
  { path: '/v3/lock/lock', body: {}, ignores: ['text'] },
  { path: '/v3/election/leader', body: { name: encode('el') } },
  { path: '/v3/election/proclaim', body: {} },
  {
    path: '/v3/election/campaign',
    body: { name: encode('el'), lease: '7587862072907233798', value: a },
  },
  {
    path: '/v3/election/campaign',
    body: { name: encode('el'), lease: '7587862072907233798', value: b },
  },
  { path: '/v3/election/leader', body: { name: encode('el') } },
  {
    path: '/v3/election/resign',
    body: { leader: { name: encode('el'), key: encode('no'), rev: '4' } },
  },
  { path: '/v3/watch', body: '[', ignores: ['text'] },
  { path: '/health', method: 'GET', ignores: ['text', 'content-type'] },
  { path: '/health', body: '' },
];

function ask(endpoint: string, { path, body, method = 'POST', headers }: Asked): Promise<Told> {
  const [host, port] = endpoint.split(':');
  return new Promise((resolve, reject) => {
    const call = httpRequest({ host, port, path, method, headers }, (reply) => {
      let text = '';
      reply.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      reply.on('end', () => {
        resolve({ status: reply.statusCode ?? 0, headers: reply.headers, text });
      });
    });
    call.on('error', reject);
    call.end(typeof body === 'object' ? JSON.stringify(body) : body);
  });
}

/** What both answers must have in common. */
function comparable(told: Told, ignores: readonly string[]): object {
  const names = [
    ...['content-type', 'grpc-metadata-content-type', 'allow', 'access-control-allow-origin'],
    ...['access-control-allow-methods', 'access-control-allow-headers'],
  ];
  const headers = names
    .filter((name) => !ignores.includes(name))
    .map((name) => [name, told.headers[name]]);
  return {
    ...(ignores.includes('status') ? {} : { status: told.status }),
    headers,
    ...(ignores.includes('text') ? {} : { text: told.text.replace(IDENTITY, '"$1":"n"') }),
  };
}

const IDENTITY = /"(cluster_id|member_id|raft_term)":"\d+"/g;

function compareAll(): void {
  t.test('every request is answered as etcd answers it', async (t) => {
    const [etcd, { clientEndpoints }] = await Promise.all([startEtcd(t), startGateways(t)]);
    for (const asked of REQUESTS) {
      const [ours, theirs] = await Promise.all(
        [clientEndpoints[0] ?? '', etcd].map((endpoint) => ask(endpoint, asked)),
      );
      const ignores = asked.ignores ?? [];
      const name = `${asked.method ?? 'POST'} ${asked.path} ${JSON.stringify(asked.body)}`;
      t.strictSame(comparable(ours!, ignores), comparable(theirs!, ignores), name);
    }
  });

  t.test('a watch streams what etcd streams', compareWatches);
}

async function compareWatches(t: Test): Promise<void> {
  const [etcd, { clientEndpoints }] = await Promise.all([startEtcd(t), startGateways(t)]);
  const lines = await Promise.all(
    [clientEndpoints[0] ?? '', etcd].map(async (endpoint) => {
      const put = (value: string) => ask(endpoint, { path: '/v3/kv/put', body: { key: w, value } });
      await put(a);
      await put(b);
      await ask(endpoint, { path: '/v3/kv/compaction', body: { revision: 2 } });
      const watch = openWatch(endpoint, [
        { create_request: { key: w, range_end: x, start_revision: 2, prev_kv: true } },
        { create_request: { key: x, watch_id: '-5', filters: ['NOPUT'] } },
        { create_request: { key: x, watch_id: '-5' } },
        { create_request: { key: x, range_end: w } },
        { create_request: { key: w, start_revision: 1 } },
        { progress_request: {} },
        { cancel_request: { watch_id: '-5' } },
        { cancel_request: { watch_id: '55' } },
        {},
      ]);
      await watch.until((each) => each.some((line) => line.includes('"mod_revision":"3"')));
      await put(x);
      await ask(endpoint, { path: '/v3/kv/deleterange', body: { key: w } });
      const all = await watch.until((each) => each.some((line) => line.includes('DELETE')));
      watch.close();
      // Each watch tells in its own order: of several, nothing is promised.
      return all.map((line) => line.replace(IDENTITY, '"$1":"n"')).sort();
    }),
  );
  t.strictSame(lines[0], lines[1]);
}

function openWatch(endpoint: string, requests: readonly object[]) {
  const [host, port] = endpoint.split(':');
  const lines: string[] = [];
  let tell = (): void => {};
  const call = httpRequest({ host, port, path: '/v3/watch', method: 'POST' }, (reply) => {
    let rest = '';
    reply.on('error', () => undefined);
    reply.on('data', (chunk: Buffer) => {
      const parts = `${rest}${chunk}`.split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
      tell();
    });
  });
  call.on('error', () => undefined);
  call.end(requests.map((request) => JSON.stringify(request)).join(''));
  return {
    close: () => call.destroy(),
    until: async (isEnough: (lines: readonly string[]) => boolean): Promise<string[]> => {
      while (!isEnough(lines)) {
        await new Promise<void>((resolve) => {
          tell = resolve;
        });
      }
      return lines;
    },
  };
}

t.setTimeout(120_000);
if (isThere('etcd')) compareAll();
else t.comment('etcd is not on the PATH: kvorum was not compared with it');
