/**
 * Loaded into a node's process before it starts (`node --import`): the disk under its log then does
 * wrong whenever the file that KVORUM_TEST_FAULT names says so. Nothing else of the node is
 * touched: its writes come through node:fs as ever, and only those into the log are spoilt.
 */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, dirname } from 'node:path';

/** What a disk may do to a write of the log. */
export const DiskFault = {
  /** Its first bytes are there, then the disk fails. */
  Torn: 'torn',
  /** All of it is in the file, and what would make it stable fails: a write of an O_DSYNC file. */
  Unsynced: 'unsynced',
  /** Its first bytes are taken, which the kernel may do and is no failure. */
  Short: 'short',
  /** There is no room for it. */
  Full: 'full',
} as const;
/** One of the values of DiskFault. */
export type DiskFault = (typeof DiskFault)[keyof typeof DiskFault];

/** Less than a group of the log has, though most of its block is zeros. */
const PART_BYTES = 100;

type Written = (error: NodeJS.ErrnoException | null, written: number) => void;
type Write = (done: Written) => void;

const faultPath = process.env.KVORUM_TEST_FAULT;
if (faultPath !== undefined) spoil(faultPath);

function spoil(path: string): void {
  const { write, writev } = fs;

  const writeSpoilt = (
    file: number,
    bytes: Buffer,
    offset: number,
    whole: Write,
    done: Written,
  ) => {
    const part = Math.min(bytes.length, PART_BYTES);
    switch (isOfLog(file) ? read(path) : '') {
      case DiskFault.Torn:
        return write(file, bytes, 0, part, offset, () => done(fault('EIO', 'i/o error'), 0));
      case DiskFault.Unsynced:
        return whole(() => done(fault('EIO', 'i/o error'), 0));
      case DiskFault.Short:
        return write(file, bytes, 0, part, offset, done);
      case DiskFault.Full:
        return process.nextTick(done, fault('ENOSPC', 'no space left on device'), 0);
      default:
        return whole(done);
    }
  };

  const spoiltWrite = (
    file: number,
    bytes: Buffer,
    from: number,
    length: number,
    offset: number,
    done: Written,
  ): void => {
    const whole: Write = (told) => write(file, bytes, from, length, offset, told);
    writeSpoilt(file, bytes.subarray(from, from + length), offset, whole, done);
  };
  const spoiltWritev = (
    file: number,
    chunks: readonly Buffer[],
    offset: number,
    done: Written,
  ): void => {
    const whole: Write = (told) => writev(file, chunks, offset, told);
    writeSpoilt(file, Buffer.concat(chunks), offset, whole, done);
  };
  Object.assign(fs, { write: spoiltWrite, writev: spoiltWritev });
  syncBuiltinESMExports();
}

/** What the disk is to do now; empty for nothing. */
function read(path: string): string {
  return fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : '';
}

function isOfLog(file: number): boolean {
  return basename(dirname(fs.readlinkSync(`/proc/self/fd/${file}`))) === 'wal';
}

function fault(code: string, what: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${what}, write`), { code });
}
