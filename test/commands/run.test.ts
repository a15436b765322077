/** Command lines that reach a node: what they ask, print and exit with. */

import t from 'tap';
import { SortOrder, SortTarget } from '../../include/kvstore.ts';
import { ErrorCode, FrameType } from '../../include/rpc.ts';
import { redirectTo, serve, startFakeNode, unusedPort } from '../client/fake-node.ts';
import { runCommand } from './fake-terminal.ts';

const node = await startFakeNode(0, serve(0));
t.teardown(() => node.close());
const environment = { KVORUM_ENDPOINTS: node.endpoint };

t.afterEach(() => {
  node.script = serve(0);
  node.requests.length = 0;
});

/** The request that a command line makes, and what it prints. */
async function asked(args: readonly string[], input?: string) {
  const outcome = await runCommand(args, {
    environment,
    ...(input === undefined ? {} : { input }),
  });
  return { ...outcome, request: node.requests[0] };
}

const puts = [
  [['put', 'a', '10'], { key: 'a', value: '10' }],
  [['put', 'a', '10', 'extra'], { key: 'a', value: '10' }],
  [['put', 'a', '0x10'], { key: 'a', value: '0x10' }],
  [['put', 'a', '"10"'], { key: 'a', value: '"10"' }],
  [['put', 'a', ''], { key: 'a', value: '' }],
  [['put', '--', '-k', '--prev-kv'], { key: '-k', value: '--prev-kv' }],
  [['put', 'a', '--lease', '12cd', 'b'], { key: 'a', value: 'b', lease: 0x12cdn }],
  [['put', 'a', '--lease=7fffffffffffffff', 'b'], { key: 'a', lease: 2n ** 63n - 1n }],
  [['put', '--prev-kv', 'a', 'b'], { prevKv: true, value: 'b' }],
  [['put', 'a', '--ignore-value'], { ignoreValue: true, value: '' }],
  [['put', 'a', 'b', '--ignore-lease=true'], { ignoreLease: true }],
] as const;
for (const [args, expected] of puts) {
  t.test(`kvorum ${args.join(' ')}`, async (t) => {
    const { request, out, exitCode } = await asked(args);
    const body = request?.type === FrameType.Put ? request.body : undefined;
    t.match({ ...body, key: body?.key.toString(), value: body?.value.toString() }, expected);
    t.equal(out, 'OK\n');
    t.equal(exitCode, 0);
  });
}

t.test('a put without a value reads it from the input, line feed included', async (t) => {
  const { request } = await asked(['put', 'a'], 'one\ntwo\n');
  t.match(request, { body: { value: Buffer.from('one\ntwo\n') } });
});

const ranges = [
  [['get', 'a'], { key: 'a', rangeEnd: '', limit: 0, serializable: false }],
  [['get', 'a', 'c', 'ignored'], { key: 'a', rangeEnd: 'c' }],
  [['get', 'a', '--prefix'], { key: 'a', rangeEnd: 'b' }],
  [['get', '', '--prefix'], { key: '\0', rangeEnd: '\0' }],
  [['get', 'a', '--from-key'], { key: 'a', rangeEnd: '\0' }],
  [['get', 'a', '--consistency=s'], { serializable: true }],
  [['get', 'a', '--limit=3', '--rev', '7'], { limit: 3, revision: 7 }],
  [['get', 'a', '--order=descend'], { sortOrder: SortOrder.Descend, sortTarget: SortTarget.Key }],
  [['get', 'a', '--sort-by=MODIFY'], { sortOrder: SortOrder.None, sortTarget: SortTarget.Mod }],
  [['get', 'a', '--keys-only'], { keysOnly: true }],
  [['get', 'a', '--count-only', '-w', 'fields'], { countOnly: true }],
  [['get', 'a', '--min-mod-rev=1', '--max-mod-rev=2'], { minModRevision: 1, maxModRevision: 2 }],
  [
    ['get', 'a', '--min-create-rev=1', '--max-create-rev=2'],
    { minCreateRevision: 1, maxCreateRevision: 2 },
  ],
] as const;
for (const [args, expected] of ranges) {
  t.test(`kvorum ${args.join(' ')}`, async (t) => {
    const { request, exitCode } = await asked(args);
    const body = request?.type === FrameType.Range ? request.body : undefined;
    t.match({ ...body, key: body?.key.toString(), rangeEnd: body?.rangeEnd.toString() }, expected);
    t.equal(exitCode, 0);
  });
}

t.test('get prints keys and values, or one of them', async (t) => {
  t.equal((await asked(['get', 'a'])).out, 'a\nA\n');
  t.equal((await asked(['get', 'a', '--keys-only'])).out, 'a\n\n');
  t.equal((await asked(['get', 'a', '--print-value-only'])).out, 'A\n');
  t.equal((await asked(['get', 'a', '--hex'])).out, '\\x61\n\\x41\n');
});

