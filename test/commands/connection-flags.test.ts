/** How many clients a node holds, as flags and variables say it. */

import t from 'tap';
import {
  GATEWAY_CONNECTIONS_MAX,
  GATEWAY_CONNECTIONS_PER_ADDRESS_MAX,
} from '../../include/gateway.ts';
import { CONNECTIONS_MAX, CONNECTIONS_PER_ADDRESS_MAX } from '../../include/rpc.ts';
import { readClientPortConnections, readConnections } from '../../src/commands/connection-flags.ts';
import { flagReader } from '../../src/commands/server-flags.ts';

type Given = Readonly<Record<string, string>>;

const read = (argv: Given, environment: Given = {}) => {
  const flag = flagReader(argv, environment);
  return [readConnections(flag), readClientPortConnections(flag)];
};

t.test('what is not given is the default of the headers', async (t) => {
  t.strictSame(read({}), [
    { inAll: CONNECTIONS_MAX, perAddress: CONNECTIONS_PER_ADDRESS_MAX },
    { inAll: GATEWAY_CONNECTIONS_MAX, perAddress: GATEWAY_CONNECTIONS_PER_ADDRESS_MAX },
  ]);
});

t.test('a flag wins over its variable, and each port has its own', async (t) => {
  const argv = { 'connections-max': '30', 'client-port-connections-per-address-max': '4' };
  const environment = {
    KVORUM_CONNECTIONS_MAX: '40',
    KVORUM_CONNECTIONS_PER_ADDRESS_MAX: '20',
    KVORUM_CLIENT_PORT_CONNECTIONS_MAX: '5',
  };
  t.strictSame(read(argv, environment), [
    { inAll: 30, perAddress: 20 },
    { inAll: 5, perAddress: 4 },
  ]);
});

t.test('fewer in all than the default from one address are fewer from one too', async (t) => {
  t.strictSame(read({ 'connections-max': '30' })[0], { inAll: 30, perAddress: 30 });
});

const numbers = 'expected a number of connections, from 1 to 1048576';
const refused: readonly (readonly [why: string, argv: Given, text: string])[] = [
  ['none', { 'connections-max': '0' }, `--connections-max "0": ${numbers}`],
  ['a negative number', { 'connections-max': '-1' }, `--connections-max "-1": ${numbers}`],
  ['a word', { 'connections-max': 'many' }, `--connections-max "many": ${numbers}`],
  ['one too many', { 'connections-max': '1048577' }, `--connections-max "1048577": ${numbers}`],
  [
    'half a connection',
    { 'client-port-connections-max': '1.5' },
    `--client-port-connections-max "1.5": ${numbers}`,
  ],
  [
    'more from one address than in all',
    { 'connections-max': '10', 'connections-per-address-max': '11' },
    '--connections-per-address-max 11 is above --connections-max 10: give at most that',
  ],
  [
    'more from one address than in all by default',
    { 'client-port-connections-per-address-max': '10001' },
    '--client-port-connections-per-address-max 10001 is above --client-port-connections-max ' +
      '10000: give at most that',
  ],
];
for (const [why, argv, text] of refused) {
  t.test(`${why} is refused`, async (t) => {
    t.throws(() => read(argv), { message: text });
  });
}
