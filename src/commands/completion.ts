/** Which words may come next on a command line: what Tab offers in the shell. */

import { COMPACTION_FLAGS } from './compaction.ts';
import { DEL_FLAGS } from './del.ts';
import { ELECT_FLAGS } from './elect.ts';
import { ENDPOINT_FLAGS } from './endpoint.ts';
import { EXPORT_FLAGS } from './export.ts';
import { GET_FLAGS } from './get.ts';
import { LEASE_TIMETOLIVE_FLAGS } from './lease.ts';
import { LEASE_KEEP_ALIVE_FLAGS } from './lease-keep-alive.ts';
import { LOCK_FLAGS } from './lock.ts';
import { MAKE_MIRROR_FLAGS } from './make-mirror.ts';
import { PUT_FLAGS } from './put.ts';
import { type Flags, GLOBAL_FLAGS } from './settings.ts';
import { TXN_FLAGS } from './txn.ts';
import { WATCH_FLAGS } from './watch.ts';

const NO_FLAGS: Flags = {};

/** The commands that a shell runs, by their words, with their own flags. */
const COMMANDS: ReadonlyMap<string, Flags> = new Map([
  ['put', PUT_FLAGS],
  ['get', GET_FLAGS],
  ['del', DEL_FLAGS],
  ['txn', TXN_FLAGS],
  ['watch', WATCH_FLAGS],
  ['lease', NO_FLAGS],
  ['lease grant', NO_FLAGS],
  ['lease revoke', NO_FLAGS],
  ['lease timetolive', LEASE_TIMETOLIVE_FLAGS],
  ['lease list', NO_FLAGS],
  ['lease keep-alive', LEASE_KEEP_ALIVE_FLAGS],
  ['elect', ELECT_FLAGS],
  ['export', EXPORT_FLAGS],
  ['history', NO_FLAGS],
  ['import', NO_FLAGS],
  ['lock', LOCK_FLAGS],
  ['make-mirror', MAKE_MIRROR_FLAGS],
  ['compaction', COMPACTION_FLAGS],
  ['status', NO_FLAGS],
  ['endpoint', NO_FLAGS],
  ['endpoint status', ENDPOINT_FLAGS],
  ['endpoint health', ENDPOINT_FLAGS],
  ['move-leader', NO_FLAGS],
  ['version', NO_FLAGS],
]);

/** Words of the shell itself. */
const SHELL_WORDS = ['help', 'exit'];

/**
 * Completes the last word of a line: to commands, or to flags when it starts with a dash.
 *
 * @param words the line's words; the last one is empty behind a blank
 * @returns every word that fits, ascending
 */
export function completeWords(words: readonly string[]): string[] {
  const last = words.at(-1) ?? '';
  const before = words.slice(0, -1).filter((word) => !word.startsWith('-'));
  const candidates = last.startsWith('-') ? flagsBehind(before) : commandsBehind(before);
  return candidates.filter((word) => word.startsWith(last)).sort();
}

/** The flags of the longest command that the words begin with, and the global ones. */
function flagsBehind(words: readonly string[]): string[] {
  const [first = '', second = ''] = words;
  const own = COMMANDS.get(`${first} ${second}`) ?? COMMANDS.get(first) ?? NO_FLAGS;
  return [...Object.keys(own), ...Object.keys(GLOBAL_FLAGS)].map((flag) => `--${flag}`);
}

/** The command words that may follow. */
function commandsBehind(words: readonly string[]): string[] {
  if (words[0] === 'help') return commandsBehind(words.slice(1));
  const found = new Set<string>();
  for (const command of COMMANDS.keys()) {
    const parts = command.split(' ');
    const next = parts[words.length];
    if (next !== undefined && words.every((word, place) => word === parts[place])) found.add(next);
  }
  if (words.length === 0) for (const word of SHELL_WORDS) found.add(word);
  return [...found];
}
