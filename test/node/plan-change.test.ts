/** What changes of members lead to, and which are refused: all decided without a cluster. */

import t from 'tap';
import { type Configuration, MemberGoal, type NodeId, type Roster } from '../../include/node.ts';
import {
  ErrorCode,
  LEARNERS_MAX,
  MEMBERS_MAX,
  type MemberStep,
  MemberStepKind,
} from '../../include/rpc.ts';
import { type Health, nextStep, type Plan, planChange } from '../../src/node/plan-change.ts';
import { createRandom } from '../../src/random.ts';

type Known = Configuration & { readonly roster: Roster };

/** Voters 0, 1, 2, … and then learners. */
function clusterOf(voterCount: number, learnerGoals: readonly MemberGoal[] = []): Known {
  const goals = [...Array<MemberGoal>(voterCount).fill(MemberGoal.Voter), ...learnerGoals];
  const members = goals.map((goal, id) => ({
    id,
    name: `n${id}`,
    address: '10.0.0.1',
    port: 7_000 + id,
    clientPort: undefined,
    goal,
  }));
  const ids = members.map(({ id }) => id);
  return {
    voters: ids.slice(0, voterCount),
    outgoing: [],
    learners: ids.slice(voterCount),
    roster: { nextId: members.length, members },
  };
}

const NOTHING = { name: '', address: '', port: 0, clientPort: 0, isLearner: false };
const add = (port: number, isLearner = false): MemberStep => ({
  ...NOTHING,
  kind: MemberStepKind.Add,
  id: -1,
  address: '10.0.0.1',
  port,
  isLearner,
});
const remove = (id: NodeId): MemberStep => ({ ...NOTHING, kind: MemberStepKind.Remove, id });
const promote = (id: NodeId): MemberStep => ({ ...NOTHING, kind: MemberStepKind.Promote, id });
const update = (id: NodeId, what: Partial<MemberStep>): MemberStep => {
  return { ...NOTHING, kind: MemberStepKind.Update, id, ...what };
};

const WELL: Health = { isHealthy: () => true, isInSync: () => true };
const down = (...ids: readonly NodeId[]): Health => ({
  isHealthy: (id) => !ids.includes(id),
  isInSync: (id) => !ids.includes(id),
});

function plan(from: Known, steps: readonly MemberStep[], health = WELL, force = false) {
  return planChange(from, { steps, force }, health);
}

function planned(from: Known, steps: readonly MemberStep[], health = WELL, force = false): Plan {
  const found = plan(from, steps, health, force);
  if ('code' in found) throw new Error(`refused: ${found.code}`);
  return found;
}

function goalOf({ roster }: Configuration, id: NodeId): MemberGoal | undefined {
  return roster?.members.find((member) => member.id === id)?.goal;
}

t.test('who is to vote learns first', async (t) => {
  const { target, added } = planned(clusterOf(1), [add(1)]);
  t.strictSame(added, [1]);
  t.match(target, { voters: [0], learners: [1], outgoing: [] });
  t.equal(goalOf(target, 1), MemberGoal.Voter);
  t.equal(target.roster?.nextId, 2);
});

t.test('forced, it votes at once', async (t) => {
  const { target } = planned(clusterOf(3), [add(1)], down(3), true);
  t.match(target, { voters: [0, 1, 2, 3], learners: [] });
});

t.test('a learner that has caught up is promoted by itself, unless it is to learn', async (t) => {
  const cluster = clusterOf(1, [MemberGoal.Voter, MemberGoal.Learner]);
  t.equal(nextStep(cluster, down(1)), undefined, 'not before it has');
  t.match(nextStep(cluster, WELL), { voters: [0, 1], learners: [2] });
  t.equal(nextStep(clusterOf(1, [MemberGoal.Learner]), WELL), undefined);
});

