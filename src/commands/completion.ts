/**
 * Which words may come next on a command line: what Tab offers, in `kvorum shell` and in the shells
 * that `kvorum completion` has a script for.
 */

import { COMPACTION_FLAGS } from './compaction.ts';
import { DEL_FLAGS } from './del.ts';
import { ELECT_FLAGS } from './elect.ts';
import { ENDPOINT_FLAGS, ENDPOINT_HASHKV_FLAGS } from './endpoint.ts';
import { ETCD_COMMAND_FLAGS, ETCD_WORD } from './etcd/etcd.ts';
import { EXPORT_FLAGS } from './export.ts';
import { GET_FLAGS } from './get.ts';
import { LEASE_TIMETOLIVE_FLAGS } from './lease.ts';
import { LEASE_KEEP_ALIVE_FLAGS } from './lease-keep-alive.ts';
import { LOCK_FLAGS } from './lock.ts';
import { MAKE_MIRROR_FLAGS } from './make-mirror.ts';
import {
  MEMBER_ADD_FLAGS,
  MEMBER_CHANGE_FLAGS,
  MEMBER_FORCE_FLAGS,
  MEMBER_UPDATE_FLAGS,
} from './member.ts';
import { PUT_FLAGS } from './put.ts';
import { SERVE_FLAGS } from './serve.ts';
import { SERVER_FLAGS } from './server-flags.ts';
import { type Flags, GLOBAL_FLAGS } from './settings.ts';
import { COMPLETION_SCRIPTS } from './shell-completion.ts';
import { SNAPSHOT_RESTORE_FLAGS } from './snapshot.ts';
import { TOP_FLAGS } from './top.ts';
import { TXN_FLAGS } from './txn.ts';
import { WATCH_FLAGS } from './watch.ts';

const NO_FLAGS: Flags = {};

/** Commands by their words, with their own flags. */
export type CommandWords = ReadonlyMap<string, Flags>;

/** The commands that `kvorum shell` runs, and its own words. */
export const SHELL_COMMANDS: CommandWords = new Map([
  ['help', NO_FLAGS],
  ['exit', NO_FLAGS],
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
  ['top', TOP_FLAGS],
  ['log-level', ENDPOINT_FLAGS],
  ['endpoint', NO_FLAGS],
  ['endpoint status', ENDPOINT_FLAGS],
  ['endpoint health', ENDPOINT_FLAGS],
  ['endpoint hashkv', ENDPOINT_HASHKV_FLAGS],
  ['defrag', ENDPOINT_FLAGS],
  ['alarm', NO_FLAGS],
  ['alarm list', NO_FLAGS],
  ['alarm disarm', NO_FLAGS],
  ['member', NO_FLAGS],
  ['member list', NO_FLAGS],
  ['member add', MEMBER_ADD_FLAGS],
  ['member promote', MEMBER_FORCE_FLAGS],
  ['member remove', MEMBER_FORCE_FLAGS],
  ['member update', MEMBER_UPDATE_FLAGS],
  ['member change', MEMBER_CHANGE_FLAGS],
  ['snapshot', NO_FLAGS],
  ['snapshot save', NO_FLAGS],
  ['snapshot status', NO_FLAGS],
  ['snapshot restore', SNAPSHOT_RESTORE_FLAGS],
  ['move-leader', NO_FLAGS],
  ['version', NO_FLAGS],
]);

/** The commands behind `kvorum`. */
export const PROGRAM_COMMANDS: CommandWords = new Map([
  ...[...SHELL_COMMANDS].filter(([word]) => word !== 'exit'),
  ['shell', NO_FLAGS],
  ['serve', SERVE_FLAGS],
  ['dev', SERVER_FLAGS],
  [ETCD_WORD, ETCD_COMMAND_FLAGS],
  ['completion', NO_FLAGS],
  ...[...COMPLETION_SCRIPTS.keys()].map((shell) => [`completion ${shell}`, NO_FLAGS] as const),
]);

/**
 * Completes the last word of a line: to commands, or to flags when it starts with a dash. A flag's
 * value is not completed, nor what stands behind `--`.
 *
 * @param words the line's words; the last one is empty behind a blank
 * @returns every word that fits, ascending
 */
export function completeWords(words: readonly string[], commands: CommandWords): string[] {
  const last = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  if (before.includes('--') || takesValue(before.at(-1), commands)) return [];
  const plain = before.filter(
    (word, place) => !word.startsWith('-') && !takesValue(before[place - 1], commands),
  );
  const candidates = last.startsWith('-')
    ? flagsBehind(plain, commands)
    : commandsBehind(plain, commands);
  return candidates.filter((word) => word.startsWith(last)).sort();
}

/** Whether a word is a flag, by its name or its letter, whose value is the next word. */
function takesValue(word: string | undefined, commands: CommandWords): boolean {
  if (word === undefined || !word.startsWith('-')) return false;
  return [GLOBAL_FLAGS, ...commands.values()].some((flags: Flags) =>
    Object.entries(flags).some(
      ([name, { type, alias }]) =>
        type !== 'boolean' && (word === `--${name}` || word === `-${alias}`),
    ),
  );
}

/** The flags of the longest command that the words begin with, and the global ones. */
function flagsBehind(words: readonly string[], commands: CommandWords): string[] {
  const [first = '', second = ''] = words;
  const own = commands.get(`${first} ${second}`) ?? commands.get(first) ?? NO_FLAGS;
  return [...Object.keys(own), ...Object.keys(GLOBAL_FLAGS)].map((flag) => `--${flag}`);
}

/** The command words that may follow. */
function commandsBehind(words: readonly string[], commands: CommandWords): string[] {
  if (words[0] === 'help') return commandsBehind(words.slice(1), commands);
  const found = new Set<string>();
  for (const command of commands.keys()) {
    const parts = command.split(' ');
    const next = parts[words.length];
    if (next !== undefined && words.every((word, place) => word === parts[place])) found.add(next);
  }
  return [...found];
}
