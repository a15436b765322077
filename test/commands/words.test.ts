/** Lines cut into words, words that carry bytes, and words completed. */

import { Readable } from 'node:stream';
import t from 'tap';
import { bytesToText, textToBytes } from '../../src/commands/byte-text.ts';
import { completeWords, PROGRAM_COMMANDS, SHELL_COMMANDS } from '../../src/commands/completion.ts';
import { readFileLines } from '../../src/commands/file-lines.ts';
import { LineQueue } from '../../src/commands/line-queue.ts';
import { cutLineWords } from '../../src/commands/line-words.ts';
import { cutWords } from '../../src/commands/words.ts';

const lines: readonly (readonly [
  line: string,
  words: readonly string[],
  endsWithBlank: boolean,
])[] = [
  ['', [], true],
  ['   ', [], true],
  ['put a 10', ['put', 'a', '10'], false],
  ['  put\ta  10 ', ['put', 'a', '10'], true],
  ['put "a b" \'c d\'', ['put', 'a b', 'c d'], false],
  ['put "" \'\'', ['put', '', ''], false],
  ['put "a\\n\\t\\r\\"\\\\\\x" \'a\\n\'', ['put', 'a\n\t\r"\\\\x', 'a\\n'], false],
  ['put a\\ b \\"', ['put', 'a b', '"'], false],
  ['put pre"fix ed"post', ['put', 'prefix edpost'], false],
  ['put a # b', ['put', 'a'], true],
  ['put a#b', ['put', 'a#b'], false],
  ['put a\\', ['put', 'a\\'], false],
];
for (const [line, words, endsWithBlank] of lines) {
  t.test(`the words of ${JSON.stringify(line)}`, async (t) => {
    t.strictSame(cutWords(line), { words, endsWithBlank });
  });
}

for (const line of ['put "a', "put 'a", 'put "a\\"']) {
  t.test(`${JSON.stringify(line)} has an open quote and is refused`, async (t) => {
    t.throws(() => cutWords(line), { message: /is not closed$/ });
  });
}

const completions: readonly (readonly [line: string, found: readonly string[]])[] = [
  ['st', ['status']],
  ['e', ['elect', 'endpoint', 'exit', 'export']],
  ['lease ', ['grant', 'keep-alive', 'list', 'revoke', 'timetolive']],
  ['lease keep-alive --on', ['--once']],
  ['watch --pr', ['--prefix', '--prev-kv', '--progress-notify']],
  ['endpoint ', ['hashkv', 'health', 'status']],
  ['endpoint h', ['hashkv', 'health']],
  ['help end', ['endpoint']],
  ['get --pr', ['--prefix', '--print-value-only']],
  ['get a --keys', ['--keys-only']],
  ['put --pr', ['--prev-kv']],
  ['endpoint status --cl', ['--cluster']],
  ['status --comm', ['--command-timeout']],
  ['--end', ['--endpoints']],
  ['--endpoints ', []],
  ['get --limit ', []],
  ['-w json st', ['status']],
  ['-v st', ['status']],
  ['lock a -- ', []],
  ['serv', []],
  ['get a', []],
  ['bogus ', []],
];
for (const [line, found] of completions) {
  t.test(`${JSON.stringify(line)} is completed`, async (t) => {
    const { words, endsWithBlank } = cutWords(line);
    t.strictSame(completeWords(endsWithBlank ? [...words, ''] : words, SHELL_COMMANDS), found);
  });
}

const programCompletions: readonly (readonly [
  words: readonly string[],
  found: readonly string[],
])[] = [
  [['serv'], ['serve']],
  [['exi'], []],
  [['serve', '--log-f'], ['--log-file']],
  [
    ['completion', ''],
    ['bash', 'fish', 'zsh'],
  ],
  [['dev', '--data'], ['--data-dir']],
];
for (const [words, found] of programCompletions) {
  t.test(`behind kvorum, ${JSON.stringify(words)} is completed`, async (t) => {
    t.strictSame(completeWords(words, PROGRAM_COMMANDS), found);
  });
}

