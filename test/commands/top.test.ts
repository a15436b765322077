/** `kvorum top` and `kvorum log-level`. */

import t from 'tap';
import { startCommand } from './fake-terminal.ts';
import { startOneNode } from './one-node.ts';

const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';

t.test('top prints one table where nobody looks on', async (t) => {
  const node = await startOneNode(t);
  await node.client.put('a', '1');
  const { exitCode, out, err } = await node.run('top --interval 100ms');
  t.equal(exitCode, 0);
  t.equal(err, '');
  t.notMatch(out, '\x1b');
  t.match(out, /\| +ID +\| +ADDRESS +\| +ROLE +\|/);
  t.match(out, new RegExp(`\\| +0 +\\| ${node.endpoint} +\\| leader +\\|`));
  t.equal(out.trimEnd().split('\n').length, 5);
});

t.test(
  'top draws over itself, follows the size, and gives the screen back at Ctrl-C',
  async (t) => {
    const node = await startOneNode(t);
    const screen = { isTTY: true, rows: 24, columns: 200 } as const;
    const top = startCommand(['top', '--interval', '100ms'], node.environment, { ...screen });
    await top.printed('| leader |');
    await top.printed('\x1b[H');
    await top.printed('Ctrl-C ends');
    top.resize(2, 10);
    await top.printed('\x1b[J');
    top.interrupt();
    const { exitCode, out } = await top.ended;
    t.equal(exitCode, 0);
    t.ok(out.startsWith(ENTER));
    t.ok(out.endsWith(LEAVE));
    const last = out.slice(out.lastIndexOf('\x1b[H') + 3, out.lastIndexOf('\x1b[J'));
    const lines = last.split('\r\n').map((line) => line.replaceAll('\x1b[K', ''));
    t.equal(lines.length, 2);
    t.ok(lines.every((line) => line.length <= 10));
  },
);

t.test('a node that is gone stays in the table, as unreachable', async (t) => {
  const { exitCode, out } = await (async () => {
    const node = await startOneNode(t);
    return node.run('top --interval 100ms --endpoints 127.0.0.1:1');
  })();
  t.equal(exitCode, 0);
  t.match(out, /\| +\? \| 127\.0\.0\.1:1 \| unreachable \|/);
});

t.test('top refuses an interval that is too short', async (t) => {
  const node = await startOneNode(t);
  const { exitCode, err } = await node.run('top --interval 1ms');
  t.equal(exitCode, 1);
  t.match(err, /give at least 100ms/);
});

t.test('log-level sets how much a node logs, and refuses what is no level', async (t) => {
  const node = await startOneNode(t);
  const { exitCode, out } = await node.run('log-level debug');
  t.equal(exitCode, 0);
  t.equal(out, `${node.endpoint} logs from debug on\n`);
  const refused = await node.run('log-level loud');
  t.not(refused.exitCode, 0);
  t.match(refused.err, /needs one of debug, info, warn, error/);
  const unreached = await node.run('log-level info --endpoints 127.0.0.1:1');
  t.equal(unreached.exitCode, 1);
  t.match(unreached.err, /Failed to set the log level of 127\.0\.0\.1:1/);
});
