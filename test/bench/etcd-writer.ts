/**
 * A client that writes to an etcd cluster as etcd's own (clientv3) does: a connection to every
 * node, puts to those that are up in turn, and none sent again that may have taken effect. On
 * node:http2, which lets what is in flight end when a node says that it goes.
 */

import { type ClientHttp2Session, connect } from 'node:http2';
import { sleep } from './bench.ts';
import { ETCD_METHODS, inEnvelope } from './etcd-messages.ts';
import { bytesField } from './protobuf.ts';
import { Operation } from './wire.ts';

/** Milliseconds until a connection that was lost is tried again, and between two looks for one. */
const AGAIN_MS = 20;

const HEADERS = {
  ':method': 'POST',
  ':path': ETCD_METHODS[Operation.Put],
  'content-type': 'application/grpc',
  te: 'trailers',
};

/** A client of one cluster. */
export class EtcdWriter {
  readonly #sessions: ClientHttp2Session[] = [];
  #turn = 0;
  #isClosed = false;

  /** @param ports of all nodes */
  constructor(ports: readonly number[]) {
    for (const [slot, port] of ports.entries()) this.#connect(slot, port);
  }

  /** Writes one pair. @throws Error (as rejection) when it failed, or its outcome is unknown */
  async put(key: Buffer, value: Buffer): Promise<void> {
    const request = (await this.#session()).request(HEADERS);
    request.end(inEnvelope(Buffer.concat([bytesField(1, key), bytesField(2, value)])));
    request.resume();
    await new Promise<void>((resolve, reject) => {
      let status: unknown;
      // A call that fails at once has its status in the headers.
      for (const event of ['response', 'trailers'] as const) {
        request.on(event, (headers) => {
          status = headers['grpc-status'] ?? status;
        });
      }
      request.on('error', reject);
      request.on('close', () => {
        if (status === '0') resolve();
        else reject(new Error(`etcd answers a put with status ${status}`));
      });
    });
  }

  /** Closes all connections. */
  close(): void {
    this.#isClosed = true;
    for (const session of this.#sessions) session.destroy();
  }

  #connect(slot: number, port: number): void {
    const session = connect(`http://127.0.0.1:${port}`);
    // The node is down, or died: it is closed behind that.
    session.on('error', () => undefined);
    session.on('close', () => {
      if (!this.#isClosed) setTimeout(() => this.#connect(slot, port), AGAIN_MS);
    });
    this.#sessions[slot] = session;
  }

  /** The next connection that is up. */
  async #session(): Promise<ClientHttp2Session> {
    for (;;) {
      for (const _ of this.#sessions) {
        this.#turn = (this.#turn + 1) % this.#sessions.length;
        const session = this.#sessions[this.#turn]!;
        if (!session.connecting && !session.closed && !session.destroyed) return session;
      }
      await sleep(AGAIN_MS);
    }
  }
}
