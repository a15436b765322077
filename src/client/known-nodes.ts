/**
 * The nodes a client knows: the endpoints it was given and those that redirects named; which of
 * them reads stick to, and which one leads.
 *
 * Invariant: at most LEARNED_NODES_MAX nodes besides the endpoints; the one unused for longest
 * goes.
 */

import { LEARNED_NODES_MAX } from '../../include/client.ts';
import { ErrorCode } from '../../include/rpc.ts';
import type { Endpoint } from './endpoint.ts';
import type { Link } from './link.ts';

/** The nodes a client knows. */
export class KnownNodes {
  /** Whom the last redirect named, until it fails. */
  leader: Link | undefined = undefined;

  readonly #endpoints: readonly Link[];
  /** By name, the endpoint used last at the end. */
  readonly #learned: Map<string, Link> = new Map();
  readonly #createLink: (endpoint: Endpoint) => Link;
  /** Place among the endpoints of the one that reads stick to. */
  #pin: number;

  /**
   * @param endpoints at least one, no doubles
   * @param pin place of the endpoint to begin with
   */
  constructor(
    endpoints: readonly Endpoint[],
    pin: number,
    createLink: (endpoint: Endpoint) => Link,
  ) {
    this.#endpoints = endpoints.map(createLink);
    this.#pin = pin;
    this.#createLink = createLink;
  }

  /** Every node, the endpoints first. */
  get all(): readonly Link[] {
    return [...this.#endpoints, ...this.#learned.values()];
  }

  /** Whether an error that another node might not have is told: by who was given one node only. */
  isFinal(code: ErrorCode): boolean {
    return code === ErrorCode.CorruptCluster && this.#endpoints.length === 1;
  }

  /** The link to a place: an endpoint's, or one of a learned node, made if need be. */
  linkTo(endpoint: Endpoint): Link {
    const given = this.#endpoints.find((link) => link.endpoint.name === endpoint.name);
    if (given !== undefined) return given;

    const link = this.#learned.get(endpoint.name) ?? this.#createLink(endpoint);
    this.#learned.delete(endpoint.name);
    this.#learned.set(endpoint.name, link);
    if (this.#learned.size > LEARNED_NODES_MAX) this.#dropOldest();
    return link;
  }

  /**
   * The node to ask: the leader for what reads do not, if it is known, else the pinned endpoint,
   * else the next one that is not cooling after a failure; learned nodes come last.
   *
   * @returns undefined while all are cooling
   */
  choose(isRead: boolean, nowMs: number): Link | undefined {
    if (!isRead && this.leader !== undefined && nowMs >= this.leader.notBeforeMs) {
      return this.leader;
    }
    for (let step = 0; step < this.#endpoints.length; step += 1) {
      const place = (this.#pin + step) % this.#endpoints.length;
      const link = this.#endpoints[place]!;
      if (nowMs < link.notBeforeMs) continue;
      this.#pin = place;
      return link;
    }
    for (const link of this.#learned.values()) if (nowMs >= link.notBeforeMs) return link;
    return undefined;
  }

  /** When the first of the nodes, all cooling, may be tried again. */
  soonestMs(): number {
    return Math.min(...this.all.map((link) => link.notBeforeMs));
  }

  /** Turns away from a node that does not serve: it neither leads nor is pinned any more. */
  leave(link: Link): void {
    if (this.leader === link) this.leader = undefined;
    if (this.#endpoints[this.#pin] === link) this.#pin = (this.#pin + 1) % this.#endpoints.length;
  }

  #dropOldest(): void {
    for (const [name, link] of this.#learned) {
      if (link === this.leader || !link.isIdle) continue;
      this.#learned.delete(name);
      link.close();
      return;
    }
  }
}
