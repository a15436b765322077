/** For tests: random values of what travels, often at the edges of what their fields hold. */

import type { KeyValue } from '../../include/kvstore.ts';
import {
  type Configuration,
  type Entry,
  type EntryType,
  type MemberGoal,
  type Message,
  MessageType,
  NO_ENTRIES,
  NO_NODE,
  type PeerStatus,
  type Roster,
} from '../../include/node.ts';
import type { ReplyHeader } from '../../include/rpc.ts';
import type { Random } from '../../src/random.ts';

export function drawBytes(random: Random, most = 40): Buffer {
  const bytes = Buffer.alloc(random.below(most + 1));
  for (let offset = 0; offset < bytes.length; offset += 1) bytes[offset] = random.below(256);
  return bytes;
}

/** A counter, often at an edge of its halves. */
export function drawCounter(random: Random): number {
  const edges = [0, 1, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0001, Number.MAX_SAFE_INTEGER];
  const slot = random.below(edges.length * 2);
  return edges[slot] ?? random.below(0x20_0000) * 0x1_0000_0000 + random.below(0x1_0000_0000);
}

/** A counter of either sign. */
export function drawSigned(random: Random): number {
  const counter = drawCounter(random);
  return drawFlag(random) || counter === 0 ? counter : -counter;
}

export function drawLease(random: Random): bigint {
  const edges = [0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)];
  const drawn = (BigInt(random.below(0x1_0000_0000)) << 20n) + BigInt(random.below(1 << 20));
  return edges[random.below(edges.length * 2)] ?? drawn;
}

export const drawId64 = (random: Random): bigint => BigInt.asUintN(64, drawLease(random));
export const drawNode = (random: Random): number => random.below(0xffff_ffff);
export const drawNodeOrNone = (random: Random): number =>
  random.below(2) === 0 ? NO_NODE : drawNode(random);
export const drawFlag = (random: Random): boolean => random.below(2) === 1;
export const drawText = (random: Random): string =>
  ['', 'a', '127.0.0.1', 'é€😀'][random.below(4)]!;

function drawIds(random: Random): number[] {
  const ids = new Set<number>();
  for (let count = random.below(5); count > 0; count -= 1) ids.add(drawNode(random));
  return [...ids].sort((a, b) => a - b);
}

export function drawConfiguration(random: Random): Configuration {
  const lists = { voters: drawIds(random), outgoing: drawIds(random), learners: drawIds(random) };
  return drawFlag(random) ? lists : { ...lists, roster: drawRoster(random) };
}

export function drawRoster(random: Random): Roster {
  const members = drawIds(random).map((id) => ({
    id,
    name: drawText(random),
    address: drawText(random),
    port: 1 + random.below(0xffff),
    clientPort: drawFlag(random) ? undefined : 1 + random.below(0xffff),
    goal: random.below(3) as MemberGoal,
  }));
  return { nextId: drawNode(random), members };
}

export function drawPair(random: Random): KeyValue {
  return {
    key: drawBytes(random),
    value: drawBytes(random),
    createRevision: drawCounter(random),
    modRevision: drawCounter(random),
    version: drawCounter(random),
    lease: drawLease(random),
  };
}

export function drawMany<T>(random: Random, draw: (random: Random) => T): T[] {
  return Array.from({ length: random.below(4) }, () => draw(random));
}

export const drawPairs = (random: Random): KeyValue[] => drawMany(random, drawPair);

export function drawHeader(random: Random): ReplyHeader {
  return {
    clusterId: drawId64(random),
    nodeId: drawNode(random),
    revision: drawCounter(random),
    term: drawCounter(random),
  };
}

export function drawPeer(random: Random): PeerStatus {
  return {
    id: drawNode(random),
    address: drawText(random),
    port: random.below(65_536),
    isOnline: drawFlag(random),
    isLearner: drawFlag(random),
    roundTripMicros: drawCounter(random),
    matchIndex: drawCounter(random),
    snapshotSentBytes: drawCounter(random),
    snapshotSizeBytes: drawCounter(random),
  };
}

/** An Append or any other message; entries follow each other as in a log. */
export function drawMessage(random: Random, type: MessageType): Message {
  const index = random.below(1_000_000);
  const logTerm = random.below(1_000);
  const entries: Entry[] = [];
  let term = Math.max(logTerm, 1);
  for (let count = type === MessageType.Append ? random.below(5) : 0; count > 0; count -= 1) {
    term += random.below(3);
    entries.push({
      index: index + 1 + entries.length,
      term,
      type: random.below(3) as EntryType,
      data: drawBytes(random),
    });
  }
  return {
    type,
    from: drawNode(random),
    to: drawNode(random),
    term: term + random.below(3),
    index,
    logTerm,
    commit: drawCounter(random),
    context: drawCounter(random),
    reject: drawFlag(random),
    hint: drawCounter(random),
    entries: entries.length === 0 ? NO_ENTRIES : entries,
  };
}
