/** Lines cut into words, and words completed. */

import t from 'tap';
import { completeWords } from '../../src/commands/completion.ts';
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
  ['e', ['endpoint', 'exit']],
  ['endpoint ', ['health', 'status']],
  ['endpoint h', ['health']],
  ['help end', ['endpoint']],
  ['get --pr', ['--prefix', '--print-value-only']],
  ['get a --keys', ['--keys-only']],
  ['put --pr', ['--prev-kv']],
  ['endpoint status --cl', ['--cluster']],
  ['status --comm', ['--command-timeout']],
  ['--end', ['--endpoints']],
  ['get a', []],
  ['bogus ', []],
];
for (const [line, found] of completions) {
  t.test(`${JSON.stringify(line)} is completed`, async (t) => {
    const { words, endsWithBlank } = cutWords(line);
    t.strictSame(completeWords(endsWithBlank ? [...words, ''] : words), found);
  });
}
