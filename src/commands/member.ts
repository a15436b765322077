/** `kvorum member list|add|promote|remove|update|change`: who belongs to the cluster. */

import type { Argv, CommandModule, InferredOptionTypes } from 'yargs';
import type { MemberChange, NewMember } from '../../include/client.ts';
import { parseEndpoint } from '../client/endpoint.ts';
import type { MemberChanged } from '../client/terminal/printer.ts';
import { commandArguments } from './arguments.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { CommandError, ExitCode, refuseArguments } from './command-error.ts';
import { parseNodeId } from './flag-values.ts';
import { awaitVoters } from './member-progress.ts';
import { readPort } from './server-flags.ts';
import type { Flags } from './settings.ts';

const FORCE_FLAGS = {
  force: { type: 'boolean', describe: 'although fewer members may fail then, or one lags' },
} as const satisfies Flags;

const WAIT_FLAGS = {
  wait: { type: 'boolean', describe: 'until who is added votes; shows how far it is' },
} as const satisfies Flags;

const PLACE_FLAGS = {
  'peer-urls': {
    type: 'string',
    requiresArg: true,
    describe: 'where the others reach it: http://host:port',
  },
  'client-port': { type: 'string', requiresArg: true, describe: 'the etcd-compatible port' },
} as const satisfies Flags;

/** The flags of `member add`. */
export const MEMBER_ADD_FLAGS = {
  ...PLACE_FLAGS,
  learner: { type: 'boolean', describe: 'to receive the log, but never vote' },
  ...WAIT_FLAGS,
  ...FORCE_FLAGS,
} as const satisfies Flags;

/** The flags of `member promote` and `member remove`. */
export const MEMBER_FORCE_FLAGS = FORCE_FLAGS;

/** The flags of `member update`. */
export const MEMBER_UPDATE_FLAGS = {
  ...PLACE_FLAGS,
  name: { type: 'string', requiresArg: true, describe: 'what it is called' },
} as const satisfies Flags;

/** The flags of `member change`. */
export const MEMBER_CHANGE_FLAGS = {
  add: {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: 'a member at http://host:port, to vote once it has caught up',
  },
  'add-learner': {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: 'a learner at http://host:port',
  },
  promote: { type: 'string', array: true, requiresArg: true, describe: 'the id of a learner' },
  remove: {
    type: 'string',
    array: true,
    requiresArg: true,
    describe: 'the id of a member; goes once those added have caught up',
  },
  ...WAIT_FLAGS,
  ...FORCE_FLAGS,
} as const satisfies Flags;

/** Makes the command. */
export function memberCommand(context: CommandContext): CommandModule {
  return {
    command: 'member',
    describe: 'list, add, promote, remove and move members',
    builder: (yargs: Argv) =>
      yargs
        .usage('$0 member <command>')
        .command(listCommand(context))
        .command(addCommand(context))
        .command(promoteCommand(context))
        .command(removeCommand(context))
        .command(updateCommand(context))
        .command(changeCommand(context)),
    handler: (argv) => {
      const [subcommand] = commandArguments(argv);
      const what =
        subcommand === undefined
          ? 'member needs a command: list, add, promote, remove, update or change'
          : `unknown command ${JSON.stringify(subcommand)} for "kvorum member"`;
      throw new CommandError(ExitCode.Error, what);
    },
  };
}

function listCommand(context: CommandContext): CommandModule {
  return {
    command: 'list',
    describe: 'print every member',
    builder: (yargs) => yargs.usage('$0 member list [flags]'),
    handler: async (argv) => {
      const { client, printer } = openInvocation(context, argv, 'memberList');
      printer.memberList(await client.members());
    },
  };
}

type AddModule = CommandModule<object, InferredOptionTypes<typeof MEMBER_ADD_FLAGS>>;

function addCommand(context: CommandContext): AddModule {
  return {
    command: 'add',
    describe: 'add a member, which then is to be started',
    builder: (yargs) => yargs.usage('$0 member add <name> [flags]').options(MEMBER_ADD_FLAGS),
    handler: async (argv) => {
      const args = commandArguments(argv, 2);
      if (args.length < 1) refuseArguments('member name not provided');
      if (args.length > 1) refuseArguments('too many arguments');
      const urls = argv['peer-urls'];
      if (urls === undefined) return refuseArguments('member peer urls not provided');
      const { force = false } = argv;
      const clientPort = readPort('client-port', argv['client-port']);
      const member = { ...newMember(urls, argv.learner ?? false), ...portGiven(clientPort) };
      const { client, printer } = openInvocation(context, argv, 'memberChange');
      const reply = await client.addMember(member, { force });
      const [name = ''] = args;
      printer.memberChange(
        reply,
        reply.added.map((id) => ({ id, became: 'added to', name })),
      );
      if (argv.wait === true) await awaitVoters(client, context.terminal, reply.added);
    },
  };
}

