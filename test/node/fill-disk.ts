/**
 * A program with a node inside that writes until its disk takes no more. Arguments: the data
 * directory, and `told` if it wants to be told by onFatal. Prints each count that was acknowledged.
 */

import { createNode } from '../../src/kvorum.ts';

const [dataDir = '', how] = process.argv.slice(2);
const onFatal = (cause: unknown): void => {
  console.log(`told ${cause}`);
  process.exit(3);
};
const place = { dataDir, heartbeatMs: 20, electionMs: 200 };
const node = await createNode(how === 'told' ? { ...place, onFatal } : place);
const client = node.client({ requestTimeoutMs: 60_000 });
for (let count = 1; ; count += 1) {
  await client.put('count', String(count));
  console.log(count);
  await client.put('ballast', Buffer.alloc(1_000_000));
}
