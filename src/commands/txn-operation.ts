/**
 * An operation of a txn script: the line of a get, put or del command with its own flags.
 *
 * Source: etcdctl 3.4 txn.
 */

import type { Operation } from '../../include/client.ts';
import { commandArguments } from './arguments.ts';
import { CommandError, ExitCode, refuseArguments } from './command-error.ts';
import { DEL_FLAGS, readDeletion } from './del.ts';
import { GET_FLAGS, readRange } from './get.ts';
import { cutLineWords } from './line-words.ts';
import { parseInnerCommand } from './parser-configuration.ts';
import { PUT_FLAGS, readPut, VALUE_NEEDED } from './put.ts';
import type { Flags } from './settings.ts';
import type { Complaint } from './txn-compare.ts';

/**
 * Reads an operation.
 *
 * @throws CommandError of the command named, for arguments that it would refuse as well
 */
export function readOperation(line: string): { readonly operation: Operation } | Complaint {
  const invalid = (expected: string): Complaint => ({
    text: `invalid txn request: ${line}`,
    expected,
  });
  const cut = cutLineWords(line);
  if ('expected' in cut) return invalid(cut.expected);
  const [command = '', ...rest] = cut.words;
  if (rest.length === 0) {
    return {
      text: `invalid txn compare request: ${line}`,
      expected: 'get, put or del and what it needs, such as put "key" "value"',
    };
  }
  try {
    const operation = operationOf(command, cut.words);
    return operation === undefined ? invalid('get, put or del') : { operation };
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    return invalid(`flags that ${command} has: ${error.message}`);
  }
}

function operationOf(command: string, words: readonly string[]): Operation | undefined {
  switch (command) {
    case 'get': {
      const argv = readFlags(words, GET_FLAGS);
      const { key, options } = readRange(commandArguments(argv), argv);
      return { get: key, ...options };
    }
    case 'put': {
      const argv = readFlags(words, PUT_FLAGS);
      const { key, value, options } = readPut(commandArguments(argv), argv);
      return { put: key, value: value ?? refuseArguments(VALUE_NEEDED), ...options };
    }
    case 'del': {
      const argv = readFlags(words, DEL_FLAGS);
      const { key, options } = readDeletion(commandArguments(argv), argv);
      return { delete: key, ...options };
    }
    default:
      return undefined;
  }
}

/** A flag is unknown or without its value. */
class FlagError extends CommandError {
  constructor(text: string) {
    super(ExitCode.BadInput, text);
  }
}

function readFlags<T extends Flags>(words: readonly string[], flags: T) {
  try {
    return parseInnerCommand(words, flags);
  } catch (error) {
    throw new FlagError(error instanceof Error ? error.message : String(error));
  }
}
