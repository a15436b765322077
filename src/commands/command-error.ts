/** How a command fails: a text for the error output and etcdctl's exit code for it. */

import { ErrorCode, KvorumError } from '../../include/rpc.ts';

/** The process's exit codes (etcdctl's). */
export const ExitCode = {
  Success: 0,
  /** A refusal or failure of a node, an unknown command or flag, an unhealthy endpoint. */
  Error: 1,
  /** No node could be reached. */
  BadConnection: 2,
  /** A txn script, or the lines of `watch -i`, that cannot be understood. */
  BadInput: 3,
  /** A valid flag with a value that is not supported. */
  BadFeature: 4,
  /** A node ended the command before its time: what a watch waits for is compacted. */
  Interrupted: 5,
  /** A file cannot be read. */
  BadFile: 6,
  /** A node was removed from its cluster. */
  Removed: 7,
  /** Wrong arguments. */
  BadArguments: 128,
} as const;
/** An exit code: one of the above, or that of a command run by `lock`. */
export type ExitCode = number;

/** A command failed: prints `Error: <text>` and exits with the code. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, text: string) {
    super(text);
    this.exitCode = exitCode;
  }
}

/** A command failed and has said so already: only the exit code is left. */
export class ReportedFailure extends CommandError {
  constructor(exitCode: ExitCode) {
    super(exitCode, 'reported already');
  }
}

/** A command line that cannot be understood: prints where help is, too. */
export class UsageError extends CommandError {
  constructor(text: string) {
    super(ExitCode.Error, text);
  }
}

/** Refuses the number of arguments, or a combination of them. */
export function refuseArguments(text: string): never {
  throw new CommandError(ExitCode.BadArguments, text);
}

/** Fails as a connection that failed would, whatever the reason: etcdctl does so for leases. */
export function failAsConnection(error: unknown): never {
  if (!(error instanceof KvorumError)) throw error;
  throw new CommandError(ExitCode.BadConnection, error.message);
}

/** The exit code that a failure of a command ends the process with. */
export function exitCodeOf(failure: unknown): ExitCode {
  if (failure instanceof CommandError) return failure.exitCode;
  if (failure instanceof KvorumError) {
    if (failure.code === ErrorCode.Unreachable) return ExitCode.BadConnection;
    if (failure.code === ErrorCode.BadEndpoint) return ExitCode.BadArguments;
  }
  return ExitCode.Error;
}
