/** Debian's etcdctl, as a process. */

import { type ChildProcess, spawn } from 'node:child_process';

/** What a command came to. */
export type Outcome = {
  readonly code: number | null;
  readonly output: string;
  readonly errorOutput: string;
};

/** Runs a command to its end. */
export async function etcdctl(
  endpoint: string,
  args: readonly string[],
  input = '',
): Promise<Outcome> {
  const running = startEtcdctl(endpoint, args);
  running.child.stdin?.end(input);
  return running.ended;
}

/** A command that runs. */
export type Running = {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  /** Resolves when what it has printed says so. */
  readonly until: (isEnough: (output: string) => boolean) => Promise<string>;
};

/** Starts a command. */
export function startEtcdctl(endpoint: string, args: readonly string[]): Running {
  const child = spawn('etcdctl', [`--endpoints=${endpoint}`, ...args], {
    env: { ...process.env, ETCDCTL_API: '3' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let output = '';
  let errorOutput = '';
  let listeners: (() => void)[] = [];
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    tell();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errorOutput += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  const ended = new Promise<Outcome>((resolve) => {
    child.once('close', (code) => {
      resolve({ code, output, errorOutput });
      tell();
    });
  });
  const until = async (isEnough: (output: string) => boolean): Promise<string> => {
    while (!isEnough(output)) {
      if (child.exitCode !== null) throw new Error(`etcdctl ended: ${output}${errorOutput}`);
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          listeners = listeners.filter((each) => each !== listener);
          resolve();
        };
        listeners.push(listener);
      });
    }
    return output;
  };
  return { child, ended, until };
}
