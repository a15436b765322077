/**
 * Permissions and users, as etcd v3 has them.
 * Made from proto/authpb.proto by scripts/schema.ts.
 */

import { type EnumType, field, Kind, MessageType } from '../protobuf/schema.ts';

const NO_BYTES: Buffer = Buffer.alloc(0);

export type UserAddOptions = {
  no_password: boolean;
};

export const UserAddOptions: MessageType<UserAddOptions> = new MessageType(
  'authpb.UserAddOptions',
  () => ({ no_password: false }),
  () => [field(1, 'no_password', Kind.Bool)],
);

export const Type: EnumType = {
  name: 'authpb.Permission.Type',
  values: ['READ', 'WRITE', 'READWRITE'],
};

export type Permission = {
  permType: number;
  key: Buffer;
  range_end: Buffer;
};

export const Permission: MessageType<Permission> = new MessageType(
  'authpb.Permission',
  () => ({ permType: 0, key: NO_BYTES, range_end: NO_BYTES }),
  () => [
    field(1, 'permType', Kind.Int32, { values: Type }),
    field(2, 'key', Kind.Bytes),
    field(3, 'range_end', Kind.Bytes),
  ],
);
