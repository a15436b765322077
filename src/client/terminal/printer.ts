/**
 * What every output format (-w) can print. One printer a format; each writes to an Output.
 *
 * Source: etcdctl's simple, fields, json and table formats.
 */

import type {
  DeleteRangeReply,
  MoveLeaderReply,
  PutReply,
  RangeReply,
  StatusReply,
} from '../../../include/rpc.ts';

/** Where a printer writes to: bytes as they are, text as UTF-8. */
export type Output = (chunk: string | Buffer) => void;

/** How the simple format prints pairs. */
export type PairStyle = {
  /** Byte strings as `\x61`. */
  readonly hex: boolean;
  readonly keysOnly: boolean;
  readonly valuesOnly: boolean;
};

/** The status of one endpoint that answered. */
export type EndpointStatus = { readonly endpoint: string; readonly status: StatusReply };

/** The health of one endpoint. */
export type EndpointHealth = {
  readonly endpoint: string;
  readonly isHealthy: boolean;
  /** Milliseconds until the answer or failure, with a fraction. */
  readonly tookMs: number;
  /** Why it is not healthy; empty when it is. */
  readonly error: string;
};

/** A kind of answer that can be printed. */
export type Answer =
  | 'put'
  | 'range'
  | 'delete'
  | 'moveLeader'
  | 'endpointStatus'
  | 'endpointHealth';

/** One output format. */
export type Printer = {
  /** Answers that it has no form for: to be known before a node is asked. */
  readonly refused: readonly Answer[];
  readonly put: (reply: PutReply, style: PairStyle) => void;
  readonly range: (reply: RangeReply, style: PairStyle) => void;
  readonly delete: (reply: DeleteRangeReply, style: PairStyle) => void;
  readonly moveLeader: (reply: MoveLeaderReply, target: number) => void;
  readonly endpointStatus: (statuses: readonly EndpointStatus[]) => void;
  readonly endpointHealth: (healths: readonly EndpointHealth[]) => void;
};

/** A node id as etcdctl prints member ids: hex, unpadded. */
export function hexId(id: number | bigint): string {
  return id.toString(16);
}
