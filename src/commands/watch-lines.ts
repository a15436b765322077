/**
 * `watch -i`: watches and requests for progress, line by line. A line that makes no sense is told
 * and skipped; the end of the input ends them all.
 *
 * Source: etcdctl 3.4 watch -i.
 */

import type { Watcher } from '../../include/client.ts';
import type { CommandContext, Invocation } from './command-context.ts';
import { CommandError, ExitCode } from './command-error.ts';
import { cutLineWords } from './line-words.ts';
import { parseInnerCommand } from './parser-configuration.ts';
import { printWatch } from './print-watch.ts';
import { readWatch, WATCH_LINE_FLAGS, type WatchWanted } from './watch-arguments.ts';

/** What a line asks for. */
type LineRequest =
  | { readonly kind: 'watch'; readonly wanted: WatchWanted }
  | { readonly kind: 'progress' }
  | { readonly kind: 'invalid'; readonly why: string };

/** Reads and runs lines until the input ends, a watch's command fails or `signal` aborts. */
export async function watchLines(
  context: CommandContext,
  invocation: Invocation,
  signal: AbortSignal,
): Promise<void> {
  const { terminal } = context;
  const watchers: Watcher[] = [];
  const failed = new AbortController();
  const startWatch = async ({ key, options, command }: WatchWanted): Promise<void> => {
    const watcher = invocation.client.watch(key, { ...options, progressNotify: true });
    watchers.push(watcher);
    const printed = printWatch(context, invocation, watcher, command);
    printed.catch((error: unknown) => failed.abort(error));
    await watcher.created.catch(() => {}); // printWatch is told of it as well
  };

  try {
    for (;;) {
      const line = await terminal.nextLine(AbortSignal.any([signal, failed.signal]));
      if (line === undefined) {
        const why = 'Error reading watch request line: EOF';
        throw new CommandError(ExitCode.BadInput, why);
      }
      const request = readLine(line.trim(), terminal.environment);
      if (request.kind === 'watch') await startWatch(request.wanted);
      else if (request.kind === 'progress') askProgress(watchers);
      else terminal.writeError(`Invalid command ${line.trim()} (${request.why})\n`);
    }
  } finally {
    await Promise.all(watchers.map((watcher) => watcher.close()));
  }
}

/** The answers come in the flow of events. */
function askProgress(watchers: readonly Watcher[]): void {
  for (const watcher of watchers) watcher.progress().catch(() => {}); // its iteration is told
}

function readLine(
  line: string,
  environment: Readonly<Record<string, string | undefined>>,
): LineRequest {
  const cut = cutLineWords(line);
  if ('expected' in cut) return { kind: 'invalid', why: `expected ${cut.expected}` };
  const [first] = cut.words;
  if (first === 'progress' && cut.words.length === 1) return { kind: 'progress' };
  if (first !== 'watch') return { kind: 'invalid', why: 'only support watch' };
  try {
    const argv = parseInnerCommand(cut.words, WATCH_LINE_FLAGS);
    return { kind: 'watch', wanted: readWatch(argv, environment) };
  } catch (error) {
    return { kind: 'invalid', why: error instanceof Error ? error.message : String(error) };
  }
}
