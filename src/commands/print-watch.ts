/** Prints what a watch tells, and runs a command for each event. */

import { WatchError, type Watcher } from '../../include/client.ts';
import { ERRORS, ErrorCode } from '../../include/errors.ts';
import type { WatchEvent } from '../../include/kvstore.ts';
import { goQuote } from '../client/terminal/go-quote.ts';
import { eventName } from '../client/terminal/watch-printer.ts';
import { runChild } from './child-command.ts';
import type { CommandContext, Invocation } from './command-context.ts';
import { ExitCode, ReportedFailure } from './command-error.ts';

/** How a watch ended: by its user's wish, or by a node. */
export type WatchEnding = 'closed' | 'cancelled';

/**
 * Prints what a watch tells until it ends.
 *
 * @param command run for each event; empty for none
 * @throws ReportedFailure when the command fails
 */
export async function printWatch(
  { terminal }: CommandContext,
  { printer, style }: Invocation,
  watcher: Watcher,
  command: readonly string[],
): Promise<WatchEnding> {
  try {
    for await (const told of watcher) {
      if (told.events.length === 0) terminal.write(`progress notify: ${told.revision}\n`);
      printer.watch(told, style);
      await terminal.drained();
      if (command.length === 0) continue;
      for (const event of told.events) await runForEvent(terminal, command, event);
    }
    return 'closed';
  } catch (error) {
    if (!(error instanceof WatchError)) throw error;
    printer.watchCancelled(error.compactRevision);
    terminal.writeError(`watch was canceled (${ERRORS.get(ErrorCode.Compacted)?.text})\n`);
    return 'cancelled';
  }
}

async function runForEvent(
  terminal: CommandContext['terminal'],
  command: readonly string[],
  { kind, kv }: WatchEvent,
): Promise<void> {
  const environment = {
    ETCD_WATCH_REVISION: String(kv.modRevision),
    ETCD_WATCH_EVENT_TYPE: `"${eventName(kind)}"`,
    ETCD_WATCH_KEY: goQuote(kv.key),
    ETCD_WATCH_VALUE: goQuote(kv.value),
  };
  const failure = await runChild({ words: command, terminal, environment, input: 'ignore' });
  if (failure === undefined) return;
  const words = command.map((word) => goQuote(Buffer.from(word))).join(' ');
  terminal.writeError(`command [${words}] error (${failure.text})\n`);
  throw new ReportedFailure(ExitCode.Error);
}
