/** The connections of a gateway's clients, and the bytes that travelled on them. */

import type { Socket } from 'node:net';
import {
  GATEWAY_CONNECTIONS_MAX,
  GATEWAY_CONNECTIONS_PER_ADDRESS_MAX,
} from '../../include/gateway.ts';
import type { KvorumError } from '../../include/rpc.ts';
import { ConnectionQuota, type ConnectionsMax } from '../rpc/connection-quota.ts';
import { addTraffic, createTraffic, type Traffic } from '../rpc/traffic.ts';

/** Counts connections and their bytes. */
export class ClientTraffic {
  readonly sockets: Set<Socket> = new Set();
  /** Connections that were not taken. */
  refusedCount = 0;
  readonly #gone = createTraffic();
  readonly #quota: ConnectionQuota;

  /** Connections open. */
  get connectionCount(): number {
    return this.sockets.size;
  }

  /** @param max connections, GATEWAY_CONNECTIONS_MAX and so on unless a test says otherwise */
  constructor(
    max: ConnectionsMax = {
      inAll: GATEWAY_CONNECTIONS_MAX,
      perAddress: GATEWAY_CONNECTIONS_PER_ADDRESS_MAX,
    },
  ) {
    this.#quota = new ConnectionQuota(max);
  }

  /** A connection has come; it is forgotten when it closes. @returns why it is one too many */
  add(socket: Socket): KvorumError | undefined {
    const address = socket.remoteAddress ?? 'unknown';
    const refusal = this.#quota.take(address);
    if (refusal !== undefined) {
      this.refusedCount += 1;
      return refusal;
    }
    this.sockets.add(socket);
    socket.once('close', () => {
      this.#quota.give(address);
      this.sockets.delete(socket);
      addTraffic(this.#gone, trafficOf(socket));
    });
    return undefined;
  }

  /** Bytes of all connections since the start. */
  total(): Traffic {
    const total = { ...this.#gone };
    for (const socket of this.sockets) addTraffic(total, trafficOf(socket));
    return total;
  }
}

function trafficOf({ bytesRead, bytesWritten }: Socket): Traffic {
  return { receivedBytes: bytesRead, sentBytes: bytesWritten };
}
