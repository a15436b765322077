/**
 * JSON as etcdctl prints it: one line, 64-bit integers as exact numbers (JSON.stringify refuses
 * bigint and would lose digits of a number), bytes as base64, `<`, `>` and `&` escaped as Go does.
 */

/** What can be printed. A property that is undefined is left out. */
export type Json =
  | string
  | number
  | bigint
  | boolean
  | null
  | Buffer
  | readonly Json[]
  | { readonly [name: string]: Json | undefined };

/** Prints a value as one line of JSON, without a line feed. */
export function printJson(value: Json): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return quote(value);
  if (typeof value !== 'object') return String(value);
  if (Buffer.isBuffer(value)) return `"${value.toString('base64')}"`;
  if (isList(value)) return `[${value.map(printJson).join(',')}]`;

  const members: string[] = [];
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${quote(name)}:${printJson(member)}`);
  }
  return `{${members.join(',')}}`;
}

/** The value, or undefined where Go's omitempty leaves a member out: 0, false, nothing. */
export function unlessEmpty<T extends Json>(value: T): T | undefined {
  if (value === 0 || value === 0n || value === false || value === '' || value === null) {
    return undefined;
  }
  if (Buffer.isBuffer(value) || Array.isArray(value)) return value.length === 0 ? undefined : value;
  return value;
}

function isList(value: object): value is readonly Json[] {
  return Array.isArray(value);
}

function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
