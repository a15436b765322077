/**
 * The client library: what a program that uses a kvorum cluster sees.
 *
 *   import { connect } from 'kvorum';
 *   const client = connect({ endpoints: ['127.0.0.1:7001', '127.0.0.1:7002'] });
 *   await client.put('a', '10');
 *   const pair = await client.get('a');
 *   await client.close();
 *
 * A client keeps one multiplexed connection to each node it talks to. It follows redirects to the
 * leader and remembers it for writes; reads stick to one endpoint. It moves to another endpoint
 * when one cannot be reached, with a growing pause between rounds, until the request's deadline.
 *
 * What is sent again: a read always; a write only after a failure that says it did not take effect
 * (Retry.Safe in include/rpc.ts). A write whose outcome nobody knows fails with an error that says
 * so.
 *
 * Keys and values in answers are the caller's, but share memory with what arrived together with
 * them: copy a small one that is kept for long.
 *
 * Every method fails with KvorumError. Besides the refusals of the nodes:
 * - DeadlineExceeded: no answer in time. The text names each endpoint asked and why it did not
 * serve,
 *   and says whether a write may have taken effect.
 * - Unreachable: the same, but no endpoint could even be connected to: nothing took effect.
 * - ConnectionLost: the connection broke while a write was in flight; it may have taken effect.
 * - TimedOut, LeaderChanged, Stopped: of a write, sent by a node; it may have taken effect.
 * - BadEndpoint: an endpoint is not `host:port`.
 * - Stopped: the client is closed.
 * - TooManyRequests: more than CLIENT_CALLS_MAX requests are under way.
 */

import type { KeyValue, SortOrder, SortTarget } from './kvstore.ts';
import type { NodeId } from './node.ts';
import type {
  CompactReply,
  DeleteRangeReply,
  MoveLeaderReply,
  PutReply,
  RangeReply,
  StatusReply,
} from './rpc.ts';

/** The port of the first node of the development cluster. */
export const ENDPOINT_DEFAULT = '127.0.0.1:7001';

/**
 * Default milliseconds a connection may take until its HELLO is answered (etcdctl --dial-timeout).
 */
export const DIAL_TIMEOUT_MS = 2_000;

/** Most requests of one client under way at once; further ones are refused with TooManyRequests. */
export const CLIENT_CALLS_MAX = 65_536;

/** Most endpoints of one client. */
export const ENDPOINTS_MAX = 256;

/** Most nodes learned from redirects and kept besides the endpoints: the oldest is dropped. */
export const LEARNED_NODES_MAX = 32;

/** Redirects a request follows in a row; then it pauses like after any failure and starts over. */
export const REDIRECT_HOPS_MAX = 5;

/** Least milliseconds between two rounds of attempts; doubled each round, jittered. */
export const BACKOFF_MIN_MS = 10;

/**
 * Most milliseconds between two rounds of attempts: a new leader is found soon after its election.
 */
export const BACKOFF_MAX_MS = 250;

/** A key or value: text is taken as UTF-8. Bytes are borrowed until the promise settles. */
export type Bytes = string | Uint8Array;

/** What a client is made from. */
export type ClientOptions = {
  /**
   * `host:port` each, IPv6 addresses in brackets; `http://` before it is tolerated. At least one.
   */
  readonly endpoints: readonly string[];
  /** Milliseconds until a request fails; REQUEST_TIMEOUT_MS when left out. */
  readonly requestTimeoutMs?: number;
  /** Milliseconds until an attempt to connect fails; DIAL_TIMEOUT_MS when left out. */
  readonly dialTimeoutMs?: number;
  /** Told what the client does on its own account. Called in the middle of it: must not throw. */
  readonly onEvent?: (event: ClientEvent) => void;
};

/** Something a client did that its user did not ask for by name. Endpoints are `host:port`. */
export type ClientEvent =
  | { readonly kind: 'connected'; readonly endpoint: string; readonly nodeId: NodeId }
  | { readonly kind: 'disconnected'; readonly endpoint: string; readonly reason: string }
  | {
      readonly kind: 'redirect';
      /** Who sent the redirect. */
      readonly endpoint: string;
      readonly leaderId: NodeId;
      /** Where it points. */
      readonly leader: string;
    }
  | { readonly kind: 'retry'; readonly endpoint: string; readonly reason: string };

