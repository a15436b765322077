/** Endpoints as people write them. */

import t from 'tap';
import { ErrorCode } from '../../include/rpc.ts';
import { connect } from '../../src/client/connect.ts';
import { parseEndpoint } from '../../src/client/endpoint.ts';

const good = [
  ['127.0.0.1:7001', '127.0.0.1', 7001, '127.0.0.1:7001'],
  ['localhost:1', 'localhost', 1, 'localhost:1'],
  ['http://10.0.0.1:65535', '10.0.0.1', 65_535, '10.0.0.1:65535'],
  ['HTTP://node-a.example:7001/', 'node-a.example', 7001, 'node-a.example:7001'],
  ['[::1]:7001', '::1', 7001, '[::1]:7001'],
  ['http://[fe80::1%eth0]:7001', 'fe80::1%eth0', 7001, '[fe80::1%eth0]:7001'],
  [' 127.0.0.1:7001 ', '127.0.0.1', 7001, '127.0.0.1:7001'],
] as const;
for (const [text, host, port, name] of good) {
  t.test(`${text} is an endpoint`, async (t) => {
    t.strictSame(parseEndpoint(text), { host, port, name });
  });
}

const bad = [
  '',
  'localhost',
  ':7001',
  '127.0.0.1:',
  '127.0.0.1:0',
  '127.0.0.1:65536',
  '127.0.0.1:7x',
  '::1:7001',
  '[::1]',
  'https://127.0.0.1:7001',
  'unix:///tmp/socket:1',
  'a b:7001',
];
for (const text of bad) {
  t.test(`${JSON.stringify(text)} is refused`, async (t) => {
    t.throws(() => parseEndpoint(text), { code: ErrorCode.BadEndpoint });
    t.throws(() => connect({ endpoints: [text] }), { code: ErrorCode.BadEndpoint });
  });
}

t.test('a client without endpoints is refused', async (t) => {
  t.throws(() => connect({ endpoints: [] }), { code: ErrorCode.BadEndpoint });
  const many = Array.from({ length: 257 }, (_, i) => `10.0.0.1:${i + 1}`);
  t.throws(() => connect({ endpoints: many }), { code: ErrorCode.BadEndpoint });
});

t.test('an endpoint given twice is one', async (t) => {
  const client = connect({ endpoints: ['localhost:1', 'http://localhost:1', 'localhost:2'] });
  t.strictSame(client.endpoints, ['localhost:1', 'localhost:2']);
  await client.close();
});
