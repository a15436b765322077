/**
 * What answers start with.
 * Made from proto/header.proto by scripts/schema.ts.
 */

import { field, Kind, MessageType } from '../protobuf/schema.ts';

export type ResponseHeader = {
  cluster_id: bigint;
  member_id: bigint;
  revision: number;
  raft_term: number;
};

export const ResponseHeader: MessageType<ResponseHeader> = new MessageType(
  'etcdserverpb.ResponseHeader',
  () => ({ cluster_id: 0n, member_id: 0n, revision: 0, raft_term: 0 }),
  () => [
    field(1, 'cluster_id', Kind.Uint64),
    field(2, 'member_id', Kind.Uint64),
    field(3, 'revision', Kind.Int64Number),
    field(4, 'raft_term', Kind.Uint64Number),
  ],
);
