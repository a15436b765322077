import t from 'tap';
import { MILESTONES_MAX } from '../../include/node.ts';
import { Milestones } from '../../src/node/milestones.ts';

t.test('an index was reached with the first batch that holds it', async (t) => {
  const milestones = new Milestones();
  milestones.reach(3, 10);
  milestones.reach(7, 20);
  t.equal(milestones.when(1), 10);
  t.equal(milestones.when(3), 10);
  t.equal(milestones.when(4), 20);
  t.equal(milestones.when(7), 20);
  t.equal(milestones.when(8), undefined, 'it has not come so far');
});

t.test("what a new leader's log replaces counts from then on", async (t) => {
  const milestones = new Milestones();
  milestones.reach(3, 10);
  milestones.reach(7, 20);
  milestones.reach(5, 30);
  t.equal(milestones.when(3), 10);
  t.equal(milestones.when(5), 30);
  t.equal(milestones.when(6), undefined);
});

t.test('of more batches than are remembered the oldest are forgotten', async (t) => {
  const milestones = new Milestones();
  for (let index = 1; index <= MILESTONES_MAX + 2; index += 1) milestones.reach(index, index * 10);
  t.equal(milestones.when(3), 30, 'the oldest one kept');
  t.equal(milestones.when(MILESTONES_MAX + 2), (MILESTONES_MAX + 2) * 10);
  t.equal(milestones.when(1), 30, 'what is older seems to have come with the oldest one kept');
});
