/** The limits on connections that a node was started with hold in its process. */

import { connect } from 'node:net';
import t from 'tap';
import { ErrorCode } from '../../include/rpc.ts';
import { freePorts } from '../free-ports.ts';
import { RawClient } from '../rpc/raw-client.ts';
import { runCommand, startCluster } from './processes.ts';

t.setTimeout(290_000);

t.test('a client above the limit of the flag is refused', async (t) => {
  const cluster = await startCluster(t, { size: 1, flags: ['--connections-max=2'] });
  const port = Number(cluster.endpoints[0]?.split(':')[1]);
  const taken = [await RawClient.greet(port), await RawClient.greet(port)];
  const third = await RawClient.greet(port);
  await third.closed;
  t.equal(third.lastError?.code, ErrorCode.TooManyConnections);
  await Promise.all(taken.map((client) => client.close()));
});

t.test('a connection to the client port above the limit of the flag is closed', async (t) => {
  const [clientPort = 0] = await freePorts(1);
  const cluster = await startCluster(t, {
    size: 1,
    attributes: { 0: `client=${clientPort}` },
    flags: ['--client-port-connections-per-address-max=1'],
  });
  await cluster.node(0).waitFor((line) => line.event === 'gateway started');
  const first = connect(clientPort, '127.0.0.1');
  await new Promise((resolve) => first.once('connect', resolve));
  const second = connect(clientPort, '127.0.0.1');
  second.on('error', () => undefined);
  await new Promise((resolve) => second.once('close', resolve));
  t.equal(first.destroyed, false);
  first.destroy();
});

t.test('a limit that makes no sense ends the start with what is expected', async (t) => {
  const { code, errorOutput } = await runCommand(['serve', '--id', '0', '--connections-max', 'x']);
  t.match(errorOutput, /^Error: --connections-max "x": expected a number of connections/);
  t.equal(code, 1);
});
