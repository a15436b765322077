/**
 * The flags that every command has, and the environment behind them: `--command-timeout` is also
 * KVORUM_COMMAND_TIMEOUT. A flag wins over the environment.
 */

import type { Options } from 'yargs';
import { DIAL_TIMEOUT_MS, ENDPOINT_DEFAULT } from '../../include/client.ts';
import { REQUEST_TIMEOUT_MS } from '../../include/rpc.ts';
import { CommandError, ExitCode } from './command-error.ts';
import { durationFlag, parseBoolean, readFlag } from './flag-values.ts';

/** Flags by name, as yargs takes them. */
export type Flags = { readonly [name: string]: Options };

/** How answers are printed. */
export const FORMATS = ['simple', 'json', 'fields', 'table'] as const;
/** One of FORMATS. */
export type Format = (typeof FORMATS)[number];

/** The flags that every command has. Values are read by `readSettings`. */
export const GLOBAL_FLAGS = {
  endpoints: {
    type: 'string',
    requiresArg: true,
    describe: 'nodes to ask, comma separated',
    defaultDescription: ENDPOINT_DEFAULT,
  },
  'write-out': {
    alias: 'w',
    type: 'string',
    requiresArg: true,
    describe: 'output format: simple, json, fields or table',
    defaultDescription: 'simple',
  },
  hex: { type: 'boolean', describe: 'print byte strings as hex' },
  'dial-timeout': {
    type: 'string',
    requiresArg: true,
    describe: 'how long a connection may take',
    defaultDescription: '2s',
  },
  'command-timeout': {
    type: 'string',
    requiresArg: true,
    describe: 'how long a command may take',
    defaultDescription: '5s',
  },
  verbose: {
    alias: 'v',
    type: 'boolean',
    describe: 'show redirects and retries on the error output',
  },
} as const satisfies Flags;

/** What the global flags and the environment say. */
export type Settings = {
  readonly endpoints: readonly string[];
  readonly format: Format;
  readonly hex: boolean;
  readonly dialTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly verbose: boolean;
};

/**
 * Reads the global flags.
 *
 * @param argv what yargs parsed
 * @throws CommandError for a value that makes no sense
 */
export function readSettings(
  argv: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const text = (name: keyof typeof GLOBAL_FLAGS): string | undefined => {
    const flag = argv[name];
    if (typeof flag === 'string') return flag;
    const fromEnvironment = environment[environmentName(name)];
    return fromEnvironment === '' ? undefined : fromEnvironment;
  };
  const boolean = (name: 'hex' | 'verbose'): boolean => {
    const flag = argv[name];
    if (typeof flag === 'boolean') return flag;
    const fromEnvironment = text(name);
    if (fromEnvironment === undefined) return false;
    return readFlag(name, fromEnvironment, () => parseBoolean(fromEnvironment));
  };
  const duration = (name: 'dial-timeout' | 'command-timeout', defaultMs: number): number => {
    const given = text(name);
    return given === undefined ? defaultMs : durationFlag(name)(given);
  };

  return {
    endpoints: readEndpoints(text('endpoints') ?? ENDPOINT_DEFAULT),
    format: readFormat(text('write-out') ?? 'simple'),
    hex: boolean('hex'),
    dialTimeoutMs: duration('dial-timeout', DIAL_TIMEOUT_MS),
    requestTimeoutMs: duration('command-timeout', REQUEST_TIMEOUT_MS),
    verbose: boolean('verbose'),
  };
}

/** The environment variable behind a global flag. */
export function environmentName(flag: string): string {
  return `KVORUM_${flag.toUpperCase().replaceAll('-', '_')}`;
}

function readEndpoints(text: string): string[] {
  const endpoints = text
    .split(',')
    .map((endpoint) => endpoint.trim())
    .filter((endpoint) => endpoint !== '');
  if (endpoints.length === 0) {
    throw new CommandError(ExitCode.BadConnection, 'no endpoints are given: set --endpoints');
  }
  return endpoints;
}

function readFormat(text: string): Format {
  const format = FORMATS.find((each) => each === text);
  if (format !== undefined) return format;
  throw new CommandError(ExitCode.BadFeature, 'unsupported output format');
}
