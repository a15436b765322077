/** docs/OPERATIONS.md does not lie about limits and metrics. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import t from 'tap';
import * as gateway from '../include/gateway.ts';
import * as kvstore from '../include/kvstore.ts';
import * as node from '../include/node.ts';
import * as rpc from '../include/rpc.ts';

const document = readFileSync(resolve(import.meta.dirname, '../docs/OPERATIONS.md'), 'utf8');
const headers: Readonly<Record<string, unknown>> = { ...rpc, ...kvstore, ...node, ...gateway };

t.test('the table of limits has the values of the headers', async (t) => {
  const rows = [...document.matchAll(/^\| ([A-Z_]+) \| (\d+) \|/gm)];
  t.ok(rows.length > 10);
  for (const [, name, value] of rows) t.equal(Number(value), headers[name!], name!);
});
