/** Runs a command of the user's: for each event of a watch, or while a lock is held. */

import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Terminal } from './terminal.ts';

/** What is run, and where. */
export type ChildOptions = {
  /** The program and its arguments. */
  readonly words: readonly string[];
  readonly terminal: Terminal;
  /** Variables besides those of the terminal. */
  readonly environment: Readonly<Record<string, string>>;
  /** Whether it may read the terminal's input. */
  readonly input: 'inherit' | 'ignore';
  /** Ends it with SIGTERM when it aborts. */
  readonly signal?: AbortSignal;
};

/** How a command failed, in Go's words, and its exit code as a shell reports it. */
export type ChildFailure = { readonly text: string; readonly exitCode: number };

/** Exit code of a shell for a program that cannot be run. */
const EXIT_NOT_RUN = 127;

/** Runs a command to its end; undefined when it exits with 0. */
export async function runChild(options: ChildOptions): Promise<ChildFailure | undefined> {
  const { words, terminal, environment, signal } = options;
  await terminal.drained();
  const [program = '', ...args] = words;
  const isOnScreen = terminal.output === process.stdout;
  const output = isOnScreen ? 'inherit' : 'pipe';
  const child = spawn(program, args, {
    stdio: [isOnScreen ? options.input : 'ignore', output, output],
    env: { ...terminal.environment, ...environment },
  });
  child.stdout?.on('data', (chunk: Buffer) => {
    terminal.write(chunk);
    terminal.flush();
  });
  child.stderr?.on('data', (chunk: Buffer) => terminal.writeError(chunk));

  const end = (): void => {
    child.kill('SIGTERM');
  };
  signal?.addEventListener('abort', end);
  if (signal?.aborted === true) end();
  try {
    return await ending(child, program);
  } finally {
    signal?.removeEventListener('abort', end);
  }
}

function ending(child: ChildProcess, program: string): Promise<ChildFailure | undefined> {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      resolve({ text: notRunText(program, error), exitCode: EXIT_NOT_RUN });
    });
    child.once('close', (code, signal) => {
      if (signal !== null) {
        const number = constants.signals[signal];
        resolve({ text: `signal: ${SIGNAL_TEXTS.get(signal) ?? signal}`, exitCode: 128 + number });
      } else if (code === 0) {
        resolve(undefined);
      } else {
        resolve({ text: `exit status ${code}`, exitCode: code ?? EXIT_NOT_RUN });
      }
    });
  });
}

const SIGNAL_TEXTS: ReadonlyMap<string, string> = new Map([
  ['SIGHUP', 'hangup'],
  ['SIGINT', 'interrupt'],
  ['SIGKILL', 'killed'],
  ['SIGTERM', 'terminated'],
]);

function notRunText(program: string, error: Error): string {
  const code = 'code' in error ? error.code : undefined;
  const isPath = program.includes('/');
  if (code === 'ENOENT' && !isPath) return `exec: "${program}": executable file not found in $PATH`;
  if (code === 'ENOENT') return `fork/exec ${program}: no such file or directory`;
  if (code === 'EACCES') return `fork/exec ${program}: permission denied`;
  return `fork/exec ${program}: ${error.message}`;
}
