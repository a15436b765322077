import t from 'tap';
import { type Alarm, AlarmHeap, NO_SLOT } from '../../src/node/alarm-heap.ts';
import { createRandom, drawSeed } from '../../src/random.ts';

function alarm(ringMs: number): Alarm {
  return { ringMs, slot: NO_SLOT };
}

t.test('alarms ring by time, whatever was added and taken out in between', async (t) => {
  const seed = drawSeed();
  t.comment(`seed ${seed}`);
  const random = createRandom(seed);
  const heap = new AlarmHeap<Alarm>();
  const twin = new Set<Alarm>();
  const earliest = (): number => Math.min(...[...twin].map(({ ringMs }) => ringMs));
  for (let step = 0; step < 5_000; step += 1) {
    if (twin.size === 0 || random.below(5) < 3) {
      const added = alarm(random.below(200));
      heap.add(added);
      twin.add(added);
    } else {
      const taken = [...twin][random.below(twin.size)] ?? alarm(0);
      heap.remove(taken);
      twin.delete(taken);
    }
    if (heap.count !== twin.size) t.fail(`${heap.count} alarms, expected ${twin.size}`);
    if (twin.size > 0 && heap.peek()?.ringMs !== earliest()) t.fail('not the earliest rings first');
    if (twin.size > 100)
      for (const each of [...twin].slice(0, 80)) {
        heap.remove(each);
        twin.delete(each);
      }
  }
  t.pass();
});

t.test('an alarm that is not set is taken out without effect, and can be set again', async (t) => {
  const heap = new AlarmHeap<Alarm>();
  const one = alarm(1);
  heap.remove(one);
  heap.add(one);
  heap.clear();
  t.equal(heap.peek(), undefined);
  heap.add(one);
  t.equal(heap.peek(), one);
  t.throws(() => heap.add(one), /an alarm is set once/);
});