type ForceModule = CommandModule<object, InferredOptionTypes<typeof MEMBER_FORCE_FLAGS>>;

function promoteCommand(context: CommandContext): ForceModule {
  return {
    command: 'promote',
    describe: 'let a learner that has caught up vote',
    builder: (yargs) => yargs.usage('$0 member promote <id> [flags]').options(MEMBER_FORCE_FLAGS),
    handler: async (argv) => {
      const id = onlyId(argv);
      const { client, printer } = openInvocation(context, argv, 'memberChange');
      const reply = await client.promoteMember(id, { force: argv.force ?? false });
      printer.memberChange(reply, [{ id, became: 'promoted in' }]);
    },
  };
}

function removeCommand(context: CommandContext): ForceModule {
  return {
    command: 'remove',
    describe: 'remove a member, for good',
    builder: (yargs) => yargs.usage('$0 member remove <id> [flags]').options(MEMBER_FORCE_FLAGS),
    handler: async (argv) => {
      const id = onlyId(argv);
      const { client, printer } = openInvocation(context, argv, 'memberChange');
      const reply = await client.removeMember(id, { force: argv.force ?? false });
      printer.memberChange(reply, [{ id, became: 'removed from' }]);
    },
  };
}

type UpdateModule = CommandModule<object, InferredOptionTypes<typeof MEMBER_UPDATE_FLAGS>>;

function updateCommand(context: CommandContext): UpdateModule {
  return {
    command: 'update',
    describe: 'change where a member is reached, or its name; then restart it',
    builder: (yargs) => yargs.usage('$0 member update <id> [flags]').options(MEMBER_UPDATE_FLAGS),
    handler: async (argv) => {
      const id = onlyId(argv);
      const { name, 'peer-urls': urls } = argv;
      const clientPort = readPort('client-port', argv['client-port']);
      if (urls === undefined && name === undefined && clientPort === undefined) {
        refuseArguments('member peer urls not provided');
      }
      const { client, printer } = openInvocation(context, argv, 'memberChange');
      const reply = await client.updateMember(id, {
        ...(urls === undefined ? {} : placeOf(urls)),
        ...(name === undefined ? {} : { name }),
        ...portGiven(clientPort),
      });
      printer.memberChange(reply, [{ id, became: 'updated in' }]);
    },
  };
}

type ChangeModule = CommandModule<object, InferredOptionTypes<typeof MEMBER_CHANGE_FLAGS>>;

function changeCommand(context: CommandContext): ChangeModule {
  return {
    command: 'change',
    describe: 'make several changes in one step: replace a member, for instance',
    builder: (yargs) =>
      yargs
        .usage('$0 member change [flags]\n\nAn id is hex, as member list prints it.')
        .options(MEMBER_CHANGE_FLAGS),
    handler: async (argv) => {
      const { add = [], promote = [], remove = [], force = false } = argv;
      const learners = argv['add-learner'] ?? [];
      const changes: MemberChange[] = [
        ...add.map((url) => ({ add: newMember(url, false) })),
        ...learners.map((url) => ({ add: newMember(url, true) })),
        ...promote.map((id) => ({ promote: parseNodeId(id) })),
        ...remove.map((id) => ({ remove: parseNodeId(id) })),
      ];
      if (changes.length === 0)
        refuseArguments('member change needs a flag that changes something');
      const { client, printer } = openInvocation(context, argv, 'memberChange');
      const reply = await client.changeMembers(changes, { force });
      const done: MemberChanged[] = [
        ...reply.added.map((id) => ({ id, became: 'added to' as const })),
        ...promote.map((id) => ({ id: parseNodeId(id), became: 'promoted in' as const })),
        ...remove.map(parseNodeId).flatMap((id) => {
          const isGone = !reply.members.some((member) => member.id === id);
          return isGone ? [{ id, became: 'removed from' as const }] : [];
        }),
      ];
      printer.memberChange(reply, done);
      if (argv.wait === true) await awaitVoters(client, context.terminal, reply.added);
    },
  };
}

function onlyId(argv: Parameters<typeof commandArguments>[0]): number {
  const args = commandArguments(argv, 2);
  if (args.length !== 1) refuseArguments('member ID is not provided');
  return parseNodeId(args[0] ?? '');
}

function newMember(url: string, isLearner: boolean): NewMember {
  return { ...placeOf(url), isLearner };
}

/** @throws KvorumError BadEndpoint */
function placeOf(url: string): { readonly address: string; readonly port: number } {
  const { host, port } = parseEndpoint(url);
  return { address: host, port };
}

function portGiven(clientPort: number | undefined): { readonly clientPort?: number } {
  return clientPort === undefined ? {} : { clientPort };
}
