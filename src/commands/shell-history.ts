/**
 * The lines typed into the shell, kept from one shell to the next. Nothing fails for want of them.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Most lines kept. */
export const HISTORY_LINES_MAX = 1_000;

/** Where the history lies: KVORUM_HISTORY, or a file in the home directory. */
export function historyPath(environment: Readonly<Record<string, string | undefined>>): string {
  return environment.KVORUM_HISTORY ?? join(homedir(), '.kvorum_history');
}

/** Reads the history, newest first; empty when there is none. */
export function loadHistory(path: string): string[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines
      .filter((line) => line !== '')
      .slice(-HISTORY_LINES_MAX)
      .reverse();
  } catch {
    return [];
  }
}

/** Writes the history, given newest first, readable by its owner only: values may be secret. */
export function saveHistory(path: string, history: readonly string[]): void {
  const lines = history.slice(0, HISTORY_LINES_MAX).toReversed();
  try {
    writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  } catch {
    // A home directory that cannot be written to is no reason to complain at every exit.
  }
}
