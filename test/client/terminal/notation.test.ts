/** Go's notations, as etcdctl prints and reads them. */

import t from 'tap';
import { formatByteSize } from '../../../src/client/terminal/byte-size.ts';
import { formatGoDuration, parseGoDuration } from '../../../src/client/terminal/go-duration.ts';
import { goQuote, hexString } from '../../../src/client/terminal/go-quote.ts';
import { printJson, unlessEmpty } from '../../../src/client/terminal/json.ts';

const quoted = [
  ['', '""'],
  ['6162', '"ab"'],
  // Printed by etcdctl 3.4.23 for the same bytes.
  ['61ff01e2808bc3a9f09f9880', '"a\\xff\\x01\\u200bé😀"'],
  ['09225c', '"\\t\\"\\\\"'],
  ['070809000a0b0c0d1b7f', '"\\a\\b\\t\\x00\\n\\v\\f\\r\\x1b\\x7f"'],
  ['efbfbd', '"\ufffd"'],
  ['c0af', '"\\xc0\\xaf"'],
  ['e08080', '"\\xe0\\x80\\x80"'],
  ['eda080', '"\\xed\\xa0\\x80"'],
  ['f0808080', '"\\xf0\\x80\\x80\\x80"'],
  ['f48fbfbf', '"\\U0010ffff"'],
  ['f4908080', '"\\xf4\\x90\\x80\\x80"'],
  ['f5808080', '"\\xf5\\x80\\x80\\x80"'],
  ['e2808b80', '"\\u200b\\x80"'],
  ['e280', '"\\xe2\\x80"'],
  ['c2', '"\\xc2"'],
  ['c2a0', '"\\u00a0"'],
] as const;
for (const [hex, text] of quoted) {
  t.test(`bytes ${hex} are quoted as Go quotes them`, async (t) => {
    t.equal(goQuote(Buffer.from(hex, 'hex')), text);
  });
}

t.test('every byte has a hex form', async (t) => {
  t.equal(hexString(Buffer.from([0x61, 0, 0xff])), '\\x61\\x00\\xff');
  t.equal(hexString(Buffer.alloc(0)), '');
});

const durations = [
  ['5s', 5_000],
  ['1.5s', 1_500],
  ['.5s', 500],
  ['300ms', 300],
  ['1m30s', 90_000],
  ['2h', 7_200_000],
  ['100us', 0.1],
  ['100µs', 0.1],
  ['1000000ns', 1],
  ['+1s', 1_000],
  ['0', 0],
  ['0s', 0],
] as const;
for (const [text, durationMs] of durations) {
  t.test(`${text} is ${durationMs} ms`, async (t) => {
    t.ok(Math.abs(parseGoDuration(text) - durationMs) < 1e-9);
  });
}

const refused = [
  ['', 'time: invalid duration ""'],
  ['x', 'time: invalid duration "x"'],
  ['5', 'time: missing unit in duration "5"'],
  ['5x', 'time: unknown unit "x" in duration "5x"'],
  ['5 s', 'time: unknown unit " s" in duration "5 s"'],
  ['-5s', 'time: invalid duration "-5s"'],
  ['1s.', 'time: invalid duration "1s."'],
  ['1000000h', 'time: invalid duration "1000000h"'],
] as const;
for (const [text, message] of refused) {
  t.test(`the duration ${JSON.stringify(text)} is refused`, async (t) => {
    t.throws(() => parseGoDuration(text), { message });
  });
}

const printedDurations = [
  [0, '0s'],
  [0.000_5, '500ns'],
  [0.813_123, '813.123µs'],
  [0.791_09, '791.09µs'],
  [1.132_23, '1.13223ms'],
  [300, '300ms'],
  [1_000.290_509, '1.000290509s'],
  [60_000, '1m0s'],
  [3_661_500, '1h1m1.5s'],
] as const;
for (const [durationMs, text] of printedDurations) {
  t.test(`${durationMs} ms is printed as ${text}`, async (t) => {
    t.equal(formatGoDuration(durationMs), text);
  });
}

const sizes = [
  [0, '0 B'],
  [9, '9 B'],
  [10, '10 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [9_949, '9.9 kB'],
  [20_480, '20 kB'],
  [21_500, '22 kB'],
  [20_600, '21 kB'],
  [2_500_000, '2.5 MB'],
  [123_456_789, '124 MB'],
  [1e9, '1.0 GB'],
  [5e15, '5.0 PB'],
] as const;
for (const [sizeBytes, text] of sizes) {
  t.test(`${sizeBytes} bytes are ${text}`, async (t) => t.equal(formatByteSize(sizeBytes), text));
}

t.test('JSON keeps every digit of 64 bits, and writes bytes as base64', async (t) => {
  const value = { id: 9_151_734_699_010_623_715n, key: Buffer.from('a'), gone: undefined };
  t.equal(printJson(value), '{"id":9151734699010623715,"key":"YQ=="}');
  t.equal(
    printJson([1, true, null, 'a"<b>&\u2028\n']),
    '[1,true,null,"a\\"\\u003cb\\u003e\\u0026\\u2028\\n"]',
  );
  t.equal(printJson([]), '[]');
  t.equal(printJson({}), '{}');
});

t.test('what Go leaves out as empty is left out', async (t) => {
  for (const empty of [0, 0n, false, '', null, Buffer.alloc(0), []]) {
    t.equal(unlessEmpty(empty), undefined);
  }
  for (const full of [1, 1n, true, 'a', Buffer.alloc(1), [0]]) t.equal(unlessEmpty(full), full);
});
