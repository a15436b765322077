/**
 * Runs the scripts of test/interaction. A script is blocks of a command, `----` and what the
 * command must show; comments stay where they are. UPDATE=1 writes what was shown instead of
 * comparing it: read the difference before it is committed.
 *
 * The invariants of every core are checked after every command.
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import t from 'tap';
import { checkRaft } from '../../src/node/raft/raft.ts';
import type { Session, Words } from './commands.ts';
import { COMMANDS, createSession } from './commands.ts';

const folder = resolve(import.meta.dirname, '../interaction');
const scripts = readdirSync(folder)
  .filter((name) => name.endsWith('.txt'))
  .sort();
const isUpdate = process.env.UPDATE === '1';

for (const name of scripts) {
  t.test(`${name.slice(0, -'.txt'.length)} goes as its script says`, async (t) => {
    const path = resolve(folder, name);
    const script = readFileSync(path, 'utf8');
    const shown = runScript(script);
    if (isUpdate && shown !== script) writeFileSync(path, shown);
    else t.equal(shown, script);
  });
}

t.test('a script has a header that tells what it shows', async (t) => {
  for (const name of scripts) {
    t.match(readFileSync(resolve(folder, name), 'utf8'), /^# .*\n/, name);
  }
});

t.test('a script that shows something else is noticed', async (t) => {
  const shown = runScript('nodes 1\n----\nnonsense\n');
  t.equal(shown, 'nodes 1\n----\n');
});

/** The script with what its commands show now. */
function runScript(script: string): string {
  const session = createSession();
  const shown: string[] = [];
  const lines = script.split('\n');
  let at = 0;
  while (at < lines.length) {
    const line = lines[at]!;
    shown.push(line);
    at += 1;
    if (line === '' || line.startsWith('#')) continue;
    shown.push('----', ...runCommand(session, line));
    if (lines[at] === '----') at += 1;
    while (at < lines.length && lines[at] !== '') at += 1;
  }
  return shown.join('\n');
}

function runCommand(session: Session, line: string): string[] {
  const [name = '', ...rest] = line.split(' ');
  const command = COMMANDS.get(name);
  if (command === undefined) throw new Error(`no command ${name}`);
  const shown = command(session, wordsOf(rest));
  for (const member of session.cluster.members.values()) checkRaft(member.raft);
  return shown;
}

function wordsOf(rest: readonly string[]): Words {
  const words: Words = { plain: [], named: new Map() };
  for (const word of rest) {
    const cut = word.indexOf('=');
    if (cut < 0) words.plain.push(word);
    else words.named.set(word.slice(0, cut), word.slice(cut + 1));
  }
  return words;
}