t.test('several that join are promoted together', async (t) => {
  const cluster = clusterOf(1, [MemberGoal.Voter, MemberGoal.Voter]);
  t.equal(nextStep(cluster, down(2)), undefined);
  t.match(nextStep(cluster, WELL), { voters: [0, 1, 2], learners: [] });
});

t.test('a voter that is replaced goes when the new one is ready', async (t) => {
  const { target } = planned(clusterOf(3), [add(1), remove(1)]);
  t.match(target, { voters: [0, 1, 2], learners: [3] });
  t.equal(goalOf(target, 1), MemberGoal.Gone);
  const next = nextStep(target as Known, WELL);
  t.match(next, { voters: [0, 2, 3], learners: [] });
  t.equal(goalOf(next!, 1), undefined);

  await t.test('and stays when the new one is taken back', async (t) => {
    const { target: back } = planned(target as Known, [remove(3)]);
    t.match(back, { voters: [0, 1, 2], learners: [] });
    t.equal(goalOf(back, 1), MemberGoal.Voter);
    t.equal(back.roster?.nextId, 4, 'an id is never given again');
  });
});

t.test('a voter that is only removed goes at once, whoever joins', async (t) => {
  const { target } = planned(clusterOf(3, [MemberGoal.Voter]), [remove(1)]);
  t.match(target, { voters: [0, 2], learners: [3] });
});

t.test('a member is moved and named; what is not said stays', async (t) => {
  const { target } = planned(clusterOf(2), [update(1, { port: 5, clientPort: 6 })]);
  const [, moved] = target.roster?.members ?? [];
  t.match(moved, { name: 'n1', address: '10.0.0.1', port: 5, clientPort: 6 });
  const { target: named } = planned(clusterOf(2), [update(1, { name: 'b' })]);
  t.match(named.roster?.members[1], { name: 'b', port: 7_001 });
});

const three = clusterOf(3);
const refusals: readonly (readonly [string, Known, MemberStep[], Health, ErrorCode])[] = [
  ['of nobody', three, [remove(9)], WELL, ErrorCode.MemberNotFound],
  ['that promotes a voter', three, [promote(1)], WELL, ErrorCode.MemberNotLearner],
  [
    'that promotes who lags',
    clusterOf(1, [MemberGoal.Learner]),
    [promote(1)],
    down(1),
    ErrorCode.LearnerNotReady,
  ],
  ['to a place that is taken', three, [add(7_001)], WELL, ErrorCode.PeerUrlExists],
  [
    'that moves to a place that is taken',
    three,
    [update(0, { port: 7_001 })],
    WELL,
    ErrorCode.PeerUrlExists,
  ],
  ['to no place', three, [{ ...add(1), address: 'no place' }], WELL, ErrorCode.InvalidPeerUrl],
  ['to port 0', three, [add(0)], WELL, ErrorCode.InvalidPeerUrl],
  ['with one port for all', three, [{ ...add(1), clientPort: 1 }], WELL, ErrorCode.InvalidPeerUrl],
  [
    'with an endless name',
    three,
    [{ ...add(1), name: 'x'.repeat(256) }],
    WELL,
    ErrorCode.InvalidPeerUrl,
  ],
  ['that leaves nobody', clusterOf(1), [remove(0)], WELL, ErrorCode.NotEnoughStarted],
  ['that costs the majority', three, [remove(0)], down(1), ErrorCode.NotEnoughStarted],
  [
    'that makes a member which is down decisive',
    clusterOf(5),
    [remove(0), remove(1)],
    down(2),
    ErrorCode.UnhealthyCluster,
  ],
  [
    'with a learner too many',
    clusterOf(1, Array<MemberGoal>(LEARNERS_MAX).fill(MemberGoal.Learner)),
    [add(1, true)],
    WELL,
    ErrorCode.TooManyLearners,
  ],
  ['with a member too many', clusterOf(MEMBERS_MAX), [add(1)], WELL, ErrorCode.TooManyMembers],
];
for (const [name, from, steps, health, code] of refusals) {
  t.test(`a change ${name} is refused`, async (t) => {
    t.match(plan(from, steps, health), { code });
  });
}

