/** Debian's python3-etcd3 and python3-etcd3gw: with kvorum they say what they say with etcd. */

import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { isThere, startEtcd, startGateways } from './servers.ts';

/** The one that Debian's packages are for. */
const PYTHON = '/usr/bin/python3';

const SCRIPT = join(import.meta.dirname, 'python-clients.py');

function run(library: string, endpoint: string): Promise<string> {
  const child = spawn(PYTHON, [SCRIPT, library, ...endpoint.split(':')], {
    // Threads of the library complain when it ends, or do not.
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', () => resolve(text)));
}

function isInstalled(library: string): boolean {
  return spawnSync(PYTHON, ['-c', `import ${library}`]).status === 0;
}

t.setTimeout(120_000);
for (const library of ['etcd3', 'etcd3gw']) {
  if (!isInstalled(library) || !isThere('etcd')) {
    t.comment(`python3-${library} and etcd are not both there: nothing was compared`);
    continue;
  }
  t.test(`python3-${library} does with kvorum what it does with etcd`, async (t) => {
    const [etcd, { clientEndpoints }] = await Promise.all([startEtcd(t), startGateways(t)]);
    const [ours = '', theirs = ''] = await Promise.all(
      [clientEndpoints[0] ?? '', etcd].map((endpoint) => run(library, endpoint)),
    );
    t.strictSame(ours.split('\n'), theirs.split('\n'));
    t.match(theirs, 'members 1 True', 'it came to its end');
  });
}
