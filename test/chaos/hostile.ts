/**
 * How fast a node serves a well-behaved client under a stream of hostile connections, as a part of
 * how fast it does without: windows by turns, the medians compared.
 *
 *   make hostile                  packaged binary, hostile connections 8 at once
 *
 * The hostile ones come from a process of their own. On a machine of few cores they take time from
 * node and client as well, so the true part is above what is shown.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { connect } from '../../src/client/connect.ts';
import { freePorts } from '../free-ports.ts';
import { startHostileStream } from './hostile-stream.ts';
import { Leavings } from './leavings.ts';
import { NodeProcess } from './node-process.ts';

const WINDOW_MS = 3_000;
const WINDOWS = 7;
const WORKERS = 8;
const AT_ONCE = 8;

/** The least part of its speed that a client may keep. */
const PART_MIN = 0.5;

const attacked = process.env.ATTACK_PORT;
if (attacked === undefined) await measure();
else serveAttack(Number(attacked));

/** The process of the hostile: ends when its input does; says that it begins, then its count. */
function serveAttack(port: number): void {
  const stream = startHostileStream({ host: '127.0.0.1', port }, process.pid, AT_ONCE);
  console.log('0');
  process.stdin.resume();
  process.stdin.once('end', async () => {
    await stream.stop();
    console.log(stream.count());
  });
}

async function measure(): Promise<void> {
  const leavings = new Leavings();
  leavings.guard();
  const directory = mkdtempSync(join(tmpdir(), 'kvorum-hostile-'));
  leavings.add(() => rmSync(directory, { recursive: true, force: true }));
  const [port = 0] = await freePorts(1);
  writeFileSync(join(directory, 'nodes.conf'), `0 127.0.0.1 ${port}\n`);
  const binary = resolve(process.env.BINARY ?? 'target/kvorum');
  const endpoint = `127.0.0.1:${port}`;
  const node = new NodeProcess({
    id: 0,
    endpoint,
    command: [binary, 'serve', '--id', '0', '--conf', 'nodes.conf', '--data-dir', 'data'],
    directory,
    logPath: join(directory, 'log'),
    leavings,
    onUnasked: (_node, how) => {
      throw new Error(`the node ended: ${how}`);
    },
  });
  node.start();
  const client = connect({ endpoints: [endpoint], requestTimeoutMs: 60_000 });
  await client.put('key', 'value');
  const calm: number[] = [];
  const under: number[] = [];
  let hostile = 0;
  for (let window = 0; window < WINDOWS; window += 1) {
    calm.push(await countPuts(client));
    const attack = await startAttack(port, leavings);
    under.push(await countPuts(client));
    hostile += await attack();
  }
  await client.close();
  await node.stop();
  const part = median(under) / median(calm);
  const rate = (count: number): number => Math.round((1_000 * count) / WINDOW_MS);
  console.log(`puts/s alone                 ${rate(median(calm))}`);
  console.log(`puts/s among the hostile     ${rate(median(under))}`);
  console.log(`hostile connections/s        ${rate(hostile / WINDOWS)}`);
  console.log(`part of the speed            ${part.toFixed(2)}, at least ${PART_MIN} is promised`);
  process.exitCode = part >= PART_MIN ? 0 : 1;
}

/** Starts the hostile ones; the function returned ends them and says how many there were. */
async function startAttack(port: number, leavings: Leavings): Promise<() => Promise<number>> {
  const env = { ...process.env, ATTACK_PORT: `${port}` };
  const child = spawn(process.execPath, [import.meta.filename], {
    env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const forget = leavings.add(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return async () => {
    child.stdin.end();
    const count = Number((await lines.next()).value);
    forget();
    return count;
  };
}

async function countPuts(client: ReturnType<typeof connect>): Promise<number> {
  const endMs = performance.now() + WINDOW_MS;
  let count = 0;
  const work = async (): Promise<void> => {
    while (performance.now() < endMs) {
      await client.put('key', 'value');
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return count;
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!;
}
