/** Commands run in this process, with what they print kept. */

import { Readable, Writable } from 'node:stream';
import { type CommandContext, closeClients } from '../../src/commands/command-context.ts';
import { run } from '../../src/commands/run.ts';
import { createTerminal } from '../../src/commands/terminal.ts';

/** What became of a command line. */
export type Outcome = { readonly exitCode: number; readonly out: string; readonly err: string };

/** How a command line is run. */
export type RunOptions = {
  readonly input?: string | Buffer;
  readonly environment?: Readonly<Record<string, string>>;
};

/** Runs one command line as a process of its own would be. */
export async function runCommand(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  const output = keep();
  const errorOutput = keep();
  const input = Readable.from(options.input === undefined ? [] : [Buffer.from(options.input)]);
  const context: CommandContext = {
    terminal: createTerminal({ input, output, errorOutput }, options.environment ?? {}),
    run,
    clients: new Map(),
  };
  const exitCode = await run(args, context);
  await closeClients(context);
  return { exitCode, out: output.text(), err: errorOutput.text() };
}

function keep(): Writable & { text: () => string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return Object.assign(stream, { text: () => Buffer.concat(chunks).toString() });
}
