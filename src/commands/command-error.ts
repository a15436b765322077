/** How a command fails: a text for the error output and etcdctl's exit code for it. */

import { ErrorCode, KvorumError } from '../../include/rpc.ts';

/** The process's exit codes (etcdctl's). */
export const ExitCode = {
  Success: 0,
  /** A refusal or failure of a node, an unknown command or flag, an unhealthy endpoint. */
  Error: 1,
  /** No node could be reached. */
  BadConnection: 2,
  /** A valid flag with a value that is not supported. */
  BadFeature: 4,
  /** Wrong arguments. */
  BadArguments: 128,
} as const;
/** One of the values of ExitCode. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

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

/** The exit code that a failure of a command ends the process with. */
export function exitCodeOf(failure: unknown): ExitCode {
  if (failure instanceof CommandError) return failure.exitCode;
  if (failure instanceof KvorumError) {
    if (failure.code === ErrorCode.Unreachable) return ExitCode.BadConnection;
    if (failure.code === ErrorCode.BadEndpoint) return ExitCode.BadArguments;
  }
  return ExitCode.Error;
}
