/** The numbers of a session's writes. */

import t from 'tap';
import { SESSION_ANSWERS_MAX } from '../../include/kvstore.ts';
import { Session } from '../../src/client/session.ts';
import { createRandom } from '../../src/random.ts';

t.test('writes are numbered from 1, and acknowledged when all before are settled', async (t) => {
  const session = new Session(77);
  t.strictSame(session.number(), { session: 77, sequence: 1, acknowledged: 0 });
  t.strictSame(session.number(), { session: 77, sequence: 2, acknowledged: 0 });
  session.settle(2);
  t.strictSame(session.number(), { session: 77, sequence: 3, acknowledged: 0 });
  session.settle(1);
  t.strictSame(session.number(), { session: 77, sequence: 4, acknowledged: 2 });
});

t.test('what is acknowledged is what a list of the open writes says', async (t) => {
  const random = createRandom(3);
  const session = new Session(1);
  const open: number[] = [];
  for (let step = 0; step < 300_000; step += 1) {
    if (open.length < 200 && random.below(2) === 0) {
      const { sequence, acknowledged } = session.number();
      const oldest = open.length === 0 ? sequence : Math.min(...open);
      if (acknowledged !== oldest - 1) t.equal(acknowledged, oldest - 1, `at ${sequence}`);
      open.push(sequence);
    } else if (open.length > 0) {
      const [sequence = 0] = open.splice(random.below(open.length), 1);
      session.settle(sequence);
    }
  }
  t.ok(session.number().sequence > SESSION_ANSWERS_MAX, 'the numbers went round');
});

t.test('one write that stays open fills a session, once so many have come behind it', async (t) => {
  const session = new Session(1);
  t.equal(session.number().sequence, 1);
  for (let sequence = 2; sequence <= SESSION_ANSWERS_MAX; sequence += 1) {
    session.number();
    session.settle(sequence);
  }
  t.ok(session.isFull);
  session.settle(1);
  t.notOk(session.isFull);
  t.strictSame(session.number(), {
    session: 1,
    sequence: SESSION_ANSWERS_MAX + 1,
    acknowledged: SESSION_ANSWERS_MAX,
  });
});