t.test('a learner and a member less than too many are taken', async (t) => {
  const learners = Array<MemberGoal>(LEARNERS_MAX - 1).fill(MemberGoal.Learner);
  t.equal(planned(clusterOf(1, learners), [add(1, true)]).target.learners.length, LEARNERS_MAX);
  t.equal(planned(clusterOf(MEMBERS_MAX - 1), [add(1)]).target.roster?.members.length, MEMBERS_MAX);
});

const unsafe: readonly (readonly [string, Known, MemberStep[], Health])[] = [
  ['leaves fewer to fail', clusterOf(5), [remove(0), remove(1)], down(2)],
  [
    'promotes who lags',
    clusterOf(3, [MemberGoal.Learner]),
    [promote(3)],
    { ...WELL, isInSync: () => false },
  ],
];
for (const [name, from, steps, health] of unsafe) {
  t.test(`a change that ${name} can be forced`, async (t) => {
    t.match(plan(from, steps, health), { code: /./ });
    t.ok('target' in plan(from, steps, health, true));
  });
}

const fatal: readonly (readonly [string, Known, MemberStep[], Health])[] = [
  ['adds a voter that does not run to one that does', clusterOf(1), [add(1)], down(1)],
  ['removes what keeps the majority', three, [remove(0)], down(1)],
  [
    'promotes who is down beside one voter',
    clusterOf(1, [MemberGoal.Learner]),
    [promote(1)],
    down(1),
  ],
];
for (const [name, from, steps, health] of fatal) {
  t.test(`a change that ${name} is refused, even forced`, async (t) => {
    t.match(plan(from, steps, health, true), { code: ErrorCode.NotEnoughStarted });
  });
}

t.test('who is down may always be removed, or replaced', async (t) => {
  t.match(planned(three, [remove(1)], down(1)).target, { voters: [0, 2] });
  const { target } = planned(three, [add(1), remove(1)], down(1, 3));
  t.equal(nextStep(target as Known, down(1, 3)), undefined, 'not before the new one runs');
  t.match(nextStep(target as Known, down(1)), { voters: [0, 2, 3] });
});

t.test('no plan costs a healthy cluster its majority, whatever is asked', async (t) => {
  const random = createRandom(1);
  let plannedCount = 0;
  for (let round = 0; round < 20_000; round += 1) {
    const from = clusterOf(
      1 + random.below(5),
      Array.from({ length: random.below(3) }, () => random.below(2) as MemberGoal),
    );
    const ids = from.roster.members.map(({ id }) => id);
    const sick = new Set(ids.filter(() => random.below(5) === 0));
    const health = {
      isHealthy: (id: NodeId) => !sick.has(id),
      isInSync: () => random.below(2) > 0,
    };
    const pick = (): NodeId => ids[random.below(ids.length)]!;
    const steps = Array.from({ length: 1 + random.below(3) }, () => {
      const kinds = [add(random.below(9_000)), remove(pick()), promote(pick())];
      return kinds[random.below(3)]!;
    });
    const outcome = plan(from, steps, health, random.below(2) === 0);
    const target = 'code' in outcome ? nextStep(from, health) : outcome.target;
    if (target === undefined) continue;
    plannedCount += 1;
    const had = from.voters.filter(health.isHealthy).length * 2 > from.voters.length;
    const has = target.voters.filter(health.isHealthy).length * 2 > target.voters.length;
    const isSame = target.voters.join() === from.voters.join();
    if (had && !has && !isSame) t.fail(`${JSON.stringify(steps)} from ${JSON.stringify(from)}`);
    const listed = [...target.voters, ...target.learners].sort((a, b) => a - b);
    const known = target.roster?.members.map(({ id }) => id);
    if (listed.join() !== known?.join()) t.strictSame(known, listed);
  }
  t.ok(plannedCount > 5_000);
});
