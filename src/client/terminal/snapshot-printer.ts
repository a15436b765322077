/** What `snapshot status` says of a file, in every format. Source: etcdctl 3.4 snapshot. */

import { formatByteSize } from './byte-size.ts';
import { printField } from './field-lines.ts';
import type { Json } from './json.ts';
import type { Output, SnapshotPrinter, SnapshotStatus } from './printer.ts';
import { drawTable } from './table.ts';

const HEADERS = ['hash', 'revision', 'total keys', 'total size'];

/** Makes the one of the simple format. */
export function createSimpleSnapshotPrinter(output: Output): SnapshotPrinter {
  return { snapshotStatus: (status) => output(`${cellsOf(status).join(', ')}\n`) };
}

/** Makes the one of the table format. */
export function createTableSnapshotPrinter(output: Output): SnapshotPrinter {
  return { snapshotStatus: (status) => output(drawTable(HEADERS, [cellsOf(status)])) };
}

/** Makes the one of the JSON format. */
export function createJsonSnapshotPrinter(print: (value: Json) => void): SnapshotPrinter {
  return {
    snapshotStatus: ({ hash, revision, keyCount, sizeBytes }) =>
      print({ hash, revision, totalKey: keyCount, totalSize: sizeBytes }),
  };
}

/** Makes the one of the fields format. */
export function createFieldsSnapshotPrinter(output: Output): SnapshotPrinter {
  return {
    snapshotStatus: ({ hash, revision, keyCount, sizeBytes }) => {
      printField(output, 'Hash', hash);
      printField(output, 'Revision', revision);
      printField(output, 'Keys', keyCount);
      printField(output, 'Size', sizeBytes);
    },
  };
}

function cellsOf({ hash, revision, keyCount, sizeBytes }: SnapshotStatus): string[] {
  return [hash.toString(16), String(revision), String(keyCount), formatByteSize(sizeBytes)];
}
