/**
 * Keys, values and events, as etcd v3 has them.
 * Made from proto/mvccpb.proto by scripts/schema.ts.
 */

import { type EnumType, field, Kind, MessageType } from '../protobuf/schema.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

export type KeyValue = {
  key: Buffer;
  create_revision: number;
  mod_revision: number;
  version: number;
  value: Buffer;
  lease: bigint;
};

export const KeyValue: MessageType<KeyValue> = new MessageType(
  'mvccpb.KeyValue',
  () => ({
    key: NO_BYTES,
    create_revision: 0,
    mod_revision: 0,
    version: 0,
    value: NO_BYTES,
    lease: 0n,
  }),
  () => [
    field(1, 'key', Kind.Bytes),
    field(2, 'create_revision', Kind.Int64Number),
    field(3, 'mod_revision', Kind.Int64Number),
    field(4, 'version', Kind.Int64Number),
    field(5, 'value', Kind.Bytes),
    field(6, 'lease', Kind.Int64),
  ],
);

export const EventType: EnumType = { name: 'mvccpb.Event.EventType', values: ['PUT', 'DELETE'] };

export type Event = {
  type: number;
  kv: KeyValue | undefined;
  prev_kv: KeyValue | undefined;
};

export const Event: MessageType<Event> = new MessageType(
  'mvccpb.Event',
  () => ({ type: 0, kv: undefined, prev_kv: undefined }),
  () => [
    field(1, 'type', Kind.Int32, { values: EventType }),
    field(2, 'kv', Kind.Message, { message: KeyValue }),
    field(3, 'prev_kv', Kind.Message, { message: KeyValue }),
  ],
);
