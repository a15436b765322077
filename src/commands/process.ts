/** A command as a process: its streams, its environment, its exit code. */

import { type CommandContext, closeClients, type StartWorker } from './command-context.ts';
import { run } from './run.ts';
import { createTerminal } from './terminal.ts';

/** Exit code of a process whose reader went away (128 + SIGPIPE), as of a program in C. */
const EXIT_BROKEN_PIPE = 141;

/** Runs the command line of this process and sets its exit code. */
export async function runProcess(startWorker: StartWorker): Promise<void> {
  process.stdout.on('error', (error: Error) => {
    if ('code' in error && error.code === 'EPIPE') process.exit(EXIT_BROKEN_PIPE);
    throw error;
  });
  let isInputOpen = false;
  const streams = {
    // Made when a command asks for it: most never read.
    get input() {
      isInputOpen = true;
      return process.stdin;
    },
    output: process.stdout,
    errorOutput: process.stderr,
  };
  const context: CommandContext = {
    terminal: createTerminal(streams, process.env),
    run,
    clients: new Map(),
    startWorker,
  };
  process.exitCode = await run(process.argv.slice(2), context);
  await closeClients(context);
  // A command may be done before its input has ended.
  if (isInputOpen) process.stdin.destroy();
}
