/** A run that is interrupted leaves nothing behind. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { nextTick } from '../cluster/processes.ts';
import { isAlive } from './system.ts';

const MAIN = resolve(import.meta.dirname, 'main.ts');
const SERVER = resolve(import.meta.dirname, '../../src/main.ts');

/** Processes whose command line names a directory of the run. */
function processesOf(name: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(name);
      } catch {
        return false;
      }
    });
}

t.test('an interrupt puts processes, namespaces, mounts and files away', async (t) => {
  const mark = `KVORUM_CHAOS_TEST=${process.pid}`;
  const binary = join(t.testdir(), 'kvorum');
  writeFileSync(binary, `#!/bin/sh\nexec '${process.execPath}' '${SERVER}' "$@"\n`);
  chmodSync(binary, 0o755);
  const env = { ...process.env, BINARY: binary, MINUTES: '1', KVORUM_CHAOS_TEST: `${process.pid}` };
  const run = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(run, 'exit');
  t.teardown(() => run.kill('SIGINT'));
  for await (const line of createInterface({ input: run.stdout })) {
    if (line.includes('round 1:')) break;
  }
  // The run and its three nodes.
  while (processesOf(mark).length < 4) await nextTick();
  run.kill('SIGINT');
  t.strictSame(await ended, [130, null]);
  const name = `kvorum-chaos-${run.pid}-`;
  for (const pid of processesOf(mark)) while (isAlive(pid)) await nextTick();
  t.strictSame(
    readdirSync(tmpdir()).filter((one) => one.startsWith(name)),
    [],
  );
  t.notMatch(readFileSync('/proc/mounts', 'utf8'), name);
  t.notOk(
    readdirSync('/var/run').includes('netns') &&
      readdirSync('/var/run/netns').some((one) => one.startsWith(name)),
  );
});
