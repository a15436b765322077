/** watch: what it prints and runs, how it ends, and its lines with -i. */

import t, { type Test } from 'tap';
import { startCommand } from './fake-terminal.ts';
import { type OneNode, startOneNode } from './one-node.ts';

t.test('watch', async (t) => {
  const node = await startOneNode(t);
  const { client, run, start } = node;

  await t.test('prints puts and deletions as they happen, until interrupted', async (t) => {
    const { revision } = await client.put('k', 'zero');
    const watch = start(`watch k --prev-kv --rev ${revision}`);
    await watch.printed('PUT\nk\nzero\n');
    await client.put('k', 'one');
    await watch.printed('PUT\nk\nzero\nk\none\n');
    await client.delete('k');
    await watch.printed('DELETE\nk\none\nk\n\n');
    watch.interrupt();
    const { exitCode, err } = await watch.ended;
    t.equal(exitCode, 130);
    t.equal(err, '');
  });

  await t.test('a prefix and a range tell of their keys only', async (t) => {
    const { revision } = await client.put('a/1', 'x');
    await client.put('b', 'x');
    await client.put('a/2', 'x');
    for (const span of ['--prefix a/', 'a/ a0']) {
      const watch = start(`watch ${span} --rev ${revision}`);
      await watch.printed('PUT\na/2\nx\n');
      watch.interrupt();
      t.equal((await watch.ended).out, 'PUT\na/1\nx\nPUT\na/2\nx\n');
    }
  });

  await t.test('runs a command for each event, one after the other', async (t) => {
    const { revision } = await client.put('run', 'a\nb');
    await client.delete('run');
    const variables = ['REVISION', 'EVENT_TYPE', 'KEY', 'VALUE'].map(
      (name) => `"$ETCD_WATCH_${name}"`,
    );
    const script = `printf '%s %s %s %s\\n' ${variables.join(' ')}`;
    const watch = start(['watch', 'run', '--rev', `${revision}`, '--', 'sh', '-c', script]);
    await watch.printed(`${revision + 1} "DELETE" "run" ""\n`);
    watch.interrupt();
    t.match((await watch.ended).out, `\n${revision} "PUT" "run" "a\\nb"\n`);
  });

  const failures = [
    [['sh', '-c', 'exit 3'], '"sh" "-c" "exit 3"', 'exit status 3'],
    [['sh', '-c', 'kill -9 $$'], '"sh" "-c" "kill -9 $$"', 'signal: killed'],
    [['./none'], '"./none"', 'fork/exec ./none: no such file or directory'],
    [['no-such'], '"no-such"', 'exec: "no-such": executable file not found in $PATH'],
  ] as const;
  for (const [words, shown, why] of failures) {
    await t.test(`ends with 1 when the command fails: ${why}`, async (t) => {
      const { revision } = await client.put('fail', '1');
      const watch = start(['watch', 'fail', '--rev', `${revision}`, '--', ...words]);
      const { exitCode, err, out } = await watch.ended;
      t.equal(out, 'PUT\nfail\n1\n');
      t.equal(err, `command [${shown}] error (${why})\n`);
      t.equal(exitCode, 1);
    });
  }

  await t.test("takes its key from the environment, etcdctl's and its own", async (t) => {
    const { revision } = await client.put('env', '1');
    for (const name of ['ETCDCTL_WATCH_KEY', 'KVORUM_WATCH_KEY']) {
      const environment = { ...node.environment, [name]: 'env' };
      const watch = startCommand(['watch', '--rev', `${revision}`], environment);
      await watch.printed('PUT\nenv\n1\n');
      watch.interrupt();
      await watch.ended;
    }
    const both = startCommand(['watch', 'x'], { ...node.environment, ETCDCTL_WATCH_KEY: 'env' });
    const { err, exitCode } = await both.ended;
    t.equal(err, 'Error: bad number of arguments (found conflicting environment key)\n');
    t.equal(exitCode, 128);
  });

  await t.test('refuses what etcdctl refuses', async (t) => {
    const bare = await run('watch');
    t.equal(bare.err, 'Error: bad number of arguments\n');
    t.equal(bare.exitCode, 128);
    const both = await run('watch a b --prefix');
    t.equal(both.err, 'Error: `range_end` and `--prefix` are mutually exclusive\n');
    const table = await run('watch a -w table');
    t.equal(table.exitCode, 4);
  });

  await t.test('each line of watch -i is a watch of its own', (t) => watchLines(t, node));

  await t.test('ends with 5 when what it waits for is compacted', async (t) => {
    const { revision } = await client.put('old', '1');
    await client.put('old', '2');
    await client.compact(revision + 1);
    const { out, err, exitCode } = await run(`watch old --rev ${revision} -w json`);
    t.match(out, `"Events":[],"CompactRevision":${revision + 1},"Canceled":true`);
    t.equal(
      err,
      'watch was canceled (etcdserver: mvcc: required revision has been compacted)\n' +
        'Error: watch is canceled by the server\n',
    );
    t.equal(exitCode, 5);
  });
});

async function watchLines(t: Test, { client, start }: OneNode): Promise<void> {
  const watch = start('watch -i');
  watch.input.write('bogus\nwatch\nwatch x --bogus\nwatch "x\n');
  await watch.complained('Invalid command bogus (only support watch)\n');
  await watch.complained('Invalid command watch (bad number of arguments)\n');
  await watch.complained('Invalid command watch x --bogus (Unknown argument: bogus)\n');
  await watch.complained('Invalid command watch "x (expected a closing double quote)\n');
  const { revision } = await client.put('i one', '1');
  await client.put('i2', '2');
  watch.input.write(`watch "i one" --rev ${revision}\n`);
  await watch.printed('PUT\ni one\n1\n');
  watch.input.write(`watch i2 --rev ${revision} -- sh -c 'echo "ran $ETCD_WATCH_KEY"'\n`);
  await watch.printed('PUT\ni2\n2\nran "i2"\n');
  watch.input.write('progress\n');
  await watch.printed(`progress notify: ${revision + 1}\n`);
  watch.input.end();
  const { err, exitCode } = await watch.ended;
  t.match(err, /\nError: Error reading watch request line: EOF\n$/);
  t.equal(exitCode, 3);
}
