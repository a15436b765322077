/**
 * The values of flags and arguments, read as strictly as etcdctl reads them and refused with its
 * words. yargs is told that every such flag is a string: its own numbers turn `x` into NaN and lose
 * digits.
 */

import { NODE_ID_MAX } from '../../include/node.ts';
import { parseGoDuration } from '../client/terminal/go-duration.ts';
import { refuseArguments, UsageError } from './command-error.ts';

const INT64_MAX = 2n ** 63n - 1n;

/** A yargs `coerce` for an integer flag. Integers beyond 2^53 are refused: kvorum has none. */
export function integerFlag(name: string): (text: string) => number {
  return (text) => readFlag(name, text, () => parseInteger(text));
}

/** A yargs `coerce` for a duration flag such as `5s`; milliseconds. */
export function durationFlag(name: string): (text: string) => number {
  return (text) => readFlag(name, text, () => parseGoDuration(text));
}

/** A yargs `coerce` for a boolean flag, given as `--flag`, `--flag=true` or by the environment. */
export function parseBoolean(text: string): boolean {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
  throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** Reads a decimal integer. Throws Error with Go's text. */
export function parseInteger(text: string): number {
  const refuse = (why: string): never => {
    throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);
  };
  if (!/^[+-]?\d+$/.test(text)) return refuse('invalid syntax');
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : refuse('value out of range');
}

/** Reads the lease id of a flag: hex, below 2^63. */
export function parseLeaseId(text: string): bigint {
  return parseLease(text, 'bad lease ID');
}

/** Reads the lease id of an argument: likewise, with etcdctl's other words. */
export function parseLeaseArgument(text: string): bigint {
  return parseLease(text, 'bad lease ID arg');
}

function parseLease(text: string, complaint: string): bigint {
  const refuse = (why: string): never => {
    const parsing = `strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`;
    return refuseArguments(`${complaint} (${parsing}), expecting ID in Hex`);
  };
  if (!/^[0-9a-fA-F]+$/.test(text)) return refuse('invalid syntax');
  const id = BigInt(`0x${text}`);
  return id <= INT64_MAX ? id : refuse('value out of range');
}

/** Reads a node id: hex, as it is printed. */
export function parseNodeId(text: string): number {
  const refuse = (why: string): never =>
    refuseArguments(`strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^[0-9a-fA-F]+$/.test(text)) return refuse('invalid syntax');
  const id = Number.parseInt(text, 16);
  return id <= NODE_ID_MAX ? id : refuse('value out of range');
}

/** Reads a value; what it cannot be is refused with the name of the flag. */
export function readFlag<T>(name: string, text: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`invalid argument ${JSON.stringify(text)} for "--${name}" flag: ${why}`);
  }
}
