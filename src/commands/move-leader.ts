/** `kvorum move-leader <id>`: hands leadership to another voter, wherever the leader is. */

import type { CommandModule } from 'yargs';
import { commandArguments } from './arguments.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { refuseArguments } from './command-error.ts';
import { parseNodeId } from './flag-values.ts';

/** Makes the command. */
export function moveLeaderCommand(context: CommandContext): CommandModule {
  return {
    command: 'move-leader',
    describe: 'hand leadership to another node',
    builder: (yargs) => yargs.usage('$0 move-leader [flags] <node-id>'),
    handler: async (argv) => {
      const args = commandArguments(argv);
      if (args.length !== 1) refuseArguments('move-leader command needs 1 argument');
      const target = parseNodeId(args[0] ?? '');
      const { client, printer } = openInvocation(context, argv, 'moveLeader');
      printer.moveLeader(await client.moveLeader(target), target);
    },
  };
}
