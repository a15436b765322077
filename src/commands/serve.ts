/** `kvorum serve`: one node in the foreground, until a signal or a fault ends it. */

import type { CommandModule } from 'yargs';
import type { CommandContext } from './command-context.ts';
import { DISCOVERY_FLAGS } from './discovery.ts';
import { JOIN_FLAGS } from './join.ts';
import { SERVER_FLAGS } from './server-flags.ts';
import type { Flags } from './settings.ts';

/** Flags of serve. */
export const SERVE_FLAGS = {
  id: { type: 'string', requiresArg: true, describe: 'which node of nodes.conf this is' },
  ...JOIN_FLAGS,
  ...DISCOVERY_FLAGS,
  'force-new-cluster': {
    type: 'boolean',
    describe: 'go on without the other members, which are lost for good',
  },
  ...SERVER_FLAGS,
  'log-file': {
    type: 'string',
    requiresArg: true,
    describe: 'where events are written; SIGHUP reopens it',
    defaultDescription: 'standard output',
  },
} as const satisfies Flags;

/** Makes the command. */
export function serveCommand(context: CommandContext): CommandModule {
  return {
    command: 'serve',
    describe: 'run one node of a cluster',
    builder: (yargs) =>
      yargs
        .usage('$0 serve --id N\n$0 serve --join host:port --listen host:port')
        .options(SERVE_FLAGS),
    handler: async (argv) => {
      const { serve } = await import('./run-server.ts');
      await serve(argv, context);
    },
  };
}
