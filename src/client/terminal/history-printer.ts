/**
 * The history of a key, an entry a line, in every format that has a form for it.
 *
 * Simple: `revision PUT version "value"` or `revision DELETE`, the value quoted as Go does, or as
 * hex. JSON: an object a line.
 */

import type { HistoryEntry } from '../../../include/client.ts';
import { printField, printPairFields } from './field-lines.ts';
import { goQuote, hexString } from './go-quote.ts';
import { printJson, unlessEmpty } from './json.ts';
import type { HistoryPrinter, Output } from './printer.ts';

/** Makes the one of the simple format. */
export function createSimpleHistoryPrinter(output: Output): HistoryPrinter {
  return {
    history: ({ revision, kind, kv }, { hex }) => {
      output(`${revision} ${kindName(kind)}`);
      if (kv !== undefined) {
        output(` ${kv.version} ${hex ? hexString(kv.value) : goQuote(kv.value)}`);
      }
      output('\n');
    },
  };
}

/** Makes the one of the JSON format. */
export function createJsonHistoryPrinter(output: Output): HistoryPrinter {
  return {
    history: ({ revision, kind, kv }) => {
      const put = kv && {
        create_revision: kv.createRevision,
        version: kv.version,
        value: kv.value,
        lease: unlessEmpty(kv.lease),
      };
      output(`${printJson({ revision, kind: kindName(kind), ...put })}\n`);
    },
  };
}

/** Makes the one of the fields format. */
export function createFieldsHistoryPrinter(output: Output): HistoryPrinter {
  return {
    history: ({ revision, kind, kv }) => {
      printField(output, 'Revision', revision);
      printField(output, 'Kind', kindName(kind));
      if (kv !== undefined) printPairFields(output, '', kv);
      output('\n');
    },
  };
}

function kindName(kind: HistoryEntry['kind']): 'PUT' | 'DELETE' {
  return kind === 'put' ? 'PUT' : 'DELETE';
}
