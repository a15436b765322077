/** `kvorum snapshot save|status|restore`: backups of a cluster, and what to make of them. */

import type { Argv, CommandModule, InferredOptionTypes } from 'yargs';
import { commandArguments } from './arguments.ts';
import { type CommandContext, openInvocation } from './command-context.ts';
import { refuseArguments } from './command-error.ts';
import { integerFlag } from './flag-values.ts';
import type { Flags } from './settings.ts';

/** Flags of `snapshot restore`. */
export const SNAPSHOT_RESTORE_FLAGS = {
  id: { type: 'string', requiresArg: true, describe: 'which node of nodes.conf it is for' },
  conf: {
    type: 'string',
    requiresArg: true,
    describe: 'the members of the new cluster',
    defaultDescription: 'nodes.conf',
  },
  'data-dir': {
    type: 'string',
    requiresArg: true,
    describe: 'where to: an empty directory, or none',
    defaultDescription: 'data',
  },
  name: {
    type: 'string',
    requiresArg: true,
    describe: 'with --initial-cluster: which of its members it is for',
  },
  'initial-cluster': {
    type: 'string',
    requiresArg: true,
    describe: 'the members of a new cluster of `kvorum etcd`, in place of --id and --conf',
  },
  'initial-advertise-peer-urls': {
    type: 'string',
    requiresArg: true,
    describe: 'with --initial-cluster: where the others reach this member',
  },
  'initial-cluster-token': {
    type: 'string',
    requiresArg: true,
    describe: 'any word: clusters restored alike under other words are other clusters',
  },
  'bump-revision': {
    type: 'string',
    requiresArg: true,
    coerce: integerFlag('bump-revision'),
    describe: 'how many revisions to be ahead of the snapshot',
  },
  'mark-compacted': {
    type: 'boolean',
    describe: 'with --bump-revision: end the watches of all older revisions',
  },
} as const satisfies Flags;

const RESTORE_USAGE = `$0 snapshot restore <file> --id N --conf FILE --data-dir DIR [flags]
$0 snapshot restore <file> --name NAME --initial-cluster NAME=URL,… --data-dir DIR [flags]`;

/** Makes the commands. */
export function snapshotCommand(context: CommandContext): CommandModule {
  return {
    command: 'snapshot',
    describe: 'save the state of a node, look at a backup, restore it',
    builder: (yargs: Argv) =>
      yargs
        .usage('$0 snapshot <command>')
        .command(saveCommand(context))
        .command(snapshotStatusCommand(context))
        .command(restoreCommand(context))
        .demandCommand(1, 'a command of snapshot is needed: save, status or restore'),
    handler: () => {},
  };
}

function saveCommand(context: CommandContext): CommandModule {
  return {
    command: 'save',
    describe: 'stream the state of one node into a file',
    builder: (yargs) => yargs.usage('$0 snapshot save <file>'),
    handler: async (argv) => {
      const path = onlyPath(argv, 'save');
      const { client } = openInvocation(context, argv, undefined);
      if (client.endpoints.length !== 1) {
        const given = client.endpoints.join(' ');
        refuseArguments(`snapshot must be requested to one selected node, not multiple [${given}]`);
      }
      const { saveSnapshot } = await import('./snapshot-save.ts');
      await saveSnapshot(context, client, path);
    },
  };
}

function snapshotStatusCommand(context: CommandContext): CommandModule {
  return {
    command: 'status',
    describe: 'check a file, and show what it holds',
    builder: (yargs) => yargs.usage('$0 snapshot status <file> [flags]'),
    handler: async (argv) => {
      const path = onlyPath(argv, 'status');
      const { printer } = openInvocation(context, argv, 'snapshotStatus');
      const { openSnapshot } = await import('./snapshot-source.ts');
      const { facts, sizeBytes } = await openSnapshot(path);
      const { hash, revision, keyCount } = facts;
      printer.snapshotStatus({ hash, revision, keyCount, sizeBytes });
    },
  };
}

function restoreCommand(
  context: CommandContext,
): CommandModule<object, InferredOptionTypes<typeof SNAPSHOT_RESTORE_FLAGS>> {
  return {
    command: 'restore',
    describe: 'make the data directory of a member of a new cluster',
    builder: (yargs) => yargs.usage(RESTORE_USAGE).options(SNAPSHOT_RESTORE_FLAGS),
    handler: async (argv) => {
      const path = onlyPath(argv, 'restore');
      const { restoreSnapshot } = await import('./snapshot-restore.ts');
      const bumpRevision = argv['bump-revision'] ?? 0;
      const marksCompacted = argv['mark-compacted'] ?? false;
      await restoreSnapshot(context, path, { bumpRevision, marksCompacted, argv });
    },
  };
}

function onlyPath(argv: Parameters<typeof commandArguments>[0], command: string): string {
  const args = commandArguments(argv, 2);
  const [path] = args;
  if (args.length === 1 && path !== undefined && path !== '') return path;
  return refuseArguments(`snapshot ${command} expects one argument`);
}
