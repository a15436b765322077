/** The program as a process: streams, environment, exit codes, the shell in a pipe. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import t from 'tap';
import { PROTOCOL_VERSION } from '../../include/rpc.ts';
import manifest from '../../package.json' with { type: 'json' };
import { serve, startFakeNode } from '../client/fake-node.ts';
import type { Outcome } from './fake-terminal.ts';

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');
const node = await startFakeNode(0, serve(0));
t.teardown(() => node.close());

/** Runs the program to its end. */
async function kvorum(args: readonly string[], input = ''): Promise<Outcome> {
  const env = { ...process.env, KVORUM_ENDPOINTS: node.endpoint };
  const child = spawn(process.execPath, [MAIN, ...args], { env });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  child.stdin.on('error', () => {}); // it may end before it has read everything
  child.stdin.end(input);
  const [exitCode] = await once(child, 'close');
  return { exitCode, out, err };
}

t.test('version', async (t) => {
  const { out, exitCode } = await kvorum(['version']);
  t.match(
    out,
    new RegExp(`^kvorum version: ${manifest.version}\nprotocol version: ${PROTOCOL_VERSION}\n`),
  );
  t.equal(exitCode, 0);
});

t.test('a value comes from the input, and the process ends by itself', async (t) => {
  t.strictSame(await kvorum(['put', 'a'], 'a value\n'), { exitCode: 0, out: 'OK\n', err: '' });
  t.match(node.requests.at(-1), { body: { value: Buffer.from('a value\n') } });
  t.strictSame(await kvorum(['get', 'a']), { exitCode: 0, out: 'a\nA\n', err: '' });
});

t.test('wrong arguments end with 128, the reason on the error output', async (t) => {
  const { exitCode, out, err } = await kvorum(['get']);
  t.equal(exitCode, 128);
  t.equal(out, '');
  t.match(err, /^Error: get command needs one argument/);
});

t.test(
  'a shell in a pipe runs every line, goes on after errors, and says so at its end',
  async (t) => {
    const lines = [
      'put a 10',
      '',
      '# a comment',
      'get a',
      'bogus',
      'put "open',
      'put c',
      'shell',
      'get --hex "x y"',
      'help endpoint',
      'get',
    ];
    const { exitCode, out, err } = await kvorum(['shell'], lines.join('\n'));
    t.match(out, /^OK\na\nA\n\\x78\\x20\\x79\n\\x58\\x20\\x59\nkvorum endpoint <command>/);
    t.strictSame(
      err.split('\n').filter((line) => line.startsWith('Error')),
      [
        'Error: unknown command "bogus" for "kvorum"',
        'Error: the quote " is not closed',
        'Error: put command needs 2 arguments in a shell',
        'Error: shell runs outside of a shell only',
        'Error: get command needs one argument as key and an optional argument as range_end',
      ],
    );
    t.equal(exitCode, 128);
  },
);

t.test('exit leaves the shell, whose flags hold for every line', async (t) => {
  const before = node.requests.length;
  const { out, exitCode } = await kvorum(['shell', '--hex'], 'get a\nexit\nput b 1\n');
  t.equal(out, '\\x61\n\\x41\n');
  t.equal(exitCode, 0);
  t.equal(node.requests.length, before + 1);
});

t.test('a hundred lines of a shell share one connection', async (t) => {
  const lines = Array.from({ length: 100 }, (_, i) => `put k${i} v`).join('\n');
  const before = node.requests.length;
  const running = kvorum(['shell'], lines);
  let most = 0;
  while (node.requests.length < before + 100) {
    most = Math.max(most, node.connectionCount());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.equal(most, 1);
  t.equal((await running).out, 'OK\n'.repeat(100));
});

t.test('a command that is done does not wait for the end of its input', async (t) => {
  const env = { ...process.env, KVORUM_ENDPOINTS: node.endpoint };
  const child = spawn(process.execPath, [MAIN, 'txn'], { env });
  t.teardown(() => child.kill('SIGKILL'));
  child.stdin.write('bogus\n');
  const [exitCode] = await once(child, 'close');
  t.equal(exitCode, 3);
});

t.test('a reader that goes away ends the process', async (t) => {
  const env = { ...process.env, KVORUM_ENDPOINTS: node.endpoint };
  const child = spawn(process.execPath, [MAIN, 'shell'], { env });
  child.stdin.on('error', () => {});
  child.stdin.write('get a\n');
  await once(child.stdout, 'data');
  child.stdout.destroy();
  child.stdin.write('get a\n'.repeat(10));
  const [exitCode] = await once(child, 'close');
  t.equal(exitCode, 141);
});
