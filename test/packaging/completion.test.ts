/** Tab in a shell that has the script of `kvorum completion`. */

import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import t from 'tap';
import { COMPLETION_SCRIPTS } from '../../src/commands/shell-completion.ts';
import { runCommand } from '../cluster/processes.ts';

const MAIN = resolve(import.meta.dirname, '../../src/main.ts');

const directory = await mkdtemp(join(tmpdir(), 'kvorum-completion-'));
t.teardown(() => rm(directory, { recursive: true, force: true }));
const program = join(directory, 'kvorum');
await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
await chmod(program, 0o755);

/** What bash has to offer for the last of some words. */
function completeInBash(words: readonly string[]): string[] {
  const script = `source <(kvorum completion bash)
    COMP_WORDS=(kvorum "$@"); COMP_CWORD=$#; _kvorum; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', ...words], {
    env: { ...process.env, PATH: `${directory}:${process.env.PATH}` },
    encoding: 'utf8',
  });
  t.equal(stderr, '');
  return stdout.split('\n').filter((line) => line !== '');
}

t.test('bash completes commands, and flags of the command that is begun', async (t) => {
  t.strictSame(completeInBash(['lease', '']), [
    'grant',
    'keep-alive',
    'list',
    'revoke',
    'timetolive',
  ]);
  t.strictSame(completeInBash(['serve', '--log-']), [
    '--log-entries-kept',
    '--log-file',
    '--log-level',
  ]);
  t.strictSame(completeInBash(['import', '']), [], 'files are left to bash');
});

t.test('every command of the help is completed', async (t) => {
  const { output } = await runCommand(['--help']);
  const inHelp = [...output.matchAll(/^ {2}kvorum (\S+)/gm)].map(([, word]) => word ?? '');
  t.ok(inHelp.includes('put'));
  const { output: completed } = await runCommand(['__complete', '']);
  t.strictSame(completed.trimEnd().split('\n'), [...new Set([...inHelp, 'help'])].sort());
});

t.test('a shell without a script is refused with the names of those that have one', async (t) => {
  const { code, errorOutput } = await runCommand(['completion', 'csh']);
  t.equal(code, 1);
  t.match(errorOutput, 'Error: completion needs a shell: bash|zsh|fish\n');
});

for (const [shell, script] of COMPLETION_SCRIPTS) {
  const isHere = spawnSync(shell, ['--version']).status === 0;
  if (isHere) {
    t.test(`${shell} takes its script`, async (t) => {
      const path = join(directory, `kvorum.${shell}`);
      await writeFile(path, script);
      const { status, stderr } = spawnSync(shell, ['-n', path], { encoding: 'utf8' });
      t.strictSame([status, stderr], [0, '']);
    });
  }
}
