import t from 'tap';
import { NodeFault } from '../../include/node.ts';
import { nodeOf, parseNodesConf } from '../../src/node/nodes-conf.ts';

const refused: readonly (readonly [name: string, text: string, message: string])[] = [
  ['a line of two fields', '0 127.0.0.1', 'c:1: 2 of 3 fields'],
  ['an id that is no number', '# x\nzero 127.0.0.1 7001', 'c:2: "zero" is not a node id'],
  ['a negative id', '-1 127.0.0.1 7001', 'c:1: "-1" is not a node id'],
  ['an id beyond u32', '4294967295 127.0.0.1 7001', 'c:1: "4294967295" is not a node id'],
  [
    'an address that is none',
    '0 not/a/host 7001',
    'c:1: "not/a/host" is not an IP address or host name',
  ],
  ['a mistyped IPv4 address', '0 127.0.0.256 7001', 'c:1: "127.0.0.256" is not an IP address'],
  ['port 0', '0 127.0.0.1 0', 'c:1: "0" is not a port'],
  ['port 65536', '0 127.0.0.1 65536', 'c:1: "65536" is not a port'],
  ['an unknown attribute', '0 127.0.0.1 7001 colour=red', 'c:1: unknown attribute "colour=red"'],
  [
    'an unknown role',
    '0 127.0.0.1 7001 role=king',
    'c:1: role "king" is neither voter nor learner',
  ],
  ['a bad client port', '0 127.0.0.1 7001 client=x', 'c:1: client port "x" is not a number'],
  ['one port for both uses', '0 127.0.0.1 7001 client=7001', 'c:1: port 7001 is given twice'],
  ['an id used twice', '0 a 1\n0 b 1', 'c:2: id 0 is that of line 1 already'],
  [
    'an address and port used twice',
    '0 h 7001\n\n1 H 7001',
    'c:3: port 7001 of H is that of line 1 already',
  ],
  [
    'a client port used twice',
    '0 h 1 client=9\n1 h 2 client=9',
    'c:2: client port 9 of h is that of line 1',
  ],
  ['no node at all', '# nobody\n', 'c: no voting node'],
  ['learners only', '0 h 1 role=learner', 'c: no voting node'],
  [
    '65 nodes',
    Array.from({ length: 65 }, (_, i) => `${i} h ${i + 1}`).join('\n'),
    'c: 65 nodes; list at most 64',
  ],
];

for (const [name, text, message] of refused) {
  t.test(`${name} is refused with the place and what is expected`, async (t) => {
    try {
      parseNodesConf('c', text);
      t.fail('it was taken');
    } catch (error) {
      t.type(error, NodeFault);
      t.match((error as Error).message, message);
    }
  });
}

t.test(
  'nodes come ascending by id with their attributes, comments and blanks ignored',
  async (t) => {
    const text =
      '# a cluster\n2 b.example 7000 role=learner # late\n\n 0\t::1 7001 client=2379\r\n';
    const config = parseNodesConf('c', text);
    t.strictSame(config.nodes, [
      { id: 0, address: '::1', port: 7001, role: 'voter', clientPort: 2379, line: 4 },
      { id: 2, address: 'b.example', port: 7000, role: 'learner', clientPort: undefined, line: 2 },
    ]);
    t.equal(nodeOf(config, 2).port, 7000);
  },
);

t.test('a node that is not listed is refused with those that are', async (t) => {
  const config = parseNodesConf('c', '0 h 1\n5 h 2');
  t.throws(() => nodeOf(config, 3), { message: 'c: no node with id 3; choose one of 0, 5' });
});

t.test(
  'the cluster id depends on members alone, not on order, comments or attributes',
  async (t) => {
    const id = (text: string) => parseNodesConf('c', text).clusterId;
    t.equal(id('0 h 1\n1 h 2'), id('# x\n1 H 2 client=5\n0 h 1'));
    t.not(id('0 h 1\n1 h 2'), id('0 h 1\n1 h 3'));
  },
);
