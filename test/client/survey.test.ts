/** Finding every node of a cluster. */

import t from 'tap';
import type { PeerStatus } from '../../include/node.ts';
import { FrameType } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { surveyCluster } from '../../src/client/survey.ts';
import { type FakeNode, startFakeNode, statusOf, unusedPort } from './fake-node.ts';

function peer(id: number, port: number): PeerStatus {
  const progress = { matchIndex: 0, snapshotSentBytes: 0, snapshotSizeBytes: 0 };
  const facts = { isOnline: true, isLearner: false, roundTripMicros: 100, ...progress };
  return { id, address: '127.0.0.1', port, ...facts };
}

/** A node whose status names these peers. */
async function nodeWithPeers(id: number, peers: readonly PeerStatus[]): Promise<FakeNode> {
  return startFakeNode(id, ({ request, reply }) => {
    if (request.type !== FrameType.Status) return;
    reply({ type: FrameType.Status, body: statusOf(id, { peers }) });
  });
}

t.test('one endpoint leads to all members, once each, by id', async (t) => {
  const far = await nodeWithPeers(2, []);
  const near = await nodeWithPeers(0, [peer(2, far.port), peer(1, 1)]);
  const first = await nodeWithPeers(1, [peer(0, near.port), peer(2, far.port)]);
  const client = connect({ endpoints: [first.endpoint] });
  const nodes = [far, near, first];
  t.teardown(() => Promise.all([client.close(), ...nodes.map((node) => node.close())]));

  const found = await surveyCluster(client);
  t.strictSame(
    found.map(({ nodeId, endpoint, error }) => [nodeId, endpoint, error]),
    [
      [0, near.endpoint, ''],
      [1, first.endpoint, ''],
      [2, far.endpoint, ''],
    ],
  );
  t.strictSame(
    nodes.map((node) => node.requests.length),
    [1, 1, 1],
  );
});

t.test('a member that cannot be reached is listed with its id and why', async (t) => {
  const port = await unusedPort();
  const node = await nodeWithPeers(0, [peer(5, port)]);
  const client = connect({ endpoints: [node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));

  const [, missing] = await surveyCluster(client);
  t.match(missing, { nodeId: 5, endpoint: `127.0.0.1:${port}`, status: undefined });
  t.match(missing?.error, /connection refused/);
});

t.test('two names of one node are one node', async (t) => {
  const node = await nodeWithPeers(0, []);
  const client = connect({ endpoints: [node.endpoint, `localhost:${node.port}`] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  t.equal((await surveyCluster(client)).length, 1);
});

t.test('an endpoint that nobody knows and nobody answers at comes last', async (t) => {
  const port = await unusedPort();
  const node = await nodeWithPeers(3, []);
  const client = connect({ endpoints: [`127.0.0.1:${port}`, node.endpoint] });
  t.teardown(() => Promise.all([client.close(), node.close()]));
  const found = await surveyCluster(client);
  t.strictSame(
    found.map(({ nodeId }) => nodeId),
    [3, undefined],
  );
});
