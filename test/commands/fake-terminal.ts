/** Commands run in this process, with what they print kept. */

import { PassThrough, Readable, Writable } from 'node:stream';
import { type CommandContext, closeClients } from '../../src/commands/command-context.ts';
import { createInterrupts, type Interrupts } from '../../src/commands/interrupts.ts';
import { run } from '../../src/commands/run.ts';
import { createTerminal } from '../../src/commands/terminal.ts';

/** What became of a command line. */
export type Outcome = { readonly exitCode: number; readonly out: string; readonly err: string };

/** How a command line is run. */
export type RunOptions = {
  readonly input?: string | Buffer;
  readonly environment?: Readonly<Record<string, string>>;
};

/** A command line that is still running, or not any more. */
export type RunningCommand = {
  /** What is typed. */
  readonly input: PassThrough;
  readonly ended: Promise<Outcome>;
  /** Resolves when the output has this text, and it was not there before the last call. */
  readonly printed: (text: string) => Promise<void>;
  /** Likewise on the error output. */
  readonly complained: (text: string) => Promise<void>;
  /** Ctrl-C, as in a shell. */
  readonly interrupt: () => void;
  /** How often somebody began to listen to interrupts when nobody did. */
  readonly listenedTimes: () => number;
  /** The screen has another size from now on. */
  readonly resize: (rows: number, columns: number) => void;
};

/** What makes an output a screen. */
export type Screen = { readonly isTTY: true; rows: number; columns: number };

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

/** Starts a command line that runs until it is told to end, or for a while. */
export function startCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  screen: Screen | undefined = undefined,
): RunningCommand {
  const input = new PassThrough();
  const output = Object.assign(keep(), screen);
  const errorOutput = keep();
  const interrupts = createInterrupts();
  const counted = countListening(interrupts);
  const terminal = createTerminal(
    { input, output, errorOutput },
    { ...process.env, ...environment },
  );
  const context: CommandContext = {
    ...{ terminal, run, clients: new Map() },
    interrupts: counted.interrupts,
  };
  const finish = async (): Promise<Outcome> => {
    const exitCode = await run(args, context);
    await closeClients(context);
    return { exitCode, out: output.text(), err: errorOutput.text() };
  };
  return {
    input,
    ended: finish(),
    printed: output.has,
    complained: errorOutput.has,
    interrupt: () => {
      interrupts.raise();
    },
    listenedTimes: counted.times,
    resize: resizer(output),
  };
}

function countListening(inner: Interrupts): { interrupts: Interrupts; times: () => number } {
  let listening = 0;
  let times = 0;
  const listen = (told: () => void): (() => void) => {
    if (listening === 0) times += 1;
    listening += 1;
    const stop = inner.listen(told);
    let isOver = false;
    return () => {
      if (!isOver) listening -= 1;
      isOver = true;
      stop();
    };
  };
  return { interrupts: { listen }, times: () => times };
}

/** A screen that is typed at: what readline needs to take itself for interactive. */
export function startShell(environment: Readonly<Record<string, string>>): RunningCommand {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = Object.assign(keep(), { isTTY: true, columns: 80 });
  const errorOutput = keep();
  const terminal = createTerminal({ input, output, errorOutput }, environment);
  const context: CommandContext = { terminal, run, clients: new Map() };
  const finish = async (): Promise<Outcome> => {
    const exitCode = await run(['shell'], context);
    await closeClients(context);
    return { exitCode, out: output.text(), err: errorOutput.text() };
  };
  return {
    input,
    ended: finish(),
    printed: output.has,
    complained: errorOutput.has,
    interrupt: () => input.write('\x03'),
    listenedTimes: () => 0,
    resize: resizer(output),
  };
}

/** What changes the size of a screen, and says so as Node does. */
function resizer(output: Writable): (rows: number, columns: number) => void {
  return (rows, columns) => {
    Object.assign(output, { rows, columns }).emit('resize');
  };
}

type KeptOutput = Writable & {
  readonly text: () => string;
  readonly has: (text: string) => Promise<void>;
};

function keep(): KeptOutput {
  let kept = '';
  let seen = 0;
  let look = (): void => {};
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      kept += Buffer.from(chunk).toString();
      look();
      done();
    },
  });
  const has = (text: string): Promise<void> =>
    new Promise((resolve) => {
      look = () => {
        const at = kept.indexOf(text, seen);
        if (at < 0) return;
        seen = at + text.length;
        look = () => {};
        resolve();
      };
      look();
    });
  return Object.assign(stream, { text: () => kept, has });
}
