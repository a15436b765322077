/**
 * `kvorum defrag`: there is nothing to do, and it says so. The free pages of a store are used again
 * without a stop; what etcdctl prints goes to the output, what was found to the error output.
 */

import type { CommandModule, InferredOptionTypes } from 'yargs';
import { KvorumError } from '../../include/rpc.ts';
import { formatByteSize } from '../client/terminal/byte-size.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { ExitCode, ReportedFailure } from './command-error.ts';
import { chooseEndpoints, ENDPOINT_FLAGS } from './endpoint.ts';

/** Makes the command. */
export function defragCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof ENDPOINT_FLAGS>> {
  return {
    command: 'defrag',
    describe: 'say how much of each store is free, which is used again by itself',
    builder: (yargs) => yargs.usage('$0 defrag [flags]').options(ENDPOINT_FLAGS),
    handler: async (argv) => {
      const invocation = openInvocation(context, argv, undefined);
      const { terminal } = context;
      let failedCount = 0;
      for (const endpoint of await chooseEndpoints(invocation, argv.cluster ?? false)) {
        try {
          const { dbSizeBytes, dbSizeInUseBytes } = await invocation.client.status({ endpoint });
          const free = formatByteSize(dbSizeBytes - dbSizeInUseBytes);
          const what = `${free} of ${formatByteSize(dbSizeBytes)} are free and used first`;
          terminal.write(`Finished defragmenting etcd member[${endpoint}]\n`);
          terminal.writeError(`${endpoint}: nothing was moved: ${what}\n`);
        } catch (failure) {
          if (!(failure instanceof KvorumError)) throw failure;
          failedCount += 1;
          terminal.writeError(
            `Failed to defragment etcd member[${endpoint}] (${failure.message})\n`,
          );
        }
      }
      if (failedCount > 0) throw new ReportedFailure(ExitCode.Error);
    },
  };
}
