/** Commands that run on, as processes: what signals do to them, and what outlives a lost node. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import t from 'tap';
import type { Client } from '../../include/client.ts';
import { startCluster } from './processes.ts';

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');

/** A command as a process, and its output as it comes. */
function startProcess(args: readonly string[], endpoint: string) {
  const child = spawn(process.execPath, [MAIN, '--endpoints', endpoint, ...args]);
  let output = '';
  let errorOutput = '';
  let look = (): void => {};
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    look();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errorOutput += chunk.toString();
    look();
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, output }));
  const printed = (text: string): Promise<void> =>
    new Promise((done, fail) => {
      look = () => (output + errorOutput).includes(text) && done();
      look();
      void ended.then(() => fail(new Error(`ended without ${text}: ${output}${errorOutput}`)));
    });
  return { child, ended, printed };
}

t.setTimeout(240_000);

t.test('signals', async (t) => {
  const cluster = await startCluster(t, { size: 1 });
  const [endpoint = ''] = cluster.endpoints;
  const client = cluster.client();
  const { revision } = await client.put('k', '1');

  await t.test('end a watch as they end any program', async (t) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const watch = startProcess(['watch', 'k', '--rev', `${revision}`], endpoint);
      await watch.printed('PUT\nk\n1\n');
      watch.child.kill(signal);
      t.match(await watch.ended, { code: null, signal });
    }
  });

  await t.test('release a lock, and lock exits with 0', async (t) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const lock = startProcess(['lock', 'L'], endpoint);
      await lock.printed('L/');
      lock.child.kill(signal);
      t.match(await lock.ended, { code: 0, signal: null });
      t.equal((await client.range('L/', { prefix: true })).count, 0);
    }
  });

  await t.test('resign a leader, and elect exits with 0', async (t) => {
    const elect = startProcess(['elect', 'E', 'me'], endpoint);
    await elect.printed('\nme\n');
    elect.child.kill('SIGTERM');
    t.match(await elect.ended, { code: 0, signal: null });
    t.equal((await client.range('E/', { prefix: true })).count, 0);
  });

  await t.test('SIGTERM ends the command of a lock, and the lock is released', async (t) => {
    const script = 'echo up; exec sleep 60';
    const lock = startProcess(['lock', 'C', '--', 'sh', '-c', script], endpoint);
    await lock.printed('up\n');
    lock.child.kill('SIGTERM');
    t.match(await lock.ended, { code: 143, signal: null });
    t.equal((await client.range('C/', { prefix: true })).count, 0);
  });

  await t.test('SIGINT leaves the command of a lock to itself', async (t) => {
    const script = 'echo up; read line; echo "$line"';
    const lock = startProcess(['lock', 'D', '--', 'sh', '-c', script], endpoint);
    await lock.printed('up\n');
    lock.child.kill('SIGINT');
    lock.child.stdin.end('still here\n');
    t.match(await lock.ended, { code: 0, signal: null, output: 'up\nstill here\n' });
  });
});

t.test('a mirror waits out its destination, and loses nothing', async (t) => {
  const source = await startCluster(t, { size: 1 });
  const target = await startCluster(t, { size: 1 });
  const [endpoint = ''] = source.endpoints;
  const [destination = ''] = target.endpoints;
  const flags = ['--command-timeout', '500ms'];
  const mirror = startProcess(['make-mirror', destination, ...flags], endpoint);
  t.teardown(() => mirror.child.kill('SIGKILL'));
  await source.client().put('a', '1');
  await untilKeys(target.client(), 'a', 1);

  await target.kill(0);
  await source.client().put('b', '2');
  await mirror.printed('the destination does not serve: ');
  await source.client().delete('a');
  await target.start(0);
  await mirror.printed('the destination serves again\n');
  await untilKeys(target.client(), 'a', 0);
  t.equal((await target.client().get('b'))?.value.toString(), '2');
});

/** Waits until there are so many keys. */
async function untilKeys(client: Client, prefix: string, count: number): Promise<void> {
  const watch = client.watch(prefix, { prefix: true, startRevision: 1 });
  for await (const _told of watch) {
    if ((await client.range(prefix, { prefix: true })).count === count) break;
  }
}
