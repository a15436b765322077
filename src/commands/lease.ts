/** `kvorum lease grant|revoke|timetolive|list|keep-alive`: a time to live that keys hang on. */

import type { Argv, CommandModule, InferredOptionTypes } from 'yargs';
import { ErrorCode, KvorumError } from '../../include/errors.ts';
import { commandArguments } from './arguments.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { CommandError, ExitCode, failAsConnection, refuseArguments } from './command-error.ts';
import { parseInteger, parseLeaseArgument } from './flag-values.ts';
import { leaseKeepAliveCommand } from './lease-keep-alive.ts';
import type { Flags } from './settings.ts';

/** The flags of timetolive. */
export const LEASE_TIMETOLIVE_FLAGS = {
  keys: { type: 'boolean', describe: 'print the keys that hang on it, too' },
} as const satisfies Flags;

/** Makes the command. */
export function leaseCommand(context: CommandContext): CommandModule {
  return {
    command: 'lease',
    describe: 'grant, renew, revoke and list leases',
    builder: (yargs: Argv) =>
      yargs
        .usage('$0 lease <command>')
        .command(leaseGrantCommand(context))
        .command(leaseRevokeCommand(context))
        .command(leaseTimeToLiveCommand(context))
        .command(leaseListCommand(context))
        .command(leaseKeepAliveCommand(context)),
    handler: (argv) => {
      const [subcommand] = commandArguments(argv);
      const what =
        subcommand === undefined
          ? 'lease needs a command: grant, revoke, timetolive, list or keep-alive'
          : `unknown command ${JSON.stringify(subcommand)} for "kvorum lease"`;
      throw new CommandError(ExitCode.Error, what);
    },
  };
}

function leaseGrantCommand(context: CommandContext): CommandModule {
  return {
    command: 'grant',
    describe: 'ask for a lease',
    builder: (yargs) => yargs.usage('$0 lease grant [flags] <seconds>'),
    handler: async (argv) => {
      const args = commandArguments(argv, 2);
      if (args.length !== 1) refuseArguments('lease grant command needs TTL argument');
      const ttlSeconds = readSeconds(args[0] ?? '');
      const { client, printer } = openInvocation(context, argv, 'leaseGrant');
      const reply = await client.grantLease(ttlSeconds).catch(explain('failed to grant lease'));
      printer.leaseGrant(reply);
    },
  };
}

function leaseRevokeCommand(context: CommandContext): CommandModule {
  return {
    command: 'revoke',
    describe: 'end a lease and delete its keys',
    builder: (yargs) => yargs.usage('$0 lease revoke [flags] <id>'),
    handler: async (argv) => {
      const args = commandArguments(argv, 2);
      if (args.length !== 1) refuseArguments('lease revoke command needs 1 argument');
      const id = parseLeaseArgument(args[0] ?? '');
      const { client, printer } = openInvocation(context, argv, 'leaseRevoke');
      const reply = await client.revokeLease(id).catch(explain('failed to revoke lease'));
      printer.leaseRevoke(reply, id);
    },
  };
}

function leaseTimeToLiveCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof LEASE_TIMETOLIVE_FLAGS>> {
  return {
    command: 'timetolive',
    describe: 'print what is left of a lease',
    builder: (yargs) =>
      yargs.usage('$0 lease timetolive [flags] <id>').options(LEASE_TIMETOLIVE_FLAGS),
    handler: async (argv) => {
      const args = commandArguments(argv, 2);
      if (args.length !== 1) refuseArguments('lease timetolive command needs lease ID as argument');
      const id = parseLeaseArgument(args[0] ?? '');
      const keys = argv.keys ?? false;
      const { client, printer } = openInvocation(context, argv, 'leaseTimeToLive');
      const reply = await client.leaseTimeToLive(id, { keys }).catch(failAsConnection);
      printer.leaseTimeToLive(reply, { keys });
    },
  };
}

function leaseListCommand(context: CommandContext): CommandModule {
  return {
    command: 'list',
    describe: 'print all leases',
    builder: (yargs) => yargs.usage('$0 lease list [flags]'),
    handler: async (argv) => {
      const { client, printer } = openInvocation(context, argv, 'leaseList');
      printer.leaseList(await client.leases().catch(failAsConnection));
    },
  };
}

/** Seconds of a lease; fewer than a node allows are raised by it. */
function readSeconds(text: string): number {
  try {
    return parseInteger(text);
  } catch (error) {
    return refuseArguments(`bad TTL (${error instanceof Error ? error.message : error})`);
  }
}

/** A refusal in etcdctl's words: what failed, why in brackets. */
function explain(what: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof KvorumError) || error.code === ErrorCode.Unreachable) throw error;
    throw new CommandError(ExitCode.Error, `${what} (${error.message})`);
  };
}
