/**
 * A compare of a txn script, `target("key") op "value"`: what of a key, how, with what.
 *
 * Source: etcdctl 3.4 txn; leases as in 3.5, in hex.
 */

import type { CompareOperator, Condition } from '../../include/client.ts';
import { goUnquote } from '../client/terminal/go-unquote.ts';
import { parseInteger, parseLeaseId } from './flag-values.ts';

/** What of a key is compared. */
type Target = 'modRevision' | 'createRevision' | 'version' | 'value' | 'lease';

const TARGETS: ReadonlyMap<string, Target> = new Map([
  ['m', 'modRevision'],
  ['mod', 'modRevision'],
  ['c', 'createRevision'],
  ['create', 'createRevision'],
  ['ver', 'version'],
  ['version', 'version'],
  ['val', 'value'],
  ['value', 'value'],
  ['lease', 'lease'],
]);

const OPERATORS: readonly CompareOperator[] = ['=', '!=', '<', '>'];

/** A compare, or what is wrong with it. */
export type ReadCompare = { readonly condition: Condition } | Complaint;

/** What is wrong with a line. */
export type Complaint = {
  /** etcdctl's words for it. */
  readonly text: string;
  readonly expected: string;
};

/** Reads a compare. */
export function readCompare(line: string): ReadCompare {
  const malformed = (expected: string): Complaint => ({
    text: `malformed comparison: ${line}`,
    expected,
  });
  const open = line.indexOf('(');
  if (open < 0) return malformed('target("key") op "value", such as mod("key") > "0"');

  const word = line.slice(0, open);
  const target = TARGETS.get(word);
  if (target === undefined) {
    const text = `malformed comparison: ${line} (unknown target ${word})`;
    return { text, expected: 'mod, create, version, value or lease before the (' };
  }
  if (line[open + 1] !== '"') return malformed(`a key in double quotes right behind ${word}(`);
  const key = goUnquote(line, open + 1);
  if (typeof key === 'string') return malformed(`${key}, in the key`);
  if (line[key.end] !== ')') return malformed('a ) right behind the key');

  const [behind = '', sign = ''] = /^\)\s+(\S+)\s+/.exec(line.slice(key.end)) ?? [];
  const operator = OPERATORS.find((each) => each === sign);
  if (operator === undefined) return malformed('one of = != < > behind the ), blanks around it');
  const start = key.end + behind.length;
  if (line[start] !== '"') return malformed(`a value in double quotes behind ${operator}`);
  const operand = goUnquote(line, start);
  if (typeof operand === 'string') return malformed(`${operand}, in the value`);
  if (operand.end < line.length) return malformed('nothing behind the value');

  const found = readOperand(target, operand.bytes);
  if (typeof found !== 'string') return { condition: { key: key.bytes, operator, ...found } };
  return { text: `invalid txn compare request: ${line}`, expected: found };
}

/** The operand; or, in words, what it should have been. */
function readOperand(target: Target, bytes: Buffer): Partial<Condition> | string {
  if (target === 'value') return { value: bytes };
  const text = bytes.toString();
  try {
    if (target === 'lease') return { lease: parseLeaseId(text) };
    return { [target]: parseInteger(text) };
  } catch {
    if (target === 'lease') return 'a lease id in hex as value';
    return 'a decimal number as value';
  }
}
