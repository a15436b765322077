/** `-w table`: only what is a list of endpoints; the rest is refused, as etcdctl does. */

import { assert } from '../../assert.ts';
import { formatGoDuration } from './go-duration.ts';
import type { Output, Printer } from './printer.ts';
import { statusCells } from './simple-printer.ts';
import { drawTable } from './table.ts';

const STATUS_HEADERS = [
  'endpoint',
  'ID',
  'version',
  'db size',
  'is leader',
  'is learner',
  'raft term',
  'raft index',
  'raft applied index',
  'errors',
];

const HEALTH_HEADERS = ['endpoint', 'health', 'took', 'error'];

/** Makes the printer of the table format. */
export function createTablePrinter(output: Output): Printer {
  const refuse = (): void => assert(false, 'the answer has no form as a table');
  return {
    refused: ['put', 'range', 'delete', 'moveLeader'],
    put: refuse,
    range: refuse,
    delete: refuse,
    moveLeader: refuse,
    endpointStatus: (statuses) => output(drawTable(STATUS_HEADERS, statuses.map(statusCells))),
    endpointHealth: (healths) =>
      output(
        drawTable(
          HEALTH_HEADERS,
          healths.map(({ endpoint, isHealthy, tookMs, error }) => [
            endpoint,
            String(isHealthy),
            formatGoDuration(tookMs),
            error,
          ]),
        ),
      ),
  };
}
