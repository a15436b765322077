/** For tests: messages of the schema, with chance in every field. */

import { Kind, type Message, type MessageType } from '../../src/gateway/protobuf/schema.ts';
import { AuthUserAddRequest } from '../../src/gateway/schema/auth-users.ts';
import { MemberListResponse } from '../../src/gateway/schema/cluster.ts';
import {
  Compare,
  PutRequest,
  RangeRequest,
  RangeResponse,
  RequestOp,
  TxnRequest,
  TxnResponse,
} from '../../src/gateway/schema/kv.ts';
import { LeaseTimeToLiveResponse } from '../../src/gateway/schema/lease.ts';
import { HashKVResponse, StatusResponse } from '../../src/gateway/schema/maintenance.ts';
import { WatchCreateRequest, WatchResponse } from '../../src/gateway/schema/watch.ts';
import type { Random } from '../../src/random.ts';

/** Messages that have fields of every kind. */
export const MESSAGE_TYPES: readonly MessageType[] = [
  ...[AuthUserAddRequest, MemberListResponse, Compare, PutRequest, RangeRequest, RangeResponse],
  ...[RequestOp, TxnRequest, TxnResponse, LeaseTimeToLiveResponse, HashKVResponse],
  ...[StatusResponse, WatchCreateRequest, WatchResponse],
];

const DEPTH_MAX = 4;

/** Draws a message. */
export function drawMessage(type: MessageType, random: Random, depth = 0): Message {
  const message = type.create() as Message;
  const taken = new Set<string>();
  for (const { name, kind, isRepeated, message: inner, oneof } of type.fields) {
    if (oneof !== undefined && (taken.has(oneof) || random.below(3) > 0)) continue;
    if (oneof !== undefined) taken.add(oneof);
    const one = (): unknown => {
      if (kind !== Kind.Message) return drawScalar(kind, random);
      return drawMessage(inner!, random, depth + 1);
    };
    if (kind === Kind.Message && depth >= DEPTH_MAX) continue;
    if (isRepeated) message[name] = Array.from({ length: random.below(4) }, one);
    else if (kind !== Kind.Message || oneof !== undefined || random.below(2) === 0) {
      message[name] = one();
    }
  }
  return message;
}

function drawScalar(kind: Kind, random: Random): unknown {
  const bits = BigInt(random.below(2 ** 31)) << BigInt(random.below(33));
  switch (kind) {
    case Kind.Bool:
      return random.below(2) === 0;
    case Kind.Int32:
      return random.below(2);
    case Kind.Uint32:
      return random.below(2 ** 31) * 2 + random.below(2);
    case Kind.Int64:
      return random.below(2) === 0 ? bits : -bits;
    case Kind.Uint64:
      return bits;
    case Kind.Int64Number:
      return (random.below(2) === 0 ? 1 : -1) * Number(bits >> 11n);
    case Kind.Uint64Number:
      return Number(bits >> 11n);
    case Kind.String:
      return 'täxt "with" \\ all\n'.slice(0, random.below(20));
    default:
      return Buffer.from('\0\xffbytes of some length, more than a loop copies', 'latin1').subarray(
        random.below(40),
      );
  }
}
