import t from 'tap';
import { createRandom } from '../src/random.ts';
import { Ring } from '../src/ring.ts';

t.test(
  'a ring behaves as an array that is pushed and shifted, through growth and wrap',
  async (t) => {
    const random = createRandom(7);
    const ring = new Ring<number>();
    const twin: number[] = [];
    for (let step = 0; step < 20_000; step += 1) {
      if (random.below(100) < 52) {
        ring.push(step);
        twin.push(step);
      } else if (ring.shift() !== twin.shift()) t.fail(`shift differs at step ${step}`);
      if (ring.count !== twin.length) t.fail(`count differs at step ${step}`);
      if (ring.peek() !== twin[0]) t.fail(`head differs at step ${step}`);
      if (ring.peekLast() !== twin.at(-1)) t.fail(`end differs at step ${step}`);
      const place = random.below(twin.length + 2);
      if (ring.at(place) !== twin[place]) t.fail(`place ${place} differs at step ${step}`);
    }
    ring.clear();
    t.equal(ring.count, 0);
    t.equal(ring.peek(), undefined);
    t.equal(ring.peekLast(), undefined);
  },
);