/** What every request may say. */
export type CallOptions = {
  /** Milliseconds until this request fails; the client's when left out. */
  readonly timeoutMs?: number;
};

/** How to put (etcd PutRequest). */
export type PutOptions = CallOptions & {
  /** The lease to hang the key on. */
  readonly lease?: bigint;
  /** Answer with the pair as it was before. */
  readonly prevKv?: boolean;
  /** Keep the value: `value` must be empty, the key must exist. */
  readonly ignoreValue?: boolean;
  /** Keep the lease; the key must exist. */
  readonly ignoreLease?: boolean;
};

/** Which keys are meant besides `key`; at most one of the three. None: that single key. */
export type KeySpan = {
  /** All keys k with key <= k < rangeEnd. */
  readonly rangeEnd?: Bytes;
  /** All keys that start with `key`; every key when it is empty. */
  readonly prefix?: boolean;
  /** All keys from `key` on; every key when it is empty. */
  readonly fromKey?: boolean;
};

/** How to read one key. */
export type GetOptions = CallOptions & {
  /** The revision to read at; the newest when left out. */
  readonly revision?: number;
  /** Answer from the state of the node asked, maybe stale, without asking its leader. */
  readonly serializable?: boolean;
};

/** How to read a range (etcd RangeRequest). */
export type RangeOptions = GetOptions &
  KeySpan & {
    /** Most pairs answered; 0 for all. */
    readonly limit?: number;
    readonly sortOrder?: SortOrder;
    readonly sortTarget?: SortTarget;
    /** Leave the values out. */
    readonly keysOnly?: boolean;
    /** Answer only how many there are. */
    readonly countOnly?: boolean;
    readonly minModRevision?: number;
    readonly maxModRevision?: number;
    readonly minCreateRevision?: number;
    readonly maxCreateRevision?: number;
  };

/** How to delete (etcd DeleteRangeRequest). */
export type DeleteOptions = CallOptions &
  KeySpan & {
    /** Answer with the pairs as they were before. */
    readonly prevKv?: boolean;
  };

/** How to compact (etcd CompactionRequest). */
export type CompactOptions = CallOptions & {
  /** Answer only once the data is gone from the node that answers. */
  readonly physical?: boolean;
};

/** How to ask for a status. */
export type StatusOptions = CallOptions & {
  /** The node to ask, any address; the endpoint in use when left out. */
  readonly endpoint?: string;
};

/** A client of one cluster. Connects on first use. */
export type Client = {
  /** The endpoints as understood, `host:port` each. */
  readonly endpoints: readonly string[];
  /** Writes one pair. */
  readonly put: (key: Bytes, value: Bytes, options?: PutOptions) => Promise<PutReply>;
  /** Reads one key; undefined when it is absent. */
  readonly get: (key: Bytes, options?: GetOptions) => Promise<KeyValue | undefined>;
  /** Reads a key, a range or a prefix. */
  readonly range: (key: Bytes, options?: RangeOptions) => Promise<RangeReply>;
  /** Deletes a key, a range or a prefix, in one revision. */
  readonly delete: (key: Bytes, options?: DeleteOptions) => Promise<DeleteRangeReply>;
  /** Makes all revisions below `revision` unreadable. */
  readonly compact: (revision: number, options?: CompactOptions) => Promise<CompactReply>;
  /** Asks one node how it is. With `endpoint`, fails as soon as that one cannot be reached. */
  readonly status: (options?: StatusOptions) => Promise<StatusReply>;
  /** Hands leadership to a voter. The reply comes from the old leader. */
  readonly moveLeader: (target: NodeId, options?: CallOptions) => Promise<MoveLeaderReply>;
  /** Closes every connection; requests under way fail as if their connection was lost. */
  readonly close: () => Promise<void>;
};
