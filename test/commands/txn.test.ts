/** txn: scripts that are understood, and those that are not. */

import t from 'tap';
import type { Transaction } from '../../include/client.ts';
import { CommandError } from '../../src/commands/command-error.ts';
import { readTransaction } from '../../src/commands/txn-script.ts';
import { startOneNode } from './one-node.ts';

/** Reads a script. */
function read(script: string, prompt?: (text: string) => void): Promise<Transaction> {
  const lines = script.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const source = { nextLine: async () => lines.shift(), rest: 'leave' } as const;
  return readTransaction(prompt === undefined ? source : { ...source, prompt });
}

const key = Buffer.from('k');

const compares = [
  ['mod("k") = "1"', { key, operator: '=', modRevision: 1 }],
  ['m("k") != "1"', { key, operator: '!=', modRevision: 1 }],
  ['create("k") < "1"', { key, operator: '<', createRevision: 1 }],
  ['c("k") > "0"', { key, operator: '>', createRevision: 0 }],
  ['version("k") = "-1"', { key, operator: '=', version: -1 }],
  ['ver("k") = "+2"', { key, operator: '=', version: 2 }],
  ['value("k") = "a b"', { key, operator: '=', value: Buffer.from('a b') }],
  ['val("k") = ""', { key, operator: '=', value: Buffer.alloc(0) }],
  ['lease("k") = "4d2"', { key, operator: '=', lease: 1234n }],
  [
    'value("\\x6b\\t\\u00e9\\"") = "\\xff\\101"',
    { key: Buffer.from('k\té"'), operator: '=', value: Buffer.from('\xffA', 'latin1') },
  ],
  ['  value("k")   =   "x"  ', { key, operator: '=', value: Buffer.from('x') }],
] as const;
for (const [line, condition] of compares) {
  t.test(`the compare ${line}`, async (t) => {
    const { when } = await read(`${line}\n\n\n\n`);
    t.match(when, [condition]);
  });
}

const operations = [
  ['put k v', { put: key, value: Buffer.from('v'), prevKv: false }],
  ['put k "a\\nb"', { put: key, value: Buffer.from('a\nb') }],
  ['put k "\\xff\\x00"', { put: key, value: Buffer.from([0xff, 0]) }],
  ["put k 'a \\n b'", { put: key, value: Buffer.from('a \\n b') }],
  ['put k ""', { put: key, value: Buffer.alloc(0) }],
  ['put k --lease 4d2 v --prev-kv', { put: key, lease: 1234n, prevKv: true }],
  ['put k --ignore-value', { put: key, value: Buffer.alloc(0), ignoreValue: true }],
  ['put k -- --v', { put: key, value: Buffer.from('--v') }],
  ['put k v extra', { put: key, value: Buffer.from('v') }],
  ['get k', { get: key, prefix: false }],
  ['get --prefix k --limit=2', { get: key, prefix: true, limit: 2 }],
  ['get k z --rev 5', { get: key, rangeEnd: Buffer.from('z'), revision: 5 }],
  ['del k', { delete: key, prevKv: false }],
  ['del "k" --prefix --prev-kv', { delete: key, prefix: true, prevKv: true }],
] as const;
for (const [line, operation] of operations) {
  t.test(`the operation ${line}`, async (t) => {
    const { then, otherwise } = await read(`\n${line}\n\n${line}\n\n`);
    t.match(then, [operation]);
    t.match(otherwise, [operation]);
  });
}

const MALFORMED = 'malformed comparison: ';

