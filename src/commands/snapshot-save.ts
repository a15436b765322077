/**
 * `kvorum snapshot save FILE`: the state of one node, as a file.
 *
 * Written as FILE.part, synced, then renamed: under its own name there is a whole file or none.
 */

import { constants, type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Client, SavedSnapshot } from '../../include/client.ts';
import { KvorumError } from '../../include/rpc.ts';
import type { CommandContext } from './command-context.ts';
import { CommandError, ExitCode } from './command-error.ts';
import { releasingWhenInterrupted } from './interrupts.ts';
import { ProgressLine, progressBar } from './progress-line.ts';

/** The owner alone: a snapshot holds every value. */
const FILE_MODE = 0o600;

/** Saves a snapshot of the one node that the client has an endpoint of. */
export async function saveSnapshot(
  context: CommandContext,
  client: Client,
  path: string,
): Promise<void> {
  const draft = `${path}.part`;
  try {
    await releasingWhenInterrupted(context, (signal) => download(context, client, draft, signal));
    await rename(draft, path);
    await syncDirectory(dirname(path));
  } catch (cause) {
    await rm(draft, { force: true });
    if (cause instanceof KvorumError) throw new CommandError(ExitCode.Interrupted, cause.message);
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new CommandError(ExitCode.BadFile, `could not write ${path}: ${cause.message}`);
  }
  context.terminal.write(`Snapshot saved at ${path}\n`);
}

async function download(
  { terminal }: CommandContext,
  client: Client,
  draft: string,
  signal: AbortSignal,
): Promise<SavedSnapshot> {
  const { dbSizeInUseBytes } = await client.status();
  const line = new ProgressLine(terminal);
  let doneBytes = 0;
  const file = await open(draft, 'w', FILE_MODE);
  try {
    const saved = await client.snapshot(
      async (piece) => {
        await writeAll(file, piece);
        doneBytes += piece.length;
        if (line.isOnScreen)
          line.show(progressBar(doneBytes, Math.max(dbSizeInUseBytes, doneBytes)));
      },
      { signal },
    );
    await file.sync();
    const { revision, nodeId, sizeBytes } = saved;
    line.show(`${progressBar(sizeBytes, sizeBytes)}, revision ${revision} of node ${nodeId}`);
    line.end();
    return saved;
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Buffer): Promise<void> {
  for (let rest = bytes; rest.length > 0; ) {
    const { bytesWritten } = await file.write(rest);
    rest = rest.subarray(bytesWritten);
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
