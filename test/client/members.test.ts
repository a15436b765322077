/** Changes of members as they are said, and as they travel. */

import t from 'tap';
import type { MemberChange } from '../../include/client.ts';
import { ErrorCode, MEMBER_STEPS_MAX } from '../../include/rpc.ts';
import { changeRequest } from '../../src/client/members.ts';

const NOTHING = { id: -1, name: '', address: '', port: 0, clientPort: 0, isLearner: false };

const shapes: readonly (readonly [string, MemberChange, object])[] = [
  [
    'an addition',
    { add: { address: 'a', port: 1 } },
    { ...NOTHING, kind: 0, address: 'a', port: 1 },
  ],
  [
    'an addition in full',
    { add: { address: 'a', port: 1, name: 'n', clientPort: 2, isLearner: true } },
    { kind: 0, id: -1, address: 'a', port: 1, name: 'n', clientPort: 2, isLearner: true },
  ],
  ['a promotion', { promote: 3 }, { ...NOTHING, kind: 1, id: 3 }],
  ['a removal', { remove: 0 }, { ...NOTHING, kind: 2, id: 0 }],
  ['an update', { update: 4, port: 5 }, { ...NOTHING, kind: 3, id: 4, port: 5 }],
];
for (const [name, change, step] of shapes) {
  t.test(`${name} travels as one step`, async (t) => {
    t.strictSame(changeRequest([change], {}), { steps: [step], force: false });
  });
}

t.test('steps travel in order, and that they are forced', async (t) => {
  const { steps, force } = changeRequest([{ promote: 3 }, { remove: 1 }], { force: true });
  t.strictSame(
    steps.map(({ id }) => id),
    [3, 1],
  );
  t.equal(force, true);
});

const refused: readonly (readonly [string, readonly MemberChange[], ErrorCode])[] = [
  ['nothing', [], ErrorCode.FrameMalformed],
  [
    'too much',
    Array<MemberChange>(MEMBER_STEPS_MAX + 1).fill({ remove: 1 }),
    ErrorCode.FrameMalformed,
  ],
  ['a member of no number', [{ remove: 1.5 }], ErrorCode.MemberNotFound],
  ['a member below all', [{ promote: -1 }], ErrorCode.MemberNotFound],
  ['a port beyond all', [{ add: { address: 'a', port: 65_536 } }], ErrorCode.InvalidPeerUrl],
  ['a client port beyond all', [{ update: 1, clientPort: -1 }], ErrorCode.InvalidPeerUrl],
];
for (const [name, changes, code] of refused) {
  t.test(`a change of ${name} is refused before it is sent`, async (t) => {
    t.throws(() => changeRequest(changes, {}), { code });
  });
}
