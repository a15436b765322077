/** `kvorum export`: every pair of a prefix at one revision, a line of JSON each. */

import type { CommandModule, InferredOptionTypes } from 'yargs';
import type { Client } from '../../include/client.ts';
import type { KeyValue } from '../../include/kvstore.ts';
import { commandArguments } from './arguments.ts';
import { textToBytes } from './byte-text.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { refuseArguments } from './command-error.ts';
import { integerFlag } from './flag-values.ts';
import { untilInterrupted } from './interrupts.ts';
import { type RecordLease, writeRecord } from './pair-record.ts';
import type { Flags } from './settings.ts';

/** Its flags. */
export const EXPORT_FLAGS = {
  prefix: { type: 'string', requiresArg: true, describe: 'only keys with this prefix' },
  rev: { type: 'string', requiresArg: true, describe: 'the revision to export' },
} as const satisfies Flags;

const USAGE = `$0 export [flags] > file

Writes a line a pair, {"key":"a","value":"10"}; bytes that are not UTF-8 as
{"base64":"..."}; of a pair that hangs on a lease, the lease's id and seconds, too. What it
has done it says on the error output.`;

/** Makes the command. */
export function exportCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof EXPORT_FLAGS>> {
  return {
    command: 'export',
    describe: 'write all pairs as lines of JSON',
    builder: (yargs) => yargs.usage(USAGE).options(EXPORT_FLAGS),
    handler: async (argv) => {
      if (commandArguments(argv).length > 0) refuseArguments('export command needs no arguments');
      const revision = argv.rev === undefined ? 0 : integerFlag('rev')(argv.rev);
      const prefix = textToBytes(argv.prefix ?? '');
      const { client } = openInvocation(context, argv, undefined);
      await untilInterrupted(context, (signal) =>
        exportPairs(context, client, prefix, revision, signal),
      );
    },
  };
}

async function exportPairs(
  { terminal }: CommandContext,
  client: Client,
  prefix: Buffer,
  revision: number,
  signal: AbortSignal,
): Promise<void> {
  const leases = new Map<bigint, RecordLease | undefined>();
  const askLeases = async (pairs: readonly KeyValue[]): Promise<void> => {
    const ids = new Set(pairs.map(({ lease }) => lease));
    const unknown = [...ids].filter((id) => id !== 0n && !leases.has(id));
    const found = await Promise.all(unknown.map((id) => askLease(client, id)));
    for (const [slot, id] of unknown.entries()) leases.set(id, found[slot]);
  };

  let count = 0;
  let shown = revision;
  for await (const page of client.pages(prefix, { prefix: true, revision })) {
    shown = page.revision;
    await askLeases(page.kvs);
    for (const pair of page.kvs) terminal.write(writeRecord(pair, leases.get(pair.lease)));
    count += page.kvs.length;
    await terminal.drained();
    signal.throwIfAborted();
  }
  terminal.writeError(`exported ${count} keys at revision ${shown}\n`);
}

/** What was granted; undefined when the lease is gone by now: what hung on it is kept without. */
async function askLease(client: Client, id: bigint): Promise<RecordLease | undefined> {
  const { ttlSeconds, grantedTtlSeconds } = await client.leaseTimeToLive(id);
  return ttlSeconds < 0 ? undefined : { id, ttlSeconds: grantedTtlSeconds };
}
