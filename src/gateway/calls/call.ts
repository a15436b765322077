/**
 * A call: one method, its requests and answers, whatever protocol carries them. gRPC and the JSON
 * gateway make calls; services answer them.
 */

import { GrpcCode, type RpcStatus, statusOf } from '../../../include/gateway.ts';
import { KvorumError } from '../../../include/rpc.ts';

/** A call as the service that answers it sees it. */
export type Call<Response = unknown> = {
  /** A header or metadata of the request; undefined when it is not there. */
  readonly metadata: (name: string) => string | undefined;
  /** Whether nobody waits for an answer any more: answered, cancelled, overdue, gone. */
  readonly isEnded: boolean;
  /** Bytes of answers that wait to be sent. */
  readonly queuedBytes: number;
  /** Answers, and ends the call well. */
  readonly answer: (response: Response) => void;
  /** One answer of several. */
  readonly send: (response: Response) => void;
  /** Ends the call behind what was sent. */
  readonly end: (status: RpcStatus) => void;
  /** Called once when the call ends before it was answered. */
  onEnded: (() => void) | undefined;
  /** Called when all answers that waited were sent. */
  onDrain: (() => void) | undefined;
};

/** What a method with many requests does with them. */
export type Receiver<Request = unknown> = {
  readonly onMessage: (request: Request) => void;
  /** No more requests come; answers may. */
  readonly onHalfClose: () => void;
};

/** The end of a call that went well. */
export const OK: RpcStatus = { code: GrpcCode.Ok, message: '' };

/** A refusal that is not a node's. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly status: RpcStatus;

  constructor(code: GrpcCode, message: string) {
    super(message);
    this.status = { code, message };
  }
}

/** How an error is told. What nobody expected is thrown on. */
export function statusOfError(error: unknown): RpcStatus {
  if (error instanceof RpcError) return error.status;
  if (error instanceof KvorumError) return statusOf(error.code, error.message);
  throw error;
}

/** Ends a call with what went wrong. */
export function failCall(call: Call<never>, error: unknown): void {
  call.end(statusOfError(error));
}
