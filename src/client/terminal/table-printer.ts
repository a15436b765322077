/** `-w table`: lists of endpoints or members, and snapshots; etcdctl refuses the rest as well. */

import { assert } from '../../assert.ts';
import { formatByteSize } from './byte-size.ts';
import { formatGoDuration } from './go-duration.ts';
import { drawMembers } from './member-printer.ts';
import type { Answer, Answers, EndpointStatus, Output, Printer } from './printer.ts';
import { hashCells, statusCells } from './simple-printer.ts';
import { createTableSnapshotPrinter } from './snapshot-printer.ts';
import { drawTable } from './table.ts';

const STATUS_HEADERS = [
  'endpoint',
  'ID',
  'version',
  'db size',
  'in use',
  'quota',
  'is leader',
  'is learner',
  'raft term',
  'raft index',
  'raft applied index',
  'errors',
];

const HASH_HEADERS = ['endpoint', 'hash'];

const HEALTH_HEADERS = ['endpoint', 'health', 'took', 'error'];

/** What has no form as a table. */
const refuse = (): void => assert(false, 'the answer has no form as a table');

/** Every answer but those. */
const REFUSED: Omit<
  Answers,
  'endpointStatus' | 'endpointHash' | 'endpointHealth' | 'memberList' | 'snapshotStatus'
> = {
  put: refuse,
  range: refuse,
  delete: refuse,
  txn: refuse,
  watch: refuse,
  watchCancelled: refuse,
  observed: refuse,
  history: refuse,
  leaseGrant: refuse,
  leaseRevoke: refuse,
  leaseKeepAlive: refuse,
  leaseGone: refuse,
  leaseTimeToLive: refuse,
  leaseList: refuse,
  alarms: refuse,
  moveLeader: refuse,
  memberChange: refuse,
};

/** Makes the printer of the table format. */
export function createTablePrinter(output: Output): Printer {
  return {
    ...REFUSED,
    refused: answerNames(REFUSED),
    memberList: (reply) => output(drawMembers(reply)),
    ...createTableSnapshotPrinter(output),
    endpointStatus: (statuses) => output(drawTable(STATUS_HEADERS, statuses.map(statusRow))),
    endpointHash: (hashes) => output(drawTable(HASH_HEADERS, hashes.map(hashCells))),
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

/** The columns of etcdctl 3.4, and of 3.6 those about the quota. */
function statusRow(each: EndpointStatus): string[] {
  const [endpoint = '', id = '', version = '', dbSize = '', ...rest] = statusCells(each);
  const { dbSizeInUseBytes, quotaBytes } = each.status;
  const sizes = [dbSize, formatByteSize(dbSizeInUseBytes), formatByteSize(quotaBytes)];
  return [endpoint, id, version, ...sizes, ...rest];
}

function answerNames(answers: Partial<Answers>): Answer[] {
  return Object.keys(answers).filter((name): name is Answer => name in answers);
}
