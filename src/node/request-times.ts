/**
 * How long requests take, and where: every one counts, and one that took too long, or was given up,
 * is logged with its parts.
 *
 *   write:  received --queue--> appended --sync--------> on this disk
 *                                  |----replication----> committed --apply--> answered
 *   read:   received --queue--> asked --confirmation--> granted ---apply--> answered
 *
 * Sync and replication of a write run side by side, both from where it was given to the log. A part
 * that has not ended counts until now, so that one given up shows what it was waiting for.
 *
 * Limit: SLOW_REQUESTS_LOGGED_MAX lines a second; what is beyond is counted.
 */

import type { Log } from '../../include/log.ts';
import {
  type Entry,
  LOCAL_READS_A_TIMING,
  type LogIndex,
  SLOW_REQUESTS_LOG_MS,
  SLOW_REQUESTS_LOGGED_MAX,
} from '../../include/node.ts';
import { FrameType, type LoggedCommand, type OnceCommand } from '../../include/rpc.ts';
import type { Clock } from '../clock.ts';
import { Ring } from '../ring.ts';
import { Milestones } from './milestones.ts';
import { type NodeMetrics, REQUEST_NAMES } from './node-metrics.ts';
import type { Proposal } from './proposals.ts';
import type { Read, ReadRequest, ReadStage, Round } from './reads.ts';

/** Most characters of a key in the log. */
const KEY_CHARACTERS_MAX = 64;

/** When a read was received whose time is not taken. */
export const UNTIMED = -1;

/** Milliseconds of each part; undefined where it has not begun. */
type Parts = Readonly<Record<string, number | undefined>>;

/** What an entry does, without its session. */
type Write = Exclude<LoggedCommand, OnceCommand>;

const NAMES: ReadonlyMap<FrameType, string> = new Map(REQUEST_NAMES);

/** What a member lends. */
export type RequestTimesOptions = {
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly metrics: NodeMetrics;
  readonly log: Log;
  /** Milliseconds from which on a request is logged. */
  readonly slowRequestMs: number;
};

/** The times of a member's requests. */
export class RequestTimes {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #metrics: NodeMetrics;
  readonly #log: Log;
  readonly #slowMs: number;
  readonly #appended = new Milestones();
  readonly #synced = new Milestones();
  readonly #committed = new Milestones();
  /** Batches given to the log and not synced. */
  readonly #unsynced = new Ring<{ readonly ticket: number; readonly index: LogIndex }>();
  #pointCount = 0;
  #loggedSinceMs = Number.NEGATIVE_INFINITY;
  #loggedCount = 0;
  #unloggedCount = 0;

