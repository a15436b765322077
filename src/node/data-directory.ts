/**
 * The directory that holds all a member has: who it is, its log, its store. Held by one process or
 * thread at a time.
 *
 *   identity   format version, cluster and node id; text; written once, when log and store exist
 *   lock       see directory-lock.ts
 *   wal/       the log (docs/STORAGE.md)
 *   store/     the applied state
 *
 * Invariant: an identity file means that the member has run, so its log must exist. A member that
 * lost its log must not start from nothing: it would forget its vote (thesis 3.8).
 */

import * as fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import {
  DATA_DIRECTORY_FORMAT_VERSION,
  FaultKind,
  NodeFault,
  type NodeId,
} from '../../include/node.ts';
import { type DirectoryLock, lockDirectory } from './directory-lock.ts';

/** Who the member is that opens a directory. */
export type DataDirectoryOptions = {
  readonly path: string;
  readonly clusterId: bigint;
  readonly nodeId: NodeId;
};

/** A data directory in use by this thread. */
export type DataDirectory = {
  readonly path: string;
  readonly walPath: string;
  readonly storePath: string;
  /** No identity yet: log and store may be created. */
  readonly isNew: boolean;
  /** Writes the identity, once log and store exist. Does nothing when it is there. Synchronous. */
  readonly confirm: () => void;
  /** Gives the directory free. */
  readonly close: () => Promise<void>;
};

type Identity = {
  readonly format: number;
  readonly clusterId: bigint;
  readonly nodeId: NodeId;
};

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const IDENTITY_NAME = 'identity';
const IDENTITY_DRAFT_NAME = 'identity.tmp';
const IDENTITY_BYTES_MAX = 4096;
const IDENTITY_PATTERN = /^format (\d{1,9})\ncluster ([0-9a-f]{16})\nnode (\d{1,10})\n$/;
const FORMAT_PATTERN = /^format (\d{1,9})$/m;

/**
 * Opens a data directory, or makes it, and locks it.
 *
 * @throws NodeFault DirectoryUnusable, DirectoryLocked, DirectoryDamaged, DirectoryForeign,
 *   DirectoryNewer
 */
export async function openDataDirectory(options: DataDirectoryOptions): Promise<DataDirectory> {
  const path = resolve(options.path);
  const walPath = join(path, 'wal');
  let lock: DirectoryLock | undefined;
  try {
    makeDirectory(path);
    lock = await lockDirectory(path);
    let isConfirmed = checkIdentity(path, options);
    const isNew = !isConfirmed;
    makeDirectory(walPath);
    return {
      path,
      walPath,
      storePath: join(path, 'store'),
      isNew,
      confirm: () => {
        if (!isConfirmed) writeIdentity(path, options);
        isConfirmed = true;
      },
      close: lock.release,
    };
  } catch (error) {
    await lock?.release();
    if (error instanceof NodeFault) throw error;
    throw unusable(path, error);
  }
}

/**
 * Whose directory this is; undefined when no member has run in it, or there is none.
 *
 * @throws NodeFault DirectoryUnusable, DirectoryDamaged, DirectoryNewer
 */
export function readIdentity(
  path: string,
): { readonly clusterId: bigint; readonly nodeId: NodeId } | undefined {
  const identityPath = join(resolve(path), IDENTITY_NAME);
  try {
    return parseIdentity(fs.readFileSync(identityPath, 'utf8'), identityPath);
  } catch (error) {
    if (error instanceof NodeFault) throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
}

/** Makes a directory and those above it, each name stable in its parent. */
function makeDirectory(path: string): void {
  const first = fs.mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE });
  fs.accessSync(path, fs.constants.R_OK | fs.constants.W_OK | fs.constants.X_OK);
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    syncDirectory(dirname(made));
  }
}

/** Whether the directory has the identity of this member; throws when it has another. */
function checkIdentity(path: string, options: DataDirectoryOptions): boolean {
  const identity = readIdentity(path);
  if (identity === undefined) return false;
  if (identity.clusterId !== options.clusterId || identity.nodeId !== options.nodeId) {
    const what = `the directory of ${nameOf(identity)}, this is ${nameOf(options)}`;
    throw new NodeFault(FaultKind.DirectoryForeign, what, {
      path: join(path, IDENTITY_NAME),
      remedy:
        'give each node its own data directory, and keep nodes.conf as it was at its first start',
    });
  }
  return true;
}

function parseIdentity(text: string, path: string): Identity {
  const format = Number(FORMAT_PATTERN.exec(text.slice(0, IDENTITY_BYTES_MAX))?.[1] ?? 0);
  if (format > DATA_DIRECTORY_FORMAT_VERSION) {
    const what = `format ${format}, this kvorum knows ${DATA_DIRECTORY_FORMAT_VERSION}`;
    const remedy = 'run the kvorum that wrote it, or a newer one';
    throw new NodeFault(FaultKind.DirectoryNewer, what, { path, remedy });
  }
  const match = IDENTITY_PATTERN.exec(text);
  if (match === null || format !== DATA_DIRECTORY_FORMAT_VERSION) {
    throw new NodeFault(FaultKind.DirectoryDamaged, 'the identity cannot be understood', {
      path,
      remedy: 'restore the file: three lines, format, cluster and node',
    });
  }
  return { format, clusterId: BigInt(`0x${match[2]}`), nodeId: Number(match[3]) };
}

/** Writes the identity: whole under another name, then renamed, each step stable. */
function writeIdentity(path: string, options: DataDirectoryOptions): void {
  const draft = join(path, IDENTITY_DRAFT_NAME);
  const cluster = options.clusterId.toString(16).padStart(16, '0');
  const format = DATA_DIRECTORY_FORMAT_VERSION;
  const text = `format ${format}\ncluster ${cluster}\nnode ${options.nodeId}\n`;
  try {
    const file = fs.openSync(draft, 'w', FILE_MODE);
    try {
      fs.writeFileSync(file, text);
      fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
    fs.renameSync(draft, join(path, IDENTITY_NAME));
    syncDirectory(path);
  } catch (error) {
    throw unusable(path, error);
  }
}

function syncDirectory(path: string): void {
  const directory = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(directory);
  } finally {
    fs.closeSync(directory);
  }
}

function unusable(path: string, cause: unknown): NodeFault {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new NodeFault(FaultKind.DirectoryUnusable, `the data directory cannot be used: ${why}`, {
    path,
    remedy: 'give --data-dir a directory that this user may make and write to',
    cause,
  });
}

function nameOf(who: { clusterId: bigint; nodeId: NodeId }): string {
  return `node ${who.nodeId} of cluster ${who.clusterId.toString(16).padStart(16, '0')}`;
}
