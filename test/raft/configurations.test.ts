/** The configurations of a log against a dumb twin that reads the whole log each time. */

import t from 'tap';
import { type Configuration, type Entry, EntryType } from '../../include/node.ts';
import { encodeConfiguration } from '../../src/configuration.ts';
import {
  configurationAsOf,
  createConfigurations,
  forgetBefore,
  forgetFrom,
  newestOf,
  noteEntry,
  restoreConfigurations,
} from '../../src/node/raft/configurations.ts';
import { createRandom } from '../../src/random.ts';

const named = (id: number): Configuration => ({ voters: [id], outgoing: [], learners: [] });

function entryOf(index: number, id: number | undefined): Entry {
  if (id === undefined) return { index, term: 1, type: EntryType.Command, data: Buffer.of(1) };
  return { index, term: 1, type: EntryType.Configuration, data: encodeConfiguration(named(id)) };
}

t.test('what is in force as of each entry is what reading the log finds', async (t) => {
  const random = createRandom(1);
  for (let run = 0; run < 300; run += 1) {
    /** By index: the configuration that an entry carries, if any; all that ever was. */
    let log: (number | undefined)[] = [random.below(9)];
    let start = 0;
    const configurations = createConfigurations(0, named(log[0]!), []);
    for (let step = 0; step < 60; step += 1) {
      const last = log.length - 1;
      const choice = random.below(20);
      if (choice < 14) {
        const id = random.below(3) === 0 ? random.below(1_000) : undefined;
        log.push(id);
        noteEntry(configurations, entryOf(last + 1, id));
      } else if (choice < 16) {
        const from = start + 1 + random.below(last - start + 1);
        log.length = from;
        forgetFrom(configurations, from);
      } else if (choice < 19) {
        start += random.below(last - start + 1);
        forgetBefore(configurations, start);
      } else {
        start = last + 5;
        log = [...log, ...Array<undefined>(4), random.below(1_000)];
        restoreConfigurations(configurations, start, named(log[start]!));
      }
      for (let index = start; index < log.length; index += 1) {
        const expected = log.slice(0, index + 1).findLast((id) => id !== undefined);
        const [found] = configurationAsOf(configurations, index).voters;
        if (found !== expected) t.equal(found, expected, `run ${run}, step ${step}, at ${index}`);
      }
      const [inForce] = newestOf(configurations).configuration.voters;
      const expected = log.findLast((id) => id !== undefined);
      if (inForce !== expected) t.equal(inForce, expected, `run ${run}, step ${step}`);
    }
  }
});

t.test('a log that is read at the start finds the same', async (t) => {
  const entries = [entryOf(8, undefined), entryOf(9, 4), entryOf(10, undefined), entryOf(11, 5)];
  const configurations = createConfigurations(7, named(3), entries);
  const found = [7, 8, 9, 10, 11, 12].map((index) => configurationAsOf(configurations, index));
  t.strictSame(found, [3, 3, 4, 4, 5, 5].map(named));
});

t.test('what is forgotten is not guessed', async (t) => {
  const configurations = createConfigurations(0, named(3), [entryOf(1, 4), entryOf(2, 5)]);
  forgetBefore(configurations, 1);
  t.throws(() => configurationAsOf(configurations, 0), /what was in force is still known/);
});
