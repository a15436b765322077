/** docs/PROTOCOL.md cannot lie: the real codec reads and writes its examples. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import t from 'tap';
import * as kvstore from '../../include/kvstore.ts';
import { MessageType } from '../../include/node.ts';
import * as rpc from '../../include/rpc.ts';
import { ERRORS, FrameType, KvorumError, Retry } from '../../include/rpc.ts';
import { bytesOf, framesOf } from './frames.ts';
import { SAMPLES } from './samples.ts';

const path = resolve(import.meta.dirname, '../../docs/PROTOCOL.md');
const document = readFileSync(path, 'utf8');

type Example = { readonly name: string; readonly bytes: Buffer; readonly says: string };

/** Blocks of hex lines, then one JSON value over any number of lines. */
const examples: Example[] = [...document.matchAll(/```frame (.*)\n([\s\S]*?)```/g)].map(
  ([, name, block]) => {
    const lines = block!.trimEnd().split('\n');
    const isHex = (line: string): boolean => /^[0-9a-f]{2}( [0-9a-f]{2})*$/.test(line);
    const hex = lines.filter(isHex).join('').replaceAll(' ', '');
    const says = lines.filter((line) => !isHex(line)).join('');
    return { name: name!, bytes: Buffer.from(hex, 'hex'), says };
  },
);

/** A decoded value as the document shows it. */
function shown(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (Buffer.isBuffer(value)) {
    const text = value.toString('latin1');
    return /^[\x20-\x7e]*$/.test(text) ? text : `0x${value.toString('hex')}`;
  }
  if (value instanceof KvorumError) return { code: value.code, text: value.message };
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([name, field]) => [name, shown(field)]),
  );
}

for (const { name, type, write, decode } of SAMPLES) {
  t.test(`the example of ${name} is what the codec reads and writes`, async (t) => {
    const example = examples.find((candidate) => candidate.name === name);
    t.ok(example !== undefined, 'there is one');
    const { bytes, says } = example!;
    const frames = framesOf(bytes);
    t.equal(frames.length, 1);
    const { body, id } = frames[0]!;
    t.equal(frames[0]!.type, type);
    const value = decode(body, 0, body.length);
    t.strictSame(says === '' ? undefined : JSON.parse(says), shown(value));
    t.equal(bytesOf((writer) => write(writer, id, value)).toString('hex'), bytes.toString('hex'));
  });
}

t.test('every example belongs to a frame', async (t) => {
  t.strictSame(examples.map(({ name }) => name).sort(), SAMPLES.map(({ name }) => name).sort());
});

/** Rows of all tables, as lists of cells. */
const rows = document
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.slice(2, -2).split(' | '));

t.test('the table of types has every frame and message, and no other', async (t) => {
  const types = rows.filter(([cell]) => /^0x[0-9a-f]{2}$/.test(cell!));
  t.strictSame(Object.fromEntries(types.map(([type, name]) => [name, Number(type)])), {
    ...FrameType,
    ...MessageType,
  });
});

t.test('the table of errors has every code with its rule and text', async (t) => {
  const rules = { safe: Retry.Safe, unknown: Retry.Unknown, never: Retry.Never };
  const codes = rows
    .filter(([code, , rule]) => /^\d+$/.test(code!) && rule !== undefined && rule in rules)
    .map(([code, name, rule, text]) => [
      Number(code),
      { name, retry: rules[rule as keyof typeof rules], text },
    ]);
  t.strictSame(codes, [...ERRORS]);
});

const headers: Readonly<Record<string, unknown>> = { ...rpc, ...kvstore };

t.test('the table of limits has the values of the headers', async (t) => {
  const limits = rows.filter(([name]) => /^[A-Z_]+$/.test(name!));
  t.ok(limits.length > 10);
  for (const [name, value] of limits) {
    t.equal(Number(value), headers[name!], name!);
  }
});
