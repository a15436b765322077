/** A cluster that starts need not wait out a timeout for a leader that cannot be there yet. */

import * as core from './raft/raft.ts';
import type { Transport } from './transport.ts';

/** Asks for an election once, as soon as a majority can be reached after the start. */
export class FirstElection {
  readonly #raft: core.Raft;
  readonly #transport: Transport;
  #hasHurried = false;

  constructor(raft: core.Raft, transport: Transport) {
    this.#raft = raft;
    this.#transport = transport;
  }

  /** To be called when a peer has come online. */
  hurry(): void {
    if (this.#hasHurried) return;
    const { voters } = this.#raft.configuration;
    const peers = this.#transport.peers();
    const reached = peers.filter((peer) => peer.isOnline && voters.includes(peer.id)).length;
    if (reached + 1 <= voters.length / 2) return;
    this.#hasHurried = true;
    core.electSoon(this.#raft);
  }
}
