/**
 * The process of a node that speaks an older version of the protocol, as a release before this one
 * does. Arguments: id, nodes.conf, data directory, version. SIGTERM stops it in order.
 */

import { readFileSync } from 'node:fs';
import { createSystemClock } from '../../src/clock.ts';
import { createServerLog } from '../../src/commands/server-log.ts';
import { startNode } from '../../src/node/node.ts';
import { parseNodesConf } from '../../src/node/nodes-conf.ts';

const [id = '', conf = '', dataDir = '', protocolVersion = ''] = process.argv.slice(2);

const node = await startNode({
  id: Number(id),
  cluster: parseNodesConf(conf, readFileSync(conf, 'utf8')),
  dataDir,
  version: 'older',
  protocolVersion: Number(protocolVersion),
  clock: createSystemClock(),
  log: createServerLog(Number(id), 'info'),
  onFatal: (cause) => {
    throw cause;
  },
});
process.once('SIGTERM', () => void node.stop());
