/**
 * Holds a directory for one process or thread, without a native addon: Node has no flock.
 *
 * The lock is a listening socket, which the kernel closes with its process, however that ends: no
 * stale lock can block a restart. Two of them, since neither covers everything:
 * - an abstract socket named after the directory's device and inode. Its bind is atomic, across
 *   processes and threads, but one network namespace (one container) does not see another's;
 * - a socket file `lock` in the directory, seen by every container that shares it. One that refuses
 *   connections is stale and replaced. Between two namespaces that replace it in the same instant
 *   nothing decides; file systems without sockets do without it.
 *
 * The socket file is bound through /proc/self/fd, since a socket's path may have 107 bytes only.
 * Systems other than Linux have the socket file alone.
 */

import { closeSync, constants, fstatSync, openSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { FaultKind, NodeFault } from '../../include/node.ts';

/** A lock that is held. */
export type DirectoryLock = {
  /** Gives the directory free, then calls back. */
  readonly release: () => Promise<void>;
};

const LOCK_NAME = 'lock';

/**
 * Locks a directory.
 *
 * @param directory exists
 * @throws NodeFault DirectoryLocked; a system error when the directory cannot be opened
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  const held: Server[] = [];
  const release = async () => {
    for (const server of held.splice(0).reverse()) await closeServer(server);
    closeSync(descriptor);
  };
  try {
    if (process.platform === 'linux') {
      const { dev, ino } = fstatSync(descriptor, { bigint: true });
      held.push(await listen(`\0kvorum-${dev.toString(16)}-${ino.toString(16)}`));
    }
    const isLinux = process.platform === 'linux';
    const socketPath = isLinux
      ? `/proc/self/fd/${descriptor}/${LOCK_NAME}`
      : join(directory, LOCK_NAME);
    const shared = await listenShared(socketPath);
    if (shared !== undefined) held.push(shared);
  } catch (error) {
    await release();
    if (codeOf(error) === 'EADDRINUSE') throw lockedFault(directory, error);
    throw error;
  }
  return { release };
}

/** The socket file, or undefined where the file system has none. */
async function listenShared(path: string): Promise<Server | undefined> {
  if (await isAnswered(path)) throw Object.assign(new Error('in use'), { code: 'EADDRINUSE' });
  try {
    unlinkSync(path);
  } catch {
    // Not there, or not ours to remove: the bind below tells.
  }
  try {
    return await listen(path);
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') throw error;
    return undefined;
  }
}

function listen(path: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path }, () => {
      // The lock does not keep the process alive; it ends with it.
      server.unref();
      resolve(server);
    });
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // A full queue of connections (EAGAIN) has a listener behind it.
    socket.once('error', (error) => resolve(codeOf(error) === 'EAGAIN'));
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

function lockedFault(directory: string, cause: unknown): NodeFault {
  return new NodeFault(FaultKind.DirectoryLocked, 'another kvorum uses this data directory', {
    path: directory,
    remedy: 'stop it, or give this node a directory of its own',
    cause,
  });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