  constructor({ clock, metrics, log, slowRequestMs }: RequestTimesOptions) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.#log = log;
    this.#slowMs = slowRequestMs;
  }

  /** Entries were given to the log, which answers `ticket`. */
  appended(entries: readonly Entry[], ticket: number): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    this.#appended.reach(last.index, this.#clock.nowMs());
    this.#unsynced.push({ ticket, index: last.index });
  }

  /** The log has synced what `ticket` and all before it asked for. */
  synced(ticket: number): void {
    for (;;) {
      const oldest = this.#unsynced.peek();
      if (oldest === undefined || oldest.ticket > ticket) return;
      this.#unsynced.shift();
      this.#synced.reach(oldest.index, this.#clock.nowMs());
    }
  }

  /** Entries are committed. */
  committed(entries: readonly Entry[]): void {
    const last = entries.at(-1);
    if (last !== undefined) this.#committed.reach(last.index, this.#clock.nowMs());
  }

  /** A write was answered. */
  wrote(proposal: Proposal, nowMs: number): void {
    const { command: logged, receivedMs } = proposal;
    const command = innerOf(logged);
    const tookMs = nowMs - receivedMs;
    this.#metrics.answered(command.type, tookMs);
    if (tookMs < this.#slowMs || !this.#mayTell(nowMs)) return;
    this.#tell('slow request', command, tookMs, this.#partsOfWrite(proposal, nowMs));
  }

  /** A write was given up. */
  gaveUpWrite(proposal: Proposal, nowMs: number): void {
    if (!this.#mayTell(nowMs)) return;
    const tookMs = nowMs - proposal.receivedMs;
    const parts = this.#partsOfWrite(proposal, nowMs);
    this.#tell('request timed out', innerOf(proposal.command), tookMs, parts);
  }

  /** A read was given up. @param stage how far it had come */
  gaveUpRead({ request, receivedMs }: Read, stage: ReadStage, nowMs: number): void {
    if (!this.#mayTell(nowMs)) return;
    const parts = partsOfRead(receivedMs, stage, nowMs);
    this.#tell('request timed out', request, nowMs - receivedMs, parts);
  }

  /**
   * When a read that is answered at once was received: UNTIMED for most of those of one key, since
   * two looks at the clock would be a tenth of their cost.
   */
  beginLocal(request: ReadRequest): number {
    if (!isPoint(request)) return this.#clock.nowMs();
    this.#pointCount = (this.#pointCount + 1) % LOCAL_READS_A_TIMING;
    return this.#pointCount === 0 ? this.#clock.nowMs() : UNTIMED;
  }

  /** A read was answered. @param round that it waited for; undefined if it was answered at once */
  read({ request, receivedMs }: Read, round: Round | undefined, nowMs: number): void {
    const tookMs = nowMs - receivedMs;
    const stands = round === undefined && isPoint(request) ? LOCAL_READS_A_TIMING : 1;
    this.#metrics.answered(request.type, tookMs, stands);
    if (tookMs < this.#slowMs || !this.#mayTell(nowMs)) return;
    const parts = round === undefined ? {} : partsOfRead(receivedMs, round, nowMs);
    this.#tell('slow request', request, tookMs, parts);
  }

  #partsOfWrite({ index, receivedMs }: Proposal, nowMs: number): Parts {
    const appendedMs = this.#appended.when(index);
    const committedMs = this.#committed.when(index);
    return {
      queueMs: since(receivedMs, appendedMs ?? nowMs),
      syncMs: since(appendedMs, this.#synced.when(index) ?? nowMs),
      replicationMs: since(appendedMs, committedMs ?? nowMs),
      applyMs: since(committedMs, nowMs),
    };
  }

  /** Counts one that took too long. Whether the log has room for it. */
  #mayTell(nowMs: number): boolean {
    this.#metrics.slowRequests += 1;
    if (nowMs - this.#loggedSinceMs >= SLOW_REQUESTS_LOG_MS) {
      this.#loggedSinceMs = nowMs;
      this.#loggedCount = 0;
    }
    const mayTell = this.#loggedCount < SLOW_REQUESTS_LOGGED_MAX;
    if (mayTell) this.#loggedCount += 1;
    else this.#unloggedCount += 1;
    return mayTell;
  }

  #tell(
    event: 'slow request' | 'request timed out',
    request: Write | ReadRequest,
    tookMs: number,
    parts: Parts,
  ): void {
    const fields: Record<string, unknown> = {
      type: NAMES.get(request.type),
      ...keyOf(request),
      tookMs: rounded(tookMs),
    };
    for (const [name, ms] of Object.entries(parts)) {
      if (ms !== undefined) fields[name] = rounded(ms);
    }
    if (this.#unloggedCount > 0) fields.notLogged = this.#unloggedCount;
    this.#unloggedCount = 0;
    this.#log.warn(event, fields);
  }
}

function partsOfRead(receivedMs: number, { askedMs, grantedMs }: ReadStage, nowMs: number): Parts {
  return {
    queueMs: since(receivedMs, askedMs ?? nowMs),
    confirmationMs: since(askedMs, grantedMs ?? nowMs),
    applyMs: since(grantedMs, nowMs),
  };
}

/** Whether a read is of one key. */
function isPoint(request: ReadRequest): boolean {
  return request.type === FrameType.Range && request.body.rangeEnd.length === 0;
}

/** What somebody waits for, without its session. */
function innerOf(logged: LoggedCommand): Write {
  return logged.type === FrameType.Once ? logged.command : logged;
}

function keyOf(request: Write | ReadRequest): { key?: string } {
  if (!('body' in request) || !('key' in request.body)) return {};
  return { key: request.body.key.toString('utf8').slice(0, KEY_CHARACTERS_MAX) };
}

function since(fromMs: number | undefined, toMs: number): number | undefined {
  return fromMs === undefined ? undefined : toMs - fromMs;
}

function rounded(ms: number): number {
  return Math.round(Math.max(0, ms) * 10) / 10;
}
