/**
 * Deliberate faults, each of them a bug that a system of this kind might have. The simulator must
 * catch every one, or it proves nothing.
 */

import {
  type Lease,
  type Store,
  type StoreHome,
  Table,
  type WatchHub,
} from '../../include/kvstore.ts';
import { type Message, MessageType, NO_NODE, Role, TERM_MAX } from '../../include/node.ts';
import type { Disk } from '../../src/node/disk.ts';
import type { Member } from '../../src/node/member.ts';
import { entryAt, lastTermOf, sizeOf } from '../../src/node/raft/log.ts';
import { agreedValue } from '../../src/node/raft/quorum.ts';
import type { Raft } from '../../src/node/raft/raft.ts';
import { confirmRound } from '../../src/node/raft/read-index.ts';
import type { NodeSabotage } from './sim-node.ts';

/** The smallest key there is. */
const SMALLEST = Buffer.of(0);

/** Every fault, by what goes wrong. */
export const MUTATIONS: ReadonlyMap<string, NodeSabotage> = new Map<string, NodeSabotage>([
  [
    'a leader commits without a quorum',
    {
      settled: ({ member: { raft } }) => {
        if (raft.role === Role.Leader) commitTo(raft, raft.writes.handedIndex);
      },
    },
  ],
  [
    'a leader commits what earlier terms left by counting copies',
    {
      settled: ({ member: { raft } }) => {
        if (raft.role !== Role.Leader) return;
        commitTo(
          raft,
          agreedValue(raft.voters, raft.outgoing, ({ match }) => match),
        );
      },
    },
  ],
  [
    'a member votes twice in a term',
    {
      settled: ({ member: { raft } }) => {
        if (raft.role === Role.Follower) raft.vote = NO_NODE;
      },
    },
  ],
  [
    'a member that starts has forgotten its term and its vote',
    { started: ({ member: { raft } }) => forgetTerm(raft) },
  ],
  [
    'a member votes for whoever asks, however old its log',
    {
      started: ({ member }) => {
        onReceive(member, (message) => {
          const isVote = message.type === MessageType.Vote || message.type === MessageType.PreVote;
          return isVote ? { ...message, logTerm: TERM_MAX } : message;
        });
      },
    },
  ],
  [
    'a write is acknowledged before it is synced',
    {
      disk: (disk) => ({ ...disk, write: (...write) => writeLazily(disk, ...write) }),
    },
  ],
  [
    'a disk loses a write now and then',
    {
      disk: (disk, random) => ({
        ...disk,
        write: (file, chunks, offset, done) => {
          if (random.below(100) > 0) disk.write(file, chunks, offset, done);
          else disk.write(file, [Buffer.alloc(0)], offset, done);
        },
      }),
    },
  ],
  [
    'a leader reads without asking whether it still leads',
    {
      settled: ({ member: { raft } }) => {
        for (const progress of raft.progress.values()) progress.readEcho = raft.reads.sequence;
        if (raft.role === Role.Leader) confirmRound(raft);
      },
    },
  ],
  [
    'a read does not wait until its index is applied',
    {
      started: ({ member: { reads } }) => {
        const takeReady = reads.takeReady.bind(reads);
        reads.takeReady = () => takeReady(Number.POSITIVE_INFINITY);
      },
    },
  ],
  ['writes are applied out of order now and then', { store: applyOutOfOrder }],
  ['the sessions are forgotten on a restart', { home: forgetSessions }],
  [
    'a snapshot leaves the sessions out',
    {
      home: (home) => ({ ...home, createIncoming: () => withoutTable(home, Table.Sessions) }),
    },
  ],
  [
    'a snapshot leaves the keys of leases out',
    {
      home: (home) => ({ ...home, createIncoming: () => withoutTable(home, Table.LeaseKeys) }),
    },
  ],
  [
    'a write that is sent again takes effect again',
    { store: (store) => ({ ...store, once: (_mark, apply) => apply() }) },
  ],
  ['a watch misses a revision when it begins anew', { store: skipOnWatch }],
  ['a watch is told of progress ahead of its events', { store: hurryProgress }],
  ['a watch is told a batch twice now and then', { store: repeatBatches }],
  [
    'a lease ends after half the time it was granted for',
    {
      store: (store) => ({
        ...store,
        lease: (id) => halvedIfAny(store.lease(id)),
        visitLeases: (visit, from) => store.visitLeases((lease) => visit(halved(lease)), from),
      }),
    },
  ],
  [
    'leases never end',
    { store: (store) => ({ ...store, lease: () => undefined, visitLeases: () => {} }) },
  ],
  [
    'a compaction removes a revision too many',
    {
      store: (store) => ({
        ...store,
        compact: (request) => store.compact({ ...request, revision: store.revision() }),
      }),
    },
  ],
  [
    'a deletion forgets one of its keys on one member',
    {
      store: (store, random) => {
        const isWrong = random.below(3) === 0;
        return {
          ...store,
          deleteRange: (request) =>
            store.deleteRange(isWrong ? { ...request, rangeEnd: SMALLEST } : request),
        };
      },
    },
  ],
]);

