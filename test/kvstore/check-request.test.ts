/** What is refused before it is proposed: each limit met at -1, 0 and +1. */

import t from 'tap';
import {
  FROM_KEY,
  KEY_BYTES_MAX,
  type PutRequest,
  type RangeRequest,
  REQUEST_BYTES_MAX,
} from '../../include/kvstore.ts';
import { ErrorCode, FrameType } from '../../include/rpc.ts';
import { REQUEST_OVERHEAD_BYTES } from '../../src/kvstore/check-operation.ts';
import { checkRequest } from '../../src/kvstore/check-request.ts';
import { deleteOf, putOf, rangeOf, showError } from './store-requests.ts';

function show(code: ErrorCode | 0): string {
  return code === 0 ? 'fine' : showError(code);
}

const longest = 'k'.repeat(KEY_BYTES_MAX);
const largest = 'v'.repeat(REQUEST_BYTES_MAX - REQUEST_OVERHEAD_BYTES - 1);

t.test('a put is refused for its key, its flags or its size', (t) => {
  const table: readonly [string, PutRequest, string][] = [
    ['a key and no value', putOf('k', ''), 'fine'],
    ['no key', putOf('', 'v'), 'KeyEmpty'],
    ['no key and a wrong flag', putOf('', 'v', { ignoreValue: true }), 'KeyEmpty'],
    ['the longest key', putOf(longest, 'v'), 'fine'],
    ['a longer key', putOf(`${longest}k`, 'v'), 'KeyTooLong'],
    ['a value to ignore', putOf('k', 'v', { ignoreValue: true }), 'ValueProvided'],
    ['no value to ignore', putOf('k', '', { ignoreValue: true }), 'fine'],
    ['a lease to ignore', putOf('k', 'v', { ignoreLease: true, lease: 1n }), 'LeaseProvided'],
    ['no lease to ignore', putOf('k', 'v', { ignoreLease: true }), 'fine'],
    ['nearly the largest', putOf('k', largest.slice(1)), 'fine'],
    ['the largest', putOf('k', largest), 'fine'],
    ['a larger one', putOf('k', `${largest}v`), 'RequestTooLarge'],
  ];
  for (const [title, body, expected] of table) {
    t.equal(show(checkRequest({ type: FrameType.Put, body })), expected, title);
  }
  t.end();
});

t.test('a range or deletion is refused for its bounds', (t) => {
  const table: readonly [string, string, string, string][] = [
    ['one key', 'k', '', 'fine'],
    ['no key', '', '', 'KeyEmpty'],
    ['everything', '\0', FROM_KEY.toString('latin1'), 'fine'],
    ['behind the longest key', `${longest}\0`, '\0', 'fine'],
    ['too long', `${longest}\0\0`, '\0', 'KeyTooLong'],
    ['up to behind the longest key', 'a', `${longest}\0`, 'fine'],
    ['up to one too long', 'a', `${longest}\0\0`, 'KeyTooLong'],
  ];
  for (const [title, key, end, expected] of table) {
    const range = checkRequest({ type: FrameType.Range, body: rangeOf(key, end) });
    t.equal(show(range), expected, title);
    const deletion = checkRequest({ type: FrameType.DeleteRange, body: deleteOf(key, end) });
    t.equal(show(deletion), expected, title);
  }
  t.end();
});

t.test('a range is refused for an order that does not exist', (t) => {
  // A decoder hands enums on as numbers.
  const ask = (more: object) => {
    const body: RangeRequest = { ...rangeOf('k'), ...more };
    return show(checkRequest({ type: FrameType.Range, body }));
  };
  t.equal(ask({ sortOrder: 2, sortTarget: 4 }), 'fine');
  t.equal(ask({ sortOrder: 3 }), 'InvalidSort');
  t.equal(ask({ sortTarget: 5 }), 'InvalidSort');
  t.end();
});

t.test('requests without limits of their own are left to the store', (t) => {
  const body = { revision: -5, physical: true };
  t.equal(checkRequest({ type: FrameType.Compact, body }), 0);
  t.equal(checkRequest({ type: FrameType.Status }), 0);
  t.equal(checkRequest({ type: FrameType.MoveLeader, body: { target: 1 } }), 0);
  t.end();
});

t.test('the codes of refusals are those of the header', (t) => {
  t.equal(checkRequest({ type: FrameType.Put, body: putOf('', '') }), ErrorCode.KeyEmpty);
  t.end();
});
