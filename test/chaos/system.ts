/** Runs the programs by which a machine is changed: ip, tc, mount. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Runs a program to its end. @throws Error with what it said */
export function run(file: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, { input, encoding: 'utf8' });
  if (status === 0) return stdout;
  const why = error === undefined ? stderr.trim() : error.message;
  throw new Error(`${file} ${args.join(' ')}: ${why}`, { cause: error });
}

/** Runs a program; whether it went well. */
export function succeeds(file: string, args: readonly string[]): boolean {
  return spawnSync(file, args, { stdio: 'ignore' }).status === 0;
}

/** Whether a process runs: one that ended and that nobody asked after does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.charAt(stat.lastIndexOf(')') + 2) !== 'Z';
  } catch {
    return false;
  }
}