const scriptLines: readonly (readonly [line: string, words: readonly string[]])[] = [
  ['', []],
  ['  put\ta   10 ', ['put', 'a', '10']],
  ['put "a b" \'c "d\'', ['put', 'a b', 'c "d']],
  ['put x"y z', ['put', 'x"y', 'z']],
  ['put "\\a\\b\\f\\n\\r\\t\\v\\"\\\\"', ['put', '\x07\b\f\n\r\t\v"\\']],
  ['put "\\x41\\102\\u0043\\U0001f600"', ['put', 'ABC\u{1f600}']],
  ['put a#b # c', ['put', 'a#b', '#', 'c']],
];
for (const [line, words] of scriptLines) {
  t.test(`the words of the script line ${JSON.stringify(line)}`, async (t) => {
    t.strictSame(cutLineWords(line), { words });
  });
}

const badLines = [
  ['put "a', 'a closing double quote'],
  ['put "a\\', 'an escape that Go knows, such as \\n, \\", \\\\ or \\xff, not \\'],
  ['put "\\q"', 'an escape that Go knows, such as \\n, \\", \\\\ or \\xff, not \\q'],
  ['put "\\x4"', 'an escape that Go knows, such as \\n, \\", \\\\ or \\xff, not \\x'],
  ['put "\\400"', 'an escape that Go knows, such as \\n, \\", \\\\ or \\xff, not \\4'],
  ['put "\\ud800"', 'an escape that Go knows, such as \\n, \\", \\\\ or \\xff, not \\u'],
  ['put "\\U00110000"', 'an escape that Go knows, such as \\n, \\", \\\\ or \\xff, not \\U'],
  ["put 'a", 'a closing single quote'],
  ['put "a"b', 'a blank behind the closing quote, not b'],
] as const;
for (const [line, expected] of badLines) {
  t.test(`the script line ${JSON.stringify(line)} says what was expected`, async (t) => {
    t.strictSame(cutLineWords(line), { expected });
  });
}

t.test('any bytes pass as text and come back', async (t) => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  for (const bytes of [all, Buffer.from('aé\u{1f600}'), Buffer.from([0xed, 0xb2, 0x80])]) {
    t.strictSame(textToBytes(bytesToText(bytes)), bytes);
  }
  t.equal(bytesToText(Buffer.from('é')), 'é');
  t.strictSame(textToBytes('é\udcff\u{1f600}'), Buffer.from('c3a9fff09f9880', 'hex'));
});

t.test('a wait for a line that is given up takes no line with it', async (t) => {
  const flow: string[] = [];
  const lines = new LineQueue({
    pause: () => flow.push('pause'),
    resume: () => flow.push('resume'),
  });
  const patience = new AbortController();
  const given = lines.next(patience.signal).catch((reason: unknown) => reason);
  patience.abort('enough');
  t.equal(await given, 'enough');
  t.equal(await lines.next(patience.signal).catch((reason: unknown) => reason), 'enough');
  const waiting = lines.next();
  lines.push('one');
  lines.push('two');
  t.equal(await waiting, 'one');
  t.equal(await lines.next(), 'two');
  const last = lines.next();
  lines.end();
  t.equal(await last, undefined);
  t.equal(await lines.next(), undefined);
  t.strictSame(flow, ['resume', 'resume', 'pause', 'pause', 'resume']);
});

t.test('lines of a stream, wherever it is cut', async (t) => {
  const bytes = Buffer.from('one\n\ntwo é\nthree');
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const found: string[] = [];
    const stream = Readable.from([bytes.subarray(0, cut), bytes.subarray(cut)]);
    for await (const line of readFileLines(stream, 10)) found.push(line);
    t.strictSame(found, ['one', '', 'two é', 'three']);
  }
});

t.test('a line of a stream may have so many bytes and no more', async (t) => {
  const read = async (text: string): Promise<string[]> => {
    const found: string[] = [];
    for await (const line of readFileLines(Readable.from([Buffer.from(text)]), 4)) found.push(line);
    return found;
  };
  t.strictSame(await read('a\n1234\n'), ['a', '1234']);
  await t.rejects(read('a\n12345\n'), { message: 'line 2: expected at most 4 bytes' });
  await t.rejects(read('12345'), { message: 'line 1: expected at most 4 bytes' });
});
