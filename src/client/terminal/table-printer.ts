/** `-w table`: only what is a list of endpoints; the rest is refused, as etcdctl does. */

import { formatGoDuration } from './go-duration.ts';
import { type Output, type Printer, UnsupportedFormat } from './printer.ts';
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
  const refuse = (): never => {
    throw new UnsupportedFormat('table not supported as output format');
  };
  return {
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
