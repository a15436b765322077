/** A request that nobody can answer is given up, and the log says what it waited for. */

import t from 'tap';
import { type LogFields, NO_LOG } from '../../include/log.ts';
import { ErrorCode, FrameType } from '../../include/rpc.ts';
import { requestWrite } from '../../src/node/client-requests.ts';
import { encodeCommand } from '../../src/rpc/command-codec.ts';
import { putOf } from '../kvstore/store-requests.ts';
import { GrowingCluster } from './growing-cluster.ts';

t.setTimeout(240_000);

t.test('a write without a majority is logged when it is given up', async (t) => {
  const lines: LogFields[] = [];
  const warn = (event: string, fields: LogFields = {}): void => {
    if (event === 'request timed out') lines.push(fields);
  };
  const cluster = await GrowingCluster.start(t, { log: { ...NO_LOG, warn } });
  const second = await cluster.addVoter(cluster.client());
  const { member } = cluster.nodes.get(await cluster.leader())!;
  const other = member.raft.id === second ? 0 : second;
  // At once it acknowledges nothing any more; that it is gone, the leader sees later.
  const stopped = cluster.stopNode(other);
  const put = { type: FrameType.Put, body: putOf('key', 'v') } as const;
  const code = await new Promise<ErrorCode>((resolve, reject) => {
    const asker = { answer: reject, refuse: (_: number, code: ErrorCode) => resolve(code) };
    const redirect = (): void => reject(new Error('it does not lead'));
    requestWrite(member, { ...asker, redirect }, 1, encodeCommand(put), put);
  });
  await stopped;
  t.equal(code, ErrorCode.TimedOut);
  const [line = {}] = lines;
  t.match(line, { type: 'put', key: 'key', replicationMs: Number });
  t.notOk('applyMs' in line);
});
