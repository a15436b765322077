/**
 * /health, /livez and /readyz, as etcd 3.6 has them. The node itself is asked, never another
 * member, and one that does not answer in time fails: its event loop or its process stands still.
 *
 *   /livez    serializable_read: this member answers from its own state
 *   /readyz   data_corruption, linearizable_read, non_learner, serializable_read
 *
 * A check has a page of its own below. `?exclude=CHECK` leaves one out, `?verbose` tells each.
 */

import { LIVE_TIMEOUT_MS, READY_TIMEOUT_MS } from '../../../include/gateway.ts';
import { AlarmKind } from '../../../include/kvstore.ts';
import { NO_NODE } from '../../../include/node.ts';
import { FrameType } from '../../../include/rpc.ts';
import type { NodeClient } from '../node-client.ts';
import { ALARM_NAMES } from '../v3/alarms.ts';
import { isReadable } from '../v3/probe.ts';
import { answerText, answerWith, type Exchange } from './exchange.ts';

/** How checks of health ended since the start. */
export type HealthCounts = { passed: number; failed: number };

/** Finds out about one thing; rejects with what is wrong. */
type Check = (node: NodeClient) => Promise<void>;

const CHECKS: Readonly<Record<string, Check>> = {
  data_corruption: async (node) => {
    const { alarms } = await node.askOwn({ type: FrameType.Status }, LIVE_TIMEOUT_MS);
    if (alarms.some(({ kind }) => kind === AlarmKind.Corrupt)) {
      throw new Error('alarm activated: CORRUPT');
    }
  },
  serializable_read: (node) => isReadable(node, 'serializable', LIVE_TIMEOUT_MS),
  linearizable_read: (node) => isReadable(node, 'linearizable', READY_TIMEOUT_MS),
  non_learner: async (node) => {
    const { isLearner } = await node.askOwn({ type: FrameType.Status }, LIVE_TIMEOUT_MS);
    if (isLearner) throw new Error('the member is a learner');
  },
};

/** The checks of each page, as etcd 3.6 has them. */
const PAGES: Readonly<Record<string, readonly string[]>> = {
  '/livez': ['serializable_read'],
  '/readyz': ['data_corruption', 'linearizable_read', 'non_learner', 'serializable_read'],
};

/** The pages by path, those of single checks included. */
export function healthPages(
  node: NodeClient,
  counts: HealthCounts,
): [path: string, page: (exchange: Exchange) => void][] {
  const pages: [string, (exchange: Exchange) => void][] = [
    ['/health', (exchange) => void answerHealth(node, counts, exchange)],
  ];
  for (const [path, names] of Object.entries(PAGES)) {
    pages.push([path, (exchange) => void answerChecks(node, names, exchange)]);
    for (const name of names) {
      pages.push([`${path}/${name}`, (exchange) => void answerChecks(node, [name], exchange)]);
    }
  }
  return pages;
}

async function answerChecks(
  node: NodeClient,
  names: readonly string[],
  exchange: Exchange,
): Promise<void> {
  const excluded = exchange.query.getAll('exclude');
  const asked = names.filter((name) => !excluded.includes(name));
  const results = await Promise.all(
    asked.map((name) =>
      CHECKS[name]!(node).then(
        () => '',
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      ),
    ),
  );
  const lines = asked.map((name, slot) => {
    const why = results[slot]!;
    return why === '' ? `[+]${name} ok\n` : `[-]${name} failed: ${why}\n`;
  });
  const isPassed = results.every((why) => why === '');
  // A failure is told in full.
  if (!isPassed) answerText(exchange, 503, `${lines.join('')}\n`);
  else answerText(exchange, 200, `${exchange.query.has('verbose') ? lines.join('') : ''}ok\n`);
}

async function answerHealth(
  node: NodeClient,
  counts: HealthCounts,
  exchange: Exchange,
): Promise<void> {
  const { query } = exchange;
  const isSerializable = query.get('serializable') === 'true';
  const reason = await whyUnhealthy(node, isSerializable, query.getAll('exclude'));
  if (reason === '') counts.passed += 1;
  else counts.failed += 1;
  const text = JSON.stringify({ health: reason === '' ? 'true' : 'false', reason });
  if (reason === '') answerWith(exchange, 200, { 'content-type': 'application/json' }, text);
  else answerText(exchange, 503, `${text}\n`);
}

/** Why the node does not serve; empty when it does. */
async function whyUnhealthy(
  node: NodeClient,
  isSerializable: boolean,
  excluded: readonly string[],
): Promise<string> {
  try {
    const status = await node.askOwn({ type: FrameType.Status }, LIVE_TIMEOUT_MS);
    const names = status.alarms.map(({ kind }) => ALARM_NAMES.get(kind) ?? 'UNKNOWN');
    const alarm = names.find((name) => !excluded.includes(name));
    if (alarm !== undefined) return `ALARM ${alarm}`;
    if (status.leader === NO_NODE && !isSerializable) return 'RAFT NO LEADER';
    if (isSerializable) await isReadable(node, 'serializable', LIVE_TIMEOUT_MS);
    else await isReadable(node, 'linearizable', READY_TIMEOUT_MS);
    return '';
  } catch (error) {
    return `RANGE ERROR:${error instanceof Error ? error.message : String(error)}`;
  }
}
