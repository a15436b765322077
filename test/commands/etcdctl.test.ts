/**
 * The same command lines to etcdctl on an etcd and to kvorum on a node: same output, same exit
 * code, same errors. Only where etcd is installed.
 */

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { isEtcdThere, RealEtcd } from '../differential/etcd.ts';
import type { Outcome } from './fake-terminal.ts';
import { startOneNode } from './one-node.ts';

type Line = {
  readonly words: readonly string[];
  readonly input: string;
  /** Errors say more here: only output and exit code are etcdctl's. */
  readonly saysMore: boolean;
};

/** A line cut at blanks; `$ID` is the lease granted last, on each side its own. */
const same = (line: string, input = ''): Line => ({
  words: line.split(' '),
  input,
  saysMore: false,
});
const saysMore = (line: string, input: string): Line => ({ ...same(line, input), saysMore: true });

// Not as a table: etcdctl writes first and then finds that it cannot print the answer.
const FORMATS = ['simple', 'json', 'fields'];
const inEachFormat = (line: string, input = ''): Line[] =>
  FORMATS.map((format) => same(`${line} -w ${format}`, input));

const TXN =
  'value("k1") = "v1"\nver("k1") > "0"\n\nput k3 "a b" --prev-kv\nget k --prefix\n' +
  'del zz\nget none\n\nput k4 x\n\n';
const OTHERWISE = 'mod("k1") = "99"\n\nput x y\n\ndel k3 --prev-kv\nget k1 --keys-only\n\n';

const LINES: readonly Line[] = [
  same('put k1 v1'),
  same('put k2 v2'),
  ...inEachFormat('put k2 v2 --prev-kv'),
  ...inEachFormat('get k --prefix'),
  same('get k --prefix -w table'),
  same('get k --prefix --keys-only'),
  same('get k --prefix --print-value-only'),
  same('get k --prefix --limit 1 --order DESCEND'),
  same('get k1 --hex'),
  same('get k1 --rev 2 -w json'),
  same('get k1 --rev 999'),
  ...inEachFormat('txn', TXN),
  ...inEachFormat('txn', OTHERWISE),
  same('txn --hex', '\nget k1\n\n\n'),
  same('txn -i', 'create("k1") > "0"\n\nget k1\n\n\n'),
  same('txn', '\n\n\n'),
  same('txn', '\nput a 1\nput a 2\n\n\n'),
  same('txn', '\nput "" 2\n\n\n'),
  same('txn', '\nget k1 --rev=999\n\n\n'),
  same('txn', '\nput "t\\x6b" "a\\nb"\n\n\n'),
  same('get tk'),
  ...[
    'foo\n',
    'mod(k1) = "0"\n',
    'bogus("k1") = "0"\n',
    'mod("k1") = "x"\n',
    'value("k1")="v"\n',
    'value("k1") = "v1"\n',
    '\nfoo bar\n',
    '\nput\n',
    '\nput a\n',
    '\nput a b --lease zz\n',
    '\nget a --order=x\n',
    '\nget a -w json\n',
    '\n\n',
  ].map((script) => saysMore('txn', script)),
  ...inEachFormat('del k2 --prev-kv'),
  ...inEachFormat('lease grant 100'),
  same('put leased 1 --lease $ID'),
  same('put other 1 --lease $ID'),
  ...inEachFormat('lease timetolive $ID'),
  ...inEachFormat('lease timetolive $ID --keys'),
  ...inEachFormat('lease timetolive 1234'),
  ...inEachFormat('lease keep-alive $ID --once'),
  same('lease keep-alive 1234 --once'),
  same('lease keep-alive 1234'),
  same('lease revoke $ID'),
  same('get leased'),
  same('lease revoke 1234'),
  same('lease grant'),
  same('lease grant x'),
  same('lease grant 99999999999'),
  same('lease revoke zz'),
  same('lease timetolive'),
  same('lease keep-alive'),
  same('lock L -- sh -c exit'),
  same('lock'),
  same('elect'),
  same('elect E'),
  same('elect E x -l'),
  same('watch'),
  same('watch a b --prefix'),
  saysMore('watch -i', 'bogus\n'),
  same('make-mirror'),
  same('compaction 3'),
  same('watch k1 --rev 1'),
  same('get k1 --rev 2'),
];

/** What must differ: ids, terms, and what is left of a lease by now. */
function withoutIds(text: string): string {
  return text
    .replace(/("(?:cluster_id|member_id|raft_term)":)\d+/g, '$1N')
    .replace(/("(?:ClusterID|MemberID|RaftTerm)" : )\d+/g, '$1N')
    .replace(/("(?:ID|id)"(?::| : ))\d{10,}/g, '$1N')
    .replace(/\b[0-9a-f]{16}\b/g, 'LEASE')
    .replace(/\b9\d(s\)|,"granted|\n"Gr)/g, 'LEFT$1')
    .replace(/"TTL" : 9\d\n/g, '"TTL" : LEFT\n')
    .replace(/(?:"Key" : .*\n)+/g, (lines) => sortedParts(lines, '\n'))
    .replace(/(?<=attached keys\(\[).*(?=\]\))/g, (keys) => sortedParts(keys, ' '))
    .replace(/(?<="keys":\[).*?(?=\])/g, (keys) => sortedParts(keys, ','));
}

/** etcd tells the keys of a lease in any order. */
function sortedParts(text: string, separator: string): string {
  return text.split(separator).sort().join(separator);
}

/** The errors, without the log of etcd's client library and the help that some come with. */
function errorsOf(text: string): string {
  const lines = text.split('\n').filter((line) => /^(Error: |Invalid |watch was)/.test(line));
  return withoutIds(lines.join('\n'));
}

/** Runs etcdctl. */
async function etcdctl(words: readonly string[], input: string, port: number): Promise<Outcome> {
  const endpoint = `127.0.0.1:${port}`;
  const env = { ...process.env, ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: endpoint };
  const child = spawn('etcdctl', words, { env });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  child.stdin.on('error', () => {}); // it may end before it has read everything
  child.stdin.end(input);
  const exitCode = await new Promise<number>((done) =>
    child.once('close', (code) => done(code ?? -1)),
  );
  return { exitCode, out, err };
}

if (isEtcdThere()) {
  t.test('etcdctl and kvorum say the same', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'kvorum-etcd-'));
    const etcd = await RealEtcd.start(directory);
    t.teardown(async () => {
      await etcd.stop();
      await rm(directory, { recursive: true, force: true });
    });
    const node = await startOneNode(t);
    const ids = { theirs: '', ours: '' };
    for (const { words, input, saysMore } of LINES) {
      const shown = `${words.join(' ')} ${input === '' ? '' : JSON.stringify(input)}`;
      await t.test(shown, async (t) => {
        const theirs = await etcdctl(withId(words, ids.theirs), input, etcd.port);
        const ours = await node.run(withId(words, ids.ours), input);
        t.equal(withoutIds(ours.out), withoutIds(theirs.out), 'output');
        t.equal(ours.exitCode, theirs.exitCode, 'exit code');
        if (!saysMore) t.equal(errorsOf(ours.err), errorsOf(theirs.err), 'errors');
        ids.theirs = grantedId(theirs.out) ?? ids.theirs;
        ids.ours = grantedId(ours.out) ?? ids.ours;
      });
    }
  });
}

function withId(words: readonly string[], id: string): string[] {
  return words.map((word) => (word === '$ID' ? id : word));
}

function grantedId(out: string): string | undefined {
  return /^lease ([0-9a-f]{16}) granted with TTL\(\d+s\)\n$/.exec(out)?.[1];
}