t.test('del, compaction and move-leader', async (t) => {
  t.equal((await asked(['del', 'a', 'c'])).out, '1\n');
  t.match(node.requests.at(-1), { body: { rangeEnd: Buffer.from('c'), prevKv: false } });
  t.equal((await asked(['del', 'a', '--range', 'c', '--prev-kv'])).out, '1\n');
  t.match(node.requests.at(-1), { body: { prevKv: true } });
  t.equal((await asked(['compaction', '5', '--physical'])).out, 'compacted revision 5\n');
  t.match(node.requests.at(-1), { body: { revision: 5, physical: true } });
  t.equal((await asked(['compact', '6', '-w', 'json'])).out, 'compacted revision 6\n');
  t.equal((await asked(['move-leader', '1f'])).out, 'Leadership transferred from 0 to 1f\n');
  t.match(node.requests.at(-1), { body: { target: 31 } });
});

t.test('endpoint status and health ask each endpoint, and exit 1 when one fails', async (t) => {
  const endpoint = `127.0.0.1:${await unusedPort()}`;
  const both = ['--endpoints', `${node.endpoint},${endpoint}`, '--command-timeout', '200ms'];
  const status = await runCommand(['endpoint', 'status', ...both]);
  t.equal(status.out, `${node.endpoint}, 0, 0.1.0, 20 kB, true, false, 2, 14, 14, \n`);
  t.match(status.err, `Failed to get the status of endpoint ${endpoint} (`);
  t.equal(status.exitCode, 1);

  const health = await runCommand(['endpoint', 'health', ...both]);
  t.match(health.out, /^127\.0\.0\.1:\d+ is healthy: successfully committed proposal: took = \d/);
  t.match(health.err, `${endpoint} is unhealthy: failed to commit proposal: context deadline`);
  t.match(health.err, /\nError: unhealthy cluster\n$/);
  t.equal(health.exitCode, 1);
});

t.test('status shows the nodes that answer and those that do not', async (t) => {
  const endpoint = `127.0.0.1:${await unusedPort()}`;
  const { out, err, exitCode } = await runCommand([
    'status',
    '--endpoints',
    `${node.endpoint},${endpoint}`,
  ]);
  t.match(
    out,
    /^\+----\+-+\+[-+]+\n\| ID \| +ADDRESS +\| +ROLE +\| TERM \| APPLIED \| LAG \| PEERS ONLINE \|/,
  );
  t.match(out, /\| {2}0 \| 127\.0\.0\.1:\d+ \| {6}leader \| {4}2 \| {6}14 \| {3}0 \|/);
  t.match(out, /\| {2}\? \| 127\.0\.0\.1:\d+ \| unreachable \|/);
  t.match(err, `${endpoint}: connection refused`);
  t.equal(exitCode, 1);
});

t.test('--verbose shows each redirect on the error output', async (t) => {
  const follower = await startFakeNode(1, ({ redirect }) => redirect(redirectTo(node)));
  t.teardown(() => follower.close());
  const { out, err } = await runCommand(['-v', 'put', 'a', '1', '--endpoints', follower.endpoint]);
  t.equal(out, 'OK\n');
  t.equal(err, `redirect: ${follower.endpoint} -> leader 0 at ${node.endpoint}\n`);
  const quiet = await runCommand(['put', 'a', '1', '--endpoints', follower.endpoint]);
  t.equal(quiet.err, '');
});

t.test('an error of a node is printed as it is', async (t) => {
  node.script = ({ refuse }) => refuse(ErrorCode.Compacted);
  const { out, err, exitCode } = await asked(['get', 'a', '--rev=1']);
  t.equal(err, 'Error: etcdserver: mvcc: required revision has been compacted\n');
  t.equal(out, '');
  t.equal(exitCode, 1);
});

t.test('a flag wins over the environment, in which every global flag has a name', async (t) => {
  const wrong = { KVORUM_ENDPOINTS: '127.0.0.1:1', KVORUM_WRITE_OUT: 'json', KVORUM_HEX: 'true' };
  const simple = await runCommand(
    ['get', 'a', '--endpoints', node.endpoint, '-w', 'simple', '--hex=false'],
    { environment: wrong },
  );
  t.equal(simple.out, 'a\nA\n');
  const hex = await runCommand(['get', 'a', '--endpoints', node.endpoint, '-w', 'simple'], {
    environment: wrong,
  });
  t.equal(hex.out, '\\x61\n\\x41\n');
  const slow = await runCommand(['get', 'a'], {
    environment: { KVORUM_ENDPOINTS: '127.0.0.1:1', KVORUM_COMMAND_TIMEOUT: '1ms' },
  });
  t.match(slow.err, /^Error: context deadline exceeded/);
  t.equal(slow.exitCode, 2);
});

t.test('an empty variable is none', async (t) => {
  const outcome = await runCommand(['get', 'a', '--endpoints', node.endpoint], {
    environment: { KVORUM_WRITE_OUT: '', KVORUM_HEX: '' },
  });
  t.equal(outcome.out, 'a\nA\n');
});