function commitTo(raft: Raft, index: number): void {
  const { log } = raft;
  for (let i = log.commitIndex + 1; i <= index; i += 1) {
    raft.uncommittedBytes -= sizeOf(entryAt(log, i));
  }
  log.commitIndex = Math.max(log.commitIndex, index);
}

/** Remembers no more than its log says. */
function forgetTerm(raft: Raft): void {
  const { writes, log } = raft;
  raft.term = lastTermOf(log);
  raft.vote = NO_NODE;
  writes.handedHardState = { ...writes.handedHardState, term: raft.term, vote: NO_NODE };
  writes.persistedTerm = raft.term;
  writes.persistedVote = NO_NODE;
}

function onReceive(member: Member, change: (message: Message) => Message): void {
  const receive = member.receive.bind(member);
  member.receive = (message) => receive(change(message));
}

/** Says that it has written, then does. */
function writeLazily(disk: Disk, ...[file, chunks, offset, done]: Parameters<Disk['write']>): void {
  const copies = chunks.map((chunk) => Buffer.from(chunk));
  disk.write(file, copies, offset, () => {});
  queueMicrotask(() => done(null));
}

/** Keeps a put back until the next one. */
function applyOutOfOrder(store: Store): Store {
  let count = 0;
  let kept: (() => void) | undefined;
  return {
    ...store,
    put: (request) => {
      count += 1;
      if (count % 20 === 0) {
        kept = () => void store.put(request);
        return { revision: store.revision() + 1, prevKv: undefined };
      }
      const result = store.put(request);
      kept?.();
      kept = undefined;
      return result;
    },
  };
}

function forgetSessions(home: StoreHome): StoreHome {
  return {
    ...home,
    open: async () => {
      const map = await home.open();
      const keys: Buffer[] = [];
      const everything = { from: Buffer.alloc(0), to: undefined, reverse: false };
      map.scan(Table.Sessions, everything, (key) => keys.push(key) > 0);
      for (const key of keys) map.delete(Table.Sessions, key);
      return map;
    },
  };
}

/** A map that a snapshot is received into, and that drops one of its tables. */
async function withoutTable(home: StoreHome, left: Table) {
  const map = await home.createIncoming();
  return {
    ...map,
    put: (table: Table, key: Buffer, value: Buffer) => {
      if (table !== left) map.put(table, key, value);
    },
  };
}

function withWatches(store: Store, open: WatchHub['open']): Store {
  return { ...store, watches: { ...store.watches, open } };
}

function skipOnWatch(store: Store): Store {
  return withWatches(store, (sink) => {
    const stream = store.watches.open(sink);
    return {
      ...stream,
      create: (watchId, request) => {
        const { startRevision } = request;
        const skipped = startRevision > 1 ? startRevision + 1 : startRevision;
        return stream.create(watchId, { ...request, startRevision: skipped });
      },
    };
  });
}

function hurryProgress(store: Store): Store {
  return withWatches(store, (sink) =>
    store.watches.open({
      ...sink,
      progress: (watchId, revision) => sink.progress(watchId, revision + 1),
    }),
  );
}

function repeatBatches(store: Store, random: { below: (bound: number) => number }): Store {
  return withWatches(store, (sink) =>
    store.watches.open({
      ...sink,
      events: (watchId, batch) => {
        sink.events(watchId, batch);
        if (random.below(50) === 0) sink.events(watchId, batch);
      },
    }),
  );
}

function halved(lease: Lease): Lease {
  return { ...lease, remainingSeconds: lease.ttlSeconds / 2 };
}

function halvedIfAny(lease: Lease | undefined): Lease | undefined {
  return lease === undefined ? undefined : halved(lease);
}
