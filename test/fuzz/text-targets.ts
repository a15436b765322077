/** Readers of what people write: nodes.conf, scripts of transactions. */

import { NodeFault } from '../../include/node.ts';
import { CommandError } from '../../src/commands/command-error.ts';
import { readTransaction } from '../../src/commands/txn-script.ts';
import { parseNodesConf } from '../../src/node/nodes-conf.ts';
import type { Random } from '../../src/random.ts';
import { readOrRefuse, type Target } from './target.ts';

function drawLines(random: Random, lines: readonly string[], mostLines: number): string[] {
  return Array.from({ length: random.below(mostLines + 1) }, () => {
    return lines[random.below(lines.length)]!;
  });
}

const nodesConf: Target = {
  name: 'nodes.conf',
  draw: (random) => {
    const lines = Array.from({ length: 1 + random.below(5) }, (_, id) => {
      const address = ['127.0.0.1', '::1', 'node.example', 'n'][random.below(4)];
      const client = random.below(2) === 0 ? '' : ` client=${2_379 + id}`;
      const learner = id > 0 && random.below(4) === 0 ? ' role=learner' : '';
      return `${id} ${address} ${7_001 + id}${client}${learner}`;
    });
    return Buffer.from(`# members\n${lines.join('\n')}\n`);
  },
  read: (bytes) => readOrRefuse(() => parseNodesConf('nodes.conf', `${bytes}`), [NodeFault]),
};

const COMPARES = [
  'value("a") = "1"',
  'mod("b") > "3"',
  'version("c") != "0"',
  'create("d") < "9"',
  'lease("e") = "0"',
];
const OPERATIONS = [
  'put a 1',
  'put "b c" "d\\"e"',
  'get a --prefix',
  'get a z --limit=3',
  'del a',
  'del a --prefix --prev-kv',
];

const script: Target = {
  name: 'script of a transaction',
  draw: (random) => {
    const compares = drawLines(random, COMPARES, 3);
    const success = drawLines(random, OPERATIONS, 3);
    const failure = drawLines(random, OPERATIONS, 3);
    return Buffer.from([...compares, '', ...success, '', ...failure, '', ''].join('\n'));
  },
  read: async (bytes) => {
    const lines = `${bytes}`.split('\n');
    try {
      await readTransaction({ nextLine: async () => lines.shift(), rest: 'leave' });
      return true;
    } catch (error) {
      if (error instanceof CommandError) return false;
      throw error;
    }
  },
};

/** All of them. */
export const TEXT_TARGETS: readonly Target[] = [nodesConf, script];
