/** `kvorum watch [key] [range_end] [-- command...]`: prints changes as they happen. */

import type { CommandModule, InferredOptionTypes } from 'yargs';
import { type CommandContext, type Invocation, openInvocation } from './command-context.ts';
import { CommandError, ExitCode } from './command-error.ts';
import { untilInterrupted } from './interrupts.ts';
import { printWatch } from './print-watch.ts';
import type { Flags } from './settings.ts';
import { readWatch, WATCH_LINE_FLAGS, type WatchWanted } from './watch-arguments.ts';
import { watchLines } from './watch-lines.ts';

/** Its flags. */
export const WATCH_FLAGS = {
  ...WATCH_LINE_FLAGS,
  interactive: { alias: 'i', type: 'boolean', describe: 'read watches line by line' },
} as const satisfies Flags;

const USAGE = `$0 watch [flags] [key] [range_end] [-- command...]

A command behind -- is run for each event, with ETCD_WATCH_REVISION, ETCD_WATCH_EVENT_TYPE,
ETCD_WATCH_KEY and ETCD_WATCH_VALUE, the last three quoted. With -i, lines of the input are
watches, \`watch [flags] key [range_end] [-- command...]\`, or \`progress\`.`;

/** Makes the command. */
export function watchCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof WATCH_FLAGS>> {
  return {
    command: 'watch',
    describe: 'print changes as they happen',
    builder: (yargs) => yargs.usage(USAGE).options(WATCH_FLAGS),
    handler: async (argv) => {
      const isInteractive = argv.interactive ?? false;
      const wanted = isInteractive ? undefined : readWatch(argv, context.terminal.environment);
      const invocation = openInvocation(context, argv, 'watch');
      await untilInterrupted(context, (signal) =>
        wanted === undefined
          ? watchLines(context, invocation, signal)
          : watchOne(context, invocation, wanted, signal),
      );
    },
  };
}

async function watchOne(
  context: CommandContext,
  invocation: Invocation,
  { key, options, command }: WatchWanted,
  signal: AbortSignal,
): Promise<void> {
  const watcher = invocation.client.watch(key, options);
  signal.addEventListener('abort', () => watcher.close());
  const ending = await printWatch(context, invocation, watcher, command);
  signal.throwIfAborted();
  if (ending === 'cancelled') {
    throw new CommandError(ExitCode.Interrupted, 'watch is canceled by the server');
  }
}
