/** The members of a cluster: asked for, and changed. */

import type {
  ChangedMembersReply,
  ChangeMembersOptions,
  Member,
  MemberChange,
  MemberRequests,
  MembersReply,
} from '../../include/client.ts';
import { type Configuration, NO_NODE, NODE_ID_MAX } from '../../include/node.ts';
import {
  ErrorCode,
  FrameType,
  KvorumError,
  MEMBER_STEPS_MAX,
  type MemberChangeRequest,
  type MemberStep,
  MemberStepKind,
  type Reply,
} from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import type { Ask } from './ask.ts';

const PORT_MAX = 0xffff;

/** A step that says nothing yet. */
const NOTHING = { id: NO_NODE, name: '', address: '', port: 0, clientPort: 0, isLearner: false };

/** Makes the requests about members. */
export function memberRequests(ask: Ask): MemberRequests {
  const change = (changes: readonly MemberChange[], how: ChangeMembersOptions = {}) =>
    ask(
      how,
      () => ({ type: FrameType.MemberChange, body: changeRequest(changes, how) }),
      pickChange,
    );
  return {
    members: (how = {}) => {
      const body = { serializable: how.serializable ?? false };
      return ask(how, () => ({ type: FrameType.MemberList, body }), pickMembers);
    },
    changeMembers: change,
    addMember: (member, how) => change([{ add: member }], how),
    promoteMember: (id, how) => change([{ promote: id }], how),
    removeMember: (id, how) => change([{ remove: id }], how),
    updateMember: (id, update, how) => change([{ ...update, update: id }], how),
  };
}

/** Shapes a change. @throws KvorumError FrameMalformed, MemberNotFound, InvalidPeerUrl */
export function changeRequest(
  changes: readonly MemberChange[],
  { force = false }: ChangeMembersOptions,
): MemberChangeRequest {
  if (changes.length < 1 || changes.length > MEMBER_STEPS_MAX) {
    const why = `${changes.length} changes at once: give 1 to ${MEMBER_STEPS_MAX}`;
    throw new KvorumError(ErrorCode.FrameMalformed, why);
  }
  return { steps: changes.map(stepOf), force };
}

function stepOf(change: MemberChange): MemberStep {
  if ('promote' in change) {
    return { ...NOTHING, kind: MemberStepKind.Promote, id: checkedId(change.promote) };
  }
  if ('remove' in change) {
    return { ...NOTHING, kind: MemberStepKind.Remove, id: checkedId(change.remove) };
  }
  if ('update' in change) {
    const { update, address = '', port = 0, name = '', clientPort = 0 } = change;
    const kind = MemberStepKind.Update;
    return checked({ ...NOTHING, kind, id: checkedId(update), address, port, name, clientPort });
  }
  const { address, port, name = '', clientPort = 0, isLearner = false } = change.add;
  const kind = MemberStepKind.Add;
  return checked({ ...NOTHING, kind, address, port, name, clientPort, isLearner });
}

function checkedId(id: number): number {
  if (Number.isInteger(id) && id >= 0 && id <= NODE_ID_MAX) return id;
  throw new KvorumError(ErrorCode.MemberNotFound);
}

function checked(step: MemberStep): MemberStep {
  const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= PORT_MAX;
  if (isPort(step.port) && isPort(step.clientPort)) return step;
  throw new KvorumError(ErrorCode.InvalidPeerUrl);
}

function pickMembers(reply: Reply): MembersReply {
  assert(reply.type === FrameType.MemberList, 'members are answered as such', reply.type);
  const { configuration, ...header } = reply.body;
  return { ...header, members: membersOf(configuration) };
}

function pickChange(reply: Reply): ChangedMembersReply {
  assert(reply.type === FrameType.MemberChange, 'a change is answered as one', reply.type);
  const { configuration, ...rest } = reply.body;
  return { ...rest, members: membersOf(configuration) };
}

/** A node always knows its members; a configuration without a roster would have none. */
function membersOf({ voters, outgoing, roster }: Configuration): readonly Member[] {
  const members = roster?.members ?? [];
  return members.map(({ id, name, address, port, clientPort, goal }) => {
    const isLearner = !voters.includes(id) && !outgoing.includes(id);
    return { id, name, address, port, clientPort, isLearner, goal };
  });
}
