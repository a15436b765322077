/** The shell on a screen: Ctrl-C, transactions typed into it, commands that run on. */

import t from 'tap';
import { startShell } from './fake-terminal.ts';
import { startOneNode } from './one-node.ts';

t.test('a shell on a screen', async (t) => {
  const { client, environment } = await startOneNode(t);
  const shell = startShell({ ...environment, KVORUM_HISTORY: '/dev/null' });
  await shell.printed('kvorum> ');

  await t.test('Ctrl-C ends a watch, and not the shell', async (t) => {
    const { revision } = await client.put('w', '1');
    shell.input.write(`watch w --rev ${revision}\r`);
    await shell.printed('PUT\nw\n1\n');
    shell.interrupt();
    await shell.printed('^C\n');
    await shell.printed('kvorum> ');
    shell.input.write('put x 1\r');
    await shell.printed('OK\n');
    t.equal((await client.get('x'))?.value.toString(), '1');
  });

  await t.test('Ctrl-C releases a lock', async (t) => {
    shell.input.write('lock L\r');
    await shell.printed('\nL/');
    shell.interrupt();
    await shell.printed('kvorum> ');
    t.equal((await client.range('L/', { prefix: true })).count, 0);
  });

  await t.test('a transaction takes the lines that follow', async (t) => {
    shell.input.write('txn -i\r');
    await shell.printed('compares:\n');
    shell.input.write('\rput typed 1\r\r\r');
    await shell.printed('SUCCESS\n\nOK\n');
    t.equal((await client.get('typed'))?.value.toString(), '1');
  });

  await t.test('Ctrl-C gives a transaction up, and takes no line with it', async (t) => {
    shell.input.write('txn -i\r');
    await shell.printed('compares:\n');
    shell.interrupt();
    await shell.printed('kvorum> ');
    shell.input.write('put after 1\r');
    await shell.printed('OK\n');
    t.equal((await client.get('after'))?.value.toString(), '1');
  });

  await t.test('Ctrl-C on a line clears it', async (t) => {
    shell.input.write('put never 1');
    shell.interrupt();
    await shell.printed('^C\n');
    shell.input.write('exit\r');
    t.equal((await shell.ended).exitCode, 0);
    t.equal(await client.get('never'), undefined);
  });
});

t.test('a shell in a pipe gives a transaction its lines', async (t) => {
  const { client, run } = await startOneNode(t);
  const { out, err, exitCode } = await run('shell', 'put a 1\ntxn\n\nput b 2\n\n\nget b\n');
  t.equal(out, 'OK\nSUCCESS\n\nOK\nb\n2\n');
  t.equal(err, '');
  t.equal(exitCode, 0);
  t.equal((await client.get('b'))?.value.toString(), '2');
});

t.test('of a transaction that is refused in a pipe, no line runs by itself', async (t) => {
  const { client, run } = await startOneNode(t);
  const script = 'txn\nbogus\n\nput never 1\n\nput never 2\n\nput then 1\n';
  const { out, err, exitCode } = await run('shell', script);
  t.equal(out, 'OK\n');
  t.match(err, 'Error: malformed comparison: bogus; line 1: expected ');
  t.equal(exitCode, 3);
  t.equal(await client.get('never'), undefined);
  t.equal((await client.get('then'))?.value.toString(), '1');
});

t.test('a command in a pipe that reads the whole input is refused in a shell', async (t) => {
  const { run } = await startOneNode(t);
  const { err, exitCode } = await run('shell', 'import\n');
  t.equal(err, 'Error: import command needs 1 argument in a shell\n');
  t.equal(exitCode, 128);
});
