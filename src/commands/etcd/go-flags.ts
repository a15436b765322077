/**
 * A command line as Go's flag package reads it: `-name value`, `--name=value`, a boolean without a
 * value is true. Its words for what is wrong, and its exit code.
 */

import { parseGoDuration } from '../../client/terminal/go-duration.ts';
import { CommandError } from '../command-error.ts';
import { parseBoolean, parseInteger } from '../flag-values.ts';
import type { EtcdFlag, FlagKind } from './flags.ts';

/** Exit code for a command line that cannot be read. */
const EXIT_USAGE = 2;

/** What is given of flags, by name. */
export type GivenFlags = ReadonlyMap<string, string>;

/**
 * Reads a command line.
 *
 * @returns what is given, and the first word that is no flag: reading ends there
 * @throws CommandError
 */
export function parseGoFlags(
  args: readonly string[],
  flags: ReadonlyMap<string, EtcdFlag>,
): { readonly given: GivenFlags; readonly rest: string | undefined } {
  const given = new Map<string, string>();
  for (let place = 0; place < args.length; place += 1) {
    const word = args[place]!;
    const match = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(word);
    if (match === null) {
      if (word === '--') return { given, rest: args[place + 1] };
      if (/^--?[-=]/.test(word)) throw usageError(`bad flag syntax: ${word}`);
      return { given, rest: word };
    }
    const [, name = '', inline] = match;
    const flag = flags.get(name);
    if (flag === undefined) throw usageError(`flag provided but not defined: -${name}`);
    let value = inline ?? (flag.kind === 'boolean' ? 'true' : undefined);
    if (value === undefined) {
      place += 1;
      value = args[place];
    }
    if (value === undefined) throw usageError(`flag needs an argument: -${name}`);
    given.set(name, checkValue(name, flag.kind, value));
  }
  return { given, rest: undefined };
}

/** Whether a value is one that the flag takes; returns it. @throws CommandError */
export function checkValue(name: string, kind: FlagKind, value: string): string {
  try {
    if (kind === 'boolean') parseBoolean(value);
    else if (kind === 'integer') parseInteger(value);
    else if (kind === 'duration') parseGoDuration(value);
  } catch {
    throw usageError(`invalid value ${JSON.stringify(value)} for flag -${name}: parse error`);
  }
  return value;
}

function usageError(text: string): CommandError {
  return new CommandError(EXIT_USAGE, `${text}; see 'kvorum etcd --help'`);
}
