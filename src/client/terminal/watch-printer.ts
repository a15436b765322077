/**
 * The events of a watch, in every format that has a form for them. A watch lives through changes of
 * node, so its header in JSON and fields has a revision only.
 *
 * Source: etcdctl 3.4 watch.
 */

import { EventKind, type WatchEvent } from '../../../include/kvstore.ts';
import { printField, printPairFields } from './field-lines.ts';
import { type Json, printJson, unlessEmpty } from './json.ts';
import { pairJson } from './json-parts.ts';
import { printPair } from './pair-lines.ts';
import type { Output, WatchPrinter } from './printer.ts';

/** The word for what happened to a key. */
export function eventName(kind: EventKind): 'PUT' | 'DELETE' {
  return kind === EventKind.Put ? 'PUT' : 'DELETE';
}

/** Makes the one of the simple format. */
export function createSimpleWatchPrinter(output: Output): WatchPrinter {
  return {
    watch: ({ events }, style) => {
      for (const { kind, kv, prevKv } of events) {
        output(`${eventName(kind)}\n`);
        if (prevKv !== undefined) printPair(output, prevKv, style);
        printPair(output, kv, style);
      }
    },
    watchCancelled: () => {},
    observed: (pair, style) => printPair(output, pair, style),
  };
}

/** Makes the one of the JSON format. */
export function createJsonWatchPrinter(output: Output): WatchPrinter {
  const print = (revision: number, events: readonly Json[], compactRevision: number): void => {
    const told = {
      Header: { revision: unlessEmpty(revision) },
      Events: events,
      CompactRevision: compactRevision,
      Canceled: compactRevision > 0,
      Created: false,
    };
    output(`${printJson(told)}\n`);
  };
  return {
    watch: ({ revision, events }) => print(revision, events.map(eventJson), 0),
    watchCancelled: (compactRevision) => print(0, [], compactRevision),
    observed: (pair) => {
      const told = { header: { revision: pair.modRevision }, kvs: [pairJson(pair)] };
      output(`${printJson(told)}\n`);
    },
  };
}

/** Makes the one of the fields format. */
export function createFieldsWatchPrinter(output: Output): WatchPrinter {
  return {
    watch: ({ revision, events }) => {
      printField(output, 'Revision', revision);
      for (const { kind, kv, prevKv } of events) {
        printField(output, 'Type', eventName(kind));
        if (prevKv !== undefined) printPairFields(output, 'Prev', prevKv);
        printPairFields(output, '', kv);
      }
    },
    watchCancelled: (compactRevision) => printField(output, 'CompactRevision', compactRevision),
    observed: (pair) => {
      printField(output, 'Revision', pair.modRevision);
      printPairFields(output, '', pair);
    },
  };
}

function eventJson({ kind, kv, prevKv }: WatchEvent): Json {
  return {
    type: unlessEmpty(kind),
    kv: pairJson(kv),
    prev_kv: prevKv === undefined ? undefined : pairJson(prevKv),
  };
}
