/** `kvorum dev`: every node of nodes.conf in a worker thread of one process, for development. */

import type { CommandModule } from 'yargs';
import type { CommandContext } from './command-context.ts';
import { SERVER_FLAGS } from './server-flags.ts';

/** Makes the command. */
export function devCommand(context: CommandContext): CommandModule {
  return {
    command: 'dev',
    describe: 'run every node of nodes.conf in this process, for development',
    builder: (yargs) => yargs.usage('$0 dev').options(SERVER_FLAGS),
    handler: async (argv) => {
      const { runDev } = await import('./run-dev.ts');
      await runDev(argv, context);
    },
  };
}
