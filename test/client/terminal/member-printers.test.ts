/** What is printed about members, in every format. */

import t from 'tap';
import type { ChangedMembersReply, Member } from '../../../include/client.ts';
import { MemberGoal, type PeerStatus } from '../../../include/node.ts';
import type { StatusReply } from '../../../include/rpc.ts';
import { createFieldsPrinter } from '../../../src/client/terminal/fields-printer.ts';
import { createJsonPrinter } from '../../../src/client/terminal/json-printer.ts';
import { createSimplePrinter } from '../../../src/client/terminal/simple-printer.ts';
import { createTablePrinter } from '../../../src/client/terminal/table-printer.ts';
import { describe } from '../../../src/commands/member-progress.ts';
import { progressBar } from '../../../src/commands/progress-line.ts';

const first: Member = {
  id: 0,
  name: 'a',
  address: '10.0.0.1',
  port: 7001,
  clientPort: 2379,
  isLearner: false,
  goal: MemberGoal.Voter,
};
const second: Member = {
  id: 10,
  name: '',
  address: '::1',
  port: 7002,
  clientPort: undefined,
  isLearner: true,
  goal: MemberGoal.Voter,
};
const header = { clusterId: 0x89c_f5b5_6a2d_acd7n, nodeId: 1, revision: 5, term: 2 };
const reply: ChangedMembersReply = { ...header, members: [first, second], added: [10] };

function printed(print: (output: (chunk: string | Buffer) => void) => void): string {
  let text = '';
  print((chunk) => {
    text += chunk.toString();
  });
  return text;
}

t.test('members are listed a line each', async (t) => {
  const text = printed((output) => createSimplePrinter(output, output).memberList(reply));
  t.equal(
    text,
    '0, started, a, http://10.0.0.1:7001, http://10.0.0.1:2379, false\n' +
      'a, unstarted, , http://[::1]:7002, , true\n',
  );
});

t.test('a member that is added is told with how to start it', async (t) => {
  const changes = [{ id: 10, became: 'added to', name: 'b' }] as const;
  const text = printed((output) =>
    createSimplePrinter(output, output).memberChange(reply, changes),
  );
  t.equal(
    text,
    [
      'Member a added to cluster  89cf5b56a2dacd7',
      '',
      'KVORUM_NAME="b"',
      'KVORUM_JOIN="10.0.0.1:7001"',
      'KVORUM_LISTEN="[::1]:7002"',
      '',
    ].join('\n'),
  );
});

t.test('members have JSON like that of etcdctl', async (t) => {
  const head =
    '"header":{"cluster_id":620641008189549783,"member_id":1,"revision":5,"raft_term":2}';
  const members =
    '"members":[{"ID":0,"name":"a","peerURLs":["http://10.0.0.1:7001"],' +
    '"clientURLs":["http://10.0.0.1:2379"]},' +
    '{"ID":10,"peerURLs":["http://[::1]:7002"],"isLearner":true}]';
  const member = '"member":{"ID":10,"peerURLs":["http://[::1]:7002"],"isLearner":true}';
  t.equal(
    printed((output) => createJsonPrinter(output).memberList(reply)),
    `{${head},${members}}\n`,
  );
  t.equal(
    printed((output) => createJsonPrinter(output).memberChange(reply, [])),
    `{${head},${member},${members}}\n`,
  );
});

t.test('members have fields, a blank line after each', async (t) => {
  const text = printed((output) => createFieldsPrinter(output).memberList(reply));
  t.match(text, '"ID" : 0\n"Name" : "a"\n"PeerURL" : "http://10.0.0.1:7001"\n');
  t.match(text, '"ClientURL" : "http://10.0.0.1:2379"\n"IsLearner" : false\n\n"ID" : 10\n');
  t.match(text, '"Name" : ""\n"PeerURL" : "http://[::1]:7002"\n"IsLearner" : true\n\n');
});

t.test('members have a table', async (t) => {
  const text = printed((output) => createTablePrinter(output).memberList(reply));
  t.match(text, '| ID |  STATUS   | NAME |');
  t.match(text, '|  0 |   started |    a | http://10.0.0.1:7001 | http://10.0.0.1:2379 |');
});

const peer: PeerStatus = {
  id: 10,
  address: '::1',
  port: 7002,
  isOnline: true,
  isLearner: true,
  roundTripMicros: 0,
  matchIndex: 60,
  snapshotSentBytes: 0,
  snapshotSizeBytes: 0,
};
const leaderThat = (sees: Partial<PeerStatus>): StatusReply =>
  ({ lastIndex: 100, peers: [{ ...peer, ...sees }] }) as unknown as StatusReply;

const progress: readonly (readonly [string, StatusReply | undefined, string])[] = [
  ['without a leader', undefined, 'member a: no leader'],
  ['that is not started', leaderThat({ isOnline: false }), 'member a: not started'],
  ['that lags', leaderThat({}), 'member a: 40 entries behind'],
  [
    'that is ahead of what was asked',
    leaderThat({ matchIndex: 101 }),
    'member a: 0 entries behind',
  ],
];
for (const [name, leader, text] of progress) {
  t.test(`the progress of a member ${name} is told`, async (t) => {
    t.equal(describe(second, leader), text);
  });
}

t.test('the progress of a snapshot is a bar', async (t) => {
  const sent = { snapshotSentBytes: 30 * 1024, snapshotSizeBytes: 40 * 1024 };
  const bar = `[${'#'.repeat(23)}${' '.repeat(7)}] 75 % of 41 kB`;
  t.equal(progressBar(sent.snapshotSentBytes, sent.snapshotSizeBytes), bar);
  t.equal(describe(second, leaderThat(sent)), `member a: snapshot ${bar}`);
});
