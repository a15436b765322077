/** Puts away what runs have left that were killed: namespaces with processes, mounts, files. */

import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Machine } from './machine.ts';
import { bridgeOf } from './namespaces.ts';
import { isAlive, run, succeeds } from './system.ts';

/** What is left of a run bears its process id. */
const LEFT = /kvorum-chaos-(\d+)-/;

/** Looks for it, and puts it away. */
export function sweep({ hasNamespaces }: Machine): void {
  if (hasNamespaces) sweepNamespaces();
  for (const line of readFileSync('/proc/mounts', 'utf8').split('\n')) {
    const [, path = ''] = line.split(' ');
    const isFile = path.startsWith(tmpdir());
    if (isFile && abandonedBy(path) !== undefined) run('umount', ['--lazy', path]);
  }
  for (const name of readdirSync(tmpdir())) {
    if (abandonedBy(name) === undefined) continue;
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function sweepNamespaces(): void {
  for (const line of run('ip', ['netns', 'list']).split('\n')) {
    const [namespace = ''] = line.split(' ');
    const owner = abandonedBy(namespace);
    if (owner === undefined) continue;
    for (const pid of run('ip', ['netns', 'pids', namespace]).split('\n')) {
      if (pid !== '') process.kill(Number(pid), 'SIGKILL');
    }
    run('ip', ['netns', 'delete', namespace]);
    succeeds('ip', ['link', 'delete', bridgeOf(owner)]);
    console.log(`${namespace}, left by a run that was killed, is put away`);
  }
}

/** The run that something is left of; undefined when it is of none, or of one that goes on. */
function abandonedBy(name: string): number | undefined {
  const [, pid] = LEFT.exec(name) ?? [];
  return pid === undefined || isAlive(Number(pid)) ? undefined : Number(pid);
}
