/**
 * How many clients a node holds, as flags say it: on its own port and on the etcd-compatible one,
 * in all and from one address.
 */

import {
  GATEWAY_CONNECTIONS_MAX,
  GATEWAY_CONNECTIONS_PER_ADDRESS_MAX,
} from '../../include/gateway.ts';
import { CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX } from '../../include/rpc.ts';
import type { ConnectionsMax } from '../rpc/connection-quota.ts';
import { CommandError, ExitCode } from './command-error.ts';
import type { Flags } from './settings.ts';

/** Most that a flag takes: the files that Linux lets a process open, unless it is tuned. */
const COUNT_MAX = 1_048_576;

/** The flags of a node. */
export const CONNECTION_FLAGS = {
  'connections-max': {
    type: 'string',
    requiresArg: true,
    describe: 'most native clients at once',
    defaultDescription: String(CONNECTIONS_MAX),
  },
  'connections-per-address-max': {
    type: 'string',
    requiresArg: true,
    describe: 'most of them from one address',
    defaultDescription: String(CONNECTIONS_PER_ADDRESS_MAX),
  },
  'client-port-connections-max': {
    type: 'string',
    requiresArg: true,
    describe: 'most connections to the etcd-compatible port at once',
    defaultDescription: String(GATEWAY_CONNECTIONS_MAX),
  },
  'client-port-connections-per-address-max': {
    type: 'string',
    requiresArg: true,
    describe: 'most of them from one address',
    defaultDescription: String(GATEWAY_CONNECTIONS_PER_ADDRESS_MAX),
  },
} as const satisfies Flags;

/** Reads the flags of the node's own port. @throws CommandError */
export function readConnections(flag: (name: string) => string | undefined): ConnectionsMax {
  const initial = { inAll: CONNECTIONS_MAX, perAddress: CONNECTIONS_PER_ADDRESS_MAX };
  return readMax(flag, 'connections', initial);
}

/** Reads the flags of the etcd-compatible port. @throws CommandError */
export function readClientPortConnections(
  flag: (name: string) => string | undefined,
): ConnectionsMax {
  const inAll = GATEWAY_CONNECTIONS_MAX;
  const perAddress = GATEWAY_CONNECTIONS_PER_ADDRESS_MAX;
  return readMax(flag, 'client-port-connections', { inAll, perAddress });
}

/** Fewer in all than from one address by default are fewer from one address too. */
function readMax(
  flag: (name: string) => string | undefined,
  what: string,
  initial: ConnectionsMax,
): ConnectionsMax {
  const inAll = readCount(`${what}-max`, flag(`${what}-max`)) ?? initial.inAll;
  const name = `${what}-per-address-max`;
  const perAddress = readCount(name, flag(name));
  if (perAddress === undefined) return { inAll, perAddress: Math.min(initial.perAddress, inAll) };
  if (perAddress <= inAll) return { inAll, perAddress };
  throw refusal(`--${name} ${perAddress} is above --${what}-max ${inAll}: give at most that`);
}

function readCount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (/^\d{1,7}$/.test(text) && count >= 1 && count <= COUNT_MAX) return count;
  throw refusal(`--${name} "${text}": expected a number of connections, from 1 to ${COUNT_MAX}`);
}

function refusal(text: string): CommandError {
  return new CommandError(ExitCode.Error, text);
}
