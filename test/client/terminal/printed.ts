/** What printers print, and the parts that many answers share, as etcdctl 3.4.23 printed them. */

import { createFieldsPrinter } from '../../../src/client/terminal/fields-printer.ts';
import { createJsonPrinter } from '../../../src/client/terminal/json-printer.ts';
import type { PairStyle, Printer } from '../../../src/client/terminal/printer.ts';
import { createSimplePrinter } from '../../../src/client/terminal/simple-printer.ts';
import { createTablePrinter } from '../../../src/client/terminal/table-printer.ts';
import { headerOf } from '../fake-node.ts';

/** The header of every answer, and how it is printed. */
export const header = { ...headerOf(0x2bc2, 10), term: 2 };
export const HEADER_JSON =
  '{"cluster_id":9151734699010623715,"member_id":11202,"revision":10,"raft_term":2}';
export const HEADER_FIELDS =
  '"ClusterID" : 9151734699010623715\n"MemberID" : 11202\n"Revision" : 10\n"RaftTerm" : 2\n';

/** How pairs are printed without flags. */
export const STYLE: PairStyle = { hex: false, keysOnly: false, valuesOnly: false };

/** What a printer prints. */
export function printed(
  print: (printer: Printer) => void,
  format: 'simple' | 'fields' | 'json' | 'table',
) {
  let text = '';
  const output = (chunk: string | Buffer): void => {
    text += chunk.toString();
  };
  const printers = {
    simple: () => createSimplePrinter(output, (chunk) => output(`stderr ${chunk}`)),
    fields: () => createFieldsPrinter(output),
    json: () => createJsonPrinter(output),
    table: () => createTablePrinter(output),
  };
  print(printers[format]());
  return text;
}
