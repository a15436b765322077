/** What a member that joins shows of it: a bar on a screen, nothing elsewhere. */

import { Writable } from 'node:stream';
import t from 'tap';
import type { Client, Member, MembersReply } from '../../include/client.ts';
import { MemberGoal } from '../../include/node.ts';
import { ErrorCode, KvorumError, type StatusReply } from '../../include/rpc.ts';
import { showOwnJoining } from '../../src/commands/member-progress.ts';
import { createTerminal, type Terminal } from '../../src/commands/terminal.ts';

const place = { address: '10.0.0.1', port: 7001, clientPort: undefined, goal: MemberGoal.Voter };
const leader: Member = { ...place, id: 0, name: 'a', isLearner: false };
const joining: Member = { ...place, id: 3, name: '', isLearner: true };

/** A cluster that says once that a half of the snapshot is there, and then this. */
function cluster(then: () => MembersReply): { client: Client; asked: () => number } {
  const peers = [{ id: 3, isOnline: true, snapshotSentBytes: 500, snapshotSizeBytes: 1_000 }];
  let asked = 0;
  const client = {
    members: async () => {
      asked += 1;
      return asked === 1 ? membersAre(joining) : then();
    },
    status: async () => ({ leader: 0, peers }) as unknown as StatusReply,
  };
  return { client: client as unknown as Client, asked: () => asked };
}

const membersAre = (member: Member): MembersReply =>
  ({ members: [leader, member] }) as unknown as MembersReply;

function terminalOn(screen: { isTTY?: true }): { terminal: Terminal; shown: () => string } {
  let text = '';
  const stream = (): Writable =>
    new Writable({
      write: (chunk, _encoding, done) => {
        text += String(chunk);
        done();
      },
    });
  const output = Object.assign(stream(), screen);
  const terminal = createTerminal({ input: undefined, output, errorOutput: stream() }, {});
  return { terminal, shown: () => text };
}

const bar = `member 3: snapshot [${'#'.repeat(15)}${' '.repeat(15)}] 50 % of 1.0 kB\r\n`;

t.test('a bar shows how much of the snapshot is there, until the member votes', async (t) => {
  const { client, asked } = cluster(() => membersAre({ ...joining, isLearner: false }));
  const { terminal, shown } = terminalOn({ isTTY: true });
  await showOwnJoining(client, terminal, 3, new AbortController().signal);
  t.equal(shown(), bar);
  t.equal(asked(), 2);
});

t.test('a cluster that does not answer ends it, and so does the member that stops', async (t) => {
  const silent = cluster(() => {
    throw new KvorumError(ErrorCode.DeadlineExceeded);
  });
  const screen = terminalOn({ isTTY: true });
  await showOwnJoining(silent.client, screen.terminal, 3, new AbortController().signal);
  t.equal(screen.shown(), bar);

  const { client, asked } = cluster(() => membersAre(joining));
  await showOwnJoining(client, screen.terminal, 3, AbortSignal.abort());
  t.equal(asked(), 0);
});

t.test('nothing is asked for where there is no screen', async (t) => {
  const { client, asked } = cluster(() => membersAre(joining));
  const { terminal, shown } = terminalOn({});
  await showOwnJoining(client, terminal, 3, new AbortController().signal);
  t.equal(shown(), '');
  t.equal(asked(), 0);
});

t.test('a member that votes already shows nothing', async (t) => {
  const client = { members: async () => membersAre({ ...joining, isLearner: false }) };
  const { terminal, shown } = terminalOn({ isTTY: true });
  const { signal } = new AbortController();
  await showOwnJoining(client as unknown as Client, terminal, 3, signal);
  t.equal(shown(), '');
});
