import t from 'tap';
import { MEMBER_TIMEOUT_MS } from '../../include/node.ts';
import { FrameType } from '../../include/rpc.ts';
import type { Asker } from '../../src/node/asker.ts';
import { type Proposal, Proposals } from '../../src/node/proposals.ts';

const asker: Asker = { answer: () => {}, refuse: () => {}, redirect: () => {} };
const command = { type: FrameType.Compact, body: { revision: 1, physical: false } } as const;

function proposal(index: number, term: number, receivedMs = 0): Proposal {
  return { index, term, asker, id: index * 100 + term, command, receivedMs };
}

function collector(): { lost: number[]; onLost: (proposal: Proposal) => void } {
  const lost: number[] = [];
  return { lost, onLost: (one) => lost.push(one.id) };
}

t.test('an applied entry settles the proposal of its index and term', async (t) => {
  const proposals = new Proposals();
  const { lost, onLost } = collector();
  for (const index of [4, 5, 6]) proposals.add(proposal(index, 2), onLost);
  t.equal(proposals.take(4, 2, onLost)?.id, 402);
  t.equal(proposals.take(5, 2, onLost)?.id, 502);
  t.equal(proposals.count, 1);
  t.strictSame(lost, []);
});

t.test('a proposal whose entry was overwritten is lost, not answered', async (t) => {
  const proposals = new Proposals();
  const { lost, onLost } = collector();
  for (const index of [4, 5, 6]) proposals.add(proposal(index, 2), onLost);
  t.equal(proposals.take(4, 3, onLost), undefined);
  t.strictSame(lost, [402]);
  t.equal(proposals.take(6, 3, onLost), undefined);
  t.strictSame(lost, [402, 502, 602]);
});

t.test('an entry proposed elsewhere leaves later proposals waiting', async (t) => {
  const proposals = new Proposals();
  const { onLost } = collector();
  proposals.add(proposal(9, 2), onLost);
  t.equal(proposals.take(8, 2, onLost), undefined);
  t.equal(proposals.count, 1);
});

t.test('a leader again proposes over what it once proposed: the older ones are lost', async (t) => {
  const proposals = new Proposals();
  const { lost, onLost } = collector();
  for (const index of [4, 5, 6]) proposals.add(proposal(index, 2), onLost);
  proposals.add(proposal(5, 4), onLost);
  t.strictSame(lost, [502, 602]);
  t.equal(proposals.take(4, 2, onLost)?.id, 402);
  t.equal(proposals.take(5, 4, onLost)?.id, 504);
});

t.test('those whose time is up are given up, the others wait', async (t) => {
  const proposals = new Proposals();
  const { lost, onLost } = collector();
  proposals.add(proposal(1, 1, 10), onLost);
  proposals.add(proposal(2, 1, 20), onLost);
  proposals.expire(15 + MEMBER_TIMEOUT_MS, onLost);
  t.strictSame(lost, [101]);
  proposals.drain(onLost);
  t.strictSame(lost, [101, 201]);
  t.equal(proposals.count, 0);
});
