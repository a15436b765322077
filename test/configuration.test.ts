/** Configurations in bytes: what is encoded comes back, what is none is told. */

import t from 'tap';
import { type Configuration, MEMBER_NAME_BYTES_MAX, MemberGoal } from '../include/configuration.ts';
import { decodeConfiguration, encodeConfiguration } from '../src/configuration.ts';
import { createRandom } from '../src/random.ts';

const EXAMPLE: Configuration = {
  voters: [0, 2, 0xffff_fffe],
  outgoing: [1],
  learners: [5],
  roster: {
    nextId: 6,
    members: [
      {
        id: 0,
        name: 'é',
        address: '10.0.0.1',
        port: 7001,
        clientPort: 2379,
        goal: MemberGoal.Voter,
      },
      {
        id: 5,
        name: '',
        address: 'db.example',
        port: 65_535,
        clientPort: undefined,
        goal: MemberGoal.Learner,
      },
    ],
  },
};

t.test('a configuration comes back as it was', async (t) => {
  const { voters, outgoing, learners } = EXAMPLE;
  const configurations: Configuration[] = [
    { voters: [], outgoing: [], learners: [] },
    { voters, outgoing, learners },
    { voters, outgoing, learners, roster: { nextId: 0, members: [] } },
    EXAMPLE,
  ];
  for (const configuration of configurations) {
    t.strictSame(decodeConfiguration(encodeConfiguration(configuration)), configuration);
  }
});

t.test('a configuration that is cut is none, wherever it is cut', async (t) => {
  const bytes = encodeConfiguration(EXAMPLE);
  const lists = encodeConfiguration({ ...EXAMPLE, roster: { nextId: 0, members: [] } }).length - 8;
  for (let length = 0; length < bytes.length; length += 1) {
    if (length === lists) continue; // There it is one without a roster.
    t.equal(decodeConfiguration(bytes.subarray(0, length)), undefined, `${length} bytes`);
  }
  t.equal(decodeConfiguration(Buffer.concat([bytes, Buffer.alloc(1)])), undefined, 'one too many');
});

t.test('bytes at random are a configuration that comes back, or none', async (t) => {
  const random = createRandom(1);
  const whole = encodeConfiguration(EXAMPLE);
  let decodedCount = 0;
  for (let i = 0; i < 50_000; i += 1) {
    const bytes = Buffer.from(whole);
    for (let flips = random.below(3); flips >= 0; flips -= 1) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    const configuration = decodeConfiguration(bytes);
    if (configuration === undefined) continue;
    decodedCount += 1;
    if (!encodeConfiguration(configuration).equals(bytes)) t.fail(bytes.toString('hex'));
  }
  t.ok(decodedCount > 1_000, `${decodedCount} can be read`);
});

const refused: readonly (readonly [string, Configuration])[] = [
  ['whose ids do not ascend', { ...EXAMPLE, voters: [2, 1] }],
  ['with an id twice', { ...EXAMPLE, learners: [3, 3] }],
  ['with the id that means none', { ...EXAMPLE, voters: [0xffff_ffff] }],
];
for (const [name, configuration] of refused) {
  t.test(`a configuration ${name} is none`, async (t) => {
    t.equal(decodeConfiguration(encodeConfiguration(configuration)), undefined);
  });
}

t.test('a name has its limit', async (t) => {
  const [first] = EXAMPLE.roster?.members ?? [];
  const named = (length: number): Configuration => {
    const member = { ...first!, name: 'x'.repeat(length) };
    return { ...EXAMPLE, roster: { nextId: 1, members: [member] } };
  };
  const longest = named(MEMBER_NAME_BYTES_MAX);
  t.strictSame(decodeConfiguration(encodeConfiguration(longest)), longest);
  t.throws(() => encodeConfiguration(named(MEMBER_NAME_BYTES_MAX + 1)), /a name has its limit/);
});
