/**
 * The answer to a transaction, in every format that has a form for it: which branch was taken, then
 * the answer to each of its operations.
 *
 * Source: etcdctl 3.4 txn.
 */

import { OpKind, type TxnOpResult, type TxnResult } from '../../../include/kvstore.ts';
import type { ReplyHeader } from '../../../include/rpc.ts';
import { printField, printHeaderFields } from './field-lines.ts';
import { type Json, printJson, unlessEmpty } from './json.ts';
import { headerJson, pairJson } from './json-parts.ts';
import type { KeyPrinter, Output, PairStyle, TxnPrinter } from './printer.ts';

/**
 * Makes the one of the simple format.
 *
 * @param keys prints the answers to operations
 */
export function createSimpleTxnPrinter(output: Output, keys: KeyPrinter): TxnPrinter {
  const printTxn = (result: TxnResult, style: PairStyle): void => {
    output(result.succeeded ? 'SUCCESS\n' : 'FAILURE\n');
    for (const each of result.results) {
      output('\n');
      printOpResult(each, style, keys, printTxn);
    }
  };
  return { txn: printTxn };
}

/** Makes the one of the JSON format. */
export function createJsonTxnPrinter(output: Output): TxnPrinter {
  return {
    txn: (reply) => output(`${printJson({ header: headerJson(reply), ...branchJson(reply) })}\n`),
  };
}

/**
 * Makes the one of the fields format.
 *
 * @param keys prints the answers to operations
 */
export function createFieldsTxnPrinter(output: Output, keys: KeyPrinter): TxnPrinter {
  const printBranch = (result: TxnResult, style: PairStyle): void => {
    printField(output, 'Succeeded', result.succeeded);
    for (const each of result.results) printOpResult(each, style, keys, printNested);
  };
  const printNested = (result: TxnResult, style: PairStyle): void => {
    printHeaderFields(output, innerHeader(result.revision));
    printBranch(result, style);
  };
  return {
    txn: (reply, style) => {
      printHeaderFields(output, reply);
      printBranch(reply, style);
    },
  };
}

function printOpResult(
  { kind, result }: TxnOpResult,
  style: PairStyle,
  keys: KeyPrinter,
  printTxn: (result: TxnResult, style: PairStyle) => void,
): void {
  const header = innerHeader(result.revision);
  switch (kind) {
    case OpKind.Range:
      return keys.range({ ...result, ...header }, style);
    case OpKind.Put:
      return keys.put({ ...result, ...header }, style);
    case OpKind.DeleteRange:
      return keys.delete({ ...result, ...header }, style);
    case OpKind.Txn:
      return printTxn(result, style);
  }
}

/** What etcd tells in the header of an operation's answer: the revision only. */
function innerHeader(revision: number): ReplyHeader {
  return { clusterId: 0n, nodeId: 0, revision, term: 0 };
}

function branchJson({ succeeded, results }: TxnResult) {
  return {
    succeeded: unlessEmpty(succeeded),
    responses: unlessEmpty(results.map((each) => ({ Response: opResultJson(each) }))),
  };
}

function opResultJson({ kind, result }: TxnOpResult): Json {
  const header = { revision: result.revision };
  switch (kind) {
    case OpKind.Range: {
      const { kvs, more, count } = result;
      const members = { kvs: unlessEmpty(kvs.map(pairJson)), more: unlessEmpty(more) };
      return { ResponseRange: { header, ...members, count: unlessEmpty(count) } };
    }
    case OpKind.Put: {
      const { prevKv } = result;
      const previous = prevKv === undefined ? undefined : pairJson(prevKv);
      return { ResponsePut: { header, prev_kv: previous } };
    }
    case OpKind.DeleteRange: {
      const { deleted, prevKvs } = result;
      const previous = unlessEmpty(prevKvs.map(pairJson));
      return {
        ResponseDeleteRange: { header, deleted: unlessEmpty(deleted), prev_kvs: previous },
      };
    }
    case OpKind.Txn:
      return { ResponseTxn: { header, ...branchJson(result) } };
  }
}
