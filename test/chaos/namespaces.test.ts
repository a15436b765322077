/** A network of namespaces loses what it is told to lose, and nothing else. */

import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import t from 'tap';
import { Leavings } from './leavings.ts';
import { probeMachine } from './machine.ts';
import { NamespaceNetwork } from './namespaces.ts';
import { run } from './system.ts';

const machine = probeMachine();
const skip = machine.hasNamespaces ? false : machine.lacks.join('; ');
const PORT = 7001;

/** Says what it hears, and sends it back. */
const ECHO = `
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (bytes, { address, port }) => {
    console.log(bytes.toString());
    socket.send(bytes, port, address);
  });
  socket.bind(${PORT}, () => console.log('ready'));
`;

t.test('a path that is cut loses what goes one way, until it is joined', { skip }, async (t) => {
  const leavings = new Leavings();
  t.teardown(() => leavings.putAway());
  const network = new NamespaceNetwork(1, machine, leavings);
  const [file = '', ...args] = [...network.enter(0), process.execPath, '-e', ECHO];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  const heard = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const socket = createSocket('udp4');
  t.teardown(() => socket.close());
  const echoes: string[] = [];
  socket.on('message', (bytes) => echoes.push(bytes.toString()));
  const send = (text: string): Promise<void> =>
    new Promise((sent) => socket.send(text, PORT, network.addresses[0], () => sent()));
  /** Everything sent before has arrived, or is lost, when this comes back. */
  const marked = async (text: string): Promise<void> => {
    await send(text);
    while (!echoes.includes(text)) await once(socket, 'message');
  };
  const ready = await heard.next();
  t.equal(ready.value, 'ready');

  const there = { from: network.clients, to: 0 };
  const back = { from: 0, to: network.clients };
  await marked('first');
  network.cut([back]);
  await send('heard only');
  t.equal((await heard.next()).value, 'first');
  t.equal((await heard.next()).value, 'heard only');
  network.join([back]);
  network.cut([there]);
  await send('lost');
  network.heal();
  await marked('last');
  t.equal((await heard.next()).value, 'last');
  t.strictSame(echoes, ['first', 'last']);
});

t.test('what was made is put away', { skip }, async (t) => {
  const leavings = new Leavings();
  new NamespaceNetwork(2, machine, leavings);
  const ours = (text: string): boolean => text.includes(`kv${process.pid}`);
  t.ok(ours(run('ip', ['link'])));
  t.match(run('ip', ['netns', 'list']), `kvorum-chaos-${process.pid}-1`);
  leavings.putAway();
  t.notOk(ours(run('ip', ['link'])));
  t.notMatch(run('ip', ['netns', 'list']), `kvorum-chaos-${process.pid}`);
});

t.test(
  'one network after the other can be made, whatever still runs in the last',
  { skip },
  async (t) => {
    for (let round = 0; round < 3; round += 1) {
      const leavings = new Leavings();
      const network = new NamespaceNetwork(1, machine, leavings);
      const [file = '', ...args] = [...network.enter(0), 'sleep', '60'];
      const child = spawn(file, args, { stdio: 'ignore' });
      await once(child, 'spawn');
      leavings.putAway();
      t.teardown(() => child.kill('SIGKILL'));
      t.notMatch(run('ip', ['link']), `kv${process.pid}n0`);
    }
  },
);
