/**
 * What a change of the members leads to, and whether that is safe. Pure.
 *
 * Who is added to vote becomes a learner with that goal, and the voters that the same change
 * removes are marked to leave: `nextStep` carries both out together once the learners have caught
 * up (Raft thesis 4.2.1). Taking back the last of those learners takes back the marks.
 *
 * A change of the voters is safe when it does not leave the cluster with fewer failures to bear
 * while one of the new voters is down already; that can be forced. One after which no majority of
 * the voters is healthy cannot: it would not be committed before one is, and nothing else either,
 * while a node that is to join needs a leader to learn who the others are.
 */

import {
  type Configuration,
  MEMBER_NAME_BYTES_MAX,
  MemberGoal,
  type MemberRecord,
  NODE_ID_MAX,
  type NodeId,
  type Roster,
} from '../../include/node.ts';
import {
  ERRORS,
  ErrorCode,
  LEARNERS_MAX,
  MEMBERS_MAX,
  type MemberChangeRequest,
  type MemberStep,
  MemberStepKind,
} from '../../include/rpc.ts';
import { isAddress } from './nodes-conf.ts';

/** How the members are, as their leader sees them. */
export type Health = {
  /** It runs and can be reached. */
  readonly isHealthy: (id: NodeId) => boolean;
  /** A learner has what the leader has, but for what is on the way. */
  readonly isInSync: (id: NodeId) => boolean;
};

/** A change that may be made. */
export type Plan = {
  readonly target: Configuration;
  /** The ids given to those added. */
  readonly added: readonly NodeId[];
};

/** A change that may not be made. */
export type Refusal = { readonly code: ErrorCode; readonly detail: string | undefined };

/** A configuration in the making. */
type Draft = {
  readonly voters: Set<NodeId>;
  readonly learners: Set<NodeId>;
  readonly records: Map<NodeId, MemberRecord>;
  nextId: NodeId;
  readonly added: NodeId[];
};

/**
 * Plans a change that an operator asks for.
 *
 * @param configuration in force, not joint
 */
export function planChange(
  configuration: Configuration & { readonly roster: Roster },
  request: MemberChangeRequest,
  health: Health,
): Plan | Refusal {
  const draft = draftOf(configuration);
  for (const step of request.steps) {
    const refusal = takeStep(draft, step, request.force, health);
    if (refusal !== undefined) return refusal;
  }
  const removed = request.steps.filter(({ kind }) => kind === MemberStepKind.Remove);
  settleRemovals(
    draft,
    removed.map(({ id }) => id),
  );
  const target = finish(draft);
  const refusal = refuseSizes(target) ?? refuseRisk(configuration, target, request.force, health);
  return refusal ?? { target, added: draft.added };
}

/**
 * What a leader does on its own account: promotes the learners that are to vote once all of them
 * have caught up, and removes those that were to leave then.
 *
 * @param configuration in force, not joint
 * @returns undefined when there is nothing to do now
 */
export function nextStep(
  configuration: Configuration & { readonly roster: Roster },
  health: Health,
): Configuration | undefined {
  const draft = draftOf(configuration);
  const joining = joiningOf(draft);
  if (joining.length === 0 || !joining.every(health.isInSync)) return undefined;
  for (const id of joining) promote(draft, id);
  for (const { id, goal } of configuration.roster.members) {
    if (goal === MemberGoal.Gone) remove(draft, id);
  }
  const target = finish(draft);
  if (target.voters.length === 0) return undefined;
  return refuseRisk(configuration, target, false, health) === undefined ? target : undefined;
}

function draftOf({ voters, learners, roster }: Configuration & { roster: Roster }): Draft {
  return {
    voters: new Set(voters),
    learners: new Set(learners),
    records: new Map(roster.members.map((member) => [member.id, member])),
    nextId: roster.nextId,
    added: [],
  };
}

function takeStep(
  draft: Draft,
  step: MemberStep,
  force: boolean,
  health: Health,
): Refusal | undefined {
  if (step.kind === MemberStepKind.Add) return add(draft, step, force);
  if (!draft.records.has(step.id)) return refuse(ErrorCode.MemberNotFound);
  switch (step.kind) {
    case MemberStepKind.Promote:
      if (!draft.learners.has(step.id)) return refuse(ErrorCode.MemberNotLearner);
      if (!force && !health.isInSync(step.id)) return refuse(ErrorCode.LearnerNotReady);
      promote(draft, step.id);
      return undefined;
    case MemberStepKind.Remove:
      return undefined; // Once all is known: see settleRemovals.
    case MemberStepKind.Update:
      return update(draft, step);
  }
}

function add(draft: Draft, step: MemberStep, force: boolean): Refusal | undefined {
  const { name, address, port, clientPort, isLearner } = step;
  const id = draft.nextId;
  if (id > NODE_ID_MAX) return refuse(ErrorCode.TooManyMembers, 'kvorum: all node ids are used up');
  const goal = isLearner ? MemberGoal.Learner : MemberGoal.Voter;
  const record = { id, name, address, port, clientPort: clientPort || undefined, goal };
  const refusal = refuseRecord(draft, record);
  if (refusal !== undefined) return refusal;
  draft.nextId += 1;
  draft.records.set(id, record);
  draft.added.push(id);
  if (force && !isLearner) draft.voters.add(id);
  else draft.learners.add(id);
  return undefined;
}

