/** The connections of a gateway's clients, and the bytes that travelled on them. */

import type { Socket } from 'node:net';
import { addTraffic, createTraffic, type Traffic } from '../rpc/traffic.ts';

/** Counts connections and their bytes. */
export class ClientTraffic {
  readonly sockets: Set<Socket> = new Set();
  /** Connections that were not taken. */
  refusedCount = 0;
  readonly #gone = createTraffic();

  /** Connections open. */
  get connectionCount(): number {
    return this.sockets.size;
  }

  /** A connection has come; it is forgotten when it closes. */
  add(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => {
      this.sockets.delete(socket);
      addTraffic(this.#gone, trafficOf(socket));
    });
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
