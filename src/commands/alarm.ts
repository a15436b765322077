/** `kvorum alarm list|disarm`: what is wrong with members, and that it was seen to. */

import type { Argv, CommandModule } from 'yargs';
import { commandArguments } from './arguments.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { CommandError, ExitCode, refuseArguments } from './command-error.ts';

/** Makes the command. */
export function alarmCommand(context: CommandContext): CommandModule {
  return {
    command: 'alarm',
    describe: 'list and disarm alarms',
    builder: (yargs: Argv) =>
      yargs
        .usage('$0 alarm <command>')
        .command(alarmListCommand(context))
        .command(alarmDisarmCommand(context)),
    handler: (argv) => {
      const [subcommand] = commandArguments(argv);
      const what =
        subcommand === undefined
          ? 'alarm needs a command: list or disarm'
          : `unknown command ${JSON.stringify(subcommand)} for "kvorum alarm"`;
      throw new CommandError(ExitCode.Error, what);
    },
  };
}

function alarmListCommand(context: CommandContext): CommandModule {
  return {
    command: 'list',
    describe: 'print the alarms that are raised',
    builder: (yargs) => yargs.usage('$0 alarm list [flags]'),
    handler: async (argv) => {
      refuseAny(argv, 'list');
      const { client, printer } = openInvocation(context, argv, 'alarms');
      printer.alarms(await client.alarms());
    },
  };
}

function alarmDisarmCommand(context: CommandContext): CommandModule {
  return {
    command: 'disarm',
    describe: 'disarm all alarms, and print them',
    builder: (yargs) => yargs.usage('$0 alarm disarm [flags]'),
    handler: async (argv) => {
      refuseAny(argv, 'disarm');
      const { client, printer } = openInvocation(context, argv, 'alarms');
      const raised = await client.alarms();
      const disarmed = await Promise.all(raised.alarms.map((alarm) => client.disarmAlarm(alarm)));
      printer.alarms({ ...raised, alarms: disarmed.flatMap(({ alarms }) => alarms) });
    },
  };
}

function refuseAny(argv: Parameters<typeof commandArguments>[0], command: string): void {
  if (commandArguments(argv, 2).length === 0) return;
  refuseArguments(`alarm ${command} command accepts no arguments`);
}