const refusals: readonly (readonly [script: string, exitCode: number, text: string])[] = [
  [
    'foo',
    3,
    `${MALFORMED}foo; line 1: expected target("key") op "value", such as mod("key") > "0"`,
  ],
  [
    'bogus("k") = "0"',
    3,
    `${MALFORMED}bogus("k") = "0" (unknown target bogus); ` +
      'line 1: expected mod, create, version, value or lease before the (',
  ],
  [
    'mod(k) = "0"',
    3,
    `${MALFORMED}mod(k) = "0"; line 1: expected a key in double quotes right behind mod(`,
  ],
  [
    'mod("k) = 1',
    3,
    `${MALFORMED}mod("k) = 1; line 1: expected a closing double quote, in the key`,
  ],
  [
    'mod("\\q") = "1"',
    3,
    `${MALFORMED}mod("\\q") = "1"; line 1: expected an escape that Go knows, ` +
      'such as \\n, \\", \\\\ or \\xff, not \\q, in the key',
  ],
  ['mod("k" ) = "1"', 3, `${MALFORMED}mod("k" ) = "1"; line 1: expected a ) right behind the key`],
  [
    'value("k")="v"',
    3,
    `${MALFORMED}value("k")="v"; line 1: expected one of = != < > behind the ), blanks around it`,
  ],
  [
    'value("k") >= "v"',
    3,
    `${MALFORMED}value("k") >= "v"; ` +
      'line 1: expected one of = != < > behind the ), blanks around it',
  ],
  [
    'mod("k") = 0',
    3,
    `${MALFORMED}mod("k") = 0; line 1: expected a value in double quotes behind =`,
  ],
  [
    'mod("k") = "0" x',
    3,
    `${MALFORMED}mod("k") = "0" x; line 1: expected nothing behind the value`,
  ],
  [
    'mod("k") = "1"\nmod("k") = "x"',
    3,
    'invalid txn compare request: mod("k") = "x"; line 2: expected a decimal number as value',
  ],
  [
    'lease("k") = "zz"',
    3,
    'invalid txn compare request: lease("k") = "zz"; line 1: expected a lease id in hex as value',
  ],
  ['\nfoo bar', 3, 'invalid txn request: foo bar; line 2: expected get, put or del'],
  ['\nPUT a b', 3, 'invalid txn request: PUT a b; line 2: expected get, put or del'],
  [
    '\nput',
    3,
    'invalid txn compare request: put; ' +
      'line 2: expected get, put or del and what it needs, such as put "key" "value"',
  ],
  ['\nput a "x', 3, 'invalid txn request: put a "x; line 2: expected a closing double quote'],
  ["\nput a 'x", 3, "invalid txn request: put a 'x; line 2: expected a closing single quote"],
  [
    '\nput "a"b',
    3,
    'invalid txn request: put "a"b; line 2: expected a blank behind the closing quote, not b',
  ],
  [
    '\nget a --bogus',
    3,
    'invalid txn request: get a --bogus; ' +
      'line 2: expected flags that get has: Unknown argument: bogus',
  ],
  [
    '\nget a -w json',
    3,
    'invalid txn request: get a -w json; line 2: expected flags that get has: Unknown argument: w',
  ],
  [
    '\n\n\tput a',
    128,
    'put command needs 1 argument and input from stdin or 2 arguments; line 3: put a',
  ],
  [
    '\nput a b --lease zz',
    128,
    'bad lease ID (strconv.ParseInt: parsing "zz": invalid syntax), expecting ID in Hex; ' +
      'line 2: put a b --lease zz',
  ],
  ['\nget a --order=x', 4, 'bad sort order x; line 2: get a --order=x'],
  ['mod("k") = "0"\n', 3, 'EOF; line 2: expected a blank line behind the compares'],
  ['\nget a', 3, 'EOF; line 3: expected a blank line behind the success'],
  ['\n\n', 3, 'EOF; line 3: expected a blank line behind the failure'],
];
for (const [script, exitCode, text] of refusals) {
  t.test(`${JSON.stringify(script)} is refused with its line and what was expected`, async (t) => {
    const error = await read(script).catch((refusal: unknown) => refusal);
    t.type(error, CommandError);
    t.match(error, { exitCode, message: text });
  });
}

t.test('each part has its prompt', async (t) => {
  const prompts: string[] = [];
  await read('\n\n\n', (text) => prompts.push(text));
  t.strictSame(prompts, [
    'compares:\n',
    'success requests (get, put, del):\n',
    'failure requests (get, put, del):\n',
  ]);
});

t.test('on a node', async (t) => {
  const { run, client } = await startOneNode(t);
  await client.put('k1', 'v1');

  await t.test('a script from a pipe runs its branch', async (t) => {
    const script = 'value("k1") = "v1"\n\nput k3 "a b"\nget k1\ndel zz\nget none\n\nput k4 x\n\n';
    const { out, exitCode } = await run('txn', script);
    t.equal(out, 'SUCCESS\n\nOK\n\nk1\nv1\n\n0\n\n');
    t.equal(exitCode, 0);
    t.equal((await client.get('k3'))?.value.toString(), 'a b');
    t.equal(await client.get('k4'), undefined);
  });

  await t.test('the other branch runs when a compare fails', async (t) => {
    const { out } = await run('txn', 'mod("k1") > "99"\n\nput x y\n\ndel k3 --prev-kv\n\n');
    t.equal(out, 'FAILURE\n\n1\nk3\na b\n');
  });

  await t.test('-i prints what is to be typed', async (t) => {
    const { out } = await run('txn -i', '\n\n\n');
    t.match(out, /^compares:\nsuccess requests .*:\nfailure requests .*:\nSUCCESS\n$/);
  });

  await t.test('bytes that are no text pass unchanged', async (t) => {
    await run('txn', '\nput "\\xff\\x00" "\\xfe\\n"\n\n\n');
    const pair = await client.get(Buffer.from([0xff, 0]));
    t.strictSame(pair?.value, Buffer.from([0xfe, 0x0a]));
  });

  await t.test('a refusal of the node is printed as it is', async (t) => {
    const { err, exitCode } = await run('txn', '\nput a 1\nput a 2\n\n\n');
    t.equal(err, 'Error: etcdserver: duplicate key given in txn request\n');
    t.equal(exitCode, 1);
  });

  await t.test('-w table is refused before the input is read', async (t) => {
    const { err, exitCode } = await run('txn -w table');
    t.equal(err, 'Error: table not supported as output format\n');
    t.equal(exitCode, 4);
  });
});
