/**
 * Gives writes their numbers: keeps the session they are numbered in, and opens one when there is
 * none, when it has expired, or when it is full.
 *
 * Writes that come while a session is opened wait for it. It is opened for as long as any of them
 * waits, then given up.
 */

import { SESSION_TTL_SECONDS } from '../../include/kvstore.ts';
import {
  type Command,
  ErrorCode,
  FrameType,
  type KvorumError,
  type Reply,
} from '../../include/rpc.ts';
import { assert } from '../assert.ts';
import { CallState } from './call.ts';
import type { LinkCall } from './link.ts';
import { Session } from './session.ts';

/** What asking for a session needs of the router. */
export type SessionsOwner = {
  /** Asks the cluster, for as long as it takes. */
  readonly ask: (
    command: Command,
    resolve: (reply: Reply) => void,
    reject: (error: KvorumError) => void,
  ) => LinkCall | undefined;
  /** Takes back what was asked: nobody needs it any more. */
  readonly cancel: (call: LinkCall) => void;
  /** There is a session: a call that waited for it goes on. */
  readonly proceed: (call: LinkCall) => void;
  /** There will be no session. */
  readonly fail: (call: LinkCall, error: KvorumError) => void;
};

/** Gives writes their numbers. */
export class Sessions {
  readonly #owner: SessionsOwner;
  #current: Session | undefined = undefined;
  #opening: LinkCall | undefined = undefined;
  readonly #waiting: Set<LinkCall> = new Set();

  constructor(owner: SessionsOwner) {
    this.#owner = owner;
  }

  /** The request for a session that is under way, if there is one. */
  get opening(): LinkCall | undefined {
    return this.#opening;
  }

  /**
   * Numbers a write, unless it has a number or takes none.
   *
   * @returns whether it can go; if not, it waits for a session
   */
  number(call: LinkCall): boolean {
    const command = call.write;
    if (command === undefined || call.session !== undefined) return true;
    const session = this.#current;
    if (session === undefined || session.isOver || session.isFull) {
      call.state = CallState.Waiting;
      call.link = undefined;
      this.#waiting.add(call);
      return false;
    }
    call.session = session;
    call.request = { type: FrameType.Once, mark: session.number(), command };
    return true;
  }

  /** Opens a session for those that wait, unless that is under way. */
  open(): void {
    if (this.#opening !== undefined) return;
    this.#current = undefined;
    this.#opening = this.#owner.ask(
      { type: FrameType.SessionOpen, body: { ttlSeconds: SESSION_TTL_SECONDS } },
      (reply) => this.#onOpened(reply),
      (error) => this.#onFailed(error),
    );
  }

  /** A call has ended: its number is free to be forgotten. */
  settle(call: LinkCall): void {
    if (call.session === undefined) {
      if (call.state === CallState.Waiting) this.#leave(call);
      return;
    }
    assert(call.request.type === FrameType.Once, 'a numbered call carries its number');
    call.session.settle(call.request.mark.sequence);
  }

  /** Takes its number from a write that has had no effect and never will under that number. */
  renumber(call: LinkCall): void {
    this.settle(call);
    call.session = undefined;
  }

  /** Whether a write was refused since its session takes no more, and so had no effect. */
  isOver({ session, isDoubtful }: LinkCall, { code }: KvorumError): boolean {
    if (session === undefined) return false;
    if (code !== ErrorCode.SessionExpired && code !== ErrorCode.SessionFull) return false;
    session.isOver = true;
    // An earlier copy may have taken effect while the session still was.
    return !isDoubtful;
  }

  #leave(call: LinkCall): void {
    this.#waiting.delete(call);
    if (this.#waiting.size > 0 || this.#opening === undefined) return;
    const opening = this.#opening;
    this.#opening = undefined;
    this.#owner.cancel(opening);
  }

  #onOpened(reply: Reply): void {
    assert(reply.type === FrameType.SessionOpen, 'a session is opened by its own reply');
    this.#opening = undefined;
    this.#current = new Session(reply.body.session);
    for (const call of this.#release()) this.#owner.proceed(call);
  }

  #onFailed(error: KvorumError): void {
    this.#opening = undefined;
    for (const call of this.#release()) this.#owner.fail(call, error);
  }

  #release(): readonly LinkCall[] {
    const calls = [...this.#waiting];
    this.#waiting.clear();
    return calls;
  }
}
