/** `kvorum status`: the whole cluster in one table. */

import type { CommandModule } from 'yargs';
import { surveyCluster } from '../client/survey.ts';
import { printClusterStatus } from '../client/terminal/cluster-status.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { ExitCode, ReportedFailure } from './command-error.ts';

/** Makes the command. */
export function statusCommand(context: CommandContext): CommandModule {
  return {
    command: 'status',
    describe: 'show every node of the cluster',
    builder: (yargs) =>
      yargs.usage('$0 status [flags]\n\nAsks every endpoint, and every node that those know of.'),
    handler: async (argv) => {
      const { client, settings } = openInvocation(context, argv, undefined);
      const nodes = await surveyCluster(client);
      printClusterStatus(context.terminal.write, settings.format, nodes);
      if (nodes.some((node) => node.status === undefined)) {
        for (const { error } of nodes) {
          if (error !== '') context.terminal.writeError(`${error}\n`);
        }
        throw new ReportedFailure(ExitCode.Error);
      }
    },
  };
}
