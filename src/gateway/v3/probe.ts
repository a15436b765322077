/** Whether the node itself can be read from. */

import { NO_RANGE_END, SortOrder, SortTarget } from '../../../include/kvstore.ts';
import { FrameType } from '../../../include/rpc.ts';
import type { NodeClient } from '../node-client.ts';

/** The key that etcd's own health checks ask for. */
const HEALTH_KEY: Buffer = Buffer.from('health');

/** Reads a key, from the node's own state or through its cluster; rejects when that fails. */
export async function isReadable(
  node: NodeClient,
  how: 'serializable' | 'linearizable',
  timeoutMs: number,
): Promise<void> {
  const body = {
    ...{ key: HEALTH_KEY, rangeEnd: NO_RANGE_END, limit: 0, revision: 0 },
    serializable: how === 'serializable',
    ...{ sortOrder: SortOrder.None, sortTarget: SortTarget.Key },
    ...{ keysOnly: true, countOnly: false, pageBytes: 0, uncounted: true },
    ...{ minModRevision: 0, maxModRevision: 0, minCreateRevision: 0, maxCreateRevision: 0 },
  };
  await node.askOwn({ type: FrameType.Range, body }, timeoutMs);
}
