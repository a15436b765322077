/** `kvorum lock <name> [command...]`: holds a lock until interrupted, or while a command runs. */

import type { CommandModule, InferredOptionTypes } from 'yargs';
import type { HeldLock } from '../../include/recipes.ts';
import { createLock } from '../client/recipes/lock.ts';
import { commandArguments } from './arguments.ts';
import { textToBytes } from './byte-text.ts';
import { runChild } from './child-command.ts';
import { type CommandContext, type Invocation, openInvocation } from './command-context.ts';
import { CommandError, ExitCode, refuseArguments } from './command-error.ts';
import { integerFlag } from './flag-values.ts';
import { releasingWhenInterrupted, whenAborted, whileChildRuns } from './interrupts.ts';
import type { Flags } from './settings.ts';

/** Its flags. */
export const LOCK_FLAGS = {
  ttl: {
    type: 'string',
    requiresArg: true,
    describe: 'seconds after which the lock of a crashed holder is free',
    defaultDescription: '10',
  },
} as const satisfies Flags;

const USAGE = `$0 lock [flags] <name> [-- command...]

Without a command: prints the lock's key once it is held, and holds it until Ctrl-C. With a
command: runs it while the lock is held, with ETCD_LOCK_KEY, ETCD_LOCK_REV and
KVORUM_LOCK_TOKEN, the fencing token; its exit code is that of lock.`;

/** Makes the command. */
export function lockCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof LOCK_FLAGS>> {
  return {
    command: 'lock',
    describe: 'hold a lock, or run a command that holds it',
    builder: (yargs) => yargs.usage(USAGE).options(LOCK_FLAGS),
    handler: async (argv) => {
      const [name, ...command] = commandArguments(argv);
      if (name === undefined) {
        return refuseArguments(
          'lock takes a lock name argument and an optional command to execute',
        );
      }
      const ttlSeconds = integerFlag('ttl')(argv.ttl ?? '10');
      const invocation = openInvocation(context, argv, 'range');
      const lock = createLock(invocation.client, textToBytes(name), { ttlSeconds });
      // Until the lock is released somebody listens: an interrupt in between would end the process,
      // and leave it held.
      await releasingWhenInterrupted(context, async (signal) => {
        const held = await lock.acquire({ signal }).catch((error: unknown) => {
          throw signal.aborted ? cancelled() : error;
        });
        if (command.length === 0) await hold(context, invocation, held, signal);
        else await runHolding(context, held, command, signal);
      });
    },
  };
}

/** Whoever waits for a turn has given up. */
export function cancelled(): CommandError {
  return new CommandError(ExitCode.Error, 'context canceled');
}

async function hold(
  { terminal }: CommandContext,
  { client, printer, style }: Invocation,
  held: HeldLock,
  signal: AbortSignal,
): Promise<void> {
  try {
    printer.range(await client.range(held.key), style);
    terminal.flush();
    await whenAborted(AbortSignal.any([signal, held.lost]));
    if (!signal.aborted) throw new CommandError(ExitCode.Error, 'session expired');
  } finally {
    await release(held);
  }
}

async function runHolding(
  context: CommandContext,
  held: HeldLock,
  words: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const environment = {
    ETCD_LOCK_KEY: held.key.toString(),
    ETCD_LOCK_REV: String(held.revision),
    KVORUM_LOCK_TOKEN: String(held.token),
  };
  try {
    if (signal.aborted) throw cancelled();
    // From here on the command decides what an interrupt means.
    const failure = await whileChildRuns(context, (ended) =>
      runChild({
        words,
        terminal: context.terminal,
        environment,
        input: context.terminal.input === undefined ? 'ignore' : 'inherit',
        signal: AbortSignal.any([ended, held.lost]),
      }),
    );
    if (held.lost.aborted) {
      throw new CommandError(ExitCode.Error, 'session expired: the command was told to end');
    }
    if (failure !== undefined) throw new CommandError(failure.exitCode, failure.text);
  } finally {
    await release(held);
  }
}

/** A lock that is lost is released as good as it goes. */
async function release(held: HeldLock): Promise<void> {
  try {
    await held.release();
  } catch (error) {
    if (!held.lost.aborted) throw error;
  }
}
