/** `kvorum log-level`: how much nodes log from now on, until they end. */

import type { CommandModule, InferredOptionTypes } from 'yargs';
import { LOG_LEVELS } from '../../include/log.ts';
import { surveyCluster } from '../client/survey.ts';
import { commandArguments } from './arguments.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { ExitCode, ReportedFailure, refuseArguments } from './command-error.ts';
import { ENDPOINT_FLAGS } from './endpoint.ts';

/** Makes the command. */
export function logLevelCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof ENDPOINT_FLAGS>> {
  return {
    command: 'log-level',
    describe: 'set how much each endpoint logs',
    builder: (yargs) =>
      yargs.usage(`$0 log-level <${LOG_LEVELS.join('|')}> [--cluster]`).options(ENDPOINT_FLAGS),
    handler: async (argv) => {
      const [word, ...more] = commandArguments(argv);
      const level = LOG_LEVELS.find((each) => each === word);
      if (level === undefined || more.length > 0) {
        refuseArguments(`log-level command needs one of ${LOG_LEVELS.join(', ')}`);
      }
      const { client } = openInvocation(context, argv, undefined);
      const isCluster = argv.cluster ?? false;
      const endpoints = isCluster
        ? (await surveyCluster(client)).map(({ endpoint }) => endpoint)
        : client.endpoints;
      let failedCount = 0;
      for (const endpoint of endpoints) {
        try {
          await client.setLogLevel(level, { endpoint });
          context.terminal.write(`${endpoint} logs from ${level} on\n`);
        } catch (failure) {
          failedCount += 1;
          const why = failure instanceof Error ? failure.message : String(failure);
          context.terminal.writeError(`Failed to set the log level of ${endpoint} (${why})\n`);
        }
      }
      if (failedCount > 0) throw new ReportedFailure(ExitCode.Error);
    },
  };
}
