/**
 * `kvorum shell`: the same commands line by line, over connections that stay open. On a terminal it
 * has history and completion; from a pipe it runs each line and goes on after errors.
 */

import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { CommandModule } from 'yargs';
import { type CommandContext, openInvocation } from './command-context.ts';
import { CommandError, ExitCode, ReportedFailure, refuseArguments } from './command-error.ts';
import { completeWords, SHELL_COMMANDS } from './completion.ts';
import { createInterrupts } from './interrupts.ts';
import { LineQueue } from './line-queue.ts';
import { environmentName, GLOBAL_FLAGS } from './settings.ts';
import { HISTORY_LINES_MAX, historyPath, loadHistory, saveHistory } from './shell-history.ts';
import type { Terminal } from './terminal.ts';
import { cutWords } from './words.ts';

/** Commands of the shell itself. */
const EXIT_WORDS = ['exit', 'quit'];

/** Commands that make no sense within a shell. */
const REFUSED_WORDS = ['shell', 'serve', 'dev', 'completion'];

const HELP = `Type a command as behind kvorum: put a 10, get a, status. Tab completes commands
and flags. exit or the end of input leaves the shell.
`;

/** Makes the command. */
export function shellCommand(context: CommandContext): CommandModule {
  return {
    command: 'shell',
    describe: 'run commands line by line',
    builder: (yargs) => yargs.usage('$0 shell [flags]\n\nThe flags hold for every line.'),
    handler: async (argv) => {
      const input = context.terminal.input;
      if (input === undefined) return refuseArguments('a shell within a shell');
      openInvocation(context, argv, undefined);
      const lines = { ...context, terminal: lineTerminal(context.terminal, argv) };
      const exitCode =
        'isTTY' in input && input.isTTY === true
          ? await runInteractive(lines, input)
          : await runLines(lines);
      if (exitCode !== ExitCode.Success) throw new ReportedFailure(exitCode);
    },
  };
}

/** Runs each line of a pipe. The exit code is that of the last line that failed. */
async function runLines(context: CommandContext): Promise<ExitCode> {
  const { nextLine } = context.terminal;
  let exitCode: ExitCode = ExitCode.Success;
  for (let line = await nextLine(); line !== undefined; line = await nextLine()) {
    const outcome = await runLine(line, context);
    if (outcome === 'exit') break;
    if (outcome !== ExitCode.Success) exitCode = outcome;
  }
  return exitCode;
}

async function runInteractive(context: CommandContext, input: Readable): Promise<ExitCode> {
  const { terminal } = context;
  const path = historyPath(terminal.environment);
  const reader = createInterface({
    input,
    output: terminal.output,
    prompt: 'kvorum> ',
    history: loadHistory(path),
    historySize: HISTORY_LINES_MAX,
    removeHistoryDuplicates: true,
    completer: completeLine,
  });
  let history: readonly string[] = [];
  reader.on('history', (lines) => {
    history = lines;
  });
  // Never paused: Ctrl-C is read here while a command runs.
  const lines = new LineQueue({ pause: () => {}, resume: () => {} });
  reader.on('line', (line) => lines.push(line));
  reader.on('close', () => lines.end());
  const interrupts = createInterrupts();
  reader.on('SIGINT', () => {
    terminal.output.write('^C\n');
    if (interrupts.raise()) return;
    reader.write(null, { ctrl: true, name: 'e' });
    reader.write(null, { ctrl: true, name: 'u' });
    reader.prompt();
  });

  const nextLine = (signal?: AbortSignal) => lines.next(signal);
  const within = { ...context, interrupts, terminal: { ...terminal, nextLine } };
  for (;;) {
    reader.prompt();
    const line = await nextLine();
    if (line === undefined || (await runLine(line, within)) === 'exit') break;
  }
  interrupts.raise();
  reader.close();
  if (history.length > 0) saveHistory(path, history);
  return ExitCode.Success;
}

/** Runs one line; never rejects. */
async function runLine(line: string, context: CommandContext): Promise<ExitCode | 'exit'> {
  try {
    const { words } = cutWords(line);
    const [command] = words;
    if (command === undefined) return ExitCode.Success;
    if (EXIT_WORDS.includes(command)) return 'exit';
    if (REFUSED_WORDS.includes(command)) refuseArguments(`${command} runs outside of a shell only`);
    if (command === 'help' && words.length === 1) context.terminal.write(HELP);
    return await context.run(words, context);
  } catch (failure) {
    if (!(failure instanceof CommandError)) throw failure;
    context.terminal.writeError(`Error: ${failure.message}\n`);
    return failure.exitCode;
  }
}

/** What readline asks of a completer: the candidates, and the text that they replace. */
function completeLine(line: string): [string[], string] {
  try {
    const { words, endsWithBlank } = cutWords(line);
    const last = endsWithBlank ? '' : (words.at(-1) ?? '');
    const found = completeWords(endsWithBlank ? [...words, ''] : words, SHELL_COMMANDS);
    return [found.map((word) => `${word} `), last];
  } catch (failure) {
    if (!(failure instanceof CommandError)) throw failure;
    return [[], line];
  }
}

/** The terminal of a shell's lines: no input of its own, and the shell's flags as environment. */
function lineTerminal(terminal: Terminal, argv: Readonly<Record<string, unknown>>): Terminal {
  const environment: Record<string, string | undefined> = { ...terminal.environment };
  for (const flag of Object.keys(GLOBAL_FLAGS)) {
    const value = argv[flag];
    if (value !== undefined) environment[environmentName(flag)] = String(value);
  }
  // Not spread: the input is made when it is asked for.
  const { write, writeError, flush, drained, nextLine, output, columns } = terminal;
  const kept = { write, writeError, flush, drained, nextLine, output, columns };
  return { ...kept, input: undefined, environment };
}
