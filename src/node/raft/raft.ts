/**
 * The Raft core: a pure, deterministic state machine for one member of a cluster. This file is its
 * whole surface; include/node.ts has the types.
 *
 *   step, tick, propose, readIndex, persisted, hints  ->  [ core ]  ->  ready
 *
 * It knows no clock, disk, socket or promise. The loop around it drives it so:
 *
 *   on a message      step(raft, message), stepSnapshot(raft, from, term, meta)
 *   on a timer        tick(raft)                       every TICK_MS
 *   on a request      propose(raft, type, data), readIndex(raft, id), transferLeader(raft, id)
 *   on an operator    changeConfiguration(raft, target)
 *   on a connection   peerLost(raft, id), peerUnreachable(raft, id), once electSoon(raft)
 *   on a stream       snapshotSent(raft, to, ok, index)
 *   then, once a turn:
 *     while (hasReady(raft)) carry out ready(raft)     what and in which order: see Ready
 *   after a sync      persisted(raft, writeNumber)
 *   now and then      compactTo(raft, limits, durable)
 *
 * Many inputs, one Ready: what a turn of the loop proposes, reads and acknowledges goes out in as
 * few messages as possible.
 *
 * Where to read on: step.ts (how messages enter), role.ts (the roles), election.ts, step-leader.ts
 * and step-follower.ts with replicate.ts and commit.ts (the log), members.ts (who belongs to the
 * cluster), read-index.ts, transfer.ts, hints.ts, ready.ts. The state is in state.ts, log.ts,
 * configurations.ts, progress.ts and writes.ts.
 *
 * Sources: Ongaro, "Consensus: Bridging Theory and Practice", 2014 ("thesis"); Ongaro and
 * Ousterhout, "In Search of an Understandable Consensus Algorithm", 2014 ("Raft paper").
 */

export { checkRaft } from './check.ts';
export { type CompactionLimits, compact, compactTo } from './compact.ts';
export { electSoon, peerLost, peerUnreachable, snapshotSent } from './hints.ts';
export { changeConfiguration, configurationAt } from './members.ts';
export { propose } from './propose.ts';
export { readIndex } from './read-index.ts';
export { hasReady, persisted, ready } from './ready.ts';
export type { Raft } from './state.ts';
export { createRaft } from './state.ts';
export {
  commitIndex,
  isLeader,
  lastIndex,
  leaderOf,
  raftStatus,
  startIndex,
  startTerm,
  termOf,
} from './status.ts';
export { step, stepSnapshot } from './step.ts';
export { tick } from './tick.ts';
export { transferLeader } from './transfer.ts';
