/**
 * The directory that holds all a member has: who it is, its log, its store. Held by one process or
 * thread at a time.
 *
 *   identity   format version, cluster and node id; text; written once, when log and store exist;
 *              of one made from a snapshot also the list of members that it is started with
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
  /**
   * Of a directory made from a snapshot: the id that the list of members alone would give its
   * cluster.
   */
  readonly bornId?: bigint;
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

/** Whose a directory is. */
export type Identity = Pick<DataDirectoryOptions, 'clusterId' | 'nodeId' | 'bornId'>;

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;
const IDENTITY_NAME = 'identity';
const IDENTITY_DRAFT_NAME = 'identity.tmp';
const IDENTITY_BYTES_MAX = 4096;
const IDENTITY_PATTERN =
  /^format (\d{1,9})\ncluster ([0-9a-f]{16})\nnode (\d{1,10})\n(?:born ([0-9a-f]{16})\n)?$/;
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
export function readIdentity(path: string): Identity | undefined {
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
  const [, , cluster = '', node = '', born] = match ?? [];
  if (match === null || format !== (born === undefined ? 1 : 2)) {
    throw new NodeFault(FaultKind.DirectoryDamaged, 'the identity cannot be understood', {
      path,
      remedy: 'restore the file: three lines, format, cluster and node',
    });
  }
  const identity = { clusterId: BigInt(`0x${cluster}`), nodeId: Number(node) };
  return born === undefined ? identity : { ...identity, bornId: BigInt(`0x${born}`) };
}

/** Writes the identity: whole under another name, then renamed, each step stable. */
function writeIdentity(path: string, options: DataDirectoryOptions): void {
  const draft = join(path, IDENTITY_DRAFT_NAME);
  try {
    const file = fs.openSync(draft, 'w', FILE_MODE);
    try {
      fs.writeFileSync(file, identityText(options));
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

/** An older kvorum must not start a restored directory: it would not know its cluster. */
function identityText({ clusterId, nodeId, bornId }: DataDirectoryOptions): string {
  const lines = [`cluster ${clusterName(clusterId)}`, `node ${nodeId}`];
  if (bornId === undefined) return `format 1\n${lines.join('\n')}\n`;
  return `format 2\n${lines.join('\n')}\nborn ${clusterName(bornId)}\n`;
}

function clusterName(id: bigint): string {
  return id.toString(16).padStart(16, '0');
}

/** Makes the names in a directory stable. */
export function syncDirectory(path: string): void {
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
  return `node ${who.nodeId} of cluster ${clusterName(who.clusterId)}`;
}
