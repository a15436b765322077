import t from 'tap';
import { MEMBER_TIMEOUT_MS } from '../../include/node.ts';
import { FrameType } from '../../include/rpc.ts';
import type { Asker } from '../../src/node/asker.ts';
import {
  type Read,
  type ReadRequest,
  type ReadStage,
  Reads,
  type Round,
} from '../../src/node/reads.ts';

const asker: Asker = { answer: () => {}, refuse: () => {}, redirect: () => {} };
const request: ReadRequest = { type: FrameType.LeaseKeepAlive, body: { id: 7n } };

function read(id: number, receivedMs = 90): Read {
  return { asker, id, request, term: 1, receivedMs };
}

function ids(round: Round | undefined): number[] | undefined {
  return round?.reads.map((one) => one.id);
}

t.test('reads that arrive during a round share the next one', async (t) => {
  const reads = new Reads({ nowMs: () => 0 });
  t.equal(reads.beginRound(), 0);
  reads.add(read(1));
  t.equal(reads.beginRound(), 1);
  reads.add(read(2));
  reads.add(read(3));
  t.equal(reads.beginRound(), 0, 'one round is in flight');
  reads.grant({ id: 1, index: 7 });
  t.equal(reads.beginRound(), 2);
  reads.grant({ id: 2, index: 7 });
  t.strictSame(ids(reads.takeReady(7)), [1]);
  t.strictSame(ids(reads.takeReady(7)), [2, 3]);
  t.equal(reads.count, 0);
});

t.test('a granted read waits until the store has reached its index', async (t) => {
  const reads = new Reads({ nowMs: () => 0 });
  reads.add(read(1));
  reads.grant({ id: reads.beginRound(), index: 7 });
  t.equal(reads.takeReady(6), undefined);
  t.strictSame(ids(reads.takeReady(7)), [1]);
});

t.test('a refused round is asked again with the reads that came since', async (t) => {
  const reads = new Reads({ nowMs: () => 0 });
  reads.add(read(1));
  const round = reads.beginRound();
  reads.add(read(2));
  reads.refuse(round);
  const again = reads.beginRound();
  t.not(again, round);
  reads.grant({ id: again, index: 1 });
  t.strictSame(ids(reads.takeReady(1)), [1, 2]);
});

t.test('a grant of a round given up answers nobody', async (t) => {
  const reads = new Reads({ nowMs: () => 0 });
  reads.add(read(1));
  const round = reads.beginRound();
  reads.refuse(round);
  reads.grant({ id: round, index: 1 });
  t.equal(reads.takeReady(9), undefined);
  t.equal(reads.count, 1);
});

t.test(
  'reads expire wherever they wait, and a round nobody waits for frees its place',
  async (t) => {
    let nowMs = 11;
    const reads = new Reads({ nowMs: () => nowMs });
    const expired = new Map<number, ReadStage>();
    reads.add(read(1, 10));
    const round = reads.beginRound();
    nowMs = 12;
    reads.grant({ id: round, index: 5 });
    reads.add(read(2, 10));
    reads.beginRound();
    reads.add(read(3, 10));
    reads.expire(10 + MEMBER_TIMEOUT_MS, (one, stage) => expired.set(one.id, stage));
    t.match(expired.get(1), { askedMs: 11, grantedMs: 12 });
    t.strictSame(expired.get(2), { askedMs: 12 });
    t.strictSame(expired.get(3), {});
    reads.add(read(4));
    t.ok(reads.beginRound() > 0, 'a new round may begin');
  },
);
