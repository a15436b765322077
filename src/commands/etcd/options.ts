/**
 * What etcd is told, from wherever it may be told: the command line, the environment (`--data-dir`
 * is ETCD_DATA_DIR), or a file of YAML, which takes the place of both.
 */

import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { parseGoDuration } from '../../client/terminal/go-duration.ts';
import { CommandError, ExitCode } from '../command-error.ts';
import { parseBoolean } from '../flag-values.ts';
import { ETCD_FLAGS } from './flags.ts';
import { checkValue, type GivenFlags, parseGoFlags } from './go-flags.ts';

const PREFIX = 'ETCD_';

/** Maps of the file whose keys are flags: those of the peers have a prefix on the command line. */
const SECTIONS: ReadonlyMap<string, string> = new Map([
  ['client-transport-security', ''],
  ['peer-transport-security', 'peer-'],
]);

/** What is given, and what was odd about it. */
export type EtcdOptions = {
  readonly given: GivenFlags;
  readonly warnings: readonly string[];
};

/**
 * Reads what etcd is told.
 *
 * @throws CommandError with etcd's words
 */
export function readOptions(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): EtcdOptions {
  const { given, rest } = parseGoFlags(args, ETCD_FLAGS);
  if (rest !== undefined) throw refusal(`'${rest}' is not a valid flag. See 'kvorum etcd --help'`);
  const configFile = given.get('config-file') ?? environment.ETCD_CONFIG_FILE;
  const options = configFile ? readFile(configFile) : readEnvironment(given, environment);
  const { given: all, warnings } = options;
  return { given: all, warnings: [...warnings, ...judge(all)] };
}

/** The value of a flag: what is given, or its default. */
export function optionOf(given: Pick<GivenFlags, 'get'>, name: string): string {
  return given.get(name) ?? ETCD_FLAGS.get(name)?.initial ?? '';
}

/** Adds the environment to the command line. */
function readEnvironment(
  given: GivenFlags,
  environment: Readonly<Record<string, string | undefined>>,
): EtcdOptions {
  const all = new Map(given);
  const warnings: string[] = [];
  for (const [variable, value = ''] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || value === '') continue;
    const name = variable.slice(PREFIX.length).toLowerCase().replaceAll('_', '-');
    const flag = ETCD_FLAGS.get(name);
    if (flag === undefined || variable !== variable.toUpperCase()) {
      warnings.push(`unrecognized environment variable ${variable}=${value}`);
      continue;
    }
    if (given.has(name)) {
      const why = 'is shadowed by corresponding command-line flag';
      const remedy = 'either unset environment variable or disable flag';
      throw refusal(`conflicting environment variable "${variable}" ${why} (${remedy})`);
    }
    all.set(name, checkValue(name, flag.kind, value));
  }
  return { given: all, warnings };
}

/** Reads a file of YAML. */
function readFile(path: string): EtcdOptions {
  const document = parseFile(path);
  const given = new Map<string, string>();
  const warnings: string[] = [];
  const take = (name: string, key: string, value: unknown): void => {
    const flag = ETCD_FLAGS.get(name);
    if (flag === undefined) warnings.push(`unknown key ${key} in ${path}`);
    else if (value !== null && value !== '') {
      const text = Array.isArray(value) ? value.join(',') : String(value);
      given.set(name, checkValue(name, flag.kind, text));
    }
  };
  for (const [key, value] of Object.entries(document)) {
    const prefix = SECTIONS.get(key);
    if (prefix === undefined) take(key, key, value);
    else if (isMap(value)) {
      for (const [inner, each] of Object.entries(value)) {
        take(`${prefix}${inner}`, `${key}.${inner}`, each);
      }
    }
  }
  return { given, warnings };
}

function parseFile(path: string): Readonly<Record<string, unknown>> {
  let document: unknown;
  try {
    document = parse(readFileSync(path, 'utf8')) ?? {};
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw refusal(`error verifying flags, cannot read ${path}: ${why}`);
  }
  if (isMap(document)) return document;
  throw refusal(`error verifying flags, ${path} is no map of flags: expected lines "name: value"`);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What is said of flags that are not used as etcd uses them. @throws CommandError */
function judge(given: GivenFlags): string[] {
  const warnings: string[] = [];
  for (const [name, value] of given) {
    const { kind, initial, fate, text } = ETCD_FLAGS.get(name)!;
    if (fate === 'used' || isSame(kind, value, initial)) continue;
    if (fate === 'refused') throw refusal(`--${name}=${value} is refused: ${text}`);
    warnings.push(`--${name}=${value} is ignored: ${text}`);
  }
  return warnings;
}

function isSame(kind: string, value: string, initial: string): boolean {
  if (kind === 'boolean') return parseBoolean(value) === parseBoolean(initial);
  if (kind === 'integer') return Number(value) === Number(initial);
  if (kind === 'duration') return parseGoDuration(value) === parseGoDuration(initial);
  return value === initial;
}

/** Refuses to start. */
export function refusal(text: string): CommandError {
  return new CommandError(ExitCode.Error, text);
}