function update(draft: Draft, step: MemberStep): Refusal | undefined {
  const before = draft.records.get(step.id)!;
  const record = {
    ...before,
    name: step.name || before.name,
    address: step.address || before.address,
    port: step.port || before.port,
    clientPort: step.clientPort || before.clientPort,
  };
  const refusal = refuseRecord(draft, record);
  if (refusal === undefined) draft.records.set(step.id, record);
  return refusal;
}

function promote(draft: Draft, id: NodeId): void {
  draft.learners.delete(id);
  draft.voters.add(id);
  setGoal(draft, id, MemberGoal.Voter);
}

function remove(draft: Draft, id: NodeId): void {
  draft.voters.delete(id);
  draft.learners.delete(id);
  draft.records.delete(id);
}

/** Learners go at once; voters when those that the same change adds have taken their places. */
function settleRemovals(draft: Draft, ids: readonly NodeId[]): void {
  const isReplacing = draft.added.some((id) => joiningOf(draft).includes(id));
  for (const id of ids) {
    if (isReplacing && draft.voters.has(id)) setGoal(draft, id, MemberGoal.Gone);
    else remove(draft, id);
  }
  if (joiningOf(draft).length > 0) return;
  for (const { id, goal } of [...draft.records.values()]) {
    if (goal === MemberGoal.Gone) setGoal(draft, id, MemberGoal.Voter);
  }
}

function setGoal(draft: Draft, id: NodeId, goal: MemberGoal): void {
  const record = draft.records.get(id);
  if (record !== undefined) draft.records.set(id, { ...record, goal });
}

/** The learners that are on their way to vote. */
function joiningOf({ learners, records }: Draft): NodeId[] {
  return [...learners].filter((id) => records.get(id)?.goal === MemberGoal.Voter);
}

function finish({ voters, learners, records, nextId }: Draft): Configuration {
  const ascending = (ids: Iterable<NodeId>): NodeId[] => [...ids].sort((a, b) => a - b);
  const members = [...records.values()].sort((a, b) => a.id - b.id);
  return {
    voters: ascending(voters),
    outgoing: [],
    learners: ascending(learners),
    roster: { nextId, members },
  };
}

function refuseRecord(draft: Draft, record: MemberRecord): Refusal | undefined {
  const { id, name, address, port, clientPort } = record;
  if (!isAddress(address) || port < 1 || clientPort === port) {
    return refuse(ErrorCode.InvalidPeerUrl);
  }
  if (Buffer.byteLength(name) > MEMBER_NAME_BYTES_MAX) {
    const why = `kvorum: a name has at most ${MEMBER_NAME_BYTES_MAX} bytes`;
    return refuse(ErrorCode.InvalidPeerUrl, why);
  }
  for (const other of draft.records.values()) {
    if (other.id === id || other.address.toLowerCase() !== address.toLowerCase()) continue;
    if (other.port === port) return refuse(ErrorCode.PeerUrlExists);
  }
  return undefined;
}

function refuseSizes({ voters, learners }: Configuration): Refusal | undefined {
  if (voters.length === 0) return refuse(ErrorCode.NotEnoughStarted);
  if (learners.length > LEARNERS_MAX) return refuse(ErrorCode.TooManyLearners);
  if (voters.length + learners.length > MEMBERS_MAX) return refuse(ErrorCode.TooManyMembers);
  return undefined;
}

function refuseRisk(
  from: Configuration,
  to: Configuration,
  force: boolean,
  { isHealthy }: Health,
): Refusal | undefined {
  if (from.voters.join() === to.voters.join()) return undefined;
  const down = to.voters.filter((id) => !isHealthy(id));
  const spareAfter = spareOf(to.voters, isHealthy);
  if (spareAfter < 0) {
    const why = `${down.length} of ${to.voters.length} voters would be down: ${down.join(', ')}`;
    return refuse(ErrorCode.NotEnoughStarted, withWhy(ErrorCode.NotEnoughStarted, why));
  }
  const isBearable = down.length === 0 || spareAfter >= spareOf(from.voters, isHealthy);
  if (force || isBearable) return undefined;
  const why = `fewer could fail while ${down.join(', ')} is down: start or remove it first`;
  return refuse(ErrorCode.UnhealthyCluster, withWhy(ErrorCode.UnhealthyCluster, why));
}

/** How many healthy voters could fail before there is no majority; below 0 there is none. */
function spareOf(voters: readonly NodeId[], isHealthy: (id: NodeId) => boolean): number {
  const healthyCount = voters.filter(isHealthy).length;
  return healthyCount - (Math.floor(voters.length / 2) + 1);
}

function withWhy(code: ErrorCode, why: string): string {
  return `${ERRORS.get(code)?.text}: ${why}`;
}

function refuse(code: ErrorCode, detail?: string): Refusal {
  return { code, detail };
}
